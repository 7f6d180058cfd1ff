/** The film strip: every image with its number, state and score, those of a folder under its name; of a stack one line. */

import { createPauses, el, make, sentence, setText, twoDigits } from "./dom.js";
import { listed } from "./images.js";
import { kindOf } from "./kinds.js";
import { folderOf, withoutEnding } from "./names.js";
import { isStale } from "./results.js";
import { readScore } from "./reading.js";
import { analysedSlices } from "./stacks.js";
import { t } from "./texts.js";
import { isRead } from "./triage.js";

/** @type {Partial<Record<import("./types.d.ts").ImageItem["status"], import("./texts.js").Key>>} */
const STATES = { reading: "strip.reading", ready: "strip.new", waiting: "strip.waiting", working: "strip.working" };
/** A thousand rows made at once hold the page. */
const ROWS_AT_ONCE = 80;

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 * @param {ReturnType<typeof import("./stacks.js").createStacks>} stacks
 */
export function mountStrip(store, images, stacks) {
  const { state } = store;
  const list = el("strip-list");
  /** By image or stack. @type {Map<number | string, any>} */
  const rows = new Map();
  const keyOf = (/** @type {import("./types.d.ts").ImageItem} */ item) => item.stack ?? item.id;
  /** Rows in sight, or nearly. @type {Set<number | string>} */
  const inSight = new Set();
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const key = keys.get(target);
      if (key === undefined) continue;
      if (!isIntersecting) {
        inSight.delete(key);
        continue;
      }
      inSight.add(key);
      const item = listed(state).find((one) => keyOf(one) === key);
      if (item) void images.showThumb(item);
    }
  }, { root: list, rootMargin: "100%" });
  /** @type {WeakMap<Element, number | string>} */
  const keys = new WeakMap();
  images.inSight((item) => {
    const stack = stacks.of(item);
    return inSight.has(keyOf(item)) && (!stack || item.slice?.index === stack.wanted);
  });

  /** @param {import("./types.d.ts").ImageItem} item */
  function row(item) {
    const thumb = make("span", { class: "strip-thumb" });
    const stack = stacks.of(item);
    const called = stack?.series.name ?? item.name;
    const pick = () => images.select((stack ? stacks.shown(stack) : item).id);
    const name = make("span", { class: "strip-name" }, make("span", { class: "strip-number", text: String(item.number) }), ` ${withoutEnding(called)}`);
    const note = make("span", { class: "strip-note" });
    const doubt = make("span", { class: "strip-doubt" });
    // Names of medical files are often the same everywhere.
    const kind = item.series && !item.series.isPicture ? [make("span", { class: "strip-kind", "data-testid": "strip-kind", text: kindOf(item.series) })] : [];
    const button = make("button", { type: "button", class: "strip-pick", onclick: pick }, thumb, make("span", { class: "strip-text" }, name, note, doubt, ...kind));
    const remove = make("button", { type: "button", class: "icon-button strip-remove", "aria-label": t("strip.removeName", { name: called }), title: t("strip.remove"), text: "×", onclick: () => (stack ? stacks.remove(stack) : images.remove(item.id)) });
    const node = make("li", { class: "strip-item", "data-testid": "strip-item" }, button, remove);
    return { node, thumb, note, doubt, button };
  }

  /** Names of folders, above the first image of each. @type {Map<number | string, HTMLElement>} key of that row -> line */
  const folders = new Map();

  /** The lines of the list in order. @param {import("./types.d.ts").ImageItem[]} shown @returns {HTMLElement[]} */
  function lines(shown) {
    const some = state.images.some((item) => item.path.includes("/"));
    const wanted = [];
    let last = /** @type {string | null} */ (null);
    const used = new Set();
    for (const item of shown) {
      const folder = folderOf(item.path);
      const key = keyOf(item);
      if (some && folder !== last) {
        used.add(key);
        const line = folders.get(key) ?? folderLine(folder);
        folders.set(key, line);
        wanted.push(line);
      }
      last = folder;
      wanted.push(rows.get(key).node);
    }
    for (const [id, line] of folders) if (!used.has(id)) folders.delete(id), line.remove();
    return wanted;
  }

  store.on(() => {
    const shown = listed(state);
    const wanted = new Set(shown.map(keyOf));
    for (const [key, parts] of rows) {
      if (wanted.has(key)) continue;
      parts.node.remove();
      watcher.unobserve(parts.node);
      inSight.delete(key);
      rows.delete(key);
    }
    const fresh = shown.filter((item) => !rows.has(keyOf(item)));
    for (const item of fresh.slice(0, ROWS_AT_ONCE)) {
      const parts = row(item);
      rows.set(keyOf(item), parts);
      keys.set(parts.node, keyOf(item));
      watcher.observe(parts.node);
    }
    // Only what is out of place moves: a line that is taken out and put back loses the focus.
    const present = fresh.length > ROWS_AT_ONCE ? shown.filter((item) => rows.has(keyOf(item))) : shown;
    lines(present).forEach((line, at) => list.children[at] !== line && list.insertBefore(line, list.children[at] ?? null));
    for (const item of present) paint(item, rows.get(keyOf(item)));
    // The others come with the next repaint.
    if (present !== shown) void createPauses().pause().then(store.changed);
  });

  function paint(item, parts) {
    const stale = isStale(state, item);
    const busy = item.status === "waiting" || item.status === "working";
    parts.node.dataset.state = item.status;
    parts.node.classList.toggle("stale", stale);
    parts.node.classList.toggle("unread", Boolean(item.result) && !isRead(item));
    // Of a stack the slice before stays until there is another.
    if (item.thumb ? parts.thumb.firstChild !== item.thumb : !item.stack && parts.thumb.firstChild) parts.thumb.replaceChildren(...(item.thumb ? [item.thumb] : []));
    parts.button.title = [item.path, item.status === "error" ? sentence(item.message) : ""].filter(Boolean).join("\n");
    const stack = stacks.of(item);
    if (stack) parts.node.dataset.slices = String(stack.series.axes[stack.axis]?.frames);
    const { note, doubt } = stack ? ofStack(item, stack)
      : item.result && !busy ? outcome(item, stale)
      : { note: item.status === "error" ? t("strip.unreadable", { reason: item.message }) : stateWords(item.status), doubt: "" };
    setText(parts.note, note);
    setText(parts.doubt, doubt);
    const current = item.id === state.currentId;
    if (parts.button.getAttribute("aria-current") === String(current)) return;
    parts.button.setAttribute("aria-current", String(current));
    if (current) parts.node.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** @param {import("./types.d.ts").ImageItem} item @param {import("./types.d.ts").Stack} stack */
  function ofStack(item, stack) {
    const done = analysedSlices(state, item);
    const scores = done.flatMap((one) => readScore(state, one).score ?? []);
    const highest = scores.length > 0 ? t("strip.highest", { score: twoDigits(Math.max(...scores)) }) : "";
    const frames = stack.series.axes[stack.axis]?.frames ?? 1;
    return {
      note: highest || t("strip.slices", { count: frames }),
      doubt: [done.length > 0 ? t("strip.slicesOf", { done: done.length, count: frames }) : "", done.some((one) => isStale(state, one)) ? t("strip.older") : ""].filter(Boolean).join(", "),
    };
  }

  /** What a result comes to in a word, and why not to trust it. @param {import("./types.d.ts").ImageItem} item @param {boolean} stale */
  function outcome(item, stale) {
    const { score, warnings } = readScore(state, item);
    return {
      note: score !== null ? twoDigits(score) : warnings.some(({ code }) => code !== "note") ? t("strip.noScore") : t("strip.mapOnly"),
      doubt: [warnings[0]?.short ?? "", stale ? t("strip.older") : ""].filter(Boolean).join(", "),
    };
  }
}

/** @param {import("./types.d.ts").ImageItem["status"]} status */
function stateWords(status) {
  const key = STATES[status];
  return key ? t(key) : "";
}

/** @param {string} folder */
function folderLine(folder) {
  const parts = folder.split("/");
  // Above images that were opened without a folder, where others have one.
  const name = parts.pop() || t("strip.noFolder");
  return make("li", { class: "strip-folder", "data-testid": "strip-folder", title: folder },
    ...(parts.length > 0 ? [make("span", { class: "strip-parents", text: `${parts.join(" / ")} /` }), " "] : []), make("span", { text: name }));
}
