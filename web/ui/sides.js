/** Two choices of the comparison with normal images: left with right beside it, and the nearest slices alone. */

import { el, setHidden } from "./dom.js";
import { canChoose } from "./nearest.js";
import { isBilateral, usesSides } from "./results.js";
import { currentImage } from "./store.js";

/** @param {ReturnType<typeof import("./store.js").createStore>} store */
export function mountSides(store) {
  const { state } = store;
  const sides = el("bilateral-toggle");
  const axis = el("axis-toggle");
  const nearest = el("nearest-select");
  sides.addEventListener("change", () => store.settings({ bilateral: sides.checked, threshold: null }));
  axis.addEventListener("change", () => store.settings({ axis: axis.checked ? "found" : "middle" }));
  nearest.addEventListener("change", () => store.settings({ nearest: nearest.value === "all" ? null : Number(nearest.value) }));

  store.on(() => {
    const { mode } = state.settings;
    sides.checked = isBilateral(state);
    sides.disabled = mode !== "few" && mode !== "batch";
    axis.checked = state.settings.axis === "found";
    setHidden(el("axis-line"), !usesSides(state));
    nearest.value = String(state.settings.nearest ?? "all");
    nearest.disabled = mode !== "few";
    setHidden(el("nearest-line"), state.settings.nearest === null && !canChoose(currentImage(state), state.support));
  });
}
