// The other browser engines: Firefox, and WebKit as GTK packages it. No library drives them: they open a page that holds
// the site in a frame, uses it as a person would and reports to the host it came from. The host sends no headers.
//
// Comes in: MVFA_FIREFOX and MVFA_WEBKIT, programs that open an address; a test whose program is missing says so.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openHost, openListener } from "./hosts.mjs";

const END_MS = 150_000;

/** Runs in the page around the site. @param {string} away an origin that listens */
async function drive(away) {
  const frame = /** @type {HTMLIFrameElement} */ (document.querySelector("iframe"));
  const site = () => /** @type {any} */ (frame.contentWindow);
  const find = (selector) => site().document.querySelector(selector);
  const report = (what, found) => fetch(`/report?${encodeURIComponent(JSON.stringify([what, found]))}`);
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const until = async (states) => {
    const end = Date.now() + 60_000;
    while (Date.now() < end) {
      const state = find("main")?.dataset.state;
      if (states.includes(state)) return state;
      await sleep(100);
    }
    return `still ${find("main")?.dataset.state}: ${find("#status")?.innerText} ${find("#messages")?.innerText}`;
  };
  /** Tries to send from a worker that is made as the page makes its own. */
  const leak = () => new Promise((resolve) => {
    const code = `fetch("${away}worker", { method: "POST", mode: "no-cors", body: "pixels" }).then(() => postMessage("sent"), () => postMessage("blocked"))`;
    const { Worker, Blob, URL } = site();
    const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })), { type: "module" });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = () => resolve("blocked");
  });
  for (const visit of ["first", "second"]) {
    await report(`${visit} visit`, await until(["ready", "error"]));
    find('[data-testid="sample"]').click();
    await report(`${visit} analysis`, await until(["done", "error"]));
    await report(`${visit} score`, Number(find('[data-testid="score"]').dataset.value));
    await report(`${visit} requests`, find("#requests-count").innerText);
    await report(`${visit} leak from a worker`, await leak());
    await report(`${visit} leak from the page`, await site().fetch(`${away}page`, { method: "POST", mode: "no-cors" }).then(() => "sent", () => "blocked"));
    await report(`${visit} copy`, Boolean(await site().navigator.serviceWorker?.getRegistration()));
    site().location.reload();
    await sleep(1_500);
  }
  await report("end", true);
}

/** @param {string} program @param {string[]} args @param {import("node:test").TestContext} t */
async function run(program, args, t) {
  const listener = await openListener();
  const host = await openHost();
  host.change("driver.html", `<!doctype html><meta charset="utf-8"><iframe src="index.html?device=cpu" width="1200" height="800"></iframe><script>(${drive})(${JSON.stringify(listener.url)})</script>`);
  const profile = mkdtempSync(join(tmpdir(), "mvfa-engine-"));
  const env = { ...process.env, HOME: profile, XDG_CACHE_HOME: join(profile, "cache"), XDG_DATA_HOME: join(profile, "data"), XDG_CONFIG_HOME: join(profile, "config") };
  const browser = spawn(program, [...args.map((arg) => arg.replace("PROFILE", profile)), `${host.url}driver.html`], { stdio: "ignore", detached: true, env });
  const reports = () => Object.fromEntries(host.asked.filter((line) => line.startsWith("GET /report?")).map((line) => JSON.parse(decodeURIComponent(line.split("?")[1]))));
  try {
    const end = Date.now() + END_MS;
    while (!reports().end && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 200));
    t.diagnostic(JSON.stringify(reports()));
    return { found: reports(), arrived: listener.arrived };
  } finally {
    if (browser.pid) process.kill(-browser.pid, "SIGKILL");
    await host.stop();
    await listener.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}

const ENGINES = {
  Firefox: { program: process.env.MVFA_FIREFOX, args: ["--headless", "--no-remote", "--profile", "PROFILE"] },
  WebKit: { program: process.env.MVFA_WEBKIT, args: [] },
};

for (const [name, { program, args }] of Object.entries(ENGINES)) {
  test(`${name}: two visits from start to map, nothing sent`, { skip: program ? false : `no ${name} here` }, async (t) => {
    const wrapped = name === "WebKit" ? ["xvfb-run", ["-a", String(program), ...args]] : [String(program), args];
    const { found, arrived } = await run(/** @type {string} */ (wrapped[0]), /** @type {string[]} */ (wrapped[1]), t);
    const expected = {};
    for (const visit of ["first", "second"]) {
      Object.assign(expected, {
        [`${visit} visit`]: "ready", [`${visit} analysis`]: "done", [`${visit} requests`]: "0",
        [`${visit} leak from a worker`]: "blocked", [`${visit} leak from the page`]: "blocked", [`${visit} copy`]: true,
      });
    }
    const { "first score": first, "second score": second, ...others } = found;
    assert.deepEqual(others, { ...expected, end: true });
    assert.deepEqual(arrived, []);
    assert.ok(first > 1 && first === second, `scores ${first} and ${second}`);
  });
}
