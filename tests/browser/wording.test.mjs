// What the page says where it can do nothing: formats that cannot be opened yet, a model that is not there.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TINY, giveFiles, openPage, openReady, waitForError, waitForState } from "./actions.mjs";
import { launch, withPage } from "./harness.mjs";

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

/** A file of 400 bytes with the given ones at their places. @param {[number, string][]} parts */
function file(name, parts) {
  const buffer = Buffer.alloc(400);
  for (const [at, text] of parts) buffer.write(text, at, "latin1");
  return { name, mimeType: "application/octet-stream", buffer };
}

test("medical formats are not offered, and say what to do instead", async () => {
  await withPage(browser, {}, async (page) => {
    await openReady(page, { model: TINY, device: "cpu" });
    for (const id of ["file-input", "support-input"]) {
      assert.doesNotMatch(await page.getByTestId(id).getAttribute("accept"), /dicom|\.dcm|\.nii|\.gz/, id);
    }
    const dicom = "DICOM files cannot be opened yet. Export the slice as PNG or 16-bit TIFF.";
    await giveFiles(page, "file-input", file("CT_small.dcm", [[0, "II*\0"], [128, "DICM"]]));
    await page.getByText(`CT_small.dcm: ${dicom}`).waitFor();
    await page.getByText(`This file could not be read. ${dicom}`).waitFor();
    await giveFiles(page, "support-input", file("brain.nii.gz", [[0, "\x1f\x8b\x08\x08"], [10, "brain.nii"]]));
    await page.getByText("brain.nii.gz was not added to the normal images: NIfTI volumes cannot be opened yet. Export slices as PNG or 16-bit TIFF.").waitFor();
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
    await openPage(page, { model: "/web/samples/samples.json", device: "cpu" });
    await waitForState(page, "error");
    assert.match(await waitForError(page), /The model could not be loaded\. [A-Z]/);
    await page.getByRole("button", { name: "Help" }).click();
    assert.doesNotMatch(await page.locator("dialog").innerText(), /\. [a-z]/);
  });
});
