/** The rows of the table of all images: what stands in each, how they are sorted and filtered, and as CSV. Pure functions. */

import { highestPlace } from "./components.js";
import { kindWithSlices, positionOf } from "./kinds.js";
import { readScore } from "./reading.js";
import { isStale, thresholdFor } from "./results.js";
import { inEnglish, pageLanguage, t } from "./texts.js";
import { warningsFor } from "./warnings.js";

/** @typedef {import("./types.d.ts").State} State */
/** @typedef {import("./types.d.ts").ImageItem} ImageItem */
/** `slice` counts from 1. @typedef {{item: ImageItem, name: string, series: string, slice: number | null, position: number | null, score: number | null, reading: string, state: string, isRead: boolean}} Row */
/** @typedef {"name" | "series" | "slice" | "position" | "score" | "reading" | "area" | "state"} Column */

/** @type {Record<Exclude<ImageItem["status"], "error">, import("./texts.js").Key>} */
const STATES = { reading: "triage.reading", ready: "triage.open", waiting: "triage.waiting", working: "triage.working", done: "triage.analysed" };
const NATURAL = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** Whether any of some images is of a series: only then there is something to say of slices. @param {ImageItem[]} items */
export const hasSeries = (items) => items.some(({ series, slice }) => Boolean(slice) || Boolean(series && !series.isPicture));

/** Which rows a choice of states leaves. @type {Record<string, {name: import("./texts.js").Key, has: (row: Row) => boolean}>} */
export const FILTERS = {
  all: { name: "triage.filterAll", has: () => true },
  unread: { name: "triage.filterUnread", has: ({ isRead }) => !isRead },
  analysed: { name: "triage.filterAnalysed", has: ({ item }) => Boolean(item.result) },
  open: { name: "triage.filterOpen", has: ({ item }) => !item.result && item.status !== "error" },
  doubt: { name: "triage.filterDoubt", has: ({ item }) => Boolean(item.result) && warningsFor(item).length > 0 },
  error: { name: "triage.filterError", has: ({ item }) => item.status === "error" },
};

/** Whether what there is of an image has been in view. @param {ImageItem} item */
export function isRead({ seen, result }) {
  return result ? seen === result : Boolean(seen);
}

/** @param {ImageItem} item that is in view */
export function markRead(item) {
  item.seen = item.result ?? "picture";
}

/** @type {WeakMap<object, {threshold: number, place: import("./components.js").Place | null}>} */
const areas = new WeakMap();

/** The place of the highest value, at the threshold in force; looked for once. @param {State} state @param {ImageItem} item */
export function areaOf(state, item) {
  const { result } = item;
  const threshold = result && !warningsFor(item).some(({ voids }) => voids) ? thresholdFor(state, item) : null;
  if (!result || threshold === null) return null;
  const kept = areas.get(result);
  if (kept?.threshold === threshold) return kept.place;
  const place = highestPlace(result.overlay, result.size, threshold, item);
  areas.set(result, { threshold, place });
  return place;
}

/** @param {State} state @param {ImageItem} item @param {import("./texts.js").Say} [say] @returns {Row} */
export function rowOf(state, item, say = t) {
  const words = item.result ? readScore(state, item, say) : null;
  const busy = item.status === "waiting" || item.status === "working";
  const about = item.status === "error" ? say("triage.unreadable", { reason: item.message }) : say(item.result && !busy ? (isStale(state, item) ? "triage.older" : STATES.done) : STATES[item.status]);
  const series = item.series && !item.series.isPicture ? kindWithSlices(item.series, say) : "";
  return { item, name: item.path, series, slice: item.slice ? item.slice.index + 1 : null, position: positionOf(item), score: words?.score ?? null, reading: words?.reading ?? "", state: about, isRead: isRead(item) };
}

/** @param {Row[]} rows @param {{text: string, filter: string}} wanted */
export function filtered(rows, { text, filter }) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const kept = FILTERS[filter] ?? FILTERS.all;
  return rows.filter((row) => kept.has(row) && words.every((word) => `${row.item.number} ${row.name} ${row.series} ${row.reading} ${row.state}`.toLowerCase().includes(word)));
}

/** What is not known comes last in both orders; equals stay as in the list, slices of a stack by their number. @param {State} state @param {Row[]} rows @param {Column | null} column null: as in the list @param {boolean} isFalling */
export function sorted(state, rows, column, isFalling) {
  if (!column) return [...rows];
  const key = (/** @type {Row} */ row) => (column === "area" ? areaOf(state, row.item)?.areaPx ?? null : row[column] === "" ? null : row[column]);
  return [...rows].sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    const order = typeof a === "number" ? a - Number(b) : NATURAL.compare(a, String(b));
    return isFalling ? -order : order;
  });
}

/**
 * The next image that has not been seen, after the current one and around, in the order of the table and of its rows only.
 * @param {State} state @param {{column: Column | null, isFalling: boolean, text: string, filter: string}} view @returns {ImageItem | null}
 */
export function nextUnread(state, view) {
  const rows = sorted(state, state.images.map((item) => rowOf(state, item)), view.column, view.isFalling);
  // The image in view may be none of those that the filter leaves; its place counts nevertheless.
  const at = rows.findIndex(({ item }) => item.id === state.currentId);
  const order = filtered([...rows.slice(at + 1), ...rows.slice(0, at + 1)], view).map(({ item }) => item);
  const readable = order.filter((item) => item.status !== "error" && !isRead(item));
  // Results come before what has none.
  return readable.find(({ result }) => result) ?? readable[0] ?? null;
}

/** @param {State} state @param {Row[]} rows @param {boolean} names whether file names, with their folders, go in */
export function csvOf(state, rows, names) {
  const ofSeries = hasSeries(rows.map(({ item }) => item));
  const head = ["image", ...(names ? ["file"] : []), ...(ofSeries ? ["series", "slice", "position_mm"] : []), "score", "reading", "peak_area_px", "peak_area_mm2", "peak", "state", "seen"];
  const lines = rows.map((row) => {
    // A file is for other programs: it is the same in all languages.
    const { item, name, series, slice, position, score, reading, state: about, isRead: seen } = pageLanguage() === "en" ? row : rowOf(state, row.item, inEnglish);
    const area = areaOf(state, item);
    return [item.label, ...(names ? [name] : []), ...(ofSeries ? [series, slice ?? "", position === null ? "" : Number(position.toFixed(3))] : []), score ?? "", reading, area ? area.areaPx.toFixed(1) : "", area?.areaMm2 ? area.areaMm2.toFixed(2) : "", area?.peak ?? "", about, seen ? "yes" : "no"];
  });
  return [head, ...lines].map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
}

/** @param {string | number} value */
function cell(value) {
  // Spreadsheets take a text that begins so for a formula.
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
