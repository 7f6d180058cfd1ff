/**
 * The files of one model, from this browser's storage or over the network; a model of the person's own from the storage alone.
 *
 * Comes in: the manifest's address, or `own:ID`. Goes out: responses to read, one file at a time, in the order asked. The manifest
 * and the first file are asked for at once, so that they arrive while the program is being compiled; later the caller says
 * which file to prepare while it works on another. Never more than one prepared file is held, and never more than two
 * wait to be kept. The caller verifies the hash, and only
 * then calls `keep`.
 */

import { MANIFEST, OwnFolder, ownId } from "./own.js";
import { ModelFolder, hex, keepManifest, keptManifest } from "./storage.js";

/** For words of a person's own alone. */
const LATER = "text";
/** Most that is fetched of them with the model; more only when it is asked for. */
const MOST_LATER_BYTES = 8e6;
/** Files on their way to the browser's storage while another is loaded. */
const MAX_WAITING = 2;

/** @typedef {{path: string, bytes: number, sha256: string, group: string}} Entry */

export class ModelFiles {
  #manifestUrl;
  #signal;
  /** Set for a model of the person's own. @type {string | null} */ #own;
  /** @type {Promise<Response>} */ #manifest;
  /** @type {Promise<string>} */ #text;
  /** @type {Promise<Entry[]>} */ #entries;
  /** @type {ModelFolder | OwnFolder | null} */ #folder = null;
  /** @type {{path: string, opened: Promise<OpenedFile>} | null} */ #prepared = null;
  /** The last file given out was kept by an earlier visit. */
  fromStorage = false;
  /** Files being kept. @type {Set<Promise<void>>} */ #waiting = new Set();
  /** There was no room for a file: the figures. @type {Promise<{neededBytes: number, freeBytes: number | null}> | null} */
  #full = null;
  /** The files of the text tower, each by its path. @type {Promise<{name: string, blob: Blob}[]> | null} */ #later = null;

  /**
   * @param {string} manifestUrl absolute
   * @param {AbortSignal} signal
   * @param {string} [manifest] its text, if the caller has just read it
   */
  constructor(manifestUrl, signal, manifest) {
    this.#manifestUrl = manifestUrl;
    this.#signal = signal;
    this.#own = ownId(manifestUrl);
    const manifestNow = () => (this.#own ? own(this.#own) : newest(manifestUrl, signal));
    // Asked for anew each time: an old manifest would name files that are no longer there.
    this.#manifest = manifest === undefined ? manifestNow() : Promise.resolve(new Response(manifest));
    this.#text = this.#manifest.then((response) => response.clone().text());
    this.#entries = this.#read();
    for (const promise of [this.#manifest, this.#text, this.#entries]) promise.catch(() => {});
  }

  /** The manifest, to be read once. @returns {Promise<Response>} */
  async manifest() {
    return this.#manifest;
  }

  /** @returns {Promise<string>} */
  async manifestText() {
    return this.#text;
  }

  /** Looks into the manifest, and begins with the first file. @returns {Promise<Entry[]>} */
  async #read() {
    /** @type {Entry[]} */
    const entries = JSON.parse(await this.#text).files;
    if (this.#own) {
      this.#folder = await OwnFolder.open(this.#own);
    } else {
      const folder = await ModelFolder.open(this.#manifestUrl);
      await folder?.keepOnly(new Set(entries.map(({ sha256 }) => sha256)));
      this.#folder = folder;
    }
    const first = entries.find(({ group }) => group !== LATER);
    if (first) await this.#prepare(first);
    return entries;
  }

  /** Begins with a file that will be opened next; ends as soon as it is on its way. @param {string} path */
  async prepare(path) {
    const entry = await this.#entry(path);
    if (this.#prepared?.path !== path) await this.#prepare(entry);
  }

  /** @param {Entry} entry */
  async #prepare(entry) {
    const { opened } = await this.#find(entry);
    opened.catch(() => {});
    this.#prepared = { path: entry.path, opened };
  }

  /** A file, from wherever it is nearest. @param {string} path @returns {Promise<OpenedFile>} */
  async open(path) {
    await this.prepare(path);
    const { opened } = /** @type {{opened: Promise<OpenedFile>}} */ (this.#prepared);
    this.#prepared = null;
    while (this.#waiting.size >= MAX_WAITING) await Promise.race(this.#waiting);
    const file = await opened;
    this.fromStorage = file.stored || this.#own !== null;
    return file;
  }

  /** A file whose stored copy was wrong, from the server. @param {string} path @returns {Promise<OpenedFile>} */
  async openAgain(path) {
    const entry = await this.#entry(path);
    await this.#folder?.remove(entry.sha256);
    this.fromStorage = false;
    return this.#fetch(entry, "reload");
  }

  /**
   * Begins with the files of the text tower if they are small, so that they are there when a person types words. Ends as soon
   * as they are asked for, which is all that must happen before "ready"; they are waited for when they are needed.
   */
  async beginLater() {
    const entries = (await this.#entries).filter(({ group }) => group === LATER);
    const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    if (this.#own || entries.length === 0 || total > MOST_LATER_BYTES) return;
    await new Promise((resolve) => {
      this.#later = this.#findLater(entries, () => resolve(undefined));
      this.#later.then(resolve, resolve);
    });
  }

  /** The files of the text tower; fetched now if they were not. @returns {Promise<{name: string, blob: Blob}[]>} */
  async later() {
    const entries = (await this.#entries).filter(({ group }) => group === LATER);
    this.#later ??= this.#findLater(entries);
    // The next call tries again.
    this.#later.catch(() => (this.#later = null));
    return this.#later;
  }

  /** @param {Entry[]} entries @param {() => void} [onAsked] called when all of them are found or asked for */
  async #findLater(entries, onAsked) {
    const found = await Promise.all(entries.map(async (entry) => ({ entry, file: (await this.#folder?.find(entry.sha256, entry.bytes)) ?? null })));
    const blobs = found.map(async ({ entry, file }) => ({ name: entry.path, blob: file ?? (await this.#fetchLater(entry)) }));
    onAsked?.();
    return Promise.all(blobs);
  }

  /** @param {Entry} entry @returns {Promise<Blob>} */
  async #fetchLater(entry) {
    const lost = (/** @type {string} */ reason) => Object.assign(new Error(`The text part of the model could not be read (${entry.path}: ${reason}). Check the connection, then open the model again.`), { name: "ModelError" });
    if (this.#own) throw lost("it is missing in this browser");
    try {
      const response = await fetch(new URL(entry.path, this.#manifestUrl), { cache: this.#folder && !this.#full ? "no-store" : "force-cache" });
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      const bytes = new Uint8Array(await response.arrayBuffer());
      // What is wrong is told when it is used, and not kept.
      const isWhole = bytes.length === entry.bytes && (await this.sha256(bytes)) === entry.sha256;
      if (isWhole && this.#folder instanceof ModelFolder && !this.#full) await this.#folder.keep(entry.sha256, bytes);
      return new Blob([bytes]);
    } catch (error) {
      throw lost(error.message);
    }
  }

  /** @param {Entry} entry @returns {Promise<{opened: Promise<OpenedFile>}>} in an object, so that it is not awaited here */
  async #find(entry) {
    const file = await this.#folder?.find(entry.sha256, entry.bytes);
    // There is no other copy of the person's own.
    if (this.#own) return { opened: Promise.resolve(new OpenedFile(new Response(file, { status: file ? 200 : 404 }), { fresh: true })) };
    if (file) return { opened: Promise.resolve(new OpenedFile(new Response(file), { stored: true })) };
    // What is kept in the private files need not be kept a second time in the browser's cache. If there are none,
    // that cache is all there is: whatever it has of the file is good enough, the hash decides.
    return { opened: this.#fetch(entry, this.#folder && !this.#full ? "no-store" : "force-cache") };
  }

  /** @param {Entry} entry @param {RequestCache} cache */
  async #fetch(entry, cache) {
    const response = await fetch(new URL(entry.path, this.#manifestUrl), { cache, signal: this.#signal });
    return new OpenedFile(ahead(response, entry.bytes), {
      fresh: cache !== "force-cache",
      keep: (bytes) => this.#keep(entry, bytes),
    });
  }

  /** @param {Entry} entry @param {Uint8Array} bytes a view of WebAssembly memory, which may grow meanwhile */
  #keep({ sha256 }, bytes) {
    const folder = this.#folder;
    if (!(folder instanceof ModelFolder) || this.#full) return;
    const kept = folder.keep(sha256, bytes.slice()).then((hadRoom) => {
      if (!hadRoom) this.#full ??= this.#room();
      this.#waiting.delete(kept);
    });
    this.#waiting.add(kept);
  }

  /**
   * SHA-256 of bytes, beside other work.
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @returns {Promise<string> | null} in hexadecimal; null if the browser offers it only to pages with https
   */
  sha256(bytes) {
    return globalThis.crypto.subtle ? crypto.subtle.digest("SHA-256", bytes).then(hex) : null;
  }

  /** How much of the model has no place yet, and how much room the browser says is left. */
  async #room() {
    const entries = (await this.#entries).filter(({ group }) => group !== LATER);
    const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    const neededBytes = Math.max(0, total - ((await this.#folder?.bytes()) ?? 0));
    const { quota = Infinity, usage = 0 } = (await navigator.storage.estimate?.()) ?? {};
    const freeBytes = Math.max(0, quota - usage);
    // Some browsers always report the same large number, so that the size of the disk identifies nobody.
    return { neededBytes, freeBytes: freeBytes < neededBytes ? freeBytes : null };
  }

  /** Ends when nothing is on its way to the browser's storage any more. */
  async settled() {
    await Promise.all(this.#waiting);
  }

  /** Where the model's files are, once all are kept. @returns {Promise<import("./index.d.ts").StorageInfo>} */
  async report() {
    await this.settled();
    if (this.#folder && !this.#own) await keepManifest(this.#manifestUrl, await this.#text);
    const storedBytes = (await this.#folder?.bytes()) ?? 0;
    return { place: this.#folder ? "private-files" : "browser-cache", storedBytes, full: await this.#full };
  }

  /** @param {string} path @returns {Promise<Entry>} */
  async #entry(path) {
    const entry = (await this.#entries).find((one) => one.path === path);
    if (!entry) throw new Error(`the manifest has no file ${path}`);
    return entry;
  }
}

/** An answer to read, and a way to keep what was read. */
class OpenedFile {
  #keep;

  /**
   * @param {Response} response
   * @param {{stored?: boolean, fresh?: boolean, keep?: (bytes: Uint8Array) => void}} options
   */
  constructor(response, { stored = false, fresh = false, keep = () => {} }) {
    this.response = response;
    /** Kept by an earlier visit. */
    this.stored = stored;
    /** Certainly from the server; where not, wrong bytes are worth a second try. */
    this.fresh = fresh;
    this.#keep = keep;
  }

  /** Keeps a copy of the file's bytes, which were right, for the next visit, if that is possible. @param {Uint8Array} bytes */
  keep(bytes) {
    this.#keep(bytes);
  }
}

/** The manifest of a model of the person's own. @param {string} id @returns {Promise<Response>} */
async function own(id) {
  const file = await (await OwnFolder.open(id)).find(MANIFEST);
  return new Response(file, { status: file ? 200 : 404 });
}

/**
 * The manifest as the server has it now; without a connection, the one that the model was last opened with.
 * @param {string} url
 * @param {AbortSignal} signal
 */
async function newest(url, signal) {
  try {
    return await fetch(url, { cache: "no-cache", signal });
  } catch (error) {
    const kept = signal.aborted ? null : await keptManifest(url);
    if (kept) return kept;
    throw error;
  }
}

/** The same answer, read ahead into memory as it comes. @param {Response} response @param {number} bytes at most */
function ahead(response, bytes) {
  if (!response.ok || !response.body) return response;
  const room = new ByteLengthQueuingStrategy({ highWaterMark: bytes });
  const body = response.body.pipeThrough(new TransformStream({}, undefined, room));
  return new Response(body, { status: response.status });
}
