// A worker that ends without any event is noticed within ten seconds and replaced; calls that were open are answered.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TINY, analyse, chooseMode, errorText, giveFiles, openReady, openSession, scoreText, startAnalysis, waitForState } from "./actions.mjs";
import { tinyPicture } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

const NOTICED_MS = 10_000;

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

/** With locks, as on https, and without, as on plain http. */
const KINDS = {
  "with locks": async () => {},
  "without locks": (context) => context.addInitScript(() => Object.defineProperty(Navigator.prototype, "locks", { get: () => undefined })),
};

/** Ends all workers of the page as a browser's tools would: they send nothing any more. */
async function endWorkers(page) {
  // A closed worker answers nothing any more, this call included.
  for (const worker of page.workers()) void worker.evaluate(() => self.close()).catch(() => {});
}

for (const [name, prepare] of Object.entries(KINDS)) {
  test(`a worker that ends in silence is replaced, ${name}`, async () => {
    await withPage(browser, { prepare }, async (page) => {
      await openReady(page, { model: TINY, device: "cpu" });
      await page.getByTestId("object-select").selectOption("chest");
      await chooseMode(page, "few");
      await giveFiles(page, "support-input", tinyPicture("support_0.png"));
      await page.getByTestId("support-item").first().waitFor();
      await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
      const score = await analyse(page);

      const before = Date.now();
      await endWorkers(page);
      await page.getByTestId("notice").first().waitFor({ state: "visible", timeout: NOTICED_MS });
      assert.ok(Date.now() - before <= NOTICED_MS, `noticed after ${Date.now() - before} ms`);
      await waitForState(page, ["ready", "done"]);
      // Without a success in between, a second loss in a row would be told as an error.
      assert.equal(await analyse(page), score);

      // And in the middle of an analysis.
      await startAnalysis(page);
      await endWorkers(page);
      await page.waitForTimeout(500);
      await waitForState(page, "done");
      assert.equal(await scoreText(page), score);
      assert.equal(await errorText(page), "");
    });
  });
}

test("the package rejects what was open with a DeviceError", async () => {
  await withPage(browser, {}, async (page) => {
    await openSession(page, { device: "cpu" });
    await page.evaluate(() => void (globalThis.open = globalThis.session.analyse(new Blob(["x"]), { object: "brain", mode: "zero" }).then(() => "", (e) => e.name)));
    await page.evaluate(() => void (globalThis.lost = globalThis.session.viewRows({ id: 1, view: 0 }).catch(() => {})));
    await endWorkers(page);
    const after = page.evaluate(() => new Promise((resolve) => {
      const look = () => (globalThis.session.ended ? resolve(globalThis.session.memory().catch((error) => error.name)) : setTimeout(look, 50));
      look();
    }));
    assert.equal(await after, "DeviceError");
  });
});

test("a session that could not be opened leaves no worker and has an error with a promised name", async () => {
  await withPage(browser, { expect: [/404/] }, async (page) => {
    await openSession(page, { device: "cpu" });
    const workers = page.workers().length;
    const errors = await page.evaluate(async () => {
      const { Session } = await import("/pkg/index.js");
      const nameOf = (promise) => promise.then(() => "none", (error) => error.name);
      const aborted = AbortSignal.timeout(1);
      return {
        address: await nameOf(Session.open("http://[bad")),
        missing: await nameOf(Session.open("/nowhere/manifest.json", { device: "cpu" })),
        device: await nameOf(Session.open("/models/tiny/manifest.json", { device: /** @type {any} */ ("tpu") })),
        worker: await nameOf(Session.open("/models/tiny/manifest.json", { startWorker: () => new Worker("https://example.org/worker.js") })),
        options: await nameOf(globalThis.session.analyse(new Blob(["x"]))),
        augment: await nameOf(globalThis.session.analyse(new Blob(["x"]), { object: "brain", mode: "few", augment: "x" })),
        object: await nameOf(globalThis.session.analyse(new Blob(["x"]), { object: "nothing", mode: "zero" })),
        picture: await nameOf(globalThis.session.analyse(new Blob(["x"]), { object: "brain", mode: "zero" })),
        timeout: await nameOf(Session.open("/models/tiny/manifest.json", { device: "cpu", signal: aborted })),
      };
    });
    assert.deepEqual(errors, {
      address: "UsageError", missing: "ModelError", device: "UsageError", worker: "UsageError", options: "UsageError",
      augment: "UsageError", object: "UsageError", picture: "ImageError", timeout: "TimeoutError",
    });
      assert.equal(page.workers().length, workers, "no worker is left");
  });
});
