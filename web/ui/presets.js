/** Windows to choose from: the picture's own, and the usual ones of computed tomography, which need Hounsfield units. */

import { t } from "./texts.js";

/** In the order and with the numbers that other viewers have; the keys 1 to 9. @type {{name: import("./texts.js").Key, center: number, width: number}[]} */
export const CT_WINDOWS = [
  { name: "presets.softTissue", center: 40, width: 400 }, { name: "presets.lung", center: -600, width: 1500 }, { name: "presets.liver", center: 90, width: 150 },
  { name: "presets.bone", center: 480, width: 2500 }, { name: "presets.brain", center: 40, width: 80 }, { name: "presets.mediastinum", center: 50, width: 350 },
  { name: "presets.stroke", center: 40, width: 40 }, { name: "presets.subdural", center: 75, width: 215 }, { name: "presets.temporalBone", center: 600, width: 2800 },
];

/** @typedef {Partial<import("../../pkg/index.d.ts").FileWindow> & {name: string, center: number, width: number}} NamedWindow */

/** @param {import("./types.d.ts").ImageItem} item @returns {{of: string, windows: NamedWindow[]}[]} groups that are not empty */
export function windowsFor(item) {
  const own = (item.windows ?? []).map((window, n) => ({ ...window, name: window.name || t(window.curve === "table" ? "presets.table" : "presets.window", { number: n + 1 }) }));
  return [{ of: t("presets.file"), windows: own }, { of: "CT", windows: item.units === "HU" ? CT_WINDOWS.map((window) => ({ ...window, name: t(window.name) })) : [] }].filter(({ windows }) => windows.length > 0);
}
