/** The keys. They stay out of the way while a text field, a list or a dialog has the focus. */

import { clamp, el } from "./dom.js";
import { colourRange, thresholdFor } from "./results.js";
import { currentImage } from "./store.js";

const OPACITY_STEP = 0.1;
const THRESHOLD_STEP = 0.02;

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {{images: any, runner: any, engine: any, dialogs: any, messages: any}} parts
 */
export function mountKeyboard(store, { images, runner, engine, dialogs, messages }) {
  const { state } = store;
  const threshold = (step) => {
    const item = currentImage(state);
    if (!item?.result) return;
    const { lo, hi } = colourRange(state, item);
    store.settings({ threshold: clamp((thresholdFor(state, item) ?? hi) + step * (hi - lo), lo, hi) });
  };
  const opacity = (step) => store.settings({ opacity: clamp(Math.round((state.settings.opacity + step) * 100) / 100, 0, 1) });
  const stop = () => {
    if (state.run) runner.cancel();
    else if (state.load.phase === "loading") engine.cancelOpen();
    else messages.dismissLast();
  };
  const keys = {
    o: () => el("file-input").click(), a: () => state.load.phase === "ready" && runner.current(), A: () => state.load.phase === "ready" && runner.all(),
    ArrowLeft: () => images.move(-1), ArrowRight: () => images.move(1),
    "[": () => opacity(-OPACITY_STEP), "]": () => opacity(OPACITY_STEP), "-": () => threshold(-THRESHOLD_STEP), "=": () => threshold(THRESHOLD_STEP), "+": () => threshold(THRESHOLD_STEP),
    Escape: stop, "?": dialogs.help,
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const target = /** @type {any} */ (event.target);
    const typing = target.matches?.("input[type=number], textarea, select");
    if (event.key === " ") {
      // Space belongs to what it can press; elsewhere it hides the overlay.
      if (typing || target.matches?.("button, summary, a, label, input[type=radio], input[type=checkbox], input[type=file]")) return;
      event.preventDefault();
      if (!state.peek) store.set({ peek: true });
      return;
    }
    if (typing && event.key !== "Escape") return;
    if (event.key.startsWith("Arrow") && target.matches?.("input, [role=slider]")) return;
    const action = keys[event.key] ?? (event.shiftKey ? undefined : keys[event.key.toLowerCase()]);
    if (!action) return;
    if (event.key !== "Escape") event.preventDefault();
    action();
  });
  document.addEventListener("keyup", (event) => event.key === " " && state.peek && store.set({ peek: false }));
  window.addEventListener("blur", () => state.peek && store.set({ peek: false }));
}
