/** Grey values through a window to pixels that a canvas takes. Pure functions, fast enough to follow a dragging hand. */

/**
 * Grey values that become black and white; `curve`: they do so along no straight line.
 * @typedef {{low: number, high: number, curve?: Curve}} Range
 */
/** A window that a file proposes. @typedef {Partial<import("../../pkg/index.d.ts").FileWindow> & {center: number, width: number}} Window */
/** One that is no straight line. @typedef {Window & {curve: "sigmoid" | "table"}} Curve */

/** Opaque greys 0 to 255 as a little-endian machine keeps RGBA, which every machine with a browser is. */
const GREYS = Uint32Array.from({ length: 256 }, (_, grey) => ((255 << 24) | (grey << 16) | (grey << 8) | grey) >>> 0);

/**
 * Values with a meaning, as the engine's linear windows show them: what is no number becomes black.
 * @param {Float32Array} values
 * @param {Range} range
 * @param {Uint32Array} out as many RGBA pixels
 * @param {boolean} [isInverted] low values are bright
 */
export function windowValues(values, { low, high, curve }, out, isInverted = false) {
  const width = high - low;
  const greys = isInverted ? GREYS.slice().reverse() : GREYS;
  if (curve) {
    const level = levelOf(curve);
    for (let i = 0; i < values.length; i += 1) {
      // As the engine has it: inverted, what lies outside the picture stays black.
      out[i] = isInverted && Number.isNaN(values[i]) ? GREYS[0] : greys[Math.round(level(values[i]) * 255)];
    }
    return;
  }
  for (let i = 0; i < values.length; i += 1) {
    // In this order, as the engine has it: a product with 255 / width rounds otherwise.
    const grey = ((values[i] - low) / width) * 255 + 0.5;
    out[i] = grey >= 255 ? greys[255] : grey > 0 ? greys[grey | 0] : grey <= 0 ? greys[0] : GREYS[0];
  }
}

/**
 * Pixels of 8 bits, each colour by itself.
 * @param {Uint8ClampedArray} rgba
 * @param {Range} range
 * @param {Uint8ClampedArray} out as many RGBA pixels
 */
export function windowPixels(rgba, { low, high }, out) {
  const table = Uint8ClampedArray.from({ length: 256 }, (_, value) => ((value - low) / (high - low)) * 255);
  for (let i = 0; i < rgba.length; i += 4) {
    out[i] = table[rgba[i]];
    out[i + 1] = table[rgba[i + 1]];
    out[i + 2] = table[rgba[i + 2]];
    out[i + 3] = rgba[i + 3];
  }
}

/** Lowest and highest number among values. @param {ArrayLike<number>} values @returns {Range} */
export function spanOf(values) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i += 1) {
    if (values[i] < low) low = values[i];
    if (values[i] > high && values[i] < Infinity) high = values[i];
  }
  if (!(low > -Infinity && low < Infinity)) low = 0;
  return high > low ? { low, high } : { low, high: low + 1 };
}

/** Brightness 0 to 1 of a value along a curve (PS3.3, C.11.2.1.3.1 and C.11.1). @param {Curve} curve @returns {(value: number) => number} */
function levelOf({ curve, center, width, first = 0, entries = new Uint16Array(1), top = 1 }) {
  const last = entries.length - 1;
  // What is no number takes the first entry, or black.
  if (curve === "table") return (value) => Math.min(1, entries[Math.min(last, Math.max(0, Math.round(value) - first)) || 0] / top);
  return (value) => 1 / (1 + Math.exp((-4 * (value - center)) / width)) || 0;
}

/** DICOM's straight line is no wider than this where it says 1, a threshold. */
const NARROWEST = 1e-3;

/** @param {Window} window @returns {Range} */
export function rangeOf(window) {
  const { center, width, curve } = window;
  if (curve === "linear") {
    const half = Math.max(NARROWEST, width - 1) / 2;
    return { low: center - 0.5 - half, high: center - 0.5 + half };
  }
  const range = { low: center - width / 2, high: center + width / 2 };
  return curve === "sigmoid" || curve === "table" ? { ...range, curve: /** @type {Curve} */ (window) } : range;
}

/** @param {Range} range */
export function windowOf({ low, high }) {
  return { center: (low + high) / 2, width: high - low };
}

/** Whether two windows look the same. @param {Range} one @param {Range} other */
export function isSameRange(one, other) {
  // Two tables of the same inputs may differ.
  if (one.curve?.curve !== other.curve?.curve || one.curve?.entries !== other.curve?.entries) return false;
  const near = Math.max(Math.abs(one.high - one.low), Math.abs(other.high - other.low)) * 1e-3;
  return Math.abs(one.low - other.low) <= near && Math.abs(one.high - other.high) <= near;
}

/**
 * A window moved by a drag, as in other viewers: to the right wider, down to higher values.
 * @param {Range} range @param {number} dx CSS pixels @param {number} dy
 * @param {number} perPx grey values for a pixel @returns {Range}
 */
export function dragged(range, dx, dy, perPx) {
  const { center, width } = windowOf(range);
  return rangeOf({ center: center + dy * perPx, width: Math.max(perPx / 4, width + dx * perPx) });
}
