/** The normal images' own scores, the highest first, so that one that does not belong among them is seen and left out. */

import { el, make, twoDigits } from "./dom.js";
import { isStale, normalScores } from "./results.js";
import { currentImage } from "./store.js";
import { UNDO_MATTER } from "./support.js";

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./messages.js").createMessages>} messages
 * @param {ReturnType<typeof import("./supportset.js").createSupportSet>} support
 */
export function mountSupportScores(store, messages, support) {
  const { state } = store;
  const list = el("support-scores-list");
  let shown = "";

  /** @param {import("./types.d.ts").SupportItem} item */
  function leaveOut(item) {
    const before = [...state.support];
    support.remove(item.id);
    // What was added or taken out meanwhile stays so.
    const putBack = () => support.replace(before.filter((other) => other === item || state.support.includes(other))
      .concat(state.support.filter((other) => !before.includes(other))));
    messages.offer(`${item.name} is left out. Analyse again.`, { label: "Undo", run: putBack }, UNDO_MATTER);
    el("analyse").focus();
  }

  store.on(() => {
    const item = currentImage(state);
    const rows = item?.result && state.settings.mode === "few" && !isStale(state, item) ? normalScores(state, item) : [];
    el("support-scores").hidden = rows.length === 0;
    const key = rows.map(({ item: { id }, score }) => `${id} ${score}`).join();
    if (key === shown) return;
    shown = key;
    list.replaceChildren(...rows.map(({ item: normal, score, unlike }) => {
      const doubt = [unlike ? "unlike the others" : "", ...normal.warnings.map(({ short }) => short)].filter(Boolean).join(", ");
      const picture = document.createElement("canvas");
      if (normal.thumb) {
        picture.width = picture.height = normal.thumb.width;
        picture.getContext("2d")?.drawImage(normal.thumb, 0, 0);
      }
      const row = make("li", { "data-testid": "support-score", title: normal.name });
      const name = make("span", { class: "support-score-name", text: normal.name });
      const value = make("span", { class: "support-score-value", text: twoDigits(score) });
      const button = make("button", { type: "button", class: "link-button", "aria-label": `Leave out ${normal.name}`, text: "Leave out", onclick: () => leaveOut(normal) });
      row.append(picture, name, value, button);
      if (doubt) row.append(make("span", { class: "support-score-doubt", text: doubt }));
      return row;
    }));
  });
}
