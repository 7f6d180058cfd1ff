/** The places at or above the threshold, as a list: size, peak and mean of each. Choosing one shows it close and frames it. */

import { areaWords } from "./measure.js";
import { placesAbove } from "./components.js";
import { el, make, setHidden, setText, twoDigits } from "./dom.js";
import { layerOf, layerThreshold } from "./layers.js";
import { label } from "./rulers.js";
import { currentImage } from "./store.js";
import { numeral, t } from "./texts.js";
import { boxToViewer } from "./view.js";

const MOST = 20;
/** Between a place and its frame. */
const AROUND_PX = 6;

/** @typedef {import("./components.js").Place} Place */

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./overlay.js").createOverlay>} overlay
 * @param {Pick<ReturnType<typeof import("./zoom.js").createZoom>, "goTo">} zoom
 */
export function mountPlaces(store, overlay, zoom) {
  const { state } = store;
  const list = el("places-list");
  /** What the list was made of, and what is in it. @type {{map: Float32Array | null, threshold: number | null, spacing: string, places: Place[]}} */
  let made = { map: null, threshold: null, spacing: "", places: [] };
  /** @type {Place | null} */
  let chosen = null;

  store.on(() => {
    const item = currentImage(state);
    const layer = layerOf(state, item);
    // Where no overlay may be shown there is nothing to list either.
    const root = el("places");
    setHidden(root, !item?.bitmap || !layer || !overlay.of(item));
    if (!item || !layer || root.hidden) return;
    const threshold = layerThreshold(state, item);
    const spacing = String(item.spacingMm ?? "");
    if (made.map === layer.map && made.threshold === threshold && made.spacing === spacing) return;
    chosen = null;
    const { places, total } = threshold === null ? { places: [], total: 0 } : placesAbove(layer.map, layer.size, threshold, item, MOST);
    made = { map: layer.map, threshold, spacing, places };
    setText(el("places-title"), threshold === null ? t("places.title") : total === 0 ? t("places.nowhere") : t("places.count", { count: total }));
    setText(el("places-hint"), threshold === null ? t("places.noThreshold")
      : total > places.length ? t("places.highest", { shown: places.length, total }) : "");
    el("places-hint").hidden = el("places-hint").textContent === "";
    list.replaceChildren(...places.map(row));
  });

  /** @param {Place} place */
  function row(place) {
    const area = [areaWords(place.areaPx, false), place.areaMm2 === null ? "" : areaWords(place.areaMm2, true)].filter(Boolean).join(", ");
    const button = make("button", { type: "button", class: "place", title: t("places.show"), onclick: () => choose(place) },
      make("span", { class: "place-rank", text: numeral(place.rank) }),
      make("span", { class: "place-area", text: area }),
      make("span", { class: "place-values", text: t("places.values", { peak: twoDigits(place.peak), mean: twoDigits(place.mean) }) }));
    return make("li", { "data-testid": "place-item" }, button);
  }

  /** @param {Place | null} place */
  function frame(place) {
    chosen = place;
    for (const [n, node] of [...list.querySelectorAll("button")].entries()) node.setAttribute("aria-current", String(made.places[n] === place));
  }

  /** @param {Place} place */
  function choose(place) {
    frame(place);
    if (state.bare) store.set({ bare: false });
    zoom.goTo(place.box);
    // On a phone the list is below the picture.
    if (getComputedStyle(el("panel")).overflowY !== "auto") el("stage").scrollIntoView({ block: "nearest" });
  }

  return {
    clear: () => frame(null),
    /** @param {CanvasRenderingContext2D} context @param {import("./view.js").Place} place @param {import("./types.d.ts").ImageItem} item */
    draw(context, place, item) {
      if (!chosen || made.map !== layerOf(state, item)?.map) return;
      const { x, y, width, height } = boxToViewer(place, chosen.box);
      const box = /** @type {const} */ ([x - AROUND_PX, y - AROUND_PX, width + 2 * AROUND_PX, height + 2 * AROUND_PX]);
      for (const [style, line] of /** @type {const} */ ([["rgb(0 0 0 / 0.7)", 4], ["#63ccd2", 2]])) {
        context.strokeStyle = style;
        context.lineWidth = line;
        context.strokeRect(...box);
      }
      label(context, numeral(chosen.rank), box[0] + 8, box[1] - 10);
    },
  };
}
