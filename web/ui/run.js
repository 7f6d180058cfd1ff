/**
 * Analysis of one or several pictures, one after another. A crash of the worker is answered by trying the
 * same picture again after the restart; a picture that fails for its own reasons keeps the reason and the rest go on.
 */

import { keyFor } from "./results.js";

/** Same device, next device, then give up on the picture. */
const MAX_TRIES = 3;

/**
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {ReturnType<import("./messages.js").createMessages>} messages
 * @param {ReturnType<import("./engine.js").createEngine>} engine
 * @param {ReturnType<import("./images.js").createImages>} images
 * @param {ReturnType<import("./supportset.js").createSupportSet>} support
 */
export function createRunner(store, messages, engine, images, support) {
  const { state } = store;

  /** @param {number[]} ids */
  async function analyse(ids) {
    if (state.run || ids.length === 0) return;
    const controller = new AbortController();
    messages.clear();
    for (const item of state.images) {
      if (ids.includes(item.id) && item.status !== "error") item.status = "waiting";
    }
    store.set({ run: { ids, index: 0, stage: "", done: 0, total: 0, controller } });
    try {
      for (const [index, id] of ids.entries()) {
        const item = state.images.find((other) => other.id === id);
        if (!item || item.status === "error") continue;
        Object.assign(/** @type {any} */ (state.run), { index, stage: "", done: 0, total: 0 });
        item.status = "working";
        store.changed();
        await analyseOne(item, controller.signal);
      }
    } catch (error) {
      if (error.name !== "AbortError") messages.error(error.message);
    } finally {
      for (const item of state.images) {
        if (item.status === "waiting" || item.status === "working") item.status = item.result ? "done" : item.thumb ? "ready" : "reading";
      }
      store.set({ run: null });
    }
  }

  /** @param {import("./types.d.ts").ImageItem} item @param {AbortSignal} signal */
  async function analyseOne(item, signal) {
    for (let attempt = 1; ; attempt += 1) {
      const session = await abortable(engine.whenReady(), signal);
      try {
        await images.decode(item);
        await abortable(support.sync(), signal);
        if (state.settings.mode === "few" && state.support.length === 0) {
          throw new Error("There is no normal image to compare with. Add at least one, then analyse again.");
        }
        const key = keyFor(state, item);
        const { object, mode, augment, window } = state.settings;
        item.result = await session.analyse(item.blob, {
          object, mode, augment, window, signal,
          onProgress: (progress) => state.run && (Object.assign(state.run, progress), store.changed()),
        });
        Object.assign(item, { resultKey: key, status: "done", message: "" });
        engine.worked();
        store.changed();
        return;
      } catch (error) {
        if (signal.aborted || error.name === "AbortError") throw error;
        if (error.name === "ImageError") {
          if (item.status !== "error") messages.error(`${item.name}: ${error.message}`);
          Object.assign(item, { status: "error", message: error.message });
          return;
        }
        if (error.name !== "DeviceError") throw error;
        if (attempt >= MAX_TRIES) {
          item.status = item.result ? "done" : "ready";
          throw new Error(`${item.name}: the model stopped each time it looked at this picture. Try a smaller one, or analyse the others first.`);
        }
        if (!session.ended) engine.recover(error);
      }
    }
  }

  return {
    analyse,
    current: () => state.currentId !== null && analyse([state.currentId]),
    all: () => analyse(state.images.filter((item) => item.status !== "error").map((item) => item.id)),
    cancel: () => state.run?.controller.abort(),
  };
}

/**
 * Lets a wait be given up.
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 */
function abortable(promise, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => reject(Object.assign(new Error("Stopped."), { name: "AbortError" }));
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
