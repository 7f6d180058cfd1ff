// A real crash of the real engine: the page starts it again, keeps everything, and comes to the same result.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  DEFAULT, TINY, analyse, chooseMode, errorText, giveFiles, openReady, scoreText, startAnalysis, waitForState,
} from "./actions.mjs";
import { slice, tinyPicture } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";
import { breakProgram, withMemory } from "./program.mjs";

/** What a trap leaves in the browser's console. */
const EXPECT = [/RuntimeError|memory access out of bounds|table index|unreachable|panicked/];

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function breakEngine(page) {
  const worker = await engineOf(page);
  await breakProgram(worker);
  return worker;
}

/** The one worker that fetched the engine; others wait in case of many pictures. */
async function engineOf(page) {
  const fetched = () => performance.getEntriesByType("resource").some(({ name }) => name.endsWith("mvfa_web_bg.wasm"));
  const engines = [];
  for (const worker of page.workers()) if (await worker.evaluate(fetched)) engines.push(worker);
  assert.equal(engines.length, 1, "one worker holds the engine");
  return engines[0];
}

/** What a person brought and set. */
async function belongings(page) {
  return {
    images: await page.getByTestId("strip-item").count(),
    references: await page.getByTestId("support-item").count(),
    object: await page.getByTestId("object-select").inputValue(),
    opacity: await page.getByTestId("opacity").inputValue(),
    augment: await page.getByTestId("augment-select").inputValue(),
    memory: await page.getByTestId("bank-rows-select").inputValue(),
  };
}

test("a crash in the middle of an analysis: the page goes on by itself and keeps everything", async () => {
  await withPage(browser, { expect: EXPECT, prepare: withMemory }, async (page) => {
    await openReady(page, { model: DEFAULT, device: "cpu" }, 300_000);
    await page.getByTestId("object-select").selectOption("lung");
    await chooseMode(page, "few");
    await page.getByTestId("opacity").fill("35");
    await page.getByTestId("bank-rows-select").selectOption("290");
    await giveFiles(page, "support-input", ["brain2_014", "brain2_015", "brain2_016"].map(slice));
    await page.getByTestId("support-item").nth(2).waitFor();
    await giveFiles(page, "file-input", ["brain1_016", "brain1_017"].map(slice));
    await page.getByTestId("strip-item").nth(1).waitFor();
    const before = await belongings(page);
    assert.deepEqual(before, { images: 2, references: 3, object: "lung", opacity: "35", augment: "none", memory: "290" });

    await startAnalysis(page);
    await waitForState(page, "busy");
    const broken = await breakEngine(page);
    await page.getByTestId("notice").first().waitFor({ state: "visible", timeout: 60_000 });
    assert.match(await page.getByTestId("notice").first().innerText(), /stopped.*starting again.*still here/s);
    await waitForState(page, "done", 300_000);
    const score = await scoreText(page);
    assert.match(score, /\d/, "the analysis that was cut off came to its end");
    assert.equal(await errorText(page), "");
    assert.notEqual(await engineOf(page), broken, "another worker");
    assert.ok(!page.workers().includes(broken), "the broken one is gone");
    assert.deepEqual(await belongings(page), before);

    assert.equal(await analyse(page, 300_000), score, "the next analysis gives the same");
  });
});

for (const device of ["cpu", "gpu"]) {
  test(`a crash between two analyses on the ${device} tier: the next one gives the same`, async () => {
    await withPage(browser, { expect: EXPECT, prepare: withMemory }, async (page) => {
      await openReady(page, { model: TINY, device });
      const tier = await page.getByTestId("device-tier").first().innerText();
      await page.getByTestId("object-select").selectOption("chest");
      await chooseMode(page, "few");
      // One view of the normal picture: a software adapter is slow.
      await page.getByTestId("augment-select").selectOption("none");
      await giveFiles(page, "support-input", tinyPicture("support_0.png"));
      await page.getByTestId("support-item").first().waitFor();
      await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
      const score = await analyse(page);
      const before = await belongings(page);

      await breakEngine(page);
      await startAnalysis(page);
      await page.getByTestId("notice").first().waitFor({ state: "visible" });
      await waitForState(page, "done");
      assert.equal(await scoreText(page), score);
      assert.deepEqual(await belongings(page), before);
      assert.equal(await page.getByTestId("device-tier").first().innerText(), tier, "the same tier");
    });
  });
}

test("an overlay whose drawing was lost in a crash comes back by itself", async () => {
  await withPage(browser, { expect: EXPECT, prepare: withMemory }, async (page) => {
    await openReady(page, { model: TINY, device: "cpu" });
    await page.getByTestId("object-select").selectOption("chest");
    await chooseMode(page, "few");
    await giveFiles(page, "support-input", [tinyPicture("support_0.png"), tinyPicture("support_1.png")]);
    await page.getByTestId("support-item").nth(1).waitFor();
    await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
    await analyse(page);
    await page.locator('[data-testid="download-overlay"]:enabled').waitFor();

    await breakEngine(page);
    // The first thing asked of the broken worker is a drawing.
    await page.getByTestId("colour-map").selectOption("viridis");
    await page.getByTestId("notice").first().waitFor({ state: "visible" });
    await waitForState(page, ["ready", "done"]);
    await page.waitForFunction(() => {
      const bar = /** @type {HTMLCanvasElement} */ (document.getElementById("scale-bar"));
      const { data } = /** @type {CanvasRenderingContext2D} */ (bar.getContext("2d")).getImageData(255, 0, 1, 1);
      // The yellow end of viridis; inferno ends in a pale one.
      return data[2] < 80;
    });
  });
});
