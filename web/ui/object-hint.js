/**
 * What the file in view says about the choice of the object: which one fits, and that the chosen one was not made for such
 * files. Nobody's choice is changed; only where nothing was chosen and nothing analysed yet the fitting one is set, and said.
 */

import { el, make, sentence, setHidden, setText } from "./dom.js";
import { mismatch, shows, suggested } from "./hints.js";
import { currentImage } from "./store.js";
import { t } from "./texts.js";

/** @param {ReturnType<typeof import("./store.js").createStore>} store */
export function mountObjectHint(store) {
  const { state } = store;
  const select = el("object-select");
  const buttons = el("object-hint-buttons");
  /** The object that was set because of what a file says. */
  let set = "";
  let offered = "";

  /** @param {string} id */
  const nameOf = (id) => state.info?.objects.find((object) => object.id === id)?.name ?? id;
  /** Whether nobody would be surprised by another object. */
  const isFree = () => !state.objectChosen && !state.run && !state.images.some(({ result }) => result);

  /** @param {string} id */
  function use(id) {
    store.set({ objectChosen: true });
    store.settings({ object: id, threshold: null });
    select.focus();
  }

  /** @param {string} text @param {string} doubt @param {string[]} ids to offer */
  function tell(text, doubt, ids) {
    setText(el("object-hint-words"), text);
    setHidden(el("object-hint"), text === "");
    el("object-hint").classList.toggle("doubtful", doubt !== "");
    setText(el("stack-doubt"), doubt);
    setHidden(el("stack-doubt"), doubt === "");
    if (ids.join() === offered) return;
    offered = ids.join();
    setHidden(buttons, ids.length === 0);
    buttons.replaceChildren(...ids.map((id) => make("button", { type: "button", "data-testid": "object-use", "data-object": id, text: t("object.use", { name: nameOf(id) }), onclick: () => use(id) })));
  }

  store.on(() => {
    const series = currentImage(state)?.series;
    const { info, settings } = state;
    if (!info || !series || series.isPicture) return tell("", "", []);
    const fitting = suggested(series, info.objects.map(({ id }) => id));
    const isFitting = fitting.includes(settings.object);
    if (fitting.length === 1 && !isFitting && isFree()) {
      set = fitting[0];
      return store.settings({ object: set, threshold: null });
    }
    const reason = mismatch(series, settings.object);
    const doubt = reason ? sentence(reason) : "";
    const what = shows(series);
    const text = doubt || (isFitting ? (set === settings.object && !state.objectChosen ? t("object.fileSet", { what }) : "") : fitting.length > 0 ? t("object.file", { what }) : "");
    tell(text, doubt, isFitting ? [] : fitting);
  });
}
