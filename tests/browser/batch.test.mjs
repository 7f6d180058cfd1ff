// Nothing drops out of a batch: unreadable files, folders of several people, what is done already, what would be lost.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { TINY, analyse, chooseMode, errorText, giveFiles, openReady, savedReport, startAnalysis, waitForState } from "./actions.mjs";
import { brokenPictures, greyPng, slice, tinyPicture } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

const GOOD = ["input_rgb.png", "input_grey.png", "input_grey16.png", "support_0.png", "support_1.png"].map(tinyPicture);

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

/** The small model with words, ready for any image. */
async function ready(page) {
  await openReady(page, { model: TINY, device: "cpu" });
  await page.getByTestId("object-select").selectOption("brain");
  await chooseMode(page, "zero");
}

const asPng = (file) => ({ name: basename(file), mimeType: "image/png", buffer: readFileSync(file) });
const status = (page) => page.locator("#status").innerText();
const strip = (page) => page.getByTestId("strip-item");
const all = (page) => page.getByTestId("analyse-all");

/** Waits until every image was opened or refused. */
const opened = (page) =>
  page.waitForFunction(() => [...document.querySelectorAll("[data-testid=strip-item]")].every((item) => item.dataset.state !== "reading"));

/** A folder with the given files, deleted afterwards. @param {Record<string, string | Buffer>} files path -> content */
async function withFolder(files, work) {
  const root = mkdtempSync(join(tmpdir(), "mvfa-batch-"));
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
    await work(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

test("unreadable files keep their place and their reason: strip, message, end of the run, report", async () => {
  await withPage(browser, {}, async (page) => {
    await ready(page);
    await giveFiles(page, "file-input", [...GOOD.map(asPng), ...brokenPictures()]);
    await strip(page).nth(8).waitFor();
    await opened(page);
    await page.getByText("4 files could not be read.").waitFor();
    assert.equal(await page.getByTestId("error").count(), 1, "one message, not four");

    await all(page).click();
    await page.waitForFunction(() => /analysed/.test(document.querySelector("#status").textContent));
    assert.match(await status(page), /^5 images analysed in [\d.]+ s, 4 could not be read\.$/);
    assert.equal(await errorText(page), "");
    const lost = page.locator("[data-testid=strip-item][data-state=error]");
    assert.equal(await lost.count(), 4);
    const reasons = await lost.allInnerTexts();
    assert.ok(reasons.some((text) => /not readable:.*text file/s.test(text)), reasons.join());

    const { counts, images, unreadable } = await savedReport(page);
    assert.deepEqual(counts, { images: 9, analysed: 5, unreadable: 4, notAnalysed: 0 });
    assert.equal(images.length, 5);
    assert.equal(unreadable.length, 4);
    assert.ok(unreadable.every(({ label, reason }) => /^Image \d$/.test(label) && reason.length > 10));
    assert.ok(unreadable.some(({ reason }) => /cut off/.test(reason)));
    assert.doesNotMatch(JSON.stringify(unreadable), /cut\.png/, "names only when asked for");
    await page.locator("#report-names").check();
    assert.match(JSON.stringify((await savedReport(page)).unreadable), /cut\.png/);
    // The number in the report is the one in the strip.
    const named = (await savedReport(page)).unreadable.find(({ fileName }) => fileName === "cut.png");
    assert.match(await strip(page).filter({ hasText: "cut" }).first().innerText(), new RegExp(`^${named.label.slice("Image ".length)} cut`));
  });
});

test("normal images that cannot be read are told of in one sentence that a colon holds together", async () => {
  await withPage(browser, {}, async (page) => {
    await ready(page);
    const [words, cut] = brokenPictures();
    await giveFiles(page, "support-input", [words]);
    await page.getByText("words.png was not added to the normal images: it is a text file").waitFor();
    await giveFiles(page, "support-input", [cut]);
    await page.getByText("2 files were not added to the normal images, because they could not be read: words.png, cut.png.").waitFor();
    assert.equal(await page.getByTestId("error").count(), 1);
  });
});

test("many messages come to one line, and go together", async () => {
  await withPage(browser, {}, async (page) => {
    await ready(page);
    const [words, cut] = brokenPictures();
    await giveFiles(page, "file-input", [words, cut]);
    await page.getByTestId("error").first().waitFor();
    await giveFiles(page, "support-input", [cut]);
    await page.getByTestId("error").nth(1).waitFor();
    await giveFiles(page, "support-input", [GOOD[3], GOOD[3]]);
    await page.getByTestId("notice").first().waitFor();
    await giveFiles(page, "file-input", { name: ".hidden", mimeType: "image/png", buffer: Buffer.alloc(4) });
    await page.getByText("There is no picture in it. Choose PNG, JPEG, WebP, BMP, TIFF, DICOM, NIfTI, NRRD or MetaImage files.").waitFor();
    await page.getByText("1 earlier message is not shown.").waitFor();
    await page.getByTestId("dismiss-all").click();
    await page.waitForFunction(() => document.querySelectorAll("#messages *").length === 0);
    assert.equal(await strip(page).count(), 2, "messages go, files stay");
  });
});

/** Two people, files of the same names, numbers that are not in the order of their letters, a name without ending. */
const PEOPLE = Object.fromEntries(
  ["patient A/series 1/IM00001.png", "patient A/series 2/IM00001.png", "patient A/series 10/IM00001.png", "patient B/series 1/slice10.png",
    "patient B/series 1/slice2.png", "patient B/series 1/IM.00012"].map((path, n) => [path, greyPng("", 64, 64, (x, y) => (x * n + y) % 256).buffer]),
);
const ORDER = ["patient A/series 1/IM00001.png", "patient A/series 2/IM00001.png", "patient A/series 10/IM00001.png", "patient B/series 1/IM.00012",
  "patient B/series 1/slice2.png", "patient B/series 1/slice10.png"];

/** How the strip must look with them. @param {string} top the folder that was opened */
async function assertTold(page, top) {
  await strip(page).nth(5).waitFor();
  const tooltips = await strip(page).locator(".strip-pick").evaluateAll((buttons) => buttons.map((button) => button.title));
  assert.deepEqual(tooltips, ORDER.map((path) => top + path));
  const folders = await page.getByTestId("strip-folder").evaluateAll((lines) => lines.map((line) => line.title));
  assert.deepEqual(folders, ["patient A/series 1", "patient A/series 2", "patient A/series 10", "patient B/series 1"].map((path) => top + path));
  const lines = await page.locator("#strip-list > li").evaluateAll((all) => all.map((line) => line.dataset.testid));
  assert.deepEqual(lines.slice(0, 4), ["strip-folder", "strip-item", "strip-folder", "strip-item"], "a folder's name stands above its images");
  assert.match(await strip(page).nth(3).innerText(), /^4 IM\.00012\n/, "what follows a point is not always an ending");
}

test("folders of several people stay apart: order, groups, tooltips, report", async () => {
  await withPage(browser, {}, async (page) => {
    await withFolder(PEOPLE, async (root) => {
      await ready(page);
      await page.getByTestId("folder-input").setInputFiles(root);
      await assertTold(page, `${basename(root)}/`);
      await all(page).click();
      await waitForState(page, "done");
      assert.doesNotMatch(JSON.stringify(await savedReport(page)), /patient/, "folders can name people");
      await page.locator("#report-names").check();
      const report = await savedReport(page);
      assert.deepEqual(report.images.map(({ fileName }) => fileName), ORDER.map((path) => `${basename(root)}/${path}`));
      // Taking out the only image of a folder takes its name along.
      await strip(page).nth(1).hover();
      await strip(page).nth(1).locator(".strip-remove").click();
      await page.waitForFunction(() => document.querySelectorAll("[data-testid=strip-folder]").length === 3);
    });
  });
});

test("folders that are dropped stay apart too", async () => {
  await withPage(browser, {}, async (page) => {
    await withFolder(PEOPLE, async (root) => {
      await ready(page);
      const client = await page.context().newCDPSession(page);
      const data = { items: [], files: [join(root, "patient A"), join(root, "patient B")], dragOperationsMask: 1 };
      for (const type of ["dragEnter", "dragOver", "drop"]) await client.send("Input.dispatchDragEvent", { type, x: 600, y: 400, data });
      await assertTold(page, "");
    });
  });
});

test("analysing all goes on where it stopped, and says how many remain", async () => {
  await withPage(browser, {}, async (page) => {
    await ready(page);
    await giveFiles(page, "file-input", GOOD);
    await strip(page).nth(4).waitFor();
    assert.equal(await all(page).innerText(), "Analyse all 5");
    await analyse(page);
    assert.equal(await all(page).innerText(), "Analyse remaining 4");
    await all(page).click();
    await page.waitForFunction(() => /^4 images analysed in/.test(document.querySelector("#status").textContent));
    assert.equal(await all(page).innerText(), "All 5 analysed");
    assert.equal(await all(page).isDisabled(), true);
    await page.getByTestId("object-select").selectOption("chest");
    assert.equal(await all(page).innerText(), "Analyse all 5", "other settings, nothing is done yet");
  });
});

test("a run that is cancelled says how far it came", async () => {
  await withPage(browser, {}, async (page) => {
    await openReady(page, { device: "cpu" }, 300_000);
    await page.getByTestId("object-select").selectOption("brain");
    await giveFiles(page, "support-input", [slice("brain2_001")]);
    await giveFiles(page, "file-input", ["brain1_000", "brain1_002", "brain1_003", "brain1_005", "brain1_006", "brain1_008", "brain1_009", "brain1_016"].map(slice));
    await strip(page).nth(7).waitFor();
    await opened(page);
    await all(page).click();
    await page.locator("[data-testid=strip-item][data-state=done]").first().waitFor({ timeout: 60_000 });
    await page.getByTestId("cancel").click();
    await page.waitForFunction(() => /of 8 images analysed, then stopped/.test(document.querySelector("#status").textContent));
    const done = await page.locator("[data-testid=strip-item][data-state=done]").count();
    assert.ok(done > 0 && done < 8, `${done} done`);
    assert.match(await status(page), new RegExp(`^${done} of 8 images`));
    assert.equal(await all(page).innerText(), `Analyse remaining ${8 - done}`);
    assert.equal((await savedReport(page)).notAnalysed.length, 8 - done);
  });
});

/** Asks the page to close; the kind of question it asks, or null. */
async function questionOnLeaving(page) {
  let asked = null;
  page.once("dialog", async (dialog) => {
    asked = dialog.type();
    await dialog.dismiss();
  });
  await page.close({ runBeforeUnload: true });
  await page.waitForEvent("close", { timeout: 3_000 }).catch(() => {});
  return asked;
}

test("leaving asks where results would be lost, and only there", async () => {
  await withPage(browser, {}, async (page) => {
    await ready(page);
    await giveFiles(page, "file-input", GOOD[0]);
    await analyse(page);
    assert.equal(await questionOnLeaving(page), "beforeunload");
    assert.equal(page.isClosed(), false);
    assert.match(await page.getByTestId("score").innerText(), /\d/, "everything is still there");
  });
  await withPage(browser, {}, async (page) => {
    await ready(page);
    await page.locator("#mode-few").click();
    assert.equal(await questionOnLeaving(page), null, "nothing to lose");
    assert.equal(page.isClosed(), true);
  });
});

const normals = (page) => page.getByTestId("support-item").count();
const normalsAre = (page, count) =>
  page.waitForFunction((n) => document.querySelectorAll("[data-testid=support-item][data-state=ready]").length === n, count);

test("a sample sets one's own normal images aside, can be opened again, and its note goes with its settings", async () => {
  await withPage(browser, {}, async (page, record) => {
    await openReady(page, { device: "cpu" }, 300_000);
    await page.getByTestId("object-select").selectOption("lung");
    await giveFiles(page, "support-input", ["brain1_000", "brain1_002", "brain1_003", "brain1_005", "brain1_006", "brain1_008"].map(slice));
    await normalsAre(page, 6);
    const loaded = record.requests.length;
    await page.locator("[data-testid=sample][data-sample=brain-lesion]").click();
    await waitForState(page, "done", 300_000);
    assert.equal(await normals(page), 4);
    assert.equal(await page.getByTestId("object-select").inputValue(), "brain");
    const note = page.locator("#sample-note");
    assert.equal(await note.isVisible(), true);
    await page.getByTestId("object-select").selectOption("chest");
    assert.equal(await note.isVisible(), false, "it speaks of other settings");
    await analyse(page, 300_000);
    assert.equal(await note.isVisible(), false);
    await page.getByText("Your 6 normal images were set aside for this sample.").waitFor();
    await page.getByTestId("undo").click();
    await normalsAre(page, 6);
    assert.equal(await page.getByTestId("object-select").inputValue(), "lung", "with the settings they belong to");

    await page.getByTestId("samples-again").click();
    await page.locator("dialog [data-testid=sample][data-sample=lung-nodule]").click();
    await waitForState(page, "busy");
    await waitForState(page, "done", 300_000);
    assert.equal(await strip(page).count(), 2);
    assert.equal(await note.isVisible(), true);
    assert.equal(await page.getByTestId("undo").count(), 1);
    assert.deepEqual(record.network(loaded), [], "nothing was fetched");
    assert.equal(await page.locator("#requests-count").innerText(), "0");
    assert.equal(await questionOnLeaving(page), null, "a sample is there again with one click");
  });
});

test("removing all normal images can be taken back", async () => {
  await withPage(browser, {}, async (page) => {
    await ready(page);
    await chooseMode(page, "few");
    await giveFiles(page, "support-input", [GOOD[3], GOOD[4]]);
    await normalsAre(page, 2);
    await giveFiles(page, "file-input", GOOD[0]);
    await page.getByTestId("augment-select").selectOption("mvfa");
    const score = await analyse(page);
    await page.locator("#support-clear").click();
    await page.getByText("2 normal images removed.").waitFor();
    assert.equal(await normals(page), 0);
    await page.getByTestId("undo").click();
    await normalsAre(page, 2);
    assert.equal(await page.locator("#stale").isVisible(), false, "the same images in the same order");
    for (const augment of ["none", "mvfa"]) {
      await page.getByTestId("augment-select").selectOption(augment);
      await analyse(page);
    }
    assert.equal(await page.getByTestId("score").innerText(), score, "the engine has them again");
  });
});

/** A run that takes long enough to do something in it. */
async function longRun(page) {
  await openReady(page, { device: "cpu" }, 300_000);
  await page.getByTestId("object-select").selectOption("brain");
  await giveFiles(page, "support-input", ["brain2_001", "brain2_004", "brain2_012"].map(slice));
  await normalsAre(page, 3);
  await page.getByTestId("augment-select").selectOption("mvfa");
  await giveFiles(page, "file-input", slice("brain1_016"));
  await opened(page);
  await startAnalysis(page);
  await waitForState(page, "busy");
}

test("taking out the only image of a run ends the run", async () => {
  await withPage(browser, {}, async (page) => {
    await longRun(page);
    await strip(page).first().hover();
    await page.locator(".strip-remove").click();
    await waitForState(page, "ready", 2_000);
    assert.equal(await strip(page).count(), 0);
    assert.equal(await errorText(page), "");
  });
});

test("another device in a run asks first", async () => {
  await withPage(browser, {}, async (page) => {
    await longRun(page);
    const choose = async (answer) => {
      let question = "";
      page.once("dialog", async (dialog) => {
        question = dialog.message();
        await dialog[answer]();
      });
      await page.locator("dialog button[type=submit]").click();
      return question;
    };
    await page.getByTestId("device-tier").click();
    assert.match(await choose("dismiss"), /An analysis is running.*stops it.*Change the device\?/);
    assert.equal(await page.locator("main").getAttribute("data-state"), "busy", "it goes on");
    assert.match(await choose("accept"), /running/);
    await waitForState(page, "ready", 300_000);
    assert.equal(await errorText(page), "");
    assert.equal(await page.locator("dialog").count(), 0);
  });
});
