/** The result: score, plain words, and where the score lies among the normal images. */

import { el, setText, twoDigits } from "./dom.js";
import { isStale } from "./results.js";
import { currentImage } from "./store.js";
import { readScore } from "./reading.js";

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
    const words = readScore(result);
    setText(score, twoDigits(result.score));
    score.dataset.value = String(result.score);
    setText(el("reading"), words.reading);
    setText(el("reading-range"), words.range);
    setText(el("reading-hint"), words.hint);
    setText(el("sample-note"), item.note);
    el("sample-note").hidden = item.note === "";
    el("stale").hidden = !isStale(state, item);
    if (plotted === result) return;
    plotted = result;
    plot(result);
  });
}

/** A line with one ring per normal image and a filled dot for this picture. @param {import("../../pkg/index.d.ts").Result} result */
function plot(result) {
  const svg = el("range-plot");
  const normals = result.supportScores ?? [];
  svg.toggleAttribute("hidden", normals.length < 2);
  if (normals.length < 2) return;
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
  svg.setAttribute("aria-label", `This picture ${twoDigits(result.score)}; normal images ${normals.map(twoDigits).join(", ")}`);
}
