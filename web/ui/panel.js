/** The settings: object, mode, use of normal images, window, and how the overlay is shown. */

import { mountBank } from "./bank.js";
import { clamp, el, ended, make, setHidden, setText, twoDigits } from "./dom.js";
import { drawHistogram, histogram } from "./histogram.js";
import { OWN, isThresholdSet, layerOf, layerRange, layerThreshold, layersOf, setThreshold } from "./layers.js";
import { mountMethod } from "./method.js";
import { windowFor, windowWords } from "./results.js";
import { mountSides } from "./sides.js";
import { currentImage, hasWords, sidesAreAlike } from "./store.js";
import { t } from "./texts.js";

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 * @param {ReturnType<typeof import("./supportset.js").createSupportSet>} support
 */
export function mountPanel(store, images, support) {
  const { state } = store;
  const object = el("object-select");
  const modes = { few: el("mode-few"), zero: el("mode-zero"), self: el("mode-self"), batch: el("mode-batch") };
  const augment = el("augment-select");
  const colours = el("colour-map");
  const threshold = el("threshold");
  const opacity = el("opacity");
  const bars = el("histogram");
  let drawn = "";
  /** What was counted last. @type {{map: Float32Array | null, lo: number, hi: number, counts: Uint32Array}} */
  let counted = { map: null, lo: 0, hi: 0, counts: new Uint32Array() };

  object.addEventListener("change", () => {
    store.set({ objectChosen: true });
    store.settings({ object: object.value, bilateral: null, threshold: null });
  });
  for (const [mode, input] of Object.entries(modes)) {
    input.addEventListener("change", () => input.checked && store.settings({ mode, threshold: null }));
  }
  augment.addEventListener("change", () => store.settings({ augment: augment.value }));
  colours.addEventListener("change", () => store.settings({ colourMap: colours.value }));
  el("scale-mode").addEventListener("change", () => store.settings({ sharedScale: el("scale-mode").value === "shared" }));
  opacity.addEventListener("input", () => store.settings({ opacity: opacity.value / 100 }));
  threshold.addEventListener("input", () => {
    const item = currentImage(state);
    if (!item?.result) return;
    const { lo, hi } = layerRange(state, item);
    setThreshold(store, item, lo + (hi - lo) * Number(threshold.value));
  });
  el("threshold-auto").addEventListener("click", () => setThreshold(store, currentImage(state), null));
  mountLayers(store);
  // Its colours come from the style sheet.
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) matchMedia(query).addEventListener("change", () => ((drawn = ""), store.changed()));
  new ResizeObserver(() => ((drawn = ""), paintSliders())).observe(bars);
  el("swipe-toggle").addEventListener("change", () => store.settings({ swipe: el("swipe-toggle").checked }));
  el("contour-toggle").addEventListener("change", () => store.settings({ contour: el("contour-toggle").checked }));
  mountBank(store);
  mountMethod(store);
  mountSides(store);
  mountWindow(store, images, support);

  let listed = /** @type {object | null} */ (null);
  store.on(() => {
    const { info, settings } = state;
    if (info && listed !== info) {
      listed = info;
      object.replaceChildren(...info.objects.map(({ id, name }) => make("option", { value: id, text: name })));
      object.disabled = false;
      colours.replaceChildren(...info.colourMaps.map((name) => make("option", { value: name, text: name })));
      colours.disabled = false;
    }
    if (info) object.value = settings.object;
    else setText(object.options[0], state.load.phase === "loading" ? t("object.loading") : t("object.none"));
    paintModes();
    augment.value = settings.augment;
    augment.disabled = settings.mode !== "few";
    if (info) colours.value = settings.colourMap;
    el("scale-mode").value = settings.sharedScale ? "shared" : "own";
    el("swipe-toggle").checked = settings.swipe;
    el("contour-toggle").checked = settings.contour;
    paintSliders();
  });

  function paintModes() {
    const { info, settings } = state;
    const possible = hasWords(info, settings.object);
    modes.zero.disabled = !possible;
    modes.few.checked = settings.mode === "few";
    modes.zero.checked = settings.mode === "zero";
    modes.self.checked = settings.mode === "self";
    modes.batch.checked = settings.mode === "batch";
    setHidden(el("mode-batch-line"), info?.memory === "adapted");
    const reason = !info ? t("mode.reason")
      : settings.mode === "self" ? t(sidesAreAlike(info, settings.object) ? "mode.selfNote" : "mode.ownNote")
      : settings.mode === "batch" ? t("mode.batchNote")
      : possible && settings.mode === "zero" ? info.zeroShotNote ?? ""
      : possible ? ""
      : info.zeroShot ? t("mode.noWords")
      : t("mode.notWith", { reason: ended(info.zeroShotReason ?? "") });
    setText(el("mode-reason"), reason);
    el("mode-reason").hidden = reason === "";
  }

  function paintSliders() {
    const { settings } = state;
    const item = currentImage(state);
    opacity.value = String(Math.round(settings.opacity * 100));
    setText(el("opacity-value"), t("units.percent", { number: Number(opacity.value) }));
    const layer = layerOf(state, item);
    threshold.disabled = !layer;
    el("threshold-auto").disabled = !isThresholdSet(state, item);
    setHidden(bars, !layer);
    if (!item || !layer) return setText(el("threshold-value"), "–");
    const { lo, hi } = layerRange(state, item);
    const value = layerThreshold(state, item);
    paintHistogram(layer.map, lo, hi, value);
    // Where none is set the handle waits at the upper end, so that pulling it down brings up the highest places first.
    threshold.value = String(value === null ? 1 : clamp((value - lo) / (hi - lo), 0, 1));
    const words = value === null ? t("view.notSet") : twoDigits(value);
    threshold.setAttribute("aria-valuetext", words);
    setText(el("threshold-value"), words);
  }

  /** @param {Float32Array} map @param {number} lo @param {number} hi @param {number | null} value */
  function paintHistogram(map, lo, hi, value) {
    const isCounted = counted.map === map && counted.lo === lo && counted.hi === hi;
    if (isCounted && drawn === String(value)) return;
    if (!isCounted) counted = { map, lo, hi, counts: histogram(map, lo, hi) };
    drawn = String(value);
    drawHistogram(bars, counted.counts, value === null ? null : (value - lo) / (hi - lo));
  }
}

/** Which map is shown, or the picture alone. @param {ReturnType<typeof import("./store.js").createStore>} store */
function mountLayers(store) {
  const { state } = store;
  const select = el("layer");
  const NONE = "none";
  let listed = "";
  select.addEventListener("change", () => {
    if (select.value === NONE) store.set({ bare: true });
    else store.set({ bare: false, layer: select.value });
  });
  store.on(() => {
    const layers = layersOf(state, currentImage(state));
    const key = layers.map(({ id, name }) => `${id} ${name}`).join();
    setHidden(el("layer-line"), layers.length === 0);
    if (layers.length === 0) return;
    if (key !== listed) {
      listed = key;
      select.replaceChildren(...layers.map(({ id, name }) => make("option", { value: id, text: name })), make("option", { value: NONE, text: t("layers.none") }));
    }
    const shown = layerOf(state, currentImage(state))?.id ?? OWN;
    const value = state.bare ? NONE : shown;
    if (select.value !== value) select.value = value;
    setHidden(el("layer-hint"), state.bare || shown === OWN);
  });
}

/** The window of pictures deeper than 8 bits. */
function mountWindow(store, images, support) {
  const { state } = store;
  const field = el("window-field");
  const [auto, manual] = field.querySelectorAll("input[type=radio]");
  const center = el("window-center");
  const width = el("window-width");

  function apply() {
    const numbers = [center.valueAsNumber, width.valueAsNumber];
    const usable = manual.checked && numbers.every(Number.isFinite) && numbers[1] > 0;
    const window = usable ? numbers.join(",") : "auto";
    field.classList.toggle("manual", manual.checked);
    if (window === state.settings.window) return;
    store.settings({ window });
    const item = currentImage(state);
    if (item) void images.decode(item).catch(() => {});
    void support.sync();
  }
  for (const input of [auto, manual, center, width]) input.addEventListener("change", apply);

  store.on(() => {
    field.hidden = !(currentImage(state)?.deep || state.support.some((item) => item.deep));
    const item = currentImage(state);
    setText(el("window-told"), item?.shown ? windowWords(state, item.shown) : "");
    // A window chosen by hand, or another one of the normal images, while a picture was still being decoded.
    if (item?.deep && item.bitmap && item.decodedWindow !== windowFor(state, item)) void images.decode(item).catch(() => {});
  });
}
