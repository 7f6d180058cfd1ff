// The count of requests is what the server sees: after a restart, from every worker, with method and query; what the policy
// blocked is called blocked.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TINY, openReady, waitForState, workersOf } from "./actions.mjs";
import { launch, withPage } from "./harness.mjs";
import { openHost } from "./hosts.mjs";

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

const cores = (context) => context.addInitScript(() => Object.defineProperty(navigator, "hardwareConcurrency", { get: () => 2 }));

/** The lines of the dialog. */
async function listed(page) {
  await page.getByTestId("requests").click();
  const lines = await page.locator(".requests li").allInnerTexts();
  await page.keyboard.press("Escape");
  return lines;
}

const counted = (page) => page.locator("#requests-count").innerText();

test("a restart and a request of each worker are counted, each as the server saw it", async () => {
  const host = await openHost();
  try {
    await withPage(browser, { expect: [/405/], prepare: cores, site: host.url }, async (page, record) => {
      await openReady(page, { model: TINY, device: "cpu", site: host.url });
      const from = host.asked.length;
      assert.equal(await counted(page), "0");

      // Each worker asks once: the engine's, the one that reads files, and the one that makes models. None waits.
      const workers = page.workers();
      assert.equal((await workersOf(page, "model")).length, 1);
      assert.equal(workers.length, 3);
      for (const [n, worker] of workers.entries()) {
        await worker.evaluate((where) => fetch(where), `${host.url}web/style.css?worker=${n}`);
      }
      await page.evaluate(() => fetch("web/style.css?page=1", { method: "POST" }).catch(() => {}));
      await page.getByTestId("device-tier").click();
      await page.locator('input[name="device"][value="cpu"]').check();
      await page.getByRole("button", { name: "Use this device" }).click();
      await waitForState(page, "loading");
      await waitForState(page, "ready");
      await page.waitForTimeout(500);

      const seen = host.asked.slice(from).sort();
      const shown = (await listed(page)).sort();
      assert.deepEqual(shown, seen, "the list is what the server was asked");
      assert.ok(seen.some((line) => line.endsWith("mvfa_web_bg.wasm")), "the restart fetched the program");
      assert.ok(shown.includes("POST /web/style.css?page=1"), shown.join());
      assert.equal(await counted(page), String(seen.length));
      record.requests.length = 0;
    });
  } finally {
    await host.stop();
  }
});

for (const headers of [false, true]) test(`what the policy blocked is listed as blocked, once, and not counted as sent (${headers ? "with" : "without"} headers)`, async () => {
  const host = await openHost({ headers });
  try {
    await withPage(browser, { expect: [/./], site: host.url }, async (page, record) => {
      await openReady(page, { model: TINY, device: "cpu", site: host.url });
      const away = "http://localhost:9/leak?pixels=1";
      await page.evaluate((to) => fetch(to, { method: "POST", body: "x", mode: "no-cors" }).catch(() => {}), away);
      await page.evaluate((to) => void (new Image().src = to), `${away}&image`);
      await page.workers()[0].evaluate((to) => fetch(to, { method: "PUT", body: "x" }).catch(() => {}), `${away}&worker`);
      await page.waitForTimeout(800);
      assert.deepEqual((await listed(page)).sort(), [
        `GET ${away}&image (blocked, nothing was sent)`, `POST ${away} (blocked, nothing was sent)`, `PUT ${away}&worker (blocked, nothing was sent)`,
      ].sort());
      assert.equal(await counted(page), "0 + 3 blocked");
      record.requests.length = 0;
    });
  } finally {
    await host.stop();
  }
});

test("what the service worker answers is not counted", async () => {
  const host = await openHost();
  try {
    await withPage(browser, { site: host.url, serviceWorkers: "allow" }, async (page) => {
      await openReady(page, { model: TINY, device: "cpu", site: host.url });
      await page.reload();
      await waitForState(page, "ready");
      const from = host.asked.length;
      await page.evaluate(() => fetch("web/style.css"));
      await page.getByTestId("device-tier").click();
      await page.locator('input[name="device"][value="cpu"]').check();
      await page.getByRole("button", { name: "Use this device" }).click();
      await waitForState(page, "loading");
      await waitForState(page, "ready");
      await page.waitForTimeout(500);
      const seen = host.asked.slice(from);
      assert.deepEqual(await listed(page), seen);
      assert.ok(!seen.some((line) => /wasm|style|worker/.test(line)), seen.join());
    });
  } finally {
    await host.stop();
  }
});
