/**
 * What files are called on the page and in what is saved: path, folder, short name, order.
 * Paths matter because two people's folders hold files of the same names.
 */

import { el } from "./dom.js";

/**
 * Endings of image files; a test compares the list with the program's. Anything else after a point belongs to the name:
 * `IM.00012` has no ending. The file chooser offers every file, since those of scanners often have none.
 */
const ENDINGS = el("file-input").dataset.endings.split(",");
const ENDING = new RegExp(`(${ENDINGS.map((ending) => ending.replaceAll(".", "\\.")).join("|")})$`, "i");
const NATURAL = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** @param {string} name a file's name without its folder @returns {string} */
export function withoutEnding(name) {
  return name.replace(ENDING, "") || name;
}

/** @param {string} name */
export const hasKnownEnding = (name) => ENDING.test(name);

/** @param {string} path @returns {string} the folder a file lies in, "" for none */
export function folderOf(path) {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/**
 * The order of files: folder by folder, numbers by their value, so that slice 2 comes before slice 10.
 * @param {string} a a path
 * @param {string} b
 */
export function comparePaths(a, b) {
  const [left, right] = [a.split("/"), b.split("/")];
  for (let n = 0; n < Math.min(left.length, right.length); n += 1) {
    // A folder's own files come before those of the folders in it.
    const deeper = Number(n < left.length - 1) - Number(n < right.length - 1);
    const order = deeper || NATURAL.compare(left[n], right[n]);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** What an image was compared with, for the name of a file. @param {import("../../pkg/index.d.ts").Mode} mode */
export function besideWhat(mode) {
  return mode === "zero" ? "words" : mode === "self" ? "itself" : mode === "batch" ? "one-another" : "normal-images";
}

/**
 * A file name for something saved: letters, digits and hyphens, the same on every system.
 * @param {...string} parts
 */
export function fileName(...parts) {
  return parts.map((part) => part.normalize("NFKD").replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "")).filter(Boolean).join("_");
}
