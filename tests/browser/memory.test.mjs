// The program's memory: what loading takes at most, and that work does not make it grow.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DEFAULT, TINY, addSupports, analyseInSession, openSession } from "./actions.mjs";
import { tinyPicture } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

const MEBIBYTE = 2 ** 20;
/** One file of 16 MiB, its tensors on their way, and what small things need. */
const LOADING_AT_MOST = 40 * MEBIBYTE;
const ANALYSES = 50;
const GROWTH_AT_MOST = 0.05;

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const memory = (page) => page.evaluate(() => globalThis.session.memory());

test("loading the default model on the CPU tier takes little more than its weights", async () => {
  await withPage(browser, {}, async (page) => {
    const info = await openSession(page, { model: DEFAULT, device: "cpu" });
    const { heapBytes, idleBytes } = await memory(page);
    assert.ok(idleBytes > 0);
    // Held as stored, in 16-bit floats.
    const { weightBytes } = info;
    assert.ok(heapBytes - idleBytes >= 0.9 * weightBytes, "the weights are in it");
    assert.ok(heapBytes - idleBytes <= 1.1 * weightBytes + LOADING_AT_MOST, `${heapBytes - idleBytes} of ${weightBytes}`);
  });
});

test("loading the default model on the GPU tier leaves the weights to the device", async () => {
  // Without the self-test, which is a whole picture: a minute on a software adapter.
  const prepare = (context) =>
    context.route(`**${DEFAULT}`, async (route) => {
      const { self_test: _, ...manifest } = await (await route.fetch()).json();
      await route.fulfill({ json: manifest });
    });
  await withPage(browser, { prepare }, async (page) => {
    const info = await openSession(page, { model: DEFAULT, device: "gpu" });
    assert.match(info.device.tier, /^gpu/);
    const { heapBytes, idleBytes } = await memory(page);
    assert.ok(LOADING_AT_MOST < info.weightBytes, "the limit is below what the weights would need");
    assert.ok(heapBytes - idleBytes <= LOADING_AT_MOST, `${heapBytes - idleBytes}`);
  });
});

for (const device of ["cpu", "gpu"]) {
  test(`${ANALYSES} analyses on the ${device} tier leave the memory as it was`, async () => {
    await withPage(browser, {}, async (page) => {
      page.setDefaultTimeout(0);
      await openSession(page, { model: TINY, device });
      await addSupports(page, [tinyPicture("support_0.png"), tinyPicture("support_1.png")]);
      const options = { object: "chest", mode: "few", augment: "none", window: "pil" };
      const analyse = () => analyseInSession(page, tinyPicture("input_rgb.png"), options);
      // The first makes room for the work itself.
      for (let n = 0; n < 3; n++) await analyse();
      const before = (await memory(page)).heapBytes;
      for (let n = 0; n < ANALYSES; n++) await analyse();
      const after = (await memory(page)).heapBytes;
      assert.ok(after <= before * (1 + GROWTH_AT_MOST), `${before} bytes before, ${after} after`);
    });
  });
}
