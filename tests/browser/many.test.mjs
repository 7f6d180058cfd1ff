// Many and large files: a thousand pictures, files of a gigabyte and more. What is not looked at is not kept, and of a large
// file nothing is read but its beginning and the slices that are looked at.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { TINY, chooseMode, openReady, workersOf } from "./actions.mjs";
import { dicomFile } from "./dicom.mjs";
import { greyPng } from "./fixtures.mjs";
import { SITE, launch, withPage } from "./harness.mjs";
import { programBytes, withMemory } from "./program.mjs";
import { showState } from "./inside.mjs";

const MEBIBYTE = 2 ** 20;
const PICTURES = 1000;
/** What docs/verification.md states. */
const KEPT = { bitmaps: 7, inputs: 65, thumbs: 420 };
const PICTURES_AT_MOST = 300 * MEBIBYTE;
const LARGE_AT_MOST = 150 * MEBIBYTE;
const DECODER_AT_MOST = 64 * MEBIBYTE;
/** A task of the page, on a busy machine. */
const LONGEST_MS = 250;
/** Slices of 512 × 512 of 16 bits: together 1 006 632 960 bytes. */
const [SIDE, SLICES] = [512, 1920];
const SLICE_BYTES = SIDE * SIDE * 2;
/** Slices that are looked at to find a window for all. */
const LOOKED_AT = 16;

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

const withTiny = (work) => withPage(browser, { prepare: async (context) => void (await showState(context), await withMemory(context)) }, async (page, record) => {
  await openReady(page, { model: TINY, device: "cpu" });
  await work(page, record);
});

/** What all processes of the browser hold, in bytes; 0 where the system does not tell. */
async function heldBytes(page) {
  await page.requestGC();
  const devtools = await browser.newBrowserCDPSession();
  const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
  await devtools.detach();
  return processInfo.reduce((sum, { id }) => {
    try {
      return sum + Number(readFileSync(`/proc/${id}/smaps_rollup`, "utf8").match(/^Pss:\s+(\d+)/m)[1]) * 1024;
    } catch {
      return sum;
    }
  }, 0);
}

/** Drops `globalThis.given` on the page. */
const drop = (page) => page.evaluate(() => {
  const dataTransfer = new DataTransfer();
  for (const file of globalThis.given) dataTransfer.items.add(file);
  document.getElementById("drop-zone").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
});

/** Counts what the workers that read files read of them; the answer tells. */
async function countReading(page) {
  const workers = await workersOf(page, "files");
  for (const worker of workers) {
    await worker.evaluate(() => {
      globalThis.readBytes = 0;
      const { arrayBuffer } = Blob.prototype;
      Blob.prototype.arrayBuffer = function () {
        globalThis.readBytes += this.size;
        return arrayBuffer.call(this);
      };
    });
  }
  return async () => (await Promise.all(workers.map((worker) => worker.evaluate(() => globalThis.readBytes)))).reduce((sum, one) => sum + one, 0);
}

/** Memory of the decoder's program. */
async function decoderBytes(page) {
  return Math.max(...await Promise.all((await workersOf(page, "files")).map(programBytes)));
}

test("a thousand pictures dropped at once are opened, gone through and analysed in a stated memory", async (t) => {
  const picture = greyPng("", 200, 200, (x, y) => (x * y) >> 8).buffer.toString("base64");
  await withTiny(async (page) => {
    await chooseMode(page, "zero");
    const held = await heldBytes(page);
    await page.evaluate(([text, count]) => {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      globalThis.given = Array.from({ length: count }, (_, n) => new File([bytes], `picture ${n + 1}.png`));
      globalThis.longest = 0;
      new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => (globalThis.longest = Math.max(globalThis.longest, duration)))).observe({ type: "longtask" });
    }, [picture, PICTURES]);
    const begun = Date.now();
    await drop(page);
    await page.waitForFunction((count) => globalThis.pageState.images.filter(({ width }) => width > 0).length === count, PICTURES, { timeout: 120_000, polling: 200 });
    const openedMs = Date.now() - begun;
    const count = () => page.evaluate(() => {
      const { images } = globalThis.pageState;
      const having = (key) => images.filter((item) => item[key]).length;
      return { bitmaps: having("bitmap"), inputs: having("input"), values: having("values"), thumbs: having("thumb"), drawn: document.querySelectorAll(".strip-thumb canvas").length };
    });
    const check = async (when) => {
      const kept = await count();
      for (const [key, most] of Object.entries({ ...KEPT, values: KEPT.bitmaps, drawn: KEPT.thumbs })) assert.ok(kept[key] <= most, `${when}: ${kept[key]} ${key}`);
      return kept;
    };
    await check("opened");

    // The last rows come into sight: they get their thumbnails, and others lose theirs.
    await page.locator("#viewer").focus();
    await page.keyboard.press("End");
    await page.waitForFunction((last) => document.querySelectorAll(".strip-item")[last].querySelector("canvas"), PICTURES - 1);
    await page.waitForFunction(() => globalThis.pageState.images.at(-1).bitmap);
    for (let step = 0; step < 12; step += 1) await page.keyboard.press("ArrowLeft");
    await page.waitForFunction((at) => globalThis.pageState.images[at].id === globalThis.pageState.currentId && globalThis.pageState.images[at].bitmap, PICTURES - 13);
    await check("gone through");

    const analysed = await page.evaluate(async () => {
      // The picture in view, and others by the same way.
      document.getElementById("analyse").click();
      const done = () => globalThis.pageState.images.find(({ id }) => id === globalThis.pageState.currentId).result && globalThis.pageState.run === null;
      while (!done()) await new Promise((resolve) => setTimeout(resolve, 20));
      const { result } = globalThis.pageState.images.find(({ id }) => id === globalThis.pageState.currentId);
      const { get } = Object.getOwnPropertyDescriptor(result, "overlay");
      return { packed: typeof get, same: result.overlay === result.overlay, most: Math.max(...result.map) === result.mapMax };
    });
    assert.deepEqual(analysed, { packed: "function", same: true, most: true });
    const kept = await check("analysed");
    // What was let go of is given back to the system some seconds later.
    let grown = (await heldBytes(page)) - held;
    for (let tries = 0; tries < 20 && grown >= PICTURES_AT_MOST; tries += 1) {
      await page.waitForTimeout(1000);
      grown = (await heldBytes(page)) - held;
    }
    const longest = await page.evaluate(() => Math.round(globalThis.longest));
    t.diagnostic(`${PICTURES} pictures of 200 × 200: opened in ${(openedMs / 1000).toFixed(1)} s, ${Math.round(grown / MEBIBYTE)} MiB more in all processes, longest task ${longest} ms, ${JSON.stringify(kept)}`);
    assert.ok(grown < PICTURES_AT_MOST, `${Math.round(grown / MEBIBYTE)} MiB`);
    assert.ok(longest < LONGEST_MS, `${longest} ms`);
  });
});

test("maps of results are packed to a part of their bytes, and come back bit by bit", async (t) => {
  await withPage(browser, { prepare: withMemory }, async (page) => {
    await page.goto(new URL("pkg/README.md", SITE).href);
    const shares = await page.evaluate(async () => {
      const { compacted, limitsOf, pack, shownMap } = await import("/web/ui/compact.js");
      const side = 240;
      // As the engine makes maps: bilinear between places of 17 × 17, several levels in sum, in 32 bits.
      const smooth = new Float32Array(side * side);
      for (let level = 0; level < 4; level += 1) {
        const grid = Float32Array.from({ length: 18 * 18 }, (_, n) => Math.sin(n * (level + 1)) ** 2);
        for (let i = 0; i < smooth.length; i += 1) {
          const [y, x] = [Math.floor(i / side) / 14.2, (i % side) / 14.2];
          const [v, u] = [y % 1, x % 1].map(Math.fround);
          const at = Math.floor(y) * 18 + Math.floor(x);
          smooth[i] += Math.fround(Math.fround(grid[at] * (1 - u) + grid[at + 1] * u) * (1 - v)) + Math.fround(Math.fround(grid[at + 18] * (1 - u) + grid[at + 19] * u) * v);
        }
      }
      const noise = Float32Array.from({ length: side * side }, () => (Math.random() - 0.5) * 1e4);
      noise.set([NaN, -0, Infinity, -Infinity, 1e-42]);
      const bits = (values) => new Uint32Array(values.buffer, values.byteOffset, values.length).join();
      for (const values of [smooth, noise, new Float32Array(7), new Float32Array(0)]) {
        if (bits(pack(values, side)()) !== bits(values)) throw new Error("other bits came back");
      }
      // More results than are at hand at once.
      const results = Array.from({ length: 40 }, (_, n) => compacted({ size: side, score: n, overlay: smooth.map((value) => value + n), map: noise.map((value) => value + n) }));
      for (const [n, result] of results.entries()) {
        if (bits(result.overlay) !== bits(smooth.map((value) => value + n)) || result.overlay !== result.overlay) throw new Error(`result ${n}`);
        const { lo } = limitsOf(result).map;
        if (!(shownMap(result)[0] === lo) || shownMap(result) !== shownMap(result)) throw new Error(`result ${n}: what has no number is shown as ${shownMap(result)[0]}`);
      }
      return [smooth, noise].map((values) => pack(values, side).bytes / values.byteLength);
    });
    t.diagnostic(`of a map's bytes: ${shares[0].toFixed(3)}; of noise: ${shares[1].toFixed(3)}`);
    assert.ok(shares[0] < 0.35, `${shares[0]}`);
  });
});

/** Beginnings of two large files whose slices are those of `PART`, over and over. */
function niftiHeader() {
  const header = Buffer.alloc(352);
  header.writeInt32LE(348, 0);
  [3, SIDE, SIDE, SLICES, 1, 1, 1, 1].forEach((size, n) => header.writeInt16LE(size, 40 + 2 * n));
  header.writeInt16LE(4, 70);
  header.writeInt16LE(16, 72);
  [1, 0.5, 0.5, 1].forEach((size, n) => header.writeFloatLE(size, 76 + 4 * n));
  header.writeFloatLE(352, 108);
  header.writeInt16LE(1, 254);
  // Axes to the left, to the back, to the head, as slices are shown.
  [[-0.5, 0, 0, 0], [0, -0.5, 0, 0], [0, 0, 1, 0]].flat().forEach((value, n) => header.writeFloatLE(value, 280 + 4 * n));
  header.write("n+1\0", 344, "latin1");
  return header;
}

const LARGE = [
  { name: "large.nii", header: niftiHeader(), offset: 0 },
  { name: "film.dcm", header: dicomFile({ width: SIDE, height: SIDE, frames: SLICES }), offset: -1024 },
];

for (const { name, header, offset } of LARGE) {
  test(`of a gigabyte in ${name} only the slices that are looked at are read`, async (t) => {
    await withTiny(async (page) => {
      const readBytes = await countReading(page);
      const size = await page.evaluate(async ([text, called, sliceBytes, slices]) => {
        const begin = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
        // 128 slices; the first pixel of each tells which it is, the others lie on a ramp.
        const part = new Int16Array((128 * sliceBytes) / 2);
        for (let i = 0; i < part.length; i += 1) part[i] = i & 1023;
        for (let n = 0; n < 128; n += 1) part[(n * sliceBytes) / 2] = n;
        const blob = new Blob([part]);
        globalThis.given = [new File([begin, ...Array(slices / 128).fill(blob)], called)];
        return globalThis.given[0].size;
      }, [header.toString("base64"), name, SLICE_BYTES, SLICES]);
      assert.ok(size > 1e9);
      const held = await heldBytes(page);
      const begun = Date.now();
      await drop(page);
      const inView = (number) => page.waitForFunction((n) => {
        const { images, currentId } = globalThis.pageState;
        const item = images.find(({ id }) => id === currentId);
        return item?.bitmap && item.slice?.index === n - 1;
      }, number);
      await inView(SLICES / 2 + 1);
      const openedMs = Date.now() - begun;
      const viewed = [1, 2, 700, 1024, 1919, 1920, 333];
      for (const number of viewed) {
        await page.getByTestId("slice-slider").fill(String(number));
        await inView(number);
        const first = await page.evaluate(() => {
          const { images, currentId } = globalThis.pageState;
          return images.find(({ id }) => id === currentId).values[0];
        });
        assert.equal(first, ((number - 1) % 128) + offset, `slice ${number}`);
      }
      // A drag along the slider.
      for (let number = 400; number < 430; number += 1) await page.getByTestId("slice-slider").fill(String(number));
      await inView(429);
      await page.waitForTimeout(500);
      const [read, decoder] = [await readBytes(), await decoderBytes(page)];
      const slices = LOOKED_AT + 2 * (1 + viewed.length + 30);
      t.diagnostic(`${name}: in view after ${openedMs} ms, ${Math.round(read / MEBIBYTE)} of ${Math.round(size / MEBIBYTE)} MiB read, ${Math.round(decoder / MEBIBYTE)} MiB in the decoder`);
      assert.ok(read < 5 * MEBIBYTE + slices * SLICE_BYTES, `${read} bytes`);
      assert.ok(decoder < DECODER_AT_MOST, `${decoder} bytes`);
      const grown = (await heldBytes(page)) - held;
      t.diagnostic(`${name}: ${Math.round(grown / MEBIBYTE)} MiB more in all processes`);
      assert.ok(grown < LARGE_AT_MOST, `${Math.round(grown / MEBIBYTE)} MiB`);
      if (!name.endsWith(".nii")) return;

      // Across the order of the file a slice needs one number of each line: all is read, a little at a time.
      const turned = Date.now();
      await page.getByTestId("slice-axis").selectOption("sagittal");
      await inView(SIDE / 2 + 1);
      const values = await page.evaluate(() => {
        const { images, currentId } = globalThis.pageState;
        const item = images.find(({ id }) => id === currentId);
        return [item.width, item.height, item.values[5 * item.width + 7]];
      });
      // Row 5 from the head, column 7 from the front, of the slice in the middle.
      assert.deepEqual(values, [SIDE, SLICES, (7 * SIDE + SIDE / 2) & 1023]);
      assert.ok((await decoderBytes(page)) < DECODER_AT_MOST);
      t.diagnostic(`${name}: a sagittal slice after ${Date.now() - turned} ms`);
    });
  });
}

test("a file of more than two gigabytes is refused by its size, and nothing else of it is read", async () => {
  await withTiny(async (page) => {
    const readBytes = await countReading(page);
    await page.evaluate(([text]) => {
      const part = new Blob([new Uint8Array(64 << 20)]);
      globalThis.given = [new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)), ...Array(33).fill(part)], "huge.nii")];
    }, [niftiHeader().toString("base64")]);
    await drop(page);
    await page.waitForFunction(() => /not readable: .*too large/.test(document.querySelector(".strip-note")?.textContent ?? ""));
    assert.ok((await readBytes()) < MEBIBYTE);
  });
});
