/**
 * Analysis of one or several images. The session of the page takes one after another; with images enough and cores
 * enough, further workers take some of them, and first some of the normal images' views (pkg/lanes.js). An image that
 * cannot be read keeps the reason and the rest go on.
 *
 * Further workers exist on the CPU tier only. They take the model when there is work enough and keep it for the next run,
 * until the page changes to a graphics device. Nothing is fetched for them; where the browser keeps no model files, they
 * would have to, and there are none.
 */

import { workerCount } from "../../pkg/helpers.js";
import { Lanes } from "../../pkg/lanes.js";
import { compacted } from "./compact.js";
import { shownName } from "./labels.js";
import { methodOf } from "./method.js";
import { nearestOf } from "./nearest.js";
import { createPeers } from "./peers.js";
import { boxesFor, isBilateral, isUpToDate, keyFor } from "./results.js";
import { projection } from "./stacks.js";
import { t } from "./texts.js";

/** @typedef {import("./types.d.ts").ImageItem} ImageItem */

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./messages.js").createMessages>} messages
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 * @param {ReturnType<typeof import("./supportset.js").createSupportSet>} support
 * @param {ReturnType<typeof import("./network.js").createNetwork>} network
 * @param {ReturnType<typeof import("./words.js").createWords>} words
 */
export function createRunner(store, messages, engine, images, support, network, words) {
  const { state } = store;
  const peers = createPeers(store, images);
  const lanes = new Lanes(async () => (await engine.whenReady()).twin({ onRequests: network.add }), workersFor);
  engine.onReady(() => {
    if (state.info?.device.tier !== "cpu") lanes.release();
  });
  const first = { session: engine.whenReady, member: ownMember, failed: engine.recover };
  /** What the normal images took before the first image of a run, which counts it as its own. */
  let normalsMs = 0;

  /** Workers worth having, the page's own included. @param {number} jobs images, and views of normal ones to encode */
  function workersFor(jobs) {
    const { info } = state;
    const feasible = info?.device.tier === "cpu" && info.storage.place === "private-files" && !info.storage.full;
    return feasible ? workerCount(info.weightBytes, jobs) : 1;
  }

  /** @param {number[]} ids @param {boolean} [isAll] all were asked for: files that cannot be read are told of at the end */
  async function analyse(ids, isAll = false) {
    const items = state.images.filter((item) => ids.includes(item.id) && item.status !== "error" && !item.absent);
    if (state.run || items.length === 0) return;
    const controller = new AbortController();
    messages.clear();
    const begun = performance.now();
    const before = new Map(items.map((item) => [item, item.result]));
    normalsMs = 0;
    for (const item of items) item.status = "waiting";
    store.set({ batch: null, run: { ids: items.map(({ id }) => id), index: 0, stage: "", done: 0, total: 0, controller } });
    try {
      await lanes.run(items, { first, compared, task, settled, givenBack, hopeless, onEncoding, onEncoded, signal: controller.signal });
    } catch (error) {
      if (error.name !== "AbortError") messages.error(error.message);
    } finally {
      for (const item of state.images) {
        if (item.status === "waiting" || item.status === "working") item.status = item.result ? "done" : item.width > 0 ? "ready" : "reading";
      }
      const left = items.filter((item) => state.images.includes(item));
      const failed = left.filter(({ status }) => status === "error").length;
      const lost = isAll ? state.images.filter(({ status }) => status === "error").length : failed;
      const made = left.filter((item) => item.status !== "error" && item.result && item.result !== before.get(item));
      const older = made.filter((item) => !isUpToDate(state, item)).length;
      const batch = items.length > 1 ? { asked: left.length - failed, analysed: made.length, older, lost, ms: performance.now() - begun } : null;
      store.set({ run: null, batch });
    }
  }

  /** The page's session and how it names the normal images; null while it lacks some. */
  function ownMember() {
    const { session } = state;
    if (session && state.settings.mode === "batch") return { session, ids: peers.held().map(({ engineId }) => engineId) };
    if (!session || !state.support.every((item) => item.session === session)) return null;
    return { session, ids: state.support.map(({ engineId }) => engineId) };
  }

  /** What an analysis that begins now compares with, as further workers take it. */
  function comparedNow() {
    const { mode, augment } = state.settings;
    if (mode === "batch") return { references: peers.held().map(({ item, input }) => ({ key: `${-item.id} ${item.decodedWindow}`, input })), augment };
    const items = mode === "few" ? state.support : [];
    /** @param {import("./types.d.ts").SupportItem} item @returns {import("../../pkg/helpers.js").Support[]} */
    const reference = ({ id, input, window, remembered }) => {
      if (remembered) return [{ key: String(id), facts: remembered.facts }];
      return input ? [{ key: `${id} ${window}`, input }] : [];
    };
    return { references: items.flatMap(reference), augment };
  }

  async function compared() {
    await ready();
    return comparedNow();
  }

  /** Gives the page's session what images are compared with. */
  async function ready() {
    if (state.settings.mode === "batch") await peers.sync();
    else await peers.clear();
    await support.sync();
  }

  /** @param {object} progress of the run */
  function show(progress) {
    if (state.run) Object.assign(state.run, progress);
    store.changed();
  }

  const onEncoding = (done, total) => show({ stage: "references", done, total });
  const onEncoded = (tookMs) => (normalsMs = tookMs);

  /** Makes an image and the normal ones ready. @param {ImageItem} item */
  async function task(item) {
    // Taken out, or found to be unreadable, since the run began.
    if (!state.images.includes(item) || item.status === "error") return null;
    item.status = "working";
    store.changed();
    await engine.whenReady();
    await ready();
    if (state.settings.mode === "few" && state.support.length === 0) {
      throw new Error(t("errors.noNormals"));
    }
    const input = await images.inputOf(item);
    const own = await words.prepared();
    // From here on nothing is waited for, so that the result belongs to these settings and normal images.
    const { object, mode, augment, bankRows, nearest, axis } = state.settings;
    const { width, height } = item;
    const leaveOut = boxesFor(state, item);
    const isBatch = mode === "batch";
    const options = { object, mode, method: methodOf(state), augment, bankRows: bankRows ?? undefined, bilateral: mode === "few" || isBatch ? isBilateral(state) : undefined, axis, leaveOut };
    const resultKey = keyFor(state, item);
    const normals = mode === "few" ? [...state.support] : [];
    const near = nearest === null || mode !== "few" ? null : nearestOf(item, normals, nearest);
    const judges = isBatch ? peers.held() : [];
    if (isBatch && judges.every((judge) => judge.item === item)) throw new Error(t("status.addAnother"));
    /** The names of what the image is compared with, in a session; undefined: all. @param {import("../../pkg/lanes.js").How} how */
    const among = ({ isFirst, ids }) => {
      if (isBatch) return judges.flatMap((judge, n) => (judge.item === item ? [] : [isFirst ? judge.engineId : ids[n]]));
      return near?.map((normal) => (isFirst ? normal.engineId : ids[normals.indexOf(normal)]));
    };
    /** @param {import("../../pkg/index.js").Session} session @param {import("../../pkg/lanes.js").How} how */
    const analyse = async (session, { signal, isFirst, ids }) => {
      // The bar follows the page's own session.
      if (isFirst) show({ stage: "", done: 0, total: 0 });
      await session.useWords(own.object, own.encoded);
      const result = await session.analyse({ input, width, height }, { ...options, among: among({ isFirst, ids, signal }), signal, onProgress: isFirst ? show : undefined });
      result.timings.referencesMs += normalsMs;
      result.timings.totalMs += normalsMs;
      normalsMs = 0;
      // Further workers hold them in the order of the list, the page's own session in the order they came.
      const order = isFirst ? normals.sort((a, b) => a.engineId - b.engineId) : normals;
      Object.assign(item, { result: compacted(result), resultKey, normals: order.map(({ id }) => id), leftOut: leaveOut, status: "done", message: "" });
      // With each slice, while its map is at hand: unpacking those of a whole stack at once would hold the page.
      projection(state, item)?.map();
      if (isFirst) engine.worked();
    };
    return { ...comparedNow(), analyse };
  }

  /** @param {ImageItem} item @param {Error | null} error */
  function settled(item, error) {
    if (error) images.fail(item, error.message);
    if (state.run) state.run.index += 1;
    store.changed();
  }

  /** @param {ImageItem} item */
  function givenBack(item) {
    item.status = "waiting";
    store.changed();
  }

  /** @param {ImageItem} item */
  function hopeless(item) {
    return new Error(t("errors.hopeless", { name: shownName(item, item.name) }));
  }

  return {
    analyse,
    current: () => state.currentId !== null && analyse([state.currentId]),
    /** Those that have no result with the settings as they are now. */
    all: () => analyse(remaining(state).map((item) => item.id), true),
    cancel: () => state.run?.controller.abort(),
  };
}

/** What a run over all images has to do. @param {import("./types.d.ts").State} state */
export function remaining(state) {
  return state.images.filter((item) => item.status !== "error" && !item.absent && !isUpToDate(state, item));
}
