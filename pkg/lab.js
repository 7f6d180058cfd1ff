/**
 * What a person makes in the browser: a model of a checkpoint, one with other adapters, and text features of own words, in a
 * worker and a WebAssembly module of their own.
 *
 * Comes in: files as Blobs. Goes out: what they are, and a model in the browser's private files that {@link Session.open}
 * takes. The module is fetched when the lab starts and compiled when it is first needed. If the converter ends, the call
 * that it worked on fails, and the next one starts another. Fails with a ModelError for the files, a UsageError for a wrong
 * call, and an AbortError.
 */

import { makeError, stopped } from "./errors.js";
import { Life } from "./life.js";

/** In this form bundlers see that the file is a worker. */
const startWorker = () => new Worker(new URL("./lab-worker.js", import.meta.url), { type: "module", name: "mvfa-lab" });

/** @typedef {import("./index.d.ts").NetworkRequest} NetworkRequest */
/** @typedef {import("./index.d.ts").ConvertOptions} ConvertOptions */
/** @typedef {{resolve: (value: any) => void, reject: (error: Error) => void, onProgress?: (value: any) => void}} Call */

/** Make it with {@link Lab.start}. */
export class Lab {
  #start;
  /** @type {boolean} */ #keepsSpare;
  /** @type {(requests: NetworkRequest[]) => void} */ #onRequests;
  /** @type {Worker | null} */ #worker = null;
  /** @type {Life | null} */ #life = null;
  /** A worker with its scripts, for when the first one ends. @type {Worker | null} */ #spare = null;
  /** @type {Promise<unknown>} */ #spareReady = Promise.resolve();
  /** The module, not compiled. @type {Blob | null} */ #program = null;
  /** @type {Map<number, Call>} */ #pending = new Map();
  #nextId = 1;
  #closed = false;

  /** @param {import("./index.d.ts").LabOptions} options */
  constructor(options) {
    this.#start = options.startWorker ?? startWorker;
    this.#keepsSpare = options.spares !== 0;
    this.#onRequests = options.onRequests ?? (() => {});
  }

  /**
   * Fetches what the lab needs, so that it asks for nothing later.
   * @param {import("./index.d.ts").LabOptions} [options]
   * @returns {Promise<Lab>}
   */
  static async start(options = {}) {
    const lab = new Lab(options);
    try {
      const program = lab.#call("fetch", {}, {});
      await lab.#spareReady;
      lab.#program = await program;
    } catch (error) {
      lab.close();
      throw error;
    }
    return lab;
  }

  /**
   * What some files are, and how large a model of them would be.
   * @param {(File | Blob | {blob: Blob, path: string})[]} files
   * @param {Partial<ConvertOptions>} [options] as for {@link Lab.convert}
   * @returns {Promise<import("./index.d.ts").Found>}
   */
  async inspect(files, { signal, onProgress: _, ...options } = {}) {
    return this.#call("inspect", { program: this.#program, files: named(files), options: chosen(options) }, { signal });
  }

  /**
   * Makes a model of a checkpoint, or takes a finished one in, and keeps it in the browser's private files. One that was
   * stopped goes on when it is asked for with the same files and options.
   * @param {(File | Blob | {blob: Blob, path: string})[]} files
   * @param {ConvertOptions} [options]
   * @returns {Promise<import("./index.d.ts").OwnModel>}
   */
  async convert(files, { signal, onProgress, ...options } = {}) {
    return this.#call("convert", { program: this.#program, files: named(files), options: chosen(options) }, { signal, onProgress });
  }

  /**
   * Another model with the tower of one that is here, whose files both then share: with MVFA's adapters, or without any.
   * The model that it is made of stays as it is.
   * @param {string} id
   * @param {(File | Blob | {blob: Blob, path: string})[]} files of the adapters; none: the new model has no adapters
   * @param {import("./index.d.ts").ChangeOptions} [options]
   * @returns {Promise<import("./index.d.ts").OwnModel>}
   */
  async change(id, files, { signal, onProgress, ...options } = {}) {
    return this.#call("change", { program: this.#program, id, files: named(files), options: chosen(options) }, { signal, onProgress });
  }

  /**
   * A model as one archive, for `mvfa` and for other copies of a page.
   * @param {string} id
   * @param {{signal?: AbortSignal, onProgress?: (progress: import("./index.d.ts").ConvertProgress) => void}} [options]
   * @returns {Promise<Blob>}
   */
  async export(id, options = {}) {
    return this.#call("export", { id }, options);
  }

  /** @returns {Promise<import("./index.d.ts").Memory>} */
  async memory() {
    return this.#call("memory", {}, {});
  }

  /** Ends the worker; open calls reject with an AbortError. */
  close() {
    this.#closed = true;
    this.#end(makeError("AbortError", "The lab was closed. Start a new one to go on."));
    this.#spare?.terminate();
    this.#spare = null;
  }

  /** @param {string} op @param {object} args @param {{signal?: AbortSignal, onProgress?: (value: any) => void}} options @returns {Promise<any>} */
  #call(op, args, { signal, onProgress }) {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(makeError("AbortError", "The lab was closed. Start a new one to go on."));
      if (signal?.aborted) return reject(stopped(signal));
      const id = this.#nextId++;
      // The worker answers a stop when nothing is half-written any more.
      const onAbort = () => this.#worker?.postMessage({ id: 0, op: "cancel", args: { id } });
      const settle = (/** @type {Function} */ finish) => (/** @type {any} */ value) => {
        signal?.removeEventListener("abort", onAbort);
        finish(value);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#pending.set(id, { resolve: settle(resolve), reject: settle(reject), onProgress });
      try {
        this.#ready().postMessage({ id, op, args });
      } catch (error) {
        this.#pending.delete(id);
        reject(makeError("UsageError", `The worker could not be started (${error.message}). Serve the package's files from the site of the page.`));
      }
    });
  }

  /**
   * The method's own words for an object of a model.
   * @param {string} manifest its text
   * @param {string} object
   * @returns {Promise<import("./index.d.ts").Prompts>}
   */
  async paperWords(manifest, object) {
    return this.#call("paperWords", { program: this.#program, manifest, object }, {});
  }

  /**
   * Text features of words, by the text tower of a model. What was encoded before is not encoded again.
   * @param {string} manifest its text
   * @param {{name: string, blob: Blob}[]} files of its text tower
   * @param {import("./index.d.ts").Prompts} prompts
   * @param {{signal?: AbortSignal, onProgress?: (progress: {done: number, total: number}) => void}} [options]
   * @returns {Promise<import("./index.d.ts").EncodedWords>}
   */
  async words(manifest, files, prompts, { signal, onProgress } = {}) {
    return this.#call("words", { program: this.#program, manifest, files, prompts }, { signal, onProgress });
  }

  /** The worker; a new one if the last one ended. @returns {Worker} */
  #ready() {
    if (this.#worker) return this.#worker;
    const worker = this.#spare ?? this.#start();
    this.#worker = worker;
    if (this.#keepsSpare) this.#keepSpare();
    const lost = (/** @type {string} */ message) => this.#worker === worker && this.#end(makeError("ModelError", message));
    worker.onmessage = (event) => this.#receive(event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      lost("The converter stopped unexpectedly. Close other tabs to free memory, then choose the files again.");
    };
    this.#life = new Life(worker, () => lost("The converter ended without a word. Choose the files again."));
    return worker;
  }

  /** Starts a worker that has its scripts and waits. */
  #keepSpare() {
    const spare = this.#start();
    this.#spare = spare;
    this.#spareReady = new Promise((resolve) => {
      spare.onmessage = ({ data }) => (data.requests ? this.#onRequests(data.requests) : resolve(null));
      // The next one takes its place when it is needed.
      spare.onerror = (event) => {
        event.preventDefault();
        if (this.#spare === spare) this.#spare = null;
        resolve(null);
      };
      spare.postMessage({ id: 0, op: "prepare", args: {} });
    });
  }

  /** @param {any} message an answer of the worker */
  #receive(message) {
    if (this.#life?.heard(message)) return;
    if (message.requests) return this.#onRequests(message.requests);
    if (message.fatal) return this.#end(makeError("ModelError", message.fatal));
    const call = this.#pending.get(message.id);
    if (!call) return;
    if (message.progress) return call.onProgress?.(message.progress);
    this.#pending.delete(message.id);
    if (message.ok) call.resolve(message.value);
    else call.reject(makeError(message.error.name, message.error.message));
  }

  /** The worker is of no more use. @param {Error} error what open calls reject with */
  #end(error) {
    this.#life?.end();
    this.#life = null;
    this.#worker?.terminate();
    this.#worker = null;
    const open = [...this.#pending.values()];
    this.#pending.clear();
    for (const call of open) call.reject(error);
  }
}

/**
 * What some files are, before they are converted.
 * @param {(File | Blob | {blob: Blob, path: string})[]} files
 * @param {Partial<ConvertOptions>} [options]
 * @returns {Promise<import("./index.d.ts").Found>}
 */
export async function inspect(files, options) {
  return once((lab) => lab.inspect(files, options));
}

/**
 * Makes a model of a checkpoint and keeps it in the browser's private files; {@link Session.open} takes its `url`.
 * @param {(File | Blob | {blob: Blob, path: string})[]} files
 * @param {ConvertOptions} [options]
 * @returns {Promise<import("./index.d.ts").OwnModel>}
 */
export async function convert(files, options) {
  return once((lab) => lab.convert(files, options));
}

/** @template T @param {(lab: Lab) => Promise<T>} work @returns {Promise<T>} */
async function once(work) {
  const lab = await Lab.start();
  try {
    return await work(lab);
  } finally {
    lab.close();
  }
}

/** Without what was not chosen. @param {object} options */
function chosen(options) {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** Files by their names; folders do not count. @param {(File | Blob | {blob: Blob, path: string})[]} files */
function named(files) {
  const all = files.map((given, n) => {
    const blob = given instanceof Blob ? given : given?.blob;
    if (!(blob instanceof Blob)) throw makeError("UsageError", "A file must be given as a Blob or File, or as { blob, path }. Wrap raw bytes in new Blob([bytes]).");
    const path = given instanceof File ? given.name : given instanceof Blob ? `file ${n + 1}` : String(given.path);
    return { name: path.slice(path.lastIndexOf("/") + 1), blob };
  });
  const twice = all.find(({ name }, n) => all.findIndex((other) => other.name === name) < n);
  if (twice) throw makeError("UsageError", `Two of the files are called ${twice.name}. Give only those that belong together.`);
  return all;
}
