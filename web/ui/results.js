/** What a result belongs to, and what follows from it: staleness, colour range, default threshold. Pure functions. */

/** @typedef {import("./types.d.ts").State} State */
/** @typedef {import("./types.d.ts").ImageItem} ImageItem */

/** Share of the map left uncovered where nothing better is known. */
const QUIET_SHARE = 0.97;

/**
 * The settings a result made now would belong to.
 * @param {State} state
 * @param {ImageItem} item
 */
export function keyFor(state, item) {
  const { object, mode, augment, bankRows, window } = state.settings;
  const few = mode === "few";
  return JSON.stringify([
    state.info?.name, state.info?.revision, object, mode,
    few ? augment : "", few ? bankRows : null, few ? state.support.map((support) => support.id) : [], item.deep ? window : "",
  ]);
}

/** @param {State} state @param {ImageItem} item */
export function isStale(state, item) {
  return item.result !== null && item.resultKey !== keyFor(state, item);
}

/** The engine's map that is shown. @param {ImageItem} item */
function limits(item) {
  const { result } = item;
  if (!result) return { lo: 0, hi: 1 };
  let lo = Infinity;
  let hi = -Infinity;
  for (const value of result.overlay) {
    if (value < lo) lo = value;
    if (value > hi) hi = value;
  }
  // The score is a value of the other map, whose peak can be a little higher: the scale holds both.
  return { lo, hi: Math.max(hi, result.mapMax, normalTop(item) ?? hi) };
}

/** @type {WeakMap<object, {lo: number, hi: number}>} */
const limitsCache = new WeakMap();

/** @param {ImageItem} item */
function cachedLimits(item) {
  const key = /** @type {object} */ (item.result);
  let found = limitsCache.get(key);
  if (!found) limitsCache.set(key, (found = limits(item)));
  return found;
}

/**
 * The highest score among the normal pictures, where the score is the map's maximum and so has its unit.
 * @param {ImageItem} item
 * @returns {number | null}
 */
export function normalTop(item) {
  const { result } = item;
  if (!result?.supportScores || result.supportScores.length < 2 || result.mode !== "few") return null;
  const isMaximum = Math.abs(result.score - result.mapMax) <= 1e-4 * Math.max(1, Math.abs(result.mapMax));
  return isMaximum ? Math.max(...result.supportScores) : null;
}

/**
 * Values at the ends of the colour scale.
 * @param {State} state
 * @param {ImageItem} item with a result
 */
export function colourRange(state, item) {
  const own = cachedLimits(item);
  const others = state.settings.sharedScale
    ? state.images.filter((other) => other.result && other.resultKey === item.resultKey).map(cachedLimits)
    : [];
  const lo = Math.min(own.lo, ...others.map((range) => range.lo));
  const hi = Math.max(own.hi, ...others.map((range) => range.hi));
  return hi > lo ? { lo, hi } : { lo, hi: lo + 1 };
}

/** @type {WeakMap<object, number>} */
const quietCache = new WeakMap();

/**
 * The threshold in force: the person's, else the top of the normal pictures, else a high quantile of the map.
 * @param {State} state
 * @param {ImageItem} item with a result
 */
export function thresholdFor(state, item) {
  if (state.settings.threshold !== null) return state.settings.threshold;
  const top = normalTop(item);
  if (top !== null) return top;
  const { overlay } = /** @type {any} */ (item.result);
  let quiet = quietCache.get(overlay);
  if (quiet === undefined) {
    quiet = Float32Array.from(overlay).sort()[Math.floor(QUIET_SHARE * (overlay.length - 1))];
    quietCache.set(overlay, quiet);
  }
  return quiet;
}
