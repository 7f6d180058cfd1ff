/** The result: score, plain words, what is doubtful about them, and where the score lies among the normal images. */

import { el, make, setText, twoDigits } from "./dom.js";
import { isStale } from "./results.js";
import { currentImage } from "./store.js";
import { readScore } from "./reading.js";
import { t } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";

/** @param {ReturnType<typeof import("./store.js").createStore>} store */
export function mountResult(store) {
  const { state } = store;
  const score = el("score");
  let plotted = /** @type {object | null} */ (null);
  store.on(() => {
    const item = currentImage(state);
    const result = item?.result ?? null;
    el("result").hidden = !result;
    if (!item || !result) return;
    const words = readScore(state, item);
    setText(score, words.score === null ? "–" : twoDigits(words.score));
    score.dataset.value = words.score === null ? "" : String(words.score);
    paintWarnings(words.warnings);
    setText(el("reading"), words.reading);
    setText(el("reading-range"), words.range);
    setText(el("reading-hint"), words.hint);
    setText(el("sample-note"), item.note);
    // It speaks of one result and goes with its settings.
    el("sample-note").hidden = item.note === "" || item.noteKey !== item.resultKey || isStale(state, item);
    el("stale").hidden = !isStale(state, item);
    if (plotted === result) return;
    plotted = result;
    plot(words.score === null ? null : result);
  });
}

/** @param {import("./warnings.js").Warning[]} warnings */
function paintWarnings(warnings) {
  const list = el("warnings");
  list.hidden = warnings.length === 0;
  const key = warnings.map(({ text }) => text).join("\n");
  if (list.dataset.shown === key) return;
  list.dataset.shown = key;
  list.replaceChildren(...warnings.map(({ code, text }) => make("li", { "data-kind": code, text })));
}

/** A line with one ring per normal image and a filled dot for this image. @param {import("../../pkg/index.d.ts").Result | null} result */
function plot(result) {
  const svg = el("range-plot");
  const normals = result?.supportScores ?? [];
  svg.toggleAttribute("hidden", normals.length < 2);
  if (!result || normals.length < 2) return;
  const all = [...normals, result.score];
  const lo = Math.min(...all);
  const span = Math.max(...all) - lo || 1;
  const x = (value) => 12 + (256 * (value - lo)) / span;
  const mark = (tag, attributes) => {
    const node = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
    return node;
  };
  const inner = normals.map(x);
  const first = Math.min(...inner);
  svg.replaceChildren(
    mark("line", { class: "axis", x1: 4, x2: 276, y1: 14, y2: 14 }),
    mark("rect", { class: "normal-range", x: first - 6, y: 8, width: Math.max(...inner) - first + 12, height: 12, rx: 6 }),
    ...inner.map((cx) => mark("circle", { class: "normal", cx, cy: 14, r: 4 })),
    mark("circle", { class: "this", cx: x(result.score), cy: 14, r: 6 }),
  );
  svg.setAttribute("aria-label", t("result.plot", { score: twoDigits(result.score), normals: normals.map((one) => twoDigits(one)).join(", ") }));
}
