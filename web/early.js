/**
 * What cannot wait for the rest of the program: the site's own description is asked for and the engine is compiled while the
 * other modules are on their way, and an embedded view (`?embed`) loses the page's frame before it is painted. The workers
 * start here: their addresses are relative to this file, which keeps its place in a built site.
 */

import { holdWorker } from "../pkg/start.js";

/** Longer than this nobody waits for a description; the page has defaults. */
export const PATIENCE_MS = 10_000;

/** @typedef {{status: number, type: string, text: string} | {failed: Error}} Answer */

/** The page is shown as one case inside another page. */
export const isEmbedded = new URLSearchParams(location.search).has("embed");
if (isEmbedded) document.documentElement.dataset.embed = "";

/** @returns {Promise<Answer>} */
async function ask() {
  try {
    // A person edits the file and reloads: no copy of the browser's is good enough without a question.
    const response = await fetch("site.json", { cache: "no-cache", signal: AbortSignal.timeout?.(PATIENCE_MS) });
    return { status: response.status, type: response.headers.get("Content-Type") ?? "", text: response.ok ? await response.text() : "" };
  } catch (error) {
    return { failed: error };
  }
}

/** What the host answered for site.json; never rejects. */
export const siteFile = location.protocol === "file:" ? Promise.resolve({ status: 404, type: "", text: "" }) : ask();

/**
 * Workers start under the page's own policy: a host that sends no headers would leave them without any. A script that could not
 * be fetched is asked for again by the next who needs it.
 * @param {string} address relative to this file
 * @returns {() => Promise<() => Worker>}
 */
function held(address) {
  const url = new URL(address, import.meta.url);
  /** @type {Promise<() => Worker> | null} */
  let script = null;
  return () => {
    script ??= holdWorker(url);
    script.catch(() => (script = null));
    return script;
  };
}
export const labScript = held("../pkg/lab-worker.js");
export const decoderScript = held("../pkg/formats-worker.js");
const scriptOfEngine = held("../pkg/worker.js");

/** The first worker of the engine, and what was heard of it before anyone listened. @type {{worker: Worker, heard: any[]} | null} */
let early = null;
// Who needs it says what is wrong.
const begun = scriptOfEngine().then(begin).catch(() => {});

/** @param {() => Worker} start */
function begin(start) {
  const worker = start();
  /** @type {any[]} */
  const heard = [];
  worker.onmessage = ({ data }) => heard.push(data);
  // The next one says what is wrong.
  worker.onerror = (event) => {
    event.preventDefault();
    early = null;
  };
  worker.postMessage({ id: 0, op: "compile", args: {} });
  early = { worker, heard };
}

/** What starts workers of the engine; the first one has begun already. @returns {Promise<() => Worker>} */
export async function engineScript() {
  await begun;
  const start = await scriptOfEngine();
  return () => {
    if (!early) return start();
    const { worker, heard } = early;
    early = null;
    worker.onerror = worker.onmessage = null;
    queueMicrotask(() => heard.forEach((data) => worker.dispatchEvent(new MessageEvent("message", { data }))));
    return worker;
  };
}
