// Series on the page: volumes and medical files are opened, gone through, analysed, used as normal images, and kept.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { TINY, chooseMode, giveFiles, openReady } from "./actions.mjs";
import { dicomFile, element, sequence, shorts } from "./dicom.mjs";
import { tinyPicture } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";
import { showState } from "./inside.mjs";

const FILES = join(import.meta.dirname, "../../formats/tests/files");
const VOLUME = join(FILES, "nifti/anatomical.nii");
const FUNCTIONAL = join(FILES, "nifti/functional.nii");
const CT = join(FILES, "dicom/pydicom/CT_small.dcm");
const MR = join(FILES, "dicom/pydicom/MR_small.dcm");
/** Six slices of 64 × 64 in one file. */
const FILM = join(FILES, "dicom/dcm_qa_enh/6_1.dcm");
/** Ten frames of one place in one file. */
const TIMES = join(FILES, "dicom/pydicom-data/emri_small.dcm");
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
    // However far a notch goes, and that of some wheels goes further.
    for (const [turn, number] of [[100, 21], [120, 22]]) {
      await page.mouse.wheel(0, turn);
      await inSlice(page, `Slice ${number} of 25`);
    }
    await page.keyboard.press("End");
    await inSlice(page, "Slice 25 of 25");
    await page.keyboard.press("Home");
    await inSlice(page, "Slice 1 of 25");
    await page.getByTestId("slice-slider").fill("22");
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
  await withTiny(async (page) => {
    await openVolume(page, TIMES);
    await inSlice(page, "Slice 6 of 10");
    assert.equal(await page.getByTestId("slice-volume").isVisible(), false, "a film is gone through like a volume");
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
    // A bar stands above its place on the slider.
    const chart = await page.getByTestId("slice-chart").boundingBox();
    const slider = await page.getByTestId("slice-slider").boundingBox();
    await page.mouse.click(slider.x + 8 + (slider.width - 16) * (13 / 24), chart.y + chart.height / 2);
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

/** A volume of bytes as NIfTI-1: its header has the sizes and distances, and an affine along the axes. @param {string} name @param {number[]} size @param {number[]} spacingMm */
function nifti(name, size, spacingMm) {
  const buffer = Buffer.alloc(352 + size.reduce((all, one) => all * one));
  buffer.writeInt32LE(348, 0);
  [3, ...size, 1, 1, 1, 1].forEach((value, n) => buffer.writeInt16LE(value, 40 + 2 * n));
  buffer.writeInt16LE(2, 70);
  buffer.writeInt16LE(8, 72);
  [1, ...spacingMm].forEach((value, n) => buffer.writeFloatLE(value, 76 + 4 * n));
  buffer.writeFloatLE(352, 108);
  buffer.writeFloatLE(1, 112);
  // Millimetres, and positions of the scanner.
  buffer[123] = 2;
  buffer.writeInt16LE(1, 254);
  spacingMm.forEach((value, n) => buffer.writeFloatLE(value, 280 + 16 * n + 4 * n));
  buffer.write("n+1\0", 344, "latin1");
  for (let at = 352; at < buffer.length; at += 1) buffer[at] = (at * 7 + (at >> 8) * 13 + (at >> 16) * 5) & 255;
  return { name, mimeType: "application/octet-stream", buffer };
}

test("lengths are those of the plane in view", async () => {
  await withTiny(async (page) => {
    await openVolume(page, nifti("uneven.nii", [40, 30, 20], [1, 2, 5]));
    for (const [plane, rowMm, columnMm] of [["axial", 2, 1], ["coronal", 5, 1], ["sagittal", 5, 2]]) {
      await page.getByTestId("slice-axis").selectOption(plane);
      await page.waitForFunction((wanted) => globalThis.pageState.images.find(({ id }) => id === globalThis.pageState.currentId)?.slice?.axis === wanted, plane);
      const spacing = await page.evaluate(() => globalThis.pageState.images.find(({ id }) => id === globalThis.pageState.currentId).spacingMm);
      assert.deepEqual(spacing, [rowMm, columnMm], plane);
    }
  });
});

test("going through a volume of 200 slices is as smooth as a film", async (t) => {
  await withTiny(async (page) => {
    await openVolume(page, nifti("head.nii", [256, 256, 200], [1, 1, 1]));
    const rate = await page.evaluate(async () => {
      const slider = document.getElementById("slice-slider");
      const seen = new Set();
      const begun = performance.now();
      for (let step = 0; performance.now() - begun < 2000; step += 1) {
        slider.value = String(1 + (step % 200));
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

/** Two normal images. */
async function withNormals(page) {
  await chooseMode(page, "few");
  await giveFiles(page, "support-input", ["support_0.png", "support_1.png"].map(tinyPicture));
  await page.waitForFunction(() => document.querySelectorAll("[data-testid=support-item][data-state=ready]").length === 2);
}

/** Analyses some slices of the stack in view, numbered from 1. */
async function analyseSlices(page, from, to) {
  if (!(await page.getByTestId("slices-from").isVisible())) await page.getByTestId("slices-title").click();
  await page.getByTestId("slices-from").fill(String(from));
  await page.getByTestId("slices-to").fill(String(to));
  await page.getByTestId("slices-analyse").click();
  await page.waitForFunction((count) => globalThis.pageState.run === null && globalThis.pageState.images.filter(({ result }) => result).length === count, to - from + 1);
}

const goTo = async (page, number) => {
  await page.getByTestId("slice-slider").fill(String(number));
  await inSlice(page, `Slice ${number} of`);
};

test("a medical file suggests an object; the choice stays the person's, and what does not fit is said beside it and the result", async () => {
  await withTiny(async (page) => {
    const object = page.getByTestId("object-select");
    const hint = page.getByTestId("object-hint");
    await withNormals(page);
    await giveFiles(page, "file-input", [CT]);
    await page.waitForFunction(() => document.querySelectorAll(".strip-thumb canvas").length === 1);
    assert.equal(await object.inputValue(), "liver", "the one object of the model made from CT, since nothing was chosen");
    assert.equal(await hint.innerText(), "The file is CT, so this was set.");

    await object.selectOption("chest");
    assert.match(await hint.innerText(), /^The modality is CT, models for chest are made from CR or DX: the score may mean nothing\.\s+Use: \S/);
    await giveFiles(page, "file-input", [MR]);
    await page.waitForFunction(() => document.querySelectorAll(".strip-thumb canvas").length === 2);
    await page.locator(".strip-pick").nth(1).click();
    assert.equal(await object.inputValue(), "chest", "a choice stays");
    assert.match(await hint.innerText(), /^The modality is MR, /);
    await page.getByTestId("analyse").click();
    await page.waitForFunction(() => document.getElementById("main").dataset.state === "done");
    assert.equal(await page.locator("#warnings [data-kind=kind]").innerText(), "The modality is MR, models for chest are made from CR or DX: the score may mean nothing.");
    const use = page.getByTestId("object-use");
    assert.equal(await use.count(), 1);
    await use.click();
    assert.equal(await object.inputValue(), "brain");
    assert.equal(await hint.isVisible(), false);
    assert.equal(await page.evaluate(() => document.activeElement.id), "object-select");
    await page.locator(".strip-pick").nth(0).click();
    assert.equal(await object.inputValue(), "brain", "nothing is set where something was analysed");
    assert.match(await hint.innerText(), /^The modality is CT, models for brain are made from MR/);

    await openVolume(page, FILM);
    assert.equal(await page.getByTestId("stack-doubt").isVisible(), false, "MR of BRAIN is what the object's models are made from");
    await object.selectOption("liver");
    assert.equal(await page.getByTestId("stack-doubt").innerText(), "The modality is MR, models for liver are made from CT: the score may mean nothing.");
  });
});

test("windows and tables of a file are in the menu by their names; the picture becomes what they say, and the patient is not named", async () => {
  const [width, height] = [32, 16];
  const pixels = shorts(Array.from({ length: width * height }, (_, n) => 1024 - 200 + n));
  const table = Array.from({ length: 300 }, (_, n) => (n % 2 === 0 ? 255 : 0));
  const more = (first) => [
    ...(first ? [] : [[0x00281050, element(0x00281050, "DS", "40\\300")], [0x00281051, element(0x00281051, "DS", "80\\1500")], [0x00281055, element(0x00281055, "LO", "BRAIN\\BONE")]]),
    [0x00283010, sequence(0x00283010, [[element(0x00283002, "US", [300, -200, 8]), element(0x00283003, "LO", "STRIPES"), element(0x00283006, "OW", shorts(table))]])],
  ];
  await withTiny(async (page) => {
    const open = async (name, first) => {
      const count = await page.locator(".strip-item").count();
      await giveFiles(page, "file-input", [{ name, mimeType: "", buffer: dicomFile({ width, height, patient: "Planted^Name", more: more(first), pixels }) }]);
      await page.waitForFunction((n) => document.querySelectorAll(".strip-thumb canvas").length === n, count + 1);
      await page.locator(".strip-pick").nth(count).click();
      await page.waitForFunction((wanted) => globalThis.pageState.images.find(({ id }) => id === globalThis.pageState.currentId)?.name === wanted, name);
    };
    await open("windows.dcm", false);
    await page.getByTestId("window-button").click();
    const preset = page.getByTestId("display-preset");
    const own = await preset.locator("optgroup").first().evaluate((group) => [group.label, [...group.children].map(({ textContent }) => textContent)]);
    assert.deepEqual(own, ["From the file", ["BRAIN (40 / 80)", "BONE (300 / 1500)", "STRIPES (table)"]]);
    assert.equal(await preset.locator("optgroup").nth(1).getAttribute("label"), "CT");
    const note = page.getByTestId("look-window");
    await preset.selectOption("0 0");
    assert.equal(await note.isVisible(), false, "the first of them is what is analysed");
    await preset.selectOption("0 1");
    assert.equal(await note.isVisible(), true);
    await preset.selectOption("0 2");
    assert.match(await page.locator("#look-window-words").innerText(), /^Shown along another curve than analysed: STRIPES, from the file\.$/);
    assert.equal(await page.getByTestId("display-use").isVisible(), false);

    // The engine's own pixels, of a file that proposes the table alone, are those that the page draws.
    await open("table.dcm", true);
    const [engine, drawn] = await page.evaluate(async () => {
      const { createDisplay } = await import("/web/ui/display.js");
      const { rangeOf } = await import("/web/ui/windowing.js");
      const { images, currentId } = globalThis.pageState;
      const item = images.find(({ id }) => id === currentId);
      const greys = (source) => {
        const canvas = new OffscreenCanvas(item.width, item.height);
        const context = canvas.getContext("2d");
        context.drawImage(source, 0, 0);
        return [...context.getImageData(0, 0, item.width, item.height).data].filter((_, n) => n % 4 === 0);
      };
      const other = { ...item, decodedWindow: "1,2" };
      return [greys(item.bitmap), greys(createDisplay().of(other, rangeOf(item.windows[0])))];
    });
    assert.deepEqual(drawn, engine);
    assert.deepEqual(engine.slice(0, 4), [255, 0, 255, 0]);
    assert.ok(!(await page.evaluate(() => document.documentElement.outerHTML)).includes("Planted"));
  });
});

test("outlines and pictures of all slices are one file each, in the order of the slices", async () => {
  await withTiny(async (page) => {
    await withNormals(page);
    await openVolume(page, FILM);
    await analyseSlices(page, 2, 5);
    await goTo(page, 3);
    await page.waitForFunction(() => document.getElementById("main").dataset.state === "done" && !document.querySelector("[data-testid=download-overlay]").disabled);
    const all = await readBack(FILM, await saved(page, "captures"));
    assert.deepEqual([all.rows, all.columns, all.isReferenced, all.about], [64, 64, true, [1, 2, 3, 4]]);
    assert.deepEqual(all.patient, ["", "", "", ""]);
    await page.waitForFunction(() => document.activeElement.id === "export-save" && !document.activeElement.ariaDisabled);
    const one = await readBack(FILM, await saved(page, "capture"));
    assert.deepEqual([one.about, one.frames], [[2], [all.frames[1]]], "a slice is drawn the same alone");
    assert.equal(new Set(all.frames).size, 4);

    const outlines = JSON.parse(readFileSync(await saved(page, "outlinesOfAll"), "utf8"));
    const single = JSON.parse(readFileSync(await saved(page, "outlines"), "utf8"));
    assert.deepEqual(outlines.slices.map(({ slice }) => slice), [2, 3, 4, 5]);
    assert.equal(outlines.image, "Image 1");
    const { lines, places, threshold, positionMm } = outlines.slices[1];
    assert.deepEqual({ lines, places, threshold }, { lines: single.lines, places: single.places, threshold: single.threshold });
    assert.equal(typeof positionMm, "number");
    assert.ok(!JSON.stringify(outlines).includes("6_1"), "files' names are left out unless ticked");
  });
});

test("saving all slices can be stopped, and saves nothing then", async () => {
  await withTiny(async (page) => {
    await withNormals(page);
    await openVolume(page, FILM);
    await analyseSlices(page, 1, 6);
    await page.evaluate(() => {
      const waits = new MutationObserver(() => document.getElementById("cancel").hidden || document.getElementById("cancel").click());
      waits.observe(document.getElementById("cancel"), { attributes: true });
    });
    let downloads = 0;
    page.on("download", () => (downloads += 1));
    await page.getByTestId("export-kind").selectOption("captures");
    await page.getByTestId("export-save").click();
    await page.getByText("Nothing was saved: it was stopped.").waitFor();
    assert.equal(downloads, 0);
    assert.equal(await page.evaluate(() => globalThis.pageState.saving), null);
  });
});

/** The map at each pixel of a slice, bilinear between the middles of its places, written down once more. */
function marked(map, side, width, height, threshold) {
  const at = (index, length) => {
    const place = Math.min(side - 1, Math.max(0, ((index + 0.5) * side) / length - 0.5));
    const near = Math.floor(place);
    return [near, Math.min(side - 1, near + 1), place - near];
  };
  const found = [];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [[y0, y1, v], [x0, x1, u]] = [at(y, height), at(x, width)];
      const row = (n) => map[n * side + x0] * (1 - u) + map[n * side + x1] * u;
      if (row(y0) * (1 - v) + row(y1) * v >= threshold) found.push([y, x]);
    }
  }
  return found;
}

for (const { name, file, kind, slice } of [{ name: "DICOM Segmentation", file: FILM, kind: "segmentation", slice: 4 }, { name: "NIfTI", file: VOLUME, kind: "labels", slice: 9 }]) {
  test(`a lesion stays on its pixels: zoomed, turned, saved as ${name}, read by others and opened again`, async () => {
    await withTiny(async (page) => {
      await withNormals(page);
      await openVolume(page, file);
      await goTo(page, slice);
      await page.getByTestId("analyse").click();
      await page.waitForFunction(() => document.getElementById("main").dataset.state === "done");
      // A lesion that lies nowhere symmetrically; no pixel of its edge has the threshold's value.
      const { map, side, width, height } = await page.evaluate(() => {
        const { pageState, pageChanged } = globalThis;
        const item = pageState.images.find(({ id }) => id === pageState.currentId);
        const { size } = item.result;
        const overlay = new Float32Array(size * size);
        for (let y = 0; y < size; y += 1) {
          for (let x = 0; x < size; x += 1) {
            const isIn = ((x - 0.31 * size) / 0.13) ** 2 + ((y - 0.62 * size) / 0.21) ** 2 < size ** 2 || (x > 0.4 * size && x < 0.7 * size && y > 0.6 * size && y < 0.66 * size);
            if (isIn) overlay[y * size + x] = 0.9;
          }
        }
        item.result = { ...item.result, overlay };
        pageState.settings.threshold = 0.5;
        pageChanged();
        return { map: [...overlay], side: size, width: item.width, height: item.height };
      });
      const expected = marked(map, side, width, height, 0.5);
      assert.ok(expected.length > 20 && expected.length < (width * height) / 3, `${expected.length} pixels`);
      const [y, x] = [Math.round(0.62 * height), Math.round(0.31 * width)];
      const outside = [Math.round(0.2 * height), Math.round(0.8 * width)];
      assert.ok(expected.some(([row, column]) => row === y && column === x));

      await page.locator("#viewer").focus();
      for (const key of ["r", "h"]) await page.keyboard.press(key);
      await page.locator("#zoom-in").click();
      await page.waitForTimeout(300);
      const box = await page.locator("#overlay-canvas").boundingBox();
      const onScreen = async (row, column) => {
        const [a, b, c, d, e, f] = (await page.locator("#viewer").getAttribute("data-matrix")).split(" ").map(Number);
        return [box.x + a * (column + 0.5) + c * (row + 0.5) + e, box.y + b * (column + 0.5) + d * (row + 0.5) + f];
      };
      await page.mouse.move(...(await onScreen(y, x)));
      await page.waitForFunction((text) => document.getElementById("readout").textContent.startsWith(text), `x ${x}  y ${y}`);
      assert.match(await page.locator("#readout").innerText(), / map 0\.90$/);
      await page.mouse.move(0, 0);
      const colour = async (row, column) => {
        const [left, top] = await onScreen(row, column);
        return (await page.screenshot({ clip: { x: Math.floor(left), y: Math.floor(top), width: 1, height: 1 } })).toString("base64");
      };
      const withOverlay = [await colour(y, x), await colour(...outside)];
      await page.getByTestId("hide-overlay").click();
      await page.mouse.move(0, 0);
      await page.waitForTimeout(200);
      const bare = [await colour(y, x), await colour(...outside)];
      assert.notEqual(withOverlay[0], bare[0], "the lesion is drawn where it lies");
      assert.equal(withOverlay[1], bare[1], "and nowhere else");

      const path = await saved(page, kind);
      const found = await readBack(file, path);
      assert.deepEqual(found.places, expected.map((place) => [slice - 1, ...place]));
      if (kind === "labels") assert.equal(found.affineOff, 0);
      else assert.equal(found.description, "anomaly map at 0.5 or above");

      const count = await page.locator(".strip-item").count();
      await giveFiles(page, "file-input", [path]);
      await page.waitForFunction((n) => document.querySelectorAll(".strip-item").length === n, count + 1);
      await page.locator(".strip-pick").nth(count).click();
      if (kind === "labels") await goTo(page, slice);
      await page.waitForFunction((known) => {
        const { images, currentId } = globalThis.pageState;
        const item = images.find(({ id }) => id === currentId);
        return item.bitmap && item.path.includes(known);
      }, path.slice(path.lastIndexOf("/") + 1));
      const back = await page.evaluate(() => {
        const { images, currentId } = globalThis.pageState;
        const { values, bitmap, width: across } = images.find(({ id }) => id === currentId);
        // Of 8 bits the picture holds the values themselves.
        const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
        canvas.getContext("2d").drawImage(bitmap, 0, 0);
        const grey = () => canvas.getContext("2d").getImageData(0, 0, bitmap.width, bitmap.height).data.filter((_, n) => n % 4 === 0);
        return [...(values ?? grey())].flatMap((value, n) => (value > 0 ? [[Math.floor(n / across), n % across]] : []));
      });
      assert.deepEqual(back, expected);
    });
  });
}

test("by keyboard alone: from the file to another slice, by the slider and by the picture", async () => {
  await withTiny(async (page) => {
    await openVolume(page);
    const focused = () => page.evaluate(() => document.activeElement.id);
    for (let tabs = 0; tabs < 60 && (await focused()) !== "slice-slider"; tabs += 1) await page.keyboard.press("Tab");
    assert.equal(await focused(), "slice-slider");
    for (const [key, number] of [["ArrowRight", 14], ["ArrowLeft", 13], ["End", 25], ["Home", 1], ["ArrowUp", 2]]) {
      await page.keyboard.press(key);
      await inSlice(page, `Slice ${number} of 25`);
    }
    assert.match(await page.locator("#slice-slider").getAttribute("aria-valuetext"), /^Slice 2 of 25/);
    for (let tabs = 0; tabs < 60 && (await focused()) !== "viewer"; tabs += 1) await page.keyboard.press("Shift+Tab");
    assert.equal(await focused(), "viewer");
    for (const [key, number] of [["ArrowDown", 3], ["PageDown", 13], ["ArrowUp", 12], ["PageUp", 2]]) {
      await page.keyboard.press(key);
      await inSlice(page, `Slice ${number} of 25`);
    }
  });
});
