/** The report: every analysed picture with raw values and the settings they belong to. Pure function of the state. */

import { isStale, keyFor, thresholdFor } from "./results.js";
import { readScore } from "./reading.js";

/**
 * @param {import("./types.d.ts").State} state
 * @param {boolean} names whether file names go in
 */
export function makeReport(state, names) {
  const { info, settings } = state;
  return {
    report: "MVFA Web",
    format: 1,
    purpose: "For research and teaching. Not a medical device. A score is not a diagnosis.",
    created: new Date().toISOString(),
    model: info && { name: info.name, revision: info.revision, licence: info.licence, intendedUse: info.intendedUse, sizePx: info.sizePx },
    device: info && { ...info.device },
    images: state.images.filter((item) => item.result).map((item) => describe(state, item, names)),
    normalImages: state.support.map((item, index) => ({ label: `Normal image ${index + 1}`, ...(names ? { fileName: item.name } : {}) })),
    view: { colourMap: settings.colourMap, opacity: settings.opacity },
  };
}

/** @param {import("./types.d.ts").State} state @param {import("./types.d.ts").ImageItem} item @param {boolean} names */
function describe(state, item, names) {
  const result = /** @type {import("../../pkg/index.d.ts").Result} */ (item.result);
  const threshold = thresholdFor(state, item);
  let above = 0;
  for (const value of result.overlay) if (value >= threshold) above += 1;
  const [, , , , augment, bankRows, , window] = JSON.parse(item.resultKey || keyFor(state, item));
  const { reading, range } = readScore(result);
  return {
    label: item.label,
    ...(item.synthetic ? { synthetic: "a phantom drawn by a program, no patient" } : {}),
    ...(names ? { fileName: item.name } : {}),
    width: item.width,
    height: item.height,
    object: result.object,
    mode: result.mode,
    ...(augment ? { augment, bankRows: bankRows ?? "all" } : {}),
    ...(window ? { window } : {}),
    score: result.score,
    calibrated: result.calibrated,
    scoreZero: result.scoreZero,
    scoreMemory: result.scoreMemory,
    normalScores: result.supportScores,
    reading: range ? `${reading}. ${range}` : reading,
    map: { min: result.mapMin, max: result.mapMax, size: result.size, threshold, shareAboveThreshold: above / result.overlay.length },
    device: result.device,
    timings: { ...result.timings },
    madeWithOlderSettings: isStale(state, item),
  };
}
