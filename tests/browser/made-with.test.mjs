// Every setting that a result belongs to is named in what is saved: the report for programs, and the printed page.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { TINY, chooseMode, giveFiles, openReady, savedReport } from "./actions.mjs";
import { dicomFile, shorts } from "./dicom.mjs";
import { launch, withPage } from "./harness.mjs";
import { showState } from "./inside.mjs";

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

const SIDE = 64;
const series = Array.from({ length: 6 }, (_, n) => ({
  name: `${n}.dcm`, mimeType: "application/dicom",
  buffer: dicomFile({ width: SIDE, height: SIDE, z: 2 * n, instance: n + 1, pixels: shorts(Array.from({ length: SIDE * SIDE }, (_x, i) => 900 + ((i % SIDE) * (7 + n) + Math.floor(i / SIDE) * 5) % 300)) }),
}));
/** Another value of each setting that is a choice. */
const OTHER = { mode: "batch", method: "self", axis: "middle", augment: "none" };
/** What is in no key of this result, as others have it. */
const RARE = { method: "components", peers: [1], words: { organ: "Brain", normal: ["flawless {}"], abnormal: ["damaged {}"], contrast: [] }, leaveOut: [{ x: 1, y: 2, width: 3, height: 4 }] };

/** Slices beside the two nearest of three normal ones, left beside right, along a line that is looked for. */
async function work(page) {
  await openReady(page, { model: TINY, device: "cpu" });
  await page.getByTestId("object-select").selectOption("brain");
  await chooseMode(page, "few");
  await giveFiles(page, "file-input", series);
  await page.getByTestId("stack-bar").waitFor();
  await page.getByTestId("slices-title").click();
  await page.getByTestId("slices-to").fill("3");
  await page.getByTestId("slices-normal").click();
  await page.waitForFunction(() => document.querySelectorAll("[data-testid=support-item][data-state=ready]").length === 3 && globalThis.pageState.shared);
  await page.evaluate(() => Object.assign(globalThis.pageState.settings, { nearest: 2, bilateral: true, axis: "found", bankRows: 290 }));
  await page.getByTestId("analyse").click();
  await page.waitForFunction(() => document.getElementById("main").dataset.state === "done");
}

async function sheetText(page) {
  await page.emulateMedia({ media: "print" });
  await page.getByTestId("sheet-picture").waitFor({ state: "visible" });
  const text = await page.getByTestId("sheet").innerText();
  await page.emulateMedia({ media: "screen" });
  await page.waitForFunction(() => document.getElementById("sheet").childElementCount === 0);
  return text;
}

test("the report, the printed page and the page as a file say how left and right, and which slices, were compared", async () => {
  await withPage(browser, { prepare: showState }, async (page) => {
    await work(page);
    const { images: [one] } = await savedReport(page);
    assert.deepEqual([one.leftComparedWithRight, one.lineBetweenSides, one.nearestNormalSlices, one.bankRows], [true, "found", 2, 290]);
    assert.deepEqual(one.comparedWithNormals, ["Normal image 1", "Normal image 2", "Normal image 3"]);
    const text = await sheetText(page);
    await page.getByTestId("export-kind").selectOption("page");
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("export-save").click()]);
    const html = readFileSync(await download.path(), "utf8");
    for (const words of ["compared, too", "looked for in the image", "the 2 slices nearest to each", "290", "-123 … 174, one for several images"]) {
      assert.ok(text.includes(words), `${words} in ${text}`);
      assert.ok(html.includes(words), `${words} in the file`);
    }
  });
});

test("no setting of a result is left out: each, changed, changes the report and the printed page", async () => {
  await withPage(browser, { prepare: showState }, async (page) => {
    await work(page);
    const made = await page.evaluate(() => {
      const { images, currentId } = globalThis.pageState;
      return JSON.parse(images.find(({ id }) => id === currentId).resultKey);
    });
    for (const name of ["nearest", "axis", "bilateral", "bankRows", "window"]) assert.ok(made[name], `${name} is set in this test`);
    const whole = { ...made, ...RARE };
    const described = await page.evaluate(async () => (await import("/web/ui/made-with.js")).DESCRIBED);
    assert.deepEqual(described.filter((name) => !(name in whole)), [], "this test has a value for every setting that there is");
    const give = (key) => page.evaluate((text) => {
      const { images, currentId } = globalThis.pageState;
      images.find(({ id }) => id === currentId).resultKey = text;
      globalThis.pageChanged();
    }, JSON.stringify(key));
    const said = async () => {
      const { images: [one] } = await savedReport(page);
      delete one.madeWithOlderSettings;
      return { report: JSON.stringify(one), sheet: await sheetText(page) };
    };
    await give(whole);
    const before = await said();
    for (const [name, value] of Object.entries(whole)) {
      const other = OTHER[name] ?? (Array.isArray(value) ? (typeof value[0] === "number" ? [...value, value[0]] : [...value, { ...value[0], x: 9 }]) : typeof value === "boolean" ? !value : typeof value === "number" ? value + 1 : typeof value === "string" ? `${value}x` : { ...value, organ: "Other" });
      await give({ ...whole, [name]: other });
      const after = await said();
      for (const where of ["report", "sheet"]) assert.notEqual(after[where], before[where], `the ${where} does not name ${name}`);
    }
  });
});
