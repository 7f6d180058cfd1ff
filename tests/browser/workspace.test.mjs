// The workspace as a file and back: settings, results, and what the model made of the normal images.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { TINY, analyse, chooseMode, errorText, giveFiles, openReady, waitForError, waitForState } from "./actions.mjs";
import { dicomFile, shorts } from "./dicom.mjs";
import { grey16Png, slice } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";
import { showState } from "./inside.mjs";

const LOAD_MS = 120_000;
const NORMALS = ["brain2_014", "brain2_015", "brain2_016"];
const PICTURES = ["brain1_009", "brain1_016"];

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

const score = (page) => page.getByTestId("score").first().getAttribute("data-value");

/** Two slices beside three normal ones, analysed. */
async function work(page) {
  await openReady(page, { device: "cpu" }, LOAD_MS);
  await page.getByTestId("object-select").selectOption("brain");
  await chooseMode(page, "few");
  await giveFiles(page, "support-input", NORMALS.map(slice));
  await page.getByTestId("support-item").nth(NORMALS.length - 1).waitFor();
  await giveFiles(page, "file-input", PICTURES.map(slice));
  await page.getByTestId("analyse-all").click();
  await waitForState(page, "done", LOAD_MS);
}

/** @returns {Promise<string>} the path of the file */
async function saved(page, { images = false } = {}) {
  if (images) await page.getByTestId("workspace-images").check();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("workspace-save").click()]);
  const path = join(tmpdir(), `${Math.random().toString(36).slice(2)}.mvfa`);
  await download.saveAs(path);
  assert.match(download.suggestedFilename(), /^workspace-\d{4}-\d\d-\d\d\.mvfa$/);
  return path;
}

for (const images of [false, true]) {
  test(`a workspace comes back in another tab ${images ? "with" : "without"} its images`, async () => {
    let path = "";
    const before = [];
    await withPage(browser, {}, async (page) => {
      await work(page);
      for (let n = 0; n < PICTURES.length; n += 1) {
        await page.getByTestId("strip-item").nth(n).click();
        before.push(await score(page));
      }
      path = await saved(page, { images });
    });
    const content = await readFile(path);
    for (const name of [...NORMALS, ...PICTURES]) assert.ok(!content.includes(name), `no file's name without its box ticked: ${name}`);

    await withPage(browser, {}, async (page, record) => {
      await openReady(page, { device: "cpu" }, LOAD_MS);
      const loaded = record.requests.length;
      await giveFiles(page, "file-input", path);
      await page.getByTestId("strip-item").nth(PICTURES.length - 1).waitFor();
      await waitForState(page, "done", LOAD_MS);
      assert.equal(await page.getByTestId("support-item").count(), NORMALS.length);
      await page.waitForFunction(() => [...document.querySelectorAll("[data-testid=support-item]")].every((tile) => tile.dataset.state === "ready"));
      for (let n = 0; n < PICTURES.length; n += 1) {
        await page.getByTestId("strip-item").nth(n).click();
        assert.equal(await score(page), before[n]);
      }
      assert.equal(await page.locator("#stale").isVisible(), false, "settings and normal images are those of the results");
      // A new image beside the remembered ones has the score that it had beside their pictures.
      await giveFiles(page, "file-input", slice(PICTURES[0]));
      await page.getByTestId("strip-item").nth(PICTURES.length).click();
      await analyse(page, LOAD_MS);
      assert.equal(await score(page), before[0]);
      if (images) {
        await page.getByTestId("strip-item").nth(1).click();
        await chooseMode(page, "self");
        await analyse(page, LOAD_MS);
        assert.notEqual(await score(page), before[1]);
      } else {
        await page.getByTestId("strip-item").nth(1).click();
        await chooseMode(page, "self");
        assert.equal(await page.getByTestId("analyse").isDisabled(), true, "there is no image to analyse");
      }
      assert.deepEqual(record.network(loaded), [], "requests after loading");
    });
  });
}

test("files that are no workspace, cut ones and those of another model change nothing", async () => {
  await withPage(browser, {}, async (page) => {
    await work(page);
    const kept = await score(page);
    const whole = await readFile(await saved(page));
    const headerBytes = Number(whole.readBigUInt64LE(0));
    const altered = (change) => {
      const header = JSON.parse(whole.subarray(8, 8 + headerBytes).toString());
      const about = JSON.parse(header.__metadata__.workspace);
      change(header, about);
      header.__metadata__.workspace = JSON.stringify(about);
      const text = Buffer.from(JSON.stringify(header));
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(text.length));
      return Buffer.concat([length, text, whole.subarray(8 + headerBytes)]);
    };
    const cases = [
      ["empty", Buffer.alloc(0), /no workspace/],
      ["a picture", await readFile(slice("brain1_016")), /no workspace/],
      ["cut in its header", whole.subarray(0, 100), /no workspace/],
      ["cut in its numbers", whole.subarray(0, whole.length - 1000), /missing or cut/],
      ["of another model", altered((_, about) => (about.model.name = "Another model")), /made with the model Another model/],
      ["of another version", altered((header) => (header.__metadata__.format = "MVFA Web workspace 9")), /expected/],
      ["without a part", altered((header) => delete header["normal.1.brightness"]), /missing or cut/],
      ["with a part beyond the end", altered((header) => (header["image.0.map.0"].data_offsets = [0, 1e12])), /missing or cut/],
    ];
    for (const [what, bytes, reason] of cases) {
      const path = join(tmpdir(), `${Math.random().toString(36).slice(2)}.mvfa`);
      await writeFile(path, bytes);
      await giveFiles(page, "file-input", path);
      const text = await waitForError(page);
      assert.match(text, reason, what);
      await page.keyboard.press("Escape");
      await page.waitForFunction(() => !document.querySelector("[data-testid=error]")?.checkVisibility());
      assert.equal(await score(page), kept, what);
      assert.equal(await page.getByTestId("support-item").count(), NORMALS.length, what);
      assert.equal(await page.getByTestId("strip-item").count(), PICTURES.length, what);
    }
    assert.equal(await errorText(page), "");
  });
});

const SLICES = 12;
const SIDE = 64;
const PATIENT = "Planted^Name";
/** A series of computed tomography, 2.5 mm from slice to slice, without a window of its own. */
const series = Array.from({ length: SLICES }, (_, n) => ({
  name: `secret_${n}.dcm`, mimeType: "application/dicom",
  buffer: dicomFile({ width: SIDE, height: SIDE, z: 2.5 * n, instance: n + 1, patient: PATIENT, pixels: shorts(Array.from({ length: SIDE * SIDE }, (_x, i) => 900 + ((i % SIDE) * (7 + n) + Math.floor(i / SIDE) * 5) % 300)) }),
}));
const idle = (page) => page.waitForFunction(() => globalThis.pageState.run === null && globalThis.pageState.saving === null && globalThis.pageState.opening === null);
/** What the page has of its results. */
const results = (page) => page.evaluate(() => globalThis.pageState.images.filter(({ result }) => result).map(({ result, label, shown, slice, modality, spacingMm, units }) => ({ score: result.score, label, shown, slice, modality, spacingMm, units })));
const older = (page) => page.locator(".strip-doubt").allInnerTexts().then((texts) => texts.filter((text) => /older/.test(text)));
const withTiny = (work) => withPage(browser, { prepare: showState }, async (page, record) => {
  await openReady(page, { model: TINY, device: "cpu" });
  await work(page, record);
});
const kinds = (page) => page.getByTestId("export-kind").locator("option").evaluateAll((options) => options.map(({ value }) => value));

/** Three slices as normal images, four analysed beside the two nearest of them. */
async function seriesWork(page) {
  await chooseMode(page, "few");
  await giveFiles(page, "file-input", series);
  await page.getByTestId("stack-bar").waitFor();
  await page.getByTestId("slices-title").click();
  const range = async (from, to, button) => {
    await page.getByTestId("slices-from").fill(String(from));
    await page.getByTestId("slices-to").fill(String(to));
    await page.getByTestId(button).click();
  };
  await range(1, 3, "slices-normal");
  await page.waitForFunction(() => document.querySelectorAll("[data-testid=support-item][data-state=ready]").length === 3 && globalThis.pageState.shared);
  await page.evaluate(() => (globalThis.pageState.settings.nearest = 2));
  await range(5, 8, "slices-analyse");
  await page.waitForFunction(() => globalThis.pageState.run === null && globalThis.pageState.images.filter(({ result }) => result).length === 4);
  await page.getByTestId("slice-slider").fill("7");
  await page.waitForFunction(() => document.getElementById("main").dataset.state === "done" && document.getElementById("slice-words").textContent.startsWith("Slice 7 of 12"));
}

async function opened(page, path, count) {
  await giveFiles(page, "file-input", path);
  await page.waitForFunction((wanted) => globalThis.pageState.images.filter(({ result }) => result).length === wanted, count);
  await page.waitForFunction(() => [...document.querySelectorAll("[data-testid=support-item]")].every((tile) => tile.dataset.state === "ready"));
  await waitForState(page, "done");
}

for (const images of [false, true]) {
  test(`a series comes back as a stack ${images ? "with" : "without"} its images, and nothing of the patient`, async () => {
    let path = "";
    let before = null;
    let wordsBefore = "";
    await withTiny(async (page) => {
      await seriesWork(page);
      assert.deepEqual(await older(page), []);
      before = await results(page);
      wordsBefore = await page.getByTestId("slice-words").innerText();
      path = await saved(page, { images });
      await idle(page);
    });
    for (let round = 0; round < 2; round += 1) {
      const content = (await readFile(path)).toString("latin1");
      for (const planted of [PATIENT, "secret_", "1.2.826.0.1"]) assert.ok(!content.includes(planted), `${planted} is in the workspace`);
      // Saved once more, it is still the same.
      await withTiny(async (page) => {
        await opened(page, path, 4);
        assert.deepEqual(await results(page), before);
        assert.deepEqual(await older(page), [], "nothing was changed");
        assert.equal(await page.locator("#stale").isVisible(), false);
        assert.equal(await page.getByTestId("strip-item").count(), 1, "a stack is one line");
        assert.match(await page.getByTestId("strip-item").innerText(), /4 of 12 slices/);
        assert.equal(await page.getByTestId("slice-words").innerText(), wordsBefore);
        assert.match(wordsBefore, /^Slice 7 of 12, 15\.0 mm$/);
        assert.match(await page.getByTestId("slice-chart").getAttribute("aria-label"), /^Scores of 4 slices; /);
        // It goes through the slices that there are, and not beyond.
        await page.locator("#viewer").focus();
        await page.keyboard.press("ArrowDown");
        await page.waitForFunction(() => document.getElementById("slice-words").textContent.startsWith("Slice 8 of 12, 17.5 mm"));
        assert.equal(await page.getByTestId("slice-next").isDisabled(), true);
        await page.getByTestId("slice-slider").fill("1");
        await page.waitForFunction(() => document.getElementById("slice-words").textContent.startsWith("Slice 5 of 12"));
        assert.equal(await page.getByTestId("slice-slider").inputValue(), "5");
        await page.getByTestId("slice-slider").fill("7");
        await page.waitForFunction(() => document.getElementById("slice-words").textContent.startsWith("Slice 7 of 12") && document.getElementById("main").dataset.state === "done");
        await page.getByTestId("layer").selectOption("projection");
        assert.equal(await page.getByTestId("layer").evaluate((select) => select.selectedOptions[0].textContent), "highest of 4 slices");
        await page.getByTestId("layer").selectOption("overlay");
        const offered = await kinds(page);
        for (const kind of ["map", "labels", "segmentation", "capture", "captures"]) assert.ok(!offered.includes(kind), kind);
        assert.ok(offered.includes("npy"));
        assert.match(await page.locator("#export-hint").innerText(), /Open the series itself/);
        assert.match(await page.locator("#stack-notes").textContent(), /4 of 12 slices are in the workspace/);
        if (round === 0) {
          path = await saved(page, { images });
          await idle(page);
        }
        if (!images) {
          assert.equal(await page.getByTestId("analyse").isDisabled(), true);
          assert.equal(await page.getByTestId("slices-analyse").isDisabled(), true);
          return;
        }
        assert.equal(await errorText(page), "");
        // Analysed anew, in other words compared with the same rows through the same window, it has the same score.
        await page.evaluate(() => globalThis.pageState.images.forEach((item) => item.result && Object.assign(item, { result: null, resultKey: "", status: "ready" })));
        await page.getByTestId("slices-title").click();
        await page.getByTestId("slices-analyse").click();
        await page.waitForFunction(() => globalThis.pageState.run === null && globalThis.pageState.images.filter(({ result }) => result).length === 4);
        assert.deepEqual(await results(page), before);
      });
    }
  });
}

test("a deep picture comes back with its result as it was; images that judged each other, too", async () => {
  for (const images of [false, true]) {
    let path = "";
    let before = null;
    const deep = [3, 5, 9].map((step) => grey16Png(`deep_${step}.png`, 80, 80, (x, y) => (x * step * 97 + y * 211) % 65536));
    await withPage(browser, { prepare: showState }, async (page) => {
      await openReady(page, { device: "cpu" }, LOAD_MS);
      await chooseMode(page, "batch");
      await giveFiles(page, "file-input", deep);
      await page.waitForFunction((count) => document.querySelectorAll(".strip-thumb canvas").length === count, deep.length);
      await page.getByTestId("analyse-all").click();
      await page.waitForFunction((count) => globalThis.pageState.run === null && globalThis.pageState.images.filter(({ result }) => result).length === count, deep.length);
      before = await results(page);
      path = await saved(page, { images });
      await idle(page);
    });
    await withPage(browser, { prepare: showState }, async (page) => {
      await openReady(page, { device: "cpu" }, LOAD_MS);
      await opened(page, path, deep.length);
      assert.deepEqual(await results(page), before);
      assert.deepEqual(await older(page), []);
      assert.equal(await page.locator("#stale").isVisible(), false);
    });
  }
});

test("a workspace of before, without series and types, still opens", async () => {
  let path = "";
  await withTiny(async (page) => {
    await seriesWork(page);
    const whole = await readFile(await saved(page, { images: true }));
    await idle(page);
    const headerBytes = Number(whole.readBigUInt64LE(0));
    const header = JSON.parse(whole.subarray(8, 8 + headerBytes).toString());
    const about = JSON.parse(header.__metadata__.workspace);
    for (const name of ["series", "current"]) delete about[name];
    for (const one of about.images) for (const name of ["series", "slice", "type", "deep"]) delete one[name];
    for (const one of about.normals) for (const name of ["series", "slice", "window", "shared"]) delete one[name];
    header.__metadata__.workspace = JSON.stringify(about);
    const text = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    path = join(tmpdir(), `${Math.random().toString(36).slice(2)}.mvfa`);
    await writeFile(path, Buffer.concat([length, text, whole.subarray(8 + headerBytes)]));
  });
  await withTiny(async (page) => {
    await giveFiles(page, "file-input", path);
    await page.waitForFunction(() => globalThis.pageState.images.filter(({ result }) => result).length === 4);
    await page.waitForFunction(() => document.querySelectorAll(".strip-thumb canvas").length === 4);
    assert.equal(await errorText(page), "");
    assert.equal(await page.getByTestId("strip-item").count(), 4);
  });
});

test("the mark of a normal image without its picture can be read in both themes", async () => {
  let path = "";
  await withTiny(async (page) => {
    await seriesWork(page);
    path = await saved(page);
    await idle(page);
  });
  for (const colorScheme of ["light", "dark"]) {
    await withTiny(async (page) => {
      await page.emulateMedia({ colorScheme });
      await opened(page, path, 4);
      const ratio = await page.locator(".tile.remembered").first().evaluate((tile) => {
        const light = (colour) => {
          const [red, green, blue] = colour.match(/[\d.]+/g).map(Number).map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
          return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        };
        const [one, other] = [light(getComputedStyle(tile, "::before").color), light(getComputedStyle(tile).backgroundColor)].sort((a, b) => b - a);
        return (one + 0.05) / (other + 0.05);
      });
      assert.ok(ratio >= 7, `${colorScheme}: ${ratio.toFixed(1)} : 1`);
    });
  }
});
