// How long a person waits from opening the page to "ready" and to the first map: a first visit and repeat visits, without
// and with the service worker that keeps a copy of the site.
//
// Comes in: MVFA_URL (a served site), CHROMIUM, VISITS (repeat visits, default 5). Goes out: a line for each visit with what
// the page fetched of the model and when it came to what. For the map the sample's card is clicked as soon as it is there.
//
//   cargo xtask serve --port 8080       (in one terminal)
//   cd bench && MVFA_URL=http://127.0.0.1:8080/ node visit.mjs

import { cpus, loadavg } from "node:os";
import { SITE, withProfileFolder, withVisit } from "../tests/browser/harness.mjs";

const VISITS = Number(process.env.VISITS ?? 5);

/** Notes in the page when it first comes to each state, in milliseconds since it was asked for. */
function noteStates() {
  globalThis.came = {};
  const note = () => {
    const state = document.querySelector("main")?.dataset.state;
    if (state) globalThis.came[state] ??= performance.now();
  };
  new MutationObserver(note).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-state"] });
}

/**
 * @param {string} folder what the browser keeps
 * @param {"allow" | "block"} serviceWorkers
 * @param {"ready" | "done"} end `done`: a sample is analysed too
 */
async function visit(folder, serviceWorkers, end) {
  let line = "";
  await withVisit(folder, { serviceWorkers }, async (page, record) => {
    await page.addInitScript(noteStates);
    const url = new URL(SITE);
    url.searchParams.set("device", "cpu");
    await page.goto(url.href, { waitUntil: "commit" });
    if (end === "done") await page.locator("[data-testid=sample]").first().click();
    await page.waitForFunction((state) => globalThis.came[state], end, { timeout: 300_000 });
    const came = await page.evaluate(() => globalThis.came);
    const files = record.network().filter(({ url: address }) => address.endsWith(".safetensors")).length;
    const seconds = (state) => `${(came[state] / 1000).toFixed(2)} s`;
    const when = end === "done" ? `analysis begins at ${seconds("busy")}, map at ${seconds("done")}` : `ready at ${seconds("ready")}`;
    const [copy] = serviceWorkers === "allow" ? await page.evaluate(() => navigator.serviceWorker.getRegistrations()) : [];
    line = `${files} model files fetched, ${when}${copy ? ", site kept" : ""}`;
  });
  return line;
}

console.log(`${cpus()[0]?.model}, ${cpus().length} cores`);
for (const [name, serviceWorkers, end] of /** @type {const} */ ([
  ["no service worker, to the map", "block", "done"],
  ["no service worker", "block", "ready"],
  ["service worker", "allow", "ready"],
  ["service worker, to the map", "allow", "done"],
])) {
  await withProfileFolder(async (folder) => {
    for (let n = 0; n <= VISITS; n++) {
      const line = await visit(folder, serviceWorkers, end);
      console.log(`${name}, ${n === 0 ? "first visit" : `repeat ${n}`}: ${line} (load ${loadavg()[0].toFixed(1)})`);
    }
  });
}
