/** The normal images: thumbnails, adding, taking out, putting back. */

import { countOf, el, make, setText } from "./dom.js";

/** Only the latest change of the list can be taken back. */
export const UNDO_MATTER = "normal images taken out";

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./messages.js").createMessages>} messages
 * @param {ReturnType<typeof import("./supportset.js").createSupportSet>} support
 * @param {(files: {blob: Blob, name: string, path: string}[]) => void} addFiles
 */
export function mountSupport(store, messages, support, addFiles) {
  const { state } = store;
  const list = el("support-list");
  const adder = list.lastElementChild;
  /** @type {Map<number, any>} */
  const tiles = new Map();

  const input = el("support-input");
  input.addEventListener("change", () => {
    addFiles([...input.files].map((file) => ({ blob: file, name: file.name, path: file.name })));
    input.value = "";
  });
  el("support-clear").addEventListener("click", () => {
    const taken = support.clear();
    // What was added meanwhile stays.
    const putBack = () => support.replace([...taken, ...state.support.filter((item) => !taken.includes(item))]);
    messages.offer(`${countOf(taken.length, "normal image")} removed.`, { label: "Undo", run: putBack }, UNDO_MATTER);
    input.focus();
  });

  store.on(() => {
    for (const [id, tile] of tiles) {
      if (state.support.some((item) => item.id === id)) continue;
      tile.remove();
      tiles.delete(id);
    }
    for (const item of state.support) {
      let tile = tiles.get(item.id);
      if (!tile) {
        tile = make("li", { class: "tile", "data-testid": "support-item", title: item.name });
        tile.append(make("button", { type: "button", class: "tile-remove", "aria-label": `Remove normal image ${item.name}`, text: "×", onclick: () => support.remove(item.id) }));
        tiles.set(item.id, tile);
        list.insertBefore(tile, adder);
      }
      tile.dataset.state = item.session ? "ready" : "reading";
      if (item.thumb && tile.firstChild !== item.thumb) tile.prepend(item.thumb);
      tile.classList.toggle("remembered", Boolean(item.remembered));
      tile.title = [item.remembered ? `${item.name}, remembered without its picture` : item.name, ...item.warnings.map(({ short }) => short), ...item.notes.map(({ text }) => text)].join("\n");
    }
    const count = state.support.length;
    setText(el("support-title"), count ? `Normal images (${count})` : "Normal images");
    el("support-clear").hidden = count === 0;
    el("support").classList.toggle("unused", state.settings.mode !== "few");
    const hint = state.settings.mode === "zero" ? "Not used when comparing with words."
      : state.settings.mode === "self" ? "Not used when comparing left with right."
      : count === 0 ? "Images of the same organ, view and scanner with nothing unusual in them. Four or more are good."
      : doubtful(state.support) ? doubtful(state.support)
      : count < 4 ? `${countOf(count, "image")}. Four or more give a better range.`
      : "Best from the same view and scanner.";
    setText(el("support-hint"), hint);
  });
}

/** What is wrong with a normal image by itself, else what is to be known about how one was read, or "". @param {import("./types.d.ts").SupportItem[]} normals */
function doubtful(normals) {
  const found = normals.find(({ warnings }) => warnings.length > 0);
  if (found) return `${found.name}: ${found.warnings.map(({ short }) => short).join(", ")}. Leave it out if it is no normal image.`;
  const read = normals.find(({ notes }) => notes.length > 0);
  return read ? `${read.name}: ${read.notes.map(({ text }) => text).join("; ")}.` : "";
}
