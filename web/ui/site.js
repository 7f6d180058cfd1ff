/**
 * The site that this page belongs to: what `site.json` beside index.html says of title, texts, models, samples, defaults and
 * links. Without the file the page is as it comes. What is wrong in it is told once as messages, and the rest is used.
 */

import { PATIENCE_MS, siteFile } from "../early.js";
import { el, make, setText } from "./dom.js";
import { readSite } from "./site-schema.js";
import { fillPage, t, useTexts } from "./texts.js";
import { closest, filled } from "./wording.js";

/** Mistakes of the file are told to who writes it, in English. */
const TEXTS = {
  noAnswer: "site.json could not be read ({reason}), so the page uses its own defaults. Reload the page to try again.",
  status: "the host answered {status}",
  noTexts: "site.json, texts: {address} could not be used ({reason}). The page stays in English. Upload a JSON file of texts there, then reload.",
  notTexts: "expected an object in braces whose values are texts",
  more: "site.json has {count} more mistakes. Correct these first, then reload.",
  noObject: "site.json, {key}: the model {model} has no object “{id}”{near}. It has: {known}.",
  near: "; the nearest is “{near}”",
};

/** More messages than this hide the picture. */
const TOLD = 3;
/** The host has no such file, or answers every address with a page. */
const ABSENT = [403, 404, 410];

/** @typedef {import("./types.d.ts").Site} Site */
/** @typedef {import("../../pkg/index.d.ts").SessionInfo} SessionInfo */

/** @returns {Promise<{site: Site, problems: string[]}>} what the page is to be, and what is wrong with the file */
export async function loadSite() {
  const root = new URL("./", document.baseURI);
  const answer = await siteFile;
  if ("failed" in answer) return withProblem(readSite("", root), filled(TEXTS.noAnswer, { reason: answer.failed.message }));
  if (ABSENT.includes(answer.status) || answer.type.startsWith("text/html")) return readSite("", root);
  if (answer.status >= 400) return withProblem(readSite("", root), filled(TEXTS.noAnswer, { reason: filled(TEXTS.status, { status: answer.status }) }));
  const read = readSite(answer.text, root);
  if (read.site.texts) read.problems.push(...(await loadTexts(read.site)));
  return read;
}

/** @param {{site: Site, problems: string[]}} read @param {string} problem */
function withProblem(read, problem) {
  read.problems.push(problem);
  return read;
}

/** @param {Site} site @returns {Promise<string[]>} what is wrong with its texts */
async function loadTexts({ texts: address, language }) {
  try {
    const response = await fetch(address, { cache: "no-cache", signal: AbortSignal.timeout?.(PATIENCE_MS) });
    if (!response.ok) throw new Error(filled(TEXTS.status, { status: response.status }));
    const table = await response.json();
    if (table === null || typeof table !== "object" || Array.isArray(table)) throw new Error(TEXTS.notTexts);
    const wrong = useTexts(table, language || "en");
    fillPage();
    return wrong.length > 0 ? [t("errors.texts", { count: wrong.length, problem: wrong[0] })] : [];
  } catch (error) {
    return [filled(TEXTS.noTexts, { address: address.slice(new URL("./", document.baseURI).href.length), reason: error.message })];
  }
}

/** Shows title, welcome and links. @param {Site} site */
export function applySite({ title, intro, links, samples }) {
  if (title) {
    document.title = title;
    for (const node of document.querySelectorAll(".brand-name")) setText(node, title);
  }
  if (intro.title) setText(el("welcome-title"), intro.title);
  if (intro.text) el("welcome-title").after(make("p", { class: "welcome-intro", text: intro.text }));
  if (links.length > 0) el("foot").append(make("span", { class: "foot-links" }, ...links.map(({ title: text, address }) => make("a", { href: address, target: "_blank", rel: "noopener", text }))));
  el("samples-heading").hidden = el("samples").hidden = samples.length === 0;
}

/** @param {string[]} problems @param {ReturnType<typeof import("./messages.js").createMessages>} messages */
export function tellProblems(problems, messages) {
  const rest = problems.length - TOLD;
  for (const problem of problems.slice(0, rest > 0 ? TOLD - 1 : TOLD)) messages.tell(problem);
  if (rest > 0) messages.tell(filled(TEXTS.more, { count: rest + 1 }));
}

/** What of a model the page shows: of its objects those that the site offers, in that order. @param {Site} site @param {SessionInfo} info @returns {SessionInfo} */
export function offered({ objects }, info) {
  const chosen = objects.flatMap((id) => info.objects.find((object) => object.id === id) ?? []);
  return chosen.length > 0 ? { ...info, objects: chosen } : info;
}

/** What the site asks of a model and the model does not have. @param {Site} site @param {SessionInfo} info as the model says it @returns {string[]} */
export function lacking({ objects, models, samples, defaults }, info) {
  const known = info.objects.map(({ id }) => id);
  const problem = (/** @type {string} */ key, /** @type {string} */ id) => {
    const near = closest(id, known);
    return filled(TEXTS.noObject, { key, model: info.name, id, near: near ? filled(TEXTS.near, { near }) : "", known: known.join(", ") });
  };
  const isKnown = (/** @type {string} */ id) => known.includes(id);
  // Of several models each may have others of the objects.
  const wrong = models.length > 1 && objects.some(isKnown) ? [] : objects.filter((id) => !isKnown(id)).map((id) => problem("objects", id));
  if (models.length > 1) return wrong;
  if (defaults.object && !isKnown(defaults.object)) wrong.push(problem("defaults.object", defaults.object));
  for (const { id, objects: choice } of samples) if (choice.length > 0 && !choice.some(isKnown)) wrong.push(problem(`samples, “${id}”.object`, choice[0]));
  return wrong;
}
