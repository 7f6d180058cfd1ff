/** The film strip: every image with its number, state and score, those of a folder under its name. */

import { el, make, sentence, setText, twoDigits } from "./dom.js";
import { folderOf, withoutEnding } from "./names.js";
import { isStale } from "./results.js";
import { readScore } from "./reading.js";
import { isRead } from "./triage.js";

const STATES = { reading: "opening", ready: "new", waiting: "waiting", working: "working", done: "", error: "not readable" };
/** Above images that were opened without a folder, where others have one. */
const NO_FOLDER = "Single images";

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 */
export function mountStrip(store, images) {
  const { state } = store;
  const list = el("strip-list");
  /** @type {Map<number, any>} */
  const rows = new Map();

  /** @param {import("./types.d.ts").ImageItem} item */
  function row(item) {
    const thumb = make("span", { class: "strip-thumb" });
    const name = make("span", { class: "strip-name" }, make("span", { class: "strip-number", text: String(item.id) }), ` ${withoutEnding(item.name)}`);
    const note = make("span", { class: "strip-note" });
    const doubt = make("span", { class: "strip-doubt" });
    const button = make("button", { type: "button", class: "strip-pick", onclick: () => images.select(item.id) }, thumb, make("span", { class: "strip-text" }, name, note, doubt));
    const remove = make("button", { type: "button", class: "icon-button strip-remove", "aria-label": `Remove ${item.name}`, title: "Remove from the list", text: "×", onclick: () => images.remove(item.id) });
    const node = make("li", { class: "strip-item", "data-testid": "strip-item" }, button, remove);
    return { node, thumb, note, doubt, button };
  }

  /** Names of folders, above the first image of each. @type {Map<number, HTMLElement>} id of that image -> line */
  const folders = new Map();

  /** The lines of the list in order. @returns {HTMLElement[]} */
  function lines() {
    const some = state.images.some((item) => item.path.includes("/"));
    const wanted = [];
    let last = /** @type {string | null} */ (null);
    const used = new Set();
    for (const item of state.images) {
      const folder = folderOf(item.path);
      if (some && folder !== last) {
        used.add(item.id);
        const line = folders.get(item.id) ?? folderLine(folder);
        folders.set(item.id, line);
        wanted.push(line);
      }
      last = folder;
      wanted.push(rows.get(item.id).node);
    }
    for (const [id, line] of folders) if (!used.has(id)) folders.delete(id), line.remove();
    return wanted;
  }

  store.on(() => {
    for (const [id, parts] of rows) {
      if (state.images.some((item) => item.id === id)) continue;
      parts.node.remove();
      rows.delete(id);
    }
    for (const item of state.images) {
      if (!rows.has(item.id)) rows.set(item.id, row(item));
    }
    // Only what is out of place moves: a line that is taken out and put back loses the focus.
    lines().forEach((line, at) => list.children[at] !== line && list.insertBefore(line, list.children[at] ?? null));
    for (const item of state.images) paint(item, rows.get(item.id));
  });

  function paint(item, parts) {
    const stale = isStale(state, item);
    const busy = item.status === "waiting" || item.status === "working";
    parts.node.dataset.state = item.status;
    parts.node.classList.toggle("stale", stale);
    parts.node.classList.toggle("unread", Boolean(item.result) && !isRead(item));
    if (item.thumb && parts.thumb.firstChild !== item.thumb) parts.thumb.replaceChildren(item.thumb);
    parts.button.title = [item.path, item.status === "error" ? sentence(item.message) : ""].filter(Boolean).join("\n");
    const { note, doubt } = item.result && !busy ? outcome(item, stale)
      : { note: item.status === "error" ? `not readable: ${item.message}` : STATES[item.status], doubt: "" };
    setText(parts.note, note);
    setText(parts.doubt, doubt);
    const current = item.id === state.currentId;
    if (parts.button.getAttribute("aria-current") === String(current)) return;
    parts.button.setAttribute("aria-current", String(current));
    if (current) parts.node.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** What a result comes to in a word, and why not to trust it. @param {import("./types.d.ts").ImageItem} item @param {boolean} stale */
  function outcome(item, stale) {
    const { score, warnings } = readScore(state, item);
    return {
      note: score !== null ? twoDigits(score) : warnings.some(({ code }) => code !== "note") ? "no score" : "map only",
      doubt: [warnings[0]?.short ?? "", stale ? "older settings" : ""].filter(Boolean).join(", "),
    };
  }
}

/** @param {string} folder */
function folderLine(folder) {
  const parts = folder.split("/");
  const name = parts.pop() || NO_FOLDER;
  return make("li", { class: "strip-folder", "data-testid": "strip-folder", title: folder },
    ...(parts.length > 0 ? [make("span", { class: "strip-parents", text: `${parts.join(" / ")} /` }), " "] : []), make("span", { text: name }));
}
