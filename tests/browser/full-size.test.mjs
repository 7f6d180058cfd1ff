// The paper's ViT-L/14 in a tab, on the processor tier: memory, the map of the reference, and the conversion of its checkpoint.
//
// The weights are formulas. `MVFA_FULL_SIZE=FOLDER cargo test --release --test parity_full_size -- --ignored
// bundles_for_the_browser` writes the bundles; with the same MVFA_FULL_SIZE this test opens them.

import assert from "node:assert/strict";
import { readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { analyseInSession, openSession } from "./actions.mjs";
import { fixture, maxDifference, tensor } from "./fixtures.mjs";
import { SITE, launch, withPage, withProfileFolder, withVisit } from "./harness.mjs";

const FOLDER = process.env.MVFA_FULL_SIZE;
const skip = FOLDER ? false : "minutes and 1.5 GB; MVFA_FULL_SIZE names the folder of the bundles";
/** The map spans only 2.52 to 2.65. */
const LIMIT = 3e-5;
const GPU_LIMIT = 1e-4;
/**
 * How far the map may be from the native program's and from the reference's. With bytes a sum in another order may round
 * a token to the next of its 2^14 steps.
 */
const LIMITS = {
  i8: { native: 10 * LIMIT, reference: 5e-3 },
  f16: { native: LIMIT, reference: 1e-3 },
  f32: { native: LIMIT, reference: LIMIT },
};
/** What the tier may take beside 1.1 times the weights. */
const HEAP_BYTES = 150e6;
const PICTURES = 3;
/** What the conversion of the checkpoint (1.7 GB) may take above what the program has when it starts. */
const CONVERSION_BYTES = 300e6;
/** Times that a conversion is killed. */
const KILLS = 4;

let browser;
let link;
before(async () => {
  if (skip) return;
  link = join(process.env.MVFA_TEST_SITE, "models", "full-size");
  rmSync(link, { force: true });
  symlinkSync(FOLDER, link);
  browser = await launch();
});
after(() => {
  if (link) rmSync(link, { force: true });
  return browser?.close();
});

const heapBytes = async (page) => (await page.evaluate(() => globalThis.session.memory())).heapBytes;

/** The map that the same program makes natively with the same bundle. */
function nativeMap(name) {
  const bytes = readFileSync(join(FOLDER, name, "map.f32"));
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

/** Largest difference and root mean square of all. */
function difference(found, expected) {
  const squares = expected.reduce((sum, value, i) => sum + (value - found[i]) ** 2, 0);
  return { largest: maxDifference(found, expected), rms: Math.sqrt(squares / expected.length) };
}

for (const [name, limits] of Object.entries(LIMITS)) {
  test(`ViT-L/14 as ${name} fits in its memory and gives the right map`, { skip }, async (context) => {
    await withPage(browser, {}, async (page) => {
      page.setDefaultTimeout(300_000);
      const start = performance.now();
      const info = await openSession(page, { model: `/models/full-size/${name}/manifest.json`, device: "cpu" });
      const openMs = performance.now() - start;
      const loaded = await heapBytes(page);
      const options = { object: "brain", mode: "zero", window: "pil" };
      const encodeMs = [];
      let map;
      for (let i = 0; i < PICTURES; i++) {
        const result = await analyseInSession(page, fixture("reference/vitl14/input.png"), options);
        encodeMs.push(Math.round(result.timings.encodeMs));
        map = result.map;
      }
      const heap = await heapBytes(page);
      const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;
      context.diagnostic(
        `open ${Math.round(openMs)} ms, weights ${megabytes(info.weightBytes)}, heap ${megabytes(loaded)} loaded, ` +
          `${megabytes(heap)} after pictures, which took ${encodeMs} ms to encode`,
      );
      const golden = tensor(fixture("reference/vitl14/golden.safetensors"), "S0");
      const differences = { native: difference(map, nativeMap(name)), reference: difference(map, golden) };
      for (const [other, { largest, rms }] of Object.entries(differences)) {
        context.diagnostic(`from the map of ${other}: ${largest.toExponential(1)} at most, rms ${rms.toExponential(1)}`);
      }
      for (const [other, { largest }] of Object.entries(differences)) {
        assert.ok(largest <= limits[other], `${largest} from the map of ${other}`);
      }
      assert.ok(heap <= 1.1 * info.weightBytes + HEAP_BYTES, `${megabytes(heap)} for ${megabytes(info.weightBytes)}`);
    });
  });
}

test("the checkpoint becomes the native program's model, within its memory", { skip, timeout: 1_800_000 }, async (context) => {
  await withPage(browser, {}, async (page) => {
    page.setDefaultTimeout(0);
    await page.goto(new URL("pkg/README.md", SITE).href);
    await page.evaluate(() => document.body.append(Object.assign(document.createElement("input"), { type: "file", multiple: true, id: "files" })));
    await page.locator("#files").setInputFiles(["clip", "adapters"].map((name) => join(FOLDER, `${name}.safetensors`)));
    const found = await page.evaluate(async () => {
      const { Lab } = await import("/pkg/index.js");
      const lab = await Lab.start();
      const files = [...document.querySelector("#files").files];
      const start = performance.now();
      const looked = await lab.inspect(files);
      const inspectMs = performance.now() - start;
      const stages = {};
      const model = await lab.convert(files, { objects: ["brain"], onProgress: ({ stage }) => (stages[stage] = performance.now() - start) });
      const root = await (await navigator.storage.getDirectory()).getDirectoryHandle("mvfa-own");
      const file = await (await (await root.getDirectoryHandle(model.id)).getFileHandle("manifest.json")).getFile();
      return { model, stages, inspectMs, bytes: looked.bytes, memory: await lab.memory(), manifest: JSON.parse(await file.text()) };
    });
    const { heapBytes, idleBytes } = found.memory;
    const seconds = Object.entries(found.stages).map(([stage, ms]) => `${stage} until ${Math.round(ms / 1000)} s`);
    context.diagnostic(`${Math.round((heapBytes - idleBytes) / 1e6)} MB above ${Math.round(idleBytes / 1e6)} MB; looked at in ${Math.round(found.inspectMs)} ms; ${seconds.join(", ")}; ${found.model.storedBytes} bytes`);
    const native = JSON.parse(readFileSync(join(FOLDER, "f16/manifest.json"), "utf8"));
    const copied = ({ files }) => files.filter(({ group }) => group !== "prompts").map(({ path, sha256 }) => `${path} ${sha256}`);
    assert.deepEqual(copied(found.manifest), copied(native));
    assert.ok(maxDifference(found.manifest.self_test.values, native.self_test.values) <= native.self_test.tolerance / 100);
    assert.ok(heapBytes - idleBytes <= CONVERSION_BYTES, `${heapBytes - idleBytes} bytes`);
    assert.ok(Math.abs(found.model.storedBytes / found.bytes.f16 - 1) < 0.01, "the size that was told first");
  });
});

/** Opens the package in a page of the site, with the checkpoint and the adapters chosen. */
async function chooseCheckpoint(page, names) {
  page.setDefaultTimeout(0);
  await page.goto(new URL("pkg/README.md", SITE).href);
  await page.evaluate(() => document.body.append(Object.assign(document.createElement("input"), { type: "file", multiple: true, id: "files" })));
  await page.locator("#files").setInputFiles(names.map((name) => join(FOLDER, `${name}.safetensors`)));
}

test("a conversion that is killed at random moments goes on; adapters come later; words of one's own", { skip, timeout: 3_600_000 }, async (context) => {
  const native = JSON.parse(readFileSync(join(FOLDER, "f16/manifest.json"), "utf8"));
  const copied = ({ files }, groups) => files.filter(({ group }) => groups.includes(group)).map(({ path, sha256 }) => `${path} ${sha256}`);
  await withProfileFolder(async (folder) => {
    let kills = 0;
    for (let isWhole = false; !isWhole; ) {
      await withVisit(folder, {}, async (page) => {
        await chooseCheckpoint(page, ["clip"]);
        const end = kills < KILLS ? 2_000 + Math.random() * 8_000 : Infinity;
        const found = await page.evaluate(async (limitMs) => {
          const { Lab, ownModels } = await import("/pkg/index.js");
          const lab = await Lab.start();
          let first = null;
          const converted = lab.convert([...document.querySelector("#files").files], { onProgress: ({ files }) => (first ??= files) });
          const late = limitMs === null ? new Promise(() => {}) : new Promise((resolve) => setTimeout(resolve, limitMs));
          await Promise.race([converted, late]);
          return { first, models: await ownModels() };
        }, end === Infinity ? null : end);
        isWhole = found.models[0]?.isWhole ?? false;
        context.diagnostic(`after ${kills} kills: goes on with ${found.first ?? 0} files${isWhole ? ", whole" : ""}`);
        kills += 1;
      });
    }
    assert.ok(kills > 1, "it was killed");
    await withVisit(folder, {}, async (page) => {
      await chooseCheckpoint(page, ["adapters"]);
      const found = await page.evaluate(async () => {
        const { Lab, Session, ownModels } = await import("/pkg/index.js");
        const manifestOf = async (id) => {
          const root = await (await navigator.storage.getDirectory()).getDirectoryHandle("mvfa-own");
          return JSON.parse(await (await (await (await root.getDirectoryHandle(id)).getFileHandle("manifest.json")).getFile()).text());
        };
        const lab = await Lab.start();
        const [plain] = await ownModels();
        let start = performance.now();
        const added = await lab.change(plain.id, [...document.querySelector("#files").files], { objects: ["brain"] });
        const changeMs = performance.now() - start;
        const session = await Session.open(added.url, { device: "cpu" });
        const words = await session.promptsOf("brain", { lab });
        start = performance.now();
        const first = await session.setPrompts("brain", { ...words, organ: "Head" }, { lab });
        const firstMs = performance.now() - start;
        start = performance.now();
        const next = await session.setPrompts("brain", { ...words, organ: "Head", abnormal: [...words.abnormal, "{} with a bright spot"] }, { lab });
        const nextMs = performance.now() - start;
        session.close();
        return { added, changeMs, firstMs, nextMs, isSet: [first.applied, next.applied], problems: [first.problems, next.problems],
          memory: await lab.memory(), plain: await manifestOf(plain.id), manifest: await manifestOf(added.id) };
      });
      const { heapBytes, idleBytes } = found.memory;
      context.diagnostic(`adapters in ${Math.round(found.changeMs / 1000)} s, ${Math.round(found.added.storedBytes / 1e6)} MB of its own and ${Math.round(found.added.sharedBytes / 1e6)} MB shared; ` +
        `first words in ${Math.round(found.firstMs / 1000)} s, one more line in ${Math.round(found.nextMs / 1000)} s; ${Math.round((heapBytes - idleBytes) / 1e6)} MB above idle`);
      assert.deepEqual(copied(found.plain, ["vision", "text"]), copied(native, ["vision", "text"]));
      assert.deepEqual(copied(found.manifest, ["vision", "adapters", "text"]), copied(native, ["vision", "adapters", "text"]));
      assert.ok(maxDifference(found.manifest.self_test.values, native.self_test.values) <= native.self_test.tolerance / 100);
      assert.deepEqual(found.isSet, [true, true], JSON.stringify(found.problems));
      assert.ok(heapBytes - idleBytes <= CONVERSION_BYTES, `${heapBytes - idleBytes} bytes`);
    });
  });
});

const slow = FOLDER && process.env.MVFA_SLOW ? false : "minutes on a software adapter; MVFA_FULL_SIZE and MVFA_SLOW=1 run it";
test("a whole picture of ViT-L/14 on WebGPU gives the native program's map", { skip: slow, timeout: 1_800_000 }, async (context) => {
  await withPage(browser, {}, async (page) => {
    page.setDefaultTimeout(0);
    const { device } = await openSession(page, { model: "/models/full-size/f16/manifest.json", device: "gpu" });
    const options = { object: "brain", mode: "zero", window: "pil" };
    const { map, timings } = await analyseInSession(page, fixture("reference/vitl14/input.png"), options);
    const { largest, rms } = difference(map, nativeMap("f16"));
    context.diagnostic(`${device.tier}: ${Math.round(timings.encodeMs / 1000)} s to encode, ${largest.toExponential(1)} at most, rms ${rms.toExponential(1)}`);
    assert.ok(largest <= GPU_LIMIT, `${largest} from the native program's map`);
  });
});
