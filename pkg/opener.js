/**
 * Picture files to series of frames, in a worker and a WebAssembly module of their own.
 *
 * Comes in: files as Blobs. Goes out: descriptions of series, and single frames as raw pictures: Blobs that every call of the
 * package takes in the place of a picture file. A file that ends the decoder, fills its memory or keeps it busy for too
 * long costs that file alone: the Blobs are kept here, so another worker goes on with the others, and what was opened
 * before stays. Workers that wait have their scripts and get the compiled program by message, so nothing is fetched for
 * the first restarts. Fails with an ImageError for a file, a UsageError for a wrong call, an AbortError, and a DeviceError
 * if no worker can be started any more.
 */

import { makeError, stopped } from "./errors.js";
import { Life } from "./life.js";

/** In this form bundlers see that the file is a worker. */
const startWorker = () => new Worker(new URL("./formats-worker.js", import.meta.url), { type: "module", name: "mvfa-formats" });

/** The type of Blobs that are decoded already. */
const RAW_PICTURE = "application/x-mvfa-picture";
/** Workers that wait with their scripts. */
const SPARES = 2;
/** The longest that one step of the decoder may take. The largest picture takes a tenth of it on a slow machine. */
const TIMEOUT_MS = 120_000;

/** The longest that a cancelled step may go on. */
const CANCEL_MS = 1_000;

/** @typedef {import("./index.d.ts").SeriesInfo} SeriesInfo */
/** @typedef {import("./index.d.ts").NetworkRequest} NetworkRequest */
/** A file that was opened. @typedef {{blob: Blob, path: string, pixels: number | null, uses: number}} Opened */
/** What a series is made of. @typedef {{info: SeriesInfo, places: Uint32Array}} Held */
/** @typedef {{op: string, args: any, resolve: (value: any) => void, reject: (error: Error) => void, onProgress?: (value: any) => void}} Call */

/** Whether a Blob is a decoded picture. @param {Blob} blob */
export const isRawPicture = (blob) => blob.type === RAW_PICTURE;

/** One decoder. Make it with {@link Opener.start}. */
export class Opener {
  #start;
  #timeoutMs;
  /** @type {(requests: NetworkRequest[]) => void} */ #onRequests;
  /** @type {Worker | null} */ #worker = null;
  /** @type {Life | null} */ #life = null;
  /** @type {{worker: Worker, life: Life}[]} */ #spares = [];
  /** Every worker that was not ended yet. @type {Set<Worker>} */ #workers = new Set();
  /** The compiled program. @type {WebAssembly.Module | undefined} */ #program;
  /** @type {Map<number, Call>} */ #pending = new Map();
  #nextId = 1;
  /** What the worker touched last. @type {{id: number, file: number | null} | null} */ #touched = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  /** @type {Map<number, Opened>} */ #files = new Map();
  /** @type {Map<number, Held>} */ #series = new Map();
  #nextFile = 1;
  #nextSeries = 1;
  #closed = false;

  /** @param {import("./index.d.ts").OpenerOptions} options */
  constructor(options) {
    this.#start = options.startWorker ?? startWorker;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#onRequests = options.onRequests ?? (() => {});
  }

  /**
   * Gets the decoder ready.
   * @param {import("./index.d.ts").OpenerOptions} [options]
   * @returns {Promise<Opener>}
   */
  static async start(options = {}) {
    const { signal } = options;
    if (signal?.aborted) throw stopped(signal);
    const opener = new Opener(options);
    try {
      opener.#use(opener.#newWorker());
      const waiting = Array.from({ length: options.spares ?? SPARES }, () => opener.#spare());
      opener.#program = await opener.#call("start", {}, { signal });
      await Promise.all(waiting);
    } catch (error) {
      opener.close();
      throw error;
    }
    return opener;
  }

  /**
   * Opens files: what belongs together becomes one series. A file that is refused never stops the others.
   * @param {(File | Blob | {blob: Blob, path: string})[]} files
   * @param {{signal?: AbortSignal, onProgress?: (done: number, total: number) => void}} [options]
   * @returns {Promise<import("./index.d.ts").OpenedFiles>}
   */
  async open(files, { signal, onProgress } = {}) {
    let entries = files.map((given) => ({ file: this.#nextFile++, ...entryOf(given) }));
    const paths = new Map(entries.map(({ file, path }) => [file, path]));
    const blobs = new Map(entries.map(({ file, blob }) => [file, blob]));
    /** @type {{file: number, message: string}[]} */
    const lost = [];
    const visible = entries.filter(({ path }) => !isHidden(nameOf(path)));
    if (visible.length > 0) entries = visible;
    let answer;
    while (answer === undefined) {
      const gone = lost.length;
      const progress = ({ done, total }) => onProgress?.(done + gone, total + gone);
      try {
        answer = await this.#call("open", { entries }, { signal, onProgress: progress });
      } catch (error) {
        const file = culprits.get(error);
        if (file === undefined) throw error;
        lost.push({ file, message: error.message });
        entries = entries.filter((entry) => entry.file !== file);
      }
    }
    const { series, refused, passed, pairs } = answer;
    const hidesAll = series.length === 0 && refused.length + lost.length === 0;
    const named = [...lost, ...refused, ...(hidesAll ? passed : [])];
    const notes = hidesAll || passed.length === 0 ? [] : [passedOver(passed.length)];
    return {
      series: series.map((found) => this.#keep(found, paths, blobs, pairs)),
      refused: named.map(({ file, message }) => ({ name: nameOf(paths.get(file) ?? ""), path: paths.get(file) ?? "", message })),
      notes,
      passed: hidesAll ? [] : passed.map((/** @type {{file: number}} */ { file }) => paths.get(file) ?? ""),
    };
  }

  /**
   * Decodes a frame.
   * @param {number} seriesId
   * @param {number} index from 0, within its volume
   * @param {{axis?: "axial" | "coronal" | "sagittal", volume?: number, signal?: AbortSignal}} [options]
   * @returns {Promise<Blob>} a raw picture
   */
  async frame(seriesId, index, { axis = "axial", volume = 0, signal } = {}) {
    const held = this.#series.get(seriesId);
    if (!held) throw makeError("UsageError", `There is no series ${seriesId}. Use an id that open returned, and not after its release.`);
    const { info, places } = held;
    const across = info.axes[axis];
    if (!across) throw makeError("UsageError", `The series has no ${axis} slices. Use one of: ${Object.keys(info.axes).join(", ")}.`);
    const isInside = (n, count) => Number.isInteger(n) && n >= 0 && n < count;
    if (!isInside(index, across.frames)) throw makeError("UsageError", `There is no frame ${index}. Use 0 to ${across.frames - 1}.`);
    if (!isInside(volume, info.volumes)) throw makeError("UsageError", `There is no volume ${volume}. Use 0 to ${info.volumes - 1}.`);
    const place = 2 * (volume * info.frames + index);
    // A volume is one file, whichever way it is cut.
    const [file, frame] = info.axes.coronal ? [places[0], index] : [places[place], places[place + 1]];
    const { blob, pixels } = /** @type {Opened} */ (this.#files.get(file));
    const other = pixels === null ? null : (this.#files.get(pixels)?.blob ?? null);
    return this.#call("frame", { file, frame, axis, volume, blob, pixels: other }, { signal });
  }

  /**
   * One file as one raw picture: of a volume the middle slice, of several frames the first, and a note that says so.
   * @param {Blob} blob
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<Blob>}
   */
  async picture(blob, { signal } = {}) {
    if (isRawPicture(blob)) return blob;
    return this.#call("picture", { blob }, { signal });
  }

  /**
   * Writes a file about a series, or about one map.
   * @param {number | null} seriesId null for what is about a map alone
   * @param {import("./index.d.ts").WriteRequest} request
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<Uint8Array<ArrayBuffer>>}
   */
  async write(seriesId, request, { signal } = {}) {
    const held = seriesId === null ? null : this.#series.get(seriesId);
    if (held === undefined) throw makeError("UsageError", `There is no series ${seriesId}. Use an id that open returned, and not after its release.`);
    const { kind, slices, values } = request;
    const wanted = held && kind === "capture" ? 4 * held.info.width * held.info.height * (slices?.length ?? 0) : values.length;
    if (values.length !== wanted) throw makeError("UsageError", `The pictures have ${values.length} bytes, expected ${wanted}: red, green, blue and alpha of each pixel.`);
    const entries = [...(held ? filesOf(held.places) : [])].flatMap((file) => {
      const { pixels } = /** @type {Opened} */ (this.#files.get(file));
      return pixels === null ? [file] : [file, pixels];
    }).map((file) => {
      const { blob, path } = /** @type {Opened} */ (this.#files.get(file));
      return { file, blob, path };
    });
    return this.#call("write", { ...request, entries }, { signal });
  }

  /** Forgets a series and its files. @param {number} seriesId @returns {Promise<void>} */
  async release(seriesId) {
    const held = this.#series.get(seriesId);
    if (!held) return;
    this.#series.delete(seriesId);
    const files = [...filesOf(held.places)].filter((file) => this.#drop(file));
    await this.#call("forget", { files });
  }

  /** Ends the worker. Calls still open reject with an AbortError. */
  close() {
    this.#closed = true;
    this.#end();
    for (const { life } of this.#spares.splice(0)) life.end();
    for (const worker of this.#workers) worker.terminate();
    this.#rejectAll(closedError());
    this.#files.clear();
    this.#series.clear();
  }

  /**
   * @param {any} found as the worker described it
   * @param {Map<number, string>} paths @param {Map<number, Blob>} blobs @param {Map<number, number>} pairs
   * @returns {SeriesInfo}
   */
  #keep({ places, ...described }, paths, blobs, pairs) {
    const own = filesOf(places);
    for (const file of own) {
      const pixels = pairs.get(file) ?? null;
      for (const one of pixels === null ? [file] : [file, pixels]) {
        const known = this.#files.get(one);
        if (known) known.uses += 1;
        else this.#files.set(one, { blob: /** @type {Blob} */ (blobs.get(one)), path: paths.get(one) ?? "", pixels: one === file ? pixels : null, uses: 1 });
      }
    }
    const path = paths.get(places[0]) ?? "";
    const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    const name = own.size > 1 && folder ? nameOf(folder) : nameOf(path);
    const files = Array.from({ length: places.length / 2 }, (_, n) => ({ path: paths.get(places[2 * n]) ?? "", frame: places[2 * n + 1] }));
    const info = { id: this.#nextSeries++, name, path, ...described, files };
    this.#series.set(info.id, { info, places });
    return info;
  }

  /** One use of a file less. @param {number} file @returns {boolean} whether it is gone */
  #drop(file) {
    const known = this.#files.get(file);
    if (!known) return true;
    known.uses -= 1;
    if (known.uses > 0) return false;
    this.#files.delete(file);
    if (known.pixels !== null) this.#drop(known.pixels);
    return true;
  }

  /** @returns {Worker} */
  #newWorker() {
    try {
      const worker = this.#start();
      this.#workers.add(worker);
      return worker;
    } catch (error) {
      throw makeError("UsageError", `The worker that reads files could not be started (${error.message}). Serve the package's files from the site of the page.`);
    }
  }

  /** @param {Worker} worker */
  #stop(worker) {
    worker.terminate();
    this.#workers.delete(worker);
  }

  /** Starts a worker that waits; resolves when it has its scripts. Whoever needs one that is gone starts another. */
  async #spare() {
    const worker = this.#newWorker();
    const gone = () => {
      life.end();
      this.#spares = this.#spares.filter((spare) => spare.worker !== worker);
      this.#stop(worker);
    };
    const life = new Life(worker, gone);
    const isReady = await new Promise((resolve) => {
      worker.onmessage = ({ data }) => {
        if (life.heard(data)) return;
        if (data.requests) this.#onRequests(data.requests);
        else resolve(data.ok);
      };
      worker.onerror = (event) => {
        event.preventDefault();
        resolve(false);
      };
      worker.postMessage({ id: 0, op: "scripts", args: {} });
    });
    if (isReady && !this.#closed) this.#spares.push({ worker, life });
    else gone();
  }

  /** @param {Worker} worker becomes the one that works */
  #use(worker) {
    this.#worker = worker;
    let heard = false;
    worker.onmessage = ({ data }) => {
      heard = true;
      this.#receive(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (heard) return this.#lose("made the program that reads files stop");
      this.#end();
      this.#rejectAll(makeError("ModelError", "The program that reads files could not be fetched. Check the connection and try again."));
    };
    worker.onmessageerror = () => this.#lose("gave an answer that could not be read");
    this.#life = new Life(worker, () => this.#lose("made the program that reads files end without a word"));
  }

  /**
   * @param {string} op @param {any} args
   * @param {{signal?: AbortSignal, onProgress?: (value: any) => void}} [options]
   * @returns {Promise<any>}
   */
  #call(op, args, { signal, onProgress } = {}) {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closedError());
      if (signal?.aborted) return reject(stopped(signal));
      const id = this.#nextId++;
      const onAbort = () => {
        this.#pending.delete(id);
        this.#worker?.postMessage({ id: 0, op: "cancel", args: { id } });
        // A worker that does not hear, because it is busy with it, makes room for the next one.
        setTimeout(() => this.#touched?.id === id && this.#restart(), CANCEL_MS);
        this.#watch();
        reject(stopped(/** @type {AbortSignal} */ (signal)));
      };
      const settle = (finish) => (value) => {
        signal?.removeEventListener("abort", onAbort);
        finish(value);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#pending.set(id, { op, args, resolve: settle(resolve), reject: settle(reject), onProgress });
      if (this.#worker) this.#worker.postMessage({ id, op, args });
      else this.#restart();
      this.#watch();
    });
  }

  /** @param {any} message of the worker */
  #receive(message) {
    if (this.#life?.heard(message)) return;
    if (message.requests) return this.#onRequests(message.requests);
    if (message.fatal) return this.#lose(`made the program that reads files stop (${message.fatal})`);
    this.#watch();
    const call = this.#pending.get(message.id);
    if (message.progress) {
      this.#touched = { id: message.id, file: message.progress.file };
      return call?.onProgress?.(message.progress);
    }
    if (this.#touched?.id === message.id) this.#touched = null;
    if (!call) return;
    this.#pending.delete(message.id);
    this.#watch();
    if (message.ok) call.resolve(message.value);
    else call.reject(makeError(message.error.name, message.error.message));
  }

  /** While something is waited for, silence has a limit. */
  #watch() {
    clearTimeout(this.#timer);
    if (this.#pending.size === 0 || this.#closed) return;
    this.#timer = setTimeout(() => this.#lose(`was not read within ${Math.round(this.#timeoutMs / 1000)} seconds`), this.#timeoutMs);
  }

  /** The worker is gone, or given up: the file that it had in hand is lost, and another one takes what was asked besides. @param {string} why */
  #lose(why) {
    if (this.#closed) return;
    const touched = this.#touched;
    const call = touched ? this.#pending.get(touched.id) : undefined;
    if (touched && call) {
      this.#pending.delete(touched.id);
      const error = makeError("ImageError", `This file ${why}; other files are not affected. Export it again, or in another format.`);
      if (touched.file !== null) culprits.set(error, touched.file);
      call.reject(error);
    } else if (!touched) {
      // It was about no file, so the next worker would fare no better; the next call tries.
      this.#end();
      return this.#rejectAll(makeError("DeviceError", "The program that reads files stopped. Try again."));
    }
    this.#restart();
  }

  /** Another worker takes what is asked. */
  #restart() {
    this.#end();
    if (this.#closed) return;
    this.#touched = null;
    try {
      const spare = this.#spares.shift();
      spare?.life.end();
      this.#use(spare?.worker ?? this.#newWorker());
    } catch (error) {
      return this.#rejectAll(error);
    }
    // What was asked for comes after the start, in the order of the requests.
    const id = this.#nextId++;
    this.#pending.set(id, { op: "start", args: { given: this.#program }, resolve: () => {}, reject: (error) => this.#rejectAll(error) });
    this.#worker?.postMessage({ id, op: "start", args: { given: this.#program } });
    for (const [other, { op, args }] of this.#pending) if (other !== id) this.#worker?.postMessage({ id: other, op, args });
    this.#watch();
  }

  #end() {
    clearTimeout(this.#timer);
    this.#life?.end();
    this.#life = null;
    if (this.#worker) this.#stop(this.#worker);
    this.#worker = null;
  }

  /** @param {Error} error */
  #rejectAll(error) {
    const calls = [...this.#pending.values()];
    this.#pending.clear();
    clearTimeout(this.#timer);
    for (const call of calls) call.reject(error);
  }
}

/** Files that ended the decoder, by the errors about them. @type {WeakMap<Error, number>} */
const culprits = new WeakMap();

/**
 * An opener that several sessions use; the last of them closes it, unless it was given from outside.
 */
export class SharedOpener {
  #opener;
  #close;
  #users = 1;

  /** @param {Promise<Opener>} opener @param {() => void} [close] ends it, or its start; none for one that was given */
  constructor(opener, close) {
    this.#opener = opener;
    this.#close = close;
    // Whoever uses it gets the error.
    opener.catch(() => {});
  }

  /** @param {import("./index.d.ts").OpenerOptions} options @returns {SharedOpener} */
  static own(options) {
    const ended = new AbortController();
    const opener = Opener.start({ ...options, signal: ended.signal });
    return new SharedOpener(opener, () => {
      ended.abort();
      void opener.then((started) => started.close(), () => {});
    });
  }

  /** @returns {Promise<Opener>} */
  get opener() {
    return this.#opener;
  }

  /** For one more session. @returns {SharedOpener} */
  share() {
    this.#users += 1;
    return this;
  }

  /** One session less. */
  leave() {
    this.#users -= 1;
    if (this.#users === 0) this.#close?.();
  }
}

/** @param {any} given @returns {{blob: Blob, path: string}} */
function entryOf(given) {
  if (given instanceof File) return { blob: given, path: given.webkitRelativePath || given.name };
  if (given instanceof Blob) return { blob: given, path: "" };
  if (given?.blob instanceof Blob) return { blob: given.blob, path: String(given.path ?? "") };
  throw makeError("UsageError", "A file must be given as a Blob or File, or as { blob, path }. Wrap raw bytes in new Blob([bytes]).");
}

/** @param {string} path */
function nameOf(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Files that systems leave in folders. @param {string} name */
function isHidden(name) {
  return /^(\.|Thumbs\.db$|desktop\.ini$)/i.test(name);
}

/** @param {Uint32Array} places @returns {Set<number>} */
function filesOf(places) {
  return new Set(places.filter((_, n) => n % 2 === 0));
}

/** @param {number} count */
function passedOver(count) {
  return count === 1 ? "One file without a picture was passed over." : `${count} files without a picture were passed over.`;
}

function closedError() {
  return makeError("AbortError", "The opener was closed. Start a new one to go on.");
}
