/**
 * Reasons to distrust a reading, in words for people: an image that shows nothing, is no such image, or was compared with
 * itself; and what is to be known about how its file was read. Pure functions of the state; `blankness` alone looks at pixels.
 */

import { normalTop } from "./results.js";

/** Grey values that a blank image may differ by: what lossy formats leave of one value. */
const BLANK_RANGE = 2;
/** With a shorter side below this the model sees a few pixels blown up. */
const TINY_PX = 32;
/** The model sees every image as a square; a longer one than this is squeezed beyond recognition. */
const LONGEST_SHAPE = 4;
/**
 * From when on not a place is unusual but the image: where its middle value (half of the map is above) reaches this share of
 * the highest value in the normal images. Slices of the same organ and level come to .2 to .5, those of the other organ to
 * .7 and more (tests/fixtures/bmad, bundled model). A map that words are fused into has no such zero: there half of it must
 * be above all normal images.
 */
const UNLIKE_MIDDLE = 0.65;
const UNLIKE_MIDDLE_FUSED = 1;
/** The same for objects that are scored by the map's mean, in the means of the normal images; another person's come to 1.9. */
const UNLIKE_MEAN = 2;

/**
 * @typedef {{kind: "blank" | "same" | "tiny" | "shape" | "unlike" | "note", text: string, short: string, voids: boolean}} Warning
 * `short`: for the strip, empty for a note on how the file was read; `voids`: the score means nothing and is not shown
 */

/**
 * @param {import("./types.d.ts").State} state
 * @param {import("./types.d.ts").ImageItem} item
 * @returns {Warning[]} the gravest first
 */
export function warningsFor(state, item) {
  const { width, height, result } = item;
  if (!result) return [];
  const found = /** @type {Warning[]} */ ([]);
  const add = (kind, short, text, voids = false) => found.push({ kind, short, text, voids });
  if (item.blank !== "") {
    add("blank", "blank image", `This image is ${item.blank === "nearly" ? "almost " : ""}a single grey value; the score means nothing and is not shown.`, true);
  }
  if (item.amongNormals) {
    add("same", "also a normal image", "This image is also one of the normal images, so it was compared with itself; the score means nothing and is not shown.", true);
  }
  const shorter = Math.min(width, height);
  if (shorter > 0 && shorter < TINY_PX) add("tiny", "very small", `This image is very small (${width} × ${height} pixels); the score means little.`);
  if (Math.max(width, height) > LONGEST_SHAPE * shorter && shorter > 0) {
    add("shape", "odd shape", `This image is very long and narrow (${width} × ${height} pixels). The model sees it squeezed into a square; the score means little.`);
  }
  if (!found.some(({ voids }) => voids)) {
    const unlike = unlikeNormals(state, item);
    if (unlike) add("unlike", "unlike the normals", `${unlike} It may show something else, or come from another view or scanner; then the score means little.`);
  }
  for (const { text } of item.notes) add("note", "", `${text[0].toUpperCase()}${text.slice(1)}.`);
  return found;
}

/** @type {WeakMap<object, string>} */
const unlikeCache = new WeakMap();

/** How an image is unlike the normal images as a whole, or "". @param {import("./types.d.ts").State} state @param {import("./types.d.ts").ImageItem} item */
function unlikeNormals(state, item) {
  const result = /** @type {import("../../pkg/index.d.ts").Result} */ (item.result);
  let found = unlikeCache.get(result);
  if (found !== undefined) return found;
  found = "";
  const top = normalTop(state, item);
  if (top !== null) {
    const middle = Float32Array.from(result.overlay).sort()[result.overlay.length >> 1];
    const limit = (result.scoreZero === null ? UNLIKE_MIDDLE : UNLIKE_MIDDLE_FUSED) * top;
    if (middle > limit) found = "Most of this image is unlike the normal images, not single places of it.";
  } else if (result.mode === "few" && result.supportScores && result.supportScores.length > 1 && result.scoreZero === null) {
    if (result.score > UNLIKE_MEAN * Math.max(...result.supportScores)) found = "This image as a whole is far from the normal images.";
  }
  unlikeCache.set(result, found);
  return found;
}

/**
 * Whether an image shows nothing at all. Ends at the first pixel that differs, so that it costs something only where it is true.
 * @param {Uint8Array | Uint8ClampedArray} pixels RGBA
 * @returns {"" | "single" | "nearly"}
 */
export function blankness(pixels) {
  const low = [pixels[0], pixels[1], pixels[2]];
  const high = [...low];
  for (let at = 4; at < pixels.length; at += 4) {
    for (let channel = 0; channel < 3; channel += 1) {
      const value = pixels[at + channel];
      if (value < low[channel]) low[channel] = value;
      else if (value > high[channel]) high[channel] = value;
      else continue;
      if (high[channel] - low[channel] > BLANK_RANGE) return "";
    }
  }
  return high.every((value, channel) => value === low[channel]) ? "single" : "nearly";
}
