/** Starting a worker under the content security policy of the page. */

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
