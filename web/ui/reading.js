/** A score in plain words. It compares; it never gives a diagnosis. Pure functions. */

import { countOf, twoDigits } from "./dom.js";
import { normalTop } from "./results.js";
import { warningsFor } from "./warnings.js";

const NO_DIAGNOSIS = "A score is not a diagnosis.";
/** Without a threshold the colours span the map from end to end. */
const NO_OUTLINE = "nothing is outlined until you set a threshold. The colours span the whole map: some place is the brightest in any image.";

/** @typedef {import("./types.d.ts").State} State */
/** @typedef {import("./types.d.ts").ImageItem} ImageItem */
/**
 * @typedef {object} Reading
 * @property {number | null} score the one number to show, null if none must be
 * @property {string} reading
 * @property {string} range the normal images' own scores
 * @property {string} hint
 * @property {import("./warnings.js").Warning[]} warnings
 */

/**
 * @param {State} state
 * @param {ImageItem} item with a result
 * @returns {Reading}
 */
export function readScore(state, item) {
  const result = /** @type {import("../../pkg/index.d.ts").Result} */ (item.result);
  const warnings = warningsFor(item);
  const empty = warnings.find(({ voids }) => voids);
  if (empty) return { score: null, reading: `No score: ${empty.short}`, range: "", hint: "", warnings };
  const read = result.mode === "few" ? withNormals(state, item) : result.mode === "self" ? withItself(result) : withWords(state, result);
  return { ...read, warnings };
}

/**
 * Whether words give an image a score. A model whose makers have something to say against its words (`zeroShotNote`, the
 * manifest's `zero_shot_note`) gives none: its map can still be worth a look, but in the only one measured, the bundled
 * model, the score put lesions below normal slices (image AUROC .235 on brain MR, see the model card).
 * @param {State} state
 */
export function wordsGiveScore(state) {
  return !state.info?.zeroShotNote;
}

/** @param {State} state @param {import("../../pkg/index.d.ts").Result} result */
function withWords(state, result) {
  const outline = `Words have no range of normal images, so ${NO_OUTLINE}`;
  if (!wordsGiveScore(state)) {
    return {
      score: null,
      reading: "No image score: with this model, words are not reliable enough for one",
      range: "",
      hint: `See the note at the choice of words. ${outline}`,
    };
  }
  return {
    score: result.score,
    reading: "Likeness to the words for abnormal",
    range: "",
    hint: `${outline} The score is the map's average; compare it only with others of this model and this kind of image. ${NO_DIAGNOSIS}`,
  };
}

/** @param {import("../../pkg/index.d.ts").Result} result */
function withItself(result) {
  return {
    score: result.score,
    reading: "How far left and right differ",
    range: "",
    hint: `Nothing normal to compare with gives no range, so ${NO_OUTLINE} Compare the score only with others of this model and this kind of image. ${NO_DIAGNOSIS}`,
  };
}

/** @param {State} state @param {ImageItem} item */
function withNormals(state, item) {
  const result = /** @type {import("../../pkg/index.d.ts").Result} */ (item.result);
  const { comparedAtMost } = /** @type {import("../../pkg/index.d.ts").SessionInfo} */ (state.info);
  const normals = [...(result.supportScores ?? [])].sort((a, b) => a - b);
  if (normals.length < 2) {
    return {
      score: result.score,
      reading: "No range to compare with",
      range: "",
      hint: `One normal image gives no range of normal images, so ${NO_OUTLINE} Add at least one more. ${NO_DIAGNOSIS}`,
    };
  }
  const lowest = normals[0];
  const highest = normals[normals.length - 1];
  const all = normals.length === 2 ? "both of your normal images"
    : normals.length < comparedAtMost ? `all ${normals.length} of your normal images`
    : `all ${normals.length} normal images that were compared with the others`;
  const reading = result.score > highest ? `Higher than ${all}`
    : result.score < lowest ? `Lower than ${all}`
    : "Inside the range of your normal images";
  const doubt = normals.length < 4 ? `${countOf(normals.length, "normal image")} make a rough range. Add more.`
    : result.score > highest ? "Another person, view or scanner can raise the score too."
    : "That does not mean that the image is normal.";
  const outline = normalTop(item) === null
    ? `This score is the map's average and gives single places no range of normal images, so ${NO_OUTLINE} `
    : "";
  return {
    score: result.score,
    reading,
    range: `Their own scores lie between ${twoDigits(lowest)} and ${twoDigits(highest)}, each compared with the ${normals.length === 2 ? "other" : "others"}.`,
    hint: `${outline}${doubt} ${NO_DIAGNOSIS}`,
  };
}
