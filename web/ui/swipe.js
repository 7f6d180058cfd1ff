/**
 * The compare handle: left of it the picture alone, right of it the overlay. Dragged, moved with the arrow keys, or put where
 * the picture is clicked.
 */

import { clamp, el } from "./dom.js";
import { currentImage } from "./store.js";
import { t } from "./texts.js";

const STEP = 0.02;
/** A pointer that moved further has dragged. */
const CLICK_PX = 4;

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {() => {x: number, y: number, width: number, height: number}} frame where the picture lies
 */
export function createSwipe(store, frame) {
  const { state } = store;
  const handle = el("swipe");
  const move = (at) => store.settings({ swipeAt: clamp(at, 0, 1) });

  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    event.preventDefault();
    handle.focus();
  });
  /** @param {number} clientX */
  const moveTo = (clientX) => {
    const place = frame();
    move((clientX - el("viewer").getBoundingClientRect().left - place.x) / place.width);
  };
  handle.addEventListener("pointermove", (event) => handle.hasPointerCapture(event.pointerId) && moveTo(event.clientX));
  const canvas = el("overlay-canvas");
  let down = { x: 0, y: 0 };
  canvas.addEventListener("pointerdown", ({ clientX, clientY }) => (down = { x: clientX, y: clientY }));
  canvas.addEventListener("click", ({ clientX, clientY }) => {
    if (!handle.hidden && state.tool === "pan" && Math.hypot(clientX - down.x, clientY - down.y) < CLICK_PX) moveTo(clientX);
  });
  handle.addEventListener("keydown", (event) => {
    const { swipeAt } = state.settings;
    const to = { ArrowLeft: swipeAt - STEP, ArrowDown: swipeAt - STEP, ArrowRight: swipeAt + STEP, ArrowUp: swipeAt + STEP,
      PageDown: swipeAt - 5 * STEP, PageUp: swipeAt + 5 * STEP, Home: 0, End: 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move(to);
  });

  return {
    /** Puts the handle where the picture now is. */
    place() {
      const shown = state.settings.swipe && !state.sideBySide && Boolean(currentImage(state)?.result);
      handle.hidden = !shown;
      if (!shown) return;
      const place = frame();
      const percent = Math.round(state.settings.swipeAt * 100);
      handle.style.left = `${place.x + place.width * state.settings.swipeAt}px`;
      handle.style.top = `${Math.max(0, place.y)}px`;
      handle.style.height = `${Math.min(el("viewer").clientHeight, place.height)}px`;
      handle.setAttribute("aria-valuenow", String(percent));
      handle.setAttribute("aria-valuetext", t("viewer.swipeShare", { percent }));
    },
  };
}
