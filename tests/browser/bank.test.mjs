// A smaller memory of the normal images: what it changes, that it can be taken back, and who is told.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { DEFAULT, addSupports, analyse, analyseInSession, chooseMode, giveFiles, openReady, openSession } from "./actions.mjs";
import { maxDifference, slice } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

const PICTURE = slice("brain1_016");
/** Four hold 1160 patches a level: as many as the larger choice, four times the smaller one. */
const REFERENCES = ["brain2_001", "brain2_004", "brain2_012", "brain2_015"].map(slice);
/** Least correlation of the maps with 290 rows and with all; 100 rows come to .85. */
const ALIKE = 0.95;

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

/** How alike two maps are, whatever their scale: the correlation. */
function likeness(a, b) {
  const centred = (map) => {
    const mean = map.reduce((sum, value) => sum + value, 0) / map.length;
    return map.map((value) => value - mean);
  };
  const [left, right] = [centred(a), centred(b)];
  const product = (x, y) => x.reduce((sum, value, n) => sum + value * y[n], 0);
  return product(left, right) / Math.sqrt(product(left, left) * product(right, right));
}

test("the map of a smaller memory is another but near; where everything fits, it is the same", async () => {
  await withPage(browser, {}, async (page) => {
    await openSession(page, { model: DEFAULT, device: "cpu" });
    await addSupports(page, REFERENCES);
    const mapWith = async (bankRows) =>
      (await analyseInSession(page, PICTURE, { object: "brain", mode: "few", augment: "none", bankRows })).overlay;
    const whole = await mapWith(undefined);
    assert.equal(maxDifference(await mapWith(1160), whole), 0, "four images fit");
    const small = await mapWith(290);
    assert.ok(maxDifference(small, whole) > 0.01, "four images do not fit");
    const alike = likeness(small, whole);
    assert.ok(alike > ALIKE, `the maps are alike by ${alike}`);
    assert.equal(maxDifference(await mapWith(undefined), whole), 0, "everything again");
  });
});

/** What the saved report says of the only picture. */
async function reported(page) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("download-report").click()]);
  const { images } = JSON.parse(readFileSync(await download.path(), "utf8"));
  assert.equal(images.length, 1);
  return images[0];
}

/** The part of a report's entry that the memory decides. */
const found = ({ score, normalScores, map }) => ({ score, normalScores, map });

/** Chooses a memory, sees the result marked as older, analyses again and returns the report's entry. */
async function analyseWith(page, choice) {
  const { bankRows } = await reported(page);
  await page.getByTestId("bank-rows-select").selectOption(choice);
  await page.locator("#stale").waitFor({ state: "visible" });
  const stale = await reported(page);
  assert.equal(stale.madeWithOlderSettings, true);
  assert.equal(stale.bankRows, bankRows, "the report tells how the result was made, not what was chosen since");
  await analyse(page, 300_000);
  await page.locator("#stale").waitFor({ state: "hidden" });
  return reported(page);
}

test("the page's choice reaches the result and the report, and can be taken back", async () => {
  await withPage(browser, {}, async (page) => {
    await openReady(page, { model: DEFAULT, device: "cpu" }, 300_000);
    await page.getByTestId("object-select").selectOption("brain");
    await chooseMode(page, "few");
    const select = page.getByTestId("bank-rows-select");
    const cost = page.locator("#bank-rows-hint");
    assert.equal(await select.inputValue(), "all", "the most exact one unless chosen otherwise");
    assert.match(await page.locator("#bank-rows").getAttribute("title"), /\.880.*\.870.*\.851/, "the tooltip tells the loss");
    await giveFiles(page, "support-input", REFERENCES);
    await page.getByTestId("support-item").nth(3).waitFor();
    await giveFiles(page, "file-input", PICTURE);
    await analyse(page, 300_000);
    const whole = await reported(page);
    assert.equal(whole.bankRows, "all");
    assert.equal(await cost.isVisible(), false);

    const small = await analyseWith(page, "290");
    assert.equal(small.bankRows, 290);
    assert.match(await cost.innerText(), /\.851.*\.880/, "what it costs is on the page");
    // Fewer rows are never nearer.
    assert.ok(small.score > whole.score && small.score < 1.25 * whole.score, `${small.score} and ${whole.score}`);
    assert.notDeepEqual(small.normalScores, whole.normalScores);

    const fitting = await analyseWith(page, "1160");
    assert.equal(fitting.bankRows, 1160);
    assert.deepEqual(found(fitting), found(whole), "four images fit");

    assert.equal((await analyseWith(page, "290")).score, small.score);
    assert.deepEqual(found(await analyseWith(page, "all")), found(whole), "everything again");
  });
});

test("words need no memory: the choice is kept but cannot be used", async () => {
  await withPage(browser, {}, async (page) => {
    await openReady(page, { model: DEFAULT, device: "cpu" }, 300_000);
    const select = page.getByTestId("bank-rows-select");
    await select.selectOption("290");
    await chooseMode(page, "zero");
    await page.locator("#bank-rows-hint").waitFor({ state: "hidden" });
    assert.equal(await select.isDisabled(), true);
    await giveFiles(page, "file-input", PICTURE);
    await analyse(page, 300_000);
    assert.equal("bankRows" in (await reported(page)), false);
    await chooseMode(page, "few");
    await page.locator("#bank-rows-hint").waitFor({ state: "visible" });
    assert.equal(await select.isDisabled(), false);
    assert.equal(await select.inputValue(), "290");
  });
});
