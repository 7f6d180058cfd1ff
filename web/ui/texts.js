/**
 * The texts of the page: English from web/texts/en.js, and a translation that a site may lay over it before the page starts.
 * What the Rust modules say (errors, warnings, what a model calls its objects) stays English.
 *
 * Comes in: a table of texts and the tag of its language. Goes out: texts with their values filled in, numbers as the
 * language writes them, and what is wrong with the table.
 */

import en from "../texts/en.js";

/** The forms of a text by the plural that a number takes. @typedef {Record<string, string>} Forms */
/** @typedef {{[Area in keyof typeof en]: `${Area}.${keyof typeof en[Area] & string}`}[keyof typeof en]} Key */
/** @typedef {(key: Key, values?: Record<string, string | number>) => string} Say */

/** Kinds of plural, as `Intl.PluralRules` names them. */
const PLURALS = ["zero", "one", "two", "few", "many", "other"];
/** Languages that are written from right to left. */
const RIGHT_TO_LEFT = ["ar", "fa", "he", "ur"];
const PLACEHOLDER = /\{(\w+)\}/g;
/** Digits after the point that a number keeps where nobody said how many. */
const MOST_DIGITS = 20;

/** @type {Map<string, string | Forms>} */
const english = new Map(Object.entries(en).flatMap(([area, texts]) => Object.entries(texts).map(([name, text]) => /** @type {[string, string | Forms]} */ ([`${area}.${name}`, text]))));
let shown = english;
let language = "en";
/** By language. @type {Map<string, Intl.PluralRules>} */
const rules = new Map();
/** By digits after the point, in the language in use. @type {Map<number | undefined, Intl.NumberFormat>} */
const formats = new Map();

/** A text in the language of the page. @type {Say} */
export const t = (key, values) => text(shown, language, key, values);

/** A text in English, whatever the language of the page: for what is saved for other programs. @type {Say} */
export const inEnglish = (key, values) => text(english, "en", key, values);

/** Language of the page, as a tag. */
export const pageLanguage = () => language;

/** @param {Map<string, string | Forms>} table @param {string} tag @param {string} key @param {Record<string, string | number>} [values] */
function text(table, tag, key, values) {
  const found = table.get(key) ?? english.get(key);
  if (found === undefined) throw new Error(`web/texts/en.js has no text "${key}". Add it there.`);
  const words = typeof found === "string" ? found : found[pluralOf(tag, Number(values?.count))] ?? found.other;
  if (!values) return words;
  return words.replace(PLACEHOLDER, (_, name) => {
    const value = values[name];
    return typeof value === "number" && tag !== "en" ? numeral(value) : String(value);
  });
}

/** @param {string} tag @param {number} count */
function pluralOf(tag, count) {
  let rule = rules.get(tag);
  if (!rule) rules.set(tag, (rule = new Intl.PluralRules(tag)));
  return rule.select(count);
}

/** A number for people, never "-0". @param {number} value @param {number} [digits] after the point; as many as it has without @param {Say} [say] `inEnglish` writes it so */
export function numeral(value, digits, say = t) {
  const plain = (digits === undefined ? String(value) : value.toFixed(digits)).replace(/^-(0(\.0+)?)$/, "$1");
  if (language === "en" || say === inEnglish || !Number.isFinite(value)) return plain;
  let format = formats.get(digits);
  if (!format) {
    format = new Intl.NumberFormat(language, { useGrouping: false, minimumFractionDigits: digits, maximumFractionDigits: digits ?? MOST_DIGITS });
    formats.set(digits, format);
  }
  // Rounded as in English: a reading is the same number in all languages.
  return format.format(Number(plain));
}

/**
 * Lays a translation over the English texts; what it lacks stays English.
 * @param {unknown} table nested like web/texts/en.js
 * @param {string} tag of its language, as "de" or "pt-BR"
 * @returns {string[]} what is wrong with it; a text that is wrong stays English
 */
export function useTexts(table, tag) {
  let locale;
  try {
    [locale] = Intl.getCanonicalLocales(tag);
  } catch {
    locale = undefined;
  }
  if (!locale) return [`"${tag}" is no tag of a language. Write one like "de" or "pt-BR".`];
  if (!isTable(table)) return ["The file of texts is no table. Begin with a copy of web/texts/en.js."];
  /** @type {string[]} */
  const problems = [];
  const overlay = new Map(english);
  for (const [area, texts] of Object.entries(table)) {
    if (!isTable(texts)) {
      problems.push(`"${area}" is no group of texts.`);
      continue;
    }
    for (const [name, words] of Object.entries(texts)) {
      const key = `${area}.${name}`;
      const original = english.get(key);
      const problem = original === undefined ? "The page has no such text." : problemOf(original, words);
      if (problem) problems.push(`"${key}": ${problem}`);
      else overlay.set(key, /** @type {string | Forms} */ (words));
    }
  }
  shown = overlay;
  language = locale;
  formats.clear();
  document.documentElement.lang = locale;
  document.documentElement.dir = RIGHT_TO_LEFT.includes(locale.split("-")[0]) ? "rtl" : "ltr";
  return problems;
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isTable(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What is wrong with a translated text, or "". @param {string | Forms} original @param {unknown} words */
function problemOf(original, words) {
  if (typeof original === "string") return typeof words === "string" ? lack(original, words, []) : "It must be a text.";
  // A language without plurals needs one form.
  if (typeof words === "string") return lack(original.other, words, []);
  if (!isTable(words) || typeof words.other !== "string") return 'It must be a text, or forms by plural with "other" among them.';
  for (const [plural, form] of Object.entries(words)) {
    if (!PLURALS.includes(plural)) return `"${plural}" is no kind of plural. There are ${PLURALS.join(", ")}.`;
    if (typeof form !== "string") return `"${plural}" must be a text.`;
    const problem = lack(original.other, form, plural === "other" ? [] : ["count"]);
    if (problem) return problem;
  }
  return "";
}

/** Whether a text has other placeholders than the English one. @param {string} original @param {string} words @param {string[]} spared may be missing */
function lack(original, words, spared) {
  const [wanted, found] = [placeholders(original), placeholders(words)];
  const missing = wanted.filter((name) => !found.includes(name) && !spared.includes(name));
  const unknown = found.filter((name) => !wanted.includes(name));
  if (missing.length > 0) return `It lacks {${missing.join("}, {")}}.`;
  return unknown.length > 0 ? `It has {${unknown.join("}, {")}}, for which there is no value.` : "";
}

/** Names of the values in a text, each once. @param {string} words */
function placeholders(words) {
  return [...new Set([...words.matchAll(PLACEHOLDER)].map(([, name]) => name))];
}

/** Writes the texts of index.html, which are there in English, in the language of the page. */
export function fillPage() {
  for (const node of document.querySelectorAll("[data-text]")) fill(node, t(/** @type {Key} */ (node.getAttribute("data-text"))));
  for (const node of document.querySelectorAll("[data-text-attr]")) {
    for (const pair of (node.getAttribute("data-text-attr") ?? "").split(",")) {
      const [name, key] = pair.split(":");
      node.setAttribute(name, t(/** @type {Key} */ (key)));
    }
  }
}

/** A text with placeholders takes the elements inside by their `data-slot`; one without is the element's only text. @param {Element} node @param {string} words */
function fill(node, words) {
  const parts = words.split(PLACEHOLDER);
  if (parts.length > 1) {
    const inside = parts.map((part, n) => (n % 2 === 0 ? part : node.querySelector(`:scope > [data-slot="${part}"]`) ?? ""));
    node.replaceChildren(...inside);
    return;
  }
  const own = [...node.childNodes].find((child) => child.nodeType === Node.TEXT_NODE && child.nodeValue?.trim());
  if (own) own.nodeValue = (own.nodeValue ?? "").replace(/\S[^]*\S|\S/, () => words);
}
