/**
 * Medical anomaly detection in a browser tab: the JavaScript side of the package.
 *
 * Comes in: files as Blobs. Goes out: decoded pixels, scores, anomaly maps, rendered overlays.
 * All WebAssembly and GPU work happens in module workers: files are read in one of their own (opener.js), the model runs in
 * another (worker.js). This file only sends messages, so that the page stays free to paint. It fails with an Error whose `name` is one of
 * AbortError, ImageError, ModelError, DeviceError, UsageError, and whose message ends in a next step.
 */

import { makeError, stopped } from "./errors.js";
import { workerCount } from "./helpers.js";
import { Life } from "./life.js";
import { SharedOpener } from "./opener.js";
import { OneWindow, isAutomatic } from "./window.js";
import { Lab } from "./lab.js";
import { rowsOf, strongestPatches } from "./words.js";

export { Lab, convert, inspect } from "./lab.js";
export { Opener } from "./opener.js";
export { deleteOwnModel, deleteOwnModels, ownModelCard, ownModels, renameOwnModel } from "./own.js";
export { Pool } from "./pool.js";
export { watchRequests } from "./requests.js";
export { holdWorker, startUnderPagePolicy } from "./start.js";
export { deleteStoredModels, storedModelBytes } from "./storage.js";
export { patchValues, strongestPatches } from "./words.js";

/** In this form bundlers see that the file is a worker. */
const startWorker = () => new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "mvfa-model" });

/** One model, loaded in one worker. Make it with {@link Session.open}. */
export class Session {
  /** @type {Worker} */ #worker;
  /** @type {Map<number, {resolve: Function, reject: Function, onProgress?: Function}>} */ #pending = new Map();
  #nextId = 1;
  #requests = 0;
  /** @type {Error | null} */ #end = null;
  /** @type {(requests: import("./index.d.ts").NetworkRequest[]) => void} */ #onRequests;
  /** @type {(error: Error) => void} */ #onLost;
  #start;
  /** @type {Life} */ #life;
  /** When the model was ready, in ms since the epoch. */ #readyMs = Infinity;
  /** Anything was heard of the worker. */ #heard = false;
  #url = "";
  /** What a twin needs of this one. @type {{program: import("./index.d.ts").Program, manifest: string} | null} */ #given = null;
  /** What reads files. @type {SharedOpener | null} */ #files = null;
  /** Calls of the engine go out in their order, although files are opened before. @type {Promise<unknown>} */ #order = Promise.resolve();
  /** Workers with their scripts and nothing else. @type {Session[]} */ #spares = [];
  /** The window of the normal pictures that were added as files. */ #window = new OneWindow();
  /** A person's own words in force, by object. @type {Map<string, import("./index.d.ts").EncodedWords>} */ #words = new Map();
  /** What encodes words, if it is the session's own. @type {Promise<Lab> | null} */ #lab = null;

  /** What the model is and where it runs. @type {import("./index.d.ts").SessionInfo} */
  info;

  /** @param {import("./index.d.ts").OpenOptions} options */
  constructor(options) {
    this.#onRequests = options.onRequests ?? (() => {});
    this.#onLost = options.onLost ?? (() => {});
    this.#start = options.startWorker ?? startWorker;
    try {
      this.#worker = this.#start();
    } catch (error) {
      throw makeError("UsageError", `The worker could not be started (${error.message}). Serve the package's files from the site of the page.`);
    }
    this.#worker.onmessage = (event) => this.#receive(event.data);
    // A trap, a failed worker script, or an answer that cannot be read: nothing more will come from this worker.
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#lose(this.#heard
        ? "The part that runs the model stopped unexpectedly. Open the model again, if need be on the CPU."
        : "The program's files could not be fetched. Check the connection and try again.");
    };
    this.#worker.onmessageerror = () => {
      this.#lose("An answer of the part that runs the model could not be read. Open the model again.");
    };
    this.#life = new Life(this.#worker, () => this.#lose("The part that runs the model ended without a word. Open the model again."));
  }

  /**
   * Loads a model and gets a device ready.
   * @param {string | URL} manifestUrl where manifest.json lies, relative to the page or absolute; or the `url` of an own model
   * @param {import("./index.d.ts").OpenOptions} [options]
   * @returns {Promise<Session>}
   */
  static async open(manifestUrl, options = {}) {
    const { device = "auto", onProgress, signal, twins = false, words = false } = options;
    if (!["auto", "cpu", "gpu"].includes(device)) {
      throw makeError("UsageError", `The device "${device}" is unknown. Use "auto", "cpu" or "gpu".`);
    }
    if (signal?.aborted) throw stopped(signal);
    const url = absolute(manifestUrl);
    const session = new Session(options);
    session.#url = url;
    session.#files = session.#filesOf(options);
    if (twins && device !== "gpu") session.#prepareSpares();
    try {
      const prepared = session.#spares.map((spare) => spare.#call("prepare", {}).catch(() => spare.close()));
      const { info, given } = await session.#call("open", { manifestUrl: url, device, words }, { onProgress, signal });
      Object.assign(session, { info });
      session.#given = given;
      session.#readyMs = nowMs();
      await Promise.all([...prepared, session.#files.opener]);
      session.#keepSpares(info.device.tier === "cpu" ? workerCount(info.weightBytes, Infinity) - 1 : 0);
    } catch (error) {
      session.close();
      throw error;
    }
    return session;
  }

  /**
   * The same model in another worker, to share pictures with: the compiled program and the manifest come from this
   * session, also after it ended, and the model's files from the browser's storage. If the session was opened with
   * `twins`, nothing is fetched then. Normal pictures are not taken along.
   * @param {{onRequests?: (requests: import("./index.d.ts").NetworkRequest[]) => void}} [options]
   * @returns {Promise<Session>}
   */
  async twin({ onRequests = () => {} } = {}) {
    if (!this.#given) throw this.#end ?? makeError("UsageError", "The session is not open yet. Wait for it.");
    const twin = this.#spares.pop() ?? new Session({ startWorker: this.#start });
    twin.#onRequests = onRequests;
    twin.#url = this.#url;
    twin.#files = this.#files?.share() ?? twin.#filesOf({});
    try {
      const device = this.info.device.tier === "cpu" ? "cpu" : "gpu";
      const { info, given } = await twin.#call("open", { manifestUrl: this.#url, device, given: this.#given });
      Object.assign(twin, { info });
      twin.#given = given;
      twin.#readyMs = nowMs();
    } catch (error) {
      twin.close();
      throw error;
    }
    return twin;
  }

  /** The opener that was given, else one of its own. @param {import("./index.d.ts").OpenOptions} options */
  #filesOf({ opener }) {
    return opener ? new SharedOpener(Promise.resolve(/** @type {any} */ (opener))) : SharedOpener.own({ onRequests: (requests) => this.#count(requests) });
  }

  /** As many workers as a small model could use; how large this one is comes later. */
  #prepareSpares() {
    const options = { startWorker: this.#start, onRequests: (requests) => this.#onRequests(requests) };
    this.#spares = Array.from({ length: workerCount(0, Infinity) - 1 }, () => new Session(options));
  }

  /** @param {number} count */
  #keepSpares(count) {
    const whole = this.#spares.filter(({ ended }) => !ended);
    this.#spares = whole.splice(0, count);
    for (const spare of whole) spare.close();
  }

  /** The text of the model's manifest, once it is open. */
  get manifestText() {
    if (!this.#given) throw this.#end ?? makeError("UsageError", "The session is not open yet. Wait for it.");
    return this.#given.manifest;
  }

  /** Network requests made by the worker since the model was ready. */
  get requests() {
    return this.#requests;
  }

  /** True once the session is closed or lost; every call then rejects. */
  get ended() {
    return this.#end !== null;
  }

  /**
   * Reads a picture file as it will be analysed.
   * @param {Blob} blob
   * @param {{window?: string}} [options] `window`: "auto" (default), "pil" or "CENTER,WIDTH", for pictures deeper than 8 bits
   * @returns {Promise<import("./index.d.ts").Decoded>}
   */
  async decode(blob, { window } = {}) {
    return this.#call("decode", { ...(await this.#source(blob)), window });
  }

  /**
   * The data sets among files, and what their folders are taken for.
   * @param {string[]} paths as `webkitRelativePath` has them
   * @returns {Promise<import("./index.d.ts").DataSet[]>}
   */
  async dataSets(paths) {
    return this.#call("dataSets", { paths });
  }

  /**
   * Adds a normal picture to compare with.
   * @param {Blob | Pick<import("./index.d.ts").Decoded, "input">} picture a file, or what `decode` made of it
   * @param {{label?: "normal" | "abnormal", name?: string, window?: string}} [options]
   * @returns {Promise<number>} its id
   */
  async addSupport(picture, { label = "normal", name, window } = {}) {
    if (label !== "normal") {
      throw makeError("UsageError", `Pictures to compare with must be normal ones, not "${label}". Leave out the label or use "normal".`);
    }
    try {
      const { id, spread } = await this.#inOrder("addSupport", async () => ({ ...(await this.#source(picture)), window }));
      if (isAutomatic(window)) this.#window.add(id, /** @type {Blob} */ (picture), spread);
      return id;
    } catch (error) {
      throw name && error instanceof Error ? makeError(error.name, `${name}: ${error.message}`) : error;
    }
  }

  /**
   * A normal picture that is not here, of which another session of the model kept rows and facts: `viewRows` and
   * `supportFacts` there, `giveView` and this here.
   * @param {import("./index.d.ts").SupportFacts} facts
   * @returns {Promise<number>} its id
   */
  async addRemembered({ pixels, brightness }) {
    return this.#inOrder("addRemembered", async () => ({ pixels, brightness }));
  }

  /** What describes a normal picture beside its rows. @param {number} id @returns {Promise<import("./index.d.ts").SupportFacts | undefined>} */
  async supportFacts(id) {
    return this.#inOrder("supportFacts", async () => ({ id }));
  }

  /** Takes one normal picture out again. @param {number} id @returns {Promise<void>} */
  async removeSupport(id) {
    this.#window.remove(id);
    await this.#inOrder("removeSupport", async () => ({ id }));
  }

  /** Takes all normal pictures out. @returns {Promise<void>} */
  async clearSupport() {
    this.#window.clear();
    await this.#inOrder("clearSupport", async () => ({}));
  }

  /**
   * Looks for what is unusual in a picture.
   * @param {Blob | import("./index.d.ts").DecodedInput} picture a file, or what `decode` made of it, which is not decoded again
   * @param {import("./index.d.ts").AnalyseOptions} options
   * @returns {Promise<import("./index.d.ts").Result>}
   */
  async analyse(picture, { object, mode, method, augment, bankRows, bilateral, axis, among, window, leaveOut, signal, onProgress } = /** @type {any} */ ({})) {
    if (this.info && !this.info.objects.some(({ id }) => id === object)) {
      const known = this.info.objects.map(({ id }) => id).join(", ");
      throw makeError("UsageError", `The object "${object}" is unknown. Use one of: ${known}.`);
    }
    if (augment !== undefined && augment !== "none" && augment !== "mvfa") {
      throw makeError("UsageError", `The augmentation "${augment}" is unknown. Use "none" or "mvfa".`);
    }
    if (mode !== "zero" && mode !== "few" && mode !== "self" && mode !== "batch") {
      throw makeError("UsageError", `The mode "${mode}" is unknown. Use "zero", "few", "self" or "batch".`);
    }
    if (bankRows !== undefined && !(Number.isInteger(bankRows) && bankRows > 0)) {
      throw makeError("UsageError", `bankRows must be a whole number from 1 upwards, not ${bankRows}. Leave it out to keep every row.`);
    }
    // A decoded picture has been seen through its window already.
    if (mode === "few" && picture instanceof Blob && isAutomatic(window) && this.#window.isNeeded) {
      const replace = async (id, blob, window) => this.#call("replaceSupport", { id, ...(await this.#source(blob)), window });
      window = await this.#window.settle(this, replace);
    }
    const size = !(picture instanceof Blob) && picture.width && picture.height ? [picture.width, picture.height] : undefined;
    // A key without a value is not the same as no key to the module.
    const options = { object, mode, method, augment, bankRows, bilateral, axis: axis ?? "middle", among, window, leaveOut: leaveOut ?? [], size };
    return this.#inOrder("analyse", async () => ({ ...(await this.#source(picture, signal)), options }), { signal, onProgress });
  }

  /**
   * Views of the normal pictures that the next few-shot analysis would encode before anything else.
   * @param {{augment?: import("./index.d.ts").Augment}} [options] as for {@link Session.analyse}
   * @returns {Promise<{id: number, view: number}[]>}
   */
  async lackingViews({ augment } = {}) {
    return this.#inOrder("lackingViews", async () => ({ augment }));
  }

  /**
   * What a view of a normal picture is encoded to, for other sessions of the same model; encoded now if missing.
   * @param {{id: number, view: number}} view
   * @param {{augment?: import("./index.d.ts").Augment, signal?: AbortSignal, onProgress?: Function}} [options]
   * @returns {Promise<Float32Array[]>}
   */
  async viewRows({ id, view }, { augment, signal, onProgress } = {}) {
    return this.#inOrder("viewRows", async () => ({ id, view, augment }), { signal, onProgress });
  }

  /**
   * Takes what another session of the same model encoded a view to.
   * @param {{id: number, view: number}} view
   * @param {Float32Array[]} rows
   * @param {{augment?: import("./index.d.ts").Augment}} [options] as the other session was asked
   */
  async giveView({ id, view }, rows, { augment } = {}) {
    await this.#inOrder("giveView", async () => ({ id, view, rows, augment }));
  }

  /**
   * The tower's raw block tokens, for people who build on it.
   * @param {Float32Array} planes 3 × side × side values in 0..1, side as in `info.sizePx`
   * @param {{signal?: AbortSignal, onProgress?: Function}} [options]
   * @returns {Promise<Float32Array[]>} tokens × width values for each level, class token first
   */
  async tokens(planes, { signal, onProgress } = {}) {
    return this.#call("tokens", { planes }, { signal, onProgress });
  }

  /**
   * The words that an object is compared with: a person's own, else the paper's for it.
   * @param {string} object
   * @param {import("./index.d.ts").WordOptions} [options]
   * @returns {Promise<import("./index.d.ts").Prompts>}
   */
  async promptsOf(object, { lab } = {}) {
    this.#known(object);
    const own = this.#words.get(object);
    return structuredClone(own ? own.prompts : await (await this.#labOf(lab)).paperWords(this.manifestText, object));
  }

  /**
   * Puts words in the place of an object's; with null its own come back, bit by bit. Only the text is encoded: a picture that
   * was just compared with words is not encoded again.
   * @param {string} object
   * @param {import("./index.d.ts").Prompts | null} prompts
   * @param {import("./index.d.ts").EncodeOptions} [options]
   * @returns {Promise<import("./index.d.ts").SetPrompts>}
   */
  async setPrompts(object, prompts, options = {}) {
    this.#known(object);
    const begunMs = performance.now();
    const encoded = prompts && (await this.encodePrompts(prompts, options));
    const applied = !encoded || encoded.words !== null;
    if (applied) await this.useWords(object, encoded);
    return { applied, prompts: encoded && encoded.prompts, problems: encoded ? encoded.problems : [], ms: performance.now() - begunMs };
  }

  /**
   * What words come to, for {@link Session.useWords} of this session and of others of the model.
   * @param {import("./index.d.ts").Prompts} prompts
   * @param {import("./index.d.ts").EncodeOptions} [options]
   * @returns {Promise<import("./index.d.ts").EncodedWords>}
   */
  async encodePrompts(prompts, { lab, signal, onProgress } = {}) {
    if (this.info && this.info.textBytes === null) {
      throw makeError("UsageError", "This model cannot take words of your own: it has no text part that goes with its adapters. Use its own words, or compare with normal images.");
    }
    const reader = await this.#labOf(lab);
    return reader.words(this.manifestText, await this.#call("textFiles", {}, { signal }), prompts, { signal, onProgress });
  }

  /**
   * Compares an object with words that were encoded, from the next call on; null brings the model's own back.
   * @param {string} object
   * @param {import("./index.d.ts").EncodedWords | null} encoded
   */
  async useWords(object, encoded) {
    this.#known(object);
    if ((this.#words.get(object) ?? null) === encoded) return;
    if (encoded && !encoded.words) throw makeError("UsageError", "These words were not encoded: something is wrong in them. Look at their problems.");
    await this.#inOrder("setWords", async () => ({ object, features: encoded?.words?.features, columns: encoded?.words?.columns ?? 0, prompts: encoded?.prompts }));
    if (encoded) this.#words.set(object, encoded);
    else this.#words.delete(object);
  }

  /**
   * Which words a place of the map resembles, and by how much.
   * @param {Blob | import("./index.d.ts").DecodedInput} picture the one that the result is of
   * @param {import("./index.d.ts").Result} result of the mode "zero"
   * @param {import("./index.d.ts").TableOptions} [options]
   * @returns {Promise<import("./index.d.ts").WordRow[]>} the most alike first
   */
  async wordTable(picture, result, { patches = strongestPatches(result), lab, signal, onProgress } = {}) {
    const { object } = result;
    this.#known(object);
    const encoded = this.#words.get(object) ?? (await this.encodePrompts(await this.promptsOf(object, { lab }), { lab, signal }));
    const { lines, dim } = /** @type {import("./index.d.ts").TextFeatures} */ (encoded.words);
    const marks = new Uint8Array(result.levels[0]?.length ?? 0);
    for (const patch of patches) marks[patch] = 1;
    const count = lines.length / dim;
    const found = await this.#inOrder("similarities", async () => ({ ...(await this.#source(picture, signal)), object, lines, count, patches: marks }), { signal, onProgress });
    return rowsOf(encoded.prompts, found);
  }

  /** @param {string} object */
  #known(object) {
    if (!this.info || this.info.objects.some(({ id }) => id === object)) return;
    throw makeError("UsageError", `The object "${object}" is unknown. Use one of: ${this.info.objects.map(({ id }) => id).join(", ")}.`);
  }

  /** The lab that was given, else one of its own. @param {any} [lab] @returns {Promise<Lab>} */
  async #labOf(lab) {
    if (lab) return lab;
    if (this.#end) throw this.#end;
    this.#lab ??= Lab.start({ onRequests: (requests) => this.#count(requests) });
    // The next try starts another.
    this.#lab.catch(() => (this.#lab = null));
    return this.#lab;
  }

  /**
   * How the grey values of a normal picture are spread, padding left out; null where no window applies.
   * @param {Blob} blob
   * @returns {Promise<import("./index.d.ts").GreySpread | null>}
   */
  async greySpread(blob) {
    return this.#call("greySpread", await this.#source(blob));
  }

  /**
   * The window that pictures have together; null without any.
   * @param {import("./index.d.ts").GreySpread[]} spreads
   * @returns {Promise<import("./index.d.ts").SharedWindow | null>}
   */
  async sharedWindow(spreads) {
    return this.#call("sharedWindow", { spreads });
  }

  /**
   * Turns a map into pixels and outlines.
   * @param {Float32Array} map side × side values
   * @param {number} side
   * @param {import("./index.d.ts").RenderOptions} options
   * @returns {Promise<import("./index.d.ts").Rendered>}
   */
  async render(map, side, { lo, hi, threshold, colourMap }) {
    return this.#call("render", { map, side, lo, hi, threshold, colourMap });
  }

  /**
   * Memory of the program in the worker, weights on the processor included and on a graphics device not.
   * @returns {Promise<import("./index.d.ts").Memory>}
   */
  async memory() {
    return this.#call("memory", {});
  }

  /** Ends the worker. Calls still open reject with an AbortError. */
  close() {
    this.#finish(makeError("AbortError", "The session was closed. Open a new one to go on."));
    // Not where it was lost: twins may follow.
    this.#files?.leave();
    this.#files = null;
  }

  /**
   * What the engine reads of a picture: a Blob is opened first, unless it is decoded already.
   * @param {any} picture @param {AbortSignal} [signal]
   * @returns {Promise<{blob?: Blob, input?: Uint8Array}>}
   */
  async #source(picture, signal) {
    if (this.#end) throw this.#end;
    if (picture?.input instanceof Uint8Array) return { input: picture.input };
    if (!(picture instanceof Blob)) throw makeError("UsageError", "A picture must be given as a Blob or File. Wrap raw bytes in new Blob([bytes]).");
    const opener = await /** @type {SharedOpener} */ (this.#files).opener;
    return { blob: await opener.picture(picture, { signal }) };
  }

  /**
   * A request about the engine, sent after those that were asked for before.
   * @param {string} op
   * @param {() => Promise<object>} prepare what it needs, begun at once
   * @param {{signal?: AbortSignal, onProgress?: Function}} [options]
   * @returns {Promise<any>}
   */
  async #inOrder(op, prepare, options) {
    const args = prepare();
    const sent = Promise.allSettled([this.#order, args]).then(async () => ({ answer: this.#call(op, await args, options) }));
    this.#order = sent;
    return (await sent).answer;
  }

  /**
   * Sends one request and waits for its answer.
   * @param {string} op
   * @param {object} args
   * @param {{signal?: AbortSignal, onProgress?: Function}} [options]
   * @returns {Promise<any>}
   */
  #call(op, args, { signal, onProgress } = {}) {
    return new Promise((resolve, reject) => {
      if (this.#end) return reject(this.#end);
      if (signal?.aborted) return reject(stopped(signal));
      const id = this.#nextId++;
      // The caller is free at once; the worker ends the work at its next pause and its late answer is dropped.
      const onAbort = () => {
        this.#pending.delete(id);
        this.#worker.postMessage({ id: 0, op: "cancel", args: { id } });
        reject(stopped(/** @type {AbortSignal} */ (signal)));
      };
      const settle = (finish) => (value) => {
        signal?.removeEventListener("abort", onAbort);
        finish(value);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#pending.set(id, { resolve: settle(resolve), reject: settle(reject), onProgress });
      this.#worker.postMessage({ id, op, args });
    });
  }

  /** @param {import("./index.d.ts").NetworkRequest[]} requests of a worker of this session */
  #count(requests) {
    this.#requests += requests.filter(({ atMs, blocked }) => atMs > this.#readyMs && !blocked).length;
    this.#onRequests(requests);
  }

  /** @param {any} message an answer of the worker */
  #receive(message) {
    this.#heard = true;
    if (this.#life.heard(message)) return;
    if (message.fatal) return this.#lose(message.fatal);
    if (message.requests) return this.#count(message.requests);
    const call = this.#pending.get(message.id);
    if (!call) return;
    if (message.progress) return call.onProgress?.(message.progress);
    this.#pending.delete(message.id);
    if (message.ok) call.resolve(message.value);
    else call.reject(makeError(message.error.name, message.error.message));
  }

  /** The worker is gone without being asked. @param {string} message */
  #lose(message) {
    if (this.#end) return;
    const error = makeError("DeviceError", message);
    this.#finish(error);
    this.#onLost(error);
  }

  /** @param {Error} error what open and later calls reject with */
  #finish(error) {
    if (this.#end) return;
    this.#end = error;
    this.#life.end();
    this.#worker.terminate();
    this.#keepSpares(0);
    void this.#lab?.then((lab) => lab.close(), () => {});
    const open = [...this.#pending.values()];
    this.#pending.clear();
    for (const call of open) call.reject(error);
  }
}

/** Milliseconds since the epoch, as exact as the browser reports them. */
function nowMs() {
  return performance.timeOrigin + performance.now();
}

/** @param {string | URL} url relative to the page, in a worker to the worker @returns {string} */
function absolute(url) {
  try {
    return new URL(url, globalThis.document?.baseURI ?? globalThis.location.href).href;
  } catch {
    throw makeError("UsageError", `"${url}" is no address of a manifest.json. Give its path on this site.`);
  }
}
