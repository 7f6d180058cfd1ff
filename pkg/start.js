/** Starting a worker under the content security policy of the page. */

import { makeError } from "./errors.js";

/** How a script begins that stands alone in its file; the build that joins its modules writes it. */
const ALONE = "globalThis.scriptUrl ??=";

/**
 * Starts the worker under the content security policy of this page. A worker that is loaded from an address has only the
 * policy that the server sends with it; one that is made on the spot has its maker's, also if that stands in a
 * `<meta>` element. Give it to {@link Session.open} as `startWorker`; the page's policy must allow `worker-src blob:`.
 * @param {string | URL} url of worker.js
 * @returns {Worker}
 */
export function startUnderPagePolicy(url) {
  const source = URL.createObjectURL(new Blob([`import ${JSON.stringify(String(url))};`], { type: "text/javascript" }));
  const worker = new Worker(source, { type: "module", name: String(url) });
  // Needed until the script is read: after the first message, or an error.
  for (const event of ["message", "error"]) worker.addEventListener(event, () => URL.revokeObjectURL(source), { once: true });
  return worker;
}

/**
 * Fetches the script of a worker; what comes back starts workers as {@link startUnderPagePolicy} does. If the script stands
 * alone in its file, as a built site has it, they ask the network for none of it.
 * @param {string | URL} url of worker.js
 * @returns {Promise<() => Worker>}
 */
export async function holdWorker(url) {
  const response = await fetch(url).catch((error) => ({ ok: false, failed: error.message }));
  if (!(response instanceof Response && response.ok)) {
    const reason = response instanceof Response ? `the server answered ${response.status}` : response.failed;
    throw makeError("ModelError", `The program's files could not be fetched (${reason}). Check the connection and try again.`);
  }
  const script = await response.text();
  if (!script.startsWith(ALONE)) return () => startUnderPagePolicy(url);
  const place = `globalThis.scriptUrl = ${JSON.stringify(String(url))};\n`;
  const source = URL.createObjectURL(new Blob([place, script], { type: "text/javascript" }));
  return () => new Worker(source, { type: "module", name: String(url) });
}
