// Series on the page: volumes and medical files are opened, gone through, analysed, used as normal images, and kept.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { TINY, chooseMode, giveFiles, openReady } from "./actions.mjs";
import { tinyPicture } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";
import { showState } from "./inside.mjs";

const FILES = join(import.meta.dirname, "../../formats/tests/files");
const VOLUME = join(FILES, "nifti/anatomical.nii");
const FUNCTIONAL = join(FILES, "nifti/functional.nii");
const CT = join(FILES, "dicom/pydicom/CT_small.dcm");
/** What the CT's header says of its patient. */
const PLANTED = ["CompressedSamples", "1CT1"];
const LEAST_FRAMES_A_SECOND = 30;

let browser;
let folder;
before(async () => {
  browser = await launch({ webgpu: false });
  folder = mkdtempSync(join(tmpdir(), "mvfa-series-"));
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

const withTiny = (work) => withPage(browser, { prepare: showState }, async (page) => {
  await openReady(page, { model: TINY, device: "cpu" });
  await work(page);
});

const words = (page) => page.getByTestId("slice-words").innerText();
const inSlice = (page, text) => page.waitForFunction((wanted) => {
  const { images, currentId } = globalThis.pageState;
  const item = images.find(({ id }) => id === currentId);
  const number = Number(wanted.match(/\d+/)[0]);
  return document.getElementById("slice-words").textContent.startsWith(wanted) && item?.bitmap && item.slice?.index === number - 1;
}, text);
/** The picture's name follows with the next frame. */
const called = (page, text) => page.waitForFunction((wanted) => document.getElementById("overlay-canvas").getAttribute("aria-label").startsWith(wanted), text);
const rows = (page) => page.locator(".strip-item").evaluateAll((all) => all.map((row) => row.innerText.replace(/\s+/g, " ").trim()));

async function openVolume(page, file = VOLUME) {
  await giveFiles(page, "file-input", [file]);
  await page.getByTestId("stack-bar").waitFor();
  await page.waitForFunction(() => document.querySelector(".strip-thumb canvas"));
}

/** What the browser saves of a kind. */
async function saved(page, kind) {
  await page.getByTestId("export-kind").selectOption(kind);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("export-save").click()]);
  const path = join(folder, download.suggestedFilename());
  await download.saveAs(path);
  return path;
}

/** What another program reads in it. */
async function readBack(source, path) {
  const python = process.env.MVFA_MEDICAL_PYTHON;
  assert.ok(python, "MVFA_MEDICAL_PYTHON names a Python with pydicom and nibabel; cargo xtask test sets it");
  const { stdout } = await promisify(execFile)(python, [join(import.meta.dirname, "read_exports.py"), source, path]);
  return JSON.parse(stdout);
}

test("a volume is one line in the list; slider, keys, wheel and planes go through its slices", async () => {
  await withTiny(async (page) => {
    await openVolume(page);
    assert.equal((await rows(page)).length, 1);
    assert.match((await rows(page))[0], /anatomical 25 slices/);
    await inSlice(page, "Slice 13 of 25");
    assert.match(await words(page), /^Slice 13 of 25, -?\d+\.\d mm$/);
    await page.locator("#viewer").focus();
    await page.keyboard.press("ArrowDown");
    await inSlice(page, "Slice 14 of 25");
    await page.keyboard.press("PageUp");
    await inSlice(page, "Slice 4 of 25");
    await page.getByTestId("slice-next").click();
    await inSlice(page, "Slice 5 of 25");
    await page.getByTestId("slice-slider").fill("20");
    await inSlice(page, "Slice 20 of 25");
    const box = await page.locator("#viewer").boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.wheel(0, 100);
    await inSlice(page, "Slice 22 of 25");
    const zoom = () => page.locator("#viewer").getAttribute("data-zoom");
    assert.equal(await zoom(), "1.00", "the wheel goes through slices");
    await page.keyboard.down("Control");
    await page.mouse.wheel(0, -200);
    await page.keyboard.up("Control");
    assert.notEqual(await zoom(), "1.00", "with Ctrl it zooms");
    assert.match(await words(page), /^Slice 22 /);
    await page.getByTestId("slice-axis").selectOption("sagittal");
    await inSlice(page, "Slice 17 of 33");
    await called(page, "Image 1, sagittal, slice 17");
    assert.equal((await rows(page)).length, 1, "slices that were looked at leave nothing behind");
    assert.ok(await page.evaluate(() => globalThis.pageState.images.length) <= 2);
    await page.locator(".strip-remove").click();
    await page.waitForFunction(() => document.getElementById("main").dataset.view === "welcome");
  });
});

test("of a volume in time each point can be seen", async () => {
  await withTiny(async (page) => {
    await openVolume(page, FUNCTIONAL);
    const volumes = page.getByTestId("slice-volume");
    assert.match(await volumes.locator("option").first().innerText(), /^1 of 20$/);
    const before = await page.evaluate(() => globalThis.pageState.currentId);
    await volumes.selectOption("7");
    await page.waitForFunction((id) => globalThis.pageState.currentId !== id, before);
    await called(page, "Image 1, volume 8, slice ");
  });
});

test("pictures, medical files and what is neither come together; what cannot be read keeps its place and reason", async () => {
  await withTiny(async (page) => {
    const junk = { name: "notes.dcm", mimeType: "application/octet-stream", buffer: Buffer.from("no picture at all, only a text") };
    await giveFiles(page, "file-input", [{ name: "input_rgb.png", mimeType: "image/png", buffer: readFileSync(tinyPicture("input_rgb.png")) }, { name: "CT_small.dcm", mimeType: "", buffer: readFileSync(CT) }, junk]);
    await page.waitForFunction(() => document.querySelectorAll(".strip-item").length === 3 && document.querySelectorAll(".strip-thumb canvas").length === 2);
    const found = await rows(page);
    assert.match(found.find((row) => row.includes("notes")), /not readable: .*text/);
    await page.locator(".strip-pick", { hasText: "CT_small" }).click();
    await page.mouse.move(0, 0);
    const box = await page.locator("#viewer").boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.waitForFunction(() => / HU/.test(document.getElementById("readout").textContent));
    const text = await page.evaluate(() => document.documentElement.outerHTML);
    for (const planted of PLANTED) assert.ok(!text.includes(planted), `${planted} is not on the page`);
  });
});

test("slices are analysed as a range and as normal images; scores run over the slices, the highest of all is a layer", async () => {
  await withTiny(async (page) => {
    await chooseMode(page, "few");
    await openVolume(page);
    await page.getByTestId("slices-title").click();
    await page.getByTestId("slices-from").fill("1");
    await page.getByTestId("slices-to").fill("3");
    assert.equal(await page.getByTestId("slices-normal").innerText(), "Use 3 slices as normal images");
    await page.getByTestId("slices-normal").click();
    await page.waitForFunction(() => document.querySelectorAll("[data-testid=support-item][data-state=ready]").length === 3);
    await page.getByTestId("slices-from").fill("12");
    await page.getByTestId("slices-to").fill("15");
    await page.getByTestId("slices-analyse").click();
    await page.waitForFunction(() => globalThis.pageState.run === null && globalThis.pageState.images.filter(({ result }) => result).length === 4);
    assert.match((await rows(page))[0], /highest -?\d+\.\d\d 4 of 25 slices/);
    await page.getByTestId("slice-chart").waitFor();
    assert.match(await page.getByTestId("slice-chart").getAttribute("aria-label"), /^Scores of 4 slices; the highest is -?\d+\.\d\d, slice 1[2-5]$/);
    const chart = await page.getByTestId("slice-chart").boundingBox();
    await page.mouse.click(chart.x + chart.width * (13.5 / 25), chart.y + chart.height / 2);
    await inSlice(page, "Slice 14 of 25");
    await page.waitForFunction(() => document.getElementById("main").dataset.state === "done");
    await page.getByTestId("layer").selectOption("projection");
    const isHighest = await page.evaluate(() => {
      const { images } = globalThis.pageState;
      const maps = images.flatMap(({ result }) => (result ? [result.overlay] : []));
      return [maps.length, maps[0].length];
    });
    assert.equal(isHighest[0], 4);
    const label = await page.getByTestId("layer").evaluate((select) => select.selectedOptions[0].textContent);
    assert.equal(label, "highest of 4 slices");

    await page.getByTestId("layer").selectOption("overlay");
    const map = await readBack(VOLUME, await saved(page, "map"));
    assert.deepEqual([map.shape, map.slices.length, map.type], [map.sourceShape, 4, "float32"]);
    assert.equal(map.affineOff, 0, "the affine is the source's own");
    const values = await readBack(VOLUME, await saved(page, "npy"));
    assert.equal(values.type, "float32");
    const most = await page.evaluate(() => {
      const { images, currentId } = globalThis.pageState;
      return Math.max(...images.find(({ id }) => id === currentId).result.overlay);
    });
    assert.equal(values.most, most);
    assert.equal(readFileSync(await saved(page, "png16")).subarray(1, 4).toString(), "PNG");
    const html = readFileSync(await saved(page, "page"), "utf8");
    assert.match(html, /data:image\/png/);
    assert.match(html, /Image 1, slice 14/);
    assert.ok(!html.includes("anatomical"), "files' names are left out unless ticked");
  });
});

test("a run over slices can be stopped, and keeps what it has", async () => {
  await withTiny(async (page) => {
    await chooseMode(page, "few");
    await giveFiles(page, "support-input", ["support_0.png", "support_1.png"].map(tinyPicture));
    await page.waitForFunction(() => document.querySelectorAll("[data-testid=support-item][data-state=ready]").length === 2);
    await openVolume(page);
    await page.getByTestId("slices-title").click();
    await page.getByTestId("slices-analyse").click();
    await page.waitForFunction(() => globalThis.pageState.images.filter(({ result }) => result).length >= 2);
    await page.evaluate(() => globalThis.pageState.run?.controller.abort());
    await page.waitForFunction(() => globalThis.pageState.run === null);
    const [done, all] = await page.evaluate(() => [globalThis.pageState.images.filter(({ result }) => result).length, globalThis.pageState.images.length]);
    assert.ok(done >= 2);
    assert.ok(all <= done + 1, `${all} images stay for ${done} results`);
  });
});

test("what is saved of a DICOM file refers to it and says nothing of the patient", async () => {
  await withTiny(async (page) => {
    await chooseMode(page, "few");
    await giveFiles(page, "support-input", ["support_0.png", "support_1.png"].map(tinyPicture));
    await page.waitForFunction(() => document.querySelectorAll("[data-testid=support-item][data-state=ready]").length === 2);
    await giveFiles(page, "file-input", [CT]);
    await page.waitForFunction(() => document.querySelectorAll(".strip-thumb canvas").length === 1);
    await page.getByTestId("analyse").click();
    await page.waitForFunction(() => document.getElementById("main").dataset.state === "done");
    await page.getByTestId("threshold").fill("0.5");
    const marked = await page.evaluate(() => globalThis.pageState.settings.threshold);
    const seg = await saved(page, "segmentation");
    const found = await readBack(CT, seg);
    assert.deepEqual([found.class, found.modality, found.rows, found.columns, found.isReferenced], ["Segmentation Storage", "SEG", 128, 128, true]);
    assert.ok(found.marked > 0 && found.marked < 128 * 128, `${found.marked} pixels at ${marked}`);
    assert.deepEqual(found.patient, ["", "", "", ""], "no name, number, birthday or day of the study");
    const capture = await saved(page, "capture");
    const colour = await readBack(CT, capture);
    assert.deepEqual([colour.rows, colour.columns, colour.isReferenced], [128, 128, true]);
    const files = [seg, capture];
    for (const kind of ["labels", "map", "outlines", "page", "png16", "npy"]) files.push(await saved(page, kind));
    const [report] = await Promise.all([page.waitForEvent("download"), page.getByTestId("download-report").click()]);
    files.push(await report.path());
    for (const file of files) {
      const text = readFileSync(file).toString("latin1");
      for (const planted of PLANTED) assert.ok(!text.includes(planted), `${planted} is not in ${file}`);
    }
  });
});

test("going through a volume is as smooth as a film", async (t) => {
  await withTiny(async (page) => {
    await openVolume(page);
    const rate = await page.evaluate(async () => {
      const slider = document.getElementById("slice-slider");
      const seen = new Set();
      const begun = performance.now();
      for (let step = 0; performance.now() - begun < 2000; step += 1) {
        slider.value = String(1 + (step % 25));
        slider.dispatchEvent(new Event("input"));
        await new Promise(requestAnimationFrame);
        const { currentId } = globalThis.pageState;
        if (seen.last !== currentId) seen.count = (seen.count ?? 0) + 1;
        seen.last = currentId;
      }
      return seen.count / 2;
    });
    t.diagnostic(`${rate} slices a second`);
    assert.ok(rate >= LEAST_FRAMES_A_SECOND, `${rate} slices a second`);
  });
});
