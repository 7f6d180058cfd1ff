// The workspace as a file and back: settings, results, and what the model made of the normal images.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { analyse, chooseMode, errorText, giveFiles, openReady, waitForError, waitForState } from "./actions.mjs";
import { slice } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

const LOAD_MS = 120_000;
const NORMALS = ["brain2_014", "brain2_015", "brain2_016"];
const PICTURES = ["brain1_009", "brain1_016"];

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

const score = (page) => page.getByTestId("score").first().getAttribute("data-value");

/** Two slices beside three normal ones, analysed. */
async function work(page) {
  await openReady(page, { device: "cpu" }, LOAD_MS);
  await page.getByTestId("object-select").selectOption("brain");
  await chooseMode(page, "few");
  await giveFiles(page, "support-input", NORMALS.map(slice));
  await page.getByTestId("support-item").nth(NORMALS.length - 1).waitFor();
  await giveFiles(page, "file-input", PICTURES.map(slice));
  await page.getByTestId("analyse-all").click();
  await waitForState(page, "done", LOAD_MS);
}

/** @returns {Promise<string>} the path of the file */
async function saved(page, { images = false } = {}) {
  if (images) await page.getByTestId("workspace-images").check();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("workspace-save").click()]);
  const path = join(tmpdir(), `${Math.random().toString(36).slice(2)}.mvfa`);
  await download.saveAs(path);
  assert.match(download.suggestedFilename(), /^workspace-\d{4}-\d\d-\d\d\.mvfa$/);
  return path;
}

for (const images of [false, true]) {
  test(`a workspace comes back in another tab ${images ? "with" : "without"} its images`, async () => {
    let path = "";
    const before = [];
    await withPage(browser, {}, async (page) => {
      await work(page);
      for (let n = 0; n < PICTURES.length; n += 1) {
        await page.getByTestId("strip-item").nth(n).click();
        before.push(await score(page));
      }
      path = await saved(page, { images });
    });
    const content = await readFile(path);
    for (const name of [...NORMALS, ...PICTURES]) assert.ok(!content.includes(name), `no file's name without its box ticked: ${name}`);

    await withPage(browser, {}, async (page, record) => {
      await openReady(page, { device: "cpu" }, LOAD_MS);
      const loaded = record.requests.length;
      await giveFiles(page, "file-input", path);
      await page.getByTestId("strip-item").nth(PICTURES.length - 1).waitFor();
      await waitForState(page, "done", LOAD_MS);
      assert.equal(await page.getByTestId("support-item").count(), NORMALS.length);
      await page.waitForFunction(() => [...document.querySelectorAll("[data-testid=support-item]")].every((tile) => tile.dataset.state === "ready"));
      for (let n = 0; n < PICTURES.length; n += 1) {
        await page.getByTestId("strip-item").nth(n).click();
        assert.equal(await score(page), before[n]);
      }
      assert.equal(await page.locator("#stale").isVisible(), false, "settings and normal images are those of the results");
      // A new image beside the remembered ones has the score that it had beside their pictures.
      await giveFiles(page, "file-input", slice(PICTURES[0]));
      await page.getByTestId("strip-item").nth(PICTURES.length).click();
      await analyse(page, LOAD_MS);
      assert.equal(await score(page), before[0]);
      if (images) {
        await page.getByTestId("strip-item").nth(1).click();
        await chooseMode(page, "self");
        await analyse(page, LOAD_MS);
        assert.notEqual(await score(page), before[1]);
      } else {
        await page.getByTestId("strip-item").nth(1).click();
        await chooseMode(page, "self");
        assert.equal(await page.getByTestId("analyse").isDisabled(), true, "there is no image to analyse");
      }
      assert.deepEqual(record.network(loaded), [], "requests after loading");
    });
  });
}

test("files that are no workspace, cut ones and those of another model change nothing", async () => {
  await withPage(browser, {}, async (page) => {
    await work(page);
    const kept = await score(page);
    const whole = await readFile(await saved(page));
    const headerBytes = Number(whole.readBigUInt64LE(0));
    const altered = (change) => {
      const header = JSON.parse(whole.subarray(8, 8 + headerBytes).toString());
      const about = JSON.parse(header.__metadata__.workspace);
      change(header, about);
      header.__metadata__.workspace = JSON.stringify(about);
      const text = Buffer.from(JSON.stringify(header));
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(text.length));
      return Buffer.concat([length, text, whole.subarray(8 + headerBytes)]);
    };
    const cases = [
      ["empty", Buffer.alloc(0), /no workspace/],
      ["a picture", await readFile(slice("brain1_016")), /no workspace/],
      ["cut in its header", whole.subarray(0, 100), /no workspace/],
      ["cut in its numbers", whole.subarray(0, whole.length - 1000), /missing or cut/],
      ["of another model", altered((_, about) => (about.model.name = "Another model")), /made with the model Another model/],
      ["of another version", altered((header) => (header.__metadata__.format = "MVFA Web workspace 9")), /expected/],
      ["without a part", altered((header) => delete header["normal.1.brightness"]), /missing or cut/],
      ["with a part beyond the end", altered((header) => (header["image.0.map.0"].data_offsets = [0, 1e12])), /missing or cut/],
    ];
    for (const [what, bytes, reason] of cases) {
      const path = join(tmpdir(), `${Math.random().toString(36).slice(2)}.mvfa`);
      await writeFile(path, bytes);
      await giveFiles(page, "file-input", path);
      const text = await waitForError(page);
      assert.match(text, reason, what);
      await page.keyboard.press("Escape");
      await page.waitForFunction(() => !document.querySelector("[data-testid=error]")?.checkVisibility());
      assert.equal(await score(page), kept, what);
      assert.equal(await page.getByTestId("support-item").count(), NORMALS.length, what);
      assert.equal(await page.getByTestId("strip-item").count(), PICTURES.length, what);
    }
    assert.equal(await errorText(page), "");
  });
});
