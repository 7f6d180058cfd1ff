/**
 * The picture: image, overlay, contour, compare handle, value under the pointer; its position is in zoom.js.
 * Painted at the device's resolution, so that the contour stays crisp at any zoom.
 */

import { el, sentence, setText, twoDigits } from "./dom.js";
import { drawHatched } from "./hatch.js";
import { traceContours } from "./overlay.js";
import { readScore } from "./reading.js";
import { mountRegions } from "./regions.js";
import { createSwipe } from "./swipe.js";
import { currentImage } from "./store.js";
import { regionsFor, thresholdFor } from "./results.js";
import { createZoom } from "./zoom.js";

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./overlay.js").createOverlay>} overlay
 */
export function mountViewer(store, overlay) {
  const { state } = store;
  const root = el("viewer");
  /** @type {HTMLCanvasElement} */
  const canvas = el("overlay-canvas");
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  let viewedId = /** @type {number | null} */ (null);
  let viewedResult = /** @type {object | null} */ (null);
  let frameAsked = false;

  const { frame, fit } = createZoom(root, canvas, () => currentImage(state), ask);
  const swipe = createSwipe(store, frame);
  mountRegions(store, frame);

  function ask() {
    if (frameAsked) return;
    frameAsked = true;
    requestAnimationFrame(() => {
      frameAsked = false;
      paint();
    });
  }

  function paint() {
    const item = currentImage(state);
    const ratio = devicePixelRatio || 1;
    const width = Math.round(root.clientWidth * ratio);
    const height = Math.round(root.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, root.clientWidth, root.clientHeight);
    const place = frame();
    const bitmap = item?.bitmap ?? null;
    if (bitmap) {
      // Large pixels stay visible as pixels when zoomed far in.
      context.imageSmoothingEnabled = place.scale < 4;
      context.imageSmoothingQuality = "high";
      context.drawImage(bitmap, place.x, place.y, place.width, place.height);
      paintOverlay(place);
      if (item && !state.peek) drawHatched(context, regionsFor(state, item), item, place);
    }
    swipe.place();
    describe();
  }

  /** @param {{x: number, y: number, width: number, height: number}} place */
  function paintOverlay(place) {
    if (!state.peek && !state.bare) drawOverlay(context, place, state.settings.swipe);
  }

  /** @param {CanvasRenderingContext2D} context @param {{x: number, y: number, width: number, height: number}} place @param {boolean} swiped */
  function drawOverlay(context, place, swiped) {
    const layer = overlay.of(currentImage(state));
    const { settings } = state;
    if (!layer) return;
    context.save();
    if (swiped) {
      const cut = place.x + place.width * settings.swipeAt;
      context.beginPath();
      context.rect(cut, place.y, place.x + place.width - cut, place.height);
      context.clip();
    }
    context.globalAlpha = settings.opacity * layer.strength;
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(layer.canvas, place.x, place.y, place.width, place.height);
    context.globalAlpha = 1;
    if (settings.contour) {
      traceContours(context, layer.contours, layer.size, place);
      context.lineJoin = "round";
      context.strokeStyle = "rgb(0 0 0 / 0.65)";
      context.lineWidth = 3;
      context.stroke();
      context.strokeStyle = "#fff";
      context.lineWidth = 1.25;
      context.stroke();
    }
    context.restore();
  }

  function describe() {
    const item = currentImage(state);
    const note = el("viewer-note");
    let text = "";
    if (item?.status === "error") text = `This file could not be read. ${sentence(item.message)}`;
    else if (item && !item.bitmap) text = state.load.phase === "ready" ? "Opening the picture" : "The picture appears once the model is loaded.";
    else if (item?.result && overlay.of(item)?.contours.length === 0 && (thresholdFor(state, item) ?? -Infinity) > item.result.mapMin) {
      text = "Nothing here lies above the threshold. Lower it to see the map.";
    }
    setText(note, text);
    note.hidden = text === "";
    el("synthetic-mark").hidden = !item?.synthetic;
    note.classList.toggle("centred", !item?.bitmap);
    const name = `${item?.label}, ${item?.name}${item?.synthetic ? ", a synthetic phantom," : ""}`;
    const label = !item ? "No image yet"
      : item.result ? `${name} with overlay. ${spokenScore(item)}Map from ${twoDigits(item.result.mapMin)} to ${twoDigits(item.result.mapMax)}.`
      : item.synthetic ? `${name} not analysed yet` : `${name}, not analysed yet`;
    if (canvas.getAttribute("aria-label") !== label) canvas.setAttribute("aria-label", label);
    el("tools").hidden = !item?.bitmap;
    el("bare").hidden = !overlay.of(item);
    el("bare").setAttribute("aria-pressed", String(state.bare));
  }

  /** @param {import("./types.d.ts").ImageItem} item with a result */
  function spokenScore(item) {
    const { score } = readScore(state, item);
    return score === null ? "" : `Score ${twoDigits(score)}. `;
  }

  /** Position in the picture and value of the map under the pointer. @param {PointerEvent} event */
  function readOut(event) {
    const item = currentImage(state);
    const box = root.getBoundingClientRect();
    const place = frame();
    const u = (event.clientX - box.left - place.x) / place.width;
    const v = (event.clientY - box.top - place.y) / place.height;
    if (!item?.bitmap || u < 0 || v < 0 || u >= 1 || v >= 1) return setText(el("readout"), "");
    const at = `x ${Math.floor(u * item.width)}  y ${Math.floor(v * item.height)}`;
    const { result } = item;
    if (!result) return setText(el("readout"), at);
    const value = result.overlay[Math.floor(v * result.size) * result.size + Math.floor(u * result.size)];
    setText(el("readout"), `${at}  map ${twoDigits(value)}`);
  }

  for (const kind of ["pointerdown", "pointermove"]) canvas.addEventListener(kind, (event) => readOut(/** @type {PointerEvent} */ (event)));
  canvas.addEventListener("pointerleave", () => setText(el("readout"), ""));
  el("bare").addEventListener("click", () => store.set({ bare: !state.bare }));

  new ResizeObserver(ask).observe(root);
  store.on(() => {
    const result = currentImage(state)?.result ?? null;
    // A new map is there to be seen.
    if (state.currentId === viewedId && result && result !== viewedResult) state.bare = false;
    viewedResult = result;
    if (state.currentId !== viewedId) {
      viewedId = state.currentId;
      fit();
      setText(el("readout"), "");
    }
    ask();
  });
  return {
    /** Draws the current picture with its overlay, whole. @param {CanvasRenderingContext2D} context @param {{x: number, y: number, width: number, height: number}} place */
    draw(context, place) {
      const bitmap = currentImage(state)?.bitmap;
      if (!bitmap) return;
      context.imageSmoothingQuality = "high";
      context.drawImage(bitmap, place.x, place.y, place.width, place.height);
      drawOverlay(context, place, false);
      const item = currentImage(state);
      if (item) drawHatched(context, regionsFor(state, item), item, place);
    },
  };
}
