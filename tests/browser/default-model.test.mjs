// The model that comes with the site, on real slices, on both tiers.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  DEFAULT, addSupports, analyse, analyseInSession, canvasColours, chooseMode, giveFiles, maskPixels, openReady,
  openSession,
} from "./actions.mjs";
import { mask, maxDifference, slice } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

/** The tumour of one volume, with normal slices of the other to compare with. */
const PICTURE = "brain1_016";
const REFERENCES = ["brain2_001", "brain2_004", "brain2_012", "brain2_015"];
/** Sums of four cosine distances, computed in another order on the other tier. */
const TIERS_DIFFER_AT_MOST = 5e-3;
const OPTIONS = { object: "brain", mode: "few", augment: "none" };

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** Chance that a labelled pixel has a higher value than an unlabelled one. */
function areaUnderCurve(values, labels) {
  const order = Array.from(values.keys()).sort((a, b) => values[a] - values[b]);
  let positives = 0;
  let ranks = 0;
  order.forEach((index, rank) => {
    if (labels[index]) {
      positives += 1;
      ranks += rank + 1;
    }
  });
  const negatives = values.length - positives;
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}

test("on the CPU tier a labelled lesion stands out from four normal slices", async () => {
  await withPage(browser, {}, async (page, record) => {
    const info = await openSession(page, { model: DEFAULT, device: "cpu" });
    assert.equal(info.device.tier, "cpu");
    assert.ok(info.weightBytes > 0);
    assert.equal(info.zeroShot || Boolean(info.zeroShotReason), true, "a mode that is missing has a reason");
    const loaded = record.requests.length;
    await addSupports(page, REFERENCES.map(slice));
    const result = await analyseInSession(page, slice(PICTURE), OPTIONS);
    assert.equal(result.map.length, result.size ** 2);
    assert.ok(result.map.every(Number.isFinite));
    assert.equal(result.supportScores?.length, REFERENCES.length);
    const labels = await maskPixels(page, mask(PICTURE), result.size);
    assert.ok(labels.filter(Boolean).length > 50, "the mask holds a lesion");
    const area = areaUnderCurve(result.map, labels);
    // The baseline outside this program has 0.94 over the volume; a mirrored or shuffled map has about 0.5.
    assert.ok(area > 0.8, `area under the curve ${area}`);
    assert.deepEqual(record.network(loaded), [], "requests after loading");
  });
});

test("the page comes to a map with the default model", async () => {
  await withPage(browser, {}, async (page) => {
    await openReady(page, { device: "cpu" }, 300_000);
    await page.getByTestId("object-select").selectOption("brain");
    await chooseMode(page, "few");
    await giveFiles(page, "support-input", REFERENCES.map(slice));
    await page.getByTestId("support-item").nth(REFERENCES.length - 1).waitFor();
    await giveFiles(page, "file-input", slice(PICTURE));
    assert.match(await analyse(page, 300_000), /\d/);
    assert.ok((await canvasColours(page, "overlay-canvas")) > 16);
  });
});

const skip = process.env.MVFA_SKIP_SLOW ? "MVFA_SKIP_SLOW is set; minutes on a software adapter" : false;
test("the GPU tier gives the CPU tier's map", { skip }, async () => {
  const onTier = async (device) => {
    let map;
    await withPage(browser, {}, async (page) => {
      page.setDefaultTimeout(600_000);
      const info = await openSession(page, { model: DEFAULT, device });
      assert.match(info.device.tier, device === "cpu" ? /^cpu$/ : /^gpu/);
      // One reference: every picture takes a minute on a software adapter.
      await addSupports(page, [slice(REFERENCES[0])]);
      ({ map } = await analyseInSession(page, slice(PICTURE), OPTIONS));
    });
    return map;
  };
  const difference = maxDifference(await onTier("gpu"), await onTier("cpu"));
  assert.ok(difference <= TIERS_DIFFER_AT_MOST, `the tiers differ by ${difference}`);
});
