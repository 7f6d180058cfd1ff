/**
 * The settings that a result was made with, described: for programs (report) and in words (printed page). Every field of what
 * results.js says a result belongs to has its place in both tables; the type check misses one that is left out.
 */

import { shownLabel } from "./labels.js";
import { METHOD_NAMES } from "./method.js";
import { inEnglish, numeral, t } from "./texts.js";

/** @typedef {ReturnType<typeof import("./results.js").madeWith>} Made */
/** @typedef {import("./types.d.ts").State} State */
/** @typedef {import("./texts.js").Key} Key */

/** Whether normal images, or other images, are compared with. @param {Pick<Made, "mode">} made */
const isBeside = ({ mode }) => mode === "few" || mode === "batch";
/** Whether left is compared with right. @param {Made} made */
const hasSides = ({ mode, method, bilateral }) => (isBeside({ mode }) ? bilateral : mode === "self" && method !== "self");

/** @type {Record<keyof Made, (made: Made, state: State) => object>} */
const DATA = {
  model: ({ model, revision }) => ({ madeBy: { name: model, revision } }),
  revision: () => ({}),
  object: ({ object }) => ({ object }),
  mode: ({ mode }) => ({ mode }),
  method: ({ method }) => (method ? { method } : {}),
  words: ({ words }) => (words ? { ownWords: words } : {}),
  augment: ({ augment }) => (augment ? { augment } : {}),
  bankRows: ({ augment, bankRows }) => (augment ? { bankRows: bankRows ?? "all" } : {}),
  bilateral: (made) => (isBeside(made) ? { leftComparedWithRight: made.bilateral } : {}),
  axis: (made) => (hasSides(made) || made.axis ? { lineBetweenSides: made.axis ?? "middle" } : {}),
  nearest: ({ mode, nearest }) => (mode === "few" ? { nearestNormalSlices: nearest ?? "all" } : {}),
  normals: ({ mode, normals }, { support }) => (mode === "few" ? { comparedWithNormals: normals.map((id) => normalName(support, id)) } : {}),
  peers: ({ peers }, { images }) => (peers ? { judgedBy: peers.map((id) => images.find((item) => item.id === id)?.label ?? "taken out since") } : {}),
  window: ({ window }) => (window ? { window } : {}),
  leaveOut: ({ leaveOut }) => (leaveOut?.length ? { leftOut: leaveOut } : {}),
};

/** For other programs. @param {State} state @param {Made} made @returns {Record<string, unknown>} */
export function dataOf(state, made) {
  return Object.assign({}, ...Object.values(DATA).map((describe) => describe(made, state)));
}

/** @param {State["support"]} support @param {number} id */
function normalName(support, id) {
  const place = support.findIndex((item) => item.id === id);
  return place < 0 ? "taken out since" : inEnglish("image.normal", { number: place + 1 });
}

/** What a setting is called, and what it was. @typedef {[string, string][]} Rows */

/** @type {Record<keyof Made, (made: Made, state: State) => Rows>} */
const ROWS = {
  model: ({ model, revision }) => [[t("print.madeBy"), t("print.nameAndRevision", { name: String(model), revision: String(revision) })]],
  revision: () => [],
  object: ({ object }, { info }) => [[t("print.object"), info?.objects.find(({ id }) => id === object)?.name ?? object]],
  mode: ({ mode, words }) => [[t("print.compared"), mode === "few" ? t("print.few") : mode === "self" ? t("print.itself") : mode === "batch" ? t("print.batch") : t(words ? "print.ownWords" : "print.zero")]],
  method: ({ method }) => (method ? [[t("print.method"), t(METHOD_NAMES[method])]] : []),
  words: ({ words }) => (words ? [[t("print.words"), [words.organ, ...words.normal].join("; ")], [t("print.wordsAbnormal"), [...words.abnormal, ...(words.contrast ?? [])].join("; ")]] : []),
  normals: ({ mode, augment, normals }) => (mode === "few" ? [[t("print.normals"), t("print.each", { count: normals.length, how: t(augment === "mvfa" ? "support.views11" : "support.asIs") })]] : []),
  // Both are in the line of the normal images.
  augment: () => [],
  bankRows: ({ mode, bankRows }) => (mode === "few" ? [[t("print.patches"), bankRows === null ? t("bank.whole") : numeral(bankRows)]] : []),
  nearest: ({ mode, nearest }) => (mode === "few" ? [[t("support.search"), nearest ? t("print.nearest", { count: nearest }) : t("print.nearestAll")]] : []),
  peers: ({ peers }, { images }) => (peers ? [[t("print.judges"), peers.map((id) => images.find((item) => item.id === id)).map((item) => (item ? shownLabel(item) : "–")).join(", ")]] : []),
  bilateral: (made) => (isBeside(made) ? [[t("print.sides"), t(made.bilateral ? "print.sidesToo" : "print.sidesNot")]] : []),
  axis: (made) => (hasSides(made) || made.axis ? [[t("print.line"), t(made.axis === "found" ? "print.lineFound" : "print.lineMiddle")]] : []),
  window: ({ window }) => (window ? [[t("print.asked"), windowWords(window)]] : []),
  leaveOut: ({ leaveOut }) => (leaveOut?.length ? [[t("print.leftOut"), leaveOut.map(({ x, y, width, height }) => t("print.region", { x, y, width, height })).join("; ")]] : []),
};

/** A window as it was asked for: of several images together by its ends, by hand by centre and width. @param {string} window */
function windowWords(window) {
  if (window === "auto") return t("window.auto");
  const [low, high] = window.split("..");
  if (high !== undefined) return t("print.shared", { low, high });
  const [center, width] = window.split(",");
  return t("print.centerWidth", { center, width });
}

/** In words, in the language of the page. @param {State} state @param {Made} made @returns {Rows} */
export function rowsOf(state, made) {
  return Object.values(ROWS).flatMap((describe) => describe(made, state));
}

/** The fields of what a result belongs to that are described. */
export const DESCRIBED = Object.keys(DATA);
