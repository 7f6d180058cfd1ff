// Browsers that lack something: the page takes the next tier, or says what is missing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { chromium } from "playwright-core";
import {
  TINY, analyse, analyseInSession, chooseMode, giveFiles, openPage, openReady, openSession, waitForError, waitForState,
} from "./actions.mjs";
import { golden, maxDifference, tinyPicture } from "./fixtures.mjs";
import { SITE, launch, withPage } from "./harness.mjs";

async function withBrowser(options, work) {
  const browser = await launch(options);
  try {
    await work(browser);
  } finally {
    await browser.close();
  }
}

test("without WebGPU the CPU tier is taken, with the reason, and computes the same", async () => {
  await withBrowser({ webgpu: false }, async (browser) => {
    await withPage(browser, {}, async (page) => {
      const info = await openSession(page, { device: "auto" });
      assert.equal(info.device.tier, "cpu");
      assert.ok(info.device.reason.length > 10, info.device.reason);
      const result = await analyseInSession(page, tinyPicture("input_rgb.png"), { object: "chest", mode: "zero" });
      assert.ok(maxDifference(result.map, golden("image0.S0")) <= 5e-5);
    });
    await withPage(browser, {}, async (page) => {
      await openReady(page, { model: TINY });
      assert.match(await page.getByTestId("device-tier").first().innerText(), /cpu|processor/i);
      await page.getByTestId("object-select").selectOption("chest");
      await chooseMode(page, "zero");
      await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
      assert.match(await analyse(page), /\d/);
    });
  });
});

test("asking for the GPU where there is none takes the CPU and says so", async () => {
  await withBrowser({ webgpu: false }, async (browser) => {
    await withPage(browser, {}, async (page) => {
      await openPage(page, { model: TINY, device: "gpu" });
      await waitForState(page, "ready");
      assert.match(await page.getByTestId("device-tier").first().innerText(), /cpu/i);
      const notice = await page.getByTestId("notice").first().innerText();
      assert.match(notice, /WebGPU/, "the reason is told");
      assert.match(notice, /CPU/, "what is used now is told");
    });
  });
});

test("a page that came over plain http says that WebGPU needs https", async () => {
  // Another name of this machine: browsers trust only the well-known ones as if they were https.
  const site = new URL(SITE);
  site.hostname = "plain-http.test";
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless=new", "--no-sandbox", `--host-resolver-rules=MAP ${site.hostname} 127.0.0.1`],
  });
  try {
    const page = await browser.newPage();
    const info = await openSession(page, { device: "auto", site: site.href });
    assert.equal(await page.evaluate(() => isSecureContext), false);
    assert.equal(info.device.tier, "cpu");
    assert.match(info.device.reason, /WebGPU needs https; this page was opened without it/);
  } finally {
    await browser.close();
  }
});

test("without WebAssembly SIMD the page says which browser to use", async () => {
  await withBrowser({}, async (browser) => {
    const prepare = (context) =>
      context.addInitScript(() => {
        // An old browser: the check for SIMD fails, and so would compiling the program.
        WebAssembly.validate = () => false;
        WebAssembly.compileStreaming = () => Promise.reject(new WebAssembly.CompileError("invalid value type"));
      });
    await withPage(browser, { prepare }, async (page) => {
      await openPage(page, { model: TINY });
      await waitForState(page, "error");
      assert.match(await waitForError(page), /browser|SIMD|WebAssembly/i);
    });
  });
});
