// Nothing leaves, whoever hosts the page: with the site's headers, without any, and below a sub-path without any. Page,
// workers and service worker try every way there is to reach another origin, which listens.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openReady } from "./actions.mjs";
import { launch, withPage } from "./harness.mjs";
import { openHost, openListener } from "./hosts.mjs";

const HOSTS = { "with the site's headers": { headers: true }, "without headers": {}, "without headers below a sub-path": { prefix: "/some/where/" } };
/** Time for what was begun to arrive. */
const SETTLE_MS = 1_500;

/** Ways out of a window: name → code that tries. Each gets the other origin as `to`. */
const FROM_WINDOW = {
  "fetch GET": (to) => fetch(`${to}fetch`),
  "fetch POST": (to) => fetch(`${to}fetch-post`, { method: "POST", body: "pixels", mode: "no-cors" }),
  "fetch keepalive": (to) => fetch(`${to}keepalive`, { method: "POST", body: "pixels", mode: "no-cors", keepalive: true }),
  XMLHttpRequest: (to) => {
    const call = new XMLHttpRequest();
    call.open("POST", `${to}xhr`);
    call.send("pixels");
  },
  beacon: (to) => navigator.sendBeacon(`${to}beacon`, "pixels"),
  WebSocket: (to) => void new WebSocket(`${to.replace("http", "ws")}socket`),
  EventSource: (to) => void new EventSource(`${to}events`),
  WebTransport: (to) => void new WebTransport(`${to.replace("http", "https")}transport`),
  image: (to) => void (new Image().src = `${to}image?pixels`),
  "script element": (to) => document.head.append(Object.assign(document.createElement("script"), { src: `${to}script.js` })),
  "module import": (to) => import(`${to}module.js`),
  stylesheet: (to) => document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: `${to}style.css` })),
  prefetch: (to) => document.head.append(Object.assign(document.createElement("link"), { rel: "prefetch", href: `${to}prefetch` })),
  preload: (to) => document.head.append(Object.assign(document.createElement("link"), { rel: "preload", as: "image", href: `${to}preload` })),
  icon: (to) => document.head.append(Object.assign(document.createElement("link"), { rel: "icon", href: `${to}icon.png` })),
  frame: (to) => document.body.append(Object.assign(document.createElement("iframe"), { src: `${to}frame` })),
  object: (to) => document.body.append(Object.assign(document.createElement("object"), { data: `${to}object` })),
  video: (to) => document.body.append(Object.assign(document.createElement("video"), { src: `${to}video`, preload: "auto" })),
  "background image": (to) => void (document.body.style.backgroundImage = `url(${to}background)`),
  font: (to) => new FontFace("x", `url(${to}font)`).load(),
  form: (to) => {
    const form = Object.assign(document.createElement("form"), { action: `${to}form`, method: "post" });
    document.body.append(form);
    form.submit();
  },
  ping: (to) => {
    const link = Object.assign(document.createElement("a"), { href: "#", ping: `${to}ping` });
    document.body.append(link);
    link.click();
  },
  worker: (to) => void new Worker(`${to}worker.js`),
  "worker made on the spot": (to) => void new Worker(URL.createObjectURL(new Blob([`fetch("${to}made", {method: "POST", mode: "no-cors"})`]))),
};

/** Ways out of a worker. */
const FROM_WORKER = {
  "fetch GET": (to) => fetch(`${to}fetch`),
  "fetch POST": (to) => fetch(`${to}fetch-post`, { method: "POST", body: "pixels", mode: "no-cors" }),
  "fetch of a Request": (to) => fetch(new Request(`${to}request`, { method: "POST", body: "pixels", mode: "no-cors" })),
  XMLHttpRequest: (to) => {
    const call = new XMLHttpRequest();
    call.open("POST", `${to}xhr`);
    call.send("pixels");
  },
  WebSocket: (to) => void new WebSocket(`${to.replace("http", "ws")}socket`),
  EventSource: (to) => void new EventSource(`${to}events`),
  WebTransport: (to) => void new WebTransport(`${to.replace("http", "https")}transport`),
  "module import": (to) => import(`${to}module.js`),
  importScripts: (to) => importScripts(`${to}script.js`),
  cache: async (to) => (await caches.open("x")).add(new Request(`${to}cache`, { mode: "no-cors" })),
  "worker made on the spot": (to) => void new Worker(URL.createObjectURL(new Blob([`fetch("${to}made", {method: "POST", mode: "no-cors"})`]))),
};

/** One way must not keep the others waiting. */
const WAY_TIMEOUT_MS = 2_000;

/** Tries each way; none may stop the others. @returns {Promise<string[]>} what was tried */
async function tryAll(target, ways, to) {
  for (const way of Object.values(ways)) {
    const late = new Promise((resolve) => setTimeout(resolve, WAY_TIMEOUT_MS));
    // Refused at once, or not there: that is the point.
    await Promise.race([target.evaluate(way, to).catch(() => {}), late]);
  }
  return Object.keys(ways);
}

let browser;
let listener;
before(async () => {
  browser = await launch({ webgpu: false });
  listener = await openListener();
});
after(async () => {
  await browser?.close();
  await listener?.close();
});

for (const [name, options] of Object.entries(HOSTS)) {
  test(`nothing reaches another origin: ${name}`, async (t) => {
    const host = await openHost(options);
    const cores = (context) => context.addInitScript(() => Object.defineProperty(navigator, "hardwareConcurrency", { get: () => 2 }));
    try {
      await withPage(browser, { expect: [/./], prepare: cores, site: host.url, serviceWorkers: "allow" }, async (page, record) => {
        await openReady(page, { model: "models/default/manifest.json", device: "cpu", site: host.url }, 300_000);
        const workers = page.workers();
        assert.ok(workers.length >= 2, `the engine's worker and one that reads files, found ${workers.length}`);
        for (const worker of workers) t.diagnostic(`worker: ${(await tryAll(worker, FROM_WORKER, listener.url)).join(", ")}`);
        const [serviceWorker] = page.context().serviceWorkers();
        assert.ok(serviceWorker, "there is a service worker");
        t.diagnostic(`service worker: ${(await tryAll(serviceWorker, FROM_WORKER, listener.url)).join(", ")}`);
        t.diagnostic(`page: ${(await tryAll(page, FROM_WINDOW, listener.url)).join(", ")}`);
        await page.waitForTimeout(SETTLE_MS);
        assert.deepEqual(listener.arrived, [], "requests that arrived");
        // A browser may open a connection for a navigation that it then blocks; nothing is sent over it.
        assert.equal(listener.bytes(), 0, "bytes that arrived");
        record.requests.length = 0;
      });
    } finally {
      await host.stop();
    }
  });
}

test("the listener does hear what is sent to it", async () => {
  const before = listener.arrived.length;
  await withPage(browser, { expect: [/./] }, async (page, record) => {
    await page.goto(`${listener.url}page`);
    await page.evaluate((to) => fetch(`${to}heard`, { method: "POST", body: "pixels" }), listener.url);
    record.requests.length = 0;
  });
  assert.ok(listener.arrived.includes("POST /heard"), listener.arrived.slice(before).join());
});
