// Readings that cannot mislead: what is outlined and what not, which scores are shown, and what is said of images that
// show nothing, are no such images, or were compared with themselves.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { after, before, test } from "node:test";
import { TINY, analyse, chooseMode, giveFiles, openReady, savedReport, slide } from "./actions.mjs";
import { fixture, greyPng, slice, tinyPicture } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

const NORMALS = ["brain2_014", "brain2_015", "brain2_016", "brain2_017"].map(slice);
const LESION = slice("brain1_016");
const LUNG = fixture("bmad/Lung_AD/test/good/img/lung2_039.png");

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

/** The page with a model, an object and a mode. */
async function prepared(page, { model = TINY, object, mode, normals = [] }) {
  await openReady(page, { model, device: "cpu" }, 300_000);
  await page.getByTestId("object-select").selectOption(object);
  await chooseMode(page, mode);
  await addNormals(page, normals);
}

/** Adds normal images and waits until the list holds as many. */
async function addNormals(page, files, expected = files.length) {
  if (files.length === 0) return;
  await giveFiles(page, "support-input", files);
  await page.waitForFunction(
    (count) => document.querySelectorAll("[data-testid=support-item][data-state=ready]").length === count, expected);
}

/** What the page says of the current image. */
const said = (page) => page.locator("#result").innerText();
const caption = (page) => page.locator("#scale-caption").innerText();
const warnings = (page) => page.getByTestId("warnings").innerText();

/** Whether the outline box makes any difference to what is drawn. */
async function isOutlined(page) {
  const box = page.locator("#contour-toggle");
  const viewer = page.locator("#overlay-canvas");
  await page.waitForTimeout(500);
  await box.setChecked(true);
  await page.waitForTimeout(300);
  const drawn = await viewer.screenshot();
  await box.setChecked(false);
  await page.waitForTimeout(300);
  const bare = await viewer.screenshot();
  await box.setChecked(true);
  return !drawn.equals(bare);
}

/** Nothing is outlined until the person sets a threshold; the page, the report and the saved picture say so. */
async function assertNothingOutlined(page, scale) {
  assert.match(await said(page), /no range of normal images, so nothing is outlined until you set a threshold/);
  assert.equal(await caption(page), `${scale}, no threshold set`);
  assert.equal(await page.locator("#threshold-value").innerText(), "not set");
  assert.equal(await isOutlined(page), false, "no outline by itself");
  const { map } = (await savedReport(page)).images[0];
  assert.deepEqual([map.threshold, map.shareAboveThreshold], [null, null]);
  assert.match(map.outline, /no threshold was set/);

  await slide(page, "threshold", 0.2);
  await page.waitForFunction(() => /threshold -?\d/.test(document.querySelector("#scale-caption").textContent));
  assert.equal(await isOutlined(page), true, "the person's own threshold is outlined");
  assert.ok((await savedReport(page)).images[0].map.shareAboveThreshold > 0);
  await page.locator("#threshold-auto").click();
  await page.waitForFunction(() => document.querySelector("#scale-caption").textContent.endsWith("no threshold set"));
}

test("words outline nothing by themselves, and speak of the one number that is shown", async () => {
  await withPage(browser, {}, async (page) => {
    await prepared(page, { object: "brain", mode: "zero" });
    await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
    const score = await analyse(page);
    assert.match(score, /^\d+\.\d\d$/);
    await assertNothingOutlined(page, "likeness to the words for abnormal");
    const numbers = (await said(page)).match(/\d+\.\d+/g);
    assert.deepEqual([...new Set(numbers)], [score], "one score on one scale");
    assert.doesNotMatch(await said(page), /from 0 to 1/, "a scale that nobody calibrated");
    assert.equal((await savedReport(page)).images[0].calibrated, null);
  });
});

test("one normal image outlines nothing by itself", async () => {
  await withPage(browser, {}, async (page) => {
    await prepared(page, { object: "brain", mode: "few", normals: [tinyPicture("support_0.png")] });
    await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
    await analyse(page);
    assert.match(await said(page), /No range to compare with/);
    await assertNothingOutlined(page, "difference from normal");
  });
});

for (const object of ["chest", "oct17", "his"]) {
  test(`an object scored by the map's average outlines nothing by itself: ${object}`, async () => {
    await withPage(browser, {}, async (page) => {
      await prepared(page, { object, mode: "few", normals: [tinyPicture("support_0.png"), tinyPicture("support_1.png")] });
      await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
      await analyse(page);
      assert.match(await said(page), /(Higher|Lower) than both|Inside the range/);
      await assertNothingOutlined(page, "difference from normal");
    });
  });
}

test("an object scored by the map's maximum starts at the highest normal image", async () => {
  await withPage(browser, {}, async (page) => {
    await prepared(page, { object: "brain", mode: "few", normals: [tinyPicture("support_0.png"), tinyPicture("support_1.png")] });
    await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
    await analyse(page);
    const [image] = (await savedReport(page)).images;
    assert.equal(image.map.threshold, Math.max(...image.normalScores));
    assert.match(await caption(page), /^difference from normal, threshold -?\d/);
    assert.match(await said(page), /Their own scores lie between \S+ and \S+, each compared with the other\./);
  });
});

test("words of the bundled model give no image score, on the page and in the report", async () => {
  await withPage(browser, {}, async (page) => {
    await prepared(page, { model: null, object: "brain", mode: "zero" });
    assert.match(await page.locator("#mode-reason").innerText(), /the score is not better than chance/);
    await giveFiles(page, "file-input", LESION);
    assert.equal(await analyse(page, 300_000), "–");
    assert.equal(await page.getByTestId("score").getAttribute("data-value"), "");
    assert.match(await page.getByTestId("reading").innerText(), /no image score/i);
    assert.doesNotMatch(await page.getByTestId("strip-item").innerText(), /\d\.\d/, "none in the strip either");
    const [image] = (await savedReport(page)).images;
    assert.deepEqual([image.score, image.calibrated], [null, null]);
    await assertNothingOutlined(page, "likeness to the words for abnormal");
  });
});

test("a single grey value is no image: no score, no colours, a warning that the report has too", async () => {
  await withPage(browser, {}, async (page) => {
    await prepared(page, { object: "brain", mode: "few", normals: [tinyPicture("support_0.png"), tinyPicture("support_1.png")] });
    await giveFiles(page, "file-input", greyPng("black.png", 128, 128, () => 0));
    assert.equal(await analyse(page), "–");
    assert.match(await warnings(page), /single grey value; the score means nothing/);
    assert.doesNotMatch(await said(page), /Lower than|Higher than|Inside/);
    assert.match(await page.getByTestId("strip-item").innerText(), /no score\s+blank image/);
    const [image] = (await savedReport(page)).images;
    assert.match(image.warnings.join(), /single grey value/);
    assert.equal(image.score, null);
    // What a lossy format leaves of one value is no more; a faint picture is.
    await giveFiles(page, "file-input", greyPng("noise.png", 128, 128, (x, y) => 100 + ((x * 7 + y * 3) % 3)));
    assert.equal(await analyse(page), "–");
    assert.match(await warnings(page), /almost a single grey value/);
    await giveFiles(page, "file-input", greyPng("faint.png", 128, 128, (x) => 100 + (x >> 4)));
    assert.match(await analyse(page), /\d/);
    assert.doesNotMatch(await warnings(page), /grey value/);
  });
});

test("tiny and extremely long images are warned about beside the score", async () => {
  await withPage(browser, {}, async (page) => {
    await prepared(page, { object: "brain", mode: "few", normals: [tinyPicture("support_0.png"), tinyPicture("support_1.png")] });
    const slope = (x, y) => (x * 5 + y) % 256;
    await giveFiles(page, "file-input", greyPng("tiny.png", 9, 8, slope));
    await analyse(page);
    assert.match(await warnings(page), /very small \(9 × 8 pixels\)/);
    await giveFiles(page, "file-input", greyPng("long.png", 64, 2000, slope));
    await analyse(page);
    assert.match(await warnings(page), /long and narrow \(64 × 2000 pixels\)/);
    assert.doesNotMatch(await warnings(page), /very small/);
    await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
    await analyse(page);
    assert.doesNotMatch(await warnings(page), /pixels/, "not every image");
  });
});

test("an image of another kind than the normal images is warned about, a lesion is not", async () => {
  await withPage(browser, {}, async (page) => {
    await prepared(page, { model: null, object: "brain", mode: "few", normals: NORMALS });
    await giveFiles(page, "file-input", LUNG);
    await analyse(page, 300_000);
    assert.match(await warnings(page), /unlike all your normal images/);
    assert.equal((await warnings(page)).match(/unlike/g).length, 1, "once");
    assert.match(await page.getByTestId("strip-item").first().innerText(), /unlike the normals/);
    assert.match((await savedReport(page)).images[0].warnings.join(), /unlike all your normal images/);
    await giveFiles(page, "file-input", LESION);
    await analyse(page, 300_000);
    assert.equal(await page.getByTestId("warnings").isVisible(), false);
    await page.getByTestId("object-select").selectOption("chest");
    await page.getByTestId("strip-item").first().click();
    await analyse(page, 300_000);
    assert.match(await warnings(page), /unlike all your normal images/, "by the average too");
  });
});

test("the tested image among the normal images is noticed by its pixels", async () => {
  await withPage(browser, {}, async (page) => {
    await prepared(page, { object: "brain", mode: "few", normals: [tinyPicture("support_0.png"), tinyPicture("support_1.png")] });
    // Another name and another way in, the same bytes.
    await giveFiles(page, "file-input", { name: "other.png", mimeType: "image/png", buffer: readFileSync(tinyPicture("support_1.png")) });
    assert.equal(await analyse(page), "–");
    assert.match(await warnings(page), /one of your normal images, so it was compared with itself/);
    assert.doesNotMatch(await said(page), /Lower than|Higher than|Inside/);
    assert.match((await savedReport(page)).images[0].warnings.join(), /compared with itself/);
    // With the file taken out the image is one like any other.
    await page.getByTestId("support-item").nth(1).hover();
    await page.getByTestId("support-item").nth(1).getByRole("button").click();
    assert.match(await analyse(page), /\d/);
    assert.equal(await page.getByTestId("warnings").isVisible(), false);
  });
});

test("the same normal image twice counts once, and the page says so", async () => {
  await withPage(browser, {}, async (page) => {
    const file = tinyPicture("support_0.png");
    await prepared(page, { object: "brain", mode: "few", normals: [file] });
    // Other bytes, the same pixels: what stands after the end of a PNG is no part of it.
    await addNormals(page, { name: "resaved.png", mimeType: "image/png", buffer: Buffer.concat([readFileSync(file), Buffer.from("more")]) }, 1);
    await page.getByText("resaved.png is already among the normal images. It counts once.").waitFor();
    await addNormals(page, [file, tinyPicture("support_1.png"), file, file], 2);
    await page.getByText("3 files are already among the normal images. Each counts once.").waitFor();
    await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
    await analyse(page);
    const report = await savedReport(page);
    assert.equal(report.normalImages.length, 2);
    assert.equal(report.images[0].normalScores.length, 2);
    await addNormals(page, [file], 2);
    await page.getByText(`${basename(file)} is already among the normal images. It counts once.`).waitFor();
  });
});

test("each normal image's own score is shown, the highest first, and one that does not belong can be left out", async () => {
  await withPage(browser, {}, async (page) => {
    // A lesion, and a black image, among the normal images.
    const black = greyPng("black.png", 128, 128, () => 0);
    await prepared(page, { model: null, object: "brain", mode: "few", normals: [...NORMALS, slice("brain1_016")] });
    await addNormals(page, black, NORMALS.length + 2);
    assert.match(await page.locator("#support-hint").innerText(), /black\.png: blank image\. Leave it out/);
    await giveFiles(page, "file-input", slice("brain1_012"));
    await analyse(page, 300_000);
    const rows = page.getByTestId("support-score");
    const texts = await rows.allInnerTexts();
    assert.equal(texts.length, NORMALS.length + 2);
    const scores = texts.map((text) => Number(text.match(/\d+\.\d\d/)[0]));
    assert.deepEqual(scores, [...scores].sort((a, b) => b - a));
    assert.ok(texts.slice(0, 2).some((text) => text.includes("brain1_016.png")), texts.join());
    assert.match(texts.find((text) => text.includes("black.png")), /unlike the others, blank image/);
    const { normalScores } = (await savedReport(page)).images[0];
    assert.equal(normalScores.length, texts.length);
    await rows.filter({ hasText: "black.png" }).getByRole("button", { name: "Leave out black.png" }).click();
    await page.waitForFunction((count) => document.querySelectorAll("[data-testid=support-item]").length === count, NORMALS.length + 1);
    assert.equal(await page.getByTestId("support-scores").isVisible(), false, "they belong to the older list");
    await analyse(page, 300_000);
    assert.equal(await rows.count(), NORMALS.length + 1);
    assert.match(await page.getByTestId("notice").innerText(), /black\.png is left out/);
    await page.getByTestId("notice").getByRole("button", { name: "Undo" }).click();
    await page.waitForFunction((count) => document.querySelectorAll("[data-testid=support-item]").length === count, NORMALS.length + 2);
    // Now last in the engine and first in no list: scores still stand beside their own names.
    await analyse(page, 300_000);
    assert.deepEqual((await rows.allInnerTexts()).map((text) => text.split("\n")[0]), texts.map((text) => text.split("\n")[0]));
  });
});

test("the saved picture is named after what it is, and tells in words what it was made with", async () => {
  await withPage(browser, {}, async (page) => {
    await prepared(page, { object: "chest", mode: "zero" });
    await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
    await analyse(page);
    const save = async () => {
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("download-overlay").click()]);
      return download.suggestedFilename();
    };
    assert.equal(await save(), "Image-1_chest_words.png");
    await page.locator("#report-names").check();
    assert.equal(await save(), "input-rgb_chest_words.png");
  });
  const { describe } = await import("../../web/ui/picture.js");
  const object = { id: "brain", name: "Brain MRI", kind: "segmentation" };
  const state = { info: { name: "Small", revision: "7", objects: [object] }, settings: { object: "brain", mode: "few", threshold: null }, support: [] };
  const made = { model: "Small", revision: "7", object: "brain", mode: "few", augment: "none", bankRows: null, normals: [1], window: "" };
  const result = { mode: "few", object: "brain", score: 1.234, supportScores: null, warnings: [] };
  const item = { label: "Image 3", warnings: [], notes: [], leftOut: [], width: 99, height: 99, result, resultKey: JSON.stringify(made) };
  const text = describe(/** @type {any} */ (state), /** @type {any} */ (item), /** @type {any} */ ({ threshold: null })).join("\n");
  for (const part of [/Image 3\. Brain MRI, compared with 1 normal image\./, /Score 1\.23\. No range/, /Model Small, revision 7/, /no threshold set, so nothing is outlined/, /Not a medical device/]) {
    assert.match(text, part);
  }
});
