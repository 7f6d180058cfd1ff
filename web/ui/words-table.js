/**
 * The table of words: how much each line resembles a place of the map, and the rest of the image. The place is the strongest
 * one, or one of those above the threshold.
 */

import { patchValues } from "../../pkg/index.js";
import { placesAbove } from "./components.js";
import { make, sentence, setHidden, setText } from "./dom.js";
import { isStale, thresholdFor } from "./results.js";
import { currentImage } from "./store.js";
import { numeral, t } from "./texts.js";

const MOST_PLACES = 12;
/** @type {Record<string, import("./texts.js").Key>} */
const LISTS = { normal: "wordTable.normal", abnormal: "wordTable.abnormal", contrast: "wordTable.contrast" };

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 */
export function mountWordTable(store, engine, images) {
  const { state } = store;
  const where = make("select", { "data-testid": "words-place", onchange: () => store.changed() });
  const body = make("tbody", {});
  const heads = [t("wordTable.line"), t("wordTable.list"), t("wordTable.here"), t("wordTable.than")].map((text) => make("th", { scope: "col", text }));
  const table = make("table", { class: "words-table", "data-testid": "words-table" }, make("caption", { class: "visually-hidden", text: t("wordTable.title") }), make("thead", {}, make("tr", {}, ...heads)), body);
  const told = make("p", { class: "hint", "data-testid": "words-table-told" });
  const line = make("label", { class: "select-line" }, make("span", { text: t("wordTable.where") }), where);
  const root = make("div", { class: "words-places" }, make("h3", { text: t("wordTable.title") }), line, make("div", { class: "words-scroll", tabindex: "0", role: "region", "aria-label": t("wordTable.title") }, table), told);
  /** What is in the table, or on its way there. */
  let made = /** @type {{result: object | null, place: string}} */ ({ result: null, place: "" });
  let offered = "";
  /** Counted once for each map and threshold. @type {{result: object | null, threshold: number | null, places: import("./components.js").Place[]}} */
  let counted = { result: null, threshold: null, places: [] };

  /** @param {number} value */
  const digits = (value) => (Number.isFinite(value) ? numeral(value, 3) : "–");
  /** @param {number} value */
  const signed = (value) => (Number.isFinite(value) ? `${value > 0 ? "+" : ""}${numeral(value, 3)}` : "–");

  /** The places above the threshold. @param {import("./types.d.ts").ImageItem} item with a result */
  function places(item) {
    const result = /** @type {import("../../pkg/index.d.ts").Result} */ (item.result);
    const threshold = thresholdFor(state, item);
    if (counted.result !== result || counted.threshold !== threshold) {
      counted = { result, threshold, places: threshold === null ? [] : placesAbove(result.overlay, result.size, threshold, item, MOST_PLACES).places };
    }
    return counted.places;
  }

  /** Patches whose middles lie in a place. @param {import("./types.d.ts").ImageItem} item @param {import("./components.js").Place} place */
  function patchesIn(item, { box }) {
    const result = /** @type {import("../../pkg/index.d.ts").Result} */ (item.result);
    const values = patchValues(result);
    const side = Math.round(Math.sqrt(values.length));
    const threshold = thresholdFor(state, item) ?? -Infinity;
    const near = (/** @type {number} */ patch) => {
      const [x, y] = [((patch % side) + 0.5) / side, (Math.floor(patch / side) + 0.5) / side];
      const value = result.overlay[Math.floor(y * result.size) * result.size + Math.floor(x * result.size)];
      const [px, py] = [x * item.width, y * item.height];
      return value >= threshold && px >= box.x && px <= box.x + box.width && py >= box.y && py <= box.y + box.height;
    };
    const inside = [...values.keys()].filter(near);
    // A place between the middles of patches belongs to the one it lies in.
    const middle = Math.min(side - 1, Math.floor(((box.y + box.height / 2) / item.height) * side)) * side + Math.min(side - 1, Math.floor(((box.x + box.width / 2) / item.width) * side));
    return inside.length > 0 ? inside : [middle];
  }

  /** @param {import("./types.d.ts").ImageItem} item @param {import("./components.js").Place | undefined} place */
  async function fill(item, place) {
    const result = /** @type {import("../../pkg/index.d.ts").Result} */ (item.result);
    const mine = (made = { result, place: where.value });
    setText(told, t("wordTable.waiting"));
    try {
      const session = await engine.whenReady();
      const input = await images.inputOf(item);
      const rows = await session.wordTable({ input }, result, { ...(place ? { patches: patchesIn(item, place) } : {}), lab: engine.lab() });
      if (made !== mine) return;
      body.replaceChildren(...rows.map(({ list, words, here, elsewhere }) => make("tr", { class: `words-${list}` },
        make("th", { scope: "row", dir: "auto", text: words }), make("td", { text: t(LISTS[list]) }), make("td", { text: digits(here) }), make("td", { text: signed(here - elsewhere) }))));
      setHidden(table, false);
      setText(told, t("wordTable.hint"));
    } catch (error) {
      if (made !== mine) return;
      setHidden(table, true);
      setText(told, t("wordTable.failed", { reason: sentence(error.message) }));
    }
  }

  return {
    root,
    /** @param {boolean} isOpen whether it can be seen */
    paint(isOpen) {
      const item = currentImage(state);
      const isThere = Boolean(item?.result?.mode === "zero" && !item.absent && !isStale(state, item));
      setHidden(line, !isThere);
      if (!item || !isThere || !isOpen) {
        if (!isThere) {
          made = { result: null, place: "" };
          setHidden(table, true);
          setText(told, state.run ? "" : t("wordTable.none"));
        }
        return;
      }
      const found = places(item);
      const key = String(found.length);
      if (key !== offered) {
        offered = key;
        const before = where.value;
        where.replaceChildren(make("option", { value: "", text: t("wordTable.strongest") }), ...found.map(({ rank }) => make("option", { value: String(rank), text: t("wordTable.ranked", { rank }) })));
        where.value = found.some(({ rank }) => String(rank) === before) ? before : "";
      }
      if (state.run || (made.result === item.result && made.place === where.value)) return;
      void fill(item, found.find(({ rank }) => String(rank) === where.value));
    },
  };
}
