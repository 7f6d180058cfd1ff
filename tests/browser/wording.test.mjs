// What the page says where it can do nothing: files that nobody reads, a model that is not there.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TINY, giveFiles, openPage, openReady, waitForError, waitForState } from "./actions.mjs";
import { launch, withPage } from "./harness.mjs";

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

test("what nobody reads is named, with what can be done", async () => {
  await withPage(browser, {}, async (page) => {
    await openReady(page, { model: TINY, device: "cpu" });
    const file = (name, text) => ({ name, mimeType: "application/octet-stream", buffer: Buffer.from(text, "latin1") });
    const formats = "use a file in one of these formats: DICOM, NIfTI, NRRD, MetaImage, PNG, JPEG, WebP, BMP, TIFF.";
    await giveFiles(page, "file-input", file("report.pdf", "%PDF-1.4 and more"));
    await page.getByText(`report.pdf: this is a PDF document, not a picture; ${formats}`).first().waitFor();
    await page.getByText(`This file could not be read. This is a PDF document, not a picture; ${formats}`).waitFor();
    await giveFiles(page, "support-input", file("notes.txt", "only text"));
    await page.getByText(`notes.txt was not added to the normal images: it is a text file, not a picture; ${formats}`).waitFor();
  });
});

test("an address without a model is said to be one", async () => {
  await withPage(browser, { expect: [/404/] }, async (page) => {
    await openPage(page, { model: "/models/nowhere", device: "cpu" });
    await waitForState(page, "error");
    await page.getByText("The model could not be loaded: there is no manifest.json at this address. Check the part after ?model=.").waitFor();
  });
});

test("what cannot be read is a sentence of its own after a full stop", async () => {
  await withPage(browser, {}, async (page) => {
    // A file of this site that is no model.
    await openPage(page, { model: "/site.json", device: "cpu" });
    await waitForState(page, "error");
    assert.match(await waitForError(page), /The model could not be loaded\. [A-Z]/);
    await page.getByRole("button", { name: "Help" }).click();
    assert.doesNotMatch(await page.locator("dialog").innerText(), /\. [a-z]/);
  });
});
