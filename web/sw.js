/**
 * The service worker: it keeps the site's own files, so that the page opens without a connection.
 *
 * Comes in: `SITE`, which the build puts before this text: the SHA-256 of each file by its path, and the headers of the
 * site. Goes out: each of those files exactly as it was built, with those headers, also if the host sends none; every
 * other request goes to the network as if this worker were not there. A copy is stored under path and hash, so two
 * versions never mix: this worker answers with the files it was built with and no others. A new version waits until the
 * page says that no other tab uses the old one.
 *
 * `site.json` and the texts and pictures that it names are a person's to change without a build, so they have no hash: they come
 * from the network, and from the copy of the last time where there is none. Fails to install where a file is not what the build says, for example in
 * the middle of an upload; the old version then stays. The model that comes with the page may be missing.
 */
"use strict";

/** @type {{files: Record<string, string>, headers: Record<string, string>}} */
const SITE = /** @type {any} */ (self).SITE;
const worker = /** @type {any} */ (self);

/** On every answer from the copy, so that the page's count of requests leaves it out (pkg/requests.js). */
const KEPT_MARK = { "Server-Timing": "offline-copy" };
/** Files fetched at once while installing. */
const PARALLEL = 6;
/** The site's own description. */
const OWN = "site.json";
/** Longer than this a connection that does not answer is taken for none, where there is a copy. */
const PATIENCE_MS = 4_000;
/** A site with models of its own may lack this one. */
const OPTIONAL = "models/";

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

/** @param {string} path where the last copy of a file without a hash is kept */
const keyOfOwn = (path) => new URL(`${path.split("/").map(encodeURIComponent).join("/")}?own`, root).href;
/** Paths of these files; null until this worker has looked them up. @type {Set<string> | null} */
let own = null;

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
    if (response.status === 404 && path.startsWith(OPTIONAL)) return;
    const bytes = await response.arrayBuffer();
    if (!response.ok || (await sha256Of(bytes)) !== sha256) continue;
    const type = response.headers.get("Content-Type") ?? "application/octet-stream";
    return cache.put(key, new Response(bytes, { headers: { ...SITE.headers, ...KEPT_MARK, "Content-Type": type } }));
  }
  throw new Error(`${path} is not the file this version was built with; the version is not installed.`);
}

/** What a description names, by path; nothing if it is damaged, which the page explains. @param {string} text @returns {string[]} */
function namesIn(text) {
  try {
    const { texts, samples } = JSON.parse(text.replace(/^\uFEFF/, ""));
    const addresses = [texts, ...(Array.isArray(samples) ? samples : []).flatMap((sample) => [sample?.pictures, sample?.references].flat())];
    return addresses.flatMap((address) => (typeof address === "string" ? (pathBelow(new URL(address, root)) ?? []) : []));
  } catch {
    return [];
  }
}

/** Looks up the files without a hash: the description, and what its copy names. */
async function readOwn() {
  const kept = await caches.match(keyOfOwn(OWN), { cacheName: CACHE });
  own = new Set([OWN, ...(kept ? namesIn(await kept.text()) : [])].filter((path) => !Object.hasOwn(SITE.files, path)));
  return own;
}

/** Keeps the answer for a file without a hash. @param {string} path @param {Response} response */
async function keepOwn(path, response) {
  // After "Forget everything" nothing is kept any more.
  if (!(await caches.has(CACHE))) return;
  const cache = await caches.open(CACHE);
  if (response.status === 404) await cache.delete(keyOfOwn(path));
  if (response.ok) {
    const type = response.headers.get("Content-Type") ?? "application/octet-stream";
    await cache.put(keyOfOwn(path), new Response(await response.arrayBuffer(), { headers: { ...SITE.headers, ...KEPT_MARK, "Content-Type": type } }));
  }
  if (path === OWN) await dropOld(cache);
}

/** From the network; from the copy where there is none. @param {string} path @param {Request} wanted */
async function freshOwn(path, wanted) {
  const kept = await caches.match(keyOfOwn(path), { cacheName: CACHE });
  try {
    const response = await (kept ? Promise.race([fetchFromSite(wanted), late()]) : fetchFromSite(wanted));
    if (kept && response.status >= 500) return kept;
    // Before the page goes on: it will ask for what the description names.
    await keepOwn(path, response.clone()).catch(() => {});
    return response;
  } catch (error) {
    if (kept) return kept;
    // There was none when the host was last heard.
    if (path === OWN) return new Response("", { status: 404, headers: KEPT_MARK });
    throw error;
  }
}

/** @returns {Promise<never>} */
const late = () => new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), PATIENCE_MS));

/** Keeps a description and what it names; what is missing is the page's to tell. */
async function installOwn() {
  const keepOne = async (/** @type {string} */ path) => {
    const url = new URL(path, root).href;
    await report(url);
    await fetchFromSite(url).then((response) => keepOwn(path, response)).catch(() => {});
  };
  await keepOne(OWN);
  await inLanes([...(await readOwn())].filter((path) => path !== OWN), keepOne);
}

/** @param {string[]} paths @param {(path: string) => Promise<unknown>} work */
async function inLanes(paths, work) {
  const waiting = [...paths];
  const lane = async () => {
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) await work(path);
  };
  await Promise.all(Array.from({ length: PARALLEL }, lane));
}

async function install() {
  const cache = await caches.open(CACHE);
  await inLanes(Object.keys(SITE.files), (path) => keep(cache, path));
  await installOwn();
}

/** Takes away what neither this version nor the description names. @param {Cache} cache @param {boolean} [isAlone] no other version is in use */
async function dropOld(cache, isAlone = false) {
  const named = new Set([...(await readOwn())].map(keyOfOwn));
  const ours = new Set(Object.entries(SITE.files).map(([path, sha256]) => keyFor(path, sha256)));
  for (const { url } of await cache.keys()) {
    const isOwn = url.endsWith("?own");
    if (isOwn ? !named.has(url) : isAlone && !ours.has(url)) await cache.delete(url);
  }
}

async function activate() {
  const cache = await caches.open(CACHE);
  await dropOld(cache, true);
  // A page that was open before the first version: its next worker can start without a connection, too.
  await worker.clients.claim();
}

/** The path of a file below this site, or null. @param {URL} url */
function pathBelow(url) {
  if (url.origin !== root.origin || !url.pathname.startsWith(root.pathname)) return null;
  let path;
  try {
    path = decodeURIComponent(url.pathname.slice(root.pathname.length)) || "index.html";
  } catch {
    return null;
  }
  // The page takes its choices from the query; for every other file a query means something else than the plain file.
  return url.search && path !== "index.html" ? null : path;
}

void readOwn();
worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(activate()));
worker.addEventListener("fetch", (event) => {
  const path = event.request.method === "GET" ? pathBelow(new URL(event.request.url)) : null;
  if (path === null) return;
  if (Object.hasOwn(SITE.files, path)) {
    // Without opening the cache, which would make it anew after "Forget everything".
    const kept = caches.match(keyFor(path, SITE.files[path]), { cacheName: CACHE });
    return event.respondWith(kept.then((copy) => copy ?? fetchFromSite(event.request)));
  }
  if (own?.has(path)) return event.respondWith(freshOwn(path, event.request));
  // This worker has just been started for this very request.
  if (own === null) event.respondWith(readOwn().then((paths) => (paths.has(path) ? freshOwn(path, event.request) : fetchFromSite(event.request))));
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
