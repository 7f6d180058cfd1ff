/**
 * The worker of what a person makes: a model of a checkpoint, or of another model with other adapters, kept in the browser's
 * private files; text features of own words.
 *
 * Comes in: requests {id, op, args}. Goes out: {id, ok: true, value}, {id, ok: false, error: {name, message}}, {id, progress},
 * and without an id {requests: NetworkRequest[]}, {live: true} and {fatal: string}. Files are read by slices where they lie,
 * never whole, and nothing in a checkpoint is executed. The program is compiled when it is first needed; its bytes come with
 * the first request. One request after another.
 */
import { bundleIn, importBundle } from "./bundle.js";
import { answerLife } from "./life.js";
import { MANIFEST, OwnFolder, deleteOwnModel, encode, ownModels, sha256, unfinished } from "./own.js";
import { watchRequests } from "./requests.js";
import { writeZip } from "./zip.js";

// Written out, so that bundlers see the file.
const MAIN = new URL("./wasm/mvfa_lab_bg.wasm", import.meta.url);
/** Work goes on so long until messages are looked at. */
const SLICE_MS = 40;

/** What wasm-bindgen made of the Rust code. @type {any} */
let wasm = null;
/** @type {WebAssembly.Memory | null} */
let heap = null;
/** Its size when the program had started. */
let idleBytes = 0;
/** The text tower that was used last, of the model that this manifest describes. @type {{manifest: string, given: Given, tower: any} | null} */
let tower = null;
/** @type {Map<number, AbortController>} */
const running = new Map();
/** @type {Promise<unknown>} */
let queue = Promise.resolve();

/** @typedef {{name: string, blob: Blob}} Named */

/** @param {string} name @param {string} message */
function fail(name, message) {
  const error = new Error(message);
  error.name = name;
  return error;
}

// Imported here and not at the top, so that a missing file is an error with a name and not a silent worker.
const glue = () => import("./wasm/mvfa_lab.js");

/** @param {Blob} program */
async function start(program) {
  if (wasm) return;
  const module = await glue();
  const main = await WebAssembly.compile(await program.arrayBuffer());
  const { memory, __wasm_call_ctors: construct } = await module.default({ module_or_path: main });
  // Static constructors of the Rust code: once, and before anything else (.cargo/config.toml).
  construct();
  heap = memory;
  idleBytes = memory.buffer.byteLength;
  wasm = module;
}

/** The files as the program reads them. */
class Given {
  #blobs;
  // Only workers have it.
  #reader = new (/** @type {any} */ (self).FileReaderSync)();

  /** @param {Named[]} files */
  constructor(files) {
    this.#blobs = new Map(files.map(({ name, blob }) => [name, blob]));
  }

  /** Others in their place. @param {Named[]} files */
  replace(files) {
    this.#blobs = new Map(files.map(({ name, blob }) => [name, blob]));
  }

  names() {
    return [...this.#blobs.keys()];
  }

  /** @param {string} name */
  size(name) {
    return this.#blobs.get(name)?.size;
  }

  /** @param {string} name @param {number} offset @param {Uint8Array} into */
  read(name, offset, into) {
    const slice = this.#blobs.get(name)?.slice(offset, offset + into.length);
    let bytes;
    try {
      bytes = new Uint8Array(this.#reader.readAsArrayBuffer(/** @type {Blob} */ (slice)));
    } catch {
      throw new Error("it cannot be read; it may have moved or changed, choose it again");
    }
    if (bytes.length !== into.length) throw new Error("it is shorter than it was; choose it again");
    into.set(bytes);
  }
}

/** Finished files that wait to be put away. */
class Shelf {
  /** @type {{name: string, bytes: Uint8Array<ArrayBuffer>}[]} */ files = [];
  #at = 0;

  /** @param {string} name @param {number} bytes */
  begin(name, bytes) {
    this.files.push({ name, bytes: new Uint8Array(bytes) });
    this.#at = 0;
  }

  /** @param {Uint8Array} piece of WebAssembly memory */
  add(piece) {
    this.files.at(-1)?.bytes.set(piece, this.#at);
    this.#at += piece.length;
  }

  take() {
    return this.files.splice(0);
  }
}

/** Of a model, with what it has encoded before. @param {string} manifest @param {Named[]} files of the text tower */
function towerOf(manifest, files) {
  if (tower?.manifest !== manifest) {
    tower?.tower.free();
    tower = null;
    const given = new Given(files);
    tower = { manifest, given, tower: new wasm.Tower(manifest, given) };
  }
  if (files.length > 0) tower.given.replace(files);
  return tower.tower;
}

/** Lets messages in between two steps, now and then. @param {AbortSignal} signal @param {string} [kept] what is said of what was stopped */
function breaths(signal, kept = "What is finished is kept: choose the same files to go on.") {
  const { port1, port2 } = new MessageChannel();
  let sinceMs = performance.now();
  return async () => {
    if (performance.now() - sinceMs > SLICE_MS) {
      await new Promise((resolve) => {
        port1.onmessage = resolve;
        port2.postMessage(null);
      });
      sinceMs = performance.now();
    }
    if (signal.aborted) throw fail("AbortError", `Stopped on request. ${kept}`);
  };
}

const ops = {
  /** For a worker that waits. */
  async prepare() {
    await glue();
  },
  /** What a page needs so that nothing is fetched later. */
  async fetch() {
    await glue();
    const response = await fetch(MAIN);
    if (!response.ok) throw fail("ModelError", `The converter could not be fetched (${response.status}). Check the connection and try again.`);
    return response.blob();
  },
  async inspect({ program, files, options }) {
    await start(program);
    const bundle = await bundleIn(files);
    if (bundle) {
      wasm.checkManifest(bundle.text);
      return { kind: "bundle", ...bundle.found };
    }
    const alone = await adaptersAlone(files);
    if (alone) return alone;
    const found = wasm.inspect(new Given(files), options);
    const begun = await Promise.all(["f16", "i8", "f32"].map(async (dtype) => {
      const state = await (await unfinished(await keyOf(files, { ...options, dtype })))?.state();
      return state ? [[dtype, state.doneBytes / state.totalBytes]] : [];
    }));
    return { kind: "checkpoint", ...found, begun: Object.fromEntries(begun.flat()) };
  },
  async convert({ program, files, options }, signal, progress) {
    await start(program);
    const bundle = await bundleIn(files);
    if (bundle) {
      wasm.checkManifest(bundle.text);
      return importBundle(bundle, options?.name, breaths(signal), progress);
    }
    const chosen = options ?? {};
    const key = await keyOf(files, chosen);
    const begin = (/** @type {Shelf} */ shelf, /** @type {string | undefined} */ kept) => new wasm.Conversion(new Given(files), shelf, chosen, kept);
    return convert(key, chosen.name ?? files[0]?.name ?? "", begin, breaths(signal), progress);
  },
  /** Another model with the tower of one that is here: with the adapters of the files, or with none. */
  async change({ program, id, files, options }, signal, progress) {
    await start(program);
    const base = await OwnFolder.open(id);
    const [text, card] = [await base.manifestText(), await base.card()];
    const manifest = JSON.parse(text);
    const towers = [];
    for (const { path, sha256: hash, bytes, group } of manifest.files) {
      const blob = group === "text" ? await base.find(hash, bytes) : null;
      if (blob) towers.push({ name: path, blob });
    }
    const chosen = options ?? {};
    const key = await keyOf(files, { ...chosen, change: `${id} ${manifest.revision}` });
    const begin = (/** @type {Shelf} */ shelf, /** @type {string | undefined} */ kept) =>
      wasm.Conversion.ofModel(text, card, new Given(towers), new Given(files), shelf, chosen, kept);
    return convert(key, chosen.name ?? manifest.name, begin, breaths(signal), progress);
  },
  async export({ id }, signal, progress) {
    const folder = await OwnFolder.open(id);
    const manifest = await folder.manifest();
    if (!manifest) throw fail("ModelError", "This model is not whole. Convert the checkpoint again.");
    const total = manifest.files.reduce((/** @type {number} */ sum, /** @type {any} */ { bytes }) => sum + bytes, 0);
    const names = [[MANIFEST, MANIFEST], [manifest.card, manifest.card], ...manifest.files.map((/** @type {any} */ { path, sha256: hash }) => [path, hash])];
    const parts = [];
    for (const [name, kept] of names) {
      const file = await folder.find(kept);
      // Those that may be written anew while the archive is still being saved are copied.
      const blob = file && kept === name ? new Blob([await file.arrayBuffer()]) : file;
      if (blob) parts.push({ name, blob });
      else if (name !== manifest.card) throw fail("ModelError", `The model file ${name} is missing. Convert the checkpoint again.`);
    }
    const breathe = breaths(signal);
    let done = 0;
    return writeZip(parts, async (bytes) => {
      done += bytes;
      progress({ stage: "archive", done: Math.min(done, total), total, what: "" });
      await breathe();
    });
  },
  /** The method's own words. */
  async paperWords({ program, manifest, object }) {
    await start(program);
    return towerOf(manifest, []).paper(object);
  },
  async words({ program, manifest, files, prompts }, signal, progress) {
    const begunMs = performance.now();
    await start(program);
    const reader = towerOf(manifest, files);
    const looked = reader.begin(prompts);
    const breathe = breaths(signal, "The words before stay in force.");
    while (!looked.stops && reader.step()) {
      progress(reader.stage());
      await breathe();
    }
    return { prompts: looked.prompts, problems: looked.problems, words: looked.stops ? null : reader.words(), ms: performance.now() - begunMs };
  },
  async memory() {
    return { heapBytes: heap?.buffer.byteLength ?? 0, idleBytes };
  },
};

/**
 * What adapters without a checkpoint are, and the models that they can be added to; null if the files are something else.
 * @param {Named[]} files
 */
async function adaptersAlone(files) {
  const own = (await ownModels()).filter(({ isWhole }) => isWhole);
  const texts = await Promise.all(own.map(async ({ id }) => (await OwnFolder.open(id)).manifestText()));
  const found = wasm.adaptersAlone(new Given(files), texts);
  if (!found) return null;
  const { file, levels, width } = found;
  const fitting = own.flatMap(({ id, name }, n) => {
    const objects = JSON.parse(texts[n]).objects.map((/** @type {any} */ object) => ({ id: object.id, name: object.name }));
    return found.fits[n] ? [{ id, name, objects }] : [];
  });
  if (fitting.length === 0) {
    throw fail("ModelError", `${file} holds MVFA adapters for ${levels} levels of width ${width}, and none of your models has such a tower. Choose them together with the checkpoint that they were trained on.`);
  }
  return { kind: "adapters", name: "", adapters: file, models: fitting, taken: [], leftOut: [], zeroShot: true, objects: found.objects, sizePx: 0 };
}

/**
 * @param {string} key of what is converted: a conversion of the same key goes on
 * @param {string} name of the model, until its manifest is written
 * @param {(shelf: Shelf, kept: string | undefined) => any} begin
 * @param {() => Promise<void>} breathe
 * @param {(value: any) => void} progress
 */
async function convert(key, name, begin, breathe, progress) {
  const begun = await unfinished(key);
  const folder = begun ?? (await OwnFolder.open());
  const [kept, first] = await whole(folder, breathe);
  const shelf = new Shelf();
  /** @type {any} */
  let conversion;
  try {
    conversion = begin(shelf, kept);
    let more = true;
    let finished = first;
    while (more) {
      more = conversion.step();
      const how = conversion.stage();
      const waiting = shelf.take();
      if (waiting.length > 0) {
        const text = conversion.kept();
        const entries = new Map(JSON.parse(text).files.map((/** @type {any} */ entry) => [entry.path, entry.sha256]));
        for (const { name: path, bytes } of waiting) await folder.write(entries.get(path) ?? path, bytes);
        finished += waiting.length;
        const [doneBytes, totalBytes] = how.stage === "tensors" ? [how.done, how.total] : [1, 1];
        await folder.keepState({ key, name, kept: text, doneBytes, totalBytes });
      }
      progress({ ...how, files: finished });
      await breathe();
    }
    for (let hash = conversion.wanted(); hash !== undefined; hash = conversion.wanted()) {
      const file = await folder.find(hash);
      conversion.give(new Uint8Array((await file?.arrayBuffer()) ?? new ArrayBuffer(0)));
      progress({ ...conversion.stage(), files: finished });
      await breathe();
    }
    const done = conversion;
    // It is used up, whatever becomes of it.
    conversion = null;
    done.finish();
    const [manifest] = shelf.take();
    await folder.complete(new TextDecoder().decode(manifest.bytes));
    return await folder.describe();
  } catch (error) {
    // Nothing is left of what never gave a file, or of wrong files, which no second try makes right.
    const mayGoOn = error.name === "AbortError" || error.mayGoOn;
    if (!mayGoOn || !(await folder.state())) await discard(folder);
    throw error;
  } finally {
    conversion?.free();
  }
}

/**
 * The files that an earlier conversion finished and that are as it left them.
 * @param {OwnFolder} folder
 * @param {() => Promise<void>} breathe
 * @returns {Promise<[string | undefined, number]>}
 */
async function whole(folder, breathe) {
  const state = await folder.state();
  if (!state) return [undefined, 0];
  const kept = JSON.parse(state.kept);
  let count = 0;
  for (const { sha256: hash, bytes } of kept.files) {
    const file = await folder.find(hash, bytes);
    if (!file || (await sha256(await file.arrayBuffer())) !== hash) break;
    count += 1;
    await breathe();
  }
  return [JSON.stringify({ ...kept, files: kept.files.slice(0, count) }), count];
}

/** @param {OwnFolder} folder */
async function discard(folder) {
  await deleteOwnModel(folder.id).catch(() => {});
}

/** The same files and choices have the same key. @param {Named[]} files @param {any} options */
async function keyOf(files, options) {
  const { name, dtype = "f16", ...others } = options ?? {};
  const named = files.map(({ name: file, blob }) => [file, blob.size, /** @type {any} */ (blob).lastModified ?? 0]);
  const chosen = Object.entries(others).filter(([, value]) => value !== undefined);
  return sha256(encode(JSON.stringify([named.sort(), dtype, chosen.sort()])));
}

/** @param {unknown} error @returns {boolean} whether the WebAssembly instance can no longer be trusted */
function isTrap(error) {
  return error instanceof WebAssembly.RuntimeError || (error instanceof RangeError && /memory/i.test(error.message));
}

/** @param {unknown} error */
function reportFatal(error) {
  const text = error instanceof Error ? error.message : String(error);
  self.postMessage({ fatal: `The converter stopped (${text}). Close other tabs to free memory, then choose the files again.` });
}

/** @param {{id: number, op: string, args: any}} request */
async function answer({ id, op, args }) {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    if (!Object.hasOwn(ops, op)) throw fail("UsageError", `The operation "${op}" is unknown. Use the files of one package version together.`);
    const work = () => ops[op](args, controller.signal, (/** @type {any} */ value) => self.postMessage({ id, progress: value }));
    const turn = op === "memory" ? work() : queue.then(work);
    if (op !== "memory") queue = turn.catch(() => {});
    self.postMessage({ id, ok: true, value: await turn });
  } catch (error) {
    if (isTrap(error)) return reportFatal(error);
    const known = error instanceof Error ? error : new Error(String(error));
    self.postMessage({ id, ok: false, error: { name: known.name, message: known.message } });
  } finally {
    running.delete(id);
  }
}

watchRequests((requests) => self.postMessage({ requests }));
self.onmessage = (event) => {
  const request = event.data;
  if (request.op === "cancel") running.get(request.args.id)?.abort();
  else if (request.op === "live") answerLife(request.args);
  else void answer(request);
};
