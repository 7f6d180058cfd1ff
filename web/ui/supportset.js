/**
 * The normal pictures to compare with. The page's list is the truth; `sync` brings the engine in line with it,
 * after additions, removals, a new window, and after each restart of the worker.
 */

import { asClamped, thumbnail } from "./images.js";

const THUMB_PX = 96;

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

  /** @param {{blob: Blob, name: string}[]} files */
  function add(files) {
    if (files.length === 0) return;
    const items = files.map(({ blob, name }) => /** @type {import("./types.d.ts").SupportItem} */ ({
      id: nextId++, blob, name, deep: false, thumb: null, session: null, engineId: 0, window: "",
    }));
    store.set({ support: [...state.support, ...items] });
    void sync();
  }

  /** @param {number} id */
  function remove(id) {
    const item = state.support.find((other) => other.id === id);
    store.set({ support: state.support.filter((other) => other.id !== id) });
    if (item) void then(() => forget(item));
  }

  function clear() {
    const session = state.session;
    store.set({ support: [] });
    if (session) void then(() => session.clearSupport().catch(() => {}));
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
      for (const item of [...state.support]) await place(item);
    });
  }

  /** @param {import("./types.d.ts").SupportItem} item */
  async function place(item) {
    const session = state.session;
    const { window } = state.settings;
    if (!session || !state.support.includes(item)) return;
    const inPlace = item.session === session && (!item.deep || item.window === window);
    if (inPlace && item.thumb) return;
    try {
      if (item.session === session) await forget(item);
      const decoded = await session.decode(item.blob, { window });
      const pixels = new ImageData(/** @type {any} */ (asClamped(decoded.pixels)), decoded.width, decoded.height);
      const bitmap = await createImageBitmap(pixels);
      item.thumb = await thumbnail(bitmap, THUMB_PX);
      bitmap.close();
      item.engineId = await session.addSupport(item.blob, { window });
      Object.assign(item, { session, window, deep: decoded.deep });
      // Taken out while it was being added.
      if (!state.support.includes(item)) await forget(item);
    } catch (error) {
      if (session.ended) return;
      state.support = state.support.filter((other) => other !== item);
      messages.error(`${item.name} was not added to the normal images. ${error.message}`);
    } finally {
      store.changed();
    }
  }

  engine.onReady(() => void sync());
  return { add, remove, clear, sync };
}
