// Never stuck: where the page cannot work it says so and what to do next; a visit ends in "ready" or in an error with words.

import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import { after, before, test } from "node:test";
import { TINY, errorText, openPage, openReady, waitForError, waitForState } from "./actions.mjs";
import { SITE, launch, withPage, withProfileFolder, withVisit } from "./harness.mjs";

/** Long enough for the static text, which waits some seconds. */
const TEXT_WITHIN_MS = 15_000;
const STORED = "mvfa-web-view";

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

/** Waits for the static text and answers it. @param {import("playwright-core").Page | import("playwright-core").Frame} page */
async function staticText(page) {
  const text = page.getByTestId("stuck");
  await text.waitFor({ state: "visible", timeout: TEXT_WITHIN_MS });
  assert.ok(await text.evaluate((node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true })), "it can be seen");
  return text.innerText();
}

/**
 * The site at another address, and at /frame.html a page that shows it in a sandboxed frame.
 * @param {boolean} open as hosts do that let every site read their files, and send no other headers
 */
async function openFrameHost(open) {
  const server = createServer((incoming, outgoing) => {
    if (incoming.url === "/frame.html") {
      return outgoing.writeHead(200, { "content-type": "text/html" }).end('<!doctype html><iframe sandbox="allow-scripts" src="/" width="900" height="700"></iframe>');
    }
    request(new URL(incoming.url ?? "/", SITE), (answer) => {
      const headers = open ? { "content-type": answer.headers["content-type"] ?? "text/plain", "access-control-allow-origin": "*" } : answer.headers;
      answer.pipe(outgoing.writeHead(answer.statusCode ?? 502, headers));
    }).on("error", () => outgoing.destroy()).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}/`, close: () => (server.closeAllConnections(), server.close()) };
}

/** The page inside the frame. */
async function framed(page, host) {
  await page.goto(`${host.url}frame.html`);
  await page.waitForFunction(() => document.querySelector("iframe"));
  return page.frames().find((frame) => frame.parentFrame());
}

test("opened as a file, the page says how to serve it", async () => {
  await withPage(browser, { expect: [/CORS policy|net::ERR|Failed to load/] }, async (page) => {
    await page.goto(new URL("../../index.html", import.meta.url).href);
    const text = await staticText(page);
    assert.match(text, /opened as a file/);
    assert.match(text, /python3 -m http\.server/);
  });
});

test("in a sandboxed frame the page says to open it in a tab: by its text where no script of it may run", async () => {
  const host = await openFrameHost(false);
  try {
    await withProfileFolder((folder) => withVisit(folder, { site: host.url, expect: [/.*/] }, async (page) => {
      assert.match(await staticText(await framed(page, host)), /tab of its own/);
    }));
  } finally {
    host.close();
  }
});

test("in a sandboxed frame the page says to open it in a tab: as an error where its scripts run", async () => {
  const host = await openFrameHost(true);
  try {
    await withProfileFolder((folder) => withVisit(folder, { site: host.url, expect: [/.*/] }, async (page) => {
      const frame = await framed(page, host);
      await waitForState(frame, "error", 30_000);
      assert.match(await waitForError(frame), /tab of its own/);
      assert.equal(await frame.getByTestId("stuck").count(), 0, "one text");
    }));
  } finally {
    host.close();
  }
});

test("without JavaScript the page says to allow it", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  try {
    const page = await context.newPage();
    await page.goto(SITE);
    await page.getByTestId("stuck").waitFor({ state: "visible", timeout: TEXT_WITHIN_MS });
    assert.match(await page.getByTestId("stuck").innerText(), /Scripts are blocked/);
  } finally {
    await context.close();
  }
});

for (const reducedMotion of ["no-preference", "reduce"]) {
  test(`with its program blocked the page says so, after a moment (motion: ${reducedMotion})`, async () => {
    const prepare = (context) => context.route("**/web/app.js", (route) => route.abort());
    await withPage(browser, { prepare, expect: [/net::ERR_FAILED/] }, async (page) => {
      await page.emulateMedia({ reducedMotion });
      await page.goto(SITE);
      await page.waitForTimeout(500);
      assert.equal(await page.getByTestId("stuck").isVisible(), false, "not at once");
      assert.match(await staticText(page), /Files are missing/);
    });
  });
}

test("a normal visit never shows the static text", async () => {
  const prepare = (context) => context.addInitScript(() => {
    globalThis.seen = 0;
    const look = () => {
      if (document.getElementById("stuck")?.checkVisibility({ visibilityProperty: true })) globalThis.seen += 1;
      requestAnimationFrame(look);
    };
    look();
  });
  await withPage(browser, { prepare }, async (page) => {
    await openReady(page, { model: TINY, device: "cpu" });
    await page.waitForTimeout(4_000);
    assert.equal(await page.evaluate(() => globalThis.seen), 0);
    assert.equal(await page.getByTestId("stuck").count(), 0, "it is gone for screen readers, too");
  });
});

test("an address that is none ends in an error that names it", async () => {
  await withPage(browser, {}, async (page) => {
    await page.goto(`${SITE}?model=http://[`);
    await waitForState(page, "error", 10_000);
    assert.match(await waitForError(page), /\?model=/);
  });
});

test("an address without a model says where to look", async () => {
  await withPage(browser, { expect: [/404/] }, async (page) => {
    await openPage(page, { model: "/models/nothing-here/", device: "cpu" });
    await waitForState(page, "error");
    assert.equal((await waitForError(page)).split("\n").find((line) => line.length > 20), "The model could not be loaded: there is no manifest.json at this address. Check the part after ?model=.");
  });
});

/** Holds the model's weights back until `release` is called. */
function heldWeights() {
  let release = () => {};
  const released = new Promise((resolve) => (release = () => resolve(undefined)));
  const prepare = (context) => context.route(/\.safetensors$/, async (route) => {
    await released;
    await route.continue().catch(() => {});
  });
  return { prepare, release };
}

test("Esc while the model loads stops nothing; the button does", async () => {
  const { prepare, release } = heldWeights();
  await withPage(browser, { prepare }, async (page) => {
    await openPage(page, { model: TINY, device: "cpu" });
    await page.getByTestId("cancel").waitFor({ state: "visible" });
    for (let times = 0; times < 3; times++) await page.keyboard.press("Escape");
    await page.waitForTimeout(500);
    assert.equal(await page.locator("main").getAttribute("data-state"), "loading");
    release();
    await waitForState(page, "ready");
  });
});

test("an error from before the model was ready does not outlive it", async () => {
  let failures = 1;
  const prepare = (context) => context.route(/manifest\.json$/, (route) => (failures-- > 0 ? route.abort() : route.continue()));
  await withPage(browser, { expect: [/net::ERR_FAILED/], prepare }, async (page) => {
    await openPage(page, { model: TINY, device: "cpu" });
    await waitForState(page, "error");
    await waitForError(page);
    // By the other button than the one in the message, which would take the message away itself.
    await page.getByTestId("load-model").click();
    await waitForState(page, "ready");
    assert.equal(await errorText(page), "");
  });
});

test("a device in the address counts for this visit; the one chosen in the dialog for later ones", async () => {
  await withProfileFolder(async (folder) => {
    const stored = (page) => page.evaluate((key) => JSON.parse(localStorage.getItem(key) ?? "{}"), STORED);
    await withVisit(folder, {}, async (page) => {
      await openReady(page, { model: TINY, device: "cpu" });
      await page.getByTestId("colour-map").selectOption("viridis");
      const kept = await stored(page);
      assert.equal(kept.colourMap, "viridis", "settings are kept");
      assert.notEqual(kept.device, "cpu", "the device of the address is not");
    });
    await withVisit(folder, {}, async (page) => {
      await openReady(page, { model: TINY });
      await page.getByTestId("device-tier").click();
      assert.equal(await page.locator("dialog input[name=device]:checked").inputValue(), "auto");
      await page.locator("dialog input[value=cpu]").check();
      await page.locator("dialog button[type=submit]").click();
      await page.waitForFunction(() => !document.querySelector("dialog"));
      await waitForState(page, "ready");
      assert.equal((await stored(page)).device, "cpu");
    });
    await withVisit(folder, {}, async (page) => {
      await openReady(page, { model: TINY });
      await page.getByTestId("device-tier").click();
      assert.equal(await page.locator("dialog input[name=device]:checked").inputValue(), "cpu");
    });
  });
});

test("after the page has taken the CPU it does not tell the person to choose the CPU", async () => {
  await withPage(browser, {}, async (page) => {
    await openPage(page, { model: TINY, device: "gpu" });
    await waitForState(page, "ready");
    const notice = await page.getByTestId("notice").first().innerText();
    assert.match(notice, /WebGPU/);
    assert.match(notice, /CPU is used now/);
    assert.doesNotMatch(notice, /choose the cpu/i);
  });
});
