/** The choice of a method where a mode has several: what it is, where it comes from, what it costs. */

import { el, make, setHidden, setText } from "./dom.js";
import { sidesAreAlike } from "./store.js";
import { t } from "./texts.js";

/** @typedef {import("./types.d.ts").Settings} Settings */

/** @type {Record<string, import("./texts.js").Key>} */
export const METHOD_NAMES = { memory: "method.memory", components: "method.components", sides: "method.sides", self: "method.prototypes" };

/** The methods of a mode, the first one being the model's own; none where there is no choice. @param {import("./types.d.ts").State} state @returns {readonly string[]} */
export function methodsOf({ info, settings }) {
  if (settings.mode === "few") return info?.memory === "raw" ? ["memory", "components"] : [];
  // Without two like sides there is one way.
  return settings.mode === "self" && sidesAreAlike(info, settings.object) ? ["sides", "self"] : [];
}

/** How the package is asked for it; undefined: as the model does. @param {import("./types.d.ts").State} state @returns {import("../../pkg/index.d.ts").Method | undefined} */
export function methodOf(state) {
  const { info, settings } = state;
  if (settings.mode === "few" && settings.matching === "components" && methodsOf(state).length > 0) return "components";
  if (settings.mode === "self" && (settings.own === "self" || !sidesAreAlike(info, settings.object))) return "self";
  return undefined;
}

/** @param {ReturnType<typeof import("./store.js").createStore>} store */
export function mountMethod(store) {
  const { state } = store;
  const select = el("method-select");
  let listed = "";
  select.addEventListener("change", () => {
    const chosen = /** @type {any} */ (select.value);
    store.settings(state.settings.mode === "few" ? { matching: chosen, threshold: null } : { own: chosen, threshold: null });
  });
  /** @type {Record<string, import("./texts.js").Key>} */
  const hints = { memory: "method.memoryHint", components: "method.componentsHint", sides: "method.sidesHint", self: "method.prototypesHint" };
  store.on(() => {
    const methods = methodsOf(state);
    setHidden(el("method-line"), methods.length === 0);
    setHidden(el("method-hint"), methods.length === 0);
    if (methods.length === 0) return;
    if (methods.join() !== listed) {
      listed = methods.join();
      select.replaceChildren(...methods.map((id) => make("option", { value: id, text: t(METHOD_NAMES[id]) })));
    }
    const { mode, matching, own } = state.settings;
    select.value = mode === "few" ? matching : own;
    setText(el("method-hint"), t(hints[select.value]));
  });
}
