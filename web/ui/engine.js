/**
 * The life of the model's session: open, follow the progress, change the device, and start again after a crash.
 * Pictures, normal images and settings belong to the store, so a new session finds everything in place.
 */

import { Lab, Opener, Session } from "../../pkg/index.js";
import { decoderScript, engineScript, isEmbedded, labScript } from "../early.js";
import { megabytes, sentence } from "./dom.js";
import { lacking, offered } from "./site.js";
import { isMissing, manifestUrl, siteModelAt, withoutModel } from "./site-models.js";
import { possibleMode } from "./store.js";
import { t } from "./texts.js";

/** @typedef {ReturnType<typeof import("./store.js").createStore>} Store */
/** @typedef {ReturnType<typeof import("./messages.js").createMessages>} Messages */

/** @param {{neededBytes: number, freeBytes: number | null}} full @returns {string} */
function roomLacks({ neededBytes, freeBytes }) {
  const needed = megabytes(neededBytes);
  return freeBytes === null ? t("errors.roomUnknown", { needed }) : t("errors.room", { needed, free: megabytes(freeBytes) });
}

/** Why there is no model, in words for who wrote the address. @param {string} reason */
function loadFailure(reason) {
  const wanted = new URLSearchParams(location.search).has("model");
  if (wanted && isMissing(reason)) {
    return t("errors.modelMissing");
  }
  return t("errors.model", { reason: sentence(reason) });
}

/** A device's complaint without the advice to choose the CPU, which the page has just done. @param {string} message */
function withoutAdvice(message) {
  return message.replace(/;( try again, or)? choose the cpu device.*$/, "");
}

/**
 * @param {Store} store
 * @param {Messages} messages
 * @param {ReturnType<typeof import("./network.js").createNetwork>} network
 * @param {Promise<unknown>} others the page's other files: "ready" waits for them too
 */
export function createEngine(store, messages, network, others) {
  const { state } = store;
  let generation = 0;
  let crashes = 0;
  /** @type {AbortController | null} */
  let opening = null;
  /** What reads files; it outlives every session. @type {Promise<Opener> | null} */
  let decoder = null;
  /** What makes models; it outlives every session. @type {Promise<Lab> | null} */
  let lab = null;
  /** @type {(() => void)[]} */
  const onReady = [];

  function startedLab() {
    lab ??= labScript().then((startWorker) => Lab.start({ startWorker, spares: 0, onRequests: network.add }));
    // The next try starts another.
    lab.catch(() => (lab = null));
    return lab;
  }

  function startedDecoder() {
    decoder ??= decoderScript().then((startWorker) => Opener.start({ startWorker, spares: 0, onRequests: network.add }));
    // The next try starts another.
    decoder.catch(() => (decoder = null));
    return decoder;
  }

  /** @param {"auto" | "gpu" | "cpu"} device */
  async function open(device) {
    const mine = ++generation;
    opening?.abort();
    state.session?.close();
    const controller = new AbortController();
    opening = controller;
    store.set({ session: null, load: { phase: "loading", stage: "engine", loadedBytes: 0, totalBytes: 0, fromStorage: false } });
    try {
      const opener = startedDecoder();
      const session = await Session.open(manifestUrl(state), {
        device,
        words: true,
        startWorker: await engineScript(),
        opener,
        signal: controller.signal,
        onProgress: (progress) => mine === generation && store.set({ load: { ...progress, phase: "loading" } }),
        onRequests: network.add,
        onLost: (error) => mine === generation && state.session && recover(error),
      });
      await others;
      if (mine !== generation) return session.close();
      accept(session);
    } catch (error) {
      if (mine === generation) refuse(error, device);
    }
  }

  /** @param {Session} session */
  function accept(session) {
    const { settings, site } = state;
    const isSiteModel = siteModelAt(site, addressOf()) !== null;
    const info = settings.model.startsWith("own:") ? session.info : offered(site, session.info);
    const known = info.objects.find((object) => object.id === settings.object);
    const object = (known ?? info.objects[0])?.id ?? "";
    // The first load takes the model's own way of using normal images; later loads keep the person's choice.
    const augment = state.info ? settings.augment : site.defaults.augment ?? info.augment;
    const mode = possibleMode(info, { ...settings, object });
    const colourMap = info.colourMaps.includes(settings.colourMap) ? settings.colourMap : info.colourMaps[0];
    Object.assign(settings, { object, augment, mode, colourMap });
    store.set({ session, info, load: { ...state.load, phase: "ready" } });
    network.begin();
    if (isSiteModel && !isEmbedded) for (const problem of lacking(site, session.info)) messages.tell(problem);
    // What was wrong before is settled: the model is here.
    messages.clear("error");
    if (info.storage.full) messages.notice(roomLacks(info.storage.full));
    for (const listener of onReady) listener();
  }

  /** @param {any} error @param {"auto" | "gpu" | "cpu"} device */
  function refuse(error, device) {
    if (error.name === "AbortError") return store.set({ load: { ...state.load, phase: "stopped" } });
    if (error.name === "DeviceError" && device !== "cpu") {
      messages.notice(t("errors.gpu", { reason: sentence(withoutAdvice(error.message)) }));
      return void open("cpu");
    }
    const isNamed = new URLSearchParams(location.search).has("model");
    const next = isMissing(error.message) && !isNamed ? withoutModel(state.site, addressOf()) : null;
    if (next) {
      messages.tell(next.problem);
      store.set({ site: next.site });
      store.settings({ model: "" });
      return void open(device);
    }
    store.set({ load: { ...state.load, phase: "failed" } });
    const isOwn = state.settings.model !== "" && !isNamed;
    const retry = isOwn ? { label: t("errors.useSite"), run: () => void use("") } : { label: t("common.again"), run: () => void open(device) };
    messages.error(loadFailure(error.message), retry);
  }

  /** Of the model to open, or "". */
  function addressOf() {
    try {
      return manifestUrl(state);
    } catch {
      return "";
    }
  }

  /** Opens another model, and remembers it for the next visit. @param {string} model its address, or "site:ID"; "" for this site's */
  async function use(model) {
    crashes = 0;
    const url = new URL(location.href);
    if (url.searchParams.has("model")) {
      url.searchParams.delete("model");
      history.replaceState(null, "", url);
    }
    store.settings({ model });
    return open(state.settings.device);
  }

  /** Starts again after a crash: first on the same device, then on the CPU. @param {Error} error */
  function recover(error) {
    const onCpu = state.info?.device.tier === "cpu";
    crashes += 1;
    // The newest notice tells where things stand; an older one would contradict it.
    messages.clear("notice");
    if (crashes === 1) {
      messages.notice(t("errors.crashed"));
      return void open(onCpu ? "cpu" : "gpu");
    }
    if (!onCpu) {
      crashes = 0;
      messages.notice(t("errors.crashedGpu"));
      return void open("cpu");
    }
    crashes = 0;
    state.session?.close();
    store.set({ session: null, load: { ...state.load, phase: "failed" } });
    messages.error(t("errors.crashedCpu", { reason: sentence(error.message) }), {
      label: t("common.again"),
      run: () => void open("cpu"),
    });
  }

  return {
    open,
    use,
    recover,
    /** What makes models; it outlives every session. @returns {Promise<Lab>} */
    lab: startedLab,
    /** What reads files; it outlives every session. @returns {Promise<Opener>} */
    opener: startedDecoder,
    cancelOpen: () => opening?.abort(),
    /** An analysis went well: earlier crashes no longer count. */
    worked: () => (crashes = 0),
    /** @param {() => void} listener called each time a session is ready */
    onReady: (listener) => void onReady.push(listener),
    /** @param {"auto" | "gpu" | "cpu"} device the person's choice */
    switchTo(device) {
      crashes = 0;
      const url = new URL(location.href);
      if (device === "auto") url.searchParams.delete("device");
      else url.searchParams.set("device", device);
      history.replaceState(null, "", url);
      store.settings({ device, rememberedDevice: device });
      return open(device);
    },
    /** @returns {Promise<Session>} the session, once there is one; rejects when loading failed or was stopped */
    whenReady() {
      return new Promise((resolve, reject) => {
        let off = () => {};
        const look = () => {
          const { phase } = state.load;
          if (phase === "loading") return;
          off();
          if (phase === "ready" && state.session) return resolve(state.session);
          const reason = new Error(t("errors.notLoadedAnalyse"));
          reason.name = "ModelError";
          reject(reason);
        };
        if (state.load.phase === "loading") off = store.on(look);
        else look();
      });
    },
  };
}
