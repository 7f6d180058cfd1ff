/**
 * The workspace as a file and back: settings, regions, results, and what the model made of the normal images, so that work goes
 * on another day or on another machine without the normal images themselves. Images are in it only when the person asks for
 * them, files' names only when their box is ticked. Nothing of a patient gets into it besides that: of a series its slices and its
 * geometry are kept, never its files.
 */

import { compacted } from "./compact.js";
import { createPauses, el, sentence } from "./dom.js";
import { whichSlice } from "./labels.js";
import { madeWith } from "./results.js";
import { download } from "./save.js";
import { possibleMode } from "./store.js";
import { inEnglish, t } from "./texts.js";
import { soundWords } from "./words.js";
import { read, write } from "./workspace-file.js";
import { keptSeries, soundSeries, soundSlice } from "./workspace-series.js";

/** Of the file's name. */
export const ENDING = ".mvfa";
/** Views of a normal image, as the engine counts them. */
const VIEWS = { none: 1, mvfa: 11 };
/** Settings that belong to the work; how the page looks is the person's. */
const KEPT_SETTINGS = /** @type {const} */ (["object", "mode", "matching", "own", "augment", "bankRows", "bilateral", "axis", "nearest", "window", "threshold", "words"]);
/** Facts of an image that come back with it. */
const KEPT_FACTS = /** @type {const} */ (["label", "width", "height", "deep", "synthetic", "notes", "warnings", "spacingMm", "modality", "units", "shown", "leftOut"]);
/** What pictures of the opener begin with, and their type, which files of before do not name. */
const RAW = { magic: "MVFAPIC1", type: "application/x-mvfa-picture" };
/** A picture that is not in the file is drawn as a plain area of this grey. */
const ABSENT_GREY = "rgb(40 44 50)";

/** @typedef {import("./types.d.ts").ImageItem} ImageItem */
/** @typedef {import("../../pkg/index.d.ts").Result} Result */
/** @typedef {import("./types.d.ts").Series} Series */

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./messages.js").createMessages>} messages
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 * @param {ReturnType<typeof import("./stacks.js").createStacks>} stacks
 * @param {ReturnType<typeof import("./supportset.js").createSupportSet>} support
 */
export function createWorkspace(store, messages, engine, images, stacks, support) {
  const { state } = store;

  /** What the model made of a normal image. @param {import("./types.d.ts").SupportItem} item @param {number} place @param {Map<string, any>} arrays @param {AbortSignal} signal */
  async function keepNormal(item, place, arrays, signal) {
    const { session, engineId } = item;
    if (!session) throw new Error(t("workspace.reading"));
    const { augment } = item.remembered ?? state.settings;
    const facts = await session.supportFacts(engineId);
    if (!facts) throw new Error(t("workspace.takenOut"));
    arrays.set(`normal.${place}.brightness`, facts.brightness);
    const levels = [];
    for (let view = 0; view < VIEWS[augment]; view += 1) {
      const rows = await session.viewRows({ id: engineId, view }, { augment, signal });
      rows.forEach((level, n) => arrays.set(`normal.${place}.view.${view}.${n}`, level));
      levels.push(rows.length);
    }
    const window = item.remembered ? item.remembered.window : item.deep ? item.window : null;
    const shared = item.remembered ? item.remembered.shared : state.shared?.window === window ? state.shared : null;
    return { augment, pixels: facts.pixels, levels, ...(window ? { window, shared } : {}), ...(el("report-names").checked ? { name: item.name } : {}) };
  }

  /** @param {boolean} withImages */
  async function save(withImages) {
    const controller = new AbortController();
    const { signal } = controller;
    const kept = state.images.filter((item) => item.result || (withImages && item.status !== "error" && !item.absent));
    const total = state.support.length + kept.length;
    const pauses = createPauses();
    /** @type {Map<string, any>} */
    const arrays = new Map();
    const names = el("report-names").checked;
    /** By their places in the file. @type {Map<Series, {window: string | null, isStack: boolean}>} */
    const series = new Map();
    /** @param {{series?: Series | null, slice?: object, stack?: string}} of */
    const sliceOf = ({ series: one, slice, stack: id }) => {
      if (!one) return {};
      const stack = state.stacks.find((other) => other.id === id);
      if (!series.has(one) || stack) series.set(one, { window: stack?.window ?? null, isStack: Boolean(stack) || Boolean(series.get(one)?.isStack) });
      return { series: [...series.keys()].indexOf(one), ...(slice ? { slice } : {}) };
    };
    let done = 0;
    const next = async () => {
      store.set({ saving: { done: done++, total, controller } });
      if (pauses.isDue()) await pauses.pause();
      if (signal.aborted) throw Object.assign(new Error(t("common.stopped")), { name: "AbortError" });
    };
    try {
      const normals = [];
      for (const [place, item] of state.support.entries()) {
        await next();
        normals.push({ ...(await keepNormal(item, place, arrays, signal)), ...sliceOf(item) });
      }
      const described = [];
      for (const [place, item] of kept.entries()) {
        await next();
        const facts = Object.fromEntries(KEPT_FACTS.map((name) => [name, item[name] ?? null]));
        const { result } = item;
        const picture = withImages && !item.absent ? await item.content() : null;
        if (picture) arrays.set(`image.${place}.picture`, picture);
        if (result) {
          const { overlay, map, levels } = result;
          [overlay, map, ...levels].forEach((values, n) => arrays.set(`image.${place}.map.${n}`, values));
        }
        described.push({
          ...facts, ...sliceOf(item), ...(names ? { name: item.name, path: item.path } : {}), isThere: picture !== null, ...(picture?.type ? { type: picture.type } : {}),
          result: result && { ...result, overlay: undefined, map: undefined, levels: result.levels.length },
          made: result ? madeWith(item) : null, normals: item.normals.map(placeOf),
        });
        if (result) {
          const { normals: compared, peers } = madeWith(item);
          const peerPlaces = peers ? { peers: peers.map((id) => kept.findIndex((other) => other.id === id)) } : {};
          described[place].made = { ...described[place].made, normals: compared.map(placeOf), ...peerPlaces };
        }
      }
      const { info } = state;
      const regions = state.regions.map(({ id, ...region }) => region);
      const settings = Object.fromEntries(KEPT_SETTINGS.map((name) => [name, state.settings[name]]));
      const about = {
        purpose: "For research and teaching. Not a medical device. A score is not a diagnosis.", created: new Date().toISOString(),
        model: { name: info?.name, revision: info?.revision, sizePx: info?.sizePx }, settings, regions, normals, images: described,
        series: [...series].map(([one, more]) => ({ ...keptSeries(one, names), ...more })), current: kept.findIndex(({ id }) => id === state.currentId),
      };
      download(write(about, arrays), `workspace-${about.created.slice(0, 10)}${ENDING}`);
    } finally {
      store.set({ saving: null });
    }
  }

  /** Its place among the normal images, -1 if it is no longer there. @param {number} id */
  const placeOf = (id) => state.support.findIndex((item) => item.id === id);

  /** @param {Blob} file */
  async function open(file) {
    await engine.whenReady();
    const { about, bytes, floats } = await read(file);
    const { info } = state;
    const { model } = about;
    if (model?.name !== info?.name || model?.revision !== info?.revision) {
      throw new Error(t("workspace.model", { name: String(model?.name), revision: String(model?.revision), openName: String(info?.name), openRevision: String(info?.revision) }));
    }
    if (!Array.isArray(about.normals) || !Array.isArray(about.images)) throw new Error(t("workspace.damaged"));
    // All is read before anything changes.
    const series = (Array.isArray(about.series) ? about.series : []).map((/** @type {any} */ one, /** @type {number} */ place) => soundSeries(one, inEnglish("workspace.series", { number: place + 1 })));
    const placed = (/** @type {any} */ one) => {
      const of = series[one.series] ?? undefined;
      return { series: of, slice: (of && soundSlice(one.slice, of)) ?? undefined };
    };
    const normals = [];
    for (const [place, one] of about.normals.entries()) {
      const { augment, pixels, levels, name } = one;
      const views = [];
      for (const [view, count] of levels.entries()) views.push(await Promise.all(Array.from({ length: count }, (_, n) => floats(`normal.${place}.view.${view}.${n}`))));
      const remembered = { augment, views, facts: { pixels, brightness: await floats(`normal.${place}.brightness`) }, window: typeof one.window === "string" ? one.window : null, shared: soundWindow(one.shared) };
      normals.push({ name: name ?? t("image.normalName", { number: place + 1 }), ...placed(one), remembered });
    }
    const found = [];
    for (const [place, one] of about.images.entries()) {
      const maps = one.result ? await Promise.all(Array.from({ length: 2 + one.result.levels }, (_, n) => floats(`image.${place}.map.${n}`))) : [];
      found.push({ one, maps, content: one.isThere ? await typed(bytes(`image.${place}.picture`), one.type) : null, ...placed(one) });
    }
    if (normals.length > 0) bringBack(support.clear());
    const { object, ...settings } = { ...about.settings, words: soundWords(about.settings.words) };
    const known = info?.objects.some(({ id }) => id === object) ? object : state.settings.object;
    store.set({ objectChosen: true, regions: about.regions.map((region, n) => ({ ...region, id: -1 - n })) });
    store.settings({ ...settings, object: known, mode: possibleMode(info, { ...state.settings, ...settings, object: known }) });
    const ids = support.remember(normals);
    const plain = plainPictures();
    /** @type {Map<Series, import("./types.d.ts").Stack>} */
    const stackOf = new Map();
    const items = found.map(({ one, content, series: of, slice }) => {
      if (!of || !slice || !about.series[one.series].isStack) return blank(one, content ?? plain(one), of);
      const { window } = about.series[one.series];
      const stack = stackOf.get(of) ?? stacks.kept(of, images.nextNumber(), typeof window === "string" ? window : null);
      stackOf.set(of, stack);
      const item = blankSlice(stack, slice, content ?? plain(one), one);
      stacks.keep(stack, item, slice);
      return item;
    });
    found.forEach(({ one, maps, content }, n) => fill(items[n], one, maps, content === null, ids, items));
    store.set({ stacks: [...state.stacks, ...stackOf.values()] });
    images.insert(items);
    const current = items[about.current];
    if (current) {
      stacks.turnTo(current);
      images.select(current.id);
    }
    messages.notice(t("workspace.open", { images: t("workspace.images", { count: items.length }), normals: t("workspace.normals", { count: ids.length }) }));
  }

  /** @param {import("./types.d.ts").SupportItem[]} taken */
  function bringBack(taken) {
    if (taken.length === 0) return;
    messages.offer(t("workspace.setAside", { count: taken.length }), { label: t("workspace.bringBack"), run: () => support.replace(taken) }, "normal images taken out");
  }

  /** An image by itself. @param {any} one of the file @param {() => Promise<Blob>} content @param {Series | undefined} series */
  function blank(one, content, series) {
    const number = images.nextNumber();
    const label = inEnglish("image.label", { number });
    return images.create({ content, series, name: one.name ?? one.label ?? label, path: one.path ?? one.name, label });
  }

  /** A slice of a stack. @param {import("./types.d.ts").Stack} stack @param {NonNullable<import("./types.d.ts").ImageItem["slice"]>} slice @param {() => Promise<Blob>} content @param {any} one of the file */
  function blankSlice({ series, label, number }, slice, content, one) {
    const which = whichSlice(series, slice, inEnglish);
    return Object.assign(images.create({ content, series, name: one.name ?? `${series.name}, ${which}`, path: one.path ?? `${series.path}, ${which}`, label: `${label}, ${which}` }), { number });
  }

  /** @param {ImageItem} item @param {any} one of the file @param {Float32Array<ArrayBuffer>[]} maps @param {boolean} isAbsent @param {number[]} ids of the normal images, by their places @param {ImageItem[]} items all, by their places */
  function fill(item, one, maps, isAbsent, ids, items) {
    const idAt = (/** @type {number} */ place) => ids[place] ?? -1;
    // Files of before lack some.
    Object.assign(item, Object.fromEntries(KEPT_FACTS.filter((name) => name !== "label" && one[name] !== undefined).map((name) => [name, one[name]])));
    item.deep = one.deep ?? Boolean(one.made?.window);
    item.absent = isAbsent;
    if (isAbsent) item.notes = [...(one.notes ?? []).filter(({ code }) => code !== "absent"), { code: "absent", text: inEnglish("workspace.absent") }];
    if (!one.result) return;
    const [overlay, map, ...levels] = maps;
    const peers = one.made.peers ? { peers: one.made.peers.map((/** @type {number} */ place) => items[place]?.id ?? -1) } : {};
    Object.assign(item, { status: "done", normals: one.normals.map(idAt), result: compacted({ ...one.result, overlay, map, levels }), resultKey: JSON.stringify({ ...one.made, normals: one.made.normals.map(idAt), ...peers }) });
  }

  return {
    /** @param {boolean} withImages */
    async save(withImages) {
      try {
        await save(withImages);
      } catch (error) {
        if (error.name === "AbortError") messages.notice(t("exports.stopped"));
        else messages.error(t("workspace.failed", { reason: sentence(error.message) }));
      }
    },
    /** @param {Blob} file @param {string} name */
    async open(file, name) {
      try {
        await open(file);
      } catch (error) {
        messages.error(t("workspace.notOpened", { name, reason: sentence(error.message) }));
      }
    },
  };
}

/** The picture with the type that tells the package what it is. @param {Blob} blob @param {unknown} type that the file says @returns {Promise<() => Promise<Blob>>} */
async function typed(blob, type) {
  const isRaw = (await blob.slice(0, RAW.magic.length).text()) === RAW.magic;
  const picture = blob.slice(0, blob.size, isRaw ? RAW.type : typeof type === "string" && type.startsWith("image/") ? type : "");
  return async () => picture;
}

/** A window of several images, if it is one. @param {any} value @returns {import("../../pkg/index.d.ts").SharedWindow | null} */
function soundWindow(value) {
  const { window, low, high, padded, text } = value ?? {};
  return typeof window === "string" && typeof text === "string" && Number.isFinite(low) && Number.isFinite(high) ? { window, low, high, padded: Boolean(padded), text } : null;
}

/** Plain areas for images that are not there, one for all of a size, drawn when they are looked at. */
function plainPictures() {
  /** @type {Map<string, Promise<Blob>>} */
  const drawn = new Map();
  return (/** @type {{width: number, height: number}} */ { width, height }) => () => {
    const size = `${width}x${height}`;
    const picture = drawn.get(size) ?? plainPicture(width, height);
    drawn.set(size, picture);
    return picture;
  };
}

/** A plain area of the size of the image. @param {number} width @param {number} height @returns {Promise<Blob>} */
async function plainPicture(width, height) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = ABSENT_GREY;
  context.fillRect(0, 0, width, height);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error(t("workspace.tooLarge")))), "image/png"));
}

/** The buttons. @param {ReturnType<typeof import("./store.js").createStore>} store @param {ReturnType<typeof createWorkspace>} workspace */
export function mountWorkspace(store, workspace) {
  const { state } = store;
  const button = el("workspace-save");
  const input = el("workspace-input");
  button.addEventListener("click", () => void workspace.save(el("workspace-images").checked));
  input.addEventListener("change", () => {
    const [file] = input.files;
    if (file) void workspace.open(file, file.name);
    input.value = "";
  });
  store.on(() => {
    button.disabled = state.load.phase !== "ready" || state.run !== null || state.saving !== null || (state.images.length === 0 && state.support.length === 0);
  });
}
