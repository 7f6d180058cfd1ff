// Blocks of the GPU tier compute what the processor's do, on weights that stay as narrow as they are stored.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addSupports, analyseInSession, openSession } from "./actions.mjs";
import { maxDifference, tinyPicture } from "./fixtures.mjs";
import { NO_KERNELS, ODD_ADAPTERS, SMALL, VIT_L, formulaBundle } from "./formula-bundle.mjs";
import { countGpu, gpuMemory } from "./gpu-counter.mjs";
import { launch, withPage } from "./harness.mjs";

/** Of the largest token. Sums of four thousand products in another order differ by a millionth. */
const LIMIT = 1e-5;
/** Of a map; logits are a hundred times a cosine. */
const MAP_LIMIT = 1e-3;
/** Buffers beside the weights: tokens and what a block makes of them, and pieces of files on their way. */
const WORK_BYTES = 60e6;
/** The program's own memory, idle included, while weights pass through it. */
const HEAP_BYTES = 150e6;

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** Runs `work` with a bundle that is gone afterwards. */
async function withBundle({ geometry, blocks, dtype = "f16" }, work) {
  const bundle = formulaBundle("gpu-blocks-test", geometry, blocks, dtype);
  try {
    await work(bundle);
  } finally {
    bundle.remove();
  }
}

/** Tokens of all levels on a device, and what memory that took. */
async function run(bundle, side, device) {
  let answer;
  await withPage(browser, { prepare: countGpu }, async (page) => {
    const { device: opened } = await openSession(page, { model: bundle.model, device });
    assert.match(opened.tier, device === "gpu" ? /^gpu/ : /^cpu$/);
    const levels = await page.evaluate(async (px) => {
      const planes = Float32Array.from({ length: 3 * px * px }, (_, n) => ((7 * (n % px) + 13 * Math.floor(n / px)) % 256) / 255);
      return (await globalThis.session.tokens(planes)).map((level) => Array.from(level));
    }, side);
    answer = { levels, memory: await gpuMemory(page) };
  });
  return answer;
}

/** Zero-shot and memory map of a picture on a device. */
async function maps(bundle, device) {
  let result;
  await withPage(browser, {}, async (page) => {
    const { device: opened } = await openSession(page, { model: bundle.model, device });
    assert.match(opened.tier, device === "gpu" ? /^gpu/ : /^cpu$/);
    await addSupports(page, [tinyPicture("support_0.png")]);
    const options = { object: "any", mode: "few", augment: "none", window: "pil" };
    result = await analyseInSession(page, tinyPicture("input_rgb.png"), options);
  });
  return result;
}

/** Says and checks what the bundle took. */
function assertMemory({ bytes }, { gpuPeakBytes, heapBytes }) {
  console.log(`weights ${bytes}, buffers at most ${gpuPeakBytes}, the program's own memory at most ${heapBytes}`);
  assert.ok(gpuPeakBytes > bytes, "the counter sees the weights");
  assert.ok(gpuPeakBytes < bytes + WORK_BYTES, `${gpuPeakBytes} bytes of buffers for ${bytes} of weights`);
  assert.ok(heapBytes < HEAP_BYTES, `${heapBytes} bytes of memory`);
}

/** Runs the bundle on both tiers, compares them and returns the GPU's memory. */
async function compare(bundle, side) {
  const [cpu, gpu] = [await run(bundle, side, "cpu"), await run(bundle, side, "gpu")];
  assert.ok(cpu.levels.length > 0 && gpu.levels.length === cpu.levels.length);
  for (const [n, level] of cpu.levels.entries()) {
    const largest = level.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const off = maxDifference(gpu.levels[n], level) / largest;
    console.log(`level ${n + 1}: off by ${off} of the largest token`);
    assert.ok(off < LIMIT, `level ${n + 1} is off by ${off} of the largest token, allowed ${LIMIT}`);
  }
  return gpu.memory;
}

for (const dtype of ["f16", "i8"]) {
  test(`weights stored as ${dtype} compute the same on both tiers`, () =>
    withBundle({ geometry: SMALL, blocks: 4, dtype }, (bundle) => compare(bundle, SMALL.image_px)));
}

test("a geometry without kernels computes the same on both tiers", () =>
  withBundle({ geometry: NO_KERNELS, blocks: 2 }, (bundle) => compare(bundle, NO_KERNELS.image_px)));

for (const [what, geometry] of [["no kernels", NO_KERNELS], ["odd adapters", ODD_ADAPTERS]]) {
  test(`maps of a model with ${what} are the same on both tiers`, () =>
    withBundle({ geometry, blocks: 2 }, async (bundle) => {
      const [cpu, gpu] = [await maps(bundle, "cpu"), await maps(bundle, "gpu")];
      for (const name of ["zero", "memory"]) {
        assert.ok(Math.max(...cpu[name]) > Math.min(...cpu[name]), `${name} is a map`);
        const off = maxDifference(gpu[name], cpu[name]);
        console.log(`${name}: the tiers differ by ${off}`);
        assert.ok(off < MAP_LIMIT, `${name}: the tiers differ by ${off}, allowed ${MAP_LIMIT}`);
      }
    }));
}

test("two blocks of ViT-L/14 on WebGPU match the processor's, in little more memory than their files", () =>
  withBundle({ geometry: VIT_L, blocks: 2 }, async (bundle) => assertMemory(bundle, await compare(bundle, VIT_L.image_px))));

test("a whole ViT-L/14 loads onto WebGPU within its memory", { skip: !process.env.MVFA_SLOW }, () =>
  withBundle({ geometry: VIT_L, blocks: 24 }, async (bundle) => {
    await withPage(browser, { prepare: countGpu }, async (page) => {
      await openSession(page, { model: bundle.model, device: "gpu" });
      assertMemory(bundle, await gpuMemory(page));
    });
  }));
