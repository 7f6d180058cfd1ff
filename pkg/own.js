/**
 * A person's own models, in the browser's private files.
 *
 * Comes in: finished files of a bundle. Goes out: models that {@link Session.open} takes by their address `own:ID`. Each has
 * a folder: its files by their SHA-256, `manifest.json`, the card, and until it is whole `state.json`, from which a
 * conversion goes on. A model with the tower of another one finds the tower's files in the folder of that one, where they stay
 * as long as a model needs them. Nothing else is ever put there: no picture, no checkpoint. Where a browser has no private files, the
 * list is empty and what writes fails with a ModelError.
 */

import { makeError } from "./errors.js";
import { hex, sizeOf, writer } from "./storage.js";

const ROOT = "mvfa-own";
const SCHEME = "own:";
const ID = /^[0-9a-f-]{36}$/;
const HASH = /^[0-9a-f]{64}$/;
export const MANIFEST = "manifest.json";
const STATE = "state.json";
/** In the folder of a model that is deleted and whose files others need. */
const DELETED = "deleted";
/** More than any card has. */
const CARD_BYTES = 1 << 20;

/** @typedef {import("./index.d.ts").OwnModel} OwnModel */
/** Where a conversion stands. @typedef {{key: string, name: string, kept: string, doneBytes: number, totalBytes: number}} State */
/** @typedef {{path: string, bytes: number, sha256: string, group: string}} Entry */

/** The id in an address of such a model, or null. @param {string} url */
export function ownId(url) {
  const id = url.startsWith(SCHEME) ? url.slice(SCHEME.length) : "";
  return ID.test(id) ? id : null;
}

/** One model's files. */
export class OwnFolder {
  #folder;

  /** @param {string} id @param {FileSystemDirectoryHandle} folder */
  constructor(id, folder) {
    this.id = id;
    this.#folder = folder;
  }

  /** @param {string} [id] of one that is there; without, a new one is made @returns {Promise<OwnFolder>} */
  static async open(id) {
    const root = await rootFolder(!id);
    const name = id ?? crypto.randomUUID();
    const folder = await root?.getDirectoryHandle(name, { create: !id }).catch(() => null);
    if (!folder) throw gone();
    return new OwnFolder(name, folder);
  }

  /**
   * One of its files; what is named by its content may lie in the folder of another model.
   * @param {string} name
   * @param {number} [bytes] its length
   * @returns {Promise<File | null>}
   */
  async find(name, bytes) {
    const own = await fileIn(this.#folder, name, bytes);
    if (own || !HASH.test(name)) return own;
    for await (const folder of folders()) {
      const file = await fileIn(folder, name, bytes);
      if (file) return file;
    }
    return null;
  }

  /** Whether a file lies in this very folder. @param {string} name */
  async has(name) {
    return Boolean(await fileIn(this.#folder, name));
  }

  /** Fails with an error that `mayGoOn`: what is there stays right. @param {string} name @param {Uint8Array<ArrayBuffer>} bytes */
  async write(name, bytes) {
    try {
      const write = await writer(await this.#folder.getFileHandle(name, { create: true }));
      await write(bytes);
    } catch (error) {
      await this.remove(name);
      const { quota = 0, usage = 0 } = (await navigator.storage.estimate?.()) ?? {};
      const free = Math.max(0, quota - usage);
      const lack = error.name === "QuotaExceededError" || free < bytes.length ? `there is no more room (${megabytes(free)} are free)` : error.message;
      const full = makeError("ModelError", `The model could not be kept in this browser: ${lack}. Free disk space or delete other models, then go on with the same files.`);
      throw Object.assign(full, { mayGoOn: true });
    }
  }

  /** @param {string} name */
  async remove(name) {
    await this.#folder.removeEntry(name).catch(() => {});
  }

  /** Where an unfinished conversion stands. @returns {Promise<State | null>} */
  async state() {
    return this.#json(STATE);
  }

  /** @param {State} state */
  async keepState(state) {
    await this.write(STATE, encode(JSON.stringify(state)));
  }

  /** All files are there. @param {string} manifest its text */
  async complete(manifest) {
    await this.write(MANIFEST, encode(manifest));
    await this.remove(STATE);
  }

  /** @returns {Promise<any>} null if it is not whole */
  async manifest() {
    return (await this.has(DELETED)) ? null : this.#json(MANIFEST);
  }

  /** @param {string} name */
  async #json(name) {
    try {
      return JSON.parse((await (await this.find(name))?.text()) ?? "null");
    } catch {
      return null;
    }
  }

  /** The text of the manifest; fails if it is not whole. @returns {Promise<string>} */
  async manifestText() {
    const file = (await this.manifest()) && (await this.find(MANIFEST));
    if (!file) throw gone();
    return file.text();
  }

  /** The card, as Markdown. @returns {Promise<string>} */
  async card() {
    const file = await this.find(String((await this.manifest())?.card ?? ""));
    return (await file?.slice(0, CARD_BYTES).text()) ?? "";
  }

  /**
   * Takes everything away but those of its files that other models need; the folder goes with the last.
   * @param {Set<string>} needed names of files
   */
  async empty(needed) {
    await this.write(DELETED, new Uint8Array());
    let stay = 0;
    for await (const name of this.#folder.keys()) {
      if (needed.has(name)) stay += 1;
      else if (name !== DELETED) await this.remove(name);
    }
    return stay === 0;
  }

  /** @returns {Promise<number>} */
  async bytes() {
    return sizeOf(this.#folder).catch(() => 0);
  }

  /** What the page shows of it; null if there is nothing to show. @returns {Promise<OwnModel | null>} */
  async describe() {
    const [manifest, state, storedBytes] = await Promise.all([this.manifest(), this.state(), this.bytes()]);
    const { id } = this;
    const url = SCHEME + id;
    if (!manifest) {
      if (!state) return null;
      return { id, url, name: state.name, storedBytes, sharedBytes: 0, isWhole: false, doneBytes: state.doneBytes, totalBytes: state.totalBytes, sizePx: 0, revision: "", zeroShot: false, adapters: false, objects: [], dtype: "" };
    }
    /** @type {any[]} */
    const objects = manifest.objects ?? [];
    let sharedBytes = 0;
    for (const { sha256: hash, bytes } of manifest.files ?? []) if (!(await this.has(hash))) sharedBytes += bytes;
    return {
      id, url, storedBytes, sharedBytes, name: String(manifest.name), isWhole: true, doneBytes: storedBytes, totalBytes: storedBytes, adapters: Boolean(manifest.adapters),
      sizePx: Number(manifest.preprocess?.size_px), revision: String(manifest.revision),
      zeroShot: objects.some(({ text_features: words }) => Boolean(words)), objects: objects.map(({ name }) => String(name)), dtype: dtypeOf(manifest),
    };
  }
}

/** The person's own models, by name; unfinished conversions, too. @returns {Promise<OwnModel[]>} */
export async function ownModels() {
  const found = [];
  for await (const folder of folders()) found.push(await new OwnFolder(folder.name, folder).describe());
  return found.filter((model) => model !== null).sort((a, b) => a.name.localeCompare(b.name));
}

/** The card of a model, as Markdown. @param {string} id @returns {Promise<string>} */
export async function ownModelCard(id) {
  return (await OwnFolder.open(id)).card();
}

/** @param {string} id @param {string} name */
export async function renameOwnModel(id, name) {
  const folder = await OwnFolder.open(id);
  const manifest = await folder.manifest();
  if (!manifest) throw gone();
  await folder.write(MANIFEST, encode(`${JSON.stringify({ ...manifest, name }, null, 2)}\n`));
}

/** Deletes one, or an unfinished conversion. What other models need of it stays for them. @param {string} id */
export async function deleteOwnModel(id) {
  const root = await rootFolder(false);
  if (!root) return;
  const leaving = [];
  const needed = new Set();
  for await (const handle of folders()) {
    const folder = new OwnFolder(handle.name, handle);
    if (folder.id === id || (await folder.has(DELETED))) leaving.push(folder);
    else (await filesOf(folder)).forEach((hash) => needed.add(hash));
  }
  for (const folder of leaving) if (await folder.empty(needed)) await root.removeEntry(folder.id, { recursive: true });
}

/** Files by their hashes that a model has, or an unfinished conversion. @param {OwnFolder} folder @returns {Promise<string[]>} */
async function filesOf(folder) {
  const [manifest, state] = await Promise.all([folder.manifest(), folder.state()]);
  let kept = { files: [] };
  try {
    kept = JSON.parse(state?.kept ?? "{}");
  } catch {
    // It begins anew.
  }
  return [...(manifest?.files ?? []), ...(kept.files ?? [])].map(({ sha256: hash }) => hash);
}

/** Deletes all. @returns {Promise<void>} rejects if another tab is writing one just now */
export async function deleteOwnModels() {
  if (!(await rootFolder(false))) return;
  const origin = await navigator.storage.getDirectory();
  await origin.removeEntry(ROOT, { recursive: true });
}

/** The conversion that a key belongs to, if one was begun. @param {string} key @returns {Promise<OwnFolder | null>} */
export async function unfinished(key) {
  for (const { id, isWhole } of await ownModels()) {
    if (isWhole) continue;
    const folder = await OwnFolder.open(id);
    if ((await folder.state())?.key === key) return folder;
  }
  return null;
}

/** @param {BufferSource} bytes @returns {Promise<string>} */
export async function sha256(bytes) {
  return hex(await crypto.subtle.digest("SHA-256", bytes));
}

/** @param {string} text */
export function encode(text) {
  return new TextEncoder().encode(text);
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The narrowest type of the matrices. @param {any} manifest */
function dtypeOf(manifest) {
  const all = new Set((manifest.files ?? []).flatMap(({ tensors = [] }) => tensors.map(({ dtype }) => dtype)));
  return ["i8", "f16", "f32"].find((dtype) => all.has(dtype)) ?? "";
}

/** The folders of all models. @returns {AsyncGenerator<FileSystemDirectoryHandle>} */
async function* folders() {
  const root = await rootFolder(false);
  if (!root) return;
  for await (const [name, folder] of /** @type {any} */ (root).entries()) if (folder.kind === "directory" && ID.test(name)) yield folder;
}

/** @param {FileSystemDirectoryHandle} folder @param {string} name @param {number} [bytes] @returns {Promise<File | null>} */
async function fileIn(folder, name, bytes) {
  try {
    const file = await (await folder.getFileHandle(name)).getFile();
    // Shorter: its writing was cut off.
    return bytes === undefined || file.size === bytes ? file : null;
  } catch {
    return null;
  }
}

/** @param {boolean} create @returns {Promise<FileSystemDirectoryHandle | null>} */
async function rootFolder(create) {
  try {
    const origin = await navigator.storage.getDirectory();
    return await origin.getDirectoryHandle(ROOT, { create });
  } catch {
    if (create) throw makeError("ModelError", "This browser gives this page no place for a model of your own. Open the page over https, and not in a private window.");
    return null;
  }
}

function gone() {
  return makeError("ModelError", "This model is no longer in this browser. Convert the checkpoint again, or choose another model.");
}
