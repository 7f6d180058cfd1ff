/** What images are called on the page: their labels and names are kept in English, for what is saved. Pure functions. */

import { inEnglish, pageLanguage, t } from "./texts.js";

/** @type {Record<import("../../pkg/index.d.ts").SliceAxis, import("./texts.js").Key>} */
export const AXES = { axial: "slice.axial", coronal: "slice.coronal", sagittal: "slice.sagittal" };

/** Which slice of its series it is. @param {import("../../pkg/index.d.ts").SeriesInfo | null | undefined} series @param {NonNullable<import("./types.d.ts").ImageItem["slice"]>} slice @param {import("./texts.js").Say} [say] */
export function whichSlice(series, { axis, volume, index }, say = t) {
  return [(series?.volumes ?? 1) > 1 ? say("slice.volume", { number: volume + 1 }) : "", axis === "axial" ? "" : say(AXES[axis]), say("slice.slice", { number: index + 1 })].filter(Boolean).join(", ");
}

/** "Image 3" in the language of the page: labels are kept in English, for what is saved. @param {import("./types.d.ts").ImageItem} item */
export function shownLabel({ label, number, stack, series, slice }) {
  if (pageLanguage() === "en") return label;
  return [t("image.label", { number }), stack && slice ? whichSlice(series, slice) : ""].filter(Boolean).join(", ");
}

/** The name of a slice ends with its number, in English, for what is saved; here in the language of the page. @param {Pick<import("./types.d.ts").ImageItem, "series" | "slice">} item @param {string} name of it, or its path */
export function shownName({ series, slice }, name) {
  if (!slice || pageLanguage() === "en") return name;
  const index = inEnglish("slice.slice", { number: slice.index + 1 });
  for (const [words, shown] of [[whichSlice(series, slice, inEnglish), whichSlice(series, slice)], [index, t("slice.slice", { number: slice.index + 1 })]]) {
    if (name.endsWith(words)) return name.slice(0, -words.length) + shown;
  }
  return name;
}
