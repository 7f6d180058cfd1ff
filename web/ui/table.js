/**
 * All images as a table, for reading many: sorted, filtered, by keyboard alone, saved as CSV. An image that has been in view
 * with its result counts as seen.
 */

import { countOf, el, make, setText, twoDigits } from "./dom.js";
import { areaWords } from "./measure.js";
import { download } from "./save.js";
import { currentImage } from "./store.js";
import { FILTERS, csvOf, filtered, isRead, markRead, nextUnread, rowOf, sorted } from "./triage.js";

/** @type {[import("./triage.js").Column, string][]} */
const COLUMNS = [["name", "Image"], ["score", "Score"], ["reading", "Reading"], ["area", "Peak area"], ["state", "State"]];
/** Numbers are looked at from the highest on. */
const FALLING = ["score", "area"];

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 */
export function mountTable(store, images) {
  const { state } = store;
  /** Kept while the page is open. @type {{column: import("./triage.js").Column | null, isFalling: boolean, text: string, filter: string}} */
  const view = { column: null, isFalling: false, text: "", filter: "all" };

  store.on(() => {
    const item = currentImage(state);
    el("table-button").hidden = state.images.length < 2;
    if (!item || isRead(item) || document.hidden || !(item.bitmap || item.status === "error")) return;
    markRead(item);
    store.changed();
  });

  function next() {
    const item = nextUnread(state);
    if (item) images.select(item.id);
    return item;
  }

  function open() {
    if (state.images.length === 0 || document.querySelector("dialog[open]")) return;
    const text = make("input", { type: "search", "data-testid": "table-text", "aria-label": "Filter by text", placeholder: "Filter by name, reading or state", value: view.text });
    const filter = make("select", { "data-testid": "table-filter", "aria-label": "Filter by state" }, ...Object.entries(FILTERS).map(([value, { name }]) => make("option", { value, text: name })));
    filter.value = view.filter;
    const count = make("p", { class: "hint", role: "status", "data-testid": "table-count" });
    const body = make("tbody", {});
    const heads = COLUMNS.map(([column, name]) => make("th", { scope: "col", "data-column": column }, make("button", { type: "button", text: name, onclick: () => sortBy(column) })));
    const table = make("table", { class: "triage", "data-testid": "table" }, make("thead", {}, make("tr", {}, ...heads)), body);
    const dialog = make("dialog", { class: "dialog wide", "aria-labelledby": "dialog-title" },
      make("div", { class: "dialog-head" }, make("h2", { id: "dialog-title", text: "Images" }), make("button", { type: "button", class: "icon-button", "aria-label": "Close", text: "×", onclick: () => dialog.close() })),
      make("div", { class: "dialog-body" },
        make("div", { class: "table-tools" }, text, filter,
          make("button", { type: "button", "data-testid": "table-next", title: "The next image whose result you have not seen", text: "Next not seen", onclick: () => next() ? dialog.close() : setText(count, "All have been seen.") }),
          make("button", { type: "button", "data-testid": "table-csv", text: "Save table (CSV)", onclick: () => download(new Blob([csvOf(shown(), el("report-names").checked)], { type: "text/csv" }), "images.csv") })),
        count, make("div", { class: "table-scroll" }, table),
        make("p", { class: "hint", text: "Enter opens the image of a row, ↑ ↓ Home End go from row to row. The peak area is that of the place with the highest value, at the threshold. File names are saved only if ticked under Save." })));

    /** All rows, and those in view. */
    const all = () => state.images.map((item) => rowOf(state, item));
    const shown = () => sorted(filtered(all(), view), view.column, view.isFalling);

    function sortBy(column) {
      const again = view.column === column;
      // A third press takes the order of the list.
      if (again && view.isFalling !== FALLING.includes(column)) view.column = null;
      else Object.assign(view, { column, isFalling: again ? !view.isFalling : FALLING.includes(column) });
      paint();
    }

    function paint() {
      const rows = shown();
      for (const head of heads) {
        const isMine = head.dataset.column === view.column;
        head.setAttribute("aria-sort", isMine ? (view.isFalling ? "descending" : "ascending") : "none");
        const name = COLUMNS.find(([column]) => column === head.dataset.column)?.[1] ?? "";
        head.firstChild.replaceChildren(name, ...(isMine ? [make("span", { "aria-hidden": "true", text: view.isFalling ? " ▾" : " ▴" })] : []));
      }
      const focused = body.contains(document.activeElement) ? document.activeElement.closest("tr")?.dataset.id : null;
      body.replaceChildren(...rows.map(line));
      const kept = focused ? body.querySelector(`[data-id="${focused}"] button`) : null;
      const stop = kept ?? body.querySelector('[aria-current="true"] button') ?? body.querySelector("button");
      if (stop) stop.tabIndex = 0;
      kept?.focus();
      const unread = rows.filter((row) => !row.isRead).length;
      setText(count, `${rows.length === state.images.length ? countOf(rows.length, "image") : `${rows.length} of ${countOf(state.images.length, "image")}`}, ${unread} not seen yet.`);
    }

    /** @param {import("./triage.js").Row} row */
    function line({ item, name, score, reading, area, state: about, isRead: seen }) {
      const size = area ? [areaWords(area.areaPx, false), area.areaMm2 === null ? "" : areaWords(area.areaMm2, true)].filter(Boolean).join(", ") : "";
      const pick = make("button", { type: "button", tabindex: -1, onclick: () => show(item.id) }, `${item.id} `, make("span", { text: name }), ...(seen ? [] : [make("span", { class: "visually-hidden", text: ", not seen yet" })]));
      return make("tr", { "data-testid": "table-row", "data-id": item.id, "data-state": item.status, class: seen ? null : "unread", "aria-current": item.id === state.currentId ? "true" : null },
        make("td", {}, pick), make("td", { class: "number", text: score === null ? "" : twoDigits(score) }), make("td", { text: reading }), make("td", { class: "number", text: size }), make("td", { class: "state", text: about }));
    }

    /** @param {number} id */
    function show(id) {
      images.select(id);
      dialog.close();
      el("viewer").focus({ preventScroll: true });
    }

    body.addEventListener("keydown", (event) => {
      const rows = [...body.querySelectorAll("button")];
      const at = rows.indexOf(document.activeElement);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1, PageDown: Math.min(rows.length - 1, at + 10), PageUp: Math.max(0, at - 10) }[event.key];
      if (to === undefined || !rows[to]) return;
      event.preventDefault();
      rows[at].tabIndex = -1;
      rows[to].tabIndex = 0;
      rows[to].focus();
    });
    text.addEventListener("input", () => ((view.text = text.value), paint()));
    filter.addEventListener("change", () => ((view.filter = filter.value), paint()));

    // What goes on behind it is shown, but not many times a second.
    let timer = 0;
    const off = store.on(() => {
      clearTimeout(timer);
      timer = setTimeout(() => dialog.open && paint(), 300);
    });
    dialog.addEventListener("close", () => (off(), clearTimeout(timer), dialog.remove()));
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    el("dialogs").replaceChildren(dialog);
    paint();
    dialog.showModal();
    (body.querySelector('[tabindex="0"]') ?? text).focus();
  }

  el("table-button").addEventListener("click", open);
  return { keys: { t: open, n: () => void next() } };
}
