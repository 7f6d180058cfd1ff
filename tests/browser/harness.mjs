// Opens Chromium on the served site and watches everything a page does.
//
// Comes in: MVFA_URL (where the site is served), CHROMIUM (the browser). Goes out: pages with a
// record of requests and complaints. A test fails on any console error, uncaught exception or
// policy violation that it did not announce.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

/** Where the site is served; `cargo xtask test browser` sets it. */
export const SITE = process.env.MVFA_URL ?? "http://127.0.0.1:8080/";

const QUIET = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** WebGPU on the processor, where there is no graphics card. */
const SOFTWARE_WEBGPU = [
  "--enable-unsafe-webgpu",
  "--enable-features=Vulkan",
  "--use-webgpu-adapter=swiftshader",
  "--use-vulkan=swiftshader",
];

/** A browser's first start on a machine reads hundreds of megabytes from a cold disk. */
const START_TIMEOUT_MS = 180_000;
/** The longest a page of the site may take to load; a slow machine is no failure. */
const LOAD_TIMEOUT_MS = 120_000;

/** How every browser is started. @param {string[]} [off] features it shall not have */
const options = (webgpu, off = []) => ({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  timeout: START_TIMEOUT_MS,
  args: [
    "--headless=new",
    ...QUIET,
    ...(webgpu ? SOFTWARE_WEBGPU : [`--disable-features=${["WebGPU", "WebGPUService", ...off]}`]),
  ],
});
// Without a service worker every request goes over the network, where it is seen.
const CONTEXT = { serviceWorkers: "block", viewport: { width: 1280, height: 800 } };

/** Starts a browser and lets it show one page. Without `webgpu` it has no adapter to offer. */
export async function launch({ webgpu = true } = {}) {
  const browser = await chromium.launch(options(webgpu));
  const page = await browser.newPage();
  await page.goto(new URL("pkg/README.md", SITE).href, { timeout: START_TIMEOUT_MS });
  await page.context().close();
  return browser;
}

/** What a page did: requests in order, and complaints. */
export class Record {
  /** @type {{method: string, url: string}[]} */ requests = [];
  /** @type {string[]} */ complaints = [];
  #expected;
  #site;

  /** @param {RegExp[]} expected complaints that belong to the test @param {string} site where the page is served */
  constructor(expected, site) {
    this.#expected = expected;
    this.#site = site;
  }

  complain(text) {
    if (!this.#expected.some((pattern) => pattern.test(text))) this.complaints.push(text);
  }

  /** Network requests from the given position on; `blob:` and `data:` stay inside the browser. */
  network(from = 0) {
    return this.requests.slice(from).filter(({ url }) => /^(https?|wss?):/.test(url));
  }

  assertClean() {
    assert.deepEqual(this.complaints, [], "the page complained");
  }

  /** Only this site, only reading. */
  assertPrivate() {
    const { origin } = new URL(this.#site);
    const foreign = this.network().filter(({ method, url }) => method !== "GET" || new URL(url).origin !== origin);
    assert.deepEqual(foreign, [], "requests other than same-origin GET");
  }
}

/**
 * Runs `work` with a fresh page and checks its record afterwards.
 * @param {import("playwright-core").Browser} browser
 * @param {{expect?: RegExp[], prepare?: (context: import("playwright-core").BrowserContext) => Promise<void>, site?: string,
 *   serviceWorkers?: "allow" | "block"}} options `expect`: complaints that belong to the test; `prepare`: runs before the
 *   page is made; `site`: where the page is served
 * @param {(page: import("playwright-core").Page, record: Record) => Promise<void>} work
 */
export async function withPage(browser, { expect = [], prepare = async () => {}, site = SITE, serviceWorkers = "block" }, work) {
  const context = await browser.newContext({ ...CONTEXT, serviceWorkers });
  await watched(context, { expect, prepare, site }, work);
}

/** Runs `work` with an empty folder for profiles, which is deleted afterwards. */
export async function withProfileFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), "mvfa-profile-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * One visit of a browser that keeps what it stores in `folder`: the next visit with the same folder finds it.
 * @param {string} folder
 * @param {{expect?: RegExp[], site?: string, off?: string[], serviceWorkers?: "allow" | "block"}} options `site`: where the
 *   page is served; `off`: features the browser shall not have
 * @param {(page: import("playwright-core").Page, record: Record) => Promise<void>} work
 */
export async function withVisit(folder, { expect = [], site = SITE, off, serviceWorkers = "block" }, work) {
  const context = await chromium.launchPersistentContext(folder, { ...options(false, off), ...CONTEXT, serviceWorkers });
  await watched(context, { expect, prepare: async () => {}, site }, work);
}

/** Runs `work` with a page of the context, checks what it did and closes the context. */
async function watched(context, { expect, prepare, site }, work) {
  const record = new Record(expect, site);
  try {
    context.on("request", (request) => record.requests.push({ method: request.method(), url: request.url() }));
    context.on("console", (message) => {
      // A browser asks for this by itself where a document names no icon, as plain files cannot.
      const isIcon = new URL(message.location().url || site, site).pathname === "/favicon.ico";
      if (message.type() === "error" && !isIcon) record.complain(message.text());
    });
    context.on("weberror", (error) => record.complain(String(error.error())));
    await context.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => {
        console.error(`policy violation: ${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    await prepare(context);
    const page = await context.newPage();
    page.setDefaultNavigationTimeout(LOAD_TIMEOUT_MS);
    await work(page, record).catch((error) => {
      // Often the reason why something never came.
      if (record.complaints.length > 0) error.message += `\nthe page complained: ${record.complaints.join("\n")}`;
      throw error;
    });
    record.assertClean();
    record.assertPrivate();
  } finally {
    await context.close();
  }
}
