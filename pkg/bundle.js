/**
 * A finished model among files that a person chose: its folder, or its archive.
 *
 * Comes in: named Blobs. Goes out: the model in the browser's private files, each file compared with the hash in its manifest
 * before it is kept. Fails with a ModelError in the words that opening a model has.
 */

import { OwnFolder, deleteOwnModel, sha256 } from "./own.js";
import { exactly, readZip } from "./zip.js";
import { makeError } from "./errors.js";

const MANIFEST = "manifest.json";
/** A manifest of a real model has some hundred kilobytes; what is longer is none. */
const MANIFEST_BYTES = 16 << 20;
/** No shard is larger. */
const SHARD_BYTES = 16 << 20;
const CARD_BYTES = 1 << 20;

/** @typedef {{bytes: number, open: () => Promise<ReadableStream<Uint8Array>>}} Content */
/** @typedef {{text: string, manifest: any, files: Map<string, Content>, found: any}} Bundle */

/** @param {{name: string, blob: Blob}[]} given @returns {Promise<Bundle | null>} null if there is no finished model among them */
export async function bundleIn(given) {
  const files = await contents(given);
  const manifest = files?.get(MANIFEST);
  if (!files || !manifest) return null;
  const bytes = manifest.bytes <= MANIFEST_BYTES ? await read(manifest, manifest.bytes) : null;
  if (!bytes) throw makeError("ModelError", `The model file ${MANIFEST} is cut off, or longer than any. Get a fresh copy of it.`);
  const text = new TextDecoder().decode(bytes);
  let parsed;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = {};
  }
  const list = Array.isArray(parsed.files) ? parsed.files : [];
  const total = list.reduce((/** @type {number} */ sum, /** @type {any} */ file) => sum + Number(file?.bytes ?? 0), 0);
  const objects = Array.isArray(parsed.objects) ? parsed.objects : [];
  return {
    text, manifest: parsed, files,
    found: {
      name: String(parsed.name), taken: [], leftOut: [], sizePx: Number(parsed.preprocess?.size_px), totalBytes: total,
      zeroShot: objects.some((/** @type {any} */ object) => Boolean(object?.text_features)),
      objects: objects.map((/** @type {any} */ object) => ({ id: String(object?.id), name: String(object?.name) })),
    },
  };
}

/** Files beside the manifest, by name. @param {{name: string, blob: Blob}[]} given @returns {Promise<Map<string, Content> | null>} */
async function contents(given) {
  if (given.some(({ name }) => name === MANIFEST)) {
    return new Map(given.map(({ name, blob }) => [name, { bytes: blob.size, open: async () => blob.stream() }]));
  }
  const [only] = given;
  if (given.length !== 1 || !/\.zip$/i.test(only.name)) return null;
  const packed = await readZip(only.blob);
  const place = packed.map(({ path }) => path).filter((path) => path === MANIFEST || path.endsWith(`/${MANIFEST}`)).sort((a, b) => a.length - b.length)[0];
  if (place === undefined) return null;
  const folder = place.slice(0, -MANIFEST.length);
  const beside = packed.filter(({ path }) => path.startsWith(folder) && !path.slice(folder.length).includes("/"));
  return new Map(beside.map(({ path, bytes, open }) => [path.slice(folder.length), { bytes, open }]));
}

/** @param {Content} content @param {number} bytes */
async function read(content, bytes) {
  try {
    return await exactly(await content.open(), bytes);
  } catch (error) {
    if (error.name === "ModelError") throw error;
    return null;
  }
}

/**
 * Keeps a model whose manifest was found right.
 * @param {Bundle} bundle
 * @param {string | undefined} name another name for it
 * @param {() => Promise<void>} breathe between two files; it may stop everything
 * @param {(value: any) => void} progress
 */
export async function importBundle({ text, manifest, files, found }, name, breathe, progress) {
  const folder = await OwnFolder.open();
  let done = 0;
  try {
    for (const { path, bytes, sha256: expected } of manifest.files) {
      const content = files.get(path);
      if (!content) throw makeError("ModelError", `The model file ${path} is missing. Choose the whole folder of the model.`);
      if (bytes > SHARD_BYTES || content.bytes !== bytes) throw makeError("ModelError", `The model file ${path} has ${content.bytes} bytes, expected ${bytes}. Get a fresh copy of it.`);
      const all = await read(content, bytes);
      if (!all) throw makeError("ModelError", `The model file ${path} does not hold the ${bytes} bytes that it should. Get a fresh copy of it.`);
      const hash = await sha256(all);
      if (hash !== expected) throw makeError("ModelError", `The model file ${path} is damaged (SHA-256 ${hash}, expected ${expected}). Get a fresh copy of it.`);
      await folder.write(hash, all);
      done += bytes;
      progress({ stage: "files", done, total: found.totalBytes, what: path });
      await breathe();
    }
    const card = files.get(manifest.card);
    const written = card && card.bytes <= CARD_BYTES && manifest.card !== MANIFEST ? await read(card, card.bytes) : null;
    if (written) await folder.write(manifest.card, written);
    const renamed = name && name !== manifest.name;
    await folder.complete(renamed ? `${JSON.stringify({ ...manifest, name }, null, 2)}\n` : text);
    return await folder.describe();
  } catch (error) {
    await deleteOwnModel(folder.id).catch(() => {});
    throw error;
  }
}
