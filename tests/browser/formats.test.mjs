// Files of every format in the browser's decoder: sizes, frames and values as expected, or the named error; series, pairs and
// volumes; and a trap, a hang or a file that asks for too much costs that file only.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { TINY, analyse, chooseMode, errorText, giveFiles, openReady, workersOf } from "./actions.mjs";
import { tinyPicture } from "./fixtures.mjs";
import { SITE, launch, withPage } from "./harness.mjs";
import { breakProgram, programBytes, withMemory } from "./program.mjs";

/** `MVFA_FORMATS=FOLDER` runs the table over a folder of one's own with its `expected.json`. */
const FOLDER = process.env.MVFA_FORMATS ?? fileURLToPath(new URL("../../formats/tests/files/", import.meta.url));
/** Recorded values have six decimals; the decoder gives floats of 32 bits. */
const close = (found, expected, tolerance) => Math.abs(found - expected) <= tolerance + 1e-6 + Math.abs(expected) * 1e-6;
/** Errors of files that no decoder reads; those without words may be read or not. As in formats/tests/table.rs. */
const ERRORS = {
  "broken/MR_truncated.dcm": "cut off",
  "broken/CT_small_cut60.dcm": "cut off",
  "broken/CT_small_header_only.dcm": "no picture",
  "broken/JPEG2000-embedded-sequence-delimiter.dcm": "JPEG 2000",
  "broken/JPEG-lossy.dcm": "JPEG",
  "broken/emri_small_jpeg_2k_lossless_too_short.dcm": "",
  "broken/meta_missing_tsyntax.dcm": "no picture",
  "broken/no_meta.dcm": "formats: DICOM",
  "broken/empty.dcm": "empty",
  "broken/badVR.dcm": "",
  "dicom/pydicom-data/liver_nonbyte_aligned_rle.dcm": "",
};
/** Half values of lossy HTJ2K (formats/tests/table.rs says why). */
const MEANS = { "dicom/pydicom-data/HTJ2K_08_RGB.dcm": 1e-4 };
/** What a trap leaves in the browser's console. */
const TRAP = [/RuntimeError|memory access out of bounds|table index|unreachable|panicked/];

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

const base64 = (bytes) => Buffer.from(bytes).toString("base64");

/** A page of the site without a program, with an opener as `globalThis.opener`. */
async function openOpener(page, options = {}) {
  await page.goto(new URL("pkg/README.md", SITE).href);
  await page.evaluate(async (chosen) => {
    const { Opener } = await import("/pkg/index.js");
    globalThis.blobOf = (text) => new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]);
    globalThis.files = (list) => list.map(({ path, text }) => ({ path, blob: globalThis.blobOf(text) }));
    /** Size, kind and pixels of a raw picture, as it is laid out (formats/src/picture/raw_bytes.rs). */
    globalThis.pixelsOf = async (blob) => {
      const buffer = await blob.arrayBuffer();
      const view = new DataView(buffer);
      const [width, height, kind] = [view.getUint32(8, true), view.getUint32(12, true), view.getUint8(16)];
      const samples = width * height * (kind === 1 || kind === 4 ? 3 : 1);
      const bytes = buffer.slice(buffer.byteLength - samples * (kind > 2 ? 4 : 1));
      return { width, height, kind, values: kind > 2 ? new Float32Array(bytes) : new Uint8Array(bytes) };
    };
    /** The same with figures in the place of values, and the channels of the pixels asked for. */
    globalThis.figuresOf = async (blob, pixels) => {
      const { width, height, kind, values } = await globalThis.pixelsOf(blob);
      const channels = kind === 1 || kind === 4 ? 3 : 1;
      const figures = { min: Infinity, max: -Infinity, mean: 0, padded: false };
      for (const value of values) {
        figures.padded ||= Number.isNaN(value);
        figures.min = Math.min(figures.min, value);
        figures.max = Math.max(figures.max, value);
        figures.mean += value / values.length;
      }
      const samples = pixels.map(({ row, col }) => Array.from(values.subarray((row * width + col) * channels, (row * width + col + 1) * channels)));
      return { width, height, kind, channels, samples, ...figures };
    };
    globalThis.opener = await Opener.start(chosen);
  }, options);
}

/**
 * Opens files, and decodes frames of the first series: those that are asked for, and the last one.
 * @param {{frame: number, pixels: {row: number, col: number}[]}[]} wanted
 */
async function opened(page, list, wanted = [{ frame: 0, pixels: [] }]) {
  return page.evaluate(async ([given, asked]) => {
    const { opener, files, figuresOf } = globalThis;
    const { series, refused, notes } = await opener.open(files(given));
    const frames = [];
    let error = null;
    try {
      for (const { frame, pixels } of series.length > 0 ? asked : []) frames.push(await figuresOf(await opener.frame(series[0].id, frame), pixels));
      if (series.length > 0) await opener.frame(series[0].id, series[0].frames - 1);
    } catch (caught) {
      error = `${caught.name}: ${caught.message}`;
    }
    for (const { id } of series) await opener.release(id);
    return { series, refused, notes, frames, error };
  }, [list, wanted]);
}

const entry = (path, bytes = readFileSync(join(FOLDER, path))) => ({ path, text: base64(bytes) });

/** Differences of a frame's values from what is recorded of them. */
function valueDifferences(frame, expected, { tolerance, mean = 0, of = (value) => value }) {
  const wrong = [];
  const check = (what, found, wanted, allowed) => {
    if (!close(found, of(wanted), allowed)) wrong.push(`${what}: found ${found}, expected ${of(wanted)}`);
  };
  for (const [n, { row, col, value }] of expected.samples.entries()) {
    [value].flat().slice(0, frame.channels).forEach((wanted, channel) => {
      const found = frame.samples[n][channel];
      // Padding is no value.
      if (!Number.isNaN(found)) check(`at ${row}, ${col}, ${channel}`, found, wanted, tolerance);
    });
  }
  if (!frame.padded && frame.channels === 1) {
    for (const what of ["min", "max"]) check(what, frame[what], expected[what], tolerance);
    check("mean", frame.mean, expected.mean, Math.max(tolerance, mean));
  }
  return wrong;
}

function dicomDifferences(name, e, { series: [series], frames: [frame] }) {
  const wrong = [];
  const equal = (what, found, expected) => {
    if (JSON.stringify(found) !== JSON.stringify(expected)) wrong.push(`${what}: found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
  };
  equal("size", [series.height, series.width], [e.rows, e.cols]);
  equal("frames", series.frames * series.volumes, e.frames);
  equal("modality", series.modality, e.modality ?? null);
  equal("files", series.files.length, e.frames);
  if (e.pixel_spacing_mm) [0, 1].forEach((n) => close(series.spacingMm[n], e.pixel_spacing_mm[n], 1e-5) || wrong.push(`spacing ${series.spacingMm}`));
  equal("decoded size", [frame.height, frame.width], [e.rows, e.cols]);
  if (!e.first_frame) return wrong;
  const { channels } = frame;
  const isOwn = e.rescale_slope != null || channels === 3;
  const [slope, intercept] = !isOwn && e.frame0_rescale ? e.frame0_rescale : [1, 0];
  const expected = e.after_modality_lut ?? e.first_frame;
  // Colour comes in 8 bits; palettes may have 16 where their indices have 8.
  const bits = e.bits_stored > 8 || e.first_frame.max <= 255 ? e.bits_stored : 16;
  const of = channels === 3 ? (value) => Math.floor(value / 2 ** Math.max(0, bits - 8)) : e.after_modality_lut ? undefined : (value) => value * slope + intercept;
  wrong.push(...valueDifferences(frame, expected, { tolerance: e.tolerance * Math.abs(slope), mean: MEANS[name], of }));
  return wrong;
}

/** Slice and pixel of a voxel. @param {number[]} ijk */
function placeOf(e, ijk) {
  const at = { frame: 0, pixels: [{ row: 0, col: 0 }] };
  // Where each axis of the array runs to, as nibabel writes it: R, A, S or the other way.
  [...e.orientation].forEach((letter, axis) => {
    const back = e.dim[axis] - 1 - ijk[axis];
    if ("LR".includes(letter)) at.pixels[0].col = letter === "L" ? ijk[axis] : back;
    if ("PA".includes(letter)) at.pixels[0].row = letter === "P" ? ijk[axis] : back;
    if ("SI".includes(letter)) at.frame = letter === "S" ? ijk[axis] : back;
  });
  return at;
}

/** The frames and pixels that are recorded of a file. */
function wantedOf(e) {
  if (e.first_volume) return e.first_volume.samples.map(({ ijk }) => placeOf(e, ijk));
  return [{ frame: 0, pixels: (e.after_modality_lut ?? e.first_frame ?? e).samples ?? [] }];
}

function niftiDifferences(e, { series: [series], frames }) {
  const wrong = [];
  const [nx, ny, nz = 1] = e.dim;
  const { axial, coronal, sagittal } = series.axes;
  const sizes = [axial.frames, axial.width, axial.height].sort();
  if (String(sizes) !== String([nx, ny, nz].sort())) wrong.push(`sizes ${sizes}, expected ${e.dim}`);
  if (series.volumes !== (e.dim[3] ?? 1)) wrong.push(`${series.volumes} volumes`);
  if (!coronal || !sagittal || coronal.frames !== axial.height || sagittal.frames !== axial.width) wrong.push("its axes do not fit");
  e.first_volume.samples.forEach(({ ijk, value }, n) => {
    const [found] = frames[n].samples[0];
    if (!close(found, value, 0)) wrong.push(`voxel ${ijk}: found ${found}, expected ${value}`);
  });
  return wrong;
}

test("every sample file is as expected, or refused with its error", async () => {
  const table = JSON.parse(readFileSync(join(FOLDER, "expected.json"), "utf8")).files;
  const failed = [];
  const absent = [];
  let passed = 0;
  await withPage(browser, {}, async (page, record) => {
    await openOpener(page);
    const from = record.requests.length;
    for (const [name, e] of Object.entries(table)) {
      if (!existsSync(join(FOLDER, name))) {
        absent.push(name);
        continue;
      }
      const isVolume = e.kind.startsWith("Nifti");
      const found = await opened(page, [entry(name)], wantedOf(e));
      const refusal = found.refused[0]?.message ?? found.error;
      const expectsError = (e.oracle_error ?? "none") !== "none";
      let wrong = [];
      if (name in ERRORS && ERRORS[name] !== "") {
        if (!refusal?.includes(ERRORS[name])) wrong = [`${refusal}, expected an error with ${ERRORS[name]}`];
      } else if (refusal) {
        if (!expectsError && !(name in ERRORS)) wrong = [refusal];
      } else if (!expectsError && !(name in ERRORS)) {
        if (isVolume) wrong = niftiDifferences(e, found);
        else if (e.kind === "raster") wrong = valueDifferences(found.frames[0], e, { tolerance: 0 });
        else wrong = dicomDifferences(name, e, found);
      }
      if (wrong.length > 0) failed.push(`${name}: ${wrong.join("; ")}`);
      else passed += 1;
    }
    assert.deepEqual(record.network(from), [], "nothing is requested");
  });
  console.log(`${passed} files as expected; not in the folder: ${absent.join(", ")}`);
  assert.ok(passed > 50);
  assert.deepEqual(failed, []);
});

const DICOM = "dicom/pydicom/";
const named = (path, name) => ({ ...entry(path), path: name });

test("a folder: files that belong together, a pair, what holds no picture, what nobody reads", async () => {
  const table = JSON.parse(readFileSync(join(FOLDER, "expected.json"), "utf8")).files;
  const slices = Object.keys(table).filter((name) => /^dicom\/.*CT_small|^dicom\/.*MR_small/.test(name)).filter((name) => existsSync(join(FOLDER, name)));
  const header = Buffer.from("ObjectType = Image\nNDims = 3\nDimSize = 3 2 2\nElementType = MET_UCHAR\nElementDataFile = pixels.raw\n");
  await withPage(browser, {}, async (page) => {
    await openOpener(page);
    const { series, refused, notes, frames } = await opened(page, [
      entry("pair/pixels.raw", Buffer.from([...Array(12).keys()])),
      entry("pair/volume.mhd", header),
      entry("study/.DS_Store", Buffer.from("x")),
      entry("study/report.pdf", Buffer.from("%PDF-1.4 and more")),
      entry("other/pixels.raw", Buffer.from("these are of nobody")),
      ...(existsSync(join(FOLDER, "broken/CT_small_header_only.dcm")) ? [named("broken/CT_small_header_only.dcm", "study/empty.dcm")] : []),
      ...slices.map((name) => entry(name)),
    ], [{ frame: 0, pixels: [{ row: 0, col: 0 }, { row: 1, col: 2 }] }]);
    const volume = series.findIndex(({ format }) => format === "MetaImage");
    assert.equal(volume, 0, JSON.stringify({ refused, notes }));
    assert.deepEqual([series[0].frames, series[0].name, frames[0].samples], [2, "volume.mhd", [[0], [5]]]);
    assert.deepEqual(refused.map(({ path }) => path).sort(), ["other/pixels.raw", "study/report.pdf"]);
    assert.match(refused.find(({ path }) => path.endsWith("pdf")).message, /PDF/);
    assert.deepEqual(notes, ["One file without a picture was passed over."]);
    // The samples are two slices in several encodings: copies.
    assert.equal(series.slice(1).reduce((sum, { files }) => sum + files.length, 0), 2);
    assert.ok(series.slice(1).some((one) => one.notes.some((note) => /copies of others|copy of another/.test(note))), JSON.stringify(series.map((one) => one.notes)));
  });
});

test("what asks for 4 GB is refused from its header", async () => {
  const header = Buffer.alloc(352);
  header.writeInt32LE(348, 0);
  [3, 2048, 2048, 1024, 1, 1, 1, 1].forEach((size, n) => header.writeInt16LE(size, 40 + 2 * n));
  header.writeInt16LE(4, 70);
  header.writeInt16LE(16, 72);
  [1, 1, 1, 1].forEach((size, n) => header.writeFloatLE(size, 76 + 4 * n));
  header.writeFloatLE(352, 108);
  header.write("n+1\0", 344, "latin1");
  await withPage(browser, {}, async (page) => {
    await openOpener(page);
    const found = await page.evaluate(async (text) => {
      const start = performance.now();
      // The length of the whole file is given, and nothing of it is read.
      const part = new Blob([new Uint8Array(64 << 20)]);
      const blob = new Blob([globalThis.blobOf(text), ...Array(17).fill(part)]);
      const whole = await globalThis.opener.open([{ path: "large.nii", blob }]);
      const short = await globalThis.opener.open([{ path: "short.nii", blob: globalThis.blobOf(text) }]);
      return { refused: [...whole.refused, ...short.refused], ms: performance.now() - start };
    }, base64(header));
    assert.deepEqual(found.refused.map(({ name }) => name), ["large.nii", "short.nii"]);
    for (const { message } of found.refused) assert.match(message, /too large|cut off/);
    assert.ok(found.ms < 5_000, `${found.ms} ms`);
  });
});

/** The beginning of a CT slice of 512 × 512, up to its pixels, at a place along z. Explicit little endian, without a preamble. */
function sliceHeader(z) {
  const element = (group, number, vr, value) => {
    const content = Buffer.isBuffer(value) ? value : Buffer.from(value.length % 2 ? `${value} ` : value);
    const head = Buffer.alloc(8);
    head.writeUInt16LE(group, 0);
    head.writeUInt16LE(number, 2);
    head.write(vr, 4, "latin1");
    head.writeUInt16LE(content.length, 6);
    return Buffer.concat([head, content]);
  };
  const short = (value) => Buffer.from([value & 255, value >> 8]);
  const pixels = Buffer.alloc(12);
  pixels.writeUInt16LE(0x7fe0, 0);
  pixels.writeUInt16LE(0x0010, 2);
  pixels.write("OW", 4, "latin1");
  pixels.writeUInt32LE(512 * 512 * 2, 8);
  return Buffer.concat([
    element(0x0008, 0x0060, "CS", "CT"), element(0x0010, 0x0010, "PN", "Planted^Name"), element(0x0020, 0x000e, "UI", "1.2.3"),
    element(0x0020, 0x0032, "DS", `0\\0\\${z}`), element(0x0020, 0x0037, "DS", "1\\0\\0\\0\\1\\0"), element(0x0028, 0x0002, "US", short(1)),
    element(0x0028, 0x0004, "CS", "MONOCHROME2"), element(0x0028, 0x0010, "US", short(512)), element(0x0028, 0x0011, "US", short(512)),
    element(0x0028, 0x0030, "DS", "0.5\\0.5"), element(0x0028, 0x0100, "US", short(16)), element(0x0028, 0x0101, "US", short(16)),
    element(0x0028, 0x0102, "US", short(15)), element(0x0028, 0x0103, "US", short(0)), pixels,
  ]);
}

test("a folder of 3 000 slices is one series in order, put together from the files' beginnings", async () => {
  const order = Array.from({ length: 3_000 }, (_, n) => (n * 7) % 3_000);
  const headers = order.map((z) => base64(sliceHeader(z)));
  await withPage(browser, { prepare: withMemory }, async (page) => {
    await openOpener(page);
    const found = await page.evaluate(async (texts) => {
      const { opener, blobOf, pixelsOf } = globalThis;
      // All share their pixels, so that the test itself needs no 1.5 GB.
      const pixels = new Blob([new Uint8Array(512 * 512 * 2).fill(1)]);
      const files = texts.map((text, n) => ({ path: `study/${n}.dcm`, blob: new Blob([blobOf(text), pixels]) }));
      const start = performance.now();
      let last = 0;
      const { series, refused } = await opener.open(files, { onProgress: (done) => (last = done) });
      const ms = performance.now() - start;
      const [{ id, ...info }] = series;
      const frames = [];
      for (const n of [0, 1_499, 2_999]) frames.push((await pixelsOf(await opener.frame(id, n))).values[7]);
      return { info, series: series.length, refused, ms, last, frames, text: JSON.stringify(info) };
    }, headers);
    assert.deepEqual([found.series, found.refused, found.last], [1, [], 3_000]);
    const { frames, positionsMm, sliceSpacingMm, spacingMm, plane, modality, name, files } = found.info;
    assert.deepEqual({ frames, sliceSpacingMm, spacingMm, plane, modality, name }, { frames: 3_000, sliceSpacingMm: 1, spacingMm: [0.5, 0.5], plane: "axial", modality: "CT", name: "study" });
    assert.deepEqual(positionsMm, Array.from({ length: 3_000 }, (_, n) => n));
    assert.equal(files[1_499].path, `study/${order.indexOf(1_499)}.dcm`);
    assert.deepEqual(found.frames, [257, 257, 257]);
    assert.ok(!found.text.includes("Planted"), "nothing about the patient");
    const heapBytes = await programBytes(await working(page));
    console.log(`3000 slices: ${Math.round(found.ms)} ms, ${Math.round(heapBytes / 2 ** 20)} MiB in the decoder`);
    assert.ok(heapBytes < 100 * 2 ** 20, `${heapBytes} bytes`);
  });
});

/** The decoder that fetched the program. */
async function working(page) {
  const fetched = () => performance.getEntriesByType("resource").map(({ name }) => name);
  const seen = [];
  for (const worker of await workersOf(page, "files")) {
    const names = await worker.evaluate(fetched);
    if (names.some((name) => name.endsWith("mvfa_formats_bg.wasm"))) return worker;
    seen.push(names);
  }
  throw new Error(`no worker holds the decoder: ${JSON.stringify(seen)}`);
}

test("a trap costs the file in hand: the others of a folder, and series that were open, stay", async () => {
  const good = entry(`${DICOM}CT_small.dcm`);
  await withPage(browser, { expect: TRAP, prepare: withMemory }, async (page, record) => {
    await openOpener(page);
    await page.evaluate(async (given) => {
      const { series } = await globalThis.opener.open(globalThis.files([given]));
      globalThis.first = series[0].id;
    }, good);
    const worker = await working(page);
    const from = record.requests.length;
    await breakProgram(worker);
    const found = await page.evaluate(async (list) => {
      const { opener, files, pixelsOf } = globalThis;
      const { series, refused } = await opener.open(files(list));
      const before = await pixelsOf(await opener.frame(globalThis.first, 0));
      const after = await pixelsOf(await opener.frame(series[0].id, 0));
      return { series: series.length, refused, same: String(before.values) === String(after.values) };
    }, [{ ...good, path: "a.dcm" }, { ...good, path: "b.dcm" }]);
    assert.equal(found.series, 1);
    assert.deepEqual(found.refused.map(({ path }) => path), ["a.dcm"]);
    assert.match(found.refused[0].message, /made the program that reads files stop.*other files are not affected/);
    assert.ok(found.same);
    assert.ok(!page.workers().includes(worker), "the broken one is gone");
    assert.equal(record.network(from).length, 0, "nothing is requested after a restart");
  });
});

/** The next file that this worker reads keeps it busy for ever. */
const hangOnNext = (worker) => worker.evaluate(() => {
  Blob.prototype.arrayBuffer = () => {
    for (;;);
  };
});

test("a hang ends after its time, or soon after it is stopped, and costs that file only", async () => {
  const good = entry(`${DICOM}CT_small.dcm`);
  await withPage(browser, {}, async (page) => {
    await openOpener(page, { timeoutMs: 3_000 });
    await hangOnNext(await working(page));
    const found = await page.evaluate(async (list) => {
      const { series, refused } = await globalThis.opener.open(globalThis.files(list));
      globalThis.first = series[0].id;
      return { series: series.length, refused };
    }, [{ ...good, path: "a.dcm" }, { ...good, path: "b.dcm" }]);
    assert.equal(found.series, 1);
    assert.deepEqual(found.refused.map(({ path }) => path), ["a.dcm"]);
    assert.match(found.refused[0].message, /was not read within 3 seconds; other files are not affected/);
  });
  await withPage(browser, {}, async (page) => {
    await openOpener(page);
    await hangOnNext(await working(page));
    const found = await page.evaluate(async (given) => {
      const { opener, files } = globalThis;
      const controller = new AbortController();
      const busy = opener.picture(new Blob(["x"]), { signal: controller.signal }).then(() => "done", ({ name }) => name);
      setTimeout(() => controller.abort(), 300);
      const end = await busy;
      const start = performance.now();
      const { series } = await opener.open(files([given]));
      return { end, series: series.length, ms: performance.now() - start };
    }, good);
    assert.deepEqual([found.end, found.series], ["AbortError", 1]);
    assert.ok(found.ms < 20_000, `${found.ms} ms`);
  });
});

test("the model, its references and results know nothing of a decoder that broke", async () => {
  await withPage(browser, { expect: TRAP, prepare: withMemory }, async (page) => {
    await openReady(page, { model: TINY, device: "cpu" });
    await page.getByTestId("object-select").selectOption("chest");
    await chooseMode(page, "few");
    await page.getByTestId("augment-select").selectOption("none");
    await giveFiles(page, "support-input", tinyPicture("support_0.png"));
    await page.getByTestId("support-item").first().waitFor();
    await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
    const score = await analyse(page);
    await breakProgram(await working(page));
    await giveFiles(page, "file-input", { name: "lost.png", mimeType: "image/png", buffer: readFileSync(tinyPicture("input_grey.png")) });
    await page.getByTestId("error").first().waitFor({ state: "visible" });
    assert.match(await errorText(page), /other files are not affected/);
    await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
    assert.equal(await analyse(page), score);
  });
});

test("a slice of a volume is analysed like a picture, whichever way it is cut", async () => {
  const name = "nifti/nibabel/anatomical.nii";
  const path = existsSync(join(FOLDER, name)) ? name : Object.keys(JSON.parse(readFileSync(join(FOLDER, "expected.json"), "utf8")).files).find((one) => one.endsWith("anatomical.nii"));
  await withPage(browser, {}, async (page) => {
    await openOpener(page);
    const found = await page.evaluate(async ([model, given]) => {
      const { opener, files } = globalThis;
      const { Session } = await import("/pkg/index.js");
      const session = await Session.open(model, { device: "cpu", opener });
      const { series: [one] } = await opener.open(files([given]));
      const how = { object: "brain", mode: "zero" };
      const slice = await opener.frame(one.id, 12, { axis: "coronal" });
      const { width, height, deep } = await session.decode(slice);
      const { score } = await session.analyse(slice, how);
      const whole = await session.analyse(files([given])[0].blob, how);
      const middle = await session.analyse(await opener.frame(one.id, Math.floor(one.frames / 2)), how);
      const { notes } = await session.decode(files([given])[0].blob);
      session.close();
      return { one, size: [width, height], deep, score, same: whole.score === middle.score, notes, open: (await opener.frame(one.id, 0)).size > 0 };
    }, [TINY, entry(path)]);
    const { coronal } = found.one.axes;
    assert.deepEqual(found.size, [coronal.width, coronal.height]);
    assert.ok(found.deep && Number.isFinite(found.score) && found.same && found.open, JSON.stringify(found));
    assert.match(found.notes[0].text, /^frame \d+ of 25 is analysed$/);
  });
});
