/**
 * Analysis of one or several pictures. The session of the page takes one after another; with pictures enough
 * and cores enough, further workers take some of them, and first some of the normal images' views. A crash of the page's worker is answered by trying the
 * same picture again after the restart, one of a further worker by giving its picture to the others; a picture
 * that fails for its own reasons keeps the reason and the rest go on.
 */

import { spread } from "../../pkg/helpers.js";
import { encodeTogether, fillUp } from "../../pkg/views.js";
import { isUpToDate, keyFor } from "./results.js";
import { sameBytes } from "./same.js";

/** Same device, next device, then give up on the picture. */
const MAX_TRIES = 3;

/** @typedef {import("./types.d.ts").ImageItem} ImageItem */

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./messages.js").createMessages>} messages
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 * @param {ReturnType<typeof import("./supportset.js").createSupportSet>} support
 * @param {ReturnType<typeof import("./helpers.js").createHelpers>} helpers
 */
export function createRunner(store, messages, engine, images, support, helpers) {
  const { state } = store;
  /** What the normal images took before the first picture of a run, which counts it as its own. */
  let normalsMs = 0;

  /** @param {number[]} ids */
  async function analyse(ids) {
    const items = state.images.filter((item) => ids.includes(item.id) && item.status !== "error");
    if (state.run || items.length === 0) return;
    const controller = new AbortController();
    const { signal } = controller;
    messages.clear();
    const begun = performance.now();
    for (const item of items) item.status = "waiting";
    store.set({ batch: null, run: { ids: items.map(({ id }) => id), index: 0, stage: "", done: 0, total: 0, controller } });
    try {
      // Should it fail, each worker encodes for itself what it lacks, and says what is wrong.
      normalsMs = await abortable(encodeNormals(items.length, signal).catch(() => 0), signal);
      const own = { ready: Promise.resolve(), work: (item) => take(item, () => withOwn(item, signal)) };
      const others = helpers.some(items.length).map((helper) => ({
        ready: helper.session(),
        work: (item) => take(item, () => withHelper(helper, item, signal)),
      }));
      await abortable(spread(items, [own, ...others]), signal);
    } catch (error) {
      // What the other workers have begun is not wanted any more.
      controller.abort();
      if (error.name !== "AbortError") messages.error(error.message);
    } finally {
      for (const item of state.images) {
        if (item.status === "waiting" || item.status === "working") item.status = item.result ? "done" : item.thumb ? "ready" : "reading";
      }
      const done = state.images.filter((item) => items.includes(item) && isUpToDate(state, item));
      const asked = items.filter((item) => state.images.includes(item) && item.status !== "error").length;
      const batch = items.length > 1 ? { asked, analysed: done.length, ms: performance.now() - begun } : null;
      store.set({ run: null, batch });
    }
  }

  /**
   * Gets the normal images ready with the help of further workers, if present.
   * @param {number} pictures that come after
   * @param {AbortSignal} signal
   * @returns {Promise<number>} milliseconds that this took
   */
  async function encodeNormals(pictures, signal) {
    const { mode, augment } = state.settings;
    if (mode !== "few") return 0;
    const begun = performance.now();
    await support.sync();
    const own = ownMember();
    const views = own ? await own.session.lackingViews({ augment }) : [];
    const others = views.length > 0 ? helpers.some(pictures + views.length) : [];
    if (!own || others.length === 0) return 0;
    const onProgress = (done, total) => state.run && (Object.assign(state.run, { stage: "references", done, total }), store.changed());
    await encodeTogether(own, others.map((helper) => helper.sync(supports())), { augment, signal, onProgress });
    return performance.now() - begun;
  }

  /** The page's session and how it names the normal images; null while it lacks some. @returns {import("../../pkg/views.js").Member | null} */
  function ownMember() {
    const { session } = state;
    if (!session || !state.support.every((item) => item.session === session)) return null;
    return { session, ids: state.support.map(({ engineId }) => engineId) };
  }

  /** The normal images as further workers take them. */
  const supports = () => state.support.flatMap(({ id, input, window }) => (input ? [{ key: `${id} ${window}`, input }] : []));

  /**
   * One picture from its turn to its end; false if it must be given to another worker.
   * @param {ImageItem} item
   * @param {() => Promise<boolean>} work
   */
  async function take(item, work) {
    let done = true;
    // Not one that was taken out, or found to be unreadable, since the run began.
    if (state.images.includes(item) && item.status !== "error") {
      item.status = "working";
      store.changed();
      done = await work().catch((error) => {
        if (error.name !== "ImageError") throw error;
        images.fail(item, error.message);
        return true;
      });
    }
    if (done && state.run) state.run.index += 1;
    if (!done) item.status = "waiting";
    store.changed();
    return done;
  }

  /** Makes pictures and normal images ready. @param {ImageItem} item @param {AbortSignal} signal */
  async function prepare(item, signal) {
    const input = await images.inputOf(item);
    await abortable(support.sync(), signal);
    if (state.settings.mode === "few" && state.support.length === 0) {
      throw new Error("There is no normal image to compare with. Add at least one, then analyse again.");
    }
    const { object, mode, augment, bankRows } = state.settings;
    const amongNormals = mode === "few" && (await isAmong(item, state.support));
    return { input, amongNormals, key: keyFor(state, item), options: { object, mode, augment, bankRows: bankRows ?? undefined, signal } };
  }

  /** @param {ImageItem} item @param {{key: string, amongNormals: boolean}} made @param {import("../../pkg/index.js").Result} result */
  function accept(item, { key, amongNormals }, result) {
    result.timings.referencesMs += normalsMs;
    result.timings.totalMs += normalsMs;
    normalsMs = 0;
    Object.assign(item, { result, resultKey: key, amongNormals, status: "done", message: "" });
    return true;
  }

  /** @param {ImageItem} item @param {AbortSignal} signal */
  async function withOwn(item, signal) {
    for (let attempt = 1; ; attempt += 1) {
      const session = await abortable(engine.whenReady(), signal);
      try {
        if (state.run) Object.assign(state.run, { stage: "", done: 0, total: 0 });
        const made = await prepare(item, signal);
        const onProgress = (progress) => state.run && (Object.assign(state.run, progress), store.changed());
        accept(item, made, await session.analyse({ input: made.input }, { ...made.options, onProgress }));
        engine.worked();
        return true;
      } catch (error) {
        if (signal.aborted || error.name !== "DeviceError") throw error;
        if (attempt >= MAX_TRIES) {
          item.status = item.result ? "done" : "ready";
          throw new Error(`${item.name}: the model stopped each time it looked at this image. Try a smaller one, or analyse the others first.`);
        }
        if (!session.ended) engine.recover(error);
      }
    }
  }

  /** @param {import("../../pkg/helpers.js").Helper} helper @param {ImageItem} item @param {AbortSignal} signal */
  async function withHelper(helper, item, signal) {
    for (let attempt = 1; ; attempt += 1) {
      await abortable(engine.whenReady(), signal);
      try {
        const { options, input, ...made } = await prepare(item, signal);
        const member = await helper.sync(options.mode === "few" ? supports() : []);
        const own = ownMember();
        if (options.mode === "few" && own) await fillUp(own, member, options.augment).catch(() => {});
        return accept(item, made, await member.session.analyse({ input }, options));
      } catch (error) {
        if (signal.aborted || error.name !== "DeviceError") throw error;
        // Otherwise it was the page's worker that stopped, while it read the picture.
        if (!helper.isOpen || attempt >= MAX_TRIES) {
          helpers.drop(helper);
          return false;
        }
      }
    }
  }

  return {
    analyse,
    current: () => state.currentId !== null && analyse([state.currentId]),
    /** Those that have no result with the settings as they are now. */
    all: () => analyse(remaining(state).map((item) => item.id)),
    cancel: () => state.run?.controller.abort(),
  };
}

/** What a run over all images has to do. @param {import("./types.d.ts").State} state */
export function remaining(state) {
  return state.images.filter((item) => item.status !== "error" && !isUpToDate(state, item));
}

/** @param {ImageItem} item @param {import("./types.d.ts").SupportItem[]} normals */
async function isAmong(item, normals) {
  for (const { blob } of normals) if (await sameBytes(item.blob, blob).catch(() => false)) return true;
  return false;
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
