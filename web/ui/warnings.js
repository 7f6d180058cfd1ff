/**
 * Reasons to distrust a reading, in the engine's words: an image that shows nothing, is no such image, or was compared with
 * itself; that its file is not of the kind that the object's models are made from; and what is to be known about how its file
 * was read. Pure functions.
 */

import { sentence } from "./dom.js";
import { mismatch } from "./hints.js";
import { t } from "./texts.js";

/**
 * @typedef {{code: string, text: string, short: string, voids: boolean}} Warning
 * `short`: for the strip, empty for a note on how the file was read; `voids`: the score means nothing and is not shown
 */

/**
 * @param {import("./types.d.ts").ImageItem} item
 * @param {import("./texts.js").Say} [say]
 * @returns {Warning[]} the gravest first
 */
export function warningsFor({ result, warnings, notes, leftOut, series }, say = t) {
  if (!result) return [];
  const reason = series ? mismatch(series, result.object, say) : null;
  const kind = reason ? [{ code: "kind", text: sentence(reason), short: say("warnings.kind"), voids: false }] : [];
  const found = [...warnings, ...kind, ...result.warnings];
  // One that voids the score says all about it.
  const said = found.some(({ voids }) => voids) ? found.filter(({ code }) => code !== "unlike" && code !== "inverted") : found;
  const regions = leftOut.length;
  const read = notes.map(({ code, text }) => code === "absent" ? say("workspace.absent") : `${text[0].toUpperCase()}${text.slice(1)}.`);
  if (regions) read.unshift(say("warnings.regions", { count: regions }));
  const told = read.map((text) => ({ code: "note", text, short: "", voids: false }));
  return [...said.sort((a, b) => Number(b.voids) - Number(a.voids)), ...told];
}
