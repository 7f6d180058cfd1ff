// Several pictures in several workers: the same results, in order; stopping, crashes and the request counter.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { DEFAULT, TINY, analyse, chooseMode, errorText, giveFiles, openReady, waitForState, workersOf } from "./actions.mjs";
import { slice, tinyPicture } from "./fixtures.mjs";
import { SITE, launch, withPage } from "./harness.mjs";
import { breakProgram, withMemory } from "./program.mjs";

/** What a trap leaves in the browser's console. */
const EXPECT = [/RuntimeError|memory access out of bounds|table index|unreachable|panicked/];
const PICTURES = ["input_rgb.png", "input_grey.png", "support_0.png", "support_1.png"];
/** Enough for a second worker to be worth its loading. */
const SLICES = ["00", "01", "02", "04", "05", "06", "11", "12", "13", "14", "15", "16"].map((n) => `brain1_0${n}`);

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/**
 * A machine of so many cores, as the page sees it. Notes how many requests of each kind each worker is given, and how
 * many views of normal pictures were encoded within analyses.
 */
const machine = (cores) => (context) =>
  context.addInitScript((count) => {
    /** @type {Map<Worker, {id: number, op: string}[]>} */
    const asked = new Map();
    globalThis.asked = (op) => [...asked.values()].map((list) => list.filter((one) => one.op === op).length).filter(Boolean);
    /** Operations that were given a file, which they decode. */
    globalThis.decoding = () => [...asked.values()].flat().filter(({ file }) => file).map(({ op }) => op);
    globalThis.encodedWithin = 0;
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message, ...rest) {
      if (!asked.has(this)) {
        asked.set(this, []);
        this.addEventListener("message", ({ data }) => {
          const analyses = asked.get(this).some(({ id, op }) => id === data.id && op === "analyse");
          if (analyses && data.progress?.stage === "references") globalThis.encodedWithin += 1;
        });
      }
      asked.get(this).push({ id: message.id, op: message.op, file: message.args?.blob instanceof Blob });
      return post.call(this, message, ...rest);
    };
    Object.defineProperty(navigator, "hardwareConcurrency", { get: () => count });
    Object.defineProperty(navigator, "deviceMemory", { get: () => 8 });
  }, cores);

const base64 = (file) => readFileSync(file).toString("base64");

/** Opens a page without a program and in it pools of one and of two workers. */
async function openPools(page) {
  await page.goto(new URL("pkg/README.md", SITE).href);
  await page.evaluate(
    async ([manifest, files, supports]) => {
      const { Pool } = await import("/pkg/index.js");
      const toBlob = (text) => new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]);
      globalThis.blobs = [...files, ...files].map(toBlob);
      globalThis.open = async (workers) => {
        const pool = await Pool.open(manifest, { device: "cpu", workers });
        for (const support of supports) await pool.addSupport(toBlob(support));
        return pool;
      };
      // Plain values, so that the test can compare them.
      globalThis.scores = async (pool, signal, onResult, bankRows, augment = "none") => {
        const options = { object: "brain", mode: "few", augment, bankRows, signal, onResult };
        const results = await pool.analyseAll(globalThis.blobs, options);
        return results.map((result) => [result.score, Array.from(result.map), result.supportScores]);
      };
    },
    [TINY, PICTURES.map((name) => base64(tinyPicture(name))), [0, 1].map((n) => base64(tinyPicture(`support_${n}.png`)))],
  );
}

test("two workers give what one gives, in order, and a broken one loses nothing", async () => {
  await withPage(browser, { expect: EXPECT, prepare: withMemory }, async (page) => {
    await openPools(page);
    const expected = await page.evaluate(async () => {
      const pool = await globalThis.open(1);
      const scores = await globalThis.scores(pool);
      pool.close();
      return scores;
    });
    assert.equal(expected.length, 8);
    assert.notDeepEqual(expected[0], expected[1], "different pictures, different results");
    assert.deepEqual(expected.slice(4), expected.slice(0, 4), "the same pictures again");

    await page.evaluate(async () => (globalThis.pool = await globalThis.open(2)));
    const run = () => page.evaluate(() => globalThis.scores(globalThis.pool));
    assert.equal((await workersOf(page, "model")).length, 2);
    assert.deepEqual(await run(), expected);

    for (const which of [1, 0]) {
      const worker = (await workersOf(page, "model"))[which];
      await breakProgram(worker);
      assert.deepEqual(await run(), expected, `worker ${which} broke`);
      assert.ok(!page.workers().includes(worker), "the broken one is gone");
    }
    assert.deepEqual(await run(), expected, "afterwards");
  });
});

test("workers of a pool share the views of normal pictures, and none is encoded twice", async () => {
  await withPage(browser, { prepare: machine(2) }, async (page) => {
    await openPools(page);
    const found = [];
    for (const workers of [1, 2]) {
      found.push(
        await page.evaluate(async (count) => {
          const before = globalThis.asked("viewRows").length;
          globalThis.encodedWithin = 0;
          const pool = await globalThis.open(count);
          const scores = await globalThis.scores(pool, undefined, undefined, undefined, "mvfa");
          const whole = globalThis.encodedWithin;
          pool.close();
          return { scores, whole, encoding: globalThis.asked("viewRows").length - before };
        }, workers),
      );
    }
    const [one, two] = found;
    assert.deepEqual(two.scores, one.scores);
    assert.ok(one.whole > 0 && one.encoding === 0, "alone it is part of the first analysis");
    // The small model may be done before the second worker joins in.
    assert.ok(two.whole === 0 && two.encoding > 0, "together it comes first");
  });
});

test("every worker of a pool keeps the smaller memory that is asked for", async () => {
  await withPage(browser, {}, async (page) => {
    await openPools(page);
    const [one, two, whole] = await page.evaluate(async () => {
      const found = [];
      for (const [workers, bankRows] of [[1, 8], [2, 8], [2, undefined]]) {
        const pool = await globalThis.open(workers);
        found.push(await globalThis.scores(pool, undefined, undefined, bankRows));
        pool.close();
      }
      return found;
    });
    assert.deepEqual(two, one);
    two.forEach((result, n) => assert.notDeepEqual(result, whole[n], `picture ${n} was compared with everything`));
  });
});

test("words of one's own hold for every worker of a pool, also for one that came later, and go again", async () => {
  await withPage(browser, { prepare: machine(2) }, async (page) => {
    await openPools(page);
    const found = await page.evaluate(async (manifest) => {
      const { Lab, Session } = await import("/pkg/index.js");
      const lab = await Lab.start();
      const scores = async (pool) => (await pool.analyseAll(globalThis.blobs, { object: "brain", mode: "zero" })).map(({ score }) => score);
      const session = await Session.open(manifest, { device: "cpu" });
      const words = { ...(await session.promptsOf("brain", { lab })), abnormal: ["{} with a hole", "broken {}"] };
      await session.setPrompts("brain", words, { lab });
      const expected = [];
      for (const blob of globalThis.blobs) expected.push((await session.analyse(blob, { object: "brain", mode: "zero" })).score);
      session.close();
      const pool = await globalThis.open(2);
      const paper = await scores(pool);
      const wrong = await pool.setPrompts("brain", { ...words, normal: [Array(90).fill("long").join(" ")] }, { lab });
      const kept = await scores(pool);
      const set = await pool.setPrompts("brain", words, { lab });
      const own = await scores(pool);
      const said = (await pool.promptsOf("brain", { lab })).abnormal;
      await pool.setPrompts("brain", null);
      const back = await scores(pool);
      const unknown = await pool.setPrompts("heart", words, { lab }).catch(({ name }) => name);
      pool.close();
      lab.close();
      return { expected, paper, kept, own, back, said, applied: [wrong.applied, set.applied], unknown };
    }, TINY);
    assert.deepEqual(found.applied, [false, true]);
    assert.deepEqual(found.own, found.expected, "as a session has it");
    assert.notDeepEqual(found.own, found.paper);
    assert.deepEqual(found.said, ["{} with a hole", "broken {}"]);
    assert.deepEqual([found.kept, found.back], [found.paper, found.paper]);
    assert.equal(found.unknown, "UsageError");
  });
});

test("what is taken out of a pool while another picture is added stays out", async () => {
  await withPage(browser, {}, async (page) => {
    await openPools(page);
    const same = await page.evaluate(async () => {
      const score = async (pool) => JSON.stringify(await globalThis.scores(pool));
      const [kept, removed] = globalThis.blobs.slice(2, 4);
      const only = await globalThis.open(1);
      await only.clearSupport();
      await only.addSupport(kept);
      const expected = await score(only);

      const pool = await globalThis.open(1);
      const ids = [await pool.addSupport(removed)];
      // Not waited for: the page of a program asks for one thing after another.
      void pool.clearSupport();
      const late = pool.addSupport(removed).then((id) => ids.push(id));
      await late;
      const adding = pool.addSupport(kept);
      // So that the worker is being asked already, and has not answered.
      for (let turn = 0; turn < 5; turn += 1) await null;
      void pool.removeSupport(ids[1]);
      await adding;
      return (await score(pool)) === expected;
    });
    assert.ok(same, "compared with the one picture that is left");
  });
});

test("stopping stops all workers, and the next run is right", async () => {
  await withPage(browser, {}, async (page) => {
    await openPools(page);
    const { name, before, later, again } = await page.evaluate(async () => {
      const pool = await globalThis.open(2);
      const expected = await globalThis.scores(pool);
      const controller = new AbortController();
      let results = 0;
      const stopped = globalThis.scores(pool, controller.signal, () => {
        results += 1;
        controller.abort();
      });
      const name = await stopped.then(() => "", (error) => error.name);
      const before = results;
      const again = await globalThis.scores(pool);
      return { name, before, later: results, again: JSON.stringify(again) === JSON.stringify(expected) };
    });
    assert.equal(name, "AbortError");
    assert.ok(before < 8, `${before} results before the stop`);
    assert.equal(later, before, "none after it");
    assert.ok(again, "the same results");
  });
});

test("a picture that cannot be read has its error in its place", async () => {
  await withPage(browser, {}, async (page) => {
    await openPools(page);
    const names = await page.evaluate(async () => {
      const pool = await globalThis.open(2);
      globalThis.blobs.splice(3, 1, new Blob(["no picture"]));
      const results = await pool.analyseAll(globalThis.blobs, { object: "brain", mode: "few", augment: "none" });
      return results.map((result) => (result instanceof Error ? result.name : "result"));
    });
    assert.deepEqual(names, ["result", "result", "result", "ImageError", "result", "result", "result", "result"]);
  });
});

/** Analyses twelve slices with the smallest memory; tells scores, workers that did, requests counted and made. */
async function analyseAll(page, record) {
  await openReady(page, { model: DEFAULT, device: "cpu" }, 300_000);
  const loaded = record.requests.length;
  await page.getByTestId("object-select").selectOption("brain");
  await chooseMode(page, "few");
  await giveFiles(page, "support-input", ["brain2_001", "brain2_004"].map(slice));
  await page.getByTestId("support-item").nth(1).waitFor();
  // A worker that is not told of it would score otherwise.
  await page.getByTestId("bank-rows-select").selectOption("290");
  await giveFiles(page, "file-input", SLICES.map(slice));
  await page.getByTestId("strip-item").nth(11).waitFor();
  await page.getByTestId("analyse-all").click();
  await waitForState(page, "done", 300_000);
  assert.equal(await errorText(page), "");
  const decoding = await page.evaluate(() => globalThis.decoding());
  for (const op of ["picture", "decode"]) {
    const times = decoding.filter((one) => one === op).length;
    assert.equal(times, 2 + SLICES.length, `${op}: each image once, for display and all workers`);
  }
  assert.equal(decoding.length, 2 * (2 + SLICES.length), "and nothing else gets a file");
  const scores = [];
  for (let n = 0; n < 12; n += 1) {
    await page.getByTestId("strip-item").nth(n).click();
    scores.push(await page.getByTestId("score").first().getAttribute("data-value"));
  }
  const workers = await page.evaluate(() => globalThis.asked("analyse").length);
  const counted = Number(await page.locator("#requests-count").innerText());
  return { scores, workers, counted, made: record.network(loaded).length };
}

test("the page's run over many pictures uses a second worker without any request, and scores the same", async () => {
  let expected = null;
  for (const cores of [1, 2]) {
    await withPage(browser, { prepare: machine(cores) }, async (page, record) => {
      const { scores, workers, counted, made } = await analyseAll(page, record);
      assert.equal(workers, cores);
      assert.ok(scores.every((score) => /\d/.test(score)), scores.join());
      expected ??= scores;
      assert.deepEqual(scores, expected);
      assert.deepEqual([counted, made], [0, 0], "requests counted and made");
    });
  }
});

test("further workers help with the normal pictures of a single one, and its score is the same", async () => {
  let expected = null;
  for (const cores of [1, 2]) {
    await withPage(browser, { prepare: machine(cores) }, async (page, record) => {
      await openReady(page, { model: DEFAULT, device: "cpu" }, 300_000);
      const loaded = record.requests.length;
      await page.getByTestId("object-select").selectOption("brain");
      await chooseMode(page, "few");
      await giveFiles(page, "support-input", ["brain2_001", "brain2_004"].map(slice));
      await page.getByTestId("support-item").nth(1).waitFor();
      await page.locator("#augment-select").selectOption("mvfa");
      await giveFiles(page, "file-input", slice("brain1_016"));
      await analyse(page, 300_000);
      const score = await page.getByTestId("score").first().getAttribute("data-value");
      expected ??= score;
      assert.equal(score, expected);
      const [analysing, encoding, within] = await page.evaluate(() => [globalThis.asked("analyse"), globalThis.asked("viewRows"), globalThis.encodedWithin]);
      assert.deepEqual(analysing, [1], "one worker analyses");
      assert.equal(encoding.length, cores === 1 ? 0 : cores, "workers that encode normal pictures");
      assert.equal(within > 0, cores === 1);
      assert.ok(await secondsSaid(page) > 1, "the time includes them");
      assert.deepEqual(record.network(loaded), [], "requests");
    });
  }
});

/** What the page says the analysis took. */
async function secondsSaid(page) {
  return Number(/Done in (\d+\.\d) s/.exec(await page.locator("#status").innerText())?.[1]);
}
