/**
 * The worker that reads picture files: plain pictures, DICOM, NIfTI, NRRD and MetaImage.
 *
 * Comes in: requests {id, op, args}. Goes out: {id, ok: true, value}, {id, ok: false, error: {name, message}}, {id, progress},
 * and without an id {requests: NetworkRequest[]}, {live: true} and {fatal: string}. A progress is sent before a file is
 * touched, so that whoever asked knows which one it was if nothing more comes (opener.js). Files stay `Blob`s: of a folder
 * only beginnings are read, and a file as a whole when a frame of it is asked for. Series are put together one request after
 * another, and so are frames; the two do not wait for each other.
 */
import { answerLife } from "./life.js";
import { watchRequests } from "./requests.js";

// Written out, so that bundlers see the file.
const MAIN = new URL("./wasm/mvfa_formats_bg.wasm", import.meta.url);
/** The type of the Blobs that go to the engine: pictures that are decoded already. */
const RAW_PICTURE = "application/x-mvfa-picture";
/** Enough for the headers of nearly all files. */
const HEAD_BYTES = 1 << 16;
/** Of a file above the first size frames are read one by one where its beginning, of the second size, allows it. */
const LARGE_BYTES = 64 << 20;
const LONG_HEAD_BYTES = 4 << 20;
/** Most that is read at once of such a file, beyond a single line. */
const READ_BYTES = 8 << 20;
/** For three new identifiers. */
const RANDOM_BYTES = 48;
/** Headers whose pixels are in another file come first, so that that one is not opened by itself. */
const HEADER = /\.(hdr|nhdr|mhd)$/i;

/** What wasm-bindgen made of the Rust code. @type {any} */
let wasm = null;
/** @type {Map<number, AbortController>} */
const running = new Map();
/** Requests of each kind, as one chain. @type {Map<string, Promise<unknown>>} */
const queues = new Map();

/** @param {string} name @param {string} message */
function fail(name, message) {
  const error = new Error(message);
  error.name = name;
  return error;
}

// Imported here and not at the top, so that a missing file is an error with a name and not a silent worker.
const glue = () => import("./wasm/mvfa_formats.js");

/** @returns {Promise<WebAssembly.Module>} */
async function compiled() {
  const response = await fetch(MAIN);
  if (!response.ok) throw new Error(`${MAIN.pathname}: the server answered ${response.status}`);
  const streams = response.headers.get("Content-Type")?.startsWith("application/wasm");
  return streams ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

/** @param {Blob} blob */
async function bytesOf(blob) {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch {
    throw fail("ImageError", "The file could not be read; it may have moved or changed. Choose it again.");
  }
}

/** @typedef {{file: number, blob: Blob, path: string}} Entry */

/** The folder of a path, with its last slash. @param {string} path */
const folderOf = (path) => path.slice(0, path.lastIndexOf("/") + 1);
/** @param {string} path */
const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1);

/** The file with the pixels of a header, by its name. @param {Entry} header @param {Uint8Array} head @param {Entry[]} entries */
function companion({ path }, head, entries) {
  /** @type {string[]} */
  const names = wasm.companionNames(nameOf(path), head);
  const lower = (text) => text.toLowerCase();
  for (const name of names) {
    const found = entries.find((entry) => lower(entry.path) === lower(folderOf(path) + name) && entry.path !== path);
    if (found) return found;
  }
  return null;
}

/**
 * Looks into one file.
 * @param {Entry} entry @param {Entry[]} entries all that came with it
 * @returns {Promise<Entry | null>} the file of its pixels, if that is another one
 */
async function look(entry, entries) {
  const { file, blob } = entry;
  const head = await bytesOf(blob.slice(0, HEAD_BYTES));
  const isWhole = blob.size <= HEAD_BYTES;
  try {
    if (!isWhole && wasm.head(file, head, blob.size)) return null;
    // The frames of a long film are described one by one before its pixels.
    if (blob.size > LARGE_BYTES && wasm.head(file, await bytesOf(blob.slice(0, LONG_HEAD_BYTES)), blob.size)) return null;
    wasm.whole(file, isWhole ? head : await bytesOf(blob), undefined);
    return null;
  } catch (error) {
    const pixels = error.kind === "companion" ? companion(entry, head, entries) : null;
    if (!pixels) throw error;
    if (pixels.blob.size > wasm.maxFileBytes()) throw fail("ImageError", `the file of its pixels, ${nameOf(pixels.path)}, is too large; crop it, then try again`);
    wasm.whole(file, isWhole ? head : await bytesOf(blob), await bytesOf(pixels.blob));
    return pixels;
  }
}

/** Opens a file for its frames: a large one by its beginning, if that is enough. @param {{blob: Blob, pixels: Blob | null, file: number}} args */
async function openForFrames({ blob, pixels, file }) {
  if (wasm.isOpen(file)) return;
  const isLarge = !pixels && blob.size > LARGE_BYTES;
  if (isLarge && wasm.openHead(file, await bytesOf(blob.slice(0, LONG_HEAD_BYTES)), blob.size)) return;
  wasm.openFile(file, await bytesOf(blob), pixels ? await bytesOf(pixels) : undefined);
}

/**
 * The runs of bytes that hold a slice, one after the other. Neighbouring lines are read together, and never more than a
 * little at once.
 * @param {Blob} blob @param {ArrayLike<number>} part as the program names it
 */
async function gathered(blob, part) {
  const [start, runBytes, runStep, runs, lineStep, lines] = Array.from(part);
  const lineBytes = (runs - 1) * runStep + runBytes;
  const together = Math.max(1, Math.floor(READ_BYTES / Math.max(lineStep, 1)));
  const out = new Uint8Array(runBytes * runs * lines);
  for (let line = 0, at = 0; line < lines; line += together) {
    const count = Math.min(together, lines - line);
    const from = start + line * lineStep;
    const read = await bytesOf(blob.slice(from, from + (count - 1) * lineStep + lineBytes));
    for (let n = 0; n < count; n += 1) {
      if (runStep === runBytes) {
        out.set(read.subarray(n * lineStep, n * lineStep + lineBytes), at);
        at += lineBytes;
        continue;
      }
      for (let run = 0, from = n * lineStep; run < runs; run += 1, from += runStep) {
        for (let byte = 0; byte < runBytes; byte += 1) out[at++] = read[from + byte];
      }
    }
  }
  return out;
}

/** @param {Uint8Array} bytes */
const rawPicture = (bytes) => new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)], { type: RAW_PICTURE });

/** A file with its pixels. @param {Uint8Array} head @param {Uint8Array} rgba */
function withPixels(head, rgba) {
  const pixels = (rgba.length / 4) * 3;
  // Elements have an even length.
  const file = new Uint8Array(head.length + pixels + (pixels % 2));
  file.set(head);
  for (let i = 0, at = head.length; i < rgba.length; i += 4, at += 3) file.set(rgba.subarray(i, i + 3), at);
  return file;
}

/** Operations: which of them wait for each other, and (args, signal, progress) → value. */
const ops = {
  /** Gets the scripts alone, so that nothing is fetched later. */
  scripts: { queue: "start", run: async () => void (await glue()) },
  /** Starts the program; given none, fetches it. */
  start: {
    queue: "start",
    async run({ given }) {
      try {
        const [module, program] = await Promise.all([glue(), given ?? compiled()]);
        const { __wasm_call_ctors: construct } = await module.default({ module_or_path: program });
        // Static constructors of the Rust code: once, and before anything else (.cargo/config.toml).
        construct();
        wasm = module;
        return program;
      } catch (error) {
        throw fail("ModelError", `The program that reads files could not be loaded (${error.message}). Check the connection and try again.`);
      }
    },
  },
  /** @type {{queue: string, run: (args: {entries: Entry[]}, signal: AbortSignal, progress: (value: object) => void) => Promise<object>}} */
  open: {
    queue: "open",
    async run({ entries }, signal, progress) {
      wasm.begin();
      const refused = [];
      const passed = [];
      /** Files of pixels by those of their headers. @type {Map<number, number>} */
      const pairs = new Map();
      const claimed = new Set();
      const isHeader = ({ path }) => HEADER.test(path);
      const ordered = [...entries.filter(isHeader), ...entries.filter((entry) => !isHeader(entry))];
      for (const [done, entry] of ordered.entries()) {
        progress({ file: entry.file, done, total: ordered.length });
        if (signal.aborted) throw fail("AbortError", "Stopped on request.");
        if (claimed.has(entry.file)) continue;
        try {
          const pixels = await look(entry, entries);
          if (!pixels) continue;
          pairs.set(entry.file, pixels.file);
          claimed.add(pixels.file);
        } catch (error) {
          if (isTrap(error)) throw error;
          (error.kind === "no-picture" ? passed : refused).push({ file: entry.file, message: error.message });
        }
      }
      progress({ file: null, done: ordered.length, total: ordered.length });
      return { series: wasm.grouped(), refused, passed, pairs };
    },
  },
  frame: {
    queue: "frame",
    async run({ blob, pixels, file, frame, axis, volume }, _signal, progress) {
      progress({ file });
      await openForFrames({ blob, pixels, file });
      const part = wasm.part(file, frame, axis, volume);
      return rawPicture(wasm.frame(file, frame, axis, volume, part ? await gathered(blob, part) : undefined));
    },
  },
  /** One file as one picture, without a series. */
  picture: {
    queue: "frame",
    async run({ blob }, _signal, progress) {
      progress({ file: null });
      if (blob.size > HEAD_BYTES) wasm.judge(await bytesOf(blob.slice(0, HEAD_BYTES)), blob.size);
      return rawPicture(wasm.picture(await bytesOf(blob)));
    },
  },
  /**
   * A file about a series. Its own files are looked into again: what a file is about is known nowhere else.
   * @type {{queue: string, run: (args: any, signal: AbortSignal, progress: (value: object) => void) => Promise<Uint8Array>}}
   */
  write: {
    queue: "open",
    async run({ entries, kind, slices, values, side, threshold, model }, signal, progress) {
      if (kind === "npy") return wasm.writeNpy(values, side);
      if (kind === "png16") return wasm.writePng16(values, side);
      wasm.begin();
      const isHeader = ({ path }) => HEADER.test(path);
      for (const entry of entries.some(isHeader) ? entries.filter(isHeader) : entries) {
        progress({ file: entry.file });
        if (signal.aborted) throw fail("AbortError", "Stopped on request.");
        await look(entry, entries);
      }
      const random = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
      const seconds = Math.floor(Date.now() / 1000);
      if (kind.startsWith("capture")) {
        const head = wasm.captureHead(Uint32Array.from(slices), model, random, seconds);
        return kind === "capture" ? withPixels(head, values) : head;
      }
      return wasm.writeMaps(kind, Uint32Array.from(slices), values, side, threshold, model, random, seconds);
    },
  },
  forget: {
    queue: "frame",
    async run({ files }) {
      for (const file of files) wasm.forget(file);
    },
  },
};

/** @param {unknown} error @returns {boolean} whether the WebAssembly instance can no longer be trusted */
function isTrap(error) {
  return error instanceof WebAssembly.RuntimeError || (error instanceof RangeError && /memory/i.test(error.message));
}

/** @param {{id: number, op: string, args: any}} request */
async function answer({ id, op, args }) {
  const controller = new AbortController();
  running.set(id, controller);
  const progress = (value) => self.postMessage({ id, progress: value });
  try {
    const { queue, run } = ops[op];
    const turn = Promise.all([queues.get(queue), queues.get("start")]).then(() => {
      if (controller.signal.aborted) throw fail("AbortError", "Stopped on request.");
      return run(args, controller.signal, progress);
    });
    queues.set(queue, turn.catch(() => {}));
    self.postMessage({ id, ok: true, value: await turn });
  } catch (error) {
    if (isTrap(error)) return self.postMessage({ fatal: error.message });
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    self.postMessage({ id, ok: false, error: { name, message } });
  } finally {
    running.delete(id);
  }
}

watchRequests((requests) => self.postMessage({ requests }));
self.onmessage = ({ data }) => {
  if (data.op === "cancel") running.get(data.args.id)?.abort();
  else if (data.op === "live") answerLife(data.args);
  else void answer(data);
};
