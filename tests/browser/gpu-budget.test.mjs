// What one picture costs on the GPU tier, whatever the adapter's speed: launches, uploads, reads, buffers.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TINY, addSupports, analyseInSession, openSession } from "./actions.mjs";
import { tinyPicture } from "./fixtures.mjs";
import { countGpu, gpuCounts } from "./gpu-counter.mjs";
import { SMALL, formulaBundle } from "./formula-bundle.mjs";
import { launch, withPage } from "./harness.mjs";

/** Counts of what `work` did. */
async function during(page, work) {
  const before = await gpuCounts(page);
  await work();
  const after = await gpuCounts(page);
  return Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - before[name]]));
}

let browser;
let bundle;
before(async () => {
  browser = await launch();
  bundle = formulaBundle("small-test", SMALL, LAYERS);
});
after(async () => {
  bundle?.remove();
  await browser?.close();
});

/** Blocks of the model below; each ends a level. */
const LAYERS = 4;
/** A frozen block of the tower. */
const DISPATCHES_A_BLOCK = 7;
/** Patches cut, embedded and normed; then the levels put together to be read. */
const DISPATCHES_BESIDE_BLOCKS = 7;
/**
 * Everything of one picture. The tower (31); two adapters a level, of two layers each, whose
 * second is left out after the last level (14); and for each level and
 * bank its patches cut out, made unit rows, compared with words, and put together to be read (32); with references
 * the comparison with each, the references' own words, and the first level's tokens put together to be read, for the
 * comparison with the references as wholes (1).
 */
const DISPATCHES = { zero: 77, few: 118 };
/** Tries until nothing new is compiled or made: the first makes kernels, the next settle the memory pool, beside the features of the picture before. */
const WARM_UPS = 4;
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
    await openSession(page, { model: bundle.model, device: "gpu" });
    const length = 3 * SMALL.image_px ** 2;
    const tokens = () => page.evaluate(async (n) => void (await globalThis.session.tokens(new Float32Array(n))), length);
    assertBudget(await warm(page, tokens), DISPATCHES_A_BLOCK * LAYERS + DISPATCHES_BESIDE_BLOCKS);
  });
});

for (const mode of ["zero", "few"]) {
  test(`a whole picture, ${mode}-shot: one upload, one read, no buffer`, async () => {
    await withPage(browser, { prepare: countGpu }, async (page) => {
      await openSession(page, { model: bundle.model, device: "gpu" });
      if (mode === "few") await addSupports(page, [tinyPicture("support_0.png"), tinyPicture("support_1.png")]);
      const options = { object: "any", mode, augment: "none", window: "pil" };
      // Another picture each time: one that was compared with words is not encoded again.
      let count = 0;
      const analyse = () => analyseInSession(page, tinyPicture(["input_rgb.png", "input_grey.png"][count++ % 2]), options);
      assertBudget(await warm(page, analyse), DISPATCHES[mode]);
    });
  });
}

test("the self-test warms the device: pictures compile nothing", async () => {
  await withPage(browser, { prepare: countGpu }, async (page) => {
    // The bundle above has no self-test. This model's adapters are filled up with zeros, and cut to their width.
    await openSession(page, { model: TINY, device: "gpu" });
    await addSupports(page, [tinyPicture("support_0.png")]);
    for (const mode of ["zero", "few"]) {
      const options = { object: "chest", mode, augment: "none", window: "pil" };
      const { pipelines } = await during(page, () => analyseInSession(page, tinyPicture("input_rgb.png"), options));
      assert.equal(pipelines, 0, mode);
    }
  });
});
