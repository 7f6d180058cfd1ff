// The viewer as a person uses it: a point of the picture stays the same pixel however it is zoomed, turned and flipped;
// windows by drag, presets and numbers; layers, histogram, places, measuring, comparing; keyboard, fingers, small widths.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { TINY, analyse, chooseMode, giveFiles, openReady, scoreText } from "./actions.mjs";
import { colourPng, grey16Png, tinyPicture } from "./fixtures.mjs";
import { SITE, launch, withPage } from "./harness.mjs";
import { giveValues, showState } from "./inside.mjs";

/** Frames a second that a window must follow the hand with, for 512 × 512 values. */
const LEAST_FPS = 30;

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

const withTiny = (work) => withPage(browser, { prepare: showState }, async (page, record) => {
  await openReady(page, { model: TINY, device: "cpu" });
  await work(page, record);
});

/** Runs `work` in a page that has the site's modules but not its program. */
const withModules = (work, ...given) => withPage(browser, {}, async (page) => {
  await page.goto(new URL("pkg/README.md", SITE).href);
  await page.evaluate(work, ...given);
});

async function addImage(page, file) {
  const count = await page.getByTestId("strip-item").count();
  await giveFiles(page, "file-input", file);
  await page.waitForFunction((n) => document.querySelectorAll(".strip-thumb canvas").length === n, count + 1);
  if (count > 0) await page.locator(".strip-pick").nth(count).click();
  await settled(page);
}

/** Waits for the next two frames: what is drawn is drawn. */
const settled = (page) => page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));

/** One picture with its map, compared with words. */
async function withMap(page, file = tinyPicture("input_rgb.png")) {
  await page.getByTestId("object-select").selectOption("chest");
  await chooseMode(page, "zero");
  await addImage(page, file);
  await analyse(page);
  await page.waitForFunction(() => !document.querySelector("[data-testid=download-overlay]").disabled);
  await settled(page);
}

const readout = (page) => page.locator("#readout").innerText();
const viewerBox = (page) => page.getByTestId("overlay-canvas").boundingBox();

/** The pixel that the page names under a point of the window. */
async function pixelUnder(page, x, y) {
  await page.mouse.move(x, y);
  await settled(page);
  const text = await readout(page);
  const found = text.match(/^x (\d+) {2}y (\d+)/);
  return found ? [Number(found[1]), Number(found[2])] : null;
}

/** Where the picture is drawn red, found on a screenshot: the middle of it, in the window. */
async function redSpot(page) {
  const png = await page.getByTestId("overlay-canvas").screenshot();
  const box = await viewerBox(page);
  const spot = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    let [count, x, y] = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) {
      if (data[i] < 200 || data[i + 1] > 60 || data[i + 2] > 60) continue;
      count += 1;
      x += (i / 4) % bitmap.width;
      y += Math.floor(i / 4 / bitmap.width);
    }
    return count > 0 ? { x: x / count + 0.5, y: y / count + 0.5 } : null;
  }, png.toString("base64"));
  return spot && { x: box.x + spot.x, y: box.y + spot.y };
}

/** A grey picture, wider than tall, with one red pixel off its middle. */
const RED = [14, 5];
const marked = () => colourPng("marked.png", 40, 24, (x, y) => (x === RED[0] && y === RED[1] ? [255, 0, 0] : [90 + x, 90 + x, 90 + x]));

test("pixels and the screen belong together through every turn, also where pixels are no squares", async () => {
  await withModules(async () => {
    const { TURNS, UPRIGHT, boxInPixels, boxToViewer, pixelAt, pixelSides, placeOf, toPicture, toViewer, turnWords, turned } = await import("/web/ui/view.js");
    const near = (a, b) => Math.abs(a.x - b.x) < 1e-9 && Math.abs(a.y - b.y) < 1e-9;
    const words = new Set();
    for (const spacing of [null, [1, 1], [2.5, 0.7]]) {
      for (const turns of [[], ["right"], ["right", "right"], ["left"], ["flipH"], ["flipV"], ["right", "flipH"], ["right", "flipV"]]) {
        const turn = turns.reduce((now, name) => turned(now, TURNS[name]), UPRIGHT);
        words.add(turnWords(turn));
        const picture = { width: 61, height: 43, pixel: pixelSides(spacing) };
        const place = placeOf(picture, { zoom: 2.3, x: 17, y: -9, turn }, { width: 700, height: 500 }, 16);
        for (const point of [{ x: 0, y: 0 }, { x: 61, y: 43 }, { x: 12.5, y: 40.25 }]) {
          if (!near(toPicture(place, toViewer(place, point)), point)) throw new Error(`${turns} ${spacing}: ${JSON.stringify(point)} comes back elsewhere`);
        }
        const at = pixelAt(place, toViewer(place, { x: 12.5, y: 40.5 }), picture);
        if (at?.x !== 12 || at?.y !== 40) throw new Error(`${turns}: pixel ${JSON.stringify(at)}`);
        const box = { x: 5, y: 7, width: 20, height: 11 };
        const back = boxInPixels(place, boxToViewer(place, box), picture);
        if (JSON.stringify(back) !== JSON.stringify(box)) throw new Error(`${turns} ${spacing}: a box becomes ${JSON.stringify(back)}`);
        const corners = [{ x: 0, y: 0 }, { x: 61, y: 43 }].map((corner) => toViewer(place, corner));
        const [left, top] = [Math.min(corners[0].x, corners[1].x), Math.min(corners[0].y, corners[1].y)];
        if (!near(place, { x: left, y: top })) throw new Error(`${turns}: the box around it begins at ${place.x}, ${place.y}, the picture at ${left}, ${top}`);
        const aspect = spacing ? (43 * spacing[0]) / (61 * spacing[1]) : 43 / 61;
        const drawn = turn[0] === 0 ? place.width / place.height : place.height / place.width;
        if (Math.abs(drawn / aspect - 1) > 1e-9) throw new Error(`${turns} ${spacing}: drawn as ${drawn}, true ${aspect}`);
      }
    }
    if (words.size !== 8) throw new Error(`eight turns have ${words.size} names`);
    const round = ["right", "right", "right", "right"].reduce((now, name) => turned(now, TURNS[name]), UPRIGHT);
    if (round.join() !== UPRIGHT.join()) throw new Error(`four turns: ${round}`);
  });
});

test("connected places: corners connect, the highest first, sizes in pixels and square millimetres", async () => {
  await withModules(async () => {
    const { highestPlace, placesAbove } = await import("/web/ui/components.js");
    const rows = ["5.....", ".6....", "....8.", "....7.", "......", "2...2."];
    const map = Float32Array.from(rows.join(""), (sign) => (sign === "." ? 0 : Number(sign)));
    map[35] = NaN;
    const picture = { width: 12, height: 24, spacingMm: [0.5, 2] };
    const { places, total } = placesAbove(map, 6, 2, picture, 3);
    const found = JSON.stringify({ total, places });
    const expected = JSON.stringify({ total: 4, places: [
      { rank: 1, cells: 2, areaPx: 16, areaMm2: 16, peak: 8, mean: 7.5, peakAt: { x: 9, y: 10 }, box: { x: 8, y: 8, width: 2, height: 8 } },
      { rank: 2, cells: 2, areaPx: 16, areaMm2: 16, peak: 6, mean: 5.5, peakAt: { x: 3, y: 6 }, box: { x: 0, y: 0, width: 4, height: 8 } },
      { rank: 3, cells: 1, areaPx: 8, areaMm2: 8, peak: 2, mean: 2, peakAt: { x: 1, y: 22 }, box: { x: 0, y: 20, width: 2, height: 4 } }] });
    if (found !== expected) throw new Error(`${found}\nexpected ${expected}`);
    if (JSON.stringify(highestPlace(map, 6, 2, picture)) !== JSON.stringify(places[0])) throw new Error("the highest alone");
    if (highestPlace(map, 6, 9, picture) !== null || placesAbove(map, 6, 9, { ...picture, spacingMm: null }, 3).total !== 0) throw new Error("nothing above 9");
    const snake = new Float32Array(240 * 240).fill(1);
    if (placesAbove(snake, 240, 1, picture, 20).places[0].cells !== 57600) throw new Error("a map that is one place");
  });
});

test("distances, areas and histograms", async () => {
  await withModules(async () => {
    const { distance, ellipseArea, measureWords } = await import("/web/ui/measure.js");
    const { histogram } = await import("/web/ui/histogram.js");
    const same = (found, expected) => {
      if (Math.abs(found - expected) > 1e-9) throw new Error(`${found}, expected ${expected}`);
    };
    const [a, b] = [{ x: 10, y: 10 }, { x: 16, y: 14 }];
    same(distance(a, b, null), Math.hypot(6, 4));
    same(distance(a, b, [2, 0.5]), Math.hypot(6 * 0.5, 4 * 2));
    same(ellipseArea(a, b, [2, 0.5]), Math.PI * 1.5 * 4);
    for (const [kind, spacing, words] of [["ruler", [1, 1], "7.21 mm"], ["ruler", null, "7.21 px"], ["area", [10, 10], "1885 mm²"], ["area", null, "18.8 px"]]) {
      const found = measureWords({ id: 1, image: 1, kind, from: a, to: b }, spacing);
      if (found !== words) throw new Error(`${found}, expected ${words}`);
    }
    const counts = [...histogram(Float32Array.of(0, 0.24, 0.25, 0.99, 1, NaN, -1, 2), 0, 1, 4)];
    if (counts.join() !== "2,1,0,2") throw new Error(counts.join());
  });
});

test("a window follows the hand: values become the engine's greys, 512 × 512 of them at 30 frames a second", async (t) => {
  await withPage(browser, {}, async (page) => {
    await page.goto(new URL("pkg/README.md", SITE).href);
    const fps = await page.evaluate(async () => {
      const { windowPixels, windowValues } = await import("/web/ui/windowing.js");
      const values = Float32Array.of(-1000, 0, 0.4, 50, 100, 101, NaN, Infinity, -Infinity);
      const out = new Uint32Array(values.length);
      windowValues(values, { low: 0, high: 100 }, out);
      const greys = [...new Uint8Array(out.buffer)].filter((_, i) => i % 4 === 1);
      if (greys.join() !== "0,0,1,128,255,255,0,255,0") throw new Error(greys.join());
      windowValues(values, { low: 0, high: 100 }, out, true);
      const turned = [...new Uint8Array(out.buffer)].filter((_, i) => i % 4 === 1);
      if (turned.join() !== "255,255,254,127,0,0,0,0,255") throw new Error(`low values bright: ${turned}`);
      const pixels = new Uint8ClampedArray(4);
      windowPixels(Uint8ClampedArray.of(64, 128, 192, 255), { low: 64, high: 192 }, pixels);
      if (pixels.join() !== "0,128,255,255") throw new Error(pixels.join());

      const { createDisplay } = await import("/web/ui/display.js");
      const side = 512;
      const bitmap = await createImageBitmap(new ImageData(side, side));
      const item = { width: side, height: side, deep: true, bitmap, shown: { low: 0, high: 1 }, values: Float32Array.from({ length: side * side }, (_, i) => (i * 7919) % 4096) };
      const display = createDisplay();
      const context = new OffscreenCanvas(side, side).getContext("2d");
      const rounds = 120;
      const begun = performance.now();
      for (let n = 0; n < rounds; n++) {
        context.drawImage(display.of(item, { low: n, high: 2000 + n }), 0, 0);
        context.getImageData(0, 0, 1, 1);
      }
      return (1000 * rounds) / (performance.now() - begun);
    });
    t.diagnostic(`${fps.toFixed(0)} windows a second of 512 × 512 values`);
    assert.ok(fps >= LEAST_FPS, `${fps} a second`);
  });
});

test("dragging a window over 512 × 512 values in the page stays at 30 frames a second", async (t) => {
  await withTiny(async (page) => {
    await addImage(page, grey16Png("large.png", 512, 512, (x, y) => 1000 + 3 * (x + y)));
    await giveValues(page, { low: 1000, step: 3 });
    await settled(page);
    const box = await viewerBox(page);
    const middle = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.move(...middle);
    await page.mouse.down({ button: "right" });
    await page.evaluate(() => {
      globalThis.frames = [];
      const count = (now) => {
        globalThis.frames?.push(now);
        if (globalThis.frames) requestAnimationFrame(count);
      };
      requestAnimationFrame(count);
    });
    const values = new Set();
    for (let step = 1; step <= 60; step++) {
      await page.mouse.move(middle[0] + 3 * step, middle[1] + step);
      values.add(await page.locator("#window-value").innerText());
    }
    const fps = await page.evaluate(() => {
      const all = globalThis.frames;
      globalThis.frames = null;
      return (1000 * (all.length - 1)) / (all.at(-1) - all[0]);
    });
    await page.mouse.up({ button: "right" });
    t.diagnostic(`${fps.toFixed(0)} frames a second while dragging`);
    assert.ok(values.size > 30, `${values.size} windows were shown`);
    assert.ok(fps >= LEAST_FPS, `${fps} frames a second`);
  });
});

test("the wheel zooms about the pointer: the pixel under it stays, in and out", async () => {
  await withTiny(async (page) => {
    await addImage(page, marked());
    const box = await viewerBox(page);
    for (const [u, v] of [[0.503, 0.497], [0.3, 0.4], [0.72, 0.61], [0.15, 0.45]]) {
      const at = [box.x + box.width * u, box.y + box.height * v];
      const pixel = await pixelUnder(page, ...at);
      assert.ok(pixel, `a pixel at ${u}, ${v}`);
      for (const delta of [-120, -120, -300, 200]) {
        await page.mouse.wheel(0, delta);
        assert.deepEqual(await pixelUnder(page, ...at), pixel, `at ${u}, ${v} after ${delta}`);
      }
      assert.ok(Number(await page.locator("#viewer").getAttribute("data-zoom")) > 1.3);
      await page.locator("#zoom-fit").click();
    }
  });
});

test("turned, flipped, inverted and zoomed, the page names the same pixel where it is drawn", async () => {
  await withTiny(async (page) => {
    await addImage(page, marked());
    await page.getByTestId("tool-pixels").click();
    const check = async (what) => {
      await page.mouse.move(0, 0);
      await settled(page);
      const spot = await redSpot(page);
      assert.ok(spot, `${what}: the red pixel is drawn`);
      assert.deepEqual(await pixelUnder(page, spot.x, spot.y), RED, what);
      assert.match(await readout(page), /RGB 255 0 0/, what);
    };
    await check("as it is");
    for (const tool of ["right", "flipH", "left", "flipH", "right"]) {
      await page.getByTestId(`tool-${tool}`).click();
      await check(`after ${tool}`);
      assert.equal(await page.getByTestId("look-turn").isVisible(), true);
    }
    await page.locator("#zoom-in").click();
    await check("zoomed");
    await page.getByTestId("tool-invert").click();
    await settled(page);
    assert.equal(await redSpot(page), null, "inverted, red is another colour");
    assert.match(await page.getByTestId("look-turn").innerText(), /inverted/);
    await page.getByTestId("tool-invert").click();
    assert.equal(await page.getByTestId("tool-beside").isDisabled(), true, "without a result there is nothing to compare");
    const size = await page.evaluate(() => devicePixelRatio);
    await page.getByTestId("zoom-one").click();
    await settled(page);
    const [a, b] = (await page.locator("#viewer").getAttribute("data-matrix")).split(" ").map(Number);
    assert.equal(Math.abs(a) + Math.abs(b), 1 / size, "one pixel of the picture is one of the screen");
    await page.getByTestId("look-reset").click();
    await check("reset");
    assert.equal(await page.getByTestId("look-turn").isVisible(), false);

    // The look belongs to its picture.
    await page.getByTestId("tool-right").click();
    await addImage(page, tinyPicture("input_rgb.png"));
    assert.equal(await page.getByTestId("look-turn").isVisible(), false);
    await page.locator(".strip-pick").first().click();
    await settled(page);
    await check("back at the turned picture");
    assert.match(await page.getByTestId("look-turn").innerText(), /Turned 90° to the right/);
    assert.match(await page.getByTestId("overlay-canvas").getAttribute("aria-label"), /Turned 90° to the right/);
  });
});

test("overlay, outline, regions and the map's value turn with the picture", async () => {
  await withTiny(async (page) => {
    await withMap(page);
    await page.getByTestId("threshold").fill("0.6");
    await settled(page);
    const value = async () => (await readout(page)).match(/map (-?\d+\.\d+)/)?.[1];
    const box = await viewerBox(page);
    const point = [box.x + box.width * 0.42, box.y + box.height * 0.37];
    const saved = async () => {
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("download-overlay").click()]);
      return readFileSync(await download.path());
    };
    const upright = await saved();
    const pixel = await pixelUnder(page, ...point);
    const there = await value();
    await page.getByTestId("tool-flipH").click();
    await page.getByTestId("tool-right").click();
    await page.getByTestId("tool-invert").click();
    assert.ok(upright.equals(await saved()), "what is saved is what was analysed, however it is looked at");
    // Where the page says that the pixel is now.
    const [a, b, c, d, e, f] = (await page.locator("#viewer").getAttribute("data-matrix")).split(" ").map(Number);
    const [x, y] = [pixel[0] + 0.5, pixel[1] + 0.5];
    assert.deepEqual(await pixelUnder(page, box.x + a * x + c * y + e, box.y + b * x + d * y + f), pixel);
    assert.equal(await value(), there);

    // A region drawn on the turned picture lies on the pixels that were under the mouse.
    const corners = [[box.x + box.width * 0.45, box.y + box.height * 0.4], [box.x + box.width * 0.55, box.y + box.height * 0.6]];
    const [from, to] = [await pixelUnder(page, ...corners[0]), await pixelUnder(page, ...corners[1])];
    await page.getByTestId("region-tool").click();
    await page.mouse.move(...corners[0]);
    await page.mouse.down();
    await page.mouse.move(...corners[1], { steps: 4 });
    await page.mouse.up();
    const [low, high] = [0, 1].map((n) => [Math.min(from[n], to[n]), Math.max(from[n], to[n])]).map(([l, h]) => [l, h - l + 1]);
    assert.equal(await page.getByTestId("region-item").locator("span").innerText(), `${low[1]} × ${high[1]} px at ${low[0]}, ${high[0]}`);
    await page.keyboard.press("Escape");
    assert.equal(await page.getByTestId("region-tool").getAttribute("aria-pressed"), "false");
  });
});

test("the window of display: dragged, chosen, typed; it is said to be another one than analysed, and can become it", async () => {
  const deep = grey16Png("ct.png", 64, 48, (x, y) => 1000 + 20 * (x + y));
  await withTiny(async (page) => {
    await chooseMode(page, "few");
    await addImage(page, deep);
    assert.equal(await page.getByTestId("window-button").isDisabled(), false, "the values of a deep image are at hand");
    await giveValues(page, { low: 1000, step: 20, windows: [{ name: "MY WINDOW", center: 100, width: 700 }] });
    await settled(page);
    const box = await viewerBox(page);
    // Without the buttons at its foot, whose text is not always smoothed in the same way.
    const shot = () => page.screenshot({ clip: { ...box, height: box.height - 60 } });
    const plain = await shot();
    const note = page.getByTestId("look-window");
    assert.equal(await note.isVisible(), false);
    const shown = () => page.locator("#window-value").innerText();
    const numbers = async () => (await shown()).split(" / ").map(Number);
    const [center, width] = await numbers();

    const middle = [box.x + box.width / 2, box.y + box.height / 2];
    const drag = async (dx, dy, button) => {
      await page.mouse.move(...middle);
      await page.mouse.down({ button });
      await page.mouse.move(middle[0] + dx, middle[1] + dy, { steps: 6 });
      await page.mouse.up({ button });
      await page.mouse.move(box.x + 2, box.y + 2);
      await settled(page);
    };
    await drag(100, 0, "right");
    const wider = await numbers();
    assert.ok(wider[1] > width + 50 && Math.abs(wider[0] - center) <= 1, `wider: ${wider}, was ${center} / ${width}`);
    await drag(0, 80, "right");
    assert.ok((await numbers())[0] > center + 50, "down: higher values");
    assert.match(await note.innerText(), /another window than analysed/);
    assert.equal(plain.equals(await shot()), false);
    await page.getByTestId("display-back").click();
    await page.mouse.move(box.x + 2, box.y + 2);
    await settled(page);
    assert.equal(await note.isVisible(), false);
    assert.ok(plain.equals(await shot()), "as analysed, pixel by pixel");

    // The tool in hand does the same with the left button.
    await page.getByTestId("tool-window").click();
    await drag(60, 0, "left");
    assert.ok((await numbers())[1] > width);
    await page.keyboard.press("Escape");
    assert.equal(await page.getByTestId("tool-window").getAttribute("aria-pressed"), "false");

    // Presets of the file, of CT by key, numbers.
    await page.getByTestId("window-button").click();
    await page.getByTestId("display-preset").selectOption({ label: "MY WINDOW (100 / 700)" });
    assert.deepEqual(await numbers(), [100, 700]);
    await page.getByTestId("display-center").fill("30");
    await page.getByTestId("display-center").press("Tab");
    await settled(page);
    assert.deepEqual(await numbers(), [30, 700]);
    await page.keyboard.press("Escape");
    assert.equal(await page.getByTestId("window-menu").isVisible(), false);
    await page.locator("#viewer").focus();
    for (const [key, wanted] of [["2", [-600, 1500]], ["4", [480, 2500]], ["1", [40, 400]]]) {
      await page.keyboard.press(key);
      await settled(page);
      assert.deepEqual(await numbers(), wanted, `key ${key}`);
    }
    await pixelUnder(page, ...middle);
    assert.match(await readout(page), / {2}\d+ HU$/);

    await page.getByTestId("display-use").click();
    await page.waitForFunction(() => document.querySelector("#window-told")?.textContent === "Window -160 … 240.");
    await page.waitForFunction(() => document.getElementById("look-window").hidden);
    assert.equal(await page.locator("#window-manual").isChecked(), true);

    // An 8-bit picture has no window for the analysis, and no Hounsfield units.
    await addImage(page, marked());
    await drag(-100, 0, "right");
    assert.match(await note.innerText(), /other brightness and contrast than analysed/);
    assert.equal(await page.getByTestId("display-use").isVisible(), false);
    const before = await shown();
    await page.keyboard.press("2");
    assert.equal(await shown(), before);
  });
});

test("the threshold lies on a histogram, and places above it are listed, shown close and framed", async () => {
  await withTiny(async (page) => {
    await withMap(page);
    const slider = page.getByTestId("threshold");
    const value = async () => Number(await slider.inputValue());
    const box = await slider.boundingBox();
    const colours = () => page.getByTestId("histogram").evaluate((canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    });
    assert.ok((await colours()) >= 2, "bars are drawn");
    // The line is dragged, then moved by keys.
    await page.mouse.move(box.x + box.width - 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + box.height / 2, { steps: 5 });
    await page.mouse.up();
    assert.ok(Math.abs((await value()) - 0.5) < 0.03, `at ${await value()}`);
    const dragged = await value();
    await page.keyboard.press("ArrowLeft");
    assert.ok((await value()) < dragged);
    await slider.fill("0.95");
    assert.ok((await colours()) >= 3, "bars above and below the line differ");

    await page.getByTestId("places-title").press("Enter");
    const places = page.getByTestId("place-item");
    const count = await places.count();
    assert.ok(count >= 1 && count <= 20);
    assert.match(await page.getByTestId("places-title").innerText(), /\d+ places? above the threshold/);
    assert.match(await places.first().innerText(), /^1\s+[\d.]+ px\s+peak \d+\.\d\d, mean \d+\.\d\d$/);
    await page.evaluate(() => {
      const { pageState, pageChanged } = globalThis;
      pageState.images[0].spacingMm = [0.5, 0.5];
      pageChanged();
    });
    await page.waitForFunction(() => /px, [\d.]+ mm²/.test(document.querySelector("[data-testid=place-item]")?.textContent ?? ""));
    await places.first().getByRole("button").press("Enter");
    await settled(page);
    assert.equal(await places.first().getByRole("button").getAttribute("aria-current"), "true");
    assert.ok(Number(await page.locator("#viewer").getAttribute("data-zoom")) > 1.2);
    // The middle of the viewer shows the place.
    const viewer = await viewerBox(page);
    const at = await pixelUnder(page, viewer.x + viewer.width / 2, viewer.y + viewer.height / 2);
    const inside = await page.evaluate(async ([x, y]) => {
      const { placesAbove } = await import("/web/ui/components.js");
      const { layerRange } = await import("/web/ui/layers.js");
      const { pageState } = globalThis;
      const item = pageState.images[0];
      const { box: around } = placesAbove(item.result.overlay, item.result.size, pageState.settings.threshold, item, 1).places[0];
      return layerRange(pageState, item).hi > pageState.settings.threshold && x >= around.x - 1 && x <= around.x + around.width && y >= around.y - 1 && y <= around.y + around.height;
    }, at);
    assert.ok(inside, `${at} lies in the highest place`);
  });
});

test("layers: each map of the result can be shown, with its own threshold; the score stays", async () => {
  await withTiny(async (page) => {
    await withMap(page);
    const score = await scoreText(page);
    const reading = await page.getByTestId("reading").innerText();
    const layer = page.getByTestId("layer");
    const names = await layer.locator("option").allInnerTexts();
    assert.deepEqual([names[0], names.at(-1)], ["result", "none, picture alone"]);
    assert.ok(names.includes("level 1 of 4") && names.includes("level 4 of 4"), names.join());
    await page.getByTestId("threshold").fill("0.7");
    const own = await page.locator("#threshold-value").innerText();
    const box = await viewerBox(page);
    /** Drawn anew: that goes through the worker. */
    const shot = async (/** @type {string} */ layerName, /** @type {number | null} */ threshold) => {
      await page.waitForFunction(([name, value]) => {
        const text = document.getElementById("scale-caption").textContent;
        return text.includes(name) && (value === null ? text.includes("no threshold") : text.includes(`threshold ${value}`));
      }, [layerName, threshold]);
      await settled(page);
      // Without the buttons at its foot, whose text is not always smoothed in the same way.
      return page.screenshot({ clip: { ...box, height: box.height - 60 } });
    };
    await page.getByTestId("opacity").fill("100");
    const first = await shot("likeness", own);
    await layer.selectOption({ label: "level 2 of 4" });
    const second = await shot("level 2 of 4", null);
    assert.equal(first.equals(second), false);
    assert.equal(await page.locator("#threshold-value").innerText(), "not set", "a threshold belongs to its map");
    assert.match(await page.locator("#scale-caption").innerText(), /level 2 of 4/);
    assert.equal(await page.locator("#layer-hint").isVisible(), true);
    await page.getByTestId("threshold").fill("0.5");
    assert.equal((await shot("level 2 of 4", await page.locator("#threshold-value").innerText())).equals(second), false);
    await layer.selectOption({ label: "none, picture alone" });
    await settled(page);
    assert.equal(await page.getByTestId("hide-overlay").getAttribute("aria-pressed"), "true");
    await layer.selectOption({ label: "result" });
    assert.equal(await page.locator("#threshold-value").innerText(), own, "its own is back");
    const again = await shot("likeness", own);
    assert.ok(again.equals(first), "drawn as at first");
    assert.deepEqual([await scoreText(page), await page.getByTestId("reading").innerText()], [score, reading]);
  });
});

test("distances and areas are measured by mouse and by keyboard, in millimetres where the file has a spacing", async () => {
  await withTiny(async (page) => {
    await addImage(page, marked());
    const box = await viewerBox(page);
    const items = page.getByTestId("measure-item");
    const line = [[0.3, 0.5], [0.7, 0.5]].map(([u, v]) => [box.x + box.width * u, box.y + box.height * v]);
    const draw = async () => {
      await page.mouse.move(...line[0]);
      await page.mouse.down();
      await page.mouse.move(...line[1], { steps: 5 });
      await page.mouse.up();
    };
    await page.getByTestId("tool-ruler").click();
    await draw();
    const [a] = (await page.locator("#viewer").getAttribute("data-matrix")).split(" ").map(Number);
    const lengthPx = (line[1][0] - line[0][0]) / a;
    const [, found] = (await items.first().innerText()).match(/Distance ([\d.]+) px/);
    assert.ok(Math.abs(Number(found) - lengthPx) < 0.06, `${found} px, expected ${lengthPx}`);
    assert.equal(await page.locator("#measures-unit").isVisible(), true, "a warning: no millimetres");

    await giveValues(page, { spacingMm: [2, 0.5] });
    await page.waitForFunction(() => / mm/.test(document.querySelector("[data-testid=measure-item]")?.textContent ?? ""));
    const [, mm] = (await items.first().innerText()).match(/Distance ([\d.]+) mm/);
    assert.ok(Math.abs(Number(mm) - lengthPx * 0.5) < 0.06, `${mm} mm`);
    assert.equal(await page.locator("#measures-unit").isVisible(), false);

    // Turned by a quarter, the same two pixels are as far apart.
    await page.getByTestId("tool-right").click();
    assert.match(await items.first().innerText(), new RegExp(`Distance ${mm} mm`));
    await page.keyboard.press("Escape");

    // By keyboard: an ellipse of 8 × 4 pixels.
    await page.locator("#measure-kind").selectOption("area");
    await page.locator("#measure-x1").focus();
    for (const value of ["2", "3", "10", "99"]) await page.keyboard.type(value).then(() => page.keyboard.press("Tab"));
    await page.keyboard.press("Enter");
    assert.match(await page.locator("#measure-problem").innerText(), /inside the image, which has 40 × 24 pixels/);
    await page.locator("#measure-y2").fill("7");
    await page.locator("#measure-y2").press("Enter");
    assert.match(await items.nth(1).innerText(), new RegExp(`Ellipse ${((Math.PI / 4) * 8 * 0.5 * 4 * 2).toFixed(1)} mm²`));
    await items.first().getByRole("button").press("Enter");
    assert.equal(await items.count(), 1);
    assert.equal(await page.evaluate(() => document.activeElement?.id), "measures-title");
    await page.locator(".strip-remove").first().press("Enter");
    await addImage(page, marked());
    assert.equal(await items.count(), 0, "they go with their image");
  });
});

test("side by side: the same pixel at the same place of both panes, the overlay in one", async () => {
  await withTiny(async (page) => {
    await withMap(page);
    await page.getByTestId("threshold").fill("0");
    await page.getByTestId("opacity").fill("100");
    await page.getByTestId("tool-beside").click();
    await page.waitForTimeout(400);
    const box = await viewerBox(page);
    const [u, v] = [0.2, 0.45];
    const left = [box.x + box.width * u, box.y + box.height * v];
    const right = [left[0] + box.width / 2, left[1]];
    const pixel = await pixelUnder(page, ...left);
    assert.ok(pixel);
    assert.deepEqual(await pixelUnder(page, ...right), pixel);
    await page.mouse.wheel(0, -240);
    assert.deepEqual(await pixelUnder(page, ...right), pixel, "zoomed about the pointer in the second pane");
    assert.deepEqual(await pixelUnder(page, ...left), pixel, "and the first follows");
    await page.mouse.move(0, 0);
    await settled(page);
    const panes = async () => {
      const clip = { y: box.y + 40, height: box.height - 100, width: box.width / 2 - 8 };
      return [await page.screenshot({ clip: { ...clip, x: box.x + 4 } }), await page.screenshot({ clip: { ...clip, x: box.x + box.width / 2 + 4 } })];
    };
    const [without, covered] = await panes();
    await page.getByTestId("hide-overlay").click();
    await page.mouse.move(0, 0);
    await page.waitForTimeout(200);
    const [still, bare] = await panes();
    assert.ok(without.equals(still), "the first pane has no overlay");
    assert.equal(covered.equals(bare), false, "the second one has");
  });
});

test("by keyboard alone: the tools are one stop of Tab, arrows go through them, keys act and can be switched off", async () => {
  await withTiny(async (page) => {
    await addImage(page, marked());
    const matrix = () => page.locator("#viewer").getAttribute("data-matrix");
    const pressed = (id) => page.getByTestId(id).getAttribute("aria-pressed");
    await page.locator("#viewer").focus();
    const upright = await matrix();
    const press = async (key) => {
      await page.keyboard.press(key);
      await settled(page);
    };
    for (const keys of [["r", "l"], ["h", "h"], ["v", "v"], ["z", "z"]]) {
      await press(keys[0]);
      assert.notEqual(await matrix(), upright, keys[0]);
      await press(keys[1]);
      assert.equal(await matrix(), upright, keys.join());
    }
    for (const [key, id] of [["i", "tool-invert"], ["s", "tool-pixels"], ["w", "tool-window"], ["m", "tool-ruler"], ["e", "tool-area"]]) {
      await press(key);
      assert.equal(await pressed(id), "true", key);
    }
    await press("Escape");
    await press("r");
    await press("0");
    assert.deepEqual([await matrix(), await pressed("tool-invert"), await pressed("tool-area")], [upright, "false", "false"]);
    await press("s");

    const stops = await page.locator("#toolbar button").evaluateAll((nodes) => nodes.filter((node) => !node.disabled && node.tabIndex === 0).length);
    assert.equal(stops, 1);
    await page.locator("#toolbar button[tabindex='0']").focus();
    await press("ArrowRight");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "tool-window");
    await press("End");
    await press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "tool-reset");
    assert.equal(await page.locator(".strip-pick").first().getAttribute("aria-current"), "true", "the arrows stay in the tools");

    await addImage(page, marked());
    await addImage(page, marked());
    const current = () => page.locator(".strip-pick[aria-current=true]").evaluate((node) => [...document.querySelectorAll(".strip-pick")].indexOf(node));
    await page.locator("#viewer").focus();
    await press("Home");
    assert.equal(await current(), 0);
    await press("End");
    assert.equal(await current(), 2);

    await press("?");
    const help = await page.locator("dialog .keys").innerText();
    for (const words of ["turn right, left", "invert", "windows of CT", "measure a distance"]) assert.ok(help.includes(words), words);
    await page.getByTestId("single-keys").uncheck();
    await press("Escape");
    await page.locator("#viewer").focus();
    const before = await matrix();
    for (const key of ["r", "h", "i", "w", "1", "0"]) await press(key);
    assert.equal(await matrix(), before, "switched off");
    assert.deepEqual([await pressed("tool-invert"), await pressed("tool-window")], ["false", "false"]);
  });
});

test("on a phone: two fingers zoom about their middle, tools fit, the rare ones are behind More", async () => {
  const context = await browser.newContext({ viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true, serviceWorkers: "block" });
  try {
    const page = await context.newPage();
    await openReady(page, { model: TINY, device: "cpu" });
    await addImage(page, marked());
    await page.evaluate(() => scrollTo(0, 0));
    for (const width of [320, 390]) {
      await page.setViewportSize({ width, height: 800 });
      const wrong = await page.evaluate(() => [...document.querySelectorAll("#toolbar button")].filter((node) => node.getClientRects().length > 0).map((node) => node.getBoundingClientRect()).filter(({ right, height }) => right > innerWidth || height < 36).length);
      assert.equal(wrong, 0, `no tool is cut off or too small at ${width} px`);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
    }
    await settled(page);

    const box = await viewerBox(page);
    const devtools = await context.newCDPSession(page);
    const touch = (type, points) => devtools.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
    const matrix = async () => (await page.locator("#viewer").getAttribute("data-matrix")).split(" ").map(Number);
    const pixelAt = async (x, y) => {
      const [a, , , d, e, f] = await matrix();
      return [(x - box.x - e) / a, (y - box.y - f) / d];
    };
    const [x, y] = [box.x + box.width * 0.4, box.y + box.height * 0.45];
    const pixel = await pixelAt(x, y);
    await touch("touchStart", [[x - 20, y], [x + 20, y]]);
    for (let step = 1; step <= 10; step++) await touch("touchMove", [[x - 20 - 5 * step, y], [x + 20 + 5 * step, y]]);
    await touch("touchEnd", []);
    await settled(page);
    const zoom = Number(await page.locator("#viewer").getAttribute("data-zoom"));
    assert.ok(zoom > 2.5 && zoom < 4.5, `zoomed ${zoom} times`);
    const now = await pixelAt(x, y);
    for (const n of [0, 1]) assert.ok(Math.abs(now[n] - pixel[n]) < 1, `${now}, was ${pixel}`);

    assert.equal(await page.getByTestId("tool-flipH").isVisible(), false);
    await page.getByTestId("tool-more").tap();
    await page.getByTestId("tool-flipH").tap();
    await settled(page);
    assert.ok((await matrix())[0] < 0, "flipped");
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    // A tool takes the finger: here it measures instead of scrolling.
    await page.getByTestId("tool-ruler").tap();
    await page.evaluate(() => scrollTo(0, 0));
    await touch("touchStart", [[x, y]]);
    for (let step = 1; step <= 6; step++) await touch("touchMove", [[x + 8 * step, y - 8 * step]]);
    await touch("touchEnd", []);
    await page.getByTestId("measure-item").waitFor({ state: "attached" });
    assert.equal(await page.evaluate(() => scrollY), 0);
  } finally {
    await context.close();
  }
});
