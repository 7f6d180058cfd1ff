/**
 * The maps of a result that can be shown: the result's own, and those it was made of. Each has its own colour range and
 * threshold. The score and its reading belong to the result's own map, whichever is shown.
 */

import { limitsOf as mapLimits, shownMap, span } from "./compact.js";
import { colourRange, thresholdFor } from "./results.js";
import { projection } from "./stacks.js";
import { t } from "./texts.js";

/** @typedef {import("./types.d.ts").State} State */
/** @typedef {import("./types.d.ts").ImageItem} ImageItem */
/** A map is made, or unpacked, when it is asked for. @typedef {{id: string, name: string, readonly map: Float32Array, size: number, limits?: () => {lo: number, hi: number}}} Layer */

/** The result's own map. */
export const OWN = "overlay";
/** The highest value over the slices of a stack. */
const PROJECTION = "projection";

/** @type {WeakMap<object, Layer[]>} */
const cache = new WeakMap();

/** @param {State} state @param {ImageItem | null} item @returns {Layer[]} none without a result; the result's own map first */
export function layersOf(state, item) {
  const result = item?.result;
  if (!result) return [];
  let layers = cache.get(result);
  if (!layers) cache.set(result, (layers = list(result, state.info?.scoring.blocks.length ?? Infinity)));
  const over = projection(state, item);
  return over ? [...layers, { id: PROJECTION, name: t("layers.highest", { count: over.count }), get map() { return over.map(); }, size: over.size }] : layers;
}

/** @param {import("../../pkg/index.d.ts").Result & {zero?: Float32Array | null, memory?: Float32Array | null}} result @param {number} blocks that are compared @returns {Layer[]} */
function list(result, blocks) {
  const { levels, zero, memory, size, mode } = result;
  // The comparison of left with right is one more level, and in its own mode the only one.
  const ofBlocks = mode === "self" ? 0 : mode === "few" || mode === "batch" ? Math.min(blocks, levels.length) : levels.length;
  const square = (/** @type {string} */ id, /** @type {string} */ name, /** @type {Float32Array | null | undefined} */ values) => {
    const side = values ? Math.round(Math.sqrt(values.length)) : 0;
    return values && side > 0 && side * side === values.length ? [{ id, name, map: values, size: side }] : [];
  };
  return [
    { id: OWN, name: t("layers.result"), get map() { return result.overlay; }, size, limits: () => mapLimits(result).overlay },
    ...square("zero", t("layers.words"), zero),
    ...square("memory", t("layers.normals"), memory),
    ...(levels ?? []).flatMap((values, n) => square(`level-${n + 1}`, n < ofBlocks ? t("layers.level", { number: n + 1, total: ofBlocks }) : t("layers.sides"), values)),
    { id: "map", name: t("layers.paper"), get map() { return shownMap(result); }, size, limits: () => mapLimits(result).map },
  ];
}

/** The one to show. @param {State} state @param {ImageItem | null} item */
export function layerOf(state, item) {
  const layers = layersOf(state, item);
  return layers.find(({ id }) => id === state.layer) ?? layers[0] ?? null;
}

/** @type {WeakMap<Float32Array, {lo: number, hi: number}>} */
const limits = new WeakMap();

/** @param {Layer} layer */
function limitsOf(layer) {
  if (layer.limits) return layer.limits();
  let found = limits.get(layer.map);
  if (!found) limits.set(layer.map, (found = span(layer.map)));
  return found;
}

/** Values at the ends of the colour scale of the map that is shown. @param {State} state @param {ImageItem} item with a result @returns {{lo: number, hi: number}} */
export function layerRange(state, item) {
  const layer = layerOf(state, item);
  if (!layer || layer.id === OWN) return colourRange(state, item);
  const alike = state.settings.sharedScale ? state.images.filter((other) => other.result && other.resultKey === item.resultKey) : [];
  const ends = [layer, ...alike.flatMap((other) => layersOf(state, other).filter(({ id }) => id === layer.id))].map(limitsOf);
  const lo = Math.min(...ends.map((range) => range.lo));
  const hi = Math.max(...ends.map((range) => range.hi));
  return hi > lo ? { lo, hi } : { lo, hi: lo + 1 };
}

/** A threshold of one map means nothing for another, nor for one made in another way. @param {ImageItem} item @param {Layer} layer */
function thresholdKey({ result }, layer) {
  return [result?.object, result?.mode, layer.id].join(" ");
}

/** The threshold of the map that is shown, null if there is none. @param {State} state @param {ImageItem} item with a result */
export function layerThreshold(state, item) {
  const layer = layerOf(state, item);
  if (!layer || layer.id === OWN) return thresholdFor(state, item);
  // The highest values of the slices' own maps are on the scale of each.
  return state.layerThresholds[thresholdKey(item, layer)] ?? (layer.id === PROJECTION ? thresholdFor(state, item) : null);
}

/** Whether the person has set it. @param {State} state @param {ImageItem | null} item */
export function isThresholdSet(state, item) {
  const layer = layerOf(state, item);
  if (!item || !layer || layer.id === OWN) return state.settings.threshold !== null;
  return state.layerThresholds[thresholdKey(item, layer)] !== undefined;
}

/** @param {ReturnType<typeof import("./store.js").createStore>} store @param {ImageItem | null} item @param {number | null} threshold null: as it was at first */
export function setThreshold(store, item, threshold) {
  const layer = layerOf(store.state, item);
  if (!item || !layer || layer.id === OWN) return store.settings({ threshold });
  const { [thresholdKey(item, layer)]: _, ...others } = store.state.layerThresholds;
  store.set({ layerThresholds: threshold === null ? others : { ...others, [thresholdKey(item, layer)]: threshold } });
}
