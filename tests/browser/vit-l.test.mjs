// ViT-L/14 on the GPU tier: the first blocks compute what the processor's do, on weights that stay 16-bit.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openSession } from "./actions.mjs";
import { maxDifference } from "./fixtures.mjs";
import { VIT_L, formulaBundle } from "./formula-bundle.mjs";
import { countGpu, gpuMemory } from "./gpu-counter.mjs";
import { launch, withPage } from "./harness.mjs";

/** A whole picture takes minutes on a processor that pretends to be a graphics card; two blocks take seconds. */
const BLOCKS = 2;
/** Of the largest token. Sums of four thousand products in another order differ by a millionth. */
const LIMIT = 1e-5;
/** Buffers beside the weights: tokens and what a block makes of them, and pieces of files on their way. */
const WORK_BYTES = 60e6;
/** The goal for the program's own memory while weights pass through it, beyond the idle program's. */
const HEAP_BYTES = 150e6;

let browser;
let bundle;
before(async () => {
  browser = await launch();
  bundle = formulaBundle("vit-l-test", VIT_L, BLOCKS);
});
after(async () => {
  bundle?.remove();
  await browser?.close();
});

/** Tokens of all levels on a device, and what memory that took. */
async function run(device) {
  let answer;
  await withPage(browser, { prepare: countGpu }, async (page) => {
    const { device: opened } = await openSession(page, { model: bundle.model, device });
    assert.match(opened.tier, device === "gpu" ? /^gpu/ : /^cpu$/);
    const levels = await page.evaluate(async (side) => {
      const planes = Float32Array.from({ length: 3 * side * side }, (_, n) => ((7 * (n % side) + 13 * Math.floor(n / side)) % 256) / 255);
      return (await globalThis.session.tokens(planes)).map((level) => Array.from(level));
    }, VIT_L.image_px);
    answer = { levels, memory: await gpuMemory(page) };
  });
  return answer;
}

test("two blocks of ViT-L/14 on WebGPU match the processor's, in no more memory than their files", async () => {
  const [cpu, gpu] = [await run("cpu"), await run("gpu")];
  assert.equal(gpu.levels.length, BLOCKS);
  for (const [n, level] of cpu.levels.entries()) {
    const largest = level.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const off = maxDifference(gpu.levels[n], level) / largest;
    assert.ok(off < LIMIT, `level ${n + 1} is off by ${off} of the largest token, allowed ${LIMIT}`);
  }
  const { gpuPeakBytes, heapBytes } = gpu.memory;
  console.log(`weights ${bundle.bytes}, buffers at most ${gpuPeakBytes}, program's memory ${heapBytes} (processor tier ${cpu.memory.heapBytes})`);
  assert.ok(gpuPeakBytes > bundle.bytes, "the counter sees the weights");
  assert.ok(gpuPeakBytes < bundle.bytes + WORK_BYTES, `${gpuPeakBytes} bytes of buffers for ${bundle.bytes} of weights`);
  assert.ok(heapBytes < HEAP_BYTES, `${heapBytes} bytes of memory`);
});
