/**
 * Which files of a folder are no pictures at all: programs, readme files, what lies on a disc beside its images. They are told
 * of together. A file that is named or begins like a picture and cannot be read is not among them: somebody may miss it.
 */

import { hasKnownEnding } from "./names.js";

/** Bytes that the longest of the beginnings needs: NIfTI has its mark near the end of its header. */
const BEGINNING = 352;
/** Where, and with what, pictures begin. @type {[number, number[] | string][]} */
const MARKS = [
  [128, "DICM"], [0, [0x08, 0x00]], [0, [0x02, 0x00]], [0, [0x89, 0x50, 0x4e, 0x47]], [0, [0xff, 0xd8, 0xff]], [8, "WEBP"], [0, "BM"],
  [0, "II*\0"], [0, "MM\0*"], [0, "II+\0"], [0, "MM\0+"], [344, "n+1"], [344, "ni1"], [4, "n+2"], [4, "ni2"], [0, [0x1f, 0x8b]], [0, "NRRD"], [0, "ObjectType"], [0, "NDims"],
];

/** @param {Blob} blob */
async function beginsLikePicture(blob) {
  const bytes = new Uint8Array(await blob.slice(0, BEGINNING).arrayBuffer());
  return MARKS.some(([at, mark]) => [...mark].every((wanted, n) => bytes[at + n] === (typeof wanted === "string" ? wanted.charCodeAt(0) : wanted)));
}

/**
 * Whether a file that cannot be read is no picture at all.
 * @param {Blob} blob
 * @param {string} name
 * @param {boolean} isBesideSeries among medical images lie pictures of their viewer, which nobody misses
 */
export async function isJunk(blob, name, isBesideSeries) {
  if (hasKnownEnding(name) && !(isBesideSeries && !isMedical(name))) return false;
  return !(await beginsLikePicture(blob));
}

/** Endings that medical files alone have. @param {string} name */
const isMedical = (name) => !/\.(png|jpe?g|webp|bmp|tiff?)$/i.test(name);
