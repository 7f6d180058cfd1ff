/** Windows to choose from: the picture's own, and the usual ones of computed tomography, which need Hounsfield units. */

/** In the order and with the numbers that other viewers have; the keys 1 to 9. */
export const CT_WINDOWS = [
  { name: "Soft tissue", center: 40, width: 400 }, { name: "Lung", center: -600, width: 1500 }, { name: "Liver", center: 90, width: 150 },
  { name: "Bone", center: 480, width: 2500 }, { name: "Brain", center: 40, width: 80 }, { name: "Mediastinum", center: 50, width: 350 },
  { name: "Stroke", center: 40, width: 40 }, { name: "Subdural", center: 75, width: 215 }, { name: "Temporal bone", center: 600, width: 2800 },
];

/** @typedef {Partial<import("../../pkg/index.d.ts").FileWindow> & {name: string, center: number, width: number}} NamedWindow */

/** @param {import("./types.d.ts").ImageItem} item @returns {{of: string, windows: NamedWindow[]}[]} groups that are not empty */
export function windowsFor(item) {
  const own = (item.windows ?? []).map((window, n) => ({ ...window, name: window.name || `${window.curve === "table" ? "Table" : "Window"} ${n + 1}` }));
  return [{ of: "From the file", windows: own }, { of: "CT", windows: item.units === "HU" ? CT_WINDOWS : [] }].filter(({ windows }) => windows.length > 0);
}
