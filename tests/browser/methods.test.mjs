// The systems around the model as choices of the page: each gives what the package gives, and none leaves anything behind.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { DEFAULT, TINY, addSupports, analyse, analyseInSession, chooseMode, giveFiles, openReady, openSession, savedReport, sessionError, waitForState } from "./actions.mjs";
import { slice, tinyPicture } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

const IMAGE = slice("brain1_016");
const NORMALS = ["brain2_014", "brain2_015", "brain2_016"].map(slice);
/** Enough for a second worker. */
const BATCH = ["brain1_004", "brain1_006", "brain1_008", "brain1_009", "brain1_012", "brain1_014", "brain1_015", "brain1_016"].map(slice);
const CLOSE = 1e-5;

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

const close = (found, expected, what) => assert.ok(Math.abs(found - expected) <= CLOSE, `${what}: ${found} and ${expected}`);

/** The score of the image in view. */
async function score(page) {
  await analyse(page);
  return (await savedReport(page)).images[0];
}

test("a method chosen in the page gives what the package gives", async () => {
  const expected = {};
  await withPage(browser, {}, async (page) => {
    const info = await openSession(page, { model: DEFAULT, device: "cpu" });
    assert.equal(info.memory, "raw");
    await addSupports(page, NORMALS);
    for (const [name, options] of Object.entries({
      memory: { mode: "few" }, named: { mode: "few", method: "memory" }, components: { mode: "few", method: "components" },
      sides: { mode: "self" }, self: { mode: "self", method: "self" },
    })) {
      expected[name] = (await analyseInSession(page, IMAGE, { object: "brain", ...options })).score;
    }
    assert.equal(expected.named, expected.memory);
    for (const options of [{ mode: "zero", method: "components" }, { mode: "few", method: "self" }, { mode: "few", method: "batch" }]) {
      const { name, message } = await sessionError(page, IMAGE, { object: "brain", ...options });
      assert.equal(name, "UsageError");
      assert.match(message, /choose memory or components in few, self in self/);
    }
  });
  await withPage(browser, {}, async (page) => {
    await openReady(page, { device: "cpu" });
    await page.getByTestId("object-select").selectOption("brain");
    await giveFiles(page, "support-input", NORMALS);
    await giveFiles(page, "file-input", IMAGE);
    const method = page.getByTestId("method-select");
    const memory = await score(page);
    close(memory.score, expected.memory, "memory");
    assert.equal(memory.method, undefined, "the model's own way");
    await method.selectOption("components");
    await page.locator("#method-hint", { hasText: "UniVAD" }).waitFor();
    const components = await score(page);
    close(components.score, expected.components, "components");
    assert.deepEqual([components.mode, components.method], ["few", "components"]);
    assert.equal(components.normalScores.length, NORMALS.length, "normal images are scored in the same way");

    await chooseMode(page, "self");
    assert.deepEqual(await method.locator("option").allInnerTexts(), ["left with right", "and most of the image"]);
    close((await score(page)).score, expected.sides, "sides");
    await method.selectOption("self");
    const itself = await score(page);
    close(itself.score, expected.self, "self");
    assert.deepEqual([itself.mode, itself.method], ["self", "self"]);
    // An object without like sides has one way to be compared with itself, and normal images the way that was chosen.
    await page.getByTestId("object-select").selectOption("liver");
    await method.waitFor({ state: "hidden" });
    assert.equal((await score(page)).method, "self");
    await chooseMode(page, "few");
    assert.equal(await method.inputValue(), "components");
  });
});

test("images judge each other, on several workers, and leave nothing behind for the comparison with normal ones", async () => {
  const expected = [];
  let few = 0;
  await withPage(browser, {}, async (page) => {
    await openSession(page, { model: DEFAULT, device: "cpu" });
    await addSupports(page, NORMALS.slice(0, 2));
    few = (await analyseInSession(page, BATCH[0], { object: "brain", mode: "few" })).score;
    await page.evaluate(() => globalThis.session.clearSupport());
    const ids = await page.evaluate(async (files) => {
      const ids = [];
      for (const file of files) ids.push(await globalThis.session.addSupport(globalThis.toBlob(file)));
      return ids;
    }, BATCH.map((file) => readFileSync(file).toString("base64")));
    for (const [n, file] of BATCH.entries()) {
      const result = await analyseInSession(page, file, { object: "brain", mode: "batch", among: ids.filter((_, other) => other !== n) });
      assert.deepEqual([result.mode, result.supportScores, result.normalTop, result.calibrated], ["batch", null, null, null]);
      assert.ok(result.warnings.length === 0, "one of the batch is no normal image");
      expected.push(result.score);
    }
  });
  await withPage(browser, {}, async (page) => {
    await openReady(page, { device: "cpu" });
    await page.getByTestId("object-select").selectOption("brain");
    await chooseMode(page, "batch");
    await giveFiles(page, "file-input", BATCH[0]);
    await page.waitForFunction(() => /Add another image/.test(document.querySelector("#status")?.textContent ?? ""));
    assert.ok(await page.getByTestId("analyse").isDisabled());
    await giveFiles(page, "file-input", BATCH.slice(1));
    await page.getByTestId("strip-item").nth(BATCH.length - 1).waitFor();
    await page.getByTestId("analyse-all").click();
    await page.waitForFunction(() => document.querySelector("[data-testid=analyse-all]")?.textContent.includes("All 8"), null, { timeout: 120_000 });
    const report = await savedReport(page);
    assert.equal(report.images.length, BATCH.length);
    report.images.forEach((image, n) => {
      assert.equal(image.mode, "batch");
      close(image.score, expected[n], `image ${n}`);
    });
    assert.match(await page.locator("#result").innerText(), /differs from the others/);

    // The images that judged are gone from the engine: two normal ones are all that counts.
    await chooseMode(page, "few");
    await giveFiles(page, "support-input", NORMALS.slice(0, 2));
    await page.getByTestId("strip-item").first().click();
    await analyse(page);
    const { images } = await savedReport(page);
    close(images[0].score, few, "normal images");
    assert.equal(images[0].normalScores.length, 2);
  });
});

test("a model that compares by its adapters offers no other method and says why", async () => {
  await withPage(browser, {}, async (page) => {
    const info = await openSession(page, { model: TINY, device: "cpu" });
    assert.equal(info.memory, "adapted");
    await addSupports(page, [tinyPicture("support_0.png")]);
    for (const options of [{ mode: "batch" }, { mode: "few", method: "components" }]) {
      const { message } = await sessionError(page, tinyPicture("input_rgb.png"), { object: "brain", ...options });
      assert.match(message, /by its adapters: choose mode few, without a method/);
    }
  });
  await withPage(browser, {}, async (page) => {
    await openReady(page, { model: TINY, device: "cpu" });
    await waitForState(page, "ready");
    assert.ok(await page.locator("#mode-batch-line").isHidden() && (await page.getByTestId("method-select").isHidden()));
  });
});
