/**
 * What a window or a worker asks of the network.
 *
 * Comes in: the browser's record of resources, its reports of policy violations, and calls of `fetch` and
 * XMLHttpRequest, whose methods that record does not hold. Goes out: one {@link NetworkRequest} for each request that
 * went to the network or was blocked by the content security policy. An answer that the site's service worker had kept
 * carries a mark and is left out: nothing went out for it. Nothing here fails; if a browser lacks an interface, its
 * part of the record is missing.
 */

/** @typedef {import("./index.d.ts").NetworkRequest} NetworkRequest */

/** Name of the `Server-Timing` entry that the service worker puts on what it had kept (web/sw.js). */
const KEPT = "offline-copy";
/** A violation may be reported after the record of the same request. */
const VIOLATION_DELAY_MS = 100;

/**
 * Reports every request of this window or worker, those before the call included.
 * @param {(requests: NetworkRequest[]) => void} report
 */
export function watchRequests(report) {
  /** Methods of calls whose record is still to come. @type {Map<string, string[]>} */
  const methods = new Map();
  /** Violations by address and policy: a page may have one policy from its host and one of its own. @type {Map<string, Map<string, number>>} */
  const blocked = new Map();
  noteMethods((url, method) => methods.set(url, [...(methods.get(url) ?? []), method]));

  /** @param {string} url @param {string} [kind] initiator of the record */
  const methodOf = (url, kind) => methods.get(url)?.shift() ?? (kind === "beacon" ? "POST" : "GET");

  addEventListener("securitypolicyviolation", (event) => {
    const { blockedURI: url, disposition, originalPolicy } = /** @type {SecurityPolicyViolationEvent} */ (event);
    if (disposition !== "enforce" || !isRemote(url)) return;
    const counts = blocked.get(url) ?? new Map();
    const reported = Math.max(0, ...counts.values());
    const count = (counts.get(originalPolicy) ?? 0) + 1;
    blocked.set(url, counts.set(originalPolicy, count));
    if (count <= reported) return;
    report([{ method: methodOf(url), url, blocked: true, atMs: Date.now() }]);
  });

  /** @param {PerformanceResourceTiming[]} entries */
  const settle = (entries) => {
    const sent = entries.filter(({ name, serverTiming = [] }) =>
      isRemote(name) && !blocked.has(name) && !serverTiming.some((mark) => mark.name === KEPT));
    if (sent.length === 0) return;
    report(sent.map(({ name, initiatorType, startTime }) => (
      { method: methodOf(name, initiatorType), url: name, blocked: false, atMs: performance.timeOrigin + startTime })));
  };
  new PerformanceObserver((list) => {
    const entries = /** @type {PerformanceResourceTiming[]} */ (list.getEntries());
    // Without an answer it may have been blocked. The others are reported at once: a worker may be ended at any moment.
    settle(entries.filter(({ responseStatus }) => responseStatus !== 0));
    setTimeout(() => settle(entries.filter(({ responseStatus }) => responseStatus === 0)), VIOLATION_DELAY_MS);
  }).observe({ type: "resource", buffered: true });
}

/** @param {string} url @returns {boolean} false for `blob:` and `data:`, which stay inside the browser */
function isRemote(url) {
  return /^(https?|wss?):/.test(url);
}

/** Calls `note` with address and method of each call that can choose its method. @param {(url: string, method: string) => void} note */
function noteMethods(note) {
  const add = (address, method) => {
    try {
      const url = new URL(address, globalThis.document?.baseURI ?? location.href);
      url.hash = "";
      note(url.href, method.toUpperCase());
    } catch {
      // No address: the call itself says so.
    }
  };
  const { fetch } = globalThis;
  globalThis.fetch = (input, init) => {
    const request = input instanceof Request ? input : null;
    add(request?.url ?? String(input), String(init?.method ?? request?.method ?? "GET"));
    return fetch(input, init);
  };
  const { open } = globalThis.XMLHttpRequest?.prototype ?? {};
  if (!open) return;
  XMLHttpRequest.prototype.open = function (/** @type {any[]} */ ...args) {
    add(args[1], String(args[0]));
    return open.apply(this, /** @type {any} */ (args));
  };
}
