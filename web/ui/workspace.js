/**
 * The workspace as a file and back: settings, regions, results, and what the model made of the normal images, so that work goes
 * on another day or on another machine without the normal images themselves. Images are in it only when the person asks for
 * them, files' names only when their box is ticked. Nothing of a patient gets into it besides that.
 */

import { compacted } from "./compact.js";
import { createPauses, el, sentence } from "./dom.js";
import { madeWith } from "./results.js";
import { download } from "./save.js";
import { possibleMode } from "./store.js";
import { inEnglish, t } from "./texts.js";
import { soundWords } from "./words.js";
import { read, write } from "./workspace-file.js";

/** Of the file's name. */
export const ENDING = ".mvfa";
/** Views of a normal image, as the engine counts them. */
const VIEWS = { none: 1, mvfa: 11 };
/** Settings that belong to the work; how the page looks is the person's. */
const KEPT_SETTINGS = /** @type {const} */ (["object", "mode", "matching", "own", "augment", "bankRows", "bilateral", "axis", "nearest", "window", "threshold", "words"]);
/** Facts of an image that come back with it. */
const KEPT_FACTS = /** @type {const} */ (["label", "width", "height", "synthetic", "notes", "warnings", "spacingMm", "modality", "units", "shown", "leftOut"]);
/** A picture that is not in the file is drawn as a plain area of this grey. */
const ABSENT_GREY = "rgb(40 44 50)";

/** @typedef {import("./types.d.ts").ImageItem} ImageItem */
/** @typedef {import("../../pkg/index.d.ts").Result} Result */

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./messages.js").createMessages>} messages
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 * @param {ReturnType<typeof import("./supportset.js").createSupportSet>} support
 */
export function createWorkspace(store, messages, engine, images, support) {
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
    return { augment, pixels: facts.pixels, levels, ...(el("report-names").checked ? { name: item.name } : {}) };
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
        normals.push(await keepNormal(item, place, arrays, signal));
      }
      const described = [];
      for (const [place, item] of kept.entries()) {
        await next();
        const facts = Object.fromEntries(KEPT_FACTS.map((name) => [name, item[name] ?? null]));
        const { result } = item;
        if (withImages && !item.absent) arrays.set(`image.${place}.picture`, await item.content());
        if (result) {
          const { overlay, map, levels } = result;
          [overlay, map, ...levels].forEach((values, n) => arrays.set(`image.${place}.map.${n}`, values));
        }
        described.push({
          ...facts, ...(el("report-names").checked ? { name: item.name, path: item.path } : {}), isThere: withImages && !item.absent,
          result: result && { ...result, overlay: undefined, map: undefined, levels: result.levels.length },
          made: result ? madeWith(item) : null, normals: item.normals.map(placeOf),
        });
        if (result) described[place].made = { ...described[place].made, normals: madeWith(item).normals.map(placeOf) };
      }
      const { info } = state;
      const regions = state.regions.map(({ id, ...region }) => region);
      const settings = Object.fromEntries(KEPT_SETTINGS.map((name) => [name, state.settings[name]]));
      const about = {
        purpose: "For research and teaching. Not a medical device. A score is not a diagnosis.", created: new Date().toISOString(),
        model: { name: info?.name, revision: info?.revision, sizePx: info?.sizePx }, settings, regions, normals, images: described,
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
    const normals = [];
    for (const [place, { augment, pixels, levels, name }] of about.normals.entries()) {
      const views = [];
      for (const [view, count] of levels.entries()) views.push(await Promise.all(Array.from({ length: count }, (_, n) => floats(`normal.${place}.view.${view}.${n}`))));
      normals.push({ name: name ?? t("image.normalName", { number: place + 1 }), remembered: { augment, views, facts: { pixels, brightness: await floats(`normal.${place}.brightness`) } } });
    }
    const found = [];
    for (const [place, one] of about.images.entries()) {
      const maps = one.result ? await Promise.all(Array.from({ length: 2 + one.result.levels }, (_, n) => floats(`image.${place}.map.${n}`))) : [];
      found.push({ one, maps, content: one.isThere ? bytes(`image.${place}.picture`) : null });
    }
    if (normals.length > 0) bringBack(support.clear());
    const { object, ...settings } = { ...about.settings, words: soundWords(about.settings.words) };
    const known = info?.objects.some(({ id }) => id === object) ? object : state.settings.object;
    store.set({ objectChosen: true, regions: about.regions.map((region, n) => ({ ...region, id: -1 - n })) });
    store.settings({ ...settings, object: known, mode: possibleMode(info, { ...state.settings, ...settings, object: known }) });
    const ids = support.remember(normals);
    const items = [];
    for (const { one, maps, content } of found) items.push(await restored(one, maps, content, ids));
    images.insert(items);
    messages.notice(t("workspace.open", { images: t("workspace.images", { count: items.length }), normals: t("workspace.normals", { count: ids.length }) }));
  }

  /** @param {import("./types.d.ts").SupportItem[]} taken */
  function bringBack(taken) {
    if (taken.length === 0) return;
    messages.offer(t("workspace.setAside", { count: taken.length }), { label: t("workspace.bringBack"), run: () => support.replace(taken) }, "normal images taken out");
  }

  /** @param {any} one @param {Float32Array<ArrayBuffer>[]} maps @param {Blob | null} picture @param {number[]} ids of the normal images, by their places */
  async function restored(one, maps, picture, ids) {
    const blob = picture ?? await plainPicture(one.width, one.height);
    const number = images.nextNumber();
    const item = images.create({ content: async () => blob, name: one.name ?? one.label ?? inEnglish("image.label", { number }), path: one.path ?? one.name, label: inEnglish("image.label", { number }) });
    const idAt = (/** @type {number} */ place) => ids[place] ?? -1;
    Object.assign(item, Object.fromEntries(KEPT_FACTS.filter((name) => name !== "label").map((name) => [name, one[name]])));
    item.absent = picture === null;
    if (picture === null) item.notes = [...(one.notes ?? []), { code: "absent", text: inEnglish("workspace.absent") }];
    if (one.result) {
      const [overlay, map, ...levels] = maps;
      Object.assign(item, { status: "done", normals: one.normals.map(idAt), result: compacted({ ...one.result, overlay, map, levels }), resultKey: JSON.stringify({ ...one.made, normals: one.made.normals.map(idAt) }) });
    }
    return item;
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
