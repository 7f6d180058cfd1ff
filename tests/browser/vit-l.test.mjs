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
/** The program's own memory, idle included, while weights pass through it. */
const HEAP_BYTES = 150e6;

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** Runs `work` with a bundle of ViT-L/14 that is gone afterwards. */
async function withBundle(blocks, work) {
  const bundle = formulaBundle("vit-l-test", VIT_L, blocks);
  try {
    await work(bundle);
  } finally {
    bundle.remove();
  }
}

/** Tokens of all levels on a device, and what memory that took. */
async function run(bundle, device) {
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

/** Says and checks what the bundle took. */
function assertMemory({ bytes }, { gpuPeakBytes, heapBytes }) {
  console.log(`weights ${bytes}, buffers at most ${gpuPeakBytes}, the program's own memory at most ${heapBytes}`);
  assert.ok(gpuPeakBytes > bytes, "the counter sees the weights");
  assert.ok(gpuPeakBytes < bytes + WORK_BYTES, `${gpuPeakBytes} bytes of buffers for ${bytes} of weights`);
  assert.ok(heapBytes < HEAP_BYTES, `${heapBytes} bytes of memory`);
}

test("two blocks of ViT-L/14 on WebGPU match the processor's, in little more memory than their files", () =>
  withBundle(BLOCKS, async (bundle) => {
    const [cpu, gpu] = [await run(bundle, "cpu"), await run(bundle, "gpu")];
    assert.equal(gpu.levels.length, BLOCKS);
    for (const [n, level] of cpu.levels.entries()) {
      const largest = level.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const off = maxDifference(gpu.levels[n], level) / largest;
      console.log(`level ${n + 1}: off by ${off} of the largest token`);
      assert.ok(off < LIMIT, `level ${n + 1} is off by ${off} of the largest token, allowed ${LIMIT}`);
    }
    assertMemory(bundle, gpu.memory);
  }));

test("a whole ViT-L/14 loads onto WebGPU within its memory", { skip: !process.env.MVFA_SLOW }, () =>
  withBundle(24, async (bundle) => {
    await withPage(browser, { prepare: countGpu }, async (page) => {
      await openSession(page, { model: bundle.model, device: "gpu" });
      assertMemory(bundle, await gpuMemory(page));
    });
  }));
