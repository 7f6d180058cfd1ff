/**
 * Archives of models (`.zip`): written without compression, read with or without.
 *
 * Comes in: named Blobs, or an archive as a Blob. Goes out: an archive whose parts stay where they are, or its files. An
 * archive that contradicts itself fails with a ModelError. Sizes are those of the older format: below 4 GB. Nothing is read
 * but what is asked for. Source: APPNOTE.TXT 4.3.
 */

import { makeError } from "./errors.js";

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_BYTES = 22;
/** Of the longest comment at the end. */
const COMMENT_BYTES = 0xffff;
const STORED = 0;
const DEFLATED = 8;
const LIMIT_BYTES = 0xffffffff;
/** More files, or a longer list of them, than any model has. */
const MOST_FILES = 4096;
const LIST_BYTES = 4 << 20;
/** Names are UTF-8. */
const UTF8 = 0x800;
/** 1 January 1980, so that the same model gives the same archive. */
const DATE = 0x21;

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** @param {number} crc of what came before, at first 0 @param {Uint8Array} bytes */
function crc32(crc, bytes) {
  let value = ~crc;
  for (let at = 0; at < bytes.length; at += 1) value = TABLE[(value ^ bytes[at]) & 0xff] ^ (value >>> 8);
  return ~value >>> 0;
}

/**
 * @param {{name: string, blob: Blob}[]} files
 * @param {(bytes: number) => Promise<void>} [onBytes] told how much more was read; it may stop everything
 * @returns {Promise<Blob>}
 */
export async function writeZip(files, onBytes = async () => {}) {
  /** @type {BlobPart[]} */
  const parts = [];
  const list = [];
  let at = 0;
  for (const { name, blob } of files) {
    let crc = 0;
    for await (const bytes of /** @type {any} */ (blob.stream())) {
      crc = crc32(crc, bytes);
      await onBytes(bytes.length);
    }
    const path = new TextEncoder().encode(name);
    const common = [UTF8, 20, STORED, crc, blob.size, path.length];
    list.push({ path, common, at });
    const head = local(/** @type {any} */ (common));
    parts.push(head, path, blob);
    at += head.length + path.length + blob.size;
  }
  const start = at;
  for (const { path, common, at: from } of list) {
    const head = central(/** @type {any} */ (common), from);
    parts.push(head, path);
    at += head.length + path.length;
  }
  if (at > LIMIT_BYTES) throw makeError("ModelError", "The model has more than 4 GB, more than such an archive can hold. Convert it as f16 or i8.");
  return new Blob([...parts, end(list.length, at - start, start)], { type: "application/zip" });
}

/** @param {[number, number, number, number, number, number]} common */
function local([flags, version, method, crc, size, length]) {
  return little([4, LOCAL], [2, version], [2, flags], [2, method], [2, 0], [2, DATE], [4, crc], [4, size], [4, size], [2, length], [2, 0]);
}

/** @param {[number, number, number, number, number, number]} common @param {number} at */
function central([flags, version, method, crc, size, length], at) {
  return little([4, CENTRAL], [2, version], [2, version], [2, flags], [2, method], [2, 0], [2, DATE], [4, crc], [4, size], [4, size], [2, length], [2, 0], [2, 0], [2, 0], [2, 0], [4, 0], [4, at]);
}

/** @param {number} count @param {number} bytes @param {number} start */
function end(count, bytes, start) {
  return little([4, END], [2, 0], [2, 0], [2, count], [2, count], [4, bytes], [4, start], [2, 0]);
}

/** @param {...[number, number]} fields bytes and value @returns {Uint8Array<ArrayBuffer>} */
function little(...fields) {
  const bytes = new Uint8Array(fields.reduce((sum, [size]) => sum + size, 0));
  let at = 0;
  for (const [size, value] of fields) {
    for (let n = 0; n < size; n += 1) bytes[at + n] = (value / 2 ** (8 * n)) & 0xff;
    at += size;
  }
  return bytes;
}

/** @typedef {{path: string, bytes: number, open: () => Promise<ReadableStream<Uint8Array>>}} Packed a file in an archive, with the size that the archive claims */

/**
 * The files of an archive.
 * @param {Blob} archive
 * @returns {Promise<Packed[]>}
 */
export async function readZip(archive) {
  const tail = await view(archive, Math.max(0, archive.size - END_BYTES - COMMENT_BYTES), archive.size);
  let at = tail.byteLength - END_BYTES;
  while (at >= 0 && tail.getUint32(at, true) !== END) at -= 1;
  if (at < 0) throw damaged("it has no list of its files");
  const [count, bytes, start] = [tail.getUint16(at + 10, true), tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
  if (count > MOST_FILES || bytes > LIST_BYTES) throw damaged(`it claims ${count} files, more than any model has`);
  if (start + bytes > archive.size) throw damaged("its list of files lies outside");
  const list = await view(archive, start, start + bytes);
  const found = new Map();
  let from = 0;
  for (let n = 0; n < count; n += 1) {
    if (from + 46 > list.byteLength || list.getUint32(from, true) !== CENTRAL) throw damaged("its list of files ends too early");
    const [flags, method] = [list.getUint16(from + 8, true), list.getUint16(from + 10, true)];
    const [packed, size] = [list.getUint32(from + 20, true), list.getUint32(from + 24, true)];
    const [name, extra, comment] = [28, 30, 32].map((place) => list.getUint16(from + place, true));
    const place = list.getUint32(from + 42, true);
    if (from + 46 + name > list.byteLength) throw damaged("its list of files ends too early");
    const path = new TextDecoder().decode(new Uint8Array(list.buffer, list.byteOffset + from + 46, name));
    if (found.has(path)) throw damaged(`the name ${path} stands twice in it`);
    found.set(path, { path, bytes: size, open: () => content(archive, { path, place, packed, size, method, flags }) });
    from += 46 + name + extra + comment;
  }
  return [...found.values()];
}

/** @param {Blob} archive @param {{path: string, place: number, packed: number, size: number, method: number, flags: number}} entry */
async function content(archive, { path, place, packed, size, method, flags }) {
  if (flags & 1) throw damaged(`its file ${path} is encrypted`);
  const head = await view(archive, place, place + 30);
  if (head.byteLength < 30 || head.getUint32(0, true) !== LOCAL) throw damaged(`its file ${path} is not where its list says`);
  const start = place + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const part = archive.slice(start, start + packed);
  if (part.size !== packed || (method === STORED && packed !== size)) throw damaged(`its file ${path} is cut off`);
  if (method === STORED) return part.stream();
  if (method !== DEFLATED) throw damaged(`its file ${path} is packed in a way (${method}) that is not read`);
  return part.stream().pipeThrough(/** @type {any} */ (new DecompressionStream("deflate-raw")));
}

/**
 * The content of a stream that is to have so many bytes.
 * @param {ReadableStream<Uint8Array>} stream
 * @param {number} bytes
 * @returns {Promise<Uint8Array<ArrayBuffer> | null>} null if it has more or fewer; no more than that is ever held
 */
export async function exactly(stream, bytes) {
  const all = new Uint8Array(bytes);
  const reader = stream.getReader();
  let at = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return at === bytes ? all : null;
      if (at + value.length > bytes) return null;
      all.set(value, at);
      at += value.length;
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}

/** @param {Blob} blob @param {number} start @param {number} end */
async function view(blob, start, end) {
  return new DataView(await blob.slice(start, end).arrayBuffer());
}

/** @param {string} reason */
function damaged(reason) {
  return makeError("ModelError", `The archive is damaged: ${reason}. Get a fresh copy.`);
}
