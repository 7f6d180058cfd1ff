// Bad pictures and bad models end in words, and what was there before stays.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  TINY, analyse, chooseMode, errorText, giveFiles, openPage, openReady, scoreText, startAnalysis, waitForError, waitForState,
} from "./actions.mjs";
import { brokenModels, brokenPictures, tinyPicture } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

let browser;
let models;
before(async () => {
  browser = await launch();
  models = brokenModels();
});
after(() => browser?.close());

/** A page with a map on it. */
async function withResult(page) {
  await openReady(page, { model: TINY, device: "cpu" });
  await page.getByTestId("object-select").selectOption("chest");
  await chooseMode(page, "zero");
  await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
  return analyse(page);
}

for (const broken of brokenPictures()) {
  test(`a picture nobody can read: ${broken.name}`, async () => {
    await withPage(browser, {}, async (page) => {
      const score = await withResult(page);
      assert.equal(await errorText(page), "");
      await giveFiles(page, "file-input", broken);
      // A page may read a picture when it is added or when it is analysed.
      if (!(await errorAppears(page))) await startAnalysis(page);
      const text = await waitForError(page);
      assert.doesNotMatch(text, /undefined|panicked|RuntimeError|\[object/, "words for a person");

      // The page goes on: the same good picture gives the same score.
      await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
      assert.equal(await analyse(page), score);
      assert.equal(await errorText(page), "", "the error is gone once it no longer applies");
    });
  });

  test(`a normal picture nobody can read: ${broken.name}`, async () => {
    await withPage(browser, {}, async (page) => {
      await withResult(page);
      await chooseMode(page, "few");
      await giveFiles(page, "support-input", tinyPicture("support_0.png"));
      await page.getByTestId("support-item").first().waitFor();
      await giveFiles(page, "support-input", broken);
      await waitForError(page);
      assert.equal(await page.getByTestId("support-item").count(), 1, "only the good one is kept");
      assert.match(await analyse(page), /\d/);
    });
  });
}

/** Whether an error shows up by itself within a few seconds. */
async function errorAppears(page) {
  const error = page.getByTestId("error").first();
  return error.waitFor({ state: "visible", timeout: 5_000 }).then(() => true, () => false);
}

test("few-shot without normal pictures is refused before any work", async () => {
  await withPage(browser, {}, async (page) => {
    const score = await withResult(page);
    await chooseMode(page, "few");
    const button = page.getByTestId("analyse");
    if (await button.isEnabled()) {
      await startAnalysis(page);
      await waitForError(page);
    }
    await chooseMode(page, "zero");
    assert.equal(await analyse(page), score, "the page goes on");
  });
});

/** What each damaged model must say. */
const DAMAGE = {
  format: [/99/, /\b1\b/],
  missing: [/safetensors|404|fetch/i],
  flipped: [/sha|hash|damaged|checksum/i],
  notJson: [/manifest/i],
};

for (const [damage, words] of Object.entries(DAMAGE)) {
  test(`a damaged model: ${damage}`, async () => {
    // The browser itself reports a missing file on the console.
    await withPage(browser, { expect: [/404/] }, async (page) => {
      await openPage(page, { model: models[damage], device: "cpu" });
      await waitForState(page, "error");
      const text = await waitForError(page);
      for (const word of words) assert.match(text, word);
      assert.equal(await page.getByTestId("analyse").isEnabled(), false, "nothing to analyse with");
      assert.equal(await scoreTextOrEmpty(page), "", "no score from a damaged model");
    });
  });
}

async function scoreTextOrEmpty(page) {
  return (await page.getByTestId("score").first().isVisible()) ? scoreText(page).then((t) => t.replace(/[^\d]/g, "")) : "";
}

test("a model on another site is refused without asking it", async () => {
  await withPage(browser, { expect: [/Content Security Policy|policy violation/i] }, async (page, record) => {
    await openPage(page, { model: "https://example.com/manifest.json", device: "cpu" });
    await waitForState(page, "error");
    await waitForError(page);
    // The record is checked for foreign requests at the end as for every page.
    assert.ok(record.network().length > 0);
  });
});
