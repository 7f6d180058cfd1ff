/** The film strip: every picture with its state and score. */

import { el, make, setText, twoDigits } from "./dom.js";
import { isStale } from "./results.js";

const STATES = { reading: "reading", ready: "new", waiting: "waiting", working: "working", done: "", error: "not readable" };

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
    const name = make("span", { class: "strip-name" });
    const note = make("span", { class: "strip-note" });
    const button = make("button", { type: "button", class: "strip-pick", onclick: () => images.select(item.id) }, thumb, make("span", { class: "strip-text" }, name, note));
    const remove = make("button", { type: "button", class: "icon-button strip-remove", "aria-label": `Remove ${item.name}`, title: "Remove from the list", text: "×", onclick: () => images.remove(item.id) });
    const node = make("li", { class: "strip-item", "data-testid": "strip-item" }, button, remove);
    return { node, thumb, name, note, button };
  }

  store.on(() => {
    for (const [id, parts] of rows) {
      if (state.images.some((item) => item.id === id)) continue;
      parts.node.remove();
      rows.delete(id);
    }
    for (const item of state.images) {
      let parts = rows.get(item.id);
      if (!parts) {
        parts = row(item);
        rows.set(item.id, parts);
        list.append(parts.node);
      }
      paint(item, parts);
    }
  });

  function paint(item, parts) {
    const stale = isStale(state, item);
    const busy = item.status === "waiting" || item.status === "working";
    parts.node.dataset.state = item.status;
    parts.node.classList.toggle("stale", stale);
    if (item.thumb && parts.thumb.firstChild !== item.thumb) parts.thumb.replaceChildren(item.thumb);
    setText(parts.name, item.name.replace(/\.\w{2,5}$/, ""));
    parts.button.title = item.name;
    setText(parts.note, item.result && !busy ? `${twoDigits(item.result.score)}${stale ? ", older settings" : ""}` : STATES[item.status]);
    const current = item.id === state.currentId;
    if (parts.button.getAttribute("aria-current") === String(current)) return;
    parts.button.setAttribute("aria-current", String(current));
    if (current) parts.node.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}
