/**
 * Regions left out of the scores: burnt-in writing, rulers, what lies outside the field of view. Drawn as boxes on the
 * picture or given as numbers, listed with a button to take each back. A box holds for all images of the same size.
 */

import { clamp, el, make, setHidden, setText } from "./dom.js";
import { regionsFor, sizeOf } from "./results.js";
import { currentImage } from "./store.js";
import { t } from "./texts.js";
import { boxBetween, boxInPixels } from "./view.js";

/** A pointer that moved less has drawn nothing. */
const LEAST_PX = 3;
const FIELDS = ["x", "y", "width", "height"];

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {Pick<ReturnType<typeof import("./zoom.js").createZoom>, "frame" | "at">} zoom where the picture lies
 */
export function mountRegions(store, zoom) {
  const { state } = store;
  const layer = el("region-layer");
  const draft = el("region-draft");
  const list = el("regions-list");
  const problem = el("region-problem");
  const fields = FIELDS.map((name) => el(`region-${name}`));
  let nextId = 1;

  /** @param {import("./types.d.ts").ImageItem} item @param {{x: number, y: number, width: number, height: number}} box */
  function add(item, box) {
    store.set({ regions: [...state.regions, { id: nextId++, of: sizeOf(item), ...box }] });
    el("regions").open = true;
  }

  /** Where the pointer went down, in its pane of the viewer. @type {ReturnType<typeof at> | null} */
  let from = null;
  /** On the picture, in the pane where it began. @param {PointerEvent} event @param {import("./view.js").Box} [held] */
  const at = (event, held) => {
    const { x, y, pane } = zoom.at(event, held);
    const place = zoom.frame();
    return { x: clamp(x, place.x, place.x + place.width), y: clamp(y, place.y, place.y + place.height), pane };
  };

  layer.addEventListener("pointerdown", (event) => {
    layer.setPointerCapture(event.pointerId);
    event.preventDefault();
    from = at(event);
  });
  layer.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = at(event, from.pane);
    const { x, y, width, height } = boxBetween(from, to);
    Object.assign(draft.style, { left: `${to.pane.x + x}px`, top: `${to.pane.y + y}px`, width: `${width}px`, height: `${height}px` });
    draft.hidden = false;
  });
  layer.addEventListener("pointerup", (event) => {
    const item = currentImage(state);
    const drawn = from && boxBetween(from, at(event, from.pane));
    end();
    if (item && drawn && Math.max(drawn.width, drawn.height) >= LEAST_PX) add(item, boxInPixels(zoom.frame(), drawn, item));
  });
  layer.addEventListener("pointercancel", end);

  function end() {
    from = null;
    draft.hidden = true;
  }

  el("region-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const item = currentImage(state);
    if (!item?.width) return;
    const [x, y, width, height] = fields.map((field) => field.valueAsNumber);
    const isWhole = [x, y, width, height].every((value) => Number.isInteger(value) && value >= 0) && width > 0 && height > 0;
    const fits = isWhole && x + width <= item.width && y + height <= item.height;
    setText(problem, fits ? "" : isWhole ? t("regions.outside", { width: item.width, height: item.height })
      : t("regions.whole"));
    problem.hidden = fits;
    if (!fits) return fields[0].focus();
    add(item, { x, y, width, height });
    for (const field of fields) field.value = "";
    fields[0].focus();
  });

  let listed = "";
  store.on(() => {
    const item = currentImage(state);
    const mine = item ? regionsFor(state, item) : [];
    const others = state.regions.length - mine.length;
    setHidden(layer, state.tool !== "region" || !item?.bitmap);
    el("regions").hidden = !item?.width;
    setText(el("regions-title"), mine.length ? t("regions.count", { count: mine.length }) : t("regions.title"));
    setText(el("regions-others"), others ? t("regions.others", { count: others }) : "");
    const key = mine.map(({ id }) => id).join();
    if (key === listed) return;
    listed = key;
    list.replaceChildren(...mine.map((region, n) => row(region, n)));
  });

  /** @param {import("./types.d.ts").Region} region @param {number} n */
  function row(region, n) {
    const { id, x, y, width, height } = region;
    const remove = () => {
      store.set({ regions: state.regions.filter((other) => other.id !== id) });
      // The button is gone with its row.
      el("regions-title").focus();
    };
    return make("li", { "data-testid": "region-item" }, make("span", { text: t("regions.at", { width, height, x, y }) }),
      make("button", { type: "button", class: "icon-button", "aria-label": t("regions.takeBackNumber", { number: n + 1 }), title: t("regions.takeBack"), text: "×", onclick: remove }));
  }
}
