// The paper's ViT-L/14 in a tab, on the processor tier: memory, and the map of the reference.
//
// The weights are formulas. `MVFA_FULL_SIZE=FOLDER cargo test --release --test parity_full_size -- --ignored
// bundles_for_the_browser` writes the bundles; with the same MVFA_FULL_SIZE this test opens them.

import assert from "node:assert/strict";
import { readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { analyseInSession, openSession } from "./actions.mjs";
import { fixture, maxDifference, tensor } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

const FOLDER = process.env.MVFA_FULL_SIZE;
const skip = FOLDER ? false : "a minute and 1.5 GB; MVFA_FULL_SIZE names the folder of the bundles";
/** The map spans only 2.52 to 2.65. */
const LIMIT = 3e-5;
/** What the processor tier may take beside its weights. */
const HEAP_BYTES = 150e6;

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

/** Size of the program's memory in the page's only worker. */
const heapBytes = (page) =>
  page.workers()[0].evaluate(async () => {
    const glue = await import("/pkg/wasm/mvfa_web.js");
    const { memory } = await glue.default();
    return memory.buffer.byteLength;
  });

/** The map that the same program makes natively with the same bundle. */
function nativeMap(name) {
  const bytes = readFileSync(join(FOLDER, name, "map.f32"));
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

for (const name of ["f16", "f32"]) {
  test(`ViT-L/14 as ${name} fits in its memory and gives the right map`, { skip }, async (context) => {
    await withPage(browser, {}, async (page) => {
      page.setDefaultTimeout(300_000);
      const info = await openSession(page, { model: `/models/full-size/${name}/manifest.json`, device: "cpu" });
      const loaded = await heapBytes(page);
      const options = { object: "brain", mode: "zero", window: "pil" };
      const { map, timings } = await analyseInSession(page, fixture("reference/vitl14/input.png"), options);
      const heap = await heapBytes(page);
      const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;
      context.diagnostic(
        `weights ${megabytes(info.weightBytes)}, heap ${megabytes(loaded)} loaded, ${megabytes(heap)} after a picture, ` +
          `which took ${Math.round(timings.encodeMs)} ms to encode`,
      );
      assert.ok(maxDifference(map, nativeMap(name)) <= LIMIT, "the native program's map");
      if (name === "f32") {
        const golden = tensor(fixture("reference/vitl14/golden.safetensors"), "S0");
        assert.ok(maxDifference(map, golden) <= LIMIT, "the reference's map");
      }
      assert.ok(heap <= 1.1 * info.weightBytes + HEAP_BYTES, `${megabytes(heap)} for ${megabytes(info.weightBytes)}`);
    });
  });
}
