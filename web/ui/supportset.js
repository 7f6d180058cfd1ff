/**
 * The normal pictures to compare with. The page's list is the truth; `sync` brings the engine in line with it,
 * after additions, removals, a new window, and after each restart of the worker. The same picture counts once.
 */

import { ended } from "./dom.js";
import { asClamped } from "./images.js";
import { windowFor } from "./results.js";
import { t } from "./texts.js";
import { thumbnail } from "./thumbs.js";

const THUMB_PX = 96;
/** Names in a message about several files. */
const NAMED = 3;

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./messages.js").createMessages>} messages
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 */
export function createSupportSet(store, messages, engine) {
  const { state } = store;
  let nextId = 1;
  /** One after another, so that two changes cannot overtake each other. @type {Promise<void>} */
  let chain = Promise.resolve();

  /** Those that could not be added since the last message about it was settled. @type {{name: string, reason: string}[]} */
  let refused = [];

  /** @param {Pick<import("./types.d.ts").SupportItem, "content" | "name" | "series" | "slice">[]} pictures @param {{sample?: boolean}} [origin] */
  function add(pictures, { sample = false } = {}) {
    if (pictures.length === 0) return;
    const items = pictures.map(({ content, name, series, slice }) => /** @type {import("./types.d.ts").SupportItem} */ ({
      id: nextId++, content, name, series, slice, sample, deep: false, thumb: null, input: null, spread: null, hash: "", warnings: [], notes: [], session: null, engineId: 0, window: "",
    }));
    store.set({ support: [...state.support, ...items] });
    void sync();
  }

  /** Normal images that are remembered without their pictures. @param {(Pick<import("./types.d.ts").SupportItem, "name" | "series" | "slice"> & {remembered: import("./types.d.ts").Remembered})[]} normals @returns {number[]} their ids */
  function remember(normals) {
    const content = () => Promise.reject(new Error(t("support.noPicture")));
    const items = normals.map(({ name, series, slice, remembered }) => /** @type {import("./types.d.ts").SupportItem} */ ({
      id: nextId++, content, name, series, slice, remembered, sample: false, deep: false, thumb: null, input: null, spread: null, hash: remembered.facts.pixels, warnings: [], notes: [], session: null, engineId: 0, window: "",
    }));
    // Images that come with them are seen through the window at once.
    store.set({ support: [...state.support, ...items], shared: fixedWindow(items) ?? state.shared });
    void sync();
    return items.map(({ id }) => id);
  }

  /** Says what was in the list already and is taken out. @param {string[]} names */
  function tellTwice(names) {
    if (names.length === 0) return;
    messages.notice(names.length === 1 ? t("support.twice", { name: names[0] })
      : t("support.twiceMany", { count: names.length }), null, "normal images twice");
  }

  /** @param {number} id */
  function remove(id) {
    replace(state.support.filter((other) => other.id !== id));
  }

  /** Makes the list this one: puts back what was taken out, takes out what is not in it. @param {import("./types.d.ts").SupportItem[]} items */
  function replace(items) {
    const gone = state.support.filter((item) => !items.includes(item));
    store.set({ support: items });
    void then(async () => {
      for (const item of gone) if (!state.support.includes(item)) await forget(item);
    });
    void sync();
  }

  /** Empties the list. @returns {import("./types.d.ts").SupportItem[]} what was in it, for `replace` */
  function clear() {
    const { support } = state;
    replace([]);
    return support;
  }

  /** @param {() => Promise<void>} work */
  function then(work) {
    chain = chain.then(work, work);
    return chain;
  }

  /** @param {import("./types.d.ts").SupportItem} item */
  async function forget(item) {
    const { session } = item;
    item.session = null;
    if (session && !session.ended) await session.removeSupport(item.engineId).catch(() => {});
  }

  /** Resolves when the engine holds what the list says. @returns {Promise<void>} */
  function sync() {
    if (state.load.phase !== "ready") return Promise.resolve();
    return then(async () => {
      const twice = [];
      const placeAll = async () => {
        for (const item of [...state.support]) if (await place(item)) twice.push(item.name);
      };
      await placeAll();
      if (await share()) await placeAll();
      tellTwice(twice);
    });
  }

  /** Settles the window that the normal images have together. @returns {Promise<boolean>} whether it is another one */
  async function share() {
    const { session, shared } = state;
    const spreads = state.support.flatMap(({ spread }) => (spread ? [spread] : []));
    const fixed = fixedWindow(state.support);
    // A lost session's successor is asked again.
    const found = fixed ?? (spreads.length === 0 || !session ? null : await session.sharedWindow(spreads).catch(() => shared));
    store.set({ shared: found });
    return found?.window !== shared?.window;
  }

  /** Once for a window: a restarted worker and further ones take what is known. @param {import("./types.d.ts").SupportItem} item @param {import("../../pkg/index.js").Session} session @param {string} window */
  async function decode(item, session, window) {
    const blob = await item.content();
    const { pixels, width, height, deep, input, hash, warnings, notes } = await session.decode(blob, { window });
    const bitmap = await createImageBitmap(new ImageData(/** @type {any} */ (asClamped(pixels)), width, height));
    item.thumb = await thumbnail(bitmap, THUMB_PX);
    bitmap.close();
    const spread = deep ? item.spread ?? (await session.greySpread(blob)) : null;
    Object.assign(item, { window, deep, input, spread, hash, warnings, notes });
  }

  /** @param {import("./types.d.ts").SupportItem} item @returns {Promise<boolean>} whether it was taken out, for the same is there */
  async function place(item) {
    const session = state.session;
    const window = windowFor(state);
    if (!session || !state.support.includes(item)) return false;
    const inPlace = item.session === session && (!item.deep || item.window === window);
    if (inPlace && (item.thumb || item.remembered)) return false;
    try {
      if (item.session === session) await forget(item);
      if (!item.remembered && (!item.thumb || !item.input || (item.deep && item.window !== window))) await decode(item, session, window);
      const earlier = state.support.slice(0, Math.max(0, state.support.indexOf(item)));
      if (earlier.some(({ hash }) => hash === item.hash)) {
        state.support = state.support.filter((other) => other !== item);
        return true;
      }
      item.engineId = item.remembered ? await give(session, item.remembered) : await session.addSupport({ input: /** @type {Uint8Array<ArrayBuffer>} */ (item.input) });
      item.session = session;
      // Taken out while it was being added.
      if (!state.support.includes(item)) await forget(item);
    } catch (error) {
      if (session.ended) return false;
      state.support = state.support.filter((other) => other !== item);
      refuse(item.name, error.message);
    } finally {
      store.changed();
    }
    return false;
  }

  /** One message for all files that could not be added. @param {string} name @param {string} reason */
  function refuse(name, reason) {
    const matter = "normal images refused";
    if (!state.messages.some((message) => message.matter === matter)) refused = [];
    refused.push({ name, reason });
    const names = refused.slice(0, NAMED).map((one) => one.name).join(", ");
    const count = refused.length;
    messages.error(count === 1 ? t("support.refused", { name, reason: ended(reason.replace(/^this is /, "it is ")) })
      : count <= NAMED ? t("support.refusedMany", { count, names }) : t("support.refusedMore", { count, names, more: count - NAMED }), null, matter);
  }

  engine.onReady(() => void sync());
  return { add, remember, refuse, remove, replace, clear, sync };
}

/** The window that images without their pictures were seen through: what the model made of them cannot be made anew. @param {import("./types.d.ts").SupportItem[]} items */
function fixedWindow(items) {
  return items.find(({ remembered }) => remembered?.shared)?.remembered?.shared;
}

/** @param {import("../../pkg/index.js").Session} session @param {import("./types.d.ts").Remembered} remembered @returns {Promise<number>} its id there */
async function give(session, { augment, facts, views }) {
  const id = await session.addRemembered(facts);
  try {
    for (const [view, rows] of views.entries()) await session.giveView({ id, view }, rows, { augment });
  } catch (error) {
    await session.removeSupport(id).catch(() => {});
    throw error;
  }
  return id;
}
