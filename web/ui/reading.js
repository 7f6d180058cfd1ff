/** A score in plain words. It compares; it never gives a diagnosis. Pure functions. */

import { twoDigits } from "./dom.js";
import { normalTop } from "./results.js";
import { t } from "./texts.js";
import { warningsFor } from "./warnings.js";

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
 * @param {import("./texts.js").Say} [say]
 * @returns {Reading}
 */
export function readScore(state, item, say = t) {
  const result = /** @type {import("../../pkg/index.d.ts").Result} */ (item.result);
  const warnings = warningsFor(item, say);
  const empty = warnings.find(({ voids }) => voids);
  if (empty) return { score: null, reading: say("reading.noScore", { reason: empty.short }), range: "", hint: "", warnings };
  const read = result.mode === "few" ? withNormals(state, item, say)
    : result.mode === "self" ? withItself(result, say)
    : result.mode === "batch" ? { score: result.score, reading: say("reading.batch"), range: "", hint: say("reading.batchHint") }
    : withWords(state, result, say);
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

/** @param {State} state @param {import("../../pkg/index.d.ts").Result} result @param {import("./texts.js").Say} say */
function withWords(state, result, say) {
  if (!wordsGiveScore(state)) {
    return {
      score: null,
      reading: say("reading.wordsUnreliable"),
      range: "",
      hint: say("reading.wordsUnreliableHint"),
    };
  }
  return {
    score: result.score,
    reading: say("reading.words"),
    range: "",
    hint: say("reading.wordsHint"),
  };
}

/** @param {import("../../pkg/index.d.ts").Result} result @param {import("./texts.js").Say} say */
function withItself(result, say) {
  return {
    score: result.score,
    reading: say("reading.itself"),
    range: "",
    hint: say("reading.itselfHint"),
  };
}

/** By what the normal images are: two, all, or those that were compared with the others. @type {import("./texts.js").Key[]} */
const HIGHER = ["reading.higherBoth", "reading.higher", "reading.higherCompared"];
/** @type {import("./texts.js").Key[]} */
const LOWER = ["reading.lowerBoth", "reading.lower", "reading.lowerCompared"];

/** @param {State} state @param {ImageItem} item @param {import("./texts.js").Say} say */
function withNormals(state, item, say) {
  const result = /** @type {import("../../pkg/index.d.ts").Result} */ (item.result);
  const { comparedAtMost } = /** @type {import("../../pkg/index.d.ts").SessionInfo} */ (state.info);
  const normals = [...(result.supportScores ?? [])].sort((a, b) => a - b);
  if (normals.length < 2) {
    return {
      score: result.score,
      reading: say("reading.noRange"),
      range: "",
      hint: say("reading.noRangeHint"),
    };
  }
  const lowest = normals[0];
  const highest = normals[normals.length - 1];
  const which = normals.length === 2 ? 0 : normals.length < comparedAtMost ? 1 : 2;
  const reading = result.score > highest ? say(HIGHER[which], { count: normals.length })
    : result.score < lowest ? say(LOWER[which], { count: normals.length })
    : say("reading.inside");
  const doubt = normals.length < 4 ? say("reading.rough", { count: normals.length })
    : result.score > highest ? say("reading.doubtHigh")
    : say("reading.doubtLow");
  const outline = normalTop(item) === null
    ? `${say("reading.average")} `
    : "";
  return {
    score: result.score,
    reading,
    range: say(normals.length === 2 ? "reading.rangeBoth" : "reading.range", { lowest: twoDigits(lowest, say), highest: twoDigits(highest, say) }),
    hint: `${outline}${doubt} ${say("reading.noDiagnosis")}`,
  };
}
