/** The settings: object, mode, use of normal images, window, and how the overlay is shown. */

import { mountBank } from "./bank.js";
import { clamp, el, ended, make, setText, twoDigits } from "./dom.js";
import { colourRange, thresholdFor, windowFor, windowWords } from "./results.js";
import { currentImage, hasWords } from "./store.js";

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 * @param {ReturnType<typeof import("./supportset.js").createSupportSet>} support
 */
export function mountPanel(store, images, support) {
  const { state } = store;
  const object = el("object-select");
  const modes = { few: el("mode-few"), zero: el("mode-zero") };
  const augment = el("augment-select");
  const colours = el("colour-map");
  const threshold = el("threshold");
  const opacity = el("opacity");

  object.addEventListener("change", () => store.settings({ object: object.value, threshold: null }));
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
    const { lo, hi } = colourRange(state, item);
    store.settings({ threshold: lo + (hi - lo) * Number(threshold.value) });
  });
  el("threshold-auto").addEventListener("click", () => store.settings({ threshold: null }));
  el("swipe-toggle").addEventListener("change", () => store.settings({ swipe: el("swipe-toggle").checked }));
  el("contour-toggle").addEventListener("change", () => store.settings({ contour: el("contour-toggle").checked }));
  mountBank(store);
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
    else setText(object.options[0], state.load.phase === "loading" ? "Model is loading" : "No model is loaded");
    paintModes();
    augment.value = settings.augment;
    augment.disabled = settings.mode === "zero";
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
    const reason = !info ? "Whether words can be used depends on the model."
      : possible && settings.mode === "zero" ? info.zeroShotNote ?? ""
      : possible ? ""
      : info.zeroShot ? "The model has no words for this choice."
      : `Not with this model: ${ended(info.zeroShotReason ?? "")}`;
    setText(el("mode-reason"), reason);
    el("mode-reason").hidden = reason === "";
  }

  function paintSliders() {
    const { settings } = state;
    const item = currentImage(state);
    opacity.value = String(Math.round(settings.opacity * 100));
    setText(el("opacity-value"), `${opacity.value} %`);
    const result = item?.result;
    threshold.disabled = !result;
    el("threshold-auto").disabled = settings.threshold === null;
    if (!item || !result) return setText(el("threshold-value"), "–");
    const { lo, hi } = colourRange(state, item);
    const value = thresholdFor(state, item);
    // Where none is set the handle waits at the upper end, so that pulling it down brings up the highest places first.
    threshold.value = String(value === null ? 1 : clamp((value - lo) / (hi - lo), 0, 1));
    const words = value === null ? "not set" : twoDigits(value);
    threshold.setAttribute("aria-valuetext", words);
    setText(el("threshold-value"), words);
  }
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
    if (item?.deep && item.bitmap && item.decodedWindow !== windowFor(state)) void images.decode(item).catch(() => {});
  });
}
