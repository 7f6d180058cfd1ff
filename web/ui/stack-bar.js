/**
 * Below the picture of a stack: which slice is in view, how the scores run over the slices, and what to do with several of
 * them. The chart is a way to jump; the slider says the same to the keyboard and to those who do not see it.
 */

import { clamp, el, make, setHidden, setText, twoDigits } from "./dom.js";
import { AXES } from "./labels.js";
import { readScore } from "./reading.js";
import { isStale } from "./results.js";
import { analysedSlices, axesOf, reachable, there, volumesOf } from "./stacks.js";
import { currentImage } from "./store.js";
import { numeral, t } from "./texts.js";

/** Of the chart. */
const BAR_PX = { least: 1, most: 12, gap: 1 };
/** Of a bar's height, below the lowest score. */
const FOOT_SHARE = 0.25;
/** Of the slider. */
const THUMB_PX = 16;
const PAGE = 10;

/** @typedef {import("./types.d.ts").Stack} Stack */

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./stacks.js").createStacks>} stacks
 * @param {ReturnType<typeof import("./supportset.js").createSupportSet>} support
 * @param {ReturnType<typeof import("./run.js").createRunner>} runner
 */
export function mountStackBar(store, stacks, support, runner) {
  const { state } = store;
  const bar = el("stack-bar");
  /** @type {HTMLInputElement} */
  const slider = el("slice-slider");
  /** @type {HTMLCanvasElement} */
  const chart = el("slice-chart");
  const [axis, volume] = [el("slice-axis"), el("slice-volume")];
  /** @type {[HTMLInputElement, HTMLInputElement]} */
  const [from, to] = [el("slices-from"), el("slices-to")];
  const current = () => stacks.of(currentImage(state));
  let offered = "";
  let drawn = "";

  slider.addEventListener("input", () => void goTo(Number(slider.value) - 1));
  el("slice-previous").addEventListener("click", () => stacks.step(-1));
  el("slice-next").addEventListener("click", () => stacks.step(1));
  axis.addEventListener("change", () => turn({ axis: axis.value }));
  volume.addEventListener("change", () => turn({ volume: Number(volume.value) }));
  chart.addEventListener("pointerdown", (event) => {
    chart.setPointerCapture(event.pointerId);
    jump(event);
  });
  chart.addEventListener("pointermove", (event) => event.buttons > 0 && jump(event));
  el("slices-analyse").addEventListener("click", () => {
    const stack = current();
    if (!stack) return;
    const items = stacks.range(stack, ...chosen(stack));
    void runner.analyse(items.map(({ id }) => id)).then(() => stacks.tidy(stack));
  });
  el("slices-normal").addEventListener("click", () => {
    const stack = current();
    if (!stack) return;
    support.add(stacks.pictures(stack, ...chosen(stack)));
  });
  for (const [id, choose] of /** @type {[string, (stack: Stack) => [number, number]][]} */ ([["slices-all", (stack) => [1, framesOf(stack)]], ["slices-this", (stack) => [stack.index + 1, stack.index + 1]]])) {
    el(id).addEventListener("click", () => {
      const stack = current();
      if (stack) [from.value, to.value] = choose(stack).map(String);
      store.changed();
    });
  }
  for (const field of [from, to]) field.addEventListener("input", () => store.changed());

  /** @param {number} index */
  function goTo(index) {
    const stack = current();
    if (stack) void stacks.goTo(stack, index);
  }

  /** @param {object} which */
  function turn(which) {
    const stack = current();
    if (stack) stacks.turn(stack, which);
  }

  /** @param {PointerEvent} event */
  function jump(event) {
    const stack = current();
    if (!stack) return;
    const { left, width } = track();
    const last = framesOf(stack) - 1;
    goTo(Math.round(clamp((event.clientX - chart.getBoundingClientRect().left - left) / width, 0, 1) * last));
  }

  /** Where the middle of the slider's thumb goes, in CSS pixels of the chart: a bar stands above its place on the slider. */
  function track() {
    const [of, along] = [chart, slider].map((part) => part.getBoundingClientRect());
    const isBeside = along.width > THUMB_PX && along.left < of.right;
    return isBeside ? { left: along.left - of.left + THUMB_PX / 2, width: along.width - THUMB_PX } : { left: 0, width: of.width };
  }

  /** The slices that the two fields name, from 0, the last one included. @param {Stack} stack @returns {[number, number]} */
  function chosen(stack) {
    const most = framesOf(stack);
    const numbers = [from, to].map((field, n) => (Number.isFinite(field.valueAsNumber) ? clamp(Math.round(field.valueAsNumber), 1, most) : [1, most][n]));
    return [Math.min(...numbers) - 1, Math.max(...numbers) - 1];
  }

  for (const part of [chart, slider]) new ResizeObserver(() => ((drawn = ""), paintChart())).observe(part);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => ((drawn = ""), paintChart()));

  store.on(() => {
    const stack = current();
    setHidden(bar, !stack);
    if (!stack) return;
    const frames = framesOf(stack);
    const { series } = stack;
    const key = `${stack.id} ${stack.axis} ${stack.volume}`;
    if (key !== offered) {
      offered = key;
      const axes = axesOf(stack);
      const volumes = volumesOf(stack);
      axis.replaceChildren(...axes.map((name) => make("option", { value: name, text: t(AXES[name]) })));
      axis.value = stack.axis;
      setHidden(axis.parentElement, axes.length < 2);
      volume.replaceChildren(...volumes.map((n) => make("option", { value: n, text: t("stack.volumeOf", { number: n + 1, total: series.volumes }) })));
      volume.value = String(stack.volume);
      setHidden(volume.parentElement, volumes.length < 2);
      slider.max = String(frames);
      for (const field of [from, to]) field.max = String(frames);
      [from.value, to.value] = ["1", String(frames)];
      const notes = [series.modality, series.format, ...series.notes, series.isKept ? t("stack.kept", { count: there(stack).length, total: frames }) : ""].filter(Boolean).join(". ");
      setText(el("stack-notes"), notes);
    }
    const number = stack.wanted + 1;
    if (Number(slider.value) !== number) slider.value = String(number);
    const words = sliceWords(stack, stack.wanted);
    setText(el("slice-words"), words);
    slider.setAttribute("aria-valuetext", words);
    el("slice-previous").disabled = reachable(stack, stack.wanted - 1) === stack.wanted;
    el("slice-next").disabled = reachable(stack, stack.wanted + 1) === stack.wanted;
    const [first, last] = chosen(stack);
    const count = there(stack, first, last).length;
    const isAbsent = series.isKept && count > 0 && [...stack.items.values()].every(({ absent }) => absent);
    const isWaiting = state.run !== null || state.load.phase !== "ready";
    el("slices-normal").disabled = count === 0 || isAbsent;
    el("slices-analyse").disabled = isWaiting || count === 0 || isAbsent || (state.settings.mode === "few" && state.support.length === 0);
    setText(el("slices-analyse"), t("stack.analyse", { count }));
    setText(el("slices-normal"), t("stack.use", { count }));
    paintChart();
  });

  /** A bar for each slice that has a score; the one in view is marked. */
  function paintChart() {
    const stack = current();
    const item = currentImage(state);
    if (!stack || bar.hidden) return;
    const scored = analysedSlices(state, item).flatMap((one) => {
      const { score } = readScore(state, one);
      return score === null || !one.slice ? [] : [{ index: one.slice.index, score, isOld: isStale(state, one) }];
    });
    setHidden(chart, scored.length === 0);
    if (scored.length === 0) return;
    const frames = framesOf(stack);
    const key = `${stack.id} ${stack.wanted} ${scored.map(({ index, score, isOld }) => `${index} ${score} ${isOld}`).join()}`;
    if (key === drawn) return;
    drawn = key;
    // Scores with other settings lie on another scale.
    const alike = scored.some(({ isOld }) => !isOld) ? scored.filter(({ isOld }) => !isOld) : scored;
    const best = alike.reduce((high, one) => (one.score > high.score ? one : high));
    chart.setAttribute("aria-label", t("stack.chart", { count: scored.length, score: twoDigits(best.score), number: best.index + 1 }));
    chart.title = t("stack.chartTitle", { number: best.index + 1, score: twoDigits(best.score) });
    const ratio = devicePixelRatio || 1;
    const [width, height] = [Math.round(chart.clientWidth * ratio), Math.round(chart.clientHeight * ratio)];
    if (width === 0) return;
    Object.assign(chart, { width, height });
    const context = /** @type {CanvasRenderingContext2D} */ (chart.getContext("2d"));
    const { color, accentColor, borderColor } = getComputedStyle(chart);
    const least = Math.min(...alike.map(({ score }) => score));
    const low = least - FOOT_SHARE * (best.score - least || 1);
    const span = best.score - low;
    const { left, width: length } = track();
    const step = (length * ratio) / Math.max(1, frames - 1);
    const middle = (/** @type {number} */ index) => left * ratio + index * step;
    const thick = clamp(step - BAR_PX.gap * ratio, BAR_PX.least * ratio, BAR_PX.most * ratio);
    context.fillStyle = borderColor;
    const mark = Math.max(thick, 2 * ratio);
    context.fillRect(middle(stack.wanted) - mark / 2, 0, mark, height);
    for (const { index, score, isOld } of scored) {
      const tall = clamp((score - low) / span, 0, 1) * (height - 2 * ratio) || ratio;
      context.globalAlpha = isOld ? 0.4 : 1;
      context.fillStyle = index === best.index ? accentColor : color;
      context.fillRect(middle(index) - thick / 2, height - tall, thick, tall);
    }
    context.globalAlpha = 1;
  }

  return {
    /** Keys and what they do. @type {Record<string, () => boolean>} */
    moves: { ArrowUp: () => stacks.step(-1), ArrowDown: () => stacks.step(1), PageUp: () => stacks.step(-PAGE), PageDown: () => stacks.step(PAGE), Home: () => stacks.step(-Infinity), End: () => stacks.step(Infinity) },
  };
}

/** @param {Stack} stack */
function framesOf(stack) {
  return stack.series.axes[stack.axis]?.frames ?? 1;
}

/** Number and place of a slice. @param {Stack} stack @param {number} index */
export function sliceWords(stack, index) {
  const position = stack.axis === "axial" ? stack.series.positionsMm?.[stack.volume * framesOf(stack) + index] : undefined;
  const [number, total] = [index + 1, framesOf(stack)];
  return position === undefined ? t("stack.slice", { number, total }) : t("stack.sliceAt", { number, total, position: numeral(position, 1) });
}
