/** Distances and areas on a picture, in millimetres where the spacing of its pixels is known, in pixels otherwise. Pure. */

import { numeral, t } from "./texts.js";

/** @typedef {{x: number, y: number}} Point of the picture */
/** @typedef {readonly [number, number] | null | undefined} Spacing between rows and between columns, in mm */

/** @param {Point} from @param {Point} to @param {Spacing} spacingMm @returns {number} in mm or px */
export function distance(from, to, spacingMm) {
  const [row, column] = spacingMm ?? [1, 1];
  return Math.hypot((to.x - from.x) * column, (to.y - from.y) * row);
}

/** Of the ellipse in the box between two corners. @param {Point} from @param {Point} to @param {Spacing} spacingMm @returns {number} in mm² or px² */
export function ellipseArea(from, to, spacingMm) {
  const [row, column] = spacingMm ?? [1, 1];
  return (Math.PI / 4) * Math.abs(to.x - from.x) * column * Math.abs(to.y - from.y) * row;
}

/** @param {import("./types.d.ts").Measure} measure @param {Spacing} spacingMm */
export function measureWords({ kind, from, to }, spacingMm) {
  return kind === "ruler" ? t(spacingMm ? "units.mm" : "units.px", { number: digits(distance(from, to, spacingMm)) }) : areaWords(ellipseArea(from, to, spacingMm), Boolean(spacingMm));
}

/** @param {number} area @param {boolean} isMm */
export function areaWords(area, isMm) {
  return t(isMm ? "units.mm2" : "units.px", { number: digits(area) });
}

/** Three digits that count, no more than one after the point for large ones. @param {number} value */
function digits(value) {
  return value >= 100 ? numeral(Math.round(value)) : numeral(value, value >= 10 ? 1 : 2);
}
