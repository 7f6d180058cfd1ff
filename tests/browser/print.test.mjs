// On paper: the picture in its own proportions with everything its reading depends on, on one sheet, and nothing else.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TINY, analyse, canvasColours, chooseMode, giveFiles, openReady } from "./actions.mjs";
import { tinyPicture } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

/** Relative difference of two ratios that the eye cannot see; rounding to whole pixels is below it. */
const SAME = 0.01;

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

/** A picture of these proportions with a square in it, as a file. @param {import("playwright-core").Page} page */
async function drawn(page, width, height) {
  const base64 = await page.evaluate(([w, h]) => {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: w, height: h });
    const context = canvas.getContext("2d");
    for (let i = 0; i < 40; i++) {
      context.fillStyle = `rgb(${5 * i} ${5 * i} ${5 * i})`;
      context.fillRect((i / 40) * w, 0, w / 40 + 1, h);
    }
    context.fillStyle = "#fff";
    context.fillRect(w / 2 - 20, h / 2 - 20, 40, 40);
    return canvas.toDataURL("image/png").split(",")[1];
  }, [width, height]);
  return { name: "drawn.png", mimeType: "image/png", buffer: Buffer.from(base64, "base64") };
}

/** The page with a map of a picture of this size, compared with two normal images. */
async function withMap(page, width, height) {
  await openReady(page, { model: TINY, device: "cpu" });
  await page.getByTestId("object-select").selectOption("chest");
  await chooseMode(page, "few");
  await giveFiles(page, "support-input", ["support_0.png", "support_1.png"].map(tinyPicture));
  await page.waitForFunction(() => document.querySelectorAll("[data-testid=support-item][data-state=ready]").length === 2);
  await giveFiles(page, "file-input", await drawn(page, width, height));
  await analyse(page);
  await page.waitForFunction(() => !document.querySelector("[data-testid=download-overlay]").disabled);
}

for (const [width, height] of [[300, 300], [400, 200], [150, 450]]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`a picture of ${width} × ${height} keeps its proportions on paper (${colorScheme})`, async () => {
      await withPage(browser, {}, async (page) => {
        await page.emulateMedia({ colorScheme });
        await withMap(page, width, height);
        // What is zoomed on the screen is whole on paper.
        await page.locator("#zoom-in").click();
        await page.emulateMedia({ media: "print", colorScheme });
        await page.setViewportSize({ width: 690, height: 1020 });
        const picture = page.getByTestId("sheet-picture");
        await picture.waitFor({ state: "visible" });
        const { box, own } = await picture.evaluate((canvas) => {
          const { width: w, height: h } = canvas.getBoundingClientRect();
          return { box: w / h, own: canvas.width / canvas.height };
        });
        for (const ratio of [box, own]) assert.ok(Math.abs(ratio / (width / height) - 1) < SAME, `${ratio} for ${width / height}`);
        assert.ok((await canvasColours(page, "sheet-picture")) > 16, "the picture is drawn");

        const look = await page.evaluate(() => {
          const shown = [...document.body.children].filter((node) => node.checkVisibility()).map((node) => node.id);
          const { backgroundColor, color } = getComputedStyle(document.body);
          return { shown, backgroundColor, color, buttons: [...document.querySelectorAll("button")].filter((node) => node.checkVisibility()).length };
        });
        assert.deepEqual(look, { shown: ["sheet"], backgroundColor: "rgb(255, 255, 255)", color: "rgb(0, 0, 0)", buttons: 0 });
        await page.emulateMedia({ media: "screen", colorScheme });
        await page.waitForFunction(() => document.getElementById("sheet").childElementCount === 0);
      });
    });
  }
}

test("the sheet holds the reading, what it depends on, and no file name unless ticked", async () => {
  await withPage(browser, {}, async (page) => {
    await withMap(page, 300, 200);
    const sheet = async () => {
      await page.emulateMedia({ media: "print" });
      await page.getByTestId("sheet-picture").waitFor({ state: "visible" });
      const text = await page.getByTestId("sheet").innerText();
      const thumbs = await page.locator(".sheet-normals canvas").count();
      await page.emulateMedia({ media: "screen" });
      return { text, thumbs };
    };
    const wanted = await page.evaluate(() => ({
      score: document.getElementById("score").textContent,
      reading: document.getElementById("reading").textContent,
      model: document.getElementById("model-name").textContent,
      object: document.getElementById("object-select").selectedOptions[0].textContent,
      scale: document.getElementById("scale-caption").textContent,
    }));
    const { text, thumbs } = await sheet();
    for (const [what, words] of Object.entries(wanted)) assert.ok(text.includes(words), `${what}: ${words} in ${text}`);
    for (const words of ["few-shot", "300 × 200", "CPU", "For research and teaching. Not a medical device."]) assert.ok(text.includes(words), words);
    assert.equal(thumbs, 2);
    assert.doesNotMatch(text, /drawn|support_/, "no file names");
    await page.locator("#report-names").check();
    assert.match((await sheet()).text, /drawn\.png/);
  });
});

test("printed, it is one A4 page with a picture on it", async () => {
  await withPage(browser, {}, async (page) => {
    await withMap(page, 200, 600);
    const pdf = (await page.pdf({ format: "A4" })).toString("latin1");
    assert.equal(pdf.match(/\/Type\s*\/Page\b/g)?.length, 1, "one page");
    const images = [...pdf.matchAll(/\/Subtype\s*\/Image[^>]*?\/Width (\d+)[^>]*?\/Height (\d+)/g)].map(([, w, h]) => Number(w) / Number(h));
    assert.ok(images.some((ratio) => Math.abs(ratio / (200 / 600) - 1) < SAME), `the picture among images of the ratios ${images}`);
  });
});

test("without an image it prints that there is none", async () => {
  await withPage(browser, {}, async (page) => {
    await openReady(page, { model: TINY, device: "cpu" });
    await page.emulateMedia({ media: "print" });
    await page.getByTestId("sheet").getByText("No image is open.").waitFor({ state: "visible" });
  });
});
