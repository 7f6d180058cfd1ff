/**
 * The service worker: it keeps the site's own files, so that the page opens without a connection.
 *
 * Comes in: `SITE`, which the build puts before this text: the SHA-256 of each file by its path, and the headers of the
 * site. Goes out: each of those files exactly as it was built, with those headers, also if the host sends none; every
 * other request goes to the network as if this worker were not there. A copy is stored under path and hash, so two
 * versions never mix: this worker answers with the files it was built with and no others. A new version waits until the
 * page says that no other tab uses the old one. Fails to install where a file is not what the build says, for example in
 * the middle of an upload; the old version then stays.
 */
"use strict";

/** @type {{files: Record<string, string>, headers: Record<string, string>}} */
const SITE = /** @type {any} */ (self).SITE;
const worker = /** @type {any} */ (self);

/** On every answer from the copy, so that the page's count of requests leaves it out (pkg/requests.js). */
const KEPT_MARK = { "Server-Timing": "offline-copy" };
/** Files fetched at once while installing. */
const PARALLEL = 6;

const root = new URL("./", location.href);
/** Of its own for each folder of this site that holds a copy of the page. */
const CACHE = `mvfa-site ${root.pathname}`;
const request = fetch.bind(self);

// A policy reaches this worker only as a header of its own script, which some hosts cannot send. So the interfaces that
// could carry data elsewhere are removed here.
for (const name of ["WebSocket", "WebSocketStream", "WebTransport", "EventSource", "importScripts", "BackgroundFetchManager"]) {
  Object.defineProperty(self, name, { value: undefined });
}
worker.Cache.prototype.add = worker.Cache.prototype.addAll = undefined;
Object.defineProperty(self, "fetch", { value: fetchFromSite });

/** @param {RequestInfo | URL} input @param {RequestInit} [init] */
async function fetchFromSite(input, init) {
  const wanted = new Request(input, init);
  if (wanted.method !== "GET" || new URL(wanted.url).origin !== location.origin) {
    throw new TypeError(`${wanted.method} ${wanted.url} is not allowed: this worker only reads from its own site.`);
  }
  return request(wanted);
}

/** @param {string} path @param {string} sha256 where the copy of one version of a file is kept */
const keyFor = (path, sha256) => new URL(`${path}?sha256=${sha256}`, root).href;

/** @param {BufferSource} bytes */
async function sha256Of(bytes) {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Open tabs with this page, whichever version they came from. */
async function openPages() {
  const windows = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  return windows.filter(({ url }) => url.startsWith(root.href));
}

/** Reports requests that this worker makes by itself to open pages. @param {string} url */
async function report(url) {
  const requests = [{ method: "GET", url, blocked: false, atMs: Date.now() }];
  for (const page of await openPages()) page.postMessage({ requests });
}

/** Keeps one file, if it is not there yet. @param {Cache} cache @param {string} path */
async function keep(cache, path) {
  const sha256 = SITE.files[path];
  const key = keyFor(path, sha256);
  if (await cache.match(key)) return;
  const url = new URL(path, root).href;
  // The browser's own cache first: the page has just fetched the same file. The hash tells whether it is of this version.
  for (const mode of /** @type {RequestCache[]} */ (["default", "reload"])) {
    await report(url);
    const response = await fetchFromSite(url, { cache: mode });
    const bytes = await response.arrayBuffer();
    if (!response.ok || (await sha256Of(bytes)) !== sha256) continue;
    const type = response.headers.get("Content-Type") ?? "application/octet-stream";
    return cache.put(key, new Response(bytes, { headers: { ...SITE.headers, ...KEPT_MARK, "Content-Type": type } }));
  }
  throw new Error(`${path} is not the file this version was built with; the version is not installed.`);
}

async function install() {
  const cache = await caches.open(CACHE);
  const paths = Object.keys(SITE.files);
  const lane = async () => {
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) await keep(cache, path);
  };
  await Promise.all(Array.from({ length: PARALLEL }, lane));
}

async function activate() {
  const cache = await caches.open(CACHE);
  const ours = new Set(Object.entries(SITE.files).map(([path, sha256]) => keyFor(path, sha256)));
  for (const { url } of await cache.keys()) {
    if (!ours.has(url)) await cache.delete(url);
  }
  // A page that was open before the first version: its next worker can start without a connection, too.
  await worker.clients.claim();
}

/** The path of a file of this version, or null. @param {Request} wanted */
function pathOf(wanted) {
  const url = new URL(wanted.url);
  if (wanted.method !== "GET" || url.origin !== root.origin || !url.pathname.startsWith(root.pathname)) return null;
  const path = decodeURIComponent(url.pathname.slice(root.pathname.length)) || "index.html";
  // The page takes its choices from the query; for every other file a query means something else than the plain file.
  if (url.search && path !== "index.html") return null;
  return Object.hasOwn(SITE.files, path) ? path : null;
}

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(activate()));
worker.addEventListener("fetch", (event) => {
  const path = pathOf(event.request);
  if (path === null) return;
  // Without opening the cache, which would make it anew after "Forget everything".
  const kept = caches.match(keyFor(path, SITE.files[path]), { cacheName: CACHE });
  event.respondWith(kept.then((copy) => copy ?? fetchFromSite(event.request)));
});
worker.addEventListener("message", (event) => {
  if (event.data?.op !== "takeOver") return;
  event.waitUntil((async () => {
    const pages = await openPages();
    // Another tab would go on with old files and get new ones with its next worker.
    if (pages.length === 1) await worker.skipWaiting();
    event.ports[0].postMessage({ otherPages: pages.length - 1 });
  })());
});
