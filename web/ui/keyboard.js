/**
 * The keys. Letters and signs act while the page, the picture, the list or a button has the focus, never in a field or on
 * a slider, and can be switched off in the help. Space hides the overlay while it is held, unless it presses the button
 * that has the focus. Nothing acts while a dialog is open.
 */

import { clamp, el } from "./dom.js";
import { layerRange, layerThreshold, setThreshold } from "./layers.js";
import { currentImage } from "./store.js";

const OPACITY_STEP = 0.1;
const THRESHOLD_STEP = 0.02;

/** Where letters and signs belong to the element. */
const FIELDS = "input:not([type=file]), textarea, select, [role=slider], [contenteditable]";
/** What Space presses. The chosen image's own row is no such thing: choosing it again would do nothing. */
const PRESSED_BY_SPACE = "button:not(.strip-pick[aria-current=true]), summary, a, label, select, textarea, input:not([type=range])";

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {{images: any, runner: any, engine: any, dialogs: any, messages: any, hasSingles: boolean, toolKeys: Record<string, () => void>, sliceMoves: Record<string, () => boolean>}} parts
 */
export function mountKeyboard(store, { images, runner, dialogs, messages, hasSingles, toolKeys, sliceMoves }) {
  const { state } = store;
  const threshold = (step) => {
    const item = currentImage(state);
    if (!item?.result) return;
    const { lo, hi } = layerRange(state, item);
    setThreshold(store, item, clamp((layerThreshold(state, item) ?? hi) + step * (hi - lo), lo, hi));
  };
  const opacity = (step) => store.settings({ opacity: clamp(Math.round((state.settings.opacity + step) * 100) / 100, 0, 1) });
  /** Loading goes on: it is long, easily stopped by mistake, and has a button. */
  const escape = () => (state.run ? runner.cancel() : state.opening || state.saving ? (state.opening ?? state.saving)?.controller.abort() : messages.dismissLast());
  const ready = () => state.load.phase === "ready";
  const moves = { ArrowLeft: () => images.move(-1), ArrowRight: () => images.move(1) };
  const ends = { Home: () => images.move(-Infinity), End: () => images.move(Infinity) };
  const singles = {
    ...toolKeys,
    o: () => el("file-input").click(), a: () => ready() && runner.current(), A: () => ready() && runner.all(),
    "[": () => opacity(-OPACITY_STEP), "]": () => opacity(OPACITY_STEP),
    "-": () => threshold(-THRESHOLD_STEP), "=": () => threshold(THRESHOLD_STEP), "+": () => threshold(THRESHOLD_STEP), "?": dialogs.help,
  };

  const hasSlices = () => currentImage(state)?.stack !== undefined;

  /** What a key does with this element in focus; null if it is the element's or the browser's. @param {KeyboardEvent} event @param {Element} target */
  function actionFor(event, target) {
    const { key, shiftKey } = event;
    if (key === "Escape") return escape;
    if (moves[key]) return target.matches("input, select, textarea, [role=slider]") ? null : moves[key];
    if (sliceMoves[key] && hasSlices()) return target.matches(`${FIELDS}, #panel, #panel *`) ? null : sliceMoves[key];
    // In the panel they go to its ends.
    if (ends[key]) return target.matches(`${FIELDS}, #panel, #panel *`) ? null : ends[key];
    if (!hasSingles || !state.settings.singleKeys || target.matches(FIELDS)) return null;
    return singles[key] ?? (shiftKey ? null : singles[key.toLowerCase()]) ?? null;
  }

  document.addEventListener("keydown", (event) => {
    // Handled: a zoomed picture takes the arrows for itself.
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (event.key === " ") {
      if (target.matches(PRESSED_BY_SPACE)) return;
      event.preventDefault();
      if (!state.peek) store.set({ peek: true });
      return;
    }
    const action = actionFor(event, target);
    if (!action) return;
    if (event.key !== "Escape") event.preventDefault();
    action();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key !== " " || !state.peek) return;
    // Some browsers press a button on the way up.
    event.preventDefault();
    store.set({ peek: false });
  });
  window.addEventListener("blur", () => state.peek && store.set({ peek: false }));
}
