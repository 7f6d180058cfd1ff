// The table of all images: sorted, filtered, gone through by keyboard alone, what was seen, as CSV; a thousand rows stay fast.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { TINY, chooseMode, giveFiles, openReady, waitForState } from "./actions.mjs";
import { brokenPictures, greyPng, tinyPicture } from "./fixtures.mjs";
import { SITE, launch, withPage } from "./harness.mjs";
import { showState } from "./inside.mjs";

/** The page's thread, opening, filtering and sorting a thousand rows; a slow machine is given time. */
const MOST_MS = 1000;

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

const withTiny = (work) => withPage(browser, { prepare: showState }, async (page) => {
  await openReady(page, { model: TINY, device: "cpu" });
  await work(page);
});

const picture = (n, phase) => greyPng(`scan_${n}.png`, 70, 70, (x, y) => (x * 3 + y * phase) % 256);
const names = (page) => page.getByTestId("table-row").evaluateAll((rows) => rows.map((row) => row.querySelector("button span").textContent));
const column = (page, n) => page.getByTestId("table-row").evaluateAll((rows, at) => rows.map((row) => row.cells[at].textContent), n);
const focusedRow = (page) => page.evaluate(() => document.activeElement?.closest("tr")?.querySelector("span")?.textContent ?? null);

/** Three analysed images, one unreadable file. */
async function withResults(page) {
  await page.getByTestId("object-select").selectOption("brain");
  await chooseMode(page, "few");
  await giveFiles(page, "support-input", ["support_0.png", "support_1.png"].map(tinyPicture));
  await page.waitForFunction(() => document.querySelectorAll("[data-testid=support-item][data-state=ready]").length === 2);
  await giveFiles(page, "file-input", [picture(10, 5), picture(2, 1), picture(1, 9), { ...brokenPictures()[0], name: "broken.png" }]);
  await page.waitForFunction(() => document.querySelectorAll(".strip-thumb canvas").length === 3);
  await page.getByTestId("error").first().waitFor();
  await page.locator(".message .icon-button").first().click();
  await page.getByTestId("analyse-all").click();
  await page.waitForFunction(() => globalThis.pageState.run === null && globalThis.pageState.images.filter(({ result }) => result).length === 3);
}

test("by keyboard: opened, sorted, filtered, an image chosen; what was in view counts as seen", async () => {
  await withTiny(async (page) => {
    await withResults(page);
    await page.locator("#viewer").focus();
    await page.keyboard.press("t");
    await page.getByTestId("table").waitFor();
    // Files come in the order of their numbers.
    assert.deepEqual(await names(page), ["broken.png", "scan_1.png", "scan_2.png", "scan_10.png"]);
    assert.match((await column(page, 4))[0], /^not readable: /);
    assert.deepEqual((await column(page, 4)).slice(1), ["analysed", "analysed", "analysed"]);
    for (const score of (await column(page, 1)).slice(1)) assert.match(score, /^-?\d+\.\d\d$/);
    assert.match(await page.getByTestId("table-count").innerText(), /^4 images, 3 not seen yet\.$/);

    const head = page.locator("[data-column=score]");
    await head.getByRole("button").press("Enter");
    assert.equal(await head.getAttribute("aria-sort"), "descending");
    const falling = (await column(page, 1)).filter(Boolean).map(Number);
    assert.deepEqual(falling, [...falling].sort((a, b) => b - a));
    assert.equal((await names(page)).at(-1), "broken.png", "without a score it comes last");
    await head.getByRole("button").press("Enter");
    assert.equal(await head.getAttribute("aria-sort"), "ascending");
    const rising = await names(page);
    assert.equal(rising.at(-1), "broken.png");
    await head.getByRole("button").press("Enter");
    assert.equal(await head.getAttribute("aria-sort"), "none");

    await page.getByTestId("table-text").fill("scan_1");
    assert.deepEqual(await names(page), ["scan_1.png", "scan_10.png"]);
    await page.getByTestId("table-text").fill("");
    await page.getByTestId("table-filter").selectOption("error");
    assert.deepEqual(await names(page), ["broken.png"]);
    await page.getByTestId("table-filter").selectOption("unread");
    assert.deepEqual(await names(page), ["scan_1.png", "scan_2.png", "scan_10.png"]);

    await page.locator("[data-testid=table-row] button[tabindex='0']").focus();
    const first = await focusedRow(page);
    await page.keyboard.press("End");
    assert.equal(await focusedRow(page), "scan_10.png");
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowDown");
    assert.deepEqual([first, await focusedRow(page)], ["scan_1.png", "scan_2.png"]);
    await page.keyboard.press("Enter");
    await page.getByTestId("table").waitFor({ state: "detached" });
    assert.match(await page.locator(".strip-pick[aria-current=true]").innerText(), /scan_2/);
    assert.equal(await page.evaluate(() => document.activeElement?.id), "viewer");

    // The next one that was not seen, around the end of the list.
    for (const wanted of ["scan_10.png", "scan_1.png"]) {
      await page.keyboard.press("n");
      await page.waitForFunction((name) => {
        const item = globalThis.pageState.images.find(({ id }) => id === globalThis.pageState.currentId);
        return item.name === name && item.bitmap;
      }, wanted);
      await page.waitForTimeout(100);
    }
    await page.keyboard.press("t");
    assert.match(await page.getByTestId("table-count").innerText(), /^0 of 4 images, 0 not seen yet\.$/, "the filter is kept");
    await page.keyboard.press("Escape");

    // A new result has not been seen, unless it is in view.
    await page.getByTestId("augment-select").selectOption("none");
    await page.getByTestId("analyse-all").click();
    await page.waitForFunction(() => globalThis.pageState.run !== null);
    await page.waitForFunction(() => globalThis.pageState.run === null, undefined, { timeout: 120_000 });
    await page.getByTestId("table-button").click();
    assert.equal((await names(page)).length, 2);
    await page.getByTestId("table-next").press("Enter");
    await page.getByTestId("table").waitFor({ state: "detached" });
  });
});

test("the table is saved as CSV, without file names unless ticked", async () => {
  await withTiny(async (page) => {
    await withResults(page);
    const saved = async () => {
      await page.getByTestId("table-button").click();
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("table-csv").click()]);
      assert.equal(download.suggestedFilename(), "images.csv");
      await page.keyboard.press("Escape");
      await page.getByTestId("table").waitFor({ state: "detached" });
      return readFileSync(await download.path(), "utf8").trimEnd().split("\r\n");
    };
    const lines = await saved();
    assert.equal(lines[0], "image,score,reading,peak_area_px,peak_area_mm2,peak,state,seen");
    assert.equal(lines.length, 5);
    assert.doesNotMatch(lines.join(), /scan_|broken\.png/);
    const scores = await page.evaluate(() => globalThis.pageState.images.map(({ label, result }) => [label, result?.score ?? ""].join()));
    assert.deepEqual(lines.slice(1).map((line) => line.split(",").slice(0, 2).join()), scores);
    await page.locator("#report-names").check();
    assert.match((await saved())[2], /^Image \d,scan_1\.png,/);
  });
});

test("CSV cells are quoted, and no spreadsheet takes one for a formula", async () => {
  await withPage(browser, {}, async (page) => {
    await page.goto(SITE);
    await waitForState(page, ["ready", "done", "error"], 300_000);
    const line = await page.evaluate(async () => {
      const { csvOf } = await import("/web/ui/triage.js");
      const item = { label: "Image 1" };
      return csvOf({ settings: {} }, [{ item, name: '=HYPERLINK("x"),y', score: -0.5, reading: "", state: "not analysed", isRead: false }], true).split("\r\n")[1];
    });
    assert.equal(line, `Image 1,"'=HYPERLINK(""x""),y",-0.5,,,,,not analysed,no`);
  });
});

test("a thousand analysed images are shown, sorted and filtered without holding the page", async (t) => {
  await withTiny(async (page) => {
    await withResults(page);
    await page.evaluate(() => {
      const { pageState, pageChanged } = globalThis;
      const example = pageState.images.find(({ result }) => result);
      const more = Array.from({ length: 1000 }, (_, n) => {
        const result = { ...example.result, score: (n * 37) % 1000, overlay: example.result.overlay.map((value) => value + n / 1e4) };
        return { ...example, id: 100 + n, name: `case_${n}.png`, path: `folder ${n % 20}/case_${n}.png`, label: `Image ${100 + n}`, thumb: null, bitmap: null, result, seen: null };
      });
      pageState.images = [...pageState.images, ...more];
      pageChanged();
    });
    await page.waitForFunction(() => document.querySelectorAll(".strip-item").length === 1004);
    // The list beside the picture is made and laid out.
    await page.waitForTimeout(1500);
    const timed = async (act, done) => {
      await page.evaluate(() => (globalThis.longest = 0, globalThis.watcher = new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => (globalThis.longest = Math.max(globalThis.longest, duration)))), globalThis.watcher.observe({ type: "longtask" })));
      const begun = Date.now();
      await act();
      await page.waitForFunction(done);
      const ms = Date.now() - begun;
      await page.waitForTimeout(100);
      return { ms, longest: await page.evaluate(() => (globalThis.watcher.disconnect(), Math.round(globalThis.longest))) };
    };
    const times = {
      open: await timed(() => page.getByTestId("table-button").click(), () => document.querySelector("[data-testid=table]")?.getAttribute("aria-rowcount") === "1005" && document.querySelector("[data-testid=table-row]")),
      sort: await timed(() => page.locator("[data-column=area] button").click(), () => document.querySelector("[data-column=area]").ariaSort === "descending"),
      filter: await timed(() => page.getByTestId("table-text").fill("case_99"), () => document.querySelectorAll("[data-testid=table-row]").length === 11),
    };
    t.diagnostic(JSON.stringify(times));
    for (const [what, { longest }] of Object.entries(times)) assert.ok(longest < MOST_MS, `${what}: ${longest} ms`);
    await page.locator("[data-testid=table-row] button[tabindex='0']").focus();
    assert.ok((await page.getByTestId("table-row").count()) < 100);
    await page.getByTestId("table-text").fill("");
    await page.waitForFunction(() => document.querySelector("[data-testid=table]").getAttribute("aria-rowcount") === "1005");
    await page.locator("[data-testid=table-row] button[tabindex='0']").focus();
    for (const [key, index] of [["Home", 0], ["PageDown", 10], ["End", 1003], ["ArrowUp", 1002], ["PageUp", 992]]) {
      await page.keyboard.press(key);
      await page.waitForTimeout(100);
      assert.equal(await page.evaluate(() => Number(document.activeElement.closest("tr")?.dataset.index)), index, key);
    }
    // Scrolled by the wheel, the rows in sight are there.
    await page.locator(".table-scroll").evaluate((node) => (node.scrollTop = 500 * 44));
    await page.locator("[data-testid=table-row][data-index='505']").waitFor();
    await page.keyboard.press("End");
    await page.waitForTimeout(100);
    const inSight = await page.evaluate(() => {
      const { top, bottom } = document.activeElement.getBoundingClientRect();
      const box = document.querySelector(".table-scroll").getBoundingClientRect();
      return top >= box.top && bottom <= box.bottom + 1;
    });
    assert.ok(inSight, "the row with the focus is in sight");
  });
});

test("slices have their series, number and place in the table and in the CSV, in their order", async () => {
  await withTiny(async (page) => {
    await chooseMode(page, "few");
    await giveFiles(page, "support-input", ["support_0.png", "support_1.png"].map(tinyPicture));
    await page.waitForFunction(() => document.querySelectorAll("[data-testid=support-item][data-state=ready]").length === 2);
    await giveFiles(page, "file-input", [join(import.meta.dirname, "../../formats/tests/files/nifti/anatomical.nii")]);
    await page.getByTestId("stack-bar").waitFor();
    await page.getByTestId("slices-title").click();
    await page.getByTestId("slices-from").fill("11");
    await page.getByTestId("slices-to").fill("15");
    await page.getByTestId("slices-analyse").click();
    await page.waitForFunction(() => globalThis.pageState.run === null && globalThis.pageState.images.filter(({ result }) => result).length === 5);
    await page.getByTestId("table-button").click();
    await page.getByTestId("table-row").first().waitFor();
    const heads = await page.locator(".triage th").allInnerTexts();
    assert.deepEqual(heads.slice(0, 4), ["Image", "Series", "Slice", "Position (mm)"]);
    const slices = ["11", "12", "13", "14", "15"];
    assert.deepEqual(await column(page, 2), slices);
    assert.match((await column(page, 1))[0], /^(\w+, )?axial, \d+ × \d+, 25 slices$/);
    assert.match((await column(page, 0))[0], /^1 anatomical.*, slice 11, not seen yet$/, "who hears it hears which slice");
    const places = (await column(page, 3)).map(Number);
    assert.equal(new Set(places).size, 5);
    // Equal names and series stay in the order of the slices, whichever was looked at first.
    for (const head of ["series", "series", "series"]) {
      await page.locator(`[data-column=${head}] button`).click();
      assert.deepEqual(await column(page, 2), slices);
    }
    await page.locator("[data-column=position] button").click();
    assert.deepEqual((await column(page, 3)).map(Number), [...places].sort((a, b) => a - b));
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("table-csv").click()]);
    const lines = readFileSync(await download.path(), "utf8").trimEnd().split("\r\n");
    assert.match(lines[0], /^image,series,slice,position_mm,score,/);
    assert.equal(lines.length, 6);
    for (const line of lines.slice(1)) assert.match(line, /^"Image 1, slice 1[1-5]","[^"]*axial, \d+ × \d+, 25 slices",1[1-5],-?[\d.]+,/);
    assert.doesNotMatch(lines.join(), /anatomical/);
  });
});

test("the next one not seen follows the order and the filter of the table", async () => {
  await withTiny(async (page) => {
    await withResults(page);
    await page.getByTestId("table-button").click();
    await page.locator("[data-column=score] button").click();
    const order = (await names(page)).filter((name) => name !== "broken.png");
    // Nothing was seen but the highest.
    await page.getByTestId("table-row").first().getByRole("button").click();
    await page.waitForFunction((name) => globalThis.pageState.images.find(({ id }) => id === globalThis.pageState.currentId).name === name, order[0]);
    await page.evaluate((name) => {
      for (const item of globalThis.pageState.images) item.seen = item.name === name ? item.result : null;
      globalThis.pageChanged();
    }, order[0]);
    const next = async () => {
      const before = await page.evaluate(() => globalThis.pageState.currentId);
      await page.keyboard.press("n");
      await page.waitForFunction((id) => globalThis.pageState.currentId !== id, before);
      await page.waitForTimeout(150);
      return page.evaluate(() => globalThis.pageState.images.find(({ id }) => id === globalThis.pageState.currentId).name);
    };
    assert.deepEqual([await next(), await next()], order.slice(1), "falling scores");

    await page.evaluate(() => {
      for (const item of globalThis.pageState.images) item.seen = null;
      globalThis.pageChanged();
    });
    await page.waitForTimeout(100);
    await page.keyboard.press("t");
    await page.getByTestId("table-text").fill(order[0]);
    await page.locator("dialog .icon-button").click();
    await page.getByTestId("table").waitFor({ state: "detached" });
    assert.equal(await next(), order[0], "the only row that the filter leaves");
    await page.keyboard.press("n");
    await page.getByText("The table's filter leaves none to go to; 1 image was not seen yet.").waitFor();
    await page.getByRole("button", { name: "Take the filter off" }).click();
    await page.waitForFunction((name) => globalThis.pageState.images.find(({ id }) => id === globalThis.pageState.currentId).name === name, order[1]);
  });
});

test("on a phone the names stay in sight, no head is broken, areas are whole, and it is said that more columns follow", async () => {
  await withTiny(async (page) => {
    await withResults(page);
    await page.evaluate(() => {
      for (const item of globalThis.pageState.images) Object.assign(item, { spacingMm: [0.9, 0.9], width: 512, height: 512 });
      globalThis.pageState.settings = { ...globalThis.pageState.settings, threshold: 0.01 };
      globalThis.pageChanged();
    });
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 800 });
      await page.getByTestId("table-button").click();
      await page.getByTestId("table-row").first().waitFor();
      const cut = await page.locator(".triage .number div").evaluateAll((all) => all.filter((node) => node.scrollWidth > node.clientWidth || node.scrollHeight > 36).map((node) => node.textContent));
      assert.deepEqual(cut, [], `${width}: areas and scores are whole`);
      assert.ok((await column(page, 3)).some((text) => /px,\n.*mm²/.test(text)), "there is an area in mm²");
      const broken = await page.locator(".triage th:not([hidden]) button").evaluateAll((all) => all.filter((node) => node.scrollWidth > node.clientWidth).map((node) => node.textContent));
      assert.deepEqual(broken, [], `${width}: heads are whole`);
      assert.equal(await page.getByTestId("table-more").isVisible(), width === 390);
      await page.locator(".table-scroll").evaluate((node) => (node.scrollLeft = 1000));
      const inSight = await page.evaluate(() => {
        const cell = document.querySelector("[data-testid=table-row] td").getBoundingClientRect();
        const box = document.querySelector(".table-scroll").getBoundingClientRect();
        return Math.abs(cell.left - box.left) < 3;
      });
      assert.ok(inSight, `${width}: the name stays`);
      await page.keyboard.press("Escape");
      await page.getByTestId("table").waitFor({ state: "detached" });
    }
  });
});
