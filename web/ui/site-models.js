/** Which model is to be opened: the one that the page's own address names, a person's own, or one of those that lie on this site. */

import { BUILT_IN } from "./site-schema.js";
import { t } from "./texts.js";

/** @typedef {import("./types.d.ts").Site} Site */
/** @typedef {import("./types.d.ts").SiteModel} SiteModel */

/** @param {Site} site @param {string} choice "site:ID", or "" for the first choice @returns {SiteModel} */
function siteModel({ models, model }, choice) {
  const of = (/** @type {string} */ id) => models.find((one) => one.id === id);
  // A model that was chosen at an earlier visit may be gone.
  return of(choice.replace(/^site:/, "")) ?? of(model) ?? models[0];
}

/** What a model of this site is called; one that the file does not name, in the language of the page. @param {SiteModel} model */
export const titleOf = ({ title }) => title || t("models.site");

/** @param {Site} site @param {string} address @returns {SiteModel | null} the model of this site at that address */
export function siteModelAt({ models }, address) {
  return models.find((one) => one.address === address) ?? null;
}

/**
 * @param {Pick<import("./types.d.ts").State, "settings" | "site">} state
 * @returns {string} the address of the model to use; throws if the page's own address names none on this site
 */
export function manifestUrl({ settings: { model }, site }) {
  const wanted = new URLSearchParams(location.search).get("model");
  if (!wanted) return model.startsWith("own:") ? model : siteModel(site, model).address;
  const path = wanted.endsWith(".json") ? wanted : `${wanted.replace(/\/$/, "")}/manifest.json`;
  let url;
  try {
    url = new URL(path, document.baseURI);
  } catch {
    throw modelError(t("errors.modelAddress"));
  }
  if (url.origin !== location.origin) throw modelError(t("errors.modelElsewhere"));
  return url.href;
}

/** @param {string} message */
function modelError(message) {
  return Object.assign(new Error(message), { name: "ModelError" });
}

/** Whether a model could not be opened because nothing is at its address. @param {string} reason */
export function isMissing(reason) {
  return /manifest\.json is missing/.test(reason);
}

/**
 * The site without a model that is not there, and what to say of it; null if no other is left or the model is not the site's.
 * @param {Site} site
 * @param {string} address
 * @returns {{site: Site, problem: string} | null}
 */
export function withoutModel(site, address) {
  const lost = siteModelAt(site, address);
  if (!lost) return null;
  const builtIn = { ...BUILT_IN, address: new URL(BUILT_IN.address, document.baseURI).href };
  const models = site.models.filter((one) => one !== lost);
  if (models.length === 0 && lost.address !== builtIn.address) models.push(builtIn);
  if (models.length === 0) return null;
  const next = siteModel({ ...site, models }, "");
  const shown = lost.address.slice(new URL("./", document.baseURI).href.length);
  return { site: { ...site, models, model: next.id }, problem: t("errors.modelNotThere", { address: shown, title: titleOf(lost), next: titleOf(next) }) };
}
