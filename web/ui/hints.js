/**
 * Which object a medical file may show, and whether a model was made for such files. The rules of the command line
 * (src/cli/object_hint.rs) in its words; a test compares both. What is not known has no hint. Pure functions.
 */

import { KNOWN } from "./objects.js";
import { t } from "./texts.js";

/** What a file says of itself. @typedef {{format: string, modality: string | null, bodyPart: string | null}} Shown */

/** @param {(typeof KNOWN)[number]} known @param {string | undefined} part in capitals */
const hasPart = (known, part) => part === undefined || known.parts.length === 0 || known.parts.some((one) => one === part);

/** The objects of a model that a series may show: its modality fits, and its part of the body where it has one. @param {Shown} series @param {string[]} objects ids @returns {string[]} */
export function suggested({ modality, bodyPart }, objects) {
  if (!modality) return [];
  const part = bodyPart?.toUpperCase();
  const fits = KNOWN.filter((known) => known.modalities.includes(modality) && hasPart(known, part)).map(({ id }) => id);
  return objects.filter((id) => fits.includes(id));
}

/** Why an object and a series do not belong together. @param {Shown} series @param {string} object its id @param {import("./texts.js").Say} [say] @returns {string | null} */
export function mismatch({ modality, bodyPart }, object, say = t) {
  const known = KNOWN.find(({ id }) => id === object);
  if (!modality || !known) return null;
  if (!known.modalities.includes(modality)) {
    return say("hints.modality", { modality, object, modalities: known.modalities.join(` ${say("hints.or")} `) });
  }
  const part = bodyPart?.toUpperCase();
  return hasPart(known, part) ? null : say("hints.part", { part: part ?? "", object });
}

/** What a series shows, in words. @param {Shown} series */
export function shows({ format, modality, bodyPart }) {
  if (!modality) return t("hints.noModality", { format });
  return bodyPart ? t("hints.shows", { modality, part: bodyPart }) : modality;
}
