// Words on the model that comes with the site: a map without any normal picture, and its caution.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DEFAULT, analyse, analyseInSession, canvasColours, chooseMode, giveFiles, openReady, openSession } from "./actions.mjs";
import { slice } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

const PICTURE = "brain1_016";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test("a picture alone comes to a map, with the model's own caution", async () => {
  await withPage(browser, {}, async (page) => {
    await openReady(page, { device: "cpu" }, 300_000);
    assert.equal(await page.getByTestId("mode-few").isChecked(), true, "normal pictures are what is recommended");
    await page.getByTestId("object-select").selectOption("brain");
    await chooseMode(page, "zero");
    const caution = page.locator("#mode-reason");
    await caution.waitFor({ state: "visible" });
    assert.match(await caution.innerText(), /synthetic/, "words were learned from synthetic pictures");
    await giveFiles(page, "file-input", slice(PICTURE));
    assert.equal(await analyse(page, 300_000), "–", "a map and no score, see readings.test.mjs");
    assert.ok((await canvasColours(page, "overlay-canvas")) > 16);
    await chooseMode(page, "few");
    assert.equal(await caution.isVisible(), false, "the caution is about words");
  });
});

test("both modes are offered for every object, and zero-shot needs no normal picture", async () => {
  await withPage(browser, {}, async (page) => {
    const info = await openSession(page, { model: DEFAULT, device: "cpu" });
    assert.ok(info.objects.every((object) => object.zeroShot), "every object has words");
    assert.match(info.zeroShotNote, /normal images/);
    const result = await analyseInSession(page, slice(PICTURE), { object: "brain", mode: "zero" });
    assert.equal(result.map.length, result.size ** 2);
    // Four levels, each a probability.
    assert.ok(result.map.every((value) => value >= 0 && value <= 4));
    assert.equal(result.scoreMemory, null);
    assert.equal(typeof result.scoreZero, "number");
  });
});
