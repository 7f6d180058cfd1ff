// The page in another language: with every text marked and 40 % longer it starts, analyses a sample, opens its dialogs, leaves nothing in English but what is listed, and fits a phone.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import en from "../../web/texts/en.js";
import { TINY, openReady, waitForState } from "./actions.mjs";
import { launch, withPage } from "./harness.mjs";
import { READ_ATTRIBUTES } from "./page-texts.mjs";

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

/** How much longer than English a text may be. */
const LONGER = 0.4;
const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 800 };

/** A text with marks around it and words added; a single word grows. @param {string} text */
function pseudo(text) {
  const more = "ö".repeat(Math.ceil(LONGER * text.replace(/\{\w+\}/g, "").length));
  const isWord = !/\s/.test(text.replace(/\{\w+\}/g, "").trim());
  return `⟦${text}${isWord ? more : more.replace(/.{6}/g, " $&")}⟧`;
}

const TABLE = Object.fromEntries(Object.entries(en).map(([area, texts]) => [area, Object.fromEntries(Object.entries(texts).map(([name, text]) => [
  name, typeof text === "string" ? pseudo(text) : Object.fromEntries(Object.entries(text).map(([plural, form]) => [plural, pseudo(form)])),
]))]));

/** What stays as it is: names, and what others say (docs/translating.md). By selector of the element around. */
const NOT_OURS = [
  ".brand", "head",
  // Of samples.json.
  ".sample", "#samples-credit", "#sample-note", ".samples + .hint",
  // Of the model and of the engine.
  "#model-name", "#object-select option", "#colour-map option", "#warnings", ".facts dd", ".model-words small", "#device-button",
  // Files' names, and why one cannot be read.
  ".strip-name", ".strip-item[data-state=error] .strip-pick", ".support-score-name",
  // Lines of the list of requests: addresses.
  ".requests",
];
/** Words that are the same in all languages: keys, units and names, and files of the sample. */
const SAME = /\b(MVFA Web|MVFA|WebGPU|CPU|mvfa|default|own|brain\d_\d+|lung\d_\d+|png|px|mm|MB|tiny|Tiny|i|x|y|O|A|N|T|Z|R|L|H|V|I|W|M|E|C|S|F)\b/g;

/** Gives the page the translation as a site does. @param {import("playwright-core").BrowserContext} context @param {unknown} table @param {string} language */
async function translate(context, table, language) {
  await context.route("**/site.json", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), language, texts: "pseudo.json" } });
  });
  await context.route("**/pseudo.json", (route) => route.fulfill({ json: table }));
}

/** Words on the page outside the marks. @param {import("playwright-core").Page} page @returns {Promise<string[]>} */
async function english(page) {
  const texts = await page.evaluate(([notOurs, attributes]) => {
    const found = [];
    const isOurs = (element) => !element.closest(notOurs);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.parentElement && isOurs(node.parentElement)) found.push([node.nodeValue ?? "", node.parentElement.id || node.parentElement.className]);
    }
    for (const element of document.body.querySelectorAll("*")) {
      if (!isOurs(element)) continue;
      for (const name of attributes) found.push([element.getAttribute(name) ?? "", `${element.id || element.className} ${name}`]);
    }
    return found;
  }, [NOT_OURS.join(), READ_ATTRIBUTES]);
  // A text may consist of several nodes: one with a slot begins before the slot and ends behind it.
  return texts.flatMap(([text, where]) => {
    let rest = text;
    for (let before = ""; before !== rest;) [before, rest] = [rest, rest.replace(/⟦[^⟦⟧]*⟧/g, "")];
    rest = rest.replace(/^[^⟦⟧]*⟧/, "").replace(/⟦[^⟦⟧]*$/, "").replace(SAME, "");
    return /\p{L}{2}/u.test(rest) ? [`${where}: ${rest.trim()}`] : [];
  });
}

/** What is wider than the window, or a text wider than its box, unless a part scrolls or is cut on purpose. @param {import("playwright-core").Page} page @returns {Promise<string[]>} */
function wide(page) {
  return page.evaluate(() => {
    const scrolls = (element) => {
      for (let up = element.parentElement; up && up !== document.body; up = up.parentElement) {
        if (getComputedStyle(up).overflowX !== "visible" && up.getBoundingClientRect().right <= innerWidth + 1) return true;
      }
      return false;
    };
    const found = [...document.body.querySelectorAll("*")].filter((element) => {
      const { left, right, width } = element.getBoundingClientRect();
      return width > 0 && element.checkVisibility() && (right > innerWidth + 1 || left < -1) && !element.closest(".visually-hidden, .skip, svg") && !scrolls(element);
    }).map((element) => `${element.tagName}#${element.id}.${element.className}`);
    for (const element of document.body.querySelectorAll("*")) {
      const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.nodeValue?.trim());
      if (!hasText || element.closest(".visually-hidden, .skip") || !element.checkVisibility() || getComputedStyle(element).overflowX !== "visible") continue;
      if (element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1) found.push(`a text in ${element.tagName}#${element.id}.${element.className}: ${element.textContent}`);
    }
    if (document.documentElement.scrollWidth > innerWidth) found.push(`the page: ${document.documentElement.scrollWidth}`);
    return found;
  });
}

/** Opens a dialog, looks, and closes it. */
async function withDialog(page, open, look) {
  await open();
  await page.locator("dialog[open]").waitFor();
  await look();
  await page.keyboard.press("Escape");
  await page.locator("dialog[open]").waitFor({ state: "detached" });
}

/** Everything that can be folded is open. @param {import("playwright-core").Page} page */
const unfold = (page) => page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));

/** Goes through the page and looks at each step. @param {import("playwright-core").Page} page @param {(step: string) => Promise<void>} look */
async function tour(page, look) {
  await look("welcome");
  await page.getByTestId("sample").first().click();
  await waitForState(page, "done", 300_000);
  await unfold(page);
  await look("result");
  for (const [step, id] of [["help", "help-button"], ["models", "model-button"], ["device", "device-button"], ["requests", "requests-button"], ["samples", "samples-button"]]) {
    await withDialog(page, () => page.locator(`#${id}`).click(), () => look(step));
  }
  await page.locator("#file-input").setInputFiles([
    { name: "a.png", mimeType: "image/png", buffer: readFileSync(new URL("../../web/samples/brain-lesion/brain1_016.png", import.meta.url)) },
    { name: "b.png", mimeType: "image/png", buffer: Buffer.from("no picture") },
  ]);
  await page.getByTestId("error").first().waitFor();
  for (const kind of ["ruler", "area"]) {
    for (const field of ["x1", "y1", "x2", "y2"]) await page.locator(`#measure-${field}`).evaluate((node, value) => (node.value = value), field.endsWith("1") ? "10" : "60");
    await page.locator("#measure-kind").evaluate((node, value) => (node.value = value), kind);
    await page.locator("#measure-form").evaluate((form) => form.requestSubmit());
  }
  await page.getByTestId("mode-self").evaluate((input) => !input.disabled && !input.closest("[hidden]") && input.click());
  await look("several images");
  await withDialog(page, () => page.locator("#table-button").click(), () => look("table"));
}

test("with every text replaced the page works, and only what is not its own is in English", async () => {
  await withPage(browser, { prepare: (context) => translate(context, TABLE, "de") }, async (page) => {
    await openReady(page, { model: TINY, device: "cpu" }, 300_000);
    assert.equal(await page.locator("html").getAttribute("lang"), "de");
    assert.match(await page.locator(".welcome-title").innerText(), /^⟦See what is unusual/);
    assert.match(await page.locator(".welcome-text").innerText(), /^⟦Drop images here, paste one, or ⟦choose files/);
    await tour(page, async (step) => assert.deepEqual(await english(page), [], `left in English: ${step}`));
    assert.match(await page.getByTestId("score").innerText(), /^(–|-?\d+,\d\d)$/, "numbers as the language writes them");
    // What is saved for programs is the same in all languages.
    const saved = async (/** @type {() => Promise<unknown>} */ press) => {
      const [download] = await Promise.all([page.waitForEvent("download"), press()]);
      return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
    };
    const report = await saved(() => page.getByTestId("download-report").click());
    assert.doesNotMatch(report.text, /[⟦⟧]/);
    const { images } = JSON.parse(report.text);
    assert.equal(images[0].label, "Image 1");
    assert.match(images[0].reading, /^(Inside the range of|Higher than|Lower than) .*Their own scores lie between -?\d+\.\d\d and /);
    const outlines = await saved(async () => {
      await page.getByTestId("strip-item").first().locator("button").first().click();
      await page.getByTestId("export-kind").selectOption("outlines");
      await page.getByTestId("export-save").click();
    });
    assert.doesNotMatch(outlines.name + outlines.text, /[⟦⟧]/);
    await page.locator("#table-button").click();
    const table = await saved(() => page.getByTestId("table-csv").click());
    assert.doesNotMatch(table.text, /[⟦⟧]/);
    assert.match(table.text, /^image,score,reading,.*\r\nImage 1,-?\d+\.\d+,(Inside|Higher|Lower) /);
  });
});

for (const [language, size] of /** @type {const} */ ([["de", PHONE], ["he", PHONE], ["de", DESK], ["he", DESK]])) {
  test(`texts that are 40 % longer fit ${size.width} px, language ${language}`, async () => {
    await withPage(browser, { prepare: (context) => translate(context, TABLE, language) }, async (page) => {
      await page.setViewportSize(size);
      await openReady(page, { model: TINY, device: "cpu" }, 300_000);
      assert.equal(await page.locator("html").getAttribute("dir"), language === "he" ? "rtl" : "ltr");
      await tour(page, async (step) => assert.deepEqual(await wide(page), [], `too wide: ${step}`));
      // The colours of the scale are drawn from left to right.
      const [low, high] = await Promise.all(["scale-lo", "scale-hi"].map((id) => page.locator(`#${id}`).boundingBox()));
      assert.ok(low && high && low.x < high.x, "the low end of the scale is on the left");
    });
  });
}

test("the English table over itself changes nothing on the page", async () => {
  await withPage(browser, {}, async (page) => {
    await openReady(page, { model: TINY, device: "cpu" }, 300_000);
    const [first, second] = await page.evaluate(async (table) => {
      const { fillPage, useTexts } = await import("/web/ui/texts.js");
      const html = await (await fetch("/index.html")).text();
      const parsed = new DOMParser().parseFromString(html, "text/html");
      document.body.replaceChildren(...parsed.body.childNodes);
      const as = document.body.innerHTML;
      useTexts(table, "en");
      fillPage();
      return [as, document.body.innerHTML];
    }, en);
    assert.equal(second, first);
  });
});

test("what is wrong with a translation is said, and the page works", async () => {
  await withPage(browser, { prepare: (context) => translate(context, { common: { close: 7 }, welcome: { title: "Anders" } }, "de") }, async (page) => {
    await openReady(page, { model: TINY, device: "cpu" }, 300_000);
    await page.getByText('1 text of this site\'s translation is wrong and stays English: "common.close": It must be a text.').waitFor();
    assert.equal(await page.locator(".welcome-title").innerText(), "Anders");
    assert.equal(await page.locator(".welcome-or").innerText(), "Or try a sample");
  });
});
