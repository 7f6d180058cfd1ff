/**
 * The worker that holds the WebAssembly engine.
 *
 * Comes in: requests {id, op, args}. Goes out: {id, ok: true, value}, {id, ok: false, error: {name, message}},
 * {id, progress}, and without an id {requests: NetworkRequest[]}, {live: true} and {fatal: string}.
 * Pictures come decoded, as `Opener` makes them: this program reads no picture files. Engine work (model, references,
 * analysis) runs one at a time in the order asked; showing pictures and rendering need no engine and may run in its pauses. A trap cannot be caught where it happens: it ends in `fatal`.
 */
import { ModelFiles } from "./files.js";
import { answerLife } from "./life.js";
import { watchRequests } from "./requests.js";

// Written out, so that bundlers see the files.
const MAIN = new URL("./wasm/mvfa_web_bg.wasm", import.meta.url);
const KERNELS = new URL("./wasm/mvfa_kernels.wasm", import.meta.url);

/** What wasm-bindgen made of the Rust code. @type {any} */
let wasm = null;
/** The program's memory, which grows and never shrinks. @type {WebAssembly.Memory | null} */
let heap = null;
/** Its size when the program had started and no model was open. */
let idleBytes = 0;
/** @type {any} */
let engine = null;
/** Side of the open model's input. @type {number | undefined} */
let sidePx;
/** The open model's files. @type {ModelFiles | null} */
let modelFiles = null;
/** A person's own words, by object. @type {Map<string, any>} */
const ownWords = new Map();
/** The engine's work, as one chain. @type {Promise<unknown>} */
let queue = Promise.resolve();
/** @type {Map<number, AbortController>} */
const running = new Map();
/** @type {Promise<unknown> | null} */
let started = null;

/** @param {string} name @param {string} message */
function fail(name, message) {
  const error = new Error(message);
  error.name = name;
  return error;
}

/** What another worker needs to run the same program. @type {import("./index.d.ts").Program | null} */
let program = null;

/**
 * @param {import("./index.d.ts").Program} [given] compiled by another worker; otherwise it is fetched
 * @returns {Promise<unknown>} resolves when the WebAssembly module is compiled and running
 */
function start(given) {
  started ??= load(given).catch((error) => {
    started = null;
    throw fail("ModelError", `The program could not be loaded (${error.message}). Check the connection and try again.`);
  });
  return started;
}

// Imported here and not at the top, so that a missing file is an error with a name and not a silent worker.
const glue = () => import("./wasm/mvfa_web.js");

/** @param {import("./index.d.ts").Program} [given] */
async function load(given) {
  // The second module runs beside the first, on the same memory; browsers without relaxed SIMD refuse it and compute
  // in the first one, somewhat slower.
  const [module, main, kernels] = given
    ? [await glue(), given.main, given.kernels]
    : await Promise.all([glue(), compiled(MAIN), compiled(KERNELS).catch(() => null)]);
  program = { main, kernels };
  const { memory, __wasm_call_ctors: construct } = await module.default({ module_or_path: main });
  // Static constructors of the Rust code: once, and before anything else (.cargo/config.toml).
  construct();
  if (kernels) await useKernels(module, kernels, memory);
  heap = memory;
  idleBytes = memory.buffer.byteLength;
  wasm = module;
}

/** @param {URL} url @returns {Promise<WebAssembly.Module>} */
async function compiled(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.pathname}: the server answered ${response.status}`);
  // Servers that do not know the type are served too, only that nothing is compiled before all is there.
  const streams = response.headers.get("Content-Type")?.startsWith("application/wasm");
  return streams ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

/**
 * Lets the processor tier compute with fused multiply-add, in a small second module on the first one's memory.
 * @param {any} module
 * @param {WebAssembly.Module} kernels
 * @param {WebAssembly.Memory} memory
 */
async function useKernels(module, kernels, memory) {
  const { exports } = await WebAssembly.instantiate(kernels, { env: { memory } });
  const { block, __stack_pointer: stackPointer } = /** @type {any} */ (exports);
  stackPointer.value = module.kernelStack();
  module.useKernels(block);
}

/** @param {Blob} blob a raw picture @returns {Promise<Uint8Array>} */
async function bytesOf(blob) {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch {
    throw fail("ImageError", "The decoded picture could not be read. Close other tabs to free memory, then choose the file again.");
  }
}

function ready() {
  if (!engine) throw fail("UsageError", "No model is open. Open one first.");
  return engine;
}

/** Operations that need the engine for themselves: (args, signal, progress) → value. */
const engineOps = {
  async open({ manifestUrl, device, words, given }, signal, progress) {
    progress({ stage: "engine", loadedBytes: 0, totalBytes: 0, fromStorage: false });
    // Asks for the manifest and the first file now, so that they come while the program is compiled.
    const files = new ModelFiles(manifestUrl, signal, given?.manifest);
    modelFiles = files;
    /** @type {Promise<void> | null} */
    let later = null;
    await start(given?.program);
    if (signal.aborted) throw fail("AbortError", "Stopped on request. Load the model again when you want it.");
    if (device !== "gpu") wasm.warmUp();
    try {
      engine = await wasm.Engine.open(
        files,
        device,
        (stage, loadedBytes, totalBytes) => {
          // All that the engine reads is there.
          if (words && stage === "self-test") later ??= files.beginLater().catch(() => {});
          progress({ stage, loadedBytes, totalBytes, fromStorage: files.fromStorage });
        },
        signal,
      );
    } catch (error) {
      // The page ends this worker when it gets the error; complete files shall be there for the next try.
      await files.settled();
      throw error;
    }
    await later;
    const storage = await files.report();
    const info = engine.info();
    sidePx = info.sizePx;
    return { info: { ...info, storage }, given: { program, manifest: await files.manifestText() } };
  },
  async addSupport({ blob, input, window }) {
    const bytes = input ?? (await bytesOf(blob));
    const id = ready().addSupport(bytes, Boolean(input), window);
    return { id, spread: input ? null : wasm.greySpread(bytes) };
  },
  async replaceSupport({ id, blob, window }) {
    ready().replaceSupport(id, await bytesOf(blob), window);
  },
  async removeSupport({ id }) {
    ready().removeSupport(id);
  },
  async clearSupport() {
    ready().clearSupport();
  },
  async analyse({ blob, input, options }, signal, progress) {
    const bytes = input ?? (await bytesOf(blob));
    const result = await ready().analyse(bytes, Boolean(input), options, (stage, done, total) => progress({ stage, done, total }), signal);
    // Only where words were compared with.
    result.words = result.scoreZero === null ? null : ownWords.get(options.object) ?? null;
    return result;
  },
  async setWords({ object, features, columns, prompts }) {
    ready().setWords(object, features, columns);
    if (features) ownWords.set(object, prompts);
    else ownWords.delete(object);
  },
  async similarities({ blob, input, object, lines, count, patches }, signal, progress) {
    const bytes = input ?? (await bytesOf(blob));
    return ready().similarities(bytes, Boolean(input), object, lines, count, patches, (stage, done, total) => progress({ stage, done, total }), signal);
  },
  async lackingViews({ augment }) {
    /** @type {Uint32Array} */
    const pairs = ready().lackingViews(augment);
    return Array.from({ length: pairs.length / 2 }, (_, n) => ({ id: pairs[2 * n], view: pairs[2 * n + 1] }));
  },
  async addRemembered({ pixels, brightness }) {
    return ready().addRemembered(pixels, brightness);
  },
  async supportFacts({ id }) {
    return ready().supportFacts(id);
  },
  async viewRows({ id, view, augment }, signal, progress) {
    return ready().viewRows(id, view, augment, (stage, done, total) => progress({ stage, done, total }), signal);
  },
  async giveView({ id, view, rows, augment }) {
    ready().giveView(id, view, augment, rows);
  },
  async tokens({ planes }, signal, progress) {
    return ready().tokens(planes, (stage, done, total) => progress({ stage, done, total }), signal);
  },
};

/** Operations that may run in the engine's pauses. */
const freeOps = {
  /** For a page that is not ready to open a model yet. */
  async compile() {
    await start();
  },
  /** Whoever asks for it wants nothing fetched later. */
  async prepare() {
    await glue();
  },
  async memory() {
    return { heapBytes: heap?.buffer.byteLength ?? 0, idleBytes };
  },
  async textFiles() {
    if (!modelFiles) throw fail("UsageError", "No model is open. Open one first.");
    return modelFiles.later();
  },
  async decode({ blob, window }) {
    await start();
    return wasm.decode(await bytesOf(blob), window, sidePx);
  },
  async greySpread({ blob }) {
    await start();
    return wasm.greySpread(await bytesOf(blob));
  },
  async sharedWindow({ spreads }) {
    await start();
    const knots = Float64Array.from(spreads.flatMap((spread) => [...spread.knots]));
    return wasm.sharedWindow(knots, spreads.some(({ padded }) => padded));
  },
  async dataSets({ paths }) {
    await start();
    return wasm.dataSets(paths);
  },
  async render({ map, side, lo, hi, threshold, colourMap }) {
    await start();
    return wasm.render(map, side, lo, hi, threshold, colourMap);
  },
};

/** Buffers inside an answer that can be handed over instead of copied. @param {any} value */
function transfers(value) {
  if (!value || typeof value !== "object") return [];
  const parts = Object.values(value).flatMap((part) => (Array.isArray(part) ? part : [part]));
  // A view of part of a buffer may look into WebAssembly's own memory, which cannot be given away.
  const whole = parts.filter((part) => ArrayBuffer.isView(part) && part.byteLength === part.buffer.byteLength);
  return [...new Set(whole.map((view) => view.buffer))].filter((buffer) => buffer instanceof ArrayBuffer);
}

/** @param {unknown} error @returns {boolean} whether the WebAssembly instance can no longer be trusted */
function isTrap(error) {
  return error instanceof WebAssembly.RuntimeError || (error instanceof RangeError && /memory/i.test(error.message));
}

/** @param {unknown} error */
function reportFatal(error) {
  const text = error instanceof Error ? error.message : String(error);
  self.postMessage({ fatal: `The part that runs the model stopped (${text}). Open the model again, if need be on the CPU.` });
}

/** @param {{id: number, op: string, args: any}} request */
async function answer({ id, op, args }) {
  const controller = new AbortController();
  running.set(id, controller);
  const progress = (value) => self.postMessage({ id, progress: value });
  try {
    let value;
    if (Object.hasOwn(engineOps, op)) {
      const turn = queue.then(() => {
        if (controller.signal.aborted) throw fail("AbortError", "Stopped on request.");
        return engineOps[op](args, controller.signal, progress);
      });
      queue = turn.catch(() => {});
      value = await turn;
    } else if (Object.hasOwn(freeOps, op)) {
      value = await freeOps[op](args);
    } else {
      throw fail("UsageError", `The operation "${op}" is unknown. Use the files of one package version together.`);
    }
    self.postMessage({ id, ok: true, value }, { transfer: transfers(value) });
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
  else answer(request);
};
// A panic inside an async Rust function shows up here, detached from the call that caused it.
self.addEventListener("unhandledrejection", (event) => reportFatal(event.reason));
