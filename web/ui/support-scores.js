/** The normal images' own scores, the highest first, so that one that does not belong among them is seen and left out. */

import { el, make, twoDigits } from "./dom.js";
import { shownName } from "./labels.js";
import { isStale, normalScores } from "./results.js";
import { currentImage } from "./store.js";
import { UNDO_MATTER } from "./support.js";
import { t } from "./texts.js";

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
    messages.offer(t("support.leftOut", { name: shownName(item, item.name) }), { label: t("common.undo"), run: putBack }, UNDO_MATTER);
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
      const doubt = [unlike ? t("support.unlike") : "", ...normal.warnings.map(({ short }) => short)].filter(Boolean).join(", ");
      const picture = document.createElement("canvas");
      if (normal.thumb) {
        picture.width = picture.height = normal.thumb.width;
        picture.getContext("2d")?.drawImage(normal.thumb, 0, 0);
      }
      const row = make("li", { "data-testid": "support-score", title: shownName(normal, normal.name) });
      const name = make("span", { class: "support-score-name", text: shownName(normal, normal.name) });
      const value = make("span", { class: "support-score-value", text: twoDigits(score) });
      const button = make("button", { type: "button", class: "link-button", "aria-label": t("support.leaveOutName", { name: shownName(normal, normal.name) }), text: t("support.leaveOut"), onclick: () => leaveOut(normal) });
      row.append(picture, name, value, button);
      if (doubt) row.append(make("span", { class: "support-score-doubt", text: doubt }));
      return row;
    }));
  });
}
