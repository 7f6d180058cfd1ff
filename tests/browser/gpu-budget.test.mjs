// What one picture costs on the GPU tier, whatever the adapter's speed: launches, uploads, reads, buffers.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addSupports, analyseInSession, openSession } from "./actions.mjs";
import { tinyPicture } from "./fixtures.mjs";
import { countGpu, gpuCounts } from "./gpu-counter.mjs";
import { SITE, launch, withPage } from "./harness.mjs";

/** Counts of what `work` did. */
async function during(page, work) {
  const before = await gpuCounts(page);
  await work();
  const after = await gpuCounts(page);
  return Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - before[name]]));
}

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** A frozen block of the tower. */
const DISPATCHES_A_BLOCK = 7;
/** Patch embedding, the norm before the blocks, and the four levels put together to be read: plain operations. */
const DISPATCHES_BESIDE_BLOCKS = 18;
/** Everything of one picture: adapters, projection and comparison too, which are plain operations. */
const DISPATCHES = { zero: 206, few: 318 };
/** Tries until nothing new is compiled or made: the first makes kernels, the next settle the memory pool. */
const WARM_UPS = 3;
const RUNS = 3;

/** What a warm picture costs, the same every time. */
async function warm(page, work) {
  for (let n = 0; n < WARM_UPS; n++) await work();
  const costs = [];
  for (let n = 0; n < RUNS; n++) costs.push(await during(page, work));
  for (const cost of costs) assert.deepEqual(cost, costs[0], "a warm picture costs the same every time");
  return costs[0];
}

function assertBudget(cost, dispatches) {
  assert.ok(cost.dispatches > 0, "the counter sees the work");
  assert.ok(cost.dispatches <= dispatches, `${cost.dispatches} dispatches, at most ${dispatches}`);
  const { uploads, reads, buffers, pipelines } = cost;
  assert.deepEqual({ uploads, reads, buffers, pipelines }, { uploads: 1, reads: 1, buffers: 0, pipelines: 0 });
}

test("the tower: seven dispatches a block, one upload, one read, no buffer", async () => {
  await withPage(browser, { prepare: countGpu }, async (page) => {
    await openSession(page, { device: "gpu" });
    const { vision, preprocess } = await (await page.request.get(new URL("models/tiny/manifest.json", SITE).href)).json();
    const length = 3 * preprocess.size_px ** 2;
    const tokens = () => page.evaluate(async (n) => void (await globalThis.session.tokens(new Float32Array(n))), length);
    assertBudget(await warm(page, tokens), DISPATCHES_A_BLOCK * vision.layers + DISPATCHES_BESIDE_BLOCKS);
  });
});

for (const mode of ["zero", "few"]) {
  test(`a whole picture, ${mode}-shot: one upload, one read, no buffer`, async () => {
    await withPage(browser, { prepare: countGpu }, async (page) => {
      await openSession(page, { device: "gpu" });
      if (mode === "few") await addSupports(page, [tinyPicture("support_0.png"), tinyPicture("support_1.png")]);
      const options = { object: "chest", mode, augment: "none", window: "pil" };
      const analyse = () => analyseInSession(page, tinyPicture("input_rgb.png"), options);
      assertBudget(await warm(page, analyse), DISPATCHES[mode]);
    });
  });
}
