/** What a result belongs to, and what follows from it: staleness, colour range, default threshold. Pure functions. */

import { limitsOf } from "./compact.js";
import { methodOf } from "./method.js";
import { peersOf } from "./peers.js";
import { currentImage, sidesAreAlike } from "./store.js";
import { t } from "./texts.js";
import { ownWords } from "./words.js";

/** @typedef {import("./types.d.ts").State} State */
/** @typedef {import("./types.d.ts").ImageItem} ImageItem */

/**
 * The settings a result made now would belong to.
 * @param {State} state
 * @param {ImageItem} item
 */
function settingsFor(state, item) {
  const { object, mode, augment, bankRows, nearest, axis } = state.settings;
  const few = mode === "few";
  const method = methodOf(state);
  return {
    model: state.info?.name,
    revision: state.info?.revision,
    object,
    mode,
    augment: few ? augment : "",
    bankRows: few ? bankRows : null,
    bilateral: (few || mode === "batch") && isBilateral(state),
    ...(method ? { method } : {}),
    ...(usesSides(state) && axis !== "middle" ? { axis } : {}),
    ...(few && nearest !== null ? { nearest } : {}),
    normals: few ? state.support.map((support) => support.id) : [],
    // An image that is not here is judged by no others than before.
    ...(mode === "batch" ? { peers: (item.absent && item.result && JSON.parse(item.resultKey).peers) || peersOf(state).map(({ id }) => id) } : {}),
    window: item.deep ? windowFor(state, item) : "",
    leaveOut: boxesFor(state, item),
    ...(ownWords(state) ? { words: ownWords(state) } : {}),
  };
}

/** Whether left is compared with right beside the normal images. @param {State} state */
export function isBilateral({ info, settings }) {
  return settings.bilateral ?? sidesAreAlike(info, settings.object);
}

/** Whether left is compared with right at all. @param {State} state */
export function usesSides(state) {
  const { mode } = state.settings;
  if (mode === "self") return sidesAreAlike(state.info, state.settings.object);
  return (mode === "few" || mode === "batch") && isBilateral(state);
}

/** The window that a deep image is seen through now, as the package takes it. @param {State} state @param {{stackWindow?: string | null} | null} [item] */
export function windowFor({ settings: { window, mode }, shared }, item) {
  if (window !== "auto") return window;
  return (mode === "few" && shared?.window) || item?.stackWindow || window;
}

/** The window of an image in words. @param {State} state @param {import("../../pkg/index.d.ts").ShownWindow} shown */
export function windowWords(state, { text }) {
  const from = windowFor(state) !== state.settings.window ? ` ${t("window.sameImages")}`
    : windowFor(state, currentImage(state)) !== state.settings.window ? ` ${t("window.sameSlices")}` : "";
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

/** Between which values the engine's map that is shown lies. @param {ImageItem} item */
function limits(item) {
  const { result } = item;
  if (!result) return { lo: 0, hi: 1 };
  const { lo, hi } = limitsOf(result).overlay;
  // The score is a value of the other map, whose peak can be a little higher: the scale holds both.
  return { lo, hi: Math.max(hi, result.mapMax, normalTop(item) ?? hi) };
}

/**
 * The highest score among the normal images, where it can be compared with places of the map; the engine says where.
 * @param {ImageItem} item
 * @returns {number | null}
 */
export function normalTop(item) {
  return item.result?.normalTop ?? null;
}

/**
 * Values at the ends of the colour scale.
 * @param {State} state
 * @param {ImageItem} item with a result
 */
export function colourRange(state, item) {
  const own = limits(item);
  const others = state.settings.sharedScale
    ? state.images.filter((other) => other.result && other.resultKey === item.resultKey).map((other) => limits(other))
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
  return state.settings.threshold ?? normalTop(item);
}

/** @type {WeakMap<object, {value: number, share: number}>} */
const shares = new WeakMap();

/** Share of the map at or above a value; counted once. @param {ImageItem} item with a result @param {number} value */
export function shareAbove(item, value) {
  const result = /** @type {import("../../pkg/index.d.ts").Result} */ (item.result);
  const kept = shares.get(result);
  if (kept?.value === value) return kept.share;
  const { overlay } = result;
  let above = 0;
  for (const one of overlay) if (one >= value) above += 1;
  const share = above / overlay.length;
  shares.set(result, { value, share });
  return share;
}

/**
 * The normal images that an image was compared with, each with its own score against the others, the highest first.
 * @param {State} state
 * @param {ImageItem} item
 * @returns {{item: import("./types.d.ts").SupportItem, score: number, unlike: boolean}[]} those that are still in the list
 */
export function normalScores(state, item) {
  const { supportScores, supportPlaces, supportUnlike } = item.result ?? {};
  if (!supportScores || !supportPlaces) return [];
  const scores = supportPlaces.map((place, n) => ({
    item: state.support.find(({ id }) => id === item.normals[place]), score: supportScores[n], unlike: Boolean(supportUnlike?.includes(place)),
  }));
  return /** @type {any} */ (scores.filter((one) => one.item).sort((a, b) => b.score - a.score));
}
