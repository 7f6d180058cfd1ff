// Stopping: while the model loads and while pictures are analysed.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  DEFAULT, TINY, analyse, chooseMode, errorText, giveFiles, openPage, openReady, openSession, startAnalysis, waitForState,
} from "./actions.mjs";
import { golden, maxDifference, slice, tinyPicture } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** Holds weight files back until `release` is called. */
function holdWeights() {
  let release;
  const released = new Promise((resolve) => {
    release = resolve;
  });
  const prepare = (context) =>
    context.route(/\.safetensors$/, async (route) => {
      await released;
      // Once the page has stopped waiting there is nothing left to answer.
      await route.continue().catch(() => {});
    });
  return { prepare, release: () => release() };
}

test("loading can be stopped", async () => {
  const { prepare, release } = holdWeights();
  await withPage(browser, { prepare }, async (page) => {
    await openPage(page, { model: TINY, device: "cpu" });
    await page.getByTestId("progress").first().waitFor({ state: "visible" });
    await page.getByTestId("cancel").first().click();
    await page.waitForFunction(() => document.querySelector("main")?.dataset.state !== "loading");
    assert.notEqual(await page.locator("main").getAttribute("data-state"), "ready", "no model, not ready");
    assert.equal(await page.getByTestId("analyse").isEnabled(), false);
    release();
  });
});

test("a session that is opened with a stopped signal ends in AbortError", async () => {
  const { prepare, release } = holdWeights();
  await withPage(browser, { prepare }, async (page) => {
    await page.goto(new URL("pkg/README.md", process.env.MVFA_URL ?? "http://127.0.0.1:8080/").href);
    const name = await page.evaluate(async (manifest) => {
      const { Session } = await import("/pkg/index.js");
      const controller = new AbortController();
      const onProgress = ({ stage }) => stage === "model" && controller.abort();
      try {
        await Session.open(manifest, { device: "cpu", signal: controller.signal, onProgress });
      } catch (error) {
        return error.name;
      }
      return "";
    }, TINY);
    assert.equal(name, "AbortError");
    release();
  });
});

for (const [device, limit] of [["cpu", 5e-5], ["gpu", 1e-3]]) {
  test(`an analysis on the ${device} can be stopped in the package, and the next one is right`, async () => {
    await withPage(browser, {}, async (page) => {
      await openSession(page, { device });
      const { readFileSync } = await import("node:fs");
      const picture = readFileSync(tinyPicture("input_rgb.png")).toString("base64");
      const { name, map } = await page.evaluate(async (text) => {
        const controller = new AbortController();
        const options = { object: "chest", mode: "zero" };
        const onProgress = () => controller.abort();
        let error = null;
        const stop = { ...options, signal: controller.signal, onProgress };
        await globalThis.session.analyse(globalThis.toBlob(text), stop).catch((reason) => {
          error = reason;
        });
        const next = await globalThis.session.analyse(globalThis.toBlob(text), options);
        return { name: error?.name, map: Array.from(next.map) };
      }, picture);
      assert.equal(name, "AbortError");
      assert.ok(maxDifference(map, golden("image0.S0")) <= limit);
    });
  });
}

test("an analysis can be stopped on the page, and the next one comes to its end", async () => {
  await withPage(browser, {}, async (page) => {
    // The default model is slow enough to be stopped by hand.
    await openReady(page, { model: DEFAULT, device: "cpu" }, 300_000);
    await page.getByTestId("object-select").selectOption("brain");
    await chooseMode(page, "few");
    await giveFiles(page, "support-input", ["brain2_001", "brain2_004", "brain2_012"].map(slice));
    await page.getByTestId("support-item").nth(2).waitFor();
    await giveFiles(page, "file-input", slice("brain1_016"));
    await startAnalysis(page);
    await waitForState(page, "busy");
    await page.getByTestId("cancel").first().click();
    await waitForState(page, ["ready", "done"], 30_000);
    assert.equal(await errorText(page), "", "stopping is no error");
    assert.equal(await page.getByTestId("support-item").count(), 3, "the normal pictures are still there");
    assert.match(await analyse(page, 300_000), /\d/);
  });
});
