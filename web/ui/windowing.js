/** Grey values through a window to pixels that a canvas takes. Pure functions, fast enough to follow a dragging hand. */

/** @typedef {{low: number, high: number}} Range grey values that become black and white */

/** Opaque greys 0 to 255 as a little-endian machine keeps RGBA, which every machine with a browser is. */
const GREYS = Uint32Array.from({ length: 256 }, (_, grey) => ((255 << 24) | (grey << 16) | (grey << 8) | grey) >>> 0);

/**
 * Values with a meaning, as the engine's linear windows show them: what is no number becomes black.
 * @param {Float32Array} values
 * @param {Range} range
 * @param {Uint32Array} out as many RGBA pixels
 * @param {boolean} [isInverted] low values are bright
 */
export function windowValues(values, { low, high }, out, isInverted = false) {
  const width = high - low;
  const greys = isInverted ? GREYS.slice().reverse() : GREYS;
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

/** @param {{center: number, width: number}} window @returns {Range} */
export function rangeOf({ center, width }) {
  return { low: center - width / 2, high: center + width / 2 };
}

/** @param {Range} range */
export function windowOf({ low, high }) {
  return { center: (low + high) / 2, width: high - low };
}

/** Whether two windows look the same. @param {Range} one @param {Range} other */
export function isSameRange(one, other) {
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
