// What is to be known about how a file was read is told: beside the normal images, and beside the score.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TINY, analyse, chooseMode, giveFiles, openReady } from "./actions.mjs";
import { crc32, greyPng } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

/** A PNG that says it is the first frame of an animation. */
function animated(name, frames, grey) {
  const file = greyPng(name, 80, 80, grey);
  const chunk = (kind, content) => {
    const whole = Buffer.alloc(12 + content.length);
    whole.writeUInt32BE(content.length, 0);
    whole.write(kind, 4, "latin1");
    content.copy(whole, 8);
    whole.writeUInt32BE(crc32(whole.subarray(4, 8 + content.length)), 8 + content.length);
    return whole;
  };
  const count = Buffer.alloc(8);
  count.writeUInt32BE(frames, 0);
  const first = Buffer.alloc(26);
  first.writeUInt32BE(80, 4);
  first.writeUInt32BE(80, 8);
  // Behind the signature and the header.
  const at = 33;
  return { ...file, buffer: Buffer.concat([file.buffer.subarray(0, at), chunk("acTL", count), chunk("fcTL", first), file.buffer.subarray(at)]) };
}

test("one frame of several is named, of a normal image and of an image", async () => {
  const texture = (shift) => (x, y) => 60 + ((x * 37 + y * 61 + shift) % 120);
  await withPage(browser, {}, async (page) => {
    await openReady(page, { model: TINY, device: "cpu" }, 300_000);
    await page.getByTestId("object-select").selectOption("brain");
    await chooseMode(page, "few");
    await page.getByTestId("augment-select").selectOption("none");
    await giveFiles(page, "support-input", [greyPng("plain.png", 80, 80, texture(0)), animated("moving.png", 3, texture(7))]);
    await page.waitForFunction(() => document.querySelectorAll("[data-testid=support-item][data-state=ready]").length === 2);
    assert.equal(await page.locator("#support-hint").innerText(), "moving.png: frame 1 of 3 is analysed.");
    assert.match(await page.getByTestId("support-item").nth(1).getAttribute("title"), /frame 1 of 3 is analysed/);
    await giveFiles(page, "file-input", animated("image.png", 2, texture(3)));
    await analyse(page);
    assert.match(await page.getByTestId("warnings").innerText(), /Frame 1 of 2 is analysed\./);
  });
});
