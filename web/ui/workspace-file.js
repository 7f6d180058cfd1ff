/**
 * The container of a workspace: a safetensors file whose metadata has the text `workspace`, so that other programs can read the
 * numbers in it. Comes in: a description and arrays by name, or a file. Goes out: a Blob, or both again. Fails with an Error in
 * words where a file is something else, cut, or says what it does not hold. No array is read before it is asked for.
 */

import { t } from "./texts.js";

/** What the metadata says the file is. */
export const FORMAT = "MVFA Web workspace 1";

/** @typedef {Float32Array | Uint8Array} Values */
const TYPES = /** @type {const} */ ({ F32: Float32Array, U8: Uint8Array });
const LENGTH_BYTES = 8;
/** A description of ten thousand images is smaller. */
const MOST_HEADER_BYTES = 64e6;

/**
 * @param {object} about
 * @param {Map<string, Values | Blob>} arrays
 * @returns {Blob}
 */
export function write(about, arrays) {
  /** @type {Record<string, object>} */
  const header = { __metadata__: { format: FORMAT, workspace: JSON.stringify(about) } };
  let end = 0;
  for (const [name, values] of arrays) {
    const bytes = values instanceof Blob ? values.size : values.byteLength;
    const isF32 = values instanceof Float32Array;
    header[name] = { dtype: isF32 ? "F32" : "U8", shape: [isF32 ? bytes / 4 : bytes], data_offsets: [end, (end += bytes)] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  // The arrays begin at a multiple of eight, as readers like it.
  const padding = " ".repeat((LENGTH_BYTES - (text.length % LENGTH_BYTES)) % LENGTH_BYTES);
  const length = new DataView(new ArrayBuffer(LENGTH_BYTES));
  length.setBigUint64(0, BigInt(text.length + padding.length), true);
  return new Blob([length, text, padding, .../** @type {any[]} */ ([...arrays.values()])], { type: "application/octet-stream" });
}

/**
 * @param {Blob} file
 * @returns {Promise<{about: any, bytes: (name: string) => Blob, floats: (name: string) => Promise<Float32Array<ArrayBuffer>>}>}
 */
export async function read(file) {
  const head = new DataView(await file.slice(0, LENGTH_BYTES).arrayBuffer());
  const size = head.byteLength === LENGTH_BYTES ? Number(head.getBigUint64(0, true)) : Infinity;
  if (size > Math.min(MOST_HEADER_BYTES, file.size - LENGTH_BYTES)) throw new Error(t("workspace.cut"));
  const header = parsed(await file.slice(LENGTH_BYTES, LENGTH_BYTES + size).text());
  const format = header?.__metadata__?.format;
  if (format !== FORMAT) throw new Error(format ? t("workspace.format", { found: String(format).slice(0, 40), expected: FORMAT }) : t("workspace.other"));
  const about = parsed(header.__metadata__.workspace);
  if (!about || typeof about !== "object") throw new Error(t("workspace.damaged"));
  /** @param {string} name @param {keyof typeof TYPES} dtype */
  const bytes = (name, dtype) => {
    const entry = Object.hasOwn(header, name) ? header[name] : null;
    const [from, to] = Array.isArray(entry?.data_offsets) ? entry.data_offsets : [];
    const isWhole = entry?.dtype === dtype && Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && LENGTH_BYTES + size + to <= file.size;
    if (!isWhole || (to - from) % TYPES[dtype].BYTES_PER_ELEMENT !== 0) throw new Error(t("workspace.part", { name }));
    return file.slice(LENGTH_BYTES + size + from, LENGTH_BYTES + size + to);
  };
  return { about, bytes: (name) => bytes(name, "U8"), floats: async (name) => new Float32Array(await bytes(name, "F32").arrayBuffer()) };
}

/** @param {unknown} text @returns {any} null if it is no JSON */
function parsed(text) {
  try {
    return JSON.parse(String(text));
  } catch {
    return null;
  }
}
