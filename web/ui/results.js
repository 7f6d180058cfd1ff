/** What a result belongs to, and what follows from it: staleness, colour range, default threshold. Pure functions. */

/** @typedef {import("./types.d.ts").State} State */
/** @typedef {import("./types.d.ts").ImageItem} ImageItem */

/**
 * The settings a result made now would belong to.
 * @param {State} state
 * @param {ImageItem} item
 */
function settingsFor(state, item) {
  const { object, mode, augment, bankRows } = state.settings;
  const few = mode === "few";
  return {
    model: state.info?.name,
    revision: state.info?.revision,
    object,
    mode,
    augment: few ? augment : "",
    bankRows: few ? bankRows : null,
    normals: few ? state.support.map((support) => support.id) : [],
    window: item.deep ? windowFor(state) : "",
    leaveOut: boxesFor(state, item),
  };
}

/** The window that deep images are seen through now, as the package takes it. @param {State} state */
export function windowFor({ settings: { window, mode }, shared }) {
  return window === "auto" && mode === "few" && shared ? shared.window : window;
}

/** The window of an image in words. @param {State} state @param {import("../../pkg/index.d.ts").ShownWindow} shown */
export function windowWords(state, { text }) {
  const from = windowFor(state) !== state.settings.window ? " The same for all images, taken from your normal images." : "";
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.${from}`;
}

/** @param {{width: number, height: number}} size */
export function sizeOf({ width, height }) {
  return `${width}x${height}`;
}

/** The regions left out of an image: those of its size. @param {State} state @param {ImageItem} item */
export function regionsFor(state, item) {
  return (state.regions ?? []).filter(({ of }) => of === sizeOf(item));
}

/** The same as the package takes them. @param {State} state @param {ImageItem} item */
export function boxesFor(state, item) {
  return regionsFor(state, item).map(({ x, y, width, height }) => ({ x, y, width, height }));
}

/** The same as one text, to compare. @param {State} state @param {ImageItem} item */
export function keyFor(state, item) {
  return JSON.stringify(settingsFor(state, item));
}

/** The settings the result there is was made with. @param {ImageItem} item @returns {ReturnType<typeof settingsFor>} */
export function madeWith(item) {
  return JSON.parse(item.resultKey);
}

/** @param {State} state @param {ImageItem} item */
export function isStale(state, item) {
  return item.result !== null && item.resultKey !== keyFor(state, item);
}

/** Analysed with the settings as they are now. @param {State} state @param {ImageItem} item */
export function isUpToDate(state, item) {
  return item.result !== null && item.resultKey === keyFor(state, item);
}

/** The engine's map that is shown. @param {State} state @param {ImageItem} item */
function limits(state, item) {
  const { result } = item;
  if (!result) return { lo: 0, hi: 1 };
  let lo = Infinity;
  let hi = -Infinity;
  for (const value of result.overlay) {
    if (value < lo) lo = value;
    if (value > hi) hi = value;
  }
  // The score is a value of the other map, whose peak can be a little higher: the scale holds both.
  return { lo, hi: Math.max(hi, result.mapMax, normalTop(state, item) ?? hi) };
}

/** @type {WeakMap<object, {lo: number, hi: number}>} */
const limitsCache = new WeakMap();

/** @param {State} state @param {ImageItem} item */
function cachedLimits(state, item) {
  const key = /** @type {object} */ (item.result);
  let found = limitsCache.get(key);
  if (!found) limitsCache.set(key, (found = limits(state, item)));
  return found;
}

/**
 * The highest score among the normal images, where it can be compared with the map: the score of objects of the kind
 * "segmentation" is the map's maximum. That of the kind "detection" is its mean, which says nothing about single places;
 * words have no normal images, and one normal image has no other to be compared with.
 * @param {State} state
 * @param {ImageItem} item
 * @returns {number | null}
 */
export function normalTop(state, item) {
  const { result } = item;
  if (result?.mode !== "few" || !result.supportScores || result.supportScores.length < 2) return null;
  return kindOf(state, result.object) === "segmentation" ? Math.max(...result.supportScores) : null;
}

/** @param {State} state @param {string} object an id @returns {"segmentation" | "detection" | null} */
export function kindOf(state, object) {
  return state.info?.objects.find(({ id }) => id === object)?.kind ?? null;
}

/**
 * Values at the ends of the colour scale.
 * @param {State} state
 * @param {ImageItem} item with a result
 */
export function colourRange(state, item) {
  const own = cachedLimits(state, item);
  const others = state.settings.sharedScale
    ? state.images.filter((other) => other.result && other.resultKey === item.resultKey).map((other) => cachedLimits(state, other))
    : [];
  const lo = Math.min(own.lo, ...others.map((range) => range.lo));
  const hi = Math.max(own.hi, ...others.map((range) => range.hi));
  return hi > lo ? { lo, hi } : { lo, hi: lo + 1 };
}

/**
 * The threshold in force: the person's, else the top of the normal images. Null if neither is there: any threshold
 * taken from the map itself would outline something in every image, whatever it shows.
 * @param {State} state
 * @param {ImageItem} item with a result
 * @returns {number | null}
 */
export function thresholdFor(state, item) {
  return state.settings.threshold ?? normalTop(state, item);
}

/** Share of the map at or above a value. @param {ImageItem} item with a result @param {number} value */
export function shareAbove(item, value) {
  const { overlay } = /** @type {import("../../pkg/index.d.ts").Result} */ (item.result);
  let above = 0;
  for (const one of overlay) if (one >= value) above += 1;
  return above / overlay.length;
}
