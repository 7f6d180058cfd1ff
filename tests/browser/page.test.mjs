// The way from an empty page to a map, as a person goes it, on both tiers.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import {
  TINY, analyse, canvasColours, chooseMode, errorText, giveFiles, openPage, openReady, scoreText, waitForState,
} from "./actions.mjs";
import { phantom, tinyPicture } from "./fixtures.mjs";
import { SITE, launch, withPage } from "./harness.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

for (const device of ["cpu", "gpu"]) {
  test(`zero-shot, then few-shot, on the ${device} tier`, async () => {
    await withPage(browser, {}, async (page, record) => {
      await openPage(page, { model: TINY, device });
      await waitForState(page, "ready");
      const loaded = record.requests.length;
      // The record also sees what the worker asks for; that all of it is same-origin GET is checked at the end.
      const paths = record.network().map(({ url }) => new URL(url).pathname);
      for (const part of [TINY, /\.wasm$/, /^\/models\/tiny\/vision-.*\.safetensors$/]) {
        assert.ok(paths.some((path) => path.match(part)), `${part} is not among ${paths}`);
      }
      assert.ok((await page.getByTestId("device-tier").first().innerText()).trim().length > 0, "the tier is shown");

      await page.getByTestId("object-select").selectOption("chest");
      await chooseMode(page, "zero");
      await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
      assert.match(await analyse(page), /\d/, "a score with a number");
      assert.ok((await canvasColours(page, "overlay-canvas")) > 16, "the picture is drawn");
      assert.equal(await errorText(page), "");

      await chooseMode(page, "few");
      await giveFiles(page, "support-input", [tinyPicture("support_0.png"), tinyPicture("support_1.png")]);
      await page.getByTestId("support-item").nth(1).waitFor();
      assert.equal(await page.getByTestId("support-item").count(), 2);
      assert.match(await analyse(page), /\d/, "a score with a number");
      assert.equal(await errorText(page), "");

      assert.deepEqual(record.network(loaded), [], "requests after loading");
    });
  });
}

test("a phantom is marked as synthetic, in the page and in the report; a picture is not", async () => {
  await withPage(browser, {}, async (page) => {
    await openReady(page, { model: TINY, device: "cpu" });
    await chooseMode(page, "zero");
    const mark = page.getByTestId("synthetic-mark");
    await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
    await analyse(page);
    assert.equal(await mark.isVisible(), false);
    await giveFiles(page, "file-input", phantom());
    await mark.waitFor({ state: "visible" });
    assert.match(await mark.innerText(), /synthetic/i);
    await analyse(page);
    const waiting = page.waitForEvent("download");
    await page.getByTestId("download-report").click();
    const report = JSON.parse(readFileSync(await (await waiting).path(), "utf8"));
    assert.deepEqual(report.images.map((image) => "synthetic" in image), [false, true]);
  });
});

test("the sliders change what is drawn", async () => {
  await withPage(browser, {}, async (page) => {
    await openReady(page, { model: TINY, device: "cpu" });
    await page.getByTestId("object-select").selectOption("chest");
    await chooseMode(page, "zero");
    await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
    await analyse(page);
    const canvas = page.getByTestId("overlay-canvas").first();
    const slide = (testId, value) =>
      page.getByTestId(testId).first().evaluate((input, part) => {
        input.value = String(Number(input.min || 0) + part * (Number(input.max || 100) - Number(input.min || 0)));
        input.dispatchEvent(new Event("input", { bubbles: true }));
        input.dispatchEvent(new Event("change", { bubbles: true }));
      }, value);
    /** Drawing goes through the worker, so the new picture comes a little later. */
    const drawnOtherThan = async (before) => {
      for (let attempt = 0; attempt < 50; attempt++) {
        const now = await canvas.screenshot();
        if (!now.equals(before)) return now;
        await page.waitForTimeout(100);
      }
      return assert.fail("the drawing did not change");
    };
    await slide("threshold", 0);
    await slide("opacity", 1);
    await page.waitForTimeout(500);
    const covered = await canvas.screenshot();
    await slide("opacity", 0);
    const bare = await drawnOtherThan(covered);
    await slide("opacity", 1);
    await drawnOtherThan(bare);
    await slide("threshold", 1);
    await drawnOtherThan(covered);
  });
});

test("overlay and report can be saved", async () => {
  await withPage(browser, {}, async (page) => {
    await openReady(page, { model: TINY, device: "cpu" });
    await page.getByTestId("object-select").selectOption("chest");
    await chooseMode(page, "zero");
    await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
    await analyse(page);
    for (const testId of ["download-overlay", "download-report"]) {
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId(testId).click()]);
      const bytes = readFileSync(await download.path());
      if (testId === "download-overlay") {
        assert.deepEqual([...bytes.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47], "a PNG file");
      } else {
        assert.ok(bytes.length > 100, "a report with content");
      }
    }
    assert.match(await scoreText(page), /\d/);
  });
});

test("the server sends the policy the page is written for", async () => {
  const answer = await fetch(SITE);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("content-security-policy"), /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval';/);
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  assert.doesNotMatch(await answer.text(), /<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=/i, "nothing inline");
});

test("a number that rounds to nothing has no sign", async () => {
  await withPage(browser, {}, async (page) => {
    await page.goto(SITE);
    const texts = await page.evaluate(async () => {
      const { twoDigits } = await import("/web/ui/dom.js");
      return [-0.001, -0, -0.01, 0.004].map(twoDigits);
    });
    assert.deepEqual(texts, ["0.00", "0.00", "-0.01", "0.00"]);
  });
});
