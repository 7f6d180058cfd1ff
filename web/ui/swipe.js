/** The compare handle: left of it the picture alone, right of it the overlay. Dragged, or moved with the arrow keys. */

import { clamp, el } from "./dom.js";
import { currentImage } from "./store.js";

const STEP = 0.02;

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
  handle.addEventListener("pointermove", (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const place = frame();
    move((event.clientX - el("viewer").getBoundingClientRect().left - place.x) / place.width);
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
      const shown = state.settings.swipe && Boolean(currentImage(state)?.result);
      handle.hidden = !shown;
      if (!shown) return;
      const place = frame();
      const percent = Math.round(state.settings.swipeAt * 100);
      handle.style.left = `${place.x + place.width * state.settings.swipeAt}px`;
      handle.style.top = `${Math.max(0, place.y)}px`;
      handle.style.height = `${Math.min(el("viewer").clientHeight, place.height)}px`;
      handle.setAttribute("aria-valuenow", String(percent));
      handle.setAttribute("aria-valuetext", `${percent} percent without overlay`);
    },
  };
}
