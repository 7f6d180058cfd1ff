/**
 * Model files that stay with the browser, so that the next visit need not fetch them.
 *
 * Comes in: bytes whose SHA-256 was right, under that SHA-256 as their name. Goes out: files of the right length, whose
 * content must be checked again before it is used. They lie in the origin private file system, one folder for each
 * manifest address; nothing but model files is ever put there. Their manifests are in the browser's cache storage, for
 * visits without a connection. Where either is missing or refused (older browsers, some private windows) there is no
 * storage, and nothing here throws.
 */

const ROOT = "mvfa-models";
const MANIFESTS = "mvfa-manifests";
const SHA256 = /^[0-9a-f]{64}$/;

/** The files of one model. Made in a worker: windows have no way to write. */
export class ModelFolder {
  /** @type {FileSystemDirectoryHandle} */ #folder;

  /** @param {FileSystemDirectoryHandle} folder */
  constructor(folder) {
    this.#folder = folder;
  }

  /** @param {string} manifestUrl @returns {Promise<ModelFolder | null>} null if nothing can be kept */
  static async open(manifestUrl) {
    try {
      if (!("createSyncAccessHandle" in FileSystemFileHandle.prototype)) return null;
      const origin = await navigator.storage.getDirectory();
      const root = await origin.getDirectoryHandle(ROOT, { create: true });
      return new ModelFolder(await root.getDirectoryHandle(await nameFor(manifestUrl), { create: true }));
    } catch {
      return null;
    }
  }

  /** Removes what the manifest no longer names: files of an older revision. @param {Set<string>} names */
  async keepOnly(names) {
    try {
      const stale = (await fileHandles(this.#folder)).filter(({ name }) => !names.has(name));
      for (const { name } of stale) await this.remove(name);
    } catch {
      // They only cost disk space; the next visit tries again.
    }
  }

  /** @param {string} name @param {number} bytes its length @returns {Promise<File | null>} */
  async find(name, bytes) {
    try {
      const file = await (await this.#folder.getFileHandle(name)).getFile();
      // Shorter: its writing was cut off.
      return file.size === bytes ? file : null;
    } catch {
      return null;
    }
  }

  /** @param {string} name */
  async remove(name) {
    await this.#folder.removeEntry(name).catch(() => {});
  }

  /**
   * Keeps a file. A tab that is closed meanwhile leaves nothing half-written that would be taken for whole.
   * @param {string} name a SHA-256
   * @param {Uint8Array<ArrayBuffer>} bytes not changed until this is over
   * @returns {Promise<boolean>} false if there was no room; true also if nothing can be kept for another reason
   */
  async keep(name, bytes) {
    if (!SHA256.test(name)) return true;
    let write;
    try {
      write = await writer(await this.#folder.getFileHandle(name, { create: true }));
    } catch {
      return true;
    }
    try {
      await write(bytes);
      return true;
    } catch {
      await this.remove(name);
      return false;
    }
  }

  /** @returns {Promise<number>} bytes of all its files */
  async bytes() {
    return sizeOf(this.#folder).catch(() => 0);
  }
}

/**
 * A way to give a file its content: beside other work if the browser can, else at once.
 * @param {FileSystemFileHandle} file
 * @returns {Promise<(bytes: Uint8Array<ArrayBuffer>) => Promise<void>>} rejects if not all of it found room
 */
export async function writer(file) {
  if ("createWritable" in file) {
    const stream = await file.createWritable();
    return async (bytes) => {
      await stream.write(bytes);
      await stream.close();
    };
  }
  const handle = await /** @type {any} */ (file).createSyncAccessHandle();
  return async (bytes) => {
    try {
      handle.truncate(0);
      // Some browsers write less than asked for instead of throwing.
      if (handle.write(bytes, { at: 0 }) !== bytes.length) throw new Error("no room");
    } finally {
      handle.close();
    }
  };
}

/** Keeps a manifest whose files are kept. @param {string} url @param {string} text */
export async function keepManifest(url, text) {
  try {
    await (await caches.open(MANIFESTS)).put(url, new Response(text));
  } catch {
    // Without it the model opens only with a connection.
  }
}

/** @param {string} url @returns {Promise<Response | null>} */
export async function keptManifest(url) {
  try {
    return (await caches.match(url, { cacheName: MANIFESTS })) ?? null;
  } catch {
    return null;
  }
}

/** @returns {Promise<number>} bytes of all model files kept for this site */
export async function storedModelBytes() {
  const root = await rootFolder();
  if (!root) return 0;
  let total = 0;
  for await (const folder of /** @type {any} */ (root).values()) {
    if (folder.kind === "directory") total += await sizeOf(folder);
  }
  return total;
}

/**
 * Deletes all model files kept for this site. Models that are open go on working.
 * @returns {Promise<void>} rejects if another tab is writing one just now
 */
export async function deleteStoredModels() {
  await globalThis.caches?.delete(MANIFESTS);
  if (!(await rootFolder())) return;
  const origin = await navigator.storage.getDirectory();
  await origin.removeEntry(ROOT, { recursive: true });
}

/** @returns {Promise<FileSystemDirectoryHandle | null>} */
async function rootFolder() {
  try {
    const origin = await navigator.storage.getDirectory();
    return await origin.getDirectoryHandle(ROOT);
  } catch {
    return null;
  }
}

/** @param {FileSystemDirectoryHandle} folder @returns {Promise<FileSystemFileHandle[]>} */
async function fileHandles(folder) {
  const handles = [];
  for await (const handle of /** @type {any} */ (folder).values()) {
    if (handle.kind === "file") handles.push(handle);
  }
  return handles;
}

/** Bytes of its files. @param {FileSystemDirectoryHandle} folder */
export async function sizeOf(folder) {
  let total = 0;
  for (const handle of await fileHandles(folder)) total += (await handle.getFile()).size;
  return total;
}

/** A folder name from an address, which may be longer than a name can be. @param {string} manifestUrl */
async function nameFor(manifestUrl) {
  return hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(manifestUrl)));
}

/** @param {ArrayBuffer} digest */
export function hex(digest) {
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
