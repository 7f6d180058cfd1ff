/**
 * The picture as it is drawn: as the engine made it, or through another window, for which deep pictures need their values.
 * And the value of a pixel. One windowed picture is kept.
 */

import { numeral, t } from "./texts.js";
import { isSameRange, rangeOf, spanOf, windowPixels, windowValues } from "./windowing.js";

/** @typedef {import("./types.d.ts").ImageItem} ImageItem */
/** @typedef {import("./windowing.js").Range} Range */

const EIGHT_BITS = { low: 0, high: 255 };

/** Whether it can be shown through another window. @param {ImageItem | null} item */
export function canWindow(item) {
  return Boolean(item?.bitmap && (item.values || !item.deep));
}

/** The grey values that are analysed as black and white; null where the engine names none. @param {ImageItem} item @returns {Range | null} */
export function analysedRange(item) {
  return item.deep ? item.shown ?? ownCurve(item) : EIGHT_BITS;
}

/** The curve that the file proposes first, where the picture was made along it. @param {ImageItem} item @returns {Range | null} */
function ownCurve({ windows, decodedWindow }) {
  const range = decodedWindow === "auto" && windows?.[0] ? rangeOf(windows[0]) : null;
  return range?.curve ? range : null;
}

/** @type {WeakMap<Float32Array, Range>} */
const spans = new WeakMap();

/** All grey values there are. @param {ImageItem} item @returns {Range} */
export function fullRange(item) {
  if (!item.values) return EIGHT_BITS;
  let span = spans.get(item.values);
  if (!span) spans.set(item.values, (span = spanOf(item.values)));
  return span;
}

/** What is shown as black and white, while the viewer has no other window for it. @param {ImageItem} item @returns {Range} */
export function plainRange(item) {
  return analysedRange(item) ?? fullRange(item);
}

/** The window of display if it is another one than analysed. @param {ImageItem} item @param {Range | null} wanted @returns {Range | null} */
export function otherRange(item, wanted) {
  return wanted && canWindow(item) && !isSameRange(wanted, plainRange(item)) ? wanted : null;
}

export function createDisplay() {
  /** @type {{bitmap: ImageBitmap, source: Float32Array | Uint8ClampedArray, range: Range | null, canvas: HTMLCanvasElement, pixels: ImageData} | null} */
  let kept = null;
  const probe = make(1, 1);

  /** @param {ImageItem} item with its bitmap @param {Range | null} wanted @returns {CanvasImageSource} */
  function of(item, wanted) {
    const bitmap = /** @type {ImageBitmap} */ (item.bitmap);
    const range = otherRange(item, wanted);
    if (!range) {
      if (kept?.bitmap !== bitmap) kept = null;
      return bitmap;
    }
    if (kept?.bitmap !== bitmap || (item.values && kept.source !== item.values)) kept = prepare(item, bitmap);
    if (kept.range?.low !== range.low || kept.range.high !== range.high || kept.range.curve !== range.curve) {
      kept.range = range;
      if (kept.source instanceof Float32Array) windowValues(kept.source, range, new Uint32Array(kept.pixels.data.buffer), item.inverted);
      else windowPixels(kept.source, range, kept.pixels.data);
      context(kept.canvas).putImageData(kept.pixels, 0, 0);
    }
    return kept.canvas;
  }

  /** @param {ImageItem} item @param {ImageBitmap} bitmap @returns {NonNullable<typeof kept>} */
  function prepare({ values, width, height }, bitmap) {
    const canvas = make(width, height);
    let source = /** @type {Float32Array | Uint8ClampedArray | null | undefined} */ (values);
    if (!source) {
      context(canvas).drawImage(bitmap, 0, 0);
      source = context(canvas).getImageData(0, 0, width, height).data;
    }
    return { bitmap, source, range: null, canvas, pixels: new ImageData(width, height) };
  }

  /** What a pixel holds, in words; "" where that is not known. @param {ImageItem} item with its bitmap @param {{x: number, y: number}} at */
  function valueAt({ values, units, deep, width, bitmap }, { x, y }) {
    if (values) {
      const value = values[y * width + x];
      const text = Number.isFinite(value) ? numeral(Number(value.toFixed(Math.abs(value) < 10 ? 3 : 1))) : t("viewer.noValue");
      return units ? `${text} ${units}` : t("viewer.value", { value: text });
    }
    // What is shown of a deep picture is not its value.
    if (deep || !bitmap) return "";
    context(probe).drawImage(bitmap, x, y, 1, 1, 0, 0, 1, 1);
    const [red, green, blue] = context(probe).getImageData(0, 0, 1, 1).data;
    return red === green && green === blue ? t("viewer.grey", { value: red }) : t("viewer.rgb", { red, green, blue });
  }

  return { of, valueAt };
}

/** @param {number} width @param {number} height */
function make(width, height) {
  const canvas = document.createElement("canvas");
  return Object.assign(canvas, { width, height });
}

/** @param {HTMLCanvasElement} canvas */
function context(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
}
