// Words of a person's own: through the package, where the text tower runs in the lab's module, and in the panel.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { TINY, analyse, chooseMode, giveFiles, openReady, savedReport, waitForState } from "./actions.mjs";
import { slice, tinyPicture } from "./fixtures.mjs";
import { SMALL, formulaBundle } from "./formula-bundle.mjs";
import { SITE, launch, withPage } from "./harness.mjs";

const LOAD_MS = 120_000;
const PICTURE = "brain1_016";
/** As in tests/parity/method.rs. */
const TEXT_LIMIT = 1e-6;
/** From the pause of typing to the finished map, on the processor tier. */
const APPLIED_MS = 1_000;
const LONG = Array(75).fill("photo").join(" ");

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

const base64 = (file) => readFileSync(file).toString("base64");

/** A tensor of the reference's values. */
function golden(name) {
  const file = readFileSync(new URL("../fixtures/reference/tiny/golden.safetensors", import.meta.url));
  const length = Number(file.readBigUInt64LE(0));
  const { data_offsets: [from, to] } = JSON.parse(file.subarray(8, 8 + length).toString())[name];
  return new Float32Array(file.buffer.slice(file.byteOffset + 8 + length + from, file.byteOffset + 8 + length + to));
}

/** Runs `work` in a page that has the package and one picture, and a session on the tiny model. */
async function inSession(work, args = {}) {
  let found;
  await withPage(browser, {}, async (page) => {
    await page.goto(new URL("pkg/README.md", SITE).href);
    await page.evaluate(async ([model, text, given]) => {
      const { Session } = await import("/pkg/index.js");
      const picture = new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]);
      const session = await Session.open(model, { device: "cpu" });
      const plain = ({ score, map, overlay, levels, words }) => ({ score, map: Array.from(map), overlay: Array.from(overlay), levels: levels.map((level) => Array.from(level)), words });
      const zero = async (object = "brain") => plain(await session.analyse(picture, { object, mode: "zero" }));
      globalThis.tools = { session, picture, zero, ...given };
    }, [TINY, base64(tinyPicture("input_rgb.png")), args]);
    // As a text: the page's policy lets no code be made of texts inside it.
    found = await page.evaluate(`(${work})(globalThis.tools)`);
    await page.evaluate(() => globalThis.tools.session.close());
  });
  return found;
}

test("the text tower in the lab's module gives the reference's text features", async () => {
  const found = await inSession(async ({ session }) => {
    const features = {};
    for (const object of ["brain", "chest", "his"]) {
      const { words } = await session.encodePrompts(await session.promptsOf(object));
      features[object] = { values: Array.from(words.features), columns: words.columns };
    }
    return features;
  });
  for (const [object, name] of [["brain", "Brain"], ["chest", "Chest"], ["his", "Histopathology"]]) {
    const expected = golden(`text.${name}`);
    const { values, columns } = found[object];
    assert.equal(columns, 2);
    assert.equal(values.length, expected.length);
    const furthest = Math.max(...values.map((value, n) => Math.abs(value - expected[n])));
    assert.ok(furthest <= TEXT_LIMIT, `${name}: ${furthest}`);
  }
});

test("other words make another map, and the model's own come back bit by bit", async () => {
  const found = await inSession(async ({ session, zero }) => {
    const paper = await zero();
    const prompts = await session.promptsOf("brain");
    const set = await session.setPrompts("brain", { ...prompts, abnormal: ["{} with bleeding"] });
    const own = await zero();
    const promptsNow = await session.promptsOf("brain");
    const chest = await zero("chest");
    const empty = await session.setPrompts("brain", { ...prompts, contrast: [] });
    const same = await zero();
    const with1 = await session.setPrompts("brain", { ...prompts, contrast: ["skull", " "] });
    const contrasted = await zero();
    await session.setPrompts("brain", null);
    return { paper, prompts, set, own, promptsNow, chest, empty, same, with1, contrasted, back: await zero() };
  });
  assert.equal(found.prompts.normal.length, 7);
  assert.equal(found.prompts.abnormal.length, 5);
  assert.deepEqual(found.set.problems, []);
  assert.equal(found.set.applied, true);
  assert.equal(found.paper.words, null);
  assert.deepEqual(found.own.words, { organ: "Brain", normal: found.prompts.normal, abnormal: ["{} with bleeding"], contrast: [] });
  assert.deepEqual(found.promptsNow, found.own.words);
  assert.notDeepEqual(found.own.map, found.paper.map);
  assert.equal(found.chest.words, null, "another object keeps its words");
  // The same words through the tower: the features of the bundle but for rounding.
  const off = Math.max(...found.same.map.map((value, n) => Math.abs(value - found.paper.map[n])));
  assert.ok(off < 1e-4, `${off}`);
  assert.deepEqual(found.with1.prompts.contrast, ["skull"]);
  assert.ok(found.contrasted.levels.every((level, l) => level.every((value, n) => value <= found.same.levels[l][n])), "contrast only takes off");
  assert.deepEqual(found.back, found.paper);
});

test("what cannot be read is reported, and nothing is cut", async () => {
  const found = await inSession(async ({ session, zero, LONG }) => {
    const prompts = await session.promptsOf("brain");
    const error = async (changed) => session.setPrompts("brain", { ...prompts, ...changed }).then(() => null, ({ name, message }) => ({ name, message }));
    const paper = await zero();
    return {
      paper,
      long: await session.setPrompts("brain", { ...prompts, abnormal: [LONG, "damaged {}"] }),
      after: await zero(),
      emptyNormal: await error({ normal: [" ", ""] }),
      emptyAbnormal: await error({ abnormal: [] }),
      noOrgan: await error({ organ: " " }),
      wrong: await error({ normal: "flawless {}" }),
      unknownObject: await session.setPrompts("nothing", prompts).catch(({ name }) => name),
      letters: await session.setPrompts("brain", { organ: "мозг", normal: ["{} תקין"], abnormal: ["{} مع نزيف", "脑肿瘤"], contrast: ["🧠"] }),
      foreign: await zero(),
    };
  }, { LONG });
  const [problem] = found.long.problems;
  assert.equal(found.long.applied, false);
  assert.equal(problem.kind, "tooLong");
  assert.equal(problem.line, LONG);
  assert.equal(problem.limit, 77);
  assert.ok(problem.tokens > 77 && problem.text.includes(String(problem.tokens)), problem.text);
  assert.deepEqual(found.after, found.paper, "what is too long changes nothing");
  for (const [error, list] of [[found.emptyNormal, "normal"], [found.emptyAbnormal, "abnormal"]]) {
    assert.equal(error.name, "UsageError");
    assert.match(error.message, new RegExp(`list of ${list} states is empty; give at least one line`));
  }
  assert.match(found.noOrgan.message, /organ has no name/);
  assert.equal(found.wrong.name, "UsageError");
  assert.equal(found.unknownObject, "UsageError");
  assert.equal(found.letters.applied, true);
  assert.ok(found.letters.problems.some(({ kind, what }) => kind === "unknown" && what === "脑肿瘤"), JSON.stringify(found.letters.problems));
  assert.equal(found.foreign.words.abnormal[0], "{} مع نزيف");
});

test("the table names every line once, the most alike first, from the words in force", async () => {
  const found = await inSession(async ({ session, picture }) => {
    const result = await session.analyse(picture, { object: "brain", mode: "zero" });
    const { strongestPatches } = await import("/pkg/index.js");
    const paper = await session.wordTable(picture, result);
    await session.setPrompts("brain", { ...(await session.promptsOf("brain")), contrast: ["skull"] });
    const own = await session.wordTable(picture, await session.analyse(picture, { object: "brain", mode: "zero" }));
    const all = await session.wordTable(picture, result, { patches: [...result.levels[0].keys()] });
    const none = await session.wordTable(picture, result, { patches: [] }).catch(({ name }) => name);
    return { paper, own, all, none, patches: strongestPatches(result), highest: result.levels[0].length };
  });
  assert.equal(found.paper.length, 12);
  assert.deepEqual(found.paper.map(({ here }) => here), found.paper.map(({ here }) => here).sort((a, b) => b - a));
  assert.ok(found.paper.every(({ here, elsewhere }) => Math.abs(here) <= 1 && Math.abs(elsewhere) <= 1));
  assert.ok(found.paper.some(({ words, list }) => words === "flawless Brain" && list === "normal"));
  assert.deepEqual(found.own.filter(({ list }) => list === "contrast").map(({ words }) => words), ["skull"]);
  assert.ok(found.all.every(({ elsewhere }) => Number.isNaN(elsewhere)));
  assert.equal(found.none, "UsageError");
  assert.ok(found.patches.length > 0 && found.patches.length < found.highest);
});

/** The page with the default model, a slice compared with words, and the panel open. */
async function panel(page) {
  await openReady(page, { device: "cpu" }, LOAD_MS);
  await page.getByTestId("object-select").selectOption("brain");
  await chooseMode(page, "zero");
  await giveFiles(page, "file-input", slice(PICTURE));
  await analyse(page, LOAD_MS);
  await page.getByTestId("words-title").click();
  await page.waitForFunction(() => document.querySelector("#words-normal")?.value.includes("flawless"));
}

const told = (page) => page.getByTestId("words-status").innerText();

/** Types a list and waits for what becomes of it. */
async function type(page, list, text, expected = /^Applied/) {
  await page.getByTestId(`words-${list}`).fill(text);
  await page.waitForFunction((pattern) => new RegExp(pattern).test(document.querySelector("[data-testid=words-status]")?.textContent ?? ""), expected.source);
}

/** What the canvas shows, as one text. */
const picture = (page) => page.getByTestId("overlay-canvas").screenshot().then((png) => png.toString("base64"));

test("typed words are applied after a pause, within a second, and nothing is asked of the network", async (t) => {
  await withPage(browser, {}, async (page, record) => {
    await panel(page);
    const loaded = record.requests.length;
    const before = await picture(page);
    assert.match(await told(page), /the paper's words/);
    await page.evaluate(() => {
      globalThis.typedMs = 0;
      document.querySelector("#words-abnormal")?.addEventListener("input", () => (globalThis.typedMs = performance.now()));
      new MutationObserver(() => {
        const { state } = document.querySelector("main").dataset;
        if (state === "busy") globalThis.busyMs = performance.now();
        if (state === "done") globalThis.doneMs = performance.now();
      }).observe(document.querySelector("main"), { attributes: true, attributeFilter: ["data-state"] });
    });
    for (const line of ["{} with a tumour", "{} with bleeding"]) {
      await page.evaluate(() => (globalThis.doneMs = 0));
      await type(page, "abnormal", `damaged {}\n${line}`);
      await page.waitForFunction(() => globalThis.doneMs > globalThis.typedMs);
      // The pause of typing is 0.7 s.
      const tookMs = await page.evaluate(() => globalThis.doneMs - globalThis.typedMs - 700);
      t.diagnostic(`${line}: ${Math.round(tookMs)} ms from the pause to the map; ${await told(page)}`);
      if (line.includes("bleeding")) assert.ok(tookMs <= APPLIED_MS, `${tookMs} ms`);
    }
    assert.notEqual(await picture(page), before);
    assert.match(await page.getByTestId("words-title").innerText(), /your own/);
    assert.match(await page.getByTestId("words-problems").innerText(), /not learned these words.*: bleeding/s);
    assert.match(await page.getByTestId("words-doubt").innerText(), /synthetic/);
    await page.getByTestId("words-table").waitFor();
    assert.equal(await page.getByTestId("words-table").locator("tbody tr").count(), 9);
    const [image] = (await savedReport(page)).images;
    assert.deepEqual(image.ownWords.abnormal, ["damaged {}", "{} with bleeding"]);
    assert.equal(image.madeWithOlderSettings, false);

    await page.getByTestId("words-paper").click();
    await page.waitForFunction(() => /the paper's words/.test(document.querySelector("[data-testid=words-status]").textContent));
    await waitForState(page, "done", LOAD_MS);
    assert.equal(await picture(page), before, "the paper's map again");
    assert.equal((await savedReport(page)).images[0].ownWords, undefined);
    assert.deepEqual(record.network(loaded), [], "requests since ready");
    assert.equal(await page.locator("#requests-count").innerText(), "0");
  });
});

test("words that a problem stops leave the map as it is, and words from right to left have their place", async () => {
  await withPage(browser, {}, async (page) => {
    await panel(page);
    const before = await picture(page);
    await type(page, "abnormal", `damaged {}\n${LONG}`, /^Not applied/);
    assert.match(await page.getByTestId("words-problems").innerText(), /at most 77 are possible/);
    await type(page, "abnormal", "", /^Not applied/);
    await page.getByText("The list of abnormal states is empty; give at least one line, or take the paper's words.").waitFor();
    assert.equal(await picture(page), before);
    assert.equal((await savedReport(page)).images[0].madeWithOlderSettings, false);
    await page.getByTestId("words-organ").fill("דוח מוח");
    await type(page, "abnormal", "{} עם דימום\n{} مع نزيف\nbleeding <b>\n脑肿瘤");
    await waitForState(page, "done", LOAD_MS);
    assert.equal(await page.locator("#words-abnormal").evaluate((area) => getComputedStyle(area).unicodeBidi), "plaintext");
    await page.getByTestId("words-table").waitFor();
    assert.ok((await page.getByTestId("words-table").innerText()).includes("bleeding <b>"));
    const panelBox = await page.locator("#panel").boundingBox();
    const box = await page.locator("#words").boundingBox();
    assert.ok(box.x >= panelBox.x && box.x + box.width <= panelBox.x + panelBox.width + 1, "nothing sticks out");
  });
});

test("the lists come back from a file and with a workspace", async () => {
  let workspace = "";
  let lists = "";
  await withPage(browser, {}, async (page) => {
    await panel(page);
    await type(page, "contrast", "skull\nثقب");
    await waitForState(page, "done", LOAD_MS);
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByTestId("words-save").click()]);
    assert.equal(file.suggestedFilename(), "words-brain.json");
    lists = await file.path();
    assert.deepEqual(JSON.parse(await readFile(lists, "utf8")).contrast, ["skull", "ثقب"]);
    const [saved] = await Promise.all([page.waitForEvent("download"), page.getByTestId("workspace-save").click()]);
    workspace = `${await saved.path()}.mvfa`;
    await saved.saveAs(workspace);
    await page.getByTestId("words-paper").click();
    await page.waitForFunction(() => document.querySelector("#words-contrast")?.value === "");
    await giveFiles(page, "words-file", { name: "words.json", mimeType: "application/json", buffer: await readFile(lists) });
    await page.waitForFunction(() => document.querySelector("#words-contrast")?.value === "skull\nثقب");
    await giveFiles(page, "words-file", { name: "other.json", mimeType: "application/json", buffer: Buffer.from("{}") });
    await page.getByText("other.json could not be opened as words. It is no list of words of this page.").first().waitFor();
  });
  await withPage(browser, {}, async (page) => {
    await openReady(page, { device: "cpu" }, LOAD_MS);
    await giveFiles(page, "file-input", workspace);
    await waitForState(page, "done", LOAD_MS);
    assert.equal(await page.locator("#stale").isVisible(), false, "the lists are those of the result");
    await page.getByTestId("words-title").click();
    await page.waitForFunction(() => document.querySelector("#words-contrast")?.value === "skull\nثقب");
    assert.deepEqual((await savedReport(page)).images[0].ownWords.contrast, ["skull", "ثقب"]);
    // A new image is compared with them.
    await giveFiles(page, "file-input", slice("brain1_009"));
    await page.getByTestId("strip-item").nth(1).click();
    await analyse(page, LOAD_MS);
    const { images } = await savedReport(page);
    assert.deepEqual(images[1].ownWords, images[0].ownWords);
  });
});

test("several images in several workers are compared with the same words", async () => {
  const cores = (context) => context.addInitScript(() => Object.defineProperty(navigator, "hardwareConcurrency", { get: () => 4 }));
  await withPage(browser, { prepare: cores }, async (page) => {
    await panel(page);
    await type(page, "abnormal", "broken {}");
    await waitForState(page, "done", LOAD_MS);
    await giveFiles(page, "file-input", Array.from({ length: 9 }, (_, n) => ({ name: `${n}.png`, mimeType: "image/png", buffer: readFileSync(slice(PICTURE)) })));
    await page.getByTestId("strip-item").nth(9).waitFor();
    await page.getByTestId("analyse-all").click();
    await waitForState(page, "done", LOAD_MS);
    const { images } = await savedReport(page);
    assert.equal(images.length, 10);
    for (const image of images) {
      assert.deepEqual(image.ownWords.abnormal, ["broken {}"]);
      assert.equal(image.map.max, images[0].map.max);
    }
  });
});

test("a model without a text part says that its words are fixed", async () => {
  const bundle = formulaBundle("words-no-tower", SMALL, 4);
  try {
    await withPage(browser, {}, async (page) => {
      await openReady(page, { model: bundle.model, device: "cpu" });
      await chooseMode(page, "zero");
      await page.getByTestId("words-title").click();
      await page.getByText("This model comes without a text part").waitFor();
      assert.equal(await page.getByTestId("words-organ").isVisible(), false);
      await chooseMode(page, "few");
      assert.equal(await page.getByTestId("words").isVisible(), true, "its memory is joined with words");
    });
  } finally {
    bundle.remove();
  }
});
