/** The colour bar below the picture: numbers at both ends, the threshold as a mark. */

import { clamp, el, setText, twoDigits } from "./dom.js";
import { OWN } from "./layers.js";
import { currentImage } from "./store.js";
import { t } from "./texts.js";

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./overlay.js").createOverlay>} overlay
 */
export function mountScale(store, overlay) {
  const root = el("scale");
  const mark = el("scale-mark");
  const context = el("scale-bar").getContext("2d");
  store.on(() => {
    const item = currentImage(store.state);
    const layer = overlay.of(item);
    // The bar keeps its place while empty, so that the picture does not jump.
    root.classList.toggle("empty", !layer);
    if (!layer) return;
    context.putImageData(new ImageData(/** @type {any} */ (layer.bar), layer.bar.length / 4, 1), 0, 0);
    setText(el("scale-lo"), twoDigits(layer.lo));
    setText(el("scale-hi"), twoDigits(layer.hi));
    mark.hidden = layer.threshold === null;
    setText(el("scale-caption"), `${scaleOf(layer, item?.result?.mode)}, ${thresholdWords(layer.threshold)}`);
    if (layer.threshold === null) return;
    const at = clamp((layer.threshold - layer.lo) / (layer.hi - layer.lo), 0, 1);
    mark.style.left = `${at * 100}%`;
    mark.title = t("scale.mark", { threshold: twoDigits(layer.threshold) });
  });
}

/** What the map's values are. @param {import("../../pkg/index.d.ts").Mode | undefined} mode @param {import("./texts.js").Say} [say] */
export function scaleName(mode, say = t) {
  return mode === "zero" ? say("scale.words") : mode === "self" ? say("scale.itself") : mode === "batch" ? say("scale.batch") : say("scale.normals");
}

/** The same, with the name of a map that is not the result's own. @param {{layer?: import("./layers.js").Layer}} rendered @param {import("../../pkg/index.d.ts").Mode | undefined} mode */
export function scaleOf({ layer }, mode) {
  if (!layer || layer.id === OWN) return scaleName(mode);
  return layer.id === "zero" || layer.id === "memory" ? scaleName(layer.id === "zero" ? "zero" : "few") : `${scaleName(mode)}, ${layer.name}`;
}

/** @param {number | null} threshold */
export function thresholdWords(threshold) {
  return threshold === null ? t("scale.noThreshold") : t("scale.threshold", { threshold: twoDigits(threshold) });
}
