// A folder that is a data set: what it is taken for, and what of it is opened.

import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { TINY, giveFiles, openReady } from "./actions.mjs";
import { tinyPicture } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

let browser;
let root;
before(async () => {
  browser = await launch({ webgpu: false });
  root = mkdtempSync(join(tmpdir(), "mvfa-set-"));
  const files = {
    "valid/good/img/a.png": "support_0.png", "valid/good/img/b.png": "support_1.png", "test/Good/img/c.png": "input_grey.png",
    "test/Ungood/img/d.png": "input_rgb.png", "test/Ungood/img/e.png": "input_rgb.png", "test/Ungood/Label/d_mask.png": "input_grey.png",
    "test/strange/f.png": "input_grey.png",
  };
  for (const [path, from] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    cpSync(tinyPicture(from), join(root, path));
  }
});
after(() => {
  rmSync(root, { recursive: true, force: true });
  return browser?.close();
});

/** The page with the dialog about the set. */
async function asked(page) {
  await openReady(page, { model: TINY, device: "cpu" });
  await giveFiles(page, "folder-input", root);
  const dialog = page.getByTestId("data-set");
  await dialog.waitFor();
  return dialog;
}

test("a data set is summarised as the command line does", async () => {
  await withPage(browser, {}, async (page) => {
    const text = await (await asked(page)).innerText();
    for (const words of [
      "Test: 1 normal (test/Good/img), 2 abnormal (test/Ungood/img), 1 mask (test/Ungood/Label)",
      "Valid: 2 normal (valid/good/img), 0 abnormal.",
      "test/strange (1 picture)",
      "1 abnormal picture without a mask",
    ]) assert.ok(text.includes(words), `${words} in ${text}`);
    assert.equal(await page.getByTestId("strip-item").count(), 0, "nothing is opened unasked");
  });
});

test("its normal images and its test images are opened on request", async () => {
  await withPage(browser, {}, async (page) => {
    await (await asked(page)).getByRole("button", { name: "Use 2 normal images to compare with" }).click();
    await page.getByTestId("support-item").nth(1).waitFor();
    await giveFiles(page, "folder-input", root);
    await page.getByRole("button", { name: "Open 3 test images" }).click();
    await page.getByTestId("strip-item").nth(2).waitFor();
    assert.equal(await page.getByTestId("strip-item").count(), 3);
  });
});
