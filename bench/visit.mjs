// How long a person waits from opening the page to the first map: a first visit and repeat visits.
//
// Comes in: MVFA_URL (a served site), CHROMIUM, VISITS (default 5). Goes out: a line for each visit with what the page
// fetched of the model and when it came to what. The sample's card is clicked as soon as it is there.
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

/** @param {string} folder */
async function visit(folder) {
  let line = {};
  await withVisit(folder, {}, async (page, record) => {
    await page.addInitScript(noteStates);
    const url = new URL(SITE);
    url.searchParams.set("device", "cpu");
    await page.goto(url.href, { waitUntil: "commit" });
    await page.locator("[data-testid=sample]").first().click();
    await page.waitForFunction(() => globalThis.came.done, null, { timeout: 300_000 });
    const { busy, done } = await page.evaluate(() => globalThis.came);
    const files = record.network().filter(({ url: address }) => address.endsWith(".safetensors")).length;
    line = { files, modelSeconds: busy / 1000, mapSeconds: done / 1000 };
  });
  return line;
}

console.log(`${cpus()[0]?.model}, ${cpus().length} cores, load ${loadavg()[0].toFixed(1)}`);
await withProfileFolder(async (folder) => {
  for (let n = 0; n <= VISITS; n++) {
    const { files, modelSeconds, mapSeconds } = await visit(folder);
    const which = n === 0 ? "first visit " : `repeat ${n}    `;
    console.log(`${which} ${files} model files fetched, analysis begins at ${modelSeconds.toFixed(2)} s, map at ${mapSeconds.toFixed(2)} s`);
  }
});
