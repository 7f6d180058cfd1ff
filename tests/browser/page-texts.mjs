// Reads the page's sources for the tests of its texts: which keys are asked for and with what, which words are in the code, and what index.html says.

import { readFileSync, readdirSync } from "node:fs";
import { parseAst } from "vite";

const ROOT = new URL("../../", import.meta.url);
const read = (path) => readFileSync(new URL(path, ROOT), "utf8");

/** Functions that take a key and values. */
const TEXT_CALLS = ["t", "say", "inEnglish"];
/** Attributes that people read or hear. */
export const READ_ATTRIBUTES = ["aria-label", "aria-valuetext", "title", "placeholder", "alt"];
const VOID_ELEMENTS = ["meta", "link", "input", "img", "br"];

/** The modules of the page with their syntax trees. */
export function modules() {
  const files = ["app.js", ...readdirSync(new URL("web/ui/", ROOT)).filter((name) => name.endsWith(".js")).sort().map((name) => `ui/${name}`)];
  return files.map((file) => ({ file, tree: parseAst(read(`web/${file}`)) }));
}

/** Visits all nodes, with those above, the nearest first. */
function walk(node, visit, above = []) {
  if (!node || typeof node !== "object") return;
  if (Array.isArray(node)) return node.forEach((one) => walk(one, visit, above));
  if (typeof node.type !== "string") return;
  visit(node, above);
  for (const [name, child] of Object.entries(node)) if (name !== "type" && typeof child === "object") walk(child, visit, [node, ...above]);
}

/** What an expression may come to: the branches of its conditions. */
function leaves(node) {
  if (node.type === "ConditionalExpression") return [...leaves(node.consequent), ...leaves(node.alternate)];
  if (node.type === "LogicalExpression") return [...leaves(node.left), ...leaves(node.right)];
  return [node];
}

const isText = (node) => node.type === "Literal" && typeof node.value === "string";
const nameOf = (key) => key.name ?? key.value;

/**
 * @returns {{asked: {key: string, values: string[] | null}[], open: (string[] | null)[], bare: string[]}} keys asked for by name,
 *   values of calls whose key is a variable, and keys that stand elsewhere; values are null where they are no object with names
 */
export function textsOf(tree, areas) {
  const [asked, open, bare] = [[], [], []];
  const taken = new Set();
  walk(tree, (node) => {
    if (node.type !== "CallExpression" || !TEXT_CALLS.includes(node.callee.name)) return;
    const [key, given] = node.arguments;
    const isPlain = given?.type === "ObjectExpression" && given.properties.every(({ type }) => type === "Property");
    const values = !given ? [] : isPlain ? given.properties.map((property) => nameOf(property.key)) : null;
    for (const leaf of leaves(key)) {
      if (!isText(leaf)) open.push(values);
      else asked.push({ key: leaf.value, values });
      taken.add(leaf);
    }
  });
  walk(tree, (node) => {
    if (isText(node) && !taken.has(node) && /^[a-z]\w*\.[a-zA-Z]\w*$/.test(node.value) && areas.includes(node.value.split(".")[0])) bare.push(node.value);
  });
  return { asked, open, bare };
}

/** Where a text in the code is one that a person reads, even if it is a single word. */
function isShown(node, above) {
  for (let n = 0, child = node; n < above.length; child = above[n], n += 1) {
    const up = above[n];
    if (up.type === "Property" && up.value === child) return ["text", "label", ...READ_ATTRIBUTES].includes(nameOf(up.key));
    if (up.type === "NewExpression") return up.callee.name === "Error";
    if (up.type === "AssignmentExpression") return ["textContent", "title", "placeholder", "ariaLabel"].includes(up.left.property?.name);
    if (up.type === "CallExpression") {
      const at = up.arguments.indexOf(child);
      const called = up.callee.name ?? up.callee.property?.name;
      if (["confirm", "prompt", "alert", "say", "append", "prepend", "replaceChildren"].includes(called)) return true;
      if (called === "setText") return at === 1;
      if (called === "make") return at >= 2;
      if (called === "setAttribute") return at === 1 && READ_ATTRIBUTES.includes(up.arguments[0].value);
      if (["notice", "error", "offer"].includes(called)) return at === 0;
      return false;
    }
    const isJoined = up.type === "BinaryExpression" && up.operator === "+";
    const isBranch = up.type === "ConditionalExpression" && up.test !== child;
    if (!isJoined && !isBranch && up.type !== "LogicalExpression" && up.type !== "TemplateLiteral") return false;
  }
  return false;
}

/** Calls whose texts are for the browser, or are compared. */
const BROWSER_CALLS = ["querySelector", "querySelectorAll", "closest", "matches", "matchMedia", "getContext", "createElementNS", "replace", "startsWith", "includes"];
/** Properties whose texts are for the browser. */
const BROWSER_NAMES = ["class", "className", "font", "fillStyle", "strokeStyle", "style", "d", "viewBox", "rel"];

function isForBrowser(node, above) {
  for (const [n, up] of above.entries()) {
    const child = n === 0 ? node : above[n - 1];
    if (up.type === "ImportDeclaration" || ["===", "!=="].includes(up.operator)) return true;
    if (up.type === "Property" && up.key === child) return true;
    if (up.type === "Property") return BROWSER_NAMES.includes(nameOf(up.key));
    if (up.type === "AssignmentExpression") return BROWSER_NAMES.includes(up.left.property?.name);
    if (up.type === "CallExpression") {
      const called = up.callee.name ?? up.callee.property?.name;
      // The last words of a message say what it is about, and are not shown.
      return BROWSER_CALLS.includes(called) || (["notice", "error", "offer"].includes(called) && up.arguments.indexOf(child) === 2);
    }
  }
  return false;
}

const LETTER = /\p{L}/u;
/** Two words, or one beside a space. */
const WORDS = /\p{L}\S*\s|\s\S*\p{L}/u;
/** A word with a capital, as labels begin. */
const LABEL = /^\p{Lu}\p{Ll}+$/u;
const COLOUR = /^rgb\(/;

/** Words in the code that a person may read: those with a space or a capital anywhere, other single ones where they are shown. @returns {string[]} */
export function wordsOf(tree) {
  const found = [];
  const take = (node, above, text) => {
    if (!LETTER.test(text) || COLOUR.test(text) || isForBrowser(node, above)) return;
    if (WORDS.test(text) || LABEL.test(text) || isShown(node, above)) found.push(text);
  };
  walk(tree, (node, above) => {
    const [parent] = above;
    const isKey = parent?.type === "CallExpression" && TEXT_CALLS.includes(parent.callee.name);
    if (isText(node) && !isKey && !/^[a-z]\w*\.[a-zA-Z]\w*$/.test(node.value)) take(node, above, node.value);
    if (node.type === "TemplateLiteral") for (const { value } of node.quasis) take(node, above, value.cooked);
  });
  return found;
}

/**
 * The elements of index.html in their order.
 * @typedef {{tag: string, attributes: Record<string, string>, parent: Element | null, own: string[], words: string}} Element
 *   `own`: texts of its own; `words`: all of it, with the slots of elements inside
 * @returns {Element[]}
 */
export function pageElements() {
  const html = read("index.html").replace(/<!--[^]*?-->/g, "").replace(/<!doctype[^>]*>/, "");
  const elements = [];
  const open = [];
  for (const [, tag, text] of html.matchAll(/(<[^>]+>)|([^<]+)/g)) {
    const top = open.at(-1);
    if (text) {
      if (top && text.trim()) top.own.push(decoded(text));
      if (top) top.words += text.trim() || top.words ? decoded(text) : "";
    } else if (tag.startsWith("</")) {
      open.pop();
    } else {
      const [, name] = /^<(\w+)/.exec(tag);
      const attributes = Object.fromEntries([...tag.slice(name.length + 1).matchAll(/([\w-]+)(?:="([^"]*)")?/g)].map(([, key, value = ""]) => [key, decoded(value)]));
      const element = { tag: name, attributes, parent: top ?? null, own: [], words: "" };
      if (top && attributes["data-slot"]) top.words += `{${attributes["data-slot"]}}`;
      elements.push(element);
      if (!VOID_ELEMENTS.includes(name)) open.push(element);
    }
  }
  return elements;
}

const decoded = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
