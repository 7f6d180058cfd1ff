/**
 * The pictures the person opened: added, decoded one after another in the worker, looked at, taken out.
 * A file that cannot be read stays in the strip with its reason. Slices of stacks (stacks.js) are pictures, too.
 *
 * Of many pictures little is kept: full-size pixels, what the model sees, and thumbnails of those used last; the others are
 * decoded again when they are asked for. docs/verification.md says what a thousand of them take.
 */

import { ended } from "./dom.js";
import { windowFor } from "./results.js";
import { currentImage } from "./store.js";
import { inEnglish, t } from "./texts.js";
import { createThumbs } from "./thumbs.js";

/** Full-size pixels kept, beside those in view: of so many pictures, and so many in all, with 8 bytes for each at most. */
const KEPT = { bitmaps: 6, pixels: 48e6 };
/** Pictures as the model sees them (170 kB each for the default model) that are kept without their pixels. */
const KEPT_INPUTS = 64;
/** A folder may hold anything; more than this is a mistake. Each takes 150 kB once it is analysed with the default model. */
const MAX_ADDED = 2000;
/** What goes on with pictures that are not in view is shown no oftener. */
const REPAINT_MS = 100;
/** @typedef {import("./types.d.ts").ImageItem} ImageItem */
/** @typedef {{content: () => Promise<Blob>, name: string, path?: string, note?: string, sample?: boolean, series?: import("../../pkg/index.d.ts").SeriesInfo}} Added */
/** Unreadable files found within this time are told of in one message. */
const TOLD_TOGETHER_MS = 300;
/** What that message is about. */
const UNREADABLE = "unreadable images";

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./messages.js").createMessages>} messages
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 */
export function createImages(store, messages, engine) {
  const { state } = store;
  let nextId = 1;
  /** What the strip counts: images and stacks. */
  let number = 0;
  /** Pictures used last, the latest last. @type {Set<ImageItem>} */
  const recent = new Set();
  const thumbs = createThumbs();
  let repainting = 0;
  /** @type {Map<number, Promise<void>>} */
  const decoding = new Map();
  let telling = 0;

  const nextNumber = () => ++number;

  /** An image that is in no list yet. @param {Added & {label?: string}} picture @returns {ImageItem} */
  function create({ content, name, path = name, note = "", sample = false, series, label }) {
    return {
      id: nextId++, number, content, name, path, sample, note, noteKey: "", label: label ?? inEnglish("image.label", { number }), status: "reading", width: 0, height: 0, deep: false, synthetic: false, notes: [],
      thumb: null, bitmap: null, input: null, decodedWindow: null, shown: null, leftOut: [], message: "", warnings: [], result: null, resultKey: "", normals: [],
      units: series?.units ?? null, windows: series?.windows ?? [], spacingMm: series?.spacingMm ?? null, modality: series?.modality ?? null, series: series ?? null,
    };
  }

  /** @param {Added[]} pictures @returns {ImageItem[]} */
  function add(pictures) {
    if (pictures.length > MAX_ADDED) {
      messages.notice(t("image.tooMany", { most: MAX_ADDED, total: pictures.length }));
    }
    const items = pictures.slice(0, MAX_ADDED).map((picture) => (nextNumber(), create(picture)));
    insert(items);
    return items;
  }

  /** Images at the end of the list; the first comes into view. @param {ImageItem[]} items */
  function insert(items) {
    if (items.length === 0) return;
    state.images = [...state.images, ...items];
    state.batch = null;
    select(items[0].id);
    void decodeAll();
  }

  /** Files that cannot be opened, with their reasons. @param {{name: string, path: string, message: string}[]} files */
  function addRefused(files) {
    const content = () => Promise.reject(new Error(t("image.unreadable")));
    const items = files.map(({ name, path }) => (nextNumber(), create({ content, name, path })));
    const isFirst = state.images.length === 0;
    state.images = [...state.images, ...items];
    if (isFirst && items.length > 0) state.currentId = items[0].id;
    items.forEach((item, n) => fail(item, files[n].message));
  }

  /** @param {number} id */
  function select(id) {
    store.set({ currentId: id });
    const item = currentImage(state);
    if (item) void decode(item).catch(() => {});
  }

  /** @param {ImageItem} item */
  function use(item) {
    recent.delete(item);
    recent.add(item);
  }

  /** An image that is decoded comes into view. @param {ImageItem} item */
  function show(item) {
    use(item);
    store.set({ currentId: item.id });
  }

  /** Takes images out of the list that nobody asked to keep. @param {ImageItem} item */
  function drop(item) {
    state.images = state.images.filter((other) => other !== item);
    free(item);
    store.changed();
  }

  /** @param {ImageItem[]} items of one stack */
  function removeAll(items) {
    const last = items.find((item) => item.id === state.currentId) ?? items.find((item) => state.images.includes(item));
    for (const item of items) if (item !== last && state.images.includes(item)) drop(item);
    if (last) remove(last.id);
  }

  /** @param {number} id */
  function remove(id) {
    const index = state.images.findIndex((item) => item.id === id);
    if (index < 0) return;
    const { status } = state.images[index];
    free(state.images[index]);
    state.images = state.images.filter((item) => item.id !== id);
    state.batch = null;
    if (status === "error" && state.messages.some(({ matter }) => matter === UNREADABLE)) tellUnreadable();
    // A run goes on for the others; without any there is nothing left to work for.
    if (state.run && !state.images.some((item) => state.run?.ids.includes(item.id))) state.run.controller.abort();
    const next = state.images[Math.min(index, state.images.length - 1)];
    if (state.currentId !== id) store.changed();
    else if (next) select(next.id);
    else store.set({ currentId: null });
  }

  async function decodeAll() {
    if (state.load.phase !== "ready") return;
    for (const item of state.images) {
      if (!item.thumb && item.status === "reading") await decode(item).catch(() => {});
    }
  }

  /** Makes sure the picture's pixels are there. @param {import("./types.d.ts").ImageItem} item @returns {Promise<void>} */
  function decode(item) {
    const window = windowFor(state, item);
    use(item);
    if (item.bitmap && item.input && (!item.deep || item.decodedWindow === window)) return Promise.resolve();
    if (state.load.phase !== "ready" || item.status === "error") return Promise.resolve();
    let job = decoding.get(item.id);
    if (!job) {
      job = decodeNow(item, window).finally(() => decoding.delete(item.id));
      decoding.set(item.id, job);
    }
    return job;
  }

  /** What the model sees of a picture; decoded only where it is not known yet. @param {import("./types.d.ts").ImageItem} item */
  async function inputOf(item) {
    const isKnown = () => item.input && (!item.deep || item.decodedWindow === windowFor(state, item));
    // A decoding that is under way may have begun with another window.
    for (let tries = 0; tries < 2 && !isKnown(); tries += 1) await decode(item);
    if (!item.input) throw new Error(t("image.notDecoded"));
    return item.input;
  }

  /** @param {import("./types.d.ts").ImageItem} item @param {string} window */
  async function decodeNow(item, window) {
    try {
      const session = await engine.whenReady();
      const decoded = await session.decode(await item.content(), { window });
      const pixels = new ImageData(/** @type {any} */ (asClamped(decoded.pixels)), decoded.width, decoded.height);
      const bitmap = await createImageBitmap(pixels);
      item.bitmap?.close();
      if (item.absent) Object.assign(item, { bitmap, input: decoded.input, decodedWindow: window });
      else Object.assign(item, { width: decoded.width, height: decoded.height, deep: decoded.deep, synthetic: decoded.synthetic, notes: decoded.notes, bitmap, input: decoded.input, decodedWindow: window, shown: decoded.window, warnings: decoded.warnings, values: decoded.values, inverted: decoded.inverted });
      await thumbs.keep(item, bitmap);
      if (item.status === "reading") item.status = "ready";
      forget();
    } catch (error) {
      if (error.name !== "ImageError") throw error;
      fail(item, error.message);
      throw error;
    } finally {
      if (thumbs.isInSight(item) || item.id === state.currentId) store.changed();
      else changedSoon();
    }
  }

  /** Each change repaints all rows: of a thousand pictures that are decoded one after another not each is one. */
  function changedSoon() {
    repainting ||= setTimeout(() => {
      repainting = 0;
      store.changed();
    }, REPAINT_MS);
  }

  /** A thumbnail again for a picture whose row comes into sight. @param {ImageItem} item */
  async function showThumb(item) {
    // Those that wait for their first decoding are about to get theirs.
    if (item.thumb || item.status === "error" || item.width === 0) return;
    if (!item.bitmap) return void (await decode(item).catch(() => {}));
    await thumbs.keep(item, item.bitmap);
    store.changed();
  }

  /** @param {ImageItem} item that is taken out */
  function free(item) {
    item.bitmap?.close();
    item.bitmap = null;
    recent.delete(item);
    thumbs.forget(item);
  }

  /** A file that cannot be read keeps its place in the strip, with the reason. @param {import("./types.d.ts").ImageItem} item @param {string} reason */
  function fail(item, reason) {
    if (item.status === "error") return;
    Object.assign(item, { status: "error", message: reason });
    clearTimeout(telling);
    telling = setTimeout(tellUnreadable, TOLD_TOGETHER_MS);
    store.changed();
  }

  /** One message for all files that cannot be read; none once they are taken out. */
  function tellUnreadable() {
    clearTimeout(telling);
    const lost = state.images.filter((item) => item.status === "error");
    if (lost.length === 0) return messages.settle(UNREADABLE);
    const [{ name, message }] = lost;
    const text = lost.length === 1 ? t("image.lost", { name, reason: ended(message) })
      : t("image.lostMany", { count: lost.length, name, reason: ended(message) });
    messages.error(text, null, UNREADABLE);
  }

  /** Frees what was not used lately. */
  function forget() {
    const latest = [...recent].reverse();
    let pixels = 0;
    latest.forEach((item, n) => {
      pixels += item.bitmap ? item.width * item.height : 0;
      if (item.id === state.currentId || (n < KEPT.bitmaps && pixels <= KEPT.pixels)) return;
      item.bitmap?.close();
      item.bitmap = null;
      item.values = null;
      if (n < KEPT_INPUTS && !item.slice) return;
      // A slice is decoded again in no time.
      item.input = null;
      recent.delete(item);
    });
  }

  /** To the next image or stack. @param {number} step infinite: to the first, to the last */
  function move(step) {
    const rows = listed(state);
    const now = currentImage(state);
    const index = rows.findIndex((item) => item === now || (item.stack !== undefined && item.stack === now?.stack));
    const next = Number.isFinite(step) ? rows[index + step] : step < 0 ? rows[0] : rows.at(-1);
    if (next && next.id !== state.currentId) select(next.id);
  }

  return {
    add, addRefused, create, insert, nextNumber, show, drop, removeAll, select, remove, move, decode, inputOf, decodeAll, fail, showThumb,
    inSight: thumbs.inSight,
  };
}

/** The images that the strip lists: of a stack the slice that is, or was last, in view. @param {import("./types.d.ts").State} state */
export function listed(state) {
  const seen = new Set();
  return state.images.flatMap((item) => {
    if (item.stack === undefined) return [item];
    if (seen.has(item.stack)) return [];
    seen.add(item.stack);
    const stack = state.stacks.find(({ id }) => id === item.stack);
    const mine = state.images.filter((other) => other.stack === item.stack);
    return [mine.find(({ slice }) => slice?.axis === stack?.axis && slice?.volume === stack?.volume && slice?.index === stack?.index) ?? item];
  });
}

/** @param {Uint8Array | Uint8ClampedArray} pixels */
export function asClamped(pixels) {
  if (pixels instanceof Uint8ClampedArray) return pixels;
  return new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.byteLength);
}
