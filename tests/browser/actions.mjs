// What a person does on the page, by test id; and what a program does with the package.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { SITE } from "./harness.mjs";

/** The small model, of which golden values exist. */
export const TINY = "/models/tiny/manifest.json";
/** The model that comes with the site, addressed as the page does. */
export const DEFAULT = "/models/default/manifest.json";

/** Opens the page; does not wait for the model. */
export async function openPage(page, { model, device, site = SITE } = {}) {
  const url = new URL(site);
  if (model) url.searchParams.set("model", model);
  if (device) url.searchParams.set("device", device);
  await page.goto(url.href);
}

/** Waits until `<main>` is in one of the states and returns which. */
export async function waitForState(page, states, timeoutMs = 120_000) {
  const wanted = [states].flat();
  const handle = await page
    .waitForFunction(
      (names) => {
        const state = document.querySelector("main")?.dataset.state;
        return names.includes(state) && state;
      },
      wanted,
      { timeout: timeoutMs },
    )
    .catch(async (error) => {
      const state = await page.locator("main").getAttribute("data-state");
      const shown = await errorText(page);
      throw new Error(`the page is ${state}, expected ${wanted}; it shows ${JSON.stringify(shown)}`, { cause: error });
    });
  return handle.jsonValue();
}

/** Opens the page and waits until it can be used. */
export async function openReady(page, options, timeoutMs) {
  await openPage(page, options);
  await waitForState(page, "ready", timeoutMs);
}

/** What the page says went wrong; empty if it says nothing. */
export async function errorText(page) {
  const error = page.getByTestId("error").first();
  return (await error.isVisible()) ? (await error.innerText()).trim() : "";
}

/** Waits for a visible error that says more than a word. */
export async function waitForError(page, timeoutMs = 60_000) {
  await page.getByTestId("error").first().waitFor({ state: "visible", timeout: timeoutMs });
  const text = await errorText(page);
  assert.ok(text.length > 20, `an error that says what to do, found ${JSON.stringify(text)}`);
  return text;
}

/** The page's workers of one kind: those of the model, those that read files, those that make models; waiting ones too. @param {"model" | "files" | "lab"} kind */
export async function workersOf(page, kind) {
  // Bundlers and the page's policy give workers other addresses; their names tell what they are for.
  const kindOf = () => (/formats/.test(self.name) ? "files" : /lab/.test(self.name) ? "lab" : "model");
  const found = [];
  for (const worker of page.workers()) {
    const is = await worker.evaluate(kindOf).catch(() => null);
    if (is === kind) found.push(worker);
  }
  return found;
}

/** Gives files to a file input, or to the one inside the element of that test id. */
export async function giveFiles(page, testId, files) {
  const element = page.getByTestId(testId).first();
  const isInput = await element.evaluate((node) => node instanceof HTMLInputElement);
  await (isInput ? element : element.locator("input[type=file]")).setInputFiles(files);
}

/** Chooses `zero` or `few`; the radio button may be drawn by its label. */
export async function chooseMode(page, mode) {
  const element = page.getByTestId(`mode-${mode}`).first();
  const isInput = await element.evaluate((node) => node instanceof HTMLInputElement);
  await (isInput ? element : element.locator("input[type=radio]")).check({ force: true });
}

/** Starts the analysis. */
export async function startAnalysis(page) {
  await page.getByTestId("analyse").click();
}

/** Analyses what is there and returns the score as shown. */
export async function analyse(page, timeoutMs) {
  await startAnalysis(page);
  await waitForState(page, "done", timeoutMs);
  return scoreText(page);
}

export const scoreText = async (page) => (await page.getByTestId("score").first().innerText()).trim();

/** Saves the report and reads it. */
export async function savedReport(page) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("download-report").click()]);
  return JSON.parse(readFileSync(await download.path(), "utf8"));
}

/** Moves a slider to a share of its way, as dragging does. */
export async function slide(page, testId, share) {
  await page.getByTestId(testId).first().evaluate((input, part) => {
    input.value = String(Number(input.min || 0) + part * (Number(input.max || 100) - Number(input.min || 0)));
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }, share);
}

/** How many different colours a canvas shows; 1 means that nothing is drawn. */
export async function canvasColours(page, testId) {
  // A screenshot sees what a person sees, whatever the canvas is drawn with.
  const png = await page.getByTestId(testId).first().screenshot();
  return page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    return new Set(new Uint32Array(data.buffer)).size;
  }, png.toString("base64"));
}

/**
 * Opens a page of the same site that runs no program, makes the package available there, and opens
 * a session as `globalThis.session`. Returns its `info`.
 */
export async function openSession(page, { model = TINY, device, site = SITE }) {
  await page.goto(new URL("pkg/README.md", site).href);
  return page.evaluate(
    async ([manifest, choice]) => {
      const { Session } = await import("/pkg/index.js");
      globalThis.toBlob = (base64) =>
        new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))]);
      globalThis.session = await Session.open(manifest, { device: choice });
      return globalThis.session.info;
    },
    [model, device],
  );
}

const base64 = (file) => readFileSync(file).toString("base64");

/** Adds normal pictures to the session. */
export async function addSupports(page, files) {
  for (const file of files) {
    await page.evaluate((text) => globalThis.session.addSupport(globalThis.toBlob(text)), base64(file));
  }
}

/** Analyses one file in the session; typed arrays come back as plain ones. */
export async function analyseInSession(page, file, options) {
  return page.evaluate(
    async ([text, chosen]) => {
      const result = await globalThis.session.analyse(globalThis.toBlob(text), chosen);
      const plain = (value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
      return Object.fromEntries(Object.entries(result).map(([key, value]) => [key, plain(value)]));
    },
    [base64(file), options],
  );
}

/** The error a call on the session ends in: its name and message. */
export async function sessionError(page, file, options) {
  return page.evaluate(
    async ([text, chosen]) => {
      try {
        await globalThis.session.analyse(globalThis.toBlob(text), chosen);
      } catch (error) {
        return { name: error.name, message: error.message };
      }
      return null;
    },
    [base64(file), options],
  );
}

/** Which pixels of a mask are white, at the size of a map. */
export async function maskPixels(page, file, side) {
  return page.evaluate(
    async ([text, size]) => {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      const context = new OffscreenCanvas(size, size).getContext("2d");
      context.imageSmoothingEnabled = false;
      context.drawImage(bitmap, 0, 0, size, size);
      const { data } = context.getImageData(0, 0, size, size);
      return Array.from({ length: size * size }, (_, i) => data[4 * i] > 127);
    },
    [base64(file), side],
  );
}
