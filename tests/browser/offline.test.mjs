// Without a connection after the first visit; new versions; everything forgotten on request.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { analyse, chooseMode, errorText, giveFiles, openPage, openReady, waitForState } from "./actions.mjs";
import { slice } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";
import { builtFile, openHost } from "./hosts.mjs";

const MODEL = "models/default/manifest.json";
const LOAD_MS = 300_000;
/** What the browser says of a host that is gone. */
const GONE = [/ERR_CONNECTION_REFUSED|Failed to load resource|ERR_FAILED/];

let browser;
let host;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

/** Runs `work` on a host without headers, with service workers. */
async function withHost(options, work) {
  host = await openHost(options);
  try {
    await withPage(browser, { expect: GONE, site: host.url, serviceWorkers: "allow" }, work);
  } finally {
    await host.stop().catch(() => {});
  }
}

const open = (page) => openReady(page, { device: "cpu", site: host.url }, LOAD_MS);

/** A brain slice beside one normal one, from files to the score. */
async function analyseSlice(page) {
  await page.getByTestId("object-select").selectOption("brain");
  await chooseMode(page, "few");
  await giveFiles(page, "support-input", ["brain2_014", "brain2_015"].map(slice));
  await page.getByTestId("support-item").nth(1).waitFor();
  await giveFiles(page, "file-input", slice("brain1_016"));
  await analyse(page, LOAD_MS);
  return page.getByTestId("score").first().getAttribute("data-value");
}

/** A version of the site in which one file differs, as a host would have it after an upload. */
async function publish(path, text) {
  const sha256 = (content) => createHash("sha256").update(content).digest("hex");
  const worker = await builtFile("sw.js");
  const entry = `"${path}":"${sha256(await builtFile(path))}"`;
  assert.ok(worker.includes(entry), `${path} is in the list of the service worker`);
  host.change(path, text);
  host.change("sw.js", worker.replace(entry, `"${path}":"${sha256(text)}"`));
}

const cacheNames = (page) => page.evaluate(() => caches.keys());

for (const prefix of ["/", "/some/where/"]) {
  test(`without a connection from start to map, after a crash and a change of device, at ${prefix}`, async () => {
    await withHost({ prefix }, async (page) => {
      await open(page);
      const score = await analyseSlice(page);
      await host.stop();

      await page.reload();
      await waitForState(page, "ready", LOAD_MS);
      assert.equal(await analyseSlice(page), score, "the same score as with a connection");
      assert.equal(await page.locator("#requests-count").innerText(), "0", "answers from the copy are no requests");

      for (const worker of page.workers()) void worker.evaluate(() => self.close()).catch(() => {});
      await page.getByTestId("notice").first().waitFor({ state: "visible", timeout: 10_000 });
      await waitForState(page, ["ready", "done"], LOAD_MS);
      assert.equal(await errorText(page), "");

      await page.getByTestId("device-tier").click();
      await page.locator('input[name="device"][value="auto"]').check();
      await page.getByRole("button", { name: "Use this device" }).click();
      await waitForState(page, ["ready", "done"], LOAD_MS);
      assert.equal(await errorText(page), "");
      assert.equal(await analyse(page, LOAD_MS).then(() => page.getByTestId("score").first().getAttribute("data-value")), score);
    });
  });
}

test("another model opens without a connection, too", async () => {
  await withHost({}, async (page) => {
    const tiny = { model: "models/tiny/manifest.json", device: "cpu", site: host.url };
    await openReady(page, tiny, LOAD_MS);
    await host.stop();
    await openReady(page, tiny, LOAD_MS);
    assert.equal(await errorText(page), "");
  });
});

test("a new version waits, is offered, and is used as a whole", async () => {
  await withHost({}, async (page) => {
    await open(page);
    await publish("web/style.css", `${await builtFile("web/style.css")}\n:root { --version-of-test: 2; }\n`);
    const version = () => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--version-of-test").trim());

    await page.reload();
    await waitForState(page, "ready", LOAD_MS);
    assert.equal(await version(), "", "the old version, whole, until it is asked for");
    const offer = page.getByTestId("notice").filter({ hasText: "A new version of this page is ready" });
    await offer.waitFor({ state: "visible" });

    // Another tab still uses the old version.
    const other = await page.context().newPage();
    await other.goto(host.url);
    await waitForState(other, "ready", LOAD_MS);
    await offer.getByRole("button", { name: "Use it now" }).click();
    await page.getByTestId("notice").filter({ hasText: "open in another tab" }).waitFor({ state: "visible" });
    assert.equal(await version(), "");
    await other.close();

    await page.reload();
    await waitForState(page, "ready", LOAD_MS);
    await offer.waitFor({ state: "visible" });
    await Promise.all([page.waitForNavigation(), offer.getByRole("button", { name: "Use it now" }).click()]);
    await waitForState(page, "ready", LOAD_MS);
    assert.equal(await version(), "2");
    const [name] = (await cacheNames(page)).filter((one) => one.startsWith("mvfa-site"));
    const styles = await page.evaluate(async (cache) => (await (await caches.open(cache)).keys()).filter(({ url }) => url.includes("style.css")).length, name);
    assert.equal(styles, 1, "the old file is gone");
  });
});

test("a version that is only half there is not installed", async () => {
  await withHost({}, async (page) => {
    await open(page);
    await publish("web/style.css", "/* of the new version */");
    // In the middle of an upload: the list is new, the file is not.
    host.change("web/style.css", await builtFile("web/style.css"));
    await page.reload();
    await waitForState(page, "ready", LOAD_MS);
    const state = () => page.evaluate(async () => {
      const registration = await navigator.serviceWorker.getRegistration();
      return [Boolean(registration?.active), Boolean(registration?.waiting), Boolean(registration?.installing)];
    });
    await page.waitForFunction(async () => !(await navigator.serviceWorker.getRegistration())?.installing);
    assert.deepEqual(await state(), [true, false, false], "active, waiting, installing");
    assert.equal(await page.getByTestId("notice").count(), 0);
  });
});

test("on a repeat visit an image does not wait for the browser's look for a new version", async () => {
  await withHost({}, async (page) => {
    await open(page);
    // It never ends here; where nobody waits, "ready" waits for it.
    await page.addInitScript(() => (ServiceWorkerRegistration.prototype.update = () => new Promise(() => {})));
    await page.reload();
    await page.getByTestId("sample").first().click();
    await waitForState(page, "done", 15_000);
    assert.ok(await page.evaluate(() => navigator.serviceWorker.controller));
  });
});

test("forget everything leaves nothing", async () => {
  await withHost({}, async (page) => {
    await open(page);
    await page.getByTestId("opacity").fill("35");
    const kept = () => page.evaluate(async () => {
      const files = [];
      for await (const name of (await navigator.storage.getDirectory()).keys()) files.push(name);
      return {
        files,
        caches: await caches.keys(),
        registrations: (await navigator.serviceWorker.getRegistrations()).length,
        local: localStorage.length, session: sessionStorage.length,
        databases: (await indexedDB.databases()).length,
        cookies: document.cookie,
      };
    });
    const before = await kept();
    assert.ok(before.files.length && before.caches.length && before.registrations && before.local, JSON.stringify(before));

    await page.getByTestId("model-info").click();
    await page.getByTestId("forget-everything").click();
    await page.getByTestId("stored-models").getByText(/is deleted/).waitFor();
    const empty = { files: [], caches: [], registrations: 0, local: 0, session: 0, databases: 0, cookies: "" };
    assert.deepEqual(await kept(), empty);

    await page.keyboard.press("Escape");
    await page.getByTestId("opacity").fill("80");
    await analyseSlice(page);
    assert.deepEqual(await kept(), empty, "and nothing comes back while the tab is open");
  });
});
