/** Two choices of the comparison with normal images: left with right beside it, and the nearest slices alone. */

import { el, setHidden } from "./dom.js";
import { canChoose } from "./nearest.js";
import { isBilateral } from "./results.js";
import { currentImage } from "./store.js";

/** @param {ReturnType<typeof import("./store.js").createStore>} store */
export function mountSides(store) {
  const { state } = store;
  const sides = el("bilateral-toggle");
  const nearest = el("nearest-select");
  sides.addEventListener("change", () => store.settings({ bilateral: sides.checked, threshold: null }));
  nearest.addEventListener("change", () => store.settings({ nearest: nearest.value === "all" ? null : Number(nearest.value) }));

  store.on(() => {
    const { mode } = state.settings;
    sides.checked = isBilateral(state);
    sides.disabled = mode !== "few";
    nearest.value = String(state.settings.nearest ?? "all");
    nearest.disabled = mode !== "few";
    setHidden(el("nearest-line"), state.settings.nearest === null && !canChoose(currentImage(state), state.support));
  });
}
