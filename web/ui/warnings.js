/**
 * Reasons to distrust a reading, in the engine's words: an image that shows nothing, is no such image, or was compared with
 * itself; that its file is not of the kind that the object's models are made from; and what is to be known about how its file
 * was read. Pure functions.
 */

import { sentence } from "./dom.js";
import { mismatch } from "./hints.js";

/**
 * @typedef {{code: string, text: string, short: string, voids: boolean}} Warning
 * `short`: for the strip, empty for a note on how the file was read; `voids`: the score means nothing and is not shown
 */

/**
 * @param {import("./types.d.ts").ImageItem} item
 * @returns {Warning[]} the gravest first
 */
export function warningsFor({ result, warnings, notes, leftOut, series }) {
  if (!result) return [];
  const reason = series ? mismatch(series, result.object) : null;
  const kind = reason ? [{ code: "kind", text: sentence(reason), short: "other kind of image", voids: false }] : [];
  const found = [...warnings, ...kind, ...result.warnings];
  // One that voids the score says all about it.
  const said = found.some(({ voids }) => voids) ? found.filter(({ code }) => code !== "unlike" && code !== "inverted") : found;
  const regions = leftOut.length;
  const read = notes.map(({ text }) => `${text[0].toUpperCase()}${text.slice(1)}.`);
  if (regions) read.unshift(`${regions === 1 ? "One region" : `${regions} regions`} of this image ${regions === 1 ? "is" : "are"} left out of the score and the map, with every patch of the model that ${regions === 1 ? "it touches" : "they touch"}.`);
  const told = read.map((text) => ({ code: "note", text, short: "", voids: false }));
  return [...said.sort((a, b) => Number(b.voids) - Number(a.voids)), ...told];
}
