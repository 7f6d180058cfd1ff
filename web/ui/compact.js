/**
 * Results in little memory. A map of 240 × 240 numbers takes 230 kB, and a result has two: of a thousand images that would be
 * half a gigabyte. Maps are smooth, so each number is kept as how far it is off from what its neighbours foretell: exactly the
 * same numbers come back, out of a quarter of the bytes. The maps used last are at hand as they were.
 */

/** @typedef {import("../../pkg/index.d.ts").Result} Result */
/** @typedef {{overlay: Float32Array, map: Float32Array, shown?: Float32Array}} Maps */

/** Results whose maps are at hand. */
const AT_HAND = 24;
/** The one used last comes last. @type {Map<object, Maps>} */
const atHand = new Map();
/** @type {WeakMap<object, () => Maps>} */
const packed = new WeakMap();
/** @type {WeakMap<object, {overlay: Limits, map: Limits}>} */
const limits = new WeakMap();

/** Lowest and highest number. @typedef {{lo: number, hi: number}} Limits */

/** The same result with its maps packed; `overlay` and `map` are unpacked where they are asked for. @param {Result} result @returns {Result} */
export function compacted({ overlay, map, ...rest }) {
  const kept = { overlay: pack(overlay, rest.size), map: pack(map, rest.size) };
  const result = /** @type {any} */ (rest);
  packed.set(result, () => ({ overlay: kept.overlay(), map: kept.map() }));
  for (const name of /** @type {("overlay" | "map")[]} */ (["overlay", "map"])) {
    Object.defineProperty(result, name, { enumerable: true, get: () => mapsOf(result)[name] });
  }
  remember(result, { overlay, map });
  limitsOf(result);
  return result;
}

/** @param {object} result @param {Maps} maps */
function remember(result, maps) {
  atHand.delete(result);
  atHand.set(result, maps);
  for (const oldest of [...atHand.keys()].slice(0, Math.max(0, atHand.size - AT_HAND))) atHand.delete(oldest);
  return maps;
}

/** @param {Result} result @returns {Maps} the same arrays as long as they are at hand */
function mapsOf(result) {
  const unpack = packed.get(result);
  return remember(result, atHand.get(result) ?? (unpack ? unpack() : { overlay: result.overlay, map: result.map }));
}

/** The map of the published method, to be shown: places that are left out have no number, and take the lowest. @param {Result} result @returns {Float32Array} */
export function shownMap(result) {
  const maps = mapsOf(result);
  maps.shown ??= maps.map.some(Number.isNaN) ? maps.map.map((value) => (Number.isNaN(value) ? limitsOf(result).map.lo : value)) : maps.map;
  return maps.shown;
}

/** Between which numbers the maps lie, without unpacking them. @param {Result} result */
export function limitsOf(result) {
  let found = limits.get(result);
  if (!found) limits.set(result, (found = { overlay: span(result.overlay), map: span(result.map) }));
  return found;
}

/** @param {Float32Array} values @returns {Limits} */
export function span(values) {
  let [lo, hi] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i += 1) {
    if (values[i] < lo) lo = values[i];
    if (values[i] > hi) hi = values[i];
  }
  return { lo, hi };
}

// Half bytes: up to LITERAL a number itself, then of how many half bytes it is.
const LITERAL = 12;
const [SHORT, MIDDLE, LONG] = [13, 14, 15];
const LENGTH = Uint8Array.from({ length: 16 }, (_, kind) => ({ [SHORT]: 2, [MIDDLE]: 4, [LONG]: 8 })[kind] ?? 0);
/** A number takes at most its sign of length and eight half bytes. */
const MOST_HALVES = 9;

/** Numbers in the order of their bits, so that neighbouring floats differ by little. @param {number} bits */
const ordered = (bits) => (bits < 0 ? bits ^ 0x7fffffff : bits);

/**
 * @param {Float32Array} values row after row
 * @param {number} width of a row
 * @returns {(() => Float32Array) & {bytes: number}} gives them back, bit by bit; of how many bytes
 */
export function pack(values, width) {
  const { length } = values;
  const numbers = new Int32Array(values.buffer, values.byteOffset, length).map(ordered);
  const halves = new Uint8Array(Math.ceil((length * MOST_HALVES) / 2));
  let at = 0;
  let before = 0;
  for (let i = 0, x = 0; i < length; i += 1) {
    const off = (numbers[i] - foretold(numbers, i, x, width)) | 0;
    const change = (off - before) | 0;
    before = off;
    x = x + 1 === width ? 0 : x + 1;
    // Signs in the last bit.
    let code = ((change << 1) ^ (change >> 31)) >>> 0;
    let rest = 0;
    if (code > LITERAL) {
      rest = code < 0x100 ? SHORT : code < 0x10000 ? MIDDLE : LONG;
      halves[at >> 1] |= rest << ((at & 1) << 2);
      at += 1;
      rest = LENGTH[rest] - 1;
    }
    for (; rest >= 0; rest -= 1, at += 1, code >>>= 4) halves[at >> 1] |= (code & 15) << ((at & 1) << 2);
  }
  const bytes = halves.slice(0, (at + 1) >> 1);
  return Object.assign(() => unpacked(bytes, length, width), { bytes: bytes.length });
}

/** @param {Uint8Array} halves @param {number} length @param {number} width @returns {Float32Array} */
function unpacked(halves, length, width) {
  const numbers = new Int32Array(length);
  let at = 0;
  let before = 0;
  for (let i = 0, x = 0; i < length; i += 1) {
    let code = (halves[at >> 1] >> ((at & 1) << 2)) & 15;
    at += 1;
    if (code > LITERAL) {
      const count = LENGTH[code];
      code = 0;
      for (let n = 0; n < count; n += 1, at += 1) code |= ((halves[at >> 1] >> ((at & 1) << 2)) & 15) << (4 * n);
    }
    // What its neighbours miss changes as little as they do.
    before = (before + ((code >>> 1) ^ -(code & 1))) | 0;
    numbers[i] = (before + foretold(numbers, i, x, width)) | 0;
    x = x + 1 === width ? 0 : x + 1;
  }
  for (let i = 0; i < length; i += 1) numbers[i] = ordered(numbers[i]);
  return new Float32Array(numbers.buffer);
}

/** What the neighbours before it say of a number: that it continues the plane through them. @param {Int32Array} numbers @param {number} i @param {number} x its place in its row @param {number} width */
function foretold(numbers, i, x, width) {
  if (x === 0) return i < width ? 0 : numbers[i - width];
  return i < width ? numbers[i - 1] : (numbers[i - 1] + numbers[i - width] - numbers[i - width - 1]) | 0;
}
