/**
 * Model files that stay with the browser, so that the next visit need not fetch them.
 *
 * Comes in: bytes whose SHA-256 was right, under that SHA-256 as their name. Goes out: files of the right length, whose
 * content must be checked again before it is used. They lie in the origin private file system, one folder for each
 * manifest address; nothing but model files is ever put there. Where that file system is missing or refused (older
 * browsers, some private windows) there is no storage, and nothing here throws.
 */

const ROOT = "mvfa-models";
const SHA256 = /^[0-9a-f]{64}$/;

/** The files of one model. Made in a worker: windows have no way to write. */
export class ModelFolder {
  /** @type {FileSystemDirectoryHandle} */ #folder;

  /** @param {FileSystemDirectoryHandle} folder */
  constructor(folder) {
    this.#folder = folder;
  }

  /** @param {string} manifestUrl @returns {Promise<ModelFolder | null>} null where nothing can be kept */
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
      // They are in nobody's way but the disk's; the next visit tries again.
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
   * Opens a file for writing. Until it is closed nobody else can, another tab of the same page included.
   * @param {string} name a SHA-256
   * @returns {Promise<ModelFileWriter | null>} null where it cannot be written
   */
  async writer(name) {
    if (!SHA256.test(name)) return null;
    try {
      const file = await this.#folder.getFileHandle(name, { create: true });
      return new ModelFileWriter(/** @type {any} */ (await file.createSyncAccessHandle()));
    } catch {
      return null;
    }
  }

  /** @returns {Promise<number>} bytes of all its files */
  async bytes() {
    return sizeOf(this.#folder).catch(() => 0);
  }
}

/** One file being written. */
export class ModelFileWriter {
  /** @type {any} a FileSystemSyncAccessHandle */ #handle;

  /** @param {any} handle */
  constructor(handle) {
    this.#handle = handle;
  }

  /**
   * Writes all of it at once, without a pause: the bytes may be a view of WebAssembly memory.
   * @param {Uint8Array} bytes
   * @returns {boolean} false where there was no room; then nothing of it is left
   */
  write(bytes) {
    let written = 0;
    try {
      this.#handle.truncate(0);
      written = this.#handle.write(bytes, { at: 0 });
    } catch {
      // QuotaExceededError in some browsers, a short count in others.
    }
    if (written !== bytes.length) {
      try {
        this.#handle.truncate(0);
      } catch {
        // Its length is wrong, so it will not be used.
      }
    }
    this.close();
    return written === bytes.length;
  }

  close() {
    this.#handle.close();
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
 * @returns {Promise<void>} rejects where another tab is writing one just now
 */
export async function deleteStoredModels() {
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

/** @param {FileSystemDirectoryHandle} folder */
async function sizeOf(folder) {
  let total = 0;
  for (const handle of await fileHandles(folder)) total += (await handle.getFile()).size;
  return total;
}

/** A folder name from an address, which may be longer than a name can be. @param {string} manifestUrl */
async function nameFor(manifestUrl) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(manifestUrl));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
