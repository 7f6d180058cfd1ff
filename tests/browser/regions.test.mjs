// Regions left out of the score: drawn with the mouse, given as numbers by keyboard, taken back; the score is that of the
// command line with the same box. And the window of deep images, which the normal images share.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TINY, analyse, chooseMode, giveFiles, openReady, savedReport } from "./actions.mjs";
import { grey16Png, tinyPicture } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

/**
 * What `mvfa predict --object brain --augment none --support support_0.png support_1.png --json input_rgb.png` says of the
 * tiny model, without and with `--leave-out 0,0,40,30`; tests/cli/regions.rs holds the command to the same numbers.
 */
const SCORE = { whole: 0.32974458, leftOut: 0.6131514 };
const BOX = { x: 0, y: 0, width: 40, height: 30 };

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

/** The page with the small model, normal images and an image. */
async function prepared(page, normals, image) {
  await openReady(page, { model: TINY, device: "cpu" }, 300_000);
  await page.getByTestId("object-select").selectOption("brain");
  await chooseMode(page, "few");
  await page.getByTestId("augment-select").selectOption("none");
  await giveFiles(page, "support-input", normals);
  await page.waitForFunction(
    (count) => document.querySelectorAll("[data-testid=support-item][data-state=ready]").length === count, normals.length);
  await giveFiles(page, "file-input", image);
  await page.locator(".strip-thumb canvas").first().waitFor();
}

const SUPPORTS = ["support_0.png", "support_1.png"].map(tinyPicture);
const items = (page) => page.getByTestId("region-item");
const scoreOf = async (page) => Number(await page.getByTestId("score").getAttribute("data-value"));
const close = (found, expected) => assert.ok(Math.abs(found - expected) < 1e-4, `${found}, expected ${expected}`);

test("a box given by keyboard gives the command line's score, and goes again", async () => {
  await withPage(browser, {}, async (page) => {
    await prepared(page, SUPPORTS, tinyPicture("input_rgb.png"));
    await analyse(page);
    close(await scoreOf(page), SCORE.whole);

    await page.getByTestId("regions-title").press("Enter");
    await page.locator("#region-x").focus();
    for (const value of ["0", "0", "40", "9999"]) await page.keyboard.type(value).then(() => page.keyboard.press("Tab"));
    await page.keyboard.press("Enter");
    assert.match(await page.locator("#region-problem").innerText(), /reaches outside the image, which has \d+ × \d+ pixels/);
    await page.locator("#region-height").fill("30");
    await page.keyboard.press("Enter");
    assert.match(await items(page).innerText(), /40 × 30 px at 0, 0/);
    assert.equal(await page.locator("#region-problem").isVisible(), false);
    assert.equal(await page.locator("#stale").isVisible(), true, "the map there is was made without the box");

    await analyse(page);
    close(await scoreOf(page), SCORE.leftOut);
    assert.match(await page.getByTestId("warnings").innerText(), /One region of this image is left out/);
    const [image] = (await savedReport(page)).images;
    assert.deepEqual(image.leftOut, [BOX]);

    await items(page).getByRole("button").press("Enter");
    assert.equal(await items(page).count(), 0);
    assert.equal(await page.evaluate(() => document.activeElement?.id), "regions-title", "the focus is kept");
    await analyse(page);
    close(await scoreOf(page), SCORE.whole);
    assert.equal((await savedReport(page)).images[0].leftOut, undefined);
  });
});

test("a box drawn with the mouse is hatched, holds for images of its size, and Escape ends the drawing", async () => {
  await withPage(browser, {}, async (page) => {
    await prepared(page, SUPPORTS, tinyPicture("input_rgb.png"));
    const viewer = page.locator("#overlay-canvas");
    const before = await viewer.screenshot();
    await page.getByTestId("region-tool").click();
    assert.equal(await page.getByTestId("region-tool").getAttribute("aria-pressed"), "true");
    const area = await viewer.boundingBox();
    const at = (u, v) => [area.x + area.width * u, area.y + area.height * v];
    await page.mouse.move(...at(0.45, 0.4));
    await page.mouse.down();
    await page.mouse.move(...at(0.5, 0.5));
    await page.mouse.move(...at(0.55, 0.55));
    await page.mouse.up();
    assert.equal(await items(page).count(), 1);
    await page.keyboard.press("Escape");
    assert.equal(await page.getByTestId("region-layer").isVisible(), false);
    await page.waitForTimeout(300);
    assert.equal(before.equals(await viewer.screenshot()), false, "the box is drawn");

    await analyse(page);
    const [image] = (await savedReport(page)).images;
    const [box] = image.leftOut;
    assert.ok(box.width > 0 && box.height > 0 && box.x + box.width <= image.width && box.y + box.height <= image.height);
    await giveFiles(page, "file-input", tinyPicture("input_grey16.png"));
    await page.waitForFunction(() => document.querySelectorAll(".strip-thumb canvas").length === 2);
    await page.locator(".strip-pick").nth(1).click();
    assert.equal(await items(page).count(), 0, "another size");
    assert.match(await page.locator("#regions-others").innerText(), /1 more region for images of other sizes/);
  });
});

test("deep images share the window of the normal images, padding left out", async () => {
  // A ramp in a frame of padding, as a scanner's 16-bit slices have it.
  const deep = (name, offset, fill) => grey16Png(name, 64, 64, (x, y) =>
    fill !== null && (x < 8 || y < 8) ? fill : offset + ((x * 37 + y * 61) % 2000));
  await withPage(browser, {}, async (page) => {
    await prepared(page, [deep("a.png", 1000, 65535), deep("b.png", 1000, null)], deep("c.png", 1400, null));
    const told = page.getByTestId("window-told");
    await page.waitForFunction(() => /taken from your normal images/.test(document.querySelector("#window-told")?.textContent ?? ""));
    const [low, high] = (await told.innerText()).match(/Window (\d+) … (\d+)/).slice(1).map(Number);
    assert.ok(low >= 1000 && low < 1020 && high > 2980 && high < 3000, `${low} … ${high}`);
    await analyse(page);
    const { window, windowShown } = (await savedReport(page)).images[0];
    assert.equal(window, `${windowShown.low}..${windowShown.high}`);
    // Without normal images it is its own.
    await chooseMode(page, "zero");
    await page.waitForFunction(() => /^Window 1[34]\d\d … 33\d\d\.$/.test(document.querySelector("#window-told")?.textContent ?? ""));
    await chooseMode(page, "few");
    await page.locator("#window-field input[value=manual]").check();
    await page.locator("#window-center").fill("2000");
    await page.locator("#window-width").fill("100");
    await page.locator("#window-width").press("Tab");
    await page.waitForFunction(() => document.querySelector("#window-told")?.textContent === "Window 1950 … 2050.");
  });
});
