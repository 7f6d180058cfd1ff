/**
 * Stacks: series of several slices. A slice becomes an image when it is looked at or analysed; those that were only looked at
 * go again when another one comes into view, so that a stack of thousands costs what its results cost.
 */

import { whichSlice } from "./labels.js";
import { currentImage } from "./store.js";
import { keyFor } from "./results.js";
import { inEnglish } from "./texts.js";

/** Slices whose grey values stand for a stack. */
const SLICES_LOOKED_AT = 16;
/** Slices that were read and are kept for a moment: the one that is being shown, and the next. */
const AHEAD = 3;

/** @typedef {import("./types.d.ts").Stack} Stack */
/** @typedef {import("./types.d.ts").ImageItem} ImageItem */
/** @typedef {import("../../pkg/index.d.ts").SeriesInfo} SeriesInfo */
/** @typedef {import("../../pkg/index.d.ts").SliceAxis} SliceAxis */

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 * @param {ReturnType<typeof import("./source.js").createSources>} sources
 */
export function createStacks(store, engine, images, sources) {
  const { state } = store;

  /** @param {SeriesInfo} series @returns {Stack} */
  function add(series) {
    const number = images.nextNumber();
    /** @type {Stack} */
    const stack = {
      id: `stack-${number}`, number, label: inEnglish("image.label", { number }), series, axis: "axial", volume: 0, window: null, items: new Map(),
      index: 0, wanted: Math.floor(series.axes.axial.frames / 2), isMoving: false, isGone: false,
    };
    state.stacks = [...state.stacks, stack];
    images.insert([slice(stack, stack.wanted)]);
    stack.index = stack.wanted;
    void settleWindow(stack);
    return stack;
  }

  /** A stack that came with a workspace, in no list yet. @param {import("./types.d.ts").Series} series @param {number} number @param {string | null} window that its slices share @returns {Stack} */
  function kept(series, number, window) {
    return {
      id: `stack-${number}`, number, label: inEnglish("image.label", { number }), series, axis: "axial", volume: 0, window, items: new Map(),
      index: 0, wanted: 0, isMoving: false, isGone: false,
    };
  }

  /** Makes an image a slice of a stack that came with a workspace. @param {Stack} stack @param {ImageItem} item @param {NonNullable<ImageItem["slice"]>} which */
  function keep(stack, item, which) {
    Object.assign(item, { stack: stack.id, slice: which, stackWindow: stack.window });
    stack.items.set(`${which.axis} ${which.volume} ${which.index}`, item);
    if (stack.items.size === 1) Object.assign(stack, { axis: which.axis, volume: which.volume, index: which.index, wanted: which.index });
  }

  /** The stack and the slice of it that an image is come into view. @param {ImageItem} item */
  function turnTo({ stack: id, slice: which }) {
    const stack = state.stacks.find((one) => one.id === id);
    if (stack && which) Object.assign(stack, { axis: which.axis, volume: which.volume, index: which.index, wanted: which.index });
  }

  /** Where the file proposes no window, its slices share one: each by itself would be shown in its own brightness. @param {Stack} stack */
  async function settleWindow(stack) {
    const { series } = stack;
    if (series.windows.length > 0) return;
    try {
      const session = await engine.whenReady();
      const { frames } = series.axes.axial;
      const step = Math.ceil(frames / SLICES_LOOKED_AT);
      const spreads = [];
      for (let index = 0; index < frames && !stack.isGone; index += step) {
        const spread = await session.greySpread(await sources.sliceOf(series, index).content());
        if (spread === null) return;
        spreads.push(spread);
      }
      stack.window = (await session.sharedWindow(spreads))?.window ?? null;
      for (const item of stack.items.values()) item.stackWindow = stack.window;
      const item = currentImage(state);
      if (item && item.stack === stack.id) await images.decode(item);
      store.changed();
    } catch {
      // Each slice is then shown by itself, and says so.
    }
  }

  /** @param {Stack} stack @param {number} index */
  const keyOf = ({ axis, volume }, index) => `${axis} ${volume} ${index}`;

  /** The image of a slice, made if there is none. @param {Stack} stack @param {number} index @returns {ImageItem} */
  function slice(stack, index) {
    const { series, axis, volume, label } = stack;
    const key = keyOf(stack, index);
    let item = stack.items.get(key) ?? (series.isKept ? stack.items.get(keyOf(stack, reachable(stack, index))) ?? [...stack.items.values()][0] : undefined);
    if (item) return item;
    const which = whichSlice(series, { axis, volume, index }, inEnglish);
    const picture = { ...sources.sliceOf(series, index, { axis, volume }), content: () => read(stack, key, index, { axis, volume }), name: `${series.name}, ${which}`, path: `${series.path}, ${which}` };
    item = images.create({ ...picture, label: `${label}, ${which}` });
    const spacingMm = series.axes[axis]?.spacingMm ?? null;
    Object.assign(item, { stack: stack.id, slice: { axis, volume, index }, spacingMm, stackWindow: stack.window });
    stack.items.set(key, item);
    return item;
  }

  /** @type {Map<string, Promise<Blob>>} */
  const ahead = new Map();

  /** Reads a slice, once if it was read ahead. @param {Stack} stack @param {string} key @param {number} index @param {{axis: SliceAxis, volume: number}} which */
  function read({ id, series }, key, index, which) {
    const place = `${id} ${key}`;
    let content = ahead.get(place);
    if (!content) {
      content = sources.sliceOf(series, index, which).content();
      content.catch(() => ahead.delete(place));
      ahead.set(place, content);
      for (const oldest of [...ahead.keys()].slice(0, Math.max(0, ahead.size - AHEAD))) ahead.delete(oldest);
    }
    return content;
  }

  /** Goes to a slice as soon as it is decoded; of several wishes the last one counts. @param {Stack} stack @param {number} index */
  async function goTo(stack, index) {
    const { frames } = stack.series.axes[stack.axis] ?? stack.series.axes.axial;
    stack.wanted = reachable(stack, index);
    store.changed();
    if (stack.isMoving) return;
    stack.isMoving = true;
    try {
      for (;;) {
        const { wanted, axis, volume } = stack;
        const item = slice(stack, wanted);
        if (item.id === state.currentId) break;
        const decoded = images.decode(item).catch(() => {});
        // The reader works on the next slice in the same direction while the engine's worker has this one.
        const next = 2 * wanted - stack.index;
        if (next >= 0 && next < frames && !stack.series.isKept) read(stack, keyOf(stack, next), next, { axis, volume }).catch(() => {});
        await decoded;
        if (stack.isGone) break;
        // Meanwhile the person may have turned to another image.
        const isInView = currentImage(state)?.stack === stack.id;
        if (stack.axis === axis && stack.volume === volume) {
          place(stack, item, wanted);
          if (isInView) images.show(item);
        }
        if (stack.wanted === wanted && stack.axis === axis && stack.volume === volume) break;
      }
    } finally {
      stack.isMoving = false;
      tidy(stack);
    }
  }

  /** Puts a slice in its place in the list: by axis, volume and number. @param {Stack} stack @param {ImageItem} item @param {number} index */
  function place(stack, item, index) {
    stack.index = index;
    if (!state.images.includes(item)) insert(stack, [item]);
  }

  /** @param {Stack} stack @param {ImageItem[]} items */
  function insert(stack, items) {
    const mine = [...new Set([...state.images.filter((item) => item.stack === stack.id), ...items])].sort(bySlice);
    const at = state.images.findIndex((item) => item.stack === stack.id);
    const others = state.images.filter((item) => item.stack !== stack.id);
    // All before the first of the stack are others.
    const start = at < 0 ? others.length : at;
    state.images = [...others.slice(0, start), ...mine, ...others.slice(start)];
    store.changed();
  }

  /** Takes out what was only looked at. @param {Stack} stack */
  function tidy(stack) {
    // What came with a workspace is nowhere else.
    if (stack.series.isKept) return;
    const isKept = (/** @type {ImageItem} */ item) => item.id === state.currentId || item.result !== null || item.status === "waiting" || item.status === "working" || item === stack.items.get(keyOf(stack, stack.index));
    for (const [key, item] of stack.items) {
      if (isKept(item)) continue;
      stack.items.delete(key);
      images.drop(item);
    }
  }

  /** The images of some slices along the axis in view, for an analysis. @param {Stack} stack @param {number} from @param {number} to the last one @returns {ImageItem[]} */
  function range(stack, from, to) {
    const items = there(stack, from, to).map((index) => slice(stack, index));
    insert(stack, items);
    return items;
  }

  /** Some slices along the axis in view as pictures, for normal images. @param {Stack} stack @param {number} from @param {number} to the last one */
  function pictures(stack, from, to) {
    const { axis, volume, series } = stack;
    if (!series.isKept) return there(stack, from, to).map((index) => sources.sliceOf(series, index, { axis, volume }));
    return there(stack, from, to).map((index) => slice(stack, index)).filter(({ absent }) => !absent).map(({ content, name, path, slice: which }) => ({ content, name, path, series, slice: which }));
  }

  /** @param {Stack} stack */
  function remove(stack) {
    stack.isGone = true;
    for (const key of projections.keys()) if (key.startsWith(`${stack.id}\n`)) projections.delete(key);
    state.stacks = state.stacks.filter((other) => other !== stack);
    images.removeAll([...stack.items.values()]);
    // Normal images may come from it.
    if (!state.support.some(({ series }) => series === stack.series)) sources.release(stack.series);
  }

  return {
    add, kept, keep, turnTo, goTo, range, pictures, remove, tidy,
    /** The stack that an image is a slice of. @param {ImageItem | null} item */
    of: (item) => (item?.stack ? state.stacks.find(({ id }) => id === item.stack) ?? null : null),
    /** The slice of a stack that is, or was last, in view. @param {Stack} stack */
    shown: (stack) => slice(stack, stack.index),
    /** @param {Stack} stack @param {{axis?: SliceAxis, volume?: number}} which */
    turn(stack, { axis = stack.axis, volume = stack.volume }) {
      const before = stack.series.axes[stack.axis]?.frames ?? 1;
      const after = stack.series.axes[axis]?.frames ?? 1;
      // Another axis begins at its middle; another volume at the same slice.
      const index = axis === stack.axis ? Math.min(stack.wanted, before - 1) : Math.floor(after / 2);
      const volumes = volumesOf(stack.series.isKept ? { ...stack, axis } : stack);
      Object.assign(stack, { axis, volume: volumes.includes(volume) ? volume : volumes[0] });
      void goTo(stack, index);
    },
    /** One step, or several, from the slice in view. @param {number} step @returns {boolean} whether a stack is in view */
    step(step) {
      const stack = state.stacks.find(({ id }) => id === currentImage(state)?.stack);
      if (stack) void goTo(stack, stack.wanted + step);
      return Boolean(stack);
    },
  };
}

/** @param {Stack} stack along the axis in view */
function framesOf({ series, axis }) {
  return (series.axes[axis] ?? series.axes.axial).frames;
}

/** The numbers of the slices along the axis in view that there are, in their order. @param {Stack} stack @param {number} [from] @param {number} [to] the last one @returns {number[]} */
export function there(stack, from = 0, to = framesOf(stack) - 1) {
  const { series, axis, volume } = stack;
  if (!series.isKept) return Array.from({ length: Math.max(0, to - from + 1) }, (_, n) => from + n);
  return [...stack.items.values()].flatMap(({ slice }) => (slice?.axis === axis && slice.volume === volume && slice.index >= from && slice.index <= to ? [slice.index] : [])).sort((a, b) => a - b);
}

/** The slice that a wish for one leads to: of a stack that came with a workspace the next one that is there. @param {Stack} stack @param {number} index @returns {number} */
export function reachable(stack, index) {
  if (!stack.series.isKept) return Math.min(framesOf(stack) - 1, Math.max(0, index));
  const all = there(stack);
  const found = index >= stack.wanted ? all.find((one) => one >= index) ?? all.at(-1) : all.findLast((one) => one <= index) ?? all[0];
  return found ?? stack.index;
}

/** The axes along which there are slices. @param {Stack} stack */
export function axesOf({ series, items }) {
  const axes = /** @type {SliceAxis[]} */ (Object.keys(series.axes));
  return series.isKept ? axes.filter((axis) => [...items.values()].some(({ slice }) => slice?.axis === axis)) : axes;
}

/** The volumes of which there are slices along the axis in view. @param {Stack} stack @returns {number[]} */
export function volumesOf({ series, items, axis }) {
  const all = Array.from({ length: series.volumes }, (_, n) => n);
  if (!series.isKept) return all;
  const found = new Set([...items.values()].flatMap(({ slice }) => (slice?.axis === axis ? [slice.volume] : [])));
  return all.filter((volume) => found.has(volume));
}

/** @param {ImageItem} a @param {ImageItem} b */
function bySlice(a, b) {
  const [one, other] = [a.slice, b.slice];
  if (!one || !other) return 0;
  return one.axis.localeCompare(other.axis) || one.volume - other.volume || one.index - other.index;
}

/** The slices of the stack, axis and volume that an image belongs to which have a result made in the same way. @param {import("./types.d.ts").State} state @param {ImageItem | null} item */
export function analysedSlices(state, item) {
  const { slice } = item ?? {};
  if (!item || !slice) return [];
  return state.images.filter((other) => other.stack === item.stack && other.slice?.axis === slice.axis && other.slice?.volume === slice.volume && other.result);
}

/** @typedef {import("../../pkg/index.d.ts").Result} Result */
/** The highest values of some results of a stack, by stack, plane, volume and settings. @type {Map<string, {of: Set<Result>, map: Float32Array}>} */
const projections = new Map();

/** The highest value over all analysed slices at each place; null unless there are two. @param {import("./types.d.ts").State} state @param {ImageItem | null} item */
export function projection(state, item) {
  if (!item?.result || !item.slice) return null;
  const wanted = keyFor(state, item);
  const slices = analysedSlices(state, item).filter(({ resultKey }) => resultKey === item.resultKey || resultKey === wanted);
  if (slices.length < 2) return null;
  const key = [item.stack, item.slice.axis, item.slice.volume, ...new Set([item.resultKey, wanted])].join("\n");
  const results = slices.map(({ result }) => /** @type {Result} */ (result));
  return { map: () => highest(key, results), size: item.result.size, count: slices.length };
}

/** With what was found for most of them before. @param {string} key @param {Result[]} results of maps of equal size */
function highest(key, results) {
  const before = projections.get(key);
  const of = new Set(results);
  const kept = before && [...before.of].every((result) => of.has(result)) ? before : null;
  const others = kept ? results.filter((result) => !kept.of.has(result)) : results;
  if (kept && others.length === 0) return kept.map;
  // Another array, so that what was made of the old one is made anew.
  const map = Float32Array.from(kept?.map ?? results[0].overlay);
  for (const { overlay } of others) for (let i = 0; i < map.length; i += 1) if (overlay[i] > map[i]) map[i] = overlay[i];
  projections.set(key, { of, map });
  return map;
}
