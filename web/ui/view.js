/**
 * Where a picture lies in the viewer: one transform between its pixels and the CSS pixels of the viewer. Everything that is
 * drawn or read there goes through it, so that a point of the picture stays the same pixel however it is zoomed, turned or
 * flipped. (0, 0) is the corner of the first pixel, (0.5, 0.5) its middle. Pure functions.
 */

import { t } from "./texts.js";

/**
 * A turn by quarters and a flip, as a matrix of -1, 0 and 1: the picture's (x, y) goes to (a·x + c·y, b·x + d·y), with y
 * pointing down on both sides.
 * @typedef {readonly [number, number, number, number]} Turn a, b, c, d
 */
/** @typedef {{x: number, y: number}} Point */
/** @typedef {{width: number, height: number}} Size */
/** @typedef {{x: number, y: number, width: number, height: number}} Box */
/**
 * @typedef {object} Picture
 * @property {number} width in pixels
 * @property {number} height
 * @property {Point} pixel width and height of a pixel, the smaller of them 1
 */
/** @typedef {{zoom: number, x: number, y: number, turn: Turn}} Look zoom over "fit", and the shift of the middle in CSS pixels */
/**
 * The box that the picture takes in the viewer, the matrix that leads there as canvases have it, and how many CSS pixels
 * the shorter side of a pixel takes: as it is, and where the picture is fitted.
 * @typedef {Box & {a: number, b: number, c: number, d: number, e: number, f: number, scale: number, fit: number}} Place
 */

/** @type {Turn} */
export const UPRIGHT = [1, 0, 0, 1];
/** Each as seen on the screen. @type {Record<"right" | "left" | "flipH" | "flipV", Turn>} */
export const TURNS = { right: [0, 1, -1, 0], left: [0, -1, 1, 0], flipH: [-1, 0, 0, 1], flipV: [1, 0, 0, -1] };

/** Below this no picture is shown smaller. */
const LEAST_SCALE = 0.01;

/** In words, by the matrix. @type {Record<string, import("./texts.js").Key>} */
const TURN_WORDS = {
  "0,1,-1,0": "turn.right", "-1,0,0,-1": "turn.half", "0,-1,1,0": "turn.left",
  "-1,0,0,1": "turn.flipH", "1,0,0,-1": "turn.flipV",
  "0,1,1,0": "turn.rightFlipH", "0,-1,-1,0": "turn.leftFlipH",
};

/** One turn after another. @param {Turn} turn @param {Turn} then @returns {Turn} */
export function turned([a, b, c, d], [p, q, r, s]) {
  // No negative zeros: they would read differently.
  return /** @type {any} */ ([p * a + r * b, q * a + s * b, p * c + r * d, q * c + s * d].map((value) => value || 0));
}

/** What was done to a picture, in words; "" if nothing. @param {Turn} turn */
export function turnWords(turn) {
  const words = TURN_WORDS[turn.join()];
  return words ? t(words) : "";
}

/** @param {readonly [number, number] | null | undefined} spacingMm between rows and between columns @returns {Point} a pixel's sides, the smaller of them 1 */
export function pixelSides(spacingMm) {
  const [row, column] = spacingMm ?? [1, 1];
  const least = Math.min(row, column);
  return least > 0 && Number.isFinite(row + column) ? { x: column / least, y: row / least } : { x: 1, y: 1 };
}

/**
 * @param {Picture} picture
 * @param {Look} look
 * @param {Size} pane where it is shown
 * @param {number} marginPx left free around a fitted picture
 * @returns {Place}
 */
export function placeOf({ width, height, pixel }, { zoom, x, y, turn }, pane, marginPx) {
  const [w, h] = [(width || 1) * pixel.x, (height || 1) * pixel.y];
  const [across, down] = turn[0] === 0 ? [h, w] : [w, h];
  const fit = Math.max(LEAST_SCALE, Math.min((pane.width - 2 * marginPx) / across, (pane.height - 2 * marginPx) / down));
  const scale = fit * zoom;
  const [a, b, c, d] = [turn[0] * pixel.x * scale, turn[1] * pixel.x * scale, turn[2] * pixel.y * scale, turn[3] * pixel.y * scale];
  const [middleX, middleY] = [pane.width / 2 + x, pane.height / 2 + y];
  return {
    a, b, c, d, e: middleX - (a * width + c * height) / 2, f: middleY - (b * width + d * height) / 2, scale, fit,
    x: middleX - (across * scale) / 2, y: middleY - (down * scale) / 2, width: across * scale, height: down * scale,
  };
}

/** @param {Place} place @param {Point} point of the picture @returns {Point} of the viewer */
export function toViewer({ a, b, c, d, e, f }, { x, y }) {
  return { x: a * x + c * y + e, y: b * x + d * y + f };
}

/** @param {Place} place @param {Point} point of the viewer @returns {Point} of the picture, which may lie outside it */
export function toPicture({ a, b, c, d, e, f }, { x, y }) {
  const size = a * d - b * c;
  const [dx, dy] = [x - e, y - f];
  return { x: (d * dx - c * dy) / size, y: (a * dy - b * dx) / size };
}

/** The pixel at a point of the viewer, or null beside the picture. @param {Place} place @param {Point} point @param {Size} size of the picture @returns {Point | null} */
export function pixelAt(place, point, { width, height }) {
  const at = toPicture(place, point);
  const [x, y] = [Math.floor(at.x), Math.floor(at.y)];
  return x >= 0 && y >= 0 && x < width && y < height ? { x, y } : null;
}

/** The box between two corners. @param {Point} one @param {Point} other @returns {Box} */
export function boxBetween(one, other) {
  return { x: Math.min(one.x, other.x), y: Math.min(one.y, other.y), width: Math.abs(one.x - other.x), height: Math.abs(one.y - other.y) };
}

/** @param {Place} place @param {Box} box of the picture @returns {Box} of the viewer */
export function boxToViewer(place, { x, y, width, height }) {
  return boxBetween(toViewer(place, { x, y }), toViewer(place, { x: x + width, y: y + height }));
}

/** The whole pixels of a picture that a box of the viewer touches. @param {Place} place @param {Box} box @param {Size} size of the picture @returns {Box} */
export function boxInPixels(place, { x, y, width, height }, size) {
  const box = boxBetween(toPicture(place, { x, y }), toPicture(place, { x: x + width, y: y + height }));
  // A corner on a pixel's edge must not take in the next one by a rounding error.
  const [nearX, nearY] = [1e-6 * size.width, 1e-6 * size.height];
  const inside = (value, most) => Math.min(most, Math.max(0, value));
  const left = inside(Math.floor(box.x + nearX), size.width - 1);
  const top = inside(Math.floor(box.y + nearY), size.height - 1);
  const right = Math.max(left + 1, inside(Math.ceil(box.x + box.width - nearX), size.width));
  const bottom = Math.max(top + 1, inside(Math.ceil(box.y + box.height - nearY), size.height));
  return { x: left, y: top, width: right - left, height: bottom - top };
}
