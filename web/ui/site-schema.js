/**
 * What `site.json` may say, checked: the one place that knows its keys (docs/hosting.md lists them for people).
 *
 * Comes in: the file's text, and the folder that the page lies in. Goes out: a whole description, with the page's own default
 * in the place of everything that is missing or wrong, and a sentence for each thing that is wrong: key, what is expected, what
 * was found, what becomes of it. Nothing here throws, and nothing of the file is ever read as HTML.
 */

import { closest, filled } from "./wording.js";

const TEXTS = {
  notJson: "site.json is not valid JSON, so the page uses its own defaults: {reason} Correct the file, then reload.",
  problem: "site.json, {key}: {what} {todo}",
  expected: "expected {expected}, found {found}.",
  unknown: "there is no such key{near}.",
  near: "; the nearest is “{near}”",
  missing: "it is missing; expected {expected}.",
  double: "the id “{id}” is there twice.",
  whole: "the whole file",
  noModel: "there is no model “{id}”{near}.",
  noReferences: "the mode “few” compares with normal images, and “references” names none.",
  notOffered: "“objects” does not offer {found}.",
  ignored: "It is ignored.",
  useDefault: "The default is used.",
  leftOut: "This entry is left out.",
  firstModel: "The first model is used.",
  record: "an object in braces",
  list: "a list in brackets",
  many: "a list of at most {most}",
  some: "a list of at least one",
  foundEntries: "{count} entries",
  foundText: "the text “{value}”",
  foundNumber: "the number {value}",
  text: "a text of 1 to {most} characters",
  flag: "true or false",
  share: "a number from 0 to 1",
  id: "a name of letters, digits, “.”, “_” and “-”",
  language: "a language code like “de” or “pt-BR”",
  window: "“auto” or “CENTRE,WIDTH”",
  oneOf: "one of {names}",
  address: "an address below the site's folder, without “..”, “//”, “?” or “#”",
  link: "an address that begins with https:, http: or mailto:, or one below the site's folder",
};

/** The model that comes with the page. */
export const BUILT_IN = { id: "default", title: "", address: "models/default/manifest.json" };

/** Where a value stands, what the file is below, and who is told. @typedef {{key: string, root: URL, todo: string, tell: (text: string) => void}} Place */
/** Answers the value as the page uses it; undefined if it is wrong, which has then been told. @typedef {(value: any, at: Place) => any} Reader */

/** @param {Place} at @param {string} what */
const complain = (at, what) => void at.tell(filled(TEXTS.problem, { key: at.key || TEXTS.whole, what, todo: at.todo }));

/** @param {any} value as a person recognises it */
function shown(value) {
  if (Array.isArray(value)) return TEXTS.list;
  if (value !== null && typeof value === "object") return TEXTS.record;
  if (typeof value === "string") return filled(TEXTS.foundText, { value: value.length > 60 ? `${value.slice(0, 57)}…` : value });
  return typeof value === "number" ? filled(TEXTS.foundNumber, { value }) : String(value);
}

/** A value that has to pass a test. @param {string} expected @param {(value: any, at: Place) => any} read undefined: it does not @returns {Reader} */
const value = (expected, read) => (found, at) => {
  const good = read(found, at);
  if (good === undefined) complain(at, filled(TEXTS.expected, { expected, found: shown(found) }));
  return good;
};

/** @param {number} most */
const text = (most) => value(filled(TEXTS.text, { most }), (found) => (typeof found === "string" && found.trim() !== "" && found.length <= most ? found : undefined));
/** @param {RegExp} pattern @param {string} expected */
const like = (pattern, expected) => value(expected, (found) => (typeof found === "string" && pattern.test(found) ? found : undefined));
/** @param {any[]} names */
const oneOf = (...names) => value(filled(TEXTS.oneOf, { names: names.map((name) => JSON.stringify(name)).join(", ") }), (found) => (names.includes(found) ? found : undefined));
const id = like(/^[\w.-]{1,80}$/, TEXTS.id);
const flag = value(TEXTS.flag, (found) => (typeof found === "boolean" ? found : undefined));
const share = value(TEXTS.share, (found) => (typeof found === "number" && found >= 0 && found <= 1 ? found : undefined));
const address = value(TEXTS.address, (found, { root }) => below(found, root));
const link = value(TEXTS.link, (found, { root }) => (typeof found === "string" && /^(https?:\/\/|mailto:)[^\s]+$/i.test(found) && URL.canParse?.(found) !== false ? found : below(found, root)));

/** @param {any} found @param {URL} root @returns {string | undefined} the whole address */
function below(found, root) {
  if (typeof found !== "string" || found === "" || /^\/|\\|\/\/|[?#\t\r\n]|^\s|\s$|(^|\/)\.\.?(\/|$)|^[a-z][a-z0-9+.-]*:/i.test(found)) return undefined;
  try {
    const { href } = new URL(found, root);
    // Dots can also be written in other ways.
    return href.startsWith(root.href) && href !== root.href ? href : undefined;
  } catch {
    return undefined;
  }
}

/** @param {Reader} reader @param {number} least @param {number} most @returns {Reader} */
const list = (reader, least, most) => (found, at) => {
  if (!Array.isArray(found)) return complain(at, filled(TEXTS.expected, { expected: TEXTS.list, found: shown(found) }));
  if (found.length < least) return complain(at, filled(TEXTS.expected, { expected: TEXTS.some, found: shown(found) }));
  if (found.length > most) return complain(at, filled(TEXTS.expected, { expected: filled(TEXTS.many, { most }), found: filled(TEXTS.foundEntries, { count: found.length }) }));
  return found.map((one, n) => reader(one, { ...at, key: `${at.key}[${n}]` })).filter((one) => one !== undefined);
};
/** As a list whose members belong together: one that is wrong spoils all. @param {Reader} reader @param {number} least @param {number} most @returns {Reader} */
const whole = (reader, least, most) => (found, at) => {
  const good = list(reader, least, most)(found, at);
  return good?.length === found.length ? good : undefined;
};

/** @param {Record<string, Reader>} readers @param {string[]} required @param {string[]} [vital] if there, no less needed @param {(good: any, at: Place) => boolean} [fits] whether its parts go together @returns {Reader} */
const record = (readers, required = [], vital = [], fits = () => true) => (found, at) => {
  if (found === null || typeof found !== "object" || Array.isArray(found)) return complain(at, filled(TEXTS.expected, { expected: TEXTS.record, found: shown(found) }));
  const inside = (/** @type {string} */ name) => (at.key ? `${at.key}.${name}` : name);
  const good = {};
  let isWhole = true;
  for (const [name, one] of Object.entries(found)) {
    const place = { ...at, key: inside(name) };
    if (!Object.hasOwn(readers, name)) {
      const near = closest(name, Object.keys(readers));
      complain({ ...place, todo: TEXTS.ignored }, filled(TEXTS.unknown, { near: near ? filled(TEXTS.near, { near }) : "" }));
      continue;
    }
    // What an entry cannot do without takes the entry with it; of the rest only the value is lost.
    const isNeeded = required.includes(name) || vital.includes(name);
    const read = readers[name](one, isNeeded ? { ...place, todo: TEXTS.leftOut } : { ...place, todo: place.todo === TEXTS.leftOut ? TEXTS.ignored : place.todo });
    if (read !== undefined) good[name] = read;
    else if (isNeeded) isWhole = false;
  }
  for (const name of required) {
    if (Object.hasOwn(found, name)) continue;
    complain({ ...at, key: inside(name), todo: TEXTS.leftOut }, filled(TEXTS.missing, { expected: EXPECTED[name] ?? TEXTS.id }));
    isWhole = false;
  }
  return isWhole && fits(good, at) ? good : undefined;
};

/** Of keys that an entry must have. */
const EXPECTED = { title: filled(TEXTS.text, { most: 80 }), address: TEXTS.address, pictures: TEXTS.some };

const model = record({ id, title: text(80), address }, ["id", "title", "address"]);
const sample = record({
  id, title: text(80), text: text(200), note: text(600), credit: text(200), licence: text(200), mode: oneOf("few", "zero", "self"),
  object: (found, at) => (Array.isArray(found) ? whole(id, 1, 20)(found, at) : id(found, at)),
  pictures: whole(address, 1, 20), references: whole(address, 0, 50),
}, ["id", "title", "pictures"], ["references"], (good, at) => {
  if (good.mode !== "few" || good.references?.length) return true;
  complain({ ...at, key: `${at.key}.references`, todo: TEXTS.leftOut }, TEXTS.noReferences);
  return false;
});
/** What settings.js keeps, and how it may begin. */
const defaults = record({
  object: id, mode: oneOf("few", "zero", "self"), augment: oneOf("none", "mvfa"), bankRows: oneOf(null, 1160, 290), bilateral: flag, axis: oneOf("middle", "found"),
  nearest: oneOf(null, 8, 4), window: like(/^(auto|-?\d+(\.\d+)?,\d+(\.\d+)?)$/, TEXTS.window), opacity: share, colourMap: oneOf("inferno", "viridis", "cividis", "grey"),
  sharedScale: flag, contour: flag, swipe: flag, singleKeys: flag, smooth: flag, device: oneOf("auto", "gpu", "cpu"),
});

const SITE = record({
  title: text(60),
  intro: record({ title: text(120), text: text(1000) }),
  language: like(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, TEXTS.language),
  texts: address,
  models: (found, at) => list(model, 1, 50)(found, { ...at, todo: Array.isArray(found) ? TEXTS.leftOut : at.todo }),
  model: id,
  objects: whole(id, 1, 100),
  samples: (found, at) => list(sample, 0, 24)(found, { ...at, todo: Array.isArray(found) ? TEXTS.leftOut : at.todo }),
  defaults,
  links: (found, at) => list(record({ title: text(40), address: link }, ["title", "address"]), 0, 8)(found, { ...at, todo: Array.isArray(found) ? TEXTS.leftOut : at.todo }),
});

/** @template {{id: string}} T @param {T[]} entries @param {string} key @param {(text: string) => void} tell @returns {T[]} */
function withoutDoubles(entries, key, tell) {
  return entries.filter((one, n) => {
    const isFirst = entries.findIndex(({ id: other }) => other === one.id) === n;
    if (!isFirst) complain({ key, root: /** @type {any} */ (null), todo: TEXTS.leftOut, tell }, filled(TEXTS.double, { id: one.id }));
    return isFirst;
  });
}

/**
 * @param {string} file the text of site.json; "" if there is none
 * @param {URL} root the folder of the page
 * @returns {{site: import("./types.d.ts").Site, problems: string[]}}
 */
export function readSite(file, root) {
  /** @type {string[]} */
  const problems = [];
  const tell = (/** @type {string} */ problem) => void problems.push(problem);
  let found = {};
  try {
    if (file) found = JSON.parse(file.replace(/^\uFEFF/, ""));
  } catch (error) {
    tell(filled(TEXTS.notJson, { reason: `${error.message.replace(/\.$/, "")}.` }));
  }
  const good = SITE(found, { key: "", root, todo: TEXTS.useDefault, tell }) ?? {};
  /** @type {import("./types.d.ts").SiteModel[]} */
  const models = withoutDoubles(good.models ?? [], "models", tell);
  if (models.length === 0) models.push({ ...BUILT_IN, address: new URL(BUILT_IN.address, root).href });
  for (const one of models) if (!one.address.endsWith(".json")) one.address = `${one.address.replace(/\/$/, "")}/manifest.json`;
  if (good.model !== undefined && !models.some((one) => one.id === good.model)) {
    const near = closest(good.model, models.map((one) => one.id));
    complain({ key: "model", root, todo: TEXTS.firstModel, tell }, filled(TEXTS.noModel, { id: good.model, near: near ? filled(TEXTS.near, { near }) : "" }));
    good.model = models[0].id;
  }
  const { objects = [] } = good;
  const samples = withoutDoubles(/** @type {any[]} */ (good.samples ?? []), "samples", tell)
    .map(({ object = [], references = [], ...one }) => ({ text: "", note: "", credit: "", licence: "", mode: null, ...one, references, objects: [object].flat() }));
  const isOffered = (/** @type {string} */ name) => objects.length === 0 || objects.includes(name);
  for (const one of samples) {
    if (one.objects.length === 0 || one.objects.some(isOffered)) continue;
    complain({ key: `samples, “${one.id}”.object`, root, todo: TEXTS.ignored, tell }, filled(TEXTS.notOffered, { found: one.objects.join(", ") }));
  }
  const start = good.defaults?.object;
  if (start !== undefined && !isOffered(start)) {
    complain({ key: "defaults.object", root, todo: TEXTS.ignored, tell }, filled(TEXTS.notOffered, { found: start }));
    delete good.defaults.object;
  }
  return {
    problems,
    site: {
      title: good.title ?? "", intro: { title: "", text: "", ...good.intro }, language: good.language ?? "", texts: good.texts ?? "",
      models, model: good.model ?? models[0].id, objects, samples, defaults: good.defaults ?? {}, links: good.links ?? [],
    },
  };
}
