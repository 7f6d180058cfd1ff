/** The normal images: thumbnails, adding, taking out, putting back. */

import { el, make, setText } from "./dom.js";
import { shownName } from "./labels.js";
import { windowFor } from "./results.js";
import { t } from "./texts.js";

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
    messages.offer(t("support.removed", { count: taken.length }), { label: t("common.undo"), run: putBack }, UNDO_MATTER);
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
        tile = make("li", { class: "tile", "data-testid": "support-item", title: shownName(item, item.name) });
        tile.append(make("button", { type: "button", class: "tile-remove", "aria-label": t("support.remove", { name: shownName(item, item.name) }), text: "×", onclick: () => support.remove(item.id) }));
        tiles.set(item.id, tile);
        list.insertBefore(tile, adder);
      }
      tile.dataset.state = item.session ? "ready" : "reading";
      if (item.thumb && tile.firstChild !== item.thumb) tile.prepend(item.thumb);
      tile.classList.toggle("remembered", Boolean(item.remembered));
      tile.title = [item.remembered ? t("support.remembered", { name: item.name }) : shownName(item, item.name), ...item.warnings.map(({ short }) => short), ...item.notes.map(({ text }) => text)].join("\n");
    }
    const count = state.support.length;
    setText(el("support-title"), count ? t("support.titleCount", { count }) : t("support.title"));
    el("support-clear").hidden = count === 0;
    el("support").classList.toggle("unused", state.settings.mode !== "few");
    const hint = state.settings.mode === "zero" ? t("support.unusedWords")
      : state.settings.mode === "self" ? t("support.unusedSides")
      : state.settings.mode === "batch" ? t("support.unusedBatch")
      : count === 0 ? t("support.hint")
      : otherWindow(state) ? t("support.otherWindow", { count: otherWindow(state) })
      : doubtful(state.support) ? doubtful(state.support)
      : count < 4 ? t("support.few", { count })
      : t("support.best");
    setText(el("support-hint"), hint);
  });
}

/** How many normal images without their pictures the model saw through another window than is set now. @param {import("./types.d.ts").State} state */
function otherWindow(state) {
  const now = windowFor(state);
  return state.support.filter(({ remembered }) => remembered?.window && remembered.window !== now).length;
}

/** What is wrong with a normal image by itself, else what is to be known about how one was read, or "". @param {import("./types.d.ts").SupportItem[]} normals */
function doubtful(normals) {
  const found = normals.find(({ warnings }) => warnings.length > 0);
  if (found) return t("support.doubtful", { name: shownName(found, found.name), reasons: found.warnings.map(({ short }) => short).join(", ") });
  const read = normals.find(({ notes }) => notes.length > 0);
  return read ? `${shownName(read, read.name)}: ${read.notes.map(({ text }) => text).join("; ")}.` : "";
}
