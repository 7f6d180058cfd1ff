// A site of one's own: what site.json says is on the page; what is wrong in it is explained, and the page works; a case in a
// sandboxed frame of another site; changes without a build. On hosts without headers, below a sub-path.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { analyse, canvasColours, chooseMode, errorText, giveFiles, openReady, scoreText, waitForError, waitForState } from "./actions.mjs";
import { slice } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";
import { openHost } from "./hosts.mjs";

const LOAD_MS = 300_000;
const PREFIX = "/teaching/spring/";
const INTRO = "<b>Bold</b> is a word here.\nThe second line.";

/** Another site: one small model, two cases of its own, other texts and another start. */
const OWN = {
  title: "Reading room B",
  intro: { title: "What differs here?", text: INTRO },
  language: "de",
  texts: "texte/de.json",
  models: [{ id: "small", title: "The small model", address: "models/tiny/manifest.json" }],
  model: "small",
  objects: ["liver", "brain"],
  samples: [
    { id: "first", title: "First case", text: "Two normal slices.", object: "brain", pictures: ["cases/first.png"], references: ["cases/normal 1.png", "cases/normal-2.png"], note: "Look at the left.", credit: "Department of tests", licence: "CC0" },
    { id: "second", title: "Second case", text: "Two pictures.", object: "brain", mode: "zero", pictures: ["cases/first.png", "cases/normal-2.png"] },
  ],
  defaults: { mode: "zero", opacity: 0.4, colourMap: "viridis", contour: false, sharedScale: false },
  links: [{ title: "Imprint", address: "https://example.org/imprint" }, { title: "Course", address: "course.html" }],
};
const FILES = { "cases/first.png": "brain1_016", "cases/normal%201.png": "brain2_014", "cases/normal-2.png": "brain2_015" };

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

/** A host with that site: an object as site.json, a text as it is, null: without one. */
async function openSite(site, { prefix = PREFIX } = {}) {
  const host = await openHost({ prefix });
  for (const [path, name] of Object.entries(FILES)) host.change(path, readFileSync(slice(name)));
  host.change("texte/de.json", JSON.stringify({ common: { close: "Schließen" } }));
  host.change("site.json", typeof site === "object" && site !== null ? JSON.stringify(site) : site);
  return host;
}

/** Runs `work` on a page of that site. */
async function onSite(site, options, work) {
  const { query = "", ...rest } = options;
  const host = await openSite(site);
  try {
    await withPage(browser, { site: host.url, ...rest }, async (page, record) => {
      await page.goto(`${host.url}?device=cpu${query}`);
      await work(page, host, record);
    });
  } finally {
    await host.stop().catch(() => {});
  }
}

const notices = async (page) => (await page.getByTestId("notice").allInnerTexts()).map((text) => text.replace(/\s+/g, " "));
const value = (page, id) => page.getByTestId(id).inputValue();

test("title, intro, language, model, objects, cases, start and links are those of the file", async () => {
  await onSite(OWN, {}, async (page, host) => {
    await waitForState(page, "ready", LOAD_MS);
    assert.deepEqual(await notices(page), []);
    assert.equal(await page.title(), OWN.title);
    assert.equal(await page.locator("h1").innerText(), OWN.title);
    assert.equal(await page.locator("#welcome-title").innerText(), OWN.intro.title);
    assert.equal(await page.locator(".welcome-intro").innerText(), INTRO, "nothing of the file is HTML");
    assert.equal(await page.locator(".welcome-text").isVisible(), true, "how to begin is still said");
    assert.equal(await page.locator("html").getAttribute("lang"), "de");
    assert.match(await page.getByTestId("model-info").innerText(), /CLIP ViT-32\/14/);
    assert.deepEqual(await page.locator("#object-select option").evaluateAll((all) => all.map((one) => one.value)), ["liver", "brain"]);
    assert.equal(await value(page, "object-select"), "liver");
    assert.deepEqual([await page.getByTestId("mode-zero").isChecked(), await value(page, "opacity"), await value(page, "colour-map")], [true, "40", "viridis"]);
    assert.deepEqual([await page.locator("#contour-toggle").isChecked(), await value(page, "threshold") !== "", await page.locator("#scale-mode").inputValue()], [false, true, "own"]);
    assert.deepEqual(await page.getByTestId("sample").evaluateAll((all) => all.map(({ dataset }) => dataset.sample)), ["first", "second"]);
    assert.equal(await page.locator("#samples-credit").innerText(), "Department of tests, CC0");
    const links = await page.locator("#foot a").evaluateAll((all) => all.map(({ href, rel, textContent }) => [href, rel, textContent]));
    assert.deepEqual(links, [["https://example.org/imprint", "noopener", "Imprint"], [`${host.url}course.html`, "noopener", "Course"]]);
    await page.getByTestId("model-info").click();
    await page.getByTestId("models").getByText("The small model").waitFor();
    assert.equal(await page.getByTestId("models").locator("li").count(), 1);
    await page.keyboard.press("Escape");
    assert.ok(host.asked.some((line) => line.endsWith("texte/de.json")), "the texts were fetched");
  });
});

test("the file is asked for beside the page's script, before ready; a case asks for nothing more", async () => {
  await onSite(OWN, {}, async (page, host) => {
    await waitForState(page, "ready", LOAD_MS);
    // The script comes no sooner than the file is asked for, and the page gets ready all the same.
    const asked = page.waitForRequest("**/site.json");
    await page.route("**/web/app.js", async (route) => {
      await asked;
      await route.continue();
    });
    await page.reload({ waitUntil: "commit" });
    await waitForState(page, "ready", LOAD_MS);
    const from = host.asked.length;
    await page.locator('[data-sample="first"]').click();
    await waitForState(page, "done", LOAD_MS);
    assert.deepEqual(host.asked.slice(from), []);
    assert.equal(await page.locator("#sample-note").innerText(), "Look at the left.");
    assert.deepEqual([await value(page, "object-select"), await page.getByTestId("mode-few").isChecked()], ["brain", true]);
  });
});

test("?sample opens a case by itself, with all its pictures and its mode", async () => {
  await onSite(OWN, { query: "&sample=second" }, async (page) => {
    await waitForState(page, "done", LOAD_MS);
    assert.equal(await page.locator("#strip-list .strip-item").count(), 2);
    assert.equal(await page.locator("#strip-list .strip-item[data-state=done]").count(), 2);
    assert.equal(await page.getByTestId("mode-zero").isChecked(), true);
    assert.equal(await page.locator("#sample-note").isVisible(), false, "it has no note");
  });
});

test("without the file the page is as it comes: silent, without samples", async () => {
  await onSite(null, { expect: [/404/], query: "&model=models/tiny" }, async (page) => {
    await waitForState(page, "ready", LOAD_MS);
    assert.deepEqual(await notices(page), []);
    assert.equal(await errorText(page), "");
    assert.equal(await page.title(), "MVFA Web");
    assert.equal(await page.locator("#samples-heading").isVisible(), false);
    assert.equal(await page.getByTestId("samples-again").isVisible(), false);
  });
});

/** What is broken → what the page says of it; the rest of the file counts. */
const BROKEN = {
  "invalid JSON": [`{"title": "Reading room B",}`, [/site\.json is not valid JSON, so the page uses its own defaults: .+ Correct the file, then reload\./], "MVFA Web", "&model=models/tiny"],
  "an unknown key": [{ ...OWN, sampels: [] }, [/site\.json, sampels: there is no such key; the nearest is “samples”\. It is ignored\./], OWN.title],
  "a wrong type": [{ ...OWN, defaults: { opacity: "strong" } }, [/site\.json, defaults\.opacity: expected a number from 0 to 1, found the text “strong”\. The default is used\./], OWN.title],
  "a case without pictures": [{ ...OWN, samples: [OWN.samples[0], { id: "x", title: "X" }] }, [/site\.json, samples\[1\]\.pictures: it is missing; expected a list of at least one\. This entry is left out\./], OWN.title],
  "an object that the model has not": [{ ...OWN, objects: ["brian", "brain", "liver"] }, [/site\.json, objects: the model CLIP ViT-32\/14, 70 px has no object “brian”; the nearest is “brain”\. It has: brain, liver/], OWN.title],
  "a model that is not there": [{ ...OWN, models: [{ id: "none", title: "Nowhere", address: "models/nowhere/" }, ...OWN.models], model: "none" }, [/site\.json, models: there is no model at models\/nowhere\/manifest\.json, which “Nowhere” names\. Upload it, or correct the address\. “The small model” is opened instead\./], OWN.title],
  "a picture that is not there": [{ ...OWN, samples: [OWN.samples[0], { ...OWN.samples[1], pictures: ["cases/gone.png"] }] }, [/site\.json, samples, “second”: cases\/gone\.png could not be fetched \(the host answered 404\)\. Upload it, or correct the address, then reload\./], OWN.title],
  "texts that are not there": [{ ...OWN, texts: "texte/fr.json" }, [/site\.json, texts: texte\/fr\.json could not be used \(the host answered 404\)/], OWN.title],
  "a default that is no model": [{ ...OWN, model: "smal" }, [/site\.json, model: there is no model “smal”; the nearest is “small”\. The first model is used\./], OWN.title],
  "a link that is a program": [{ ...OWN, links: [{ title: "x", address: "javascript:alert(1)" }] }, [/links\[0\]\.address: expected an address that begins with https:/], OWN.title],
};

for (const [name, [site, expected, title, query]] of Object.entries(BROKEN)) {
  test(`${name} is explained, and the page works`, async () => {
    await onSite(site, { expect: [/404/], query }, async (page) => {
      await waitForState(page, "ready", LOAD_MS);
      const told = (await notices(page)).join("\n");
      for (const pattern of expected) assert.match(told, pattern);
      assert.equal((await notices(page)).length, expected.length, told);
      assert.equal(await page.title(), title);
      await page.getByTestId("object-select").selectOption("liver");
      await chooseMode(page, "zero");
      await giveFiles(page, "file-input", slice("brain1_016"));
      assert.match(await analyse(page, LOAD_MS), /\d/);
    });
  });
}

test("addresses that lead out of the site's folder are refused, and nothing is asked for there", async () => {
  const out = ["../other/a.png", "/a.png", "//localhost:9/a.png", "http://localhost:9/a.png", "cases/../../a.png", "cases/%2e%2e/%2E%2E/a.png", "cases\\..\\a.png", "a.png?x", "data:image/png;base64,AA"];
  const samples = [OWN.samples[0], ...out.map((address, n) => ({ id: `out-${n}`, title: "Out", pictures: [address] }))];
  await onSite({ ...OWN, samples, texts: "//localhost:9/de.json" }, {}, async (page, host, record) => {
    await waitForState(page, "ready", LOAD_MS);
    const told = await notices(page);
    assert.match(told[0], /site\.json, texts: expected an address below the site's folder, without “\.\.”, “\/\/”, “\?” or “#”, found the text “\/\/localhost:9\/de\.json”/);
    assert.match(told[1], /samples\[1\]\.pictures\[0\]: .* found the text “\.\.\/other\/a\.png”/);
    assert.match(told[2], new RegExp(`${out.length - 1} more mistakes`));
    assert.deepEqual(await page.getByTestId("sample").evaluateAll((all) => all.map(({ dataset }) => dataset.sample)), ["first"]);
    assert.ok(record.network().every(({ url }) => url.startsWith(host.url)), "nothing outside the folder");
  });
});

/** A page of another origin that shows the site in a frame. */
async function openParent(address, sandbox) {
  const server = createServer((_, outgoing) => outgoing.writeHead(200, { "content-type": "text/html" })
    .end(`<!doctype html><body style="margin:0"><iframe src="${address}" sandbox="${sandbox}" width="900" height="560"></iframe>`));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { url: `http://localhost:${port}/`, close: () => (server.closeAllConnections(), server.close()) };
}

/** Runs `work` with the frame of a page of another origin. */
async function inFrame(query, work) {
  const host = await openSite(OWN);
  const parent = await openParent(`${host.url}?embed&device=cpu${query}`, "allow-scripts allow-same-origin allow-downloads");
  try {
    await withPage(browser, { site: host.url, expect: [/sandboxed/] }, async (page, record) => {
      await page.goto(parent.url);
      await page.waitForFunction(() => document.querySelector("iframe"));
      const frame = page.frames().find((one) => one.parentFrame());
      await work(frame, host, record);
      // The page around it is no part of the site.
      const outside = record.requests.filter(({ url }) => url.startsWith(parent.url));
      assert.ok(outside.every(({ url }) => url === parent.url || url.endsWith("favicon.ico")), JSON.stringify(outside));
      record.requests = record.requests.filter(({ url }) => !url.startsWith(parent.url));
      assert.ok(record.network().every(({ url }) => url.startsWith(host.url)), "the frame asks its own site only");
    });
  } finally {
    parent.close();
    await host.stop();
  }
}

test("?embed in a sandboxed frame of another site: the case's result, scale and purpose, nothing of the page's frame", async () => {
  await inFrame("&sample=first", async (frame, host, record) => {
    await waitForState(frame, "done", LOAD_MS);
    assert.match(await scoreText(frame), /\d/);
    assert.ok((await canvasColours(frame, "overlay-canvas")) > 16);
    const seen = (selector) => frame.locator(selector).first().isVisible();
    for (const selector of [".bar", ".strip", "#foot", "#toolbar", "#object-select", "#analyse", "#opacity", "#download-report"]) assert.equal(await seen(selector), false, selector);
    for (const selector of ["#overlay-canvas", "#scale", "#score", "#sample-note"]) assert.equal(await seen(selector), true, selector);
    const line = frame.getByTestId("embed-line");
    assert.match(await line.innerText(), /Not a medical device[^]*Department of tests, CC0[^]*Open in MVFA Web/);
    assert.equal(await frame.evaluate(() => document.activeElement === document.body), true, "the focus stays outside");
    assert.equal((await frame.evaluate(() => navigator.serviceWorker?.getRegistrations())).length, 0, "no copy is left behind");
    const from = record.network().length;
    await frame.locator("#zoom-in").click();
    await frame.locator("#bare").click();
    assert.equal(record.network().length, from);
    // Tabs are not allowed here, so the whole page comes in the frame.
    await frame.getByTestId("embed-open").click();
    await frame.waitForURL((url) => !url.searchParams.has("embed"));
    assert.equal(new URL(frame.url()).searchParams.get("sample"), "first");
    await waitForState(frame, "done", LOAD_MS);
    assert.equal(await seen(".bar"), true);
  });
});

test("?embed without a name shows the first case; with a name that is none it says so", async () => {
  await inFrame("", async (frame) => {
    await waitForState(frame, "done", LOAD_MS);
    assert.equal(await frame.locator("#sample-note").innerText(), "Look at the left.");
  });
  await inFrame("&sample=frist", async (frame) => {
    await waitForState(frame, "ready", LOAD_MS);
    assert.match((await notices(frame)).join(), /no sample “frist” on this site; the nearest is “first”/);
    assert.equal(await frame.getByTestId("drop-zone").isVisible(), true);
  });
});

test("?embed of a site without cases is a place for one's own images", async () => {
  await onSite({ ...OWN, samples: [] }, { query: "&embed" }, async (page) => {
    await waitForState(page, "ready", LOAD_MS);
    assert.equal(await page.locator(".welcome-drop").isVisible(), true);
    assert.equal(await page.locator(".bar").isVisible(), false);
    await chooseMode(page, "zero");
    await giveFiles(page, "file-input", slice("brain1_016"));
    assert.match(await analyse(page, LOAD_MS), /\d/);
  });
});

test("what is changed without a build is there at the next visit, and without a connection, too", async () => {
  const host = await openSite(OWN);
  try {
    await withPage(browser, { site: host.url, serviceWorkers: "allow", expect: [/ERR_CONNECTION_REFUSED|Failed to load resource|ERR_FAILED/] }, async (page) => {
      await openReady(page, { device: "cpu", site: host.url }, LOAD_MS);
      await page.waitForFunction(() => navigator.serviceWorker.controller);
      const third = { ...OWN.samples[0], id: "third", title: "Third case", pictures: ["cases/third.png"] };
      host.change("cases/third.png", readFileSync(slice("brain1_016")));
      host.change("site.json", JSON.stringify({ ...OWN, title: "Reading room C", samples: [third] }));
      await page.reload();
      await waitForState(page, "ready", LOAD_MS);
      assert.equal(await page.title(), "Reading room C");
      assert.equal(await page.getByTestId("notice").count(), 0, "no new version is offered");

      await host.stop();
      await page.reload();
      await waitForState(page, "ready", LOAD_MS);
      assert.equal(await page.title(), "Reading room C");
      await page.locator('[data-sample="third"]').click();
      await waitForState(page, "done", LOAD_MS);
      assert.deepEqual(await notices(page), []);
      assert.equal(await page.locator("#requests-count").innerText(), "0");
      const kept = await page.evaluate(async () => (await Promise.all((await caches.keys()).filter((name) => name.startsWith("mvfa-site")).map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => url)))).flat());
      const own = kept.filter((url) => url.endsWith("?own")).map((url) => url.slice(host.url.length)).sort();
      assert.deepEqual(own, ["cases/normal%201.png?own", "cases/normal-2.png?own", "cases/third.png?own", "site.json?own", "texte/de.json?own"], "and nothing that is no longer named");

      await host.start();
      host.change("site.json", null);
      await page.reload();
      await waitForState(page, ["ready", "error"], LOAD_MS);
      assert.equal(await page.title(), "MVFA Web", "a file that was taken away does not come back");
    });
  } finally {
    await host.stop().catch(() => {});
  }
});

test("a site without the model that comes with the page is kept for visits without a connection", async () => {
  const host = await openSite(OWN);
  for (const path of ["manifest.json", "MODEL_CARD.md", "NOTICE.md", "LICENSE"]) host.change(`models/default/${path}`, null);
  try {
    await withPage(browser, { site: host.url, serviceWorkers: "allow", expect: [/ERR_|Failed to load/] }, async (page) => {
      await openReady(page, { device: "cpu", site: host.url }, LOAD_MS);
      await page.waitForFunction(() => navigator.serviceWorker.controller);
      await host.stop();
      await page.reload();
      await waitForState(page, "ready", LOAD_MS);
      assert.equal(await page.title(), OWN.title);
    });
  } finally {
    await host.stop().catch(() => {});
  }
});

test("serve.py is the server of the documents, and serves the folder it lies in", async (t) => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const program = readFileSync(join(root, "serve.py"), "utf8");
  assert.ok(readFileSync(join(root, "docs/hosting.md"), "utf8").includes(program.trim()), "docs/hosting.md shows the same lines");
  const folder = mkdtempSync(join(tmpdir(), "mvfa-serve-"));
  cpSync(join(root, "serve.py"), join(folder, "serve.py"));
  for (const name of ["a.js", "a.wasm", "site.json"]) writeFileSync(join(folder, name), "{}");
  const server = spawn("python3", [join(folder, "serve.py"), "0"], { cwd: tmpdir() });
  try {
    const said = await new Promise((resolve, reject) => {
      server.stdout.once("data", (bytes) => resolve(String(bytes)));
      server.once("error", reject);
      server.once("exit", (code) => reject(new Error(`it ended with ${code}`)));
    }).catch((error) => (error.code === "ENOENT" ? null : Promise.reject(error)));
    if (said === null) return t.skip("there is no python3");
    const [address] = said.match(/http:\S+/);
    const types = await Promise.all(["a.js", "a.wasm", "site.json"].map(async (name) => (await fetch(new URL(name, address))).headers.get("content-type")));
    assert.deepEqual(types, ["text/javascript", "application/wasm", "application/json"]);
  } finally {
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});
