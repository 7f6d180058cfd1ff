// The table of texts and what uses it, without a browser: every key is there and used, with the values it names; no English is left in the page's modules; index.html says what the table says; a translation with mistakes is told of.

import assert from "node:assert/strict";
import { test } from "node:test";
import en from "../../web/texts/en.js";
import { inEnglish, numeral, t as say, useTexts } from "../../web/ui/texts.js";
import { READ_ATTRIBUTES, modules, pageElements, textsOf, wordsOf } from "./page-texts.mjs";

const TABLE = new Map(Object.entries(en).flatMap(([area, texts]) => Object.entries(texts).map(([name, text]) => [`${area}.${name}`, text])));
const AREAS = Object.keys(en);

/** Words in the modules that are no texts of the page, by module. */
const NO_TEXTS = {
  "ui/site.js": { why: "mistakes of site.json are told to who writes it, in English", words: [/./] },
  "ui/site-schema.js": { why: "mistakes of site.json are told to who writes it, in English", words: [/./] },
  "ui/words.js": { why: "what a file says it is", words: [/^MVFA Web words 1$/] },
  "ui/capability.js": { why: "a name of a technology", words: [/^WebAssembly SIMD$/] },
  "ui/dialogs.js": { why: "keys; those that have names are in the table", words: [/^(\S{1,5} \S{1,5}|Space|Esc)$/] },
  "ui/exports.js": { why: "who made a file, for other programs", words: [/^, revision $/] },
  "ui/focus.js": { why: "selectors", words: [/^a\[href\], button/] },
  "ui/icons.js": { why: "paths", words: [/^M[\d.]/] },
  "ui/images.js": { why: "the matter of a message", words: [/^unreadable images$/] },
  "ui/keyboard.js": { why: "selectors", words: [/^input:not/, /^button:not/] },
  "ui/made-with.js": { why: "a file for other programs", words: [/^taken out since$/] },
  "ui/messages.js": { why: "the sign of a notice, which no screen reader says", words: [/^i$/] },
  "ui/panel.js": { why: "media queries", words: [/^\((prefers-color-scheme: dark|forced-colors: active)\)$/] },
  "ui/picture.js": { why: "a font", words: [/^px system-ui/] },
  "ui/print.js": { why: "the name of the program; HTML and CSS", words: [/^MVFA Web$/, /^<!doctype html>/, /^><head>/, /^ dir="$/, /^\* \{/] },
  "ui/report.js": { why: "a file for other programs", words: [/./] },
  "ui/slice-exports.js": { why: "a file for other programs", words: [/^MVFA Web$/, /^x to the right/] },
  "ui/support.js": { why: "the matter of a message", words: [/^normal images taken out$/] },
  "ui/supportset.js": { why: "the matter of a message", words: [/^normal images refused$/] },
  "ui/texts.js": { why: "said to who writes a translation", words: [/./] },
  "ui/workspace-file.js": { why: "a file for other programs", words: [/^MVFA Web workspace 1$/] },
  "ui/workspace.js": { why: "a file for other programs", words: [/^For research and teaching\. Not a medical device\. A score is not a diagnosis\.$/] },
};

/** Texts of index.html that no translation reaches. */
const STATIC = {
  stuck: "shown where the page's program does not run",
  head: "the name of the program, and what search engines read",
  signs: /^(MVFA Web|1:1|[^\p{L}]+)$/u,
};

/** @param {string} key */
function wanted(key) {
  const text = TABLE.get(key);
  const forms = typeof text === "string" ? [text] : Object.values(text);
  const names = new Set(forms.flatMap((form) => [...form.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)));
  if (typeof text !== "string") names.add("count");
  return [...names].sort();
}

test("every key that is asked for is in the table, with exactly the values that its text names", () => {
  for (const { file, tree } of modules()) {
    const { asked, open, bare } = textsOf(tree, AREAS);
    for (const { key, values } of asked) {
      assert.ok(TABLE.has(key), `${file} asks for "${key}", which is not in the table`);
      assert.ok(values, `${file} gives "${key}" values that are not written out`);
      assert.deepEqual([...values].sort(), wanted(key), `${file}: values of "${key}"`);
    }
    for (const key of bare) {
      assert.ok(TABLE.has(key), `${file} names "${key}", which is not in the table`);
      const names = wanted(key);
      // A list of keys for one call: it may count for those that have no plural.
      const fits = (values) => names.every((name) => values?.includes(name)) && values.every((name) => name === "count" || names.includes(name));
      assert.ok(names.length === 0 || open.some(fits), `${file}: no call gives "${key}" the values ${names}`);
    }
  }
});

test("every text in the table is used", () => {
  const used = new Set(modules().flatMap(({ tree }) => {
    const { asked, bare } = textsOf(tree, AREAS);
    return [...asked.map(({ key }) => key), ...bare];
  }));
  for (const { attributes } of pageElements()) {
    if (attributes["data-text"]) used.add(attributes["data-text"]);
    for (const pair of (attributes["data-text-attr"] ?? "").split(",").filter(Boolean)) used.add(pair.split(":")[1]);
  }
  assert.deepEqual([...TABLE.keys()].filter((key) => !used.has(key)), []);
});

test("no English that a person reads is left in the modules, and every exception is one", () => {
  const left = [];
  const met = new Set();
  for (const { file, tree } of modules()) {
    for (const words of wordsOf(tree)) {
      const known = NO_TEXTS[file]?.words.find((pattern) => pattern.test(words));
      if (known) met.add(known);
      else left.push(`${file}: ${words}`);
    }
  }
  assert.deepEqual(left, []);
  const unmet = Object.entries(NO_TEXTS).flatMap(([file, { words }]) => words.filter((pattern) => !met.has(pattern)).map((pattern) => `${file}: ${pattern}`));
  assert.deepEqual(unmet, [], "exceptions that nothing needs");
});

test("the search for words finds them", async () => {
  const { parseAst } = await import("vite");
  const found = (code) => wordsOf(parseAst(code));
  assert.deepEqual(found('const text = "There is no picture in it.";'), ["There is no picture in it."]);
  assert.deepEqual(found("setText(node, count ? `${count} left` : \"none\");"), [" left", "none"].sort());
  assert.deepEqual(found('make("p", { class: "hint small", text: "none" }, "some");').sort(), ["none", "some"]);
  assert.deepEqual(found('node.setAttribute("aria-label", "none"); node.title = "some"; const NAMES = ["Distance"];').sort(), ["Distance", "none", "some"]);
  assert.deepEqual(found('if (mode === "few") node.classList.add("hint"); list.querySelector("ol li"); t("table.image"); const key = "table.image";'), []);
});

test("index.html says in English what the table says, and nothing else", () => {
  const elements = pageElements();
  const isOutOfReach = (element) => {
    for (let up = element; up; up = up.parent) if (up.tag === "head" || up.attributes.id === "stuck") return true;
    return false;
  };
  for (const element of elements) {
    if (isOutOfReach(element)) continue;
    const { tag, attributes, own, words } = element;
    const key = attributes["data-text"];
    if (key) {
      assert.ok(TABLE.has(key), `index.html names "${key}", which is not in the table`);
      assert.equal(words.trim(), TABLE.get(key), `text of <${tag}> with data-text="${key}"`);
      // With several texts of its own it must say where the elements inside stand.
      if (!words.includes("{")) assert.equal(own.length, 1, `texts of <${tag}> with data-text="${key}"`);
      for (const [, slot] of words.matchAll(/\{(\w+)\}/g)) assert.ok(elements.some((inside) => inside.parent === element && inside.attributes["data-slot"] === slot), `slot ${slot} of "${key}"`);
    } else {
      for (const text of own) assert.match(text.trim(), STATIC.signs, `text of <${tag}> without a key`);
    }
    const pairs = new Map((attributes["data-text-attr"] ?? "").split(",").filter(Boolean).map((pair) => /** @type {[string, string]} */ (pair.split(":"))));
    for (const [name, value] of Object.entries(attributes)) {
      if (!READ_ATTRIBUTES.includes(name) || !/\p{L}/u.test(value)) continue;
      assert.ok(pairs.has(name), `<${tag}> has ${name}="${value}" without a key`);
      assert.equal(value, TABLE.get(pairs.get(name)), `${name} of <${tag}>`);
    }
    for (const name of pairs.keys()) assert.ok(name in attributes, `<${tag}> has a key for ${name} and no ${name}`);
  }
});

test("the table is one that JSON can hold", () => {
  assert.deepEqual(JSON.parse(JSON.stringify(en)), en);
  for (const [key, text] of TABLE) {
    if (typeof text === "string") continue;
    assert.deepEqual(Object.keys(text).sort(), ["one", "other"], key);
    const names = (form) => [...form.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).filter((name) => name !== "count").sort();
    assert.deepEqual(names(text.one), names(text.other), key);
  }
  for (const form of [...TABLE.values()].flatMap((text) => (typeof text === "string" ? [text] : Object.values(text)))) assert.doesNotMatch(form, /<\/?\w|&\w+;/, "HTML in a text");
});

test("a translation is laid over the English, and what is wrong with it is told of and stays English", () => {
  const root = { lang: "en", dir: "" };
  globalThis.document = /** @type {any} */ ({ documentElement: root });
  assert.equal(say("status.batch", { count: 1, duration: "2.0 s" }), "1 image analysed in 2.0 s.");
  assert.equal(say("strip.slices", { count: 0 }), "0 slices");
  assert.throws(() => say(/** @type {any} */ ("status.nothing")), /no text "status\.nothing"/);
  const problems = useTexts({
    common: { close: "Zamknij", undo: 7 },
    strip: { slices: { one: "{count} warstwa", few: "{count} warstwy", many: "{count} warstw", other: "{count} warstwy" }, slicesOf: { other: "{done} z {total}" }, removeName: "Usuń" },
    image: { label: "Obraz {number}", unknown: "?" },
    warnings: { regions: { one: "Jeden obszar", other: "{count} obszarów", lots: "wiele" } },
    units: { seconds: "{number} s i więcej" },
    table: "tabela",
  }, "pl");
  assert.deepEqual(problems, [
    '"common.undo": It must be a text.',
    '"strip.slicesOf": It lacks {count}.',
    '"strip.removeName": It lacks {name}.',
    '"image.unknown": The page has no such text.',
    '"warnings.regions": "lots" is no kind of plural. There are zero, one, two, few, many, other.',
    '"table" is no group of texts.',
  ]);
  assert.deepEqual([root.lang, root.dir], ["pl", "ltr"]);
  assert.equal(say("common.close"), "Zamknij");
  assert.equal(say("common.undo"), "Undo");
  assert.deepEqual([1, 3, 5, 22].map((count) => say("strip.slices", { count })), ["1 warstwa", "3 warstwy", "5 warstw", "22 warstwy"]);
  assert.equal(inEnglish("image.label", { number: 3 }), "Image 3");
  assert.equal(say("image.label", { number: 3 }), "Obraz 3");
  assert.equal(numeral(1234.5, 2), "1234,50");
  assert.equal(numeral(-0.001, 2), "0,00");
  assert.equal(numeral(1234.5, 2, inEnglish), "1234.50");

  assert.deepEqual(useTexts({ strip: { slices: "{count} شريحة" } }, "ar-EG"), []);
  assert.deepEqual([root.lang, root.dir], ["ar-EG", "rtl"]);
  assert.equal(say("strip.slices", { count: 12 }), "١٢ شريحة");
  assert.equal(say("common.close"), "Close", "another translation starts from the English");

  assert.match(useTexts({}, "no language")[0], /"no language" is no tag of a language/);
  assert.match(useTexts(["a"], "de")[0], /no table/);
  assert.equal(root.lang, "ar-EG", "nothing is changed by what is no translation");
  assert.deepEqual(useTexts({}, "en"), []);
  assert.equal(numeral(0.5, 2), "0.50");
});
