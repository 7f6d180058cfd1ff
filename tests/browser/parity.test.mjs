// The tiny model in the browser gives the golden values on both tiers.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { addSupports, analyseInSession, openSession, sessionError } from "./actions.mjs";
import { golden, maxDifference, tinyPicture } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

/** Largest allowed difference of a map, about ten times what two f32 programs differ by. */
const LIMIT = { cpu: 5e-5, gpu: 1e-3 };
/** The golden maps use this object's words. */
const OBJECT = "chest";
/** `pil` is how the golden values read the 16-bit picture; the others have 8 bits. */
const PICTURES = [
  ["image0", "input_rgb.png"],
  ["image1", "input_grey.png"],
  ["image2", "input_grey16.png"],
];
const SUPPORTS = [tinyPicture("support_0.png"), tinyPicture("support_1.png")];

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

for (const device of ["cpu", "gpu"]) {
  describe(`on the ${device} tier`, () => {
    test("zero-shot maps equal S0", async () => {
      await withPage(browser, {}, async (page, record) => {
        const info = await openSession(page, { device });
        assert.match(info.device.tier, device === "cpu" ? /^cpu$/ : /^gpu/);
        assert.ok(info.device.reason.length > 0, "the tier has a reason");
        const loaded = record.requests.length;
        for (const [name, file] of PICTURES) {
          const result = await analyseInSession(page, tinyPicture(file), { object: OBJECT, mode: "zero", window: "pil" });
          const difference = maxDifference(result.map, golden(`${name}.S0`));
          assert.ok(difference <= LIMIT[device], `${file}: S0 differs by ${difference}`);
          assert.equal(result.size, 70);
          assert.equal(result.mode, "zero");
          assert.equal(result.memory, null);
        }
        assert.deepEqual(record.network(loaded), [], "requests after loading");
      });
    });

    test("few-shot maps equal Sm", async () => {
      await withPage(browser, {}, async (page, record) => {
        await openSession(page, { device });
        const loaded = record.requests.length;
        await addSupports(page, SUPPORTS);
        for (const [name, file] of PICTURES) {
          const options = { object: OBJECT, mode: "few", augment: "mvfa", window: "pil" };
          const result = await analyseInSession(page, tinyPicture(file), options);
          const memory = maxDifference(result.memory, golden(`${name}.Sm`));
          assert.ok(memory <= LIMIT[device], `${file}: Sm differs by ${memory}`);
          const zero = maxDifference(result.zero, golden(`${name}.S0`));
          assert.ok(zero <= LIMIT[device], `${file}: S0 differs by ${zero}`);
          assert.equal(result.supportScores?.length, SUPPORTS.length);
        }
        assert.deepEqual(record.network(loaded), [], "requests after loading");
      });
    });
  });
}

// Matrix kernels for a GPU have failed from some 500 rows on (the default model's own test has 290 tokens). The CPU
// tier keeps narrow weights as they are, and multiplies bytes as bytes where that is faster.
for (const [what, name, side] of [["577 tokens", "tiny-336", 336], ["f16", "tiny-f16", 70], ["i8", "tiny-i8", 70]]) {
  test(`${what}: the GPU tier gives the CPU tier's maps`, () => compareTiers(what, `/models/${name}/manifest.json`, side));
}

async function compareTiers(what, model, side) {
  const onTier = async (device) => {
    let result;
    await withPage(browser, {}, async (page) => {
      const info = await openSession(page, { model, device });
      assert.match(info.device.tier, device === "cpu" ? /^cpu$/ : /^gpu/, info.device.reason);
      await addSupports(page, SUPPORTS.slice(0, 1));
      const options = { object: OBJECT, mode: "few", augment: "none" };
      result = await analyseInSession(page, tinyPicture("input_rgb.png"), options);
    });
    return result;
  };
  const [cpu, gpu] = [await onTier("cpu"), await onTier("gpu")];
  for (const name of ["zero", "memory"]) {
    assert.equal(cpu[name].length, side ** 2);
    assert.ok(Math.max(...cpu[name]) - Math.min(...cpu[name]) > 100 * LIMIT.gpu, `${name} is a map`);
    const difference = maxDifference(gpu[name], cpu[name]);
    console.log(`${what}, ${name}: the tiers differ by ${difference.toExponential(1)}`);
    assert.ok(difference <= LIMIT.gpu, `${name}: the tiers differ by ${difference}`);
  }
}

test("the same picture twice gives the same map", async () => {
  await withPage(browser, {}, async (page) => {
    await openSession(page, { device: "cpu" });
    const options = { object: OBJECT, mode: "zero" };
    const first = await analyseInSession(page, tinyPicture("input_rgb.png"), options);
    const second = await analyseInSession(page, tinyPicture("input_rgb.png"), options);
    assert.deepEqual(second.map, first.map);
    assert.equal(second.score, first.score);
  });
});

test("wrong use is an error with a name, and the session goes on", async () => {
  await withPage(browser, {}, async (page) => {
    await openSession(page, { device: "cpu" });
    const picture = tinyPicture("input_rgb.png");
    const wrong = [
      { object: OBJECT, mode: "few" },
      { object: "no such object", mode: "zero" },
      { object: OBJECT, mode: "other" },
    ];
    for (const options of wrong) {
      const error = await sessionError(page, picture, options);
      assert.equal(error?.name, "UsageError", JSON.stringify(options));
      assert.ok(error.message.length > 20, error.message);
    }
    const result = await analyseInSession(page, picture, { object: OBJECT, mode: "zero" });
    assert.ok(maxDifference(result.map, golden("image0.S0")) <= LIMIT.cpu);
  });
});
