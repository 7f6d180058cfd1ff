/**
 * What a series is, in words that tell it from others and nobody's identity: modality, body part, plane, size, number of slices.
 * Descriptions that people type into a scanner are left out: they may hold names. Pure functions.
 */

import { AXES } from "./labels.js";
import { t } from "./texts.js";

/** @typedef {import("../../pkg/index.d.ts").SeriesInfo} SeriesInfo */

/** As DICOM abbreviates them; anything longer was typed by a person. */
const CODE = /^[A-Z][A-Z0-9 _-]{0,15}$/;

/** "CT, head, axial, 512 × 512". @param {SeriesInfo} series @param {import("./texts.js").Say} [say] */
export function kindOf({ modality, bodyPart, plane, width, height }, say = t) {
  const part = bodyPart && CODE.test(bodyPart) ? bodyPart.toLowerCase() : "";
  const axis = plane && Object.hasOwn(AXES, plane) ? say(AXES[/** @type {keyof typeof AXES} */ (plane)]) : plane ?? "";
  return [modality, part, axis, say("slice.size", { width, height })].filter(Boolean).join(", ");
}

/** With its slices: "CT, axial, 512 × 512, 23 slices". @param {SeriesInfo} series @param {import("./texts.js").Say} [say] */
export function kindWithSlices(series, say = t) {
  const { frames } = series.axes.axial;
  return [kindOf(series, say), frames > 1 ? say("strip.slices", { count: frames }) : "", series.volumes > 1 ? say("slice.volumes", { count: series.volumes }) : ""].filter(Boolean).join(", ");
}

/** Place of an image along its series' normal in mm; null where that is not known. @param {Pick<import("./types.d.ts").ImageItem, "series" | "slice">} item */
export function positionOf({ series, slice }) {
  if (!series?.positionsMm || (slice && slice.axis !== "axial")) return null;
  const { volume, index } = slice ?? { volume: 0, index: 0 };
  return series.positionsMm[volume * series.axes.axial.frames + index] ?? null;
}
