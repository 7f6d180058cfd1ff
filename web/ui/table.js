/**
 * All images as a table, for reading many: sorted, filtered, by keyboard alone, saved as CSV. An image that has been in view
 * with its result counts as seen. Only the rows in sight are made.
 */

import { clamp, el, make, setHidden, setText, twoDigits } from "./dom.js";
import { shownName } from "./labels.js";
import { areaWords } from "./measure.js";
import { folderOf } from "./names.js";
import { download } from "./save.js";
import { currentImage } from "./store.js";
import { numeral, t } from "./texts.js";
import { FILTERS, areaOf, csvOf, filtered, hasSeries, isRead, markRead, nextUnread, rowOf, sorted } from "./triage.js";

/** @type {[import("./triage.js").Column, import("./texts.js").Key][]} */
const COLUMNS = [["name", "table.image"], ["series", "table.series"], ["slice", "table.slice"], ["position", "table.position"], ["score", "table.score"], ["reading", "table.reading"], ["area", "table.area"], ["state", "table.state"]];
/** Numbers that are looked at from the highest on, and all numbers. */
const FALLING = ["score", "area"];
const NUMBERS = [...FALLING, "slice", "position"];
/** Shown where any image is of a series. */
const OF_SERIES = ["series", "slice", "position"];
/** Height of a row, as the style sheet has it, and rows made beyond those in sight. */
const ROW_PX = 44;
const SPARE = 8;
const PAGE = 10;
/** The page's thread is given back after so long. */
const SLICE_MS = 12;
/** What goes on behind the table is shown no oftener. */
const REPAINT_MS = 300;

/** Kept while the page is open. @type {{column: import("./triage.js").Column | null, isFalling: boolean, text: string, filter: string}} */
const view = { column: null, isFalling: false, text: "", filter: "all" };

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 * @param {ReturnType<typeof import("./messages.js").createMessages>} messages
 */
export function mountTable(store, images, messages) {
  const { state } = store;

  store.on(() => {
    const item = currentImage(state);
    setHidden(el("table-button"), state.images.length < 2);
    if (!item || isRead(item) || document.hidden || !(item.bitmap || item.status === "error")) return;
    markRead(item);
    store.changed();
  });

  function next() {
    const item = nextUnread(state, view);
    if (item) images.select(item.id);
    return item;
  }

  /** Says it where a filter that is out of sight is the reason for going nowhere. */
  function nextByKey() {
    if (next()) return messages.settle(FILTERED);
    const hidden = hiddenUnread(state);
    if (hidden > 0) messages.notice(t("table.noneShown", { count: hidden }), { label: t("table.showAll"), run: () => (Object.assign(view, { text: "", filter: "all" }), void next()) }, FILTERED);
  }

  function open() {
    if (state.images.length > 0 && !document.querySelector("dialog[open]")) openTable(store, images, next);
  }

  el("table-button").addEventListener("click", open);
  return { keys: { t: open, n: nextByKey } };
}

/** What the message about the filter is about. */
const FILTERED = "table-filter";

/** Images not seen yet that the table's filter leaves out. @param {import("./types.d.ts").State} state */
function hiddenUnread(state) {
  return nextUnread(state, view) ? 0 : state.images.filter((item) => item.status !== "error" && !isRead(item)).length;
}

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 * @param {() => import("./types.d.ts").ImageItem | null} next goes to the next image that was not seen
 */
function openTable(store, images, next) {
  const { state } = store;
  /** In their order, of which those in sight are made. @type {import("./triage.js").Row[]} */
  let rows = [];
  /** The row that Tab leads to. */
  let at = 0;

  const text = make("input", { type: "search", "data-testid": "table-text", "aria-label": t("table.filterText"), placeholder: t("table.filterHint"), value: view.text });
  const filter = make("select", { "data-testid": "table-filter", "aria-label": t("table.filterState") }, ...Object.entries(FILTERS).map(([value, { name }]) => make("option", { value, text: t(name) })));
  filter.value = view.filter;
  const count = make("p", { class: "hint", role: "status", "data-testid": "table-count" });
  const nextButton = make("button", { type: "button", "data-testid": "table-next", title: t("table.nextTitle"), text: t("table.next"), onclick: () => (next() ? dialog.close() : setText(count, hiddenUnread(state) > 0 ? t("table.noneShown", { count: hiddenUnread(state) }) : t("table.allSeen"))) });
  const csvButton = make("button", { type: "button", "data-testid": "table-csv", text: t("table.csv"), onclick: async () => {
    await findAreas();
    download(new Blob([csvOf(state, rows, el("report-names").checked)], { type: "text/csv" }), "images.csv");
  } });
  const heads = COLUMNS.map(([column, name]) => make("th", { scope: "col", "data-column": column, class: NUMBERS.includes(column) ? "number" : null }, make("button", { type: "button", text: t(name), onclick: () => sortBy(column) })));
  const [above, below] = [0, 1].map(() => make("tr", { "aria-hidden": "true" }, make("td", { class: "spacer", colspan: COLUMNS.length })));
  const body = make("tbody", {});
  const more = make("p", { class: "hint table-more", "data-testid": "table-more", text: t("table.more") });
  const table = make("table", { class: "triage", "data-testid": "table" }, make("thead", {}, make("tr", {}, ...heads)), body);
  const scroll = make("div", { class: "table-scroll" }, table);
  const dialog = make("dialog", { class: "dialog wide", "aria-labelledby": "dialog-title" },
    make("div", { class: "dialog-head" }, make("h2", { id: "dialog-title", text: t("table.title") }), make("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), text: "×", onclick: () => dialog.close() })),
    make("div", { class: "dialog-body" }, make("div", { class: "table-tools" }, text, filter, nextButton, csvButton), count, more, scroll,
      make("p", { class: "hint", text: t("table.hint") })));

  /** Looks for the places of all images, a few at a time: sorting and saving need them all. */
  async function findAreas() {
    let begun = performance.now();
    for (const item of [...state.images]) {
      areaOf(state, item);
      if (performance.now() - begun < SLICE_MS) continue;
      await new Promise((resolve) => setTimeout(resolve));
      begun = performance.now();
    }
  }

  /** @param {import("./triage.js").Column} column */
  async function sortBy(column) {
    const again = view.column === column;
    // A third press takes the order of the list.
    if (again && view.isFalling !== FALLING.includes(column)) view.column = null;
    else Object.assign(view, { column, isFalling: again ? !view.isFalling : FALLING.includes(column) });
    await paint();
    scroll.scrollTop = 0;
  }

  /** All anew: rows, their order, what stands above them. */
  async function paint() {
    if (view.column === "area") await findAreas();
    const keptId = rows[at]?.item.id ?? state.currentId;
    const all = state.images.map((item) => rowOf(state, item));
    rows = filtered(sorted(state, all, view.column, view.isFalling), view);
    const ofSeries = hasSeries(state.images);
    table.classList.toggle("of-series", ofSeries);
    for (const head of heads) if (OF_SERIES.includes(head.dataset.column)) setHidden(head, !ofSeries);
    at = Math.max(0, rows.findIndex(({ item }) => item.id === keptId));
    for (const head of heads) {
      const isMine = head.dataset.column === view.column;
      head.setAttribute("aria-sort", isMine ? (view.isFalling ? "descending" : "ascending") : "none");
      const name = COLUMNS.find(([column]) => column === head.dataset.column)?.[1];
      head.firstChild.replaceChildren(name ? t(name) : "", ...(isMine ? [make("span", { "aria-hidden": "true", text: view.isFalling ? " ▾" : " ▴" })] : []));
    }
    table.setAttribute("aria-rowcount", String(rows.length + 1));
    const unread = rows.filter((row) => !row.isRead).length;
    setText(count, rows.length === all.length ? t("table.count", { count: all.length, unread }) : t("table.countOf", { shown: rows.length, count: all.length, unread }));
    fill();
  }

  /** Makes the rows in sight, and the one that Tab leads to. */
  function fill() {
    const hadFocus = body.contains(document.activeElement);
    const tall = scroll.clientHeight || 10 * ROW_PX;
    const top = scroll.scrollTop;
    const first = clamp(Math.floor(top / ROW_PX) - SPARE, 0, Math.max(0, rows.length - 1));
    const last = Math.min(rows.length, Math.ceil((top + tall) / ROW_PX) + SPARE);
    // A row out of sight that has the focus stays, so that the focus is not lost.
    const [from, to] = hadFocus ? [Math.min(first, Math.max(at, first - 3 * PAGE)), Math.max(last, Math.min(at + 1, last + 3 * PAGE))] : [first, last];
    above.firstChild.style.height = `${from * ROW_PX}px`;
    below.firstChild.style.height = `${(rows.length - to) * ROW_PX}px`;
    const stop = at >= from && at < to ? at : clamp(first + SPARE, from, to - 1);
    body.replaceChildren(...(from > 0 ? [above] : []), ...rows.slice(from, to).map((row, n) => line(row, from + n, from + n === stop)), ...(to < rows.length ? [below] : []));
    // While its rows are exchanged the table is short for a moment, and browsers scroll it back.
    scroll.scrollTop = top;
    tellMore();
    if (hadFocus) body.querySelector('[tabindex="0"]')?.focus({ preventScroll: true });
  }

  /** Says, and shows at the edge, that columns lie out of sight. */
  function tellMore() {
    const beyond = scroll.scrollWidth - scroll.clientWidth;
    setHidden(more, beyond < 2);
    scroll.classList.toggle("more", beyond - Math.abs(scroll.scrollLeft) > 2);
  }

  /** @param {import("./triage.js").Row} row @param {number} index @param {boolean} isStop */
  function line({ item, name, series, slice, position, score, reading, state: about, isRead: seen }, index, isStop) {
    const area = areaOf(state, item);
    const size = area ? [areaWords(area.areaPx, false), area.areaMm2 === null ? "" : areaWords(area.areaMm2, true)].filter(Boolean).join(",\n") : "";
    const folder = folderOf(name);
    const ofSeries = table.classList.contains("of-series");
    const called = shownName(item, item.name);
    // The slice has a column of its own; who hears the name hears it whole.
    const short = item.slice && item.series && called.startsWith(item.series.name) ? item.series.name : called;
    const pick = make("button", { type: "button", tabindex: isStop ? 0 : -1, title: name, onclick: () => show(item.id) }, `${item.number} `, make("span", {}, short, ...(short === called ? [] : [make("span", { class: "visually-hidden", text: called.slice(short.length) })])),
      ...(seen ? [] : [make("span", { class: "visually-hidden", text: t("table.unseen") })]), ...(folder ? [make("small", { text: folder })] : []));
    const cell = (/** @type {string} */ words, /** @type {string | null} */ kind = null) => make("td", { class: kind, title: words || null }, make("div", { text: words }));
    return make("tr", { "data-testid": "table-row", "data-id": item.id, "data-index": index, "aria-rowindex": index + 2, "data-state": item.status, class: seen ? null : "unread", "aria-current": item.id === state.currentId ? "true" : null },
      make("td", {}, pick), ...(ofSeries ? [cell(series), cell(slice === null ? "" : numeral(slice), "number"), cell(position === null ? "" : numeral(position, 1), "number")] : []), cell(score === null ? "" : twoDigits(score), "number"), cell(reading), cell(size, "number"), cell(about, "state"));
  }

  /** @param {number} id */
  function show(id) {
    images.select(id);
    dialog.close();
    el("viewer").focus({ preventScroll: true });
  }

  body.addEventListener("keydown", (event) => {
    const now = Number(document.activeElement?.closest("tr")?.dataset.index);
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: rows.length - 1, PageDown: now + PAGE, PageUp: now - PAGE }[event.key];
    if (to === undefined || !Number.isFinite(to)) return;
    event.preventDefault();
    at = clamp(to, 0, rows.length - 1);
    const head = table.tHead.offsetHeight;
    // The row comes into sight below the heads, which stay.
    scroll.scrollTop = clamp(scroll.scrollTop, head + (at + 1) * ROW_PX - scroll.clientHeight, at * ROW_PX);
    fill();
    body.querySelector('[tabindex="0"]')?.focus({ preventScroll: true });
  });
  body.addEventListener("focusin", ({ target }) => {
    const index = Number(target.closest("tr")?.dataset.index);
    if (Number.isFinite(index)) at = index;
  });
  text.addEventListener("input", () => ((view.text = text.value), void paint()));
  filter.addEventListener("change", () => ((view.filter = filter.value), void paint()));
  let filling = 0;
  scroll.addEventListener("scroll", () => {
    tellMore();
    cancelAnimationFrame(filling);
    filling = requestAnimationFrame(fill);
  });

  let timer = 0;
  const off = store.on(() => {
    if (timer) return;
    timer = setTimeout(() => {
      timer = 0;
      if (dialog.open) void paint();
    }, REPAINT_MS);
  });
  const watcher = new ResizeObserver(tellMore);
  watcher.observe(scroll);
  dialog.addEventListener("close", () => {
    off();
    watcher.disconnect();
    clearTimeout(timer);
    dialog.remove();
  });
  dialog.addEventListener("click", (/** @type {Event} */ event) => event.target === dialog && dialog.close());
  el("dialogs").replaceChildren(dialog);
  dialog.showModal();
  void paint().then(() => {
    scroll.scrollTop = Math.max(0, at * ROW_PX - scroll.clientHeight / 2);
    fill();
    (body.querySelector('[tabindex="0"]') ?? text).focus({ preventScroll: true });
  });
}
