/**
 * What a workspace keeps of a series: its geometry and what the page says of it, so that its slices come back as a stack with
 * their places in mm. Not its files: they name the patient. So no file in the space of the source can be written afterwards.
 * Comes in: a series, or what a file says of one. Goes out: plain values for JSON, or a series without files; null where the
 * file says nothing sound. Pure functions.
 */

/** @typedef {import("./types.d.ts").Series} Series */
/** @typedef {import("../../pkg/index.d.ts").SliceAxis} SliceAxis */
/** @typedef {{axis: SliceAxis, volume: number, index: number}} Slice */

/** More slices, or volumes, than any file has. */
const MOST = 1e6;
const AXES = /** @type {const} */ (["axial", "coronal", "sagittal"]);
const CURVES = ["linear", "exact", "sigmoid", "table"];
/** Of a series, beside its axes and windows; its names only where they are asked for. */
const TEXTS = /** @type {const} */ (["format", "plane", "modality", "bodyPart", "units"]);
const COUNTS = /** @type {const} */ (["frames", "width", "height", "volumes"]);

/** @param {Series} series @param {boolean} names whether the names of its files go in */
export function keptSeries(series, names) {
  const { isPicture, axes, positionsMm, spacingMm, sliceSpacingMm, windows, notes } = series;
  const facts = Object.fromEntries([...TEXTS, ...COUNTS].map((name) => [name, series[name]]));
  return {
    ...facts, isPicture, axes, positionsMm, spacingMm, sliceSpacingMm, notes, ...(names ? { name: series.name, path: series.path } : {}),
    windows: windows.map(({ entries, ...window }) => ({ ...window, ...(entries ? { entries: [...entries] } : {}) })),
  };
}

const isCount = (/** @type {unknown} */ value) => Number.isInteger(value) && Number(value) > 0 && Number(value) <= MOST;
const isNumber = (/** @type {unknown} */ value) => typeof value === "number" && Number.isFinite(value);
const textOr = (/** @type {unknown} */ value) => (typeof value === "string" ? value : null);
const numbersOr = (/** @type {unknown} */ value, /** @type {number} */ count) => (Array.isArray(value) && value.length === count && value.every(isNumber) ? value : null);

/** @param {any} value of the file @param {string} called where the file has no name for it @returns {Series | null} */
export function soundSeries(value, called) {
  if (!value || typeof value !== "object" || !COUNTS.every((name) => isCount(value[name])) || !isCount(value.axes?.axial?.frames)) return null;
  const axes = Object.fromEntries(AXES.flatMap((axis) => {
    const found = value.axes[axis];
    return isCount(found?.frames) ? [[axis, { frames: found.frames, width: Number(found.width), height: Number(found.height), spacingMm: numbersOr(found.spacingMm, 2) }]] : [];
  }));
  const name = textOr(value.name) ?? called;
  const texts = Object.fromEntries(TEXTS.map((one) => [one, textOr(value[one])]));
  const counts = Object.fromEntries(COUNTS.map((one) => [one, value[one]]));
  return /** @type {any} */ ({
    ...texts, ...counts, id: 0, isKept: true, name, path: textOr(value.path) ?? name, format: texts.format ?? "", isPicture: Boolean(value.isPicture), axes,
    positionsMm: numbersOr(value.positionsMm, value.positionsMm?.length), spacingMm: numbersOr(value.spacingMm, 2),
    sliceSpacingMm: isNumber(value.sliceSpacingMm) ? value.sliceSpacingMm : null, windows: listOf(value.windows).flatMap(soundWindow), notes: listOf(value.notes).filter(textOr), files: [],
  });
}

/** @param {unknown} value @returns {any[]} */
const listOf = (value) => (Array.isArray(value) ? value : []);

/** @param {any} window @returns {import("../../pkg/index.d.ts").FileWindow[]} none, or one */
function soundWindow(window) {
  if (!CURVES.includes(window?.curve) || !isNumber(window.center) || !isNumber(window.width)) return [];
  const { curve, center, width, first, entries, top } = window;
  const isTable = isNumber(first) && isNumber(top) && listOf(entries).length > 0 && entries.every(isNumber);
  if (curve === "table" && !isTable) return [];
  return [{ name: textOr(window.name), curve, center, width, ...(curve === "table" ? { first, top, entries: Uint16Array.from(entries) } : {}) }];
}

/** @param {any} slice of the file @param {Series} series @returns {Slice | null} */
export function soundSlice(slice, series) {
  const { axis, volume, index } = slice ?? {};
  const frames = AXES.includes(axis) ? series.axes[/** @type {SliceAxis} */ (axis)]?.frames : undefined;
  const isInside = (/** @type {unknown} */ n, /** @type {number} */ count) => Number.isInteger(n) && Number(n) >= 0 && Number(n) < count;
  return frames && isInside(index, frames) && isInside(volume, series.volumes) ? { axis, volume, index } : null;
}
