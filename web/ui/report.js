/**
 * The report: every analysed image with raw values and the settings they belong to, and every image that has none with the
 * reason. Pure function of the state.
 */

import { dataOf } from "./made-with.js";
import { isStale, madeWith, shareAbove, thresholdFor } from "./results.js";
import { readScore } from "./reading.js";
import { scaleName } from "./scale.js";
import { inEnglish } from "./texts.js";

/**
 * @param {import("./types.d.ts").State} state
 * @param {boolean} names whether file names, with their folders, go in
 */
export function makeReport(state, names) {
  const { info, settings, images } = state;
  const analysed = images.filter((item) => item.result);
  const unreadable = images.filter((item) => !item.result && item.status === "error");
  const waiting = images.filter((item) => !item.result && item.status !== "error");
  const called = (item) => ({ label: item.label, ...sliceOf(state, item), ...(names ? { fileName: item.path } : {}) });
  return {
    report: "MVFA Web",
    format: 1,
    purpose: "For research and teaching. Not a medical device. A score is not a diagnosis.",
    created: new Date().toISOString(),
    model: info && { name: info.name, revision: info.revision, licence: info.licence, intendedUse: info.intendedUse, sizePx: info.sizePx },
    device: info && { ...info.device },
    counts: { images: images.length, analysed: analysed.length, unreadable: unreadable.length, notAnalysed: waiting.length },
    images: analysed.map((item) => ({ ...called(item), ...describe(state, item) })),
    unreadable: unreadable.map((item) => ({ ...called(item), reason: item.message })),
    notAnalysed: waiting.map(called),
    normalImages: state.support.map((item, index) => ({ label: inEnglish("image.normal", { number: index + 1 }), ...(names ? { fileName: item.name } : {}) })),
    view: { colourMap: settings.colourMap, opacity: settings.opacity },
  };
}

/** Which slice of its series it is, for those that are one. @param {import("./types.d.ts").State} state @param {import("./types.d.ts").ImageItem} item */
function sliceOf({ stacks }, { stack, slice, modality, spacingMm }) {
  const series = stacks.find(({ id }) => id === stack)?.series;
  if (!slice || !series) return modality ? { modality, spacingMm } : {};
  const positionMm = slice.axis === "axial" ? series.positionsMm?.[slice.volume * series.axes.axial.frames + slice.index] : undefined;
  return { slice: slice.index + 1, ...(slice.axis === "axial" ? {} : { axis: slice.axis }), ...(series.volumes > 1 ? { volume: slice.volume + 1 } : {}), ...(positionMm === undefined ? {} : { positionMm }), modality, spacingMm };
}

/** @param {import("./types.d.ts").State} state @param {import("./types.d.ts").ImageItem} item */
function describe(state, item) {
  const result = /** @type {import("../../pkg/index.d.ts").Result} */ (item.result);
  const threshold = thresholdFor(state, item);
  const made = madeWith(item);
  const { score, reading, range, warnings } = readScore(state, item, inEnglish);
  return {
    ...(item.synthetic ? { synthetic: "a phantom drawn by a program, no patient" } : {}),
    width: item.width,
    height: item.height,
    ...dataOf(state, made),
    ...(made.window ? { windowShown: item.shown } : {}),
    // The page shows none if it would mislead, and neither does the report.
    score,
    calibrated: result.mode === "few" && score !== null ? result.calibrated : null,
    scoreZero: result.scoreZero,
    scoreMemory: result.scoreMemory,
    normalScores: result.supportScores,
    reading: range ? `${reading}. ${range}` : reading,
    warnings: warnings.map(({ text }) => text),
    map: {
      values: scaleName(result.mode, inEnglish), min: result.mapMin, max: result.mapMax, size: result.size, threshold,
      shareAboveThreshold: threshold === null ? null : shareAbove(item, threshold),
      ...(threshold === null ? { outline: "none: there is no range of normal images for the map, and no threshold was set" } : {}),
    },
    device: result.device,
    timings: { ...result.timings },
    madeWithOlderSettings: isStale(state, item),
  };
}
