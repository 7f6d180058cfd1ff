/**
 * The picture: image, overlay, contour, compare handle, value under the pointer, zoom.
 * Painted at the device's resolution, so that the contour stays crisp at any zoom.
 */

import { clamp, el, sentence, setText, twoDigits } from "./dom.js";
import { traceContours } from "./overlay.js";
import { readScore } from "./reading.js";
import { createSwipe } from "./swipe.js";
import { currentImage } from "./store.js";
import { thresholdFor } from "./results.js";

const MAX_ZOOM = 12;
const MARGIN_PX = 16;

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
  /** Zoom factor over "fit", and the picture's shift in CSS pixels. */
  const view = { zoom: 1, x: 0, y: 0 };
  let viewedId = /** @type {number | null} */ (null);
  let frameAsked = false;

  /** Where the picture lies in the viewer, in CSS pixels. */
  function frame() {
    const item = currentImage(state);
    const { clientWidth, clientHeight } = root;
    const width = item?.width || 1;
    const height = item?.height || 1;
    const margin = clientWidth < 480 ? 0 : MARGIN_PX;
    const fit = Math.max(0.01, Math.min((clientWidth - 2 * margin) / width, (clientHeight - 2 * margin) / height));
    const scale = fit * view.zoom;
    return {
      x: (clientWidth - width * scale) / 2 + view.x, y: (clientHeight - height * scale) / 2 + view.y,
      width: width * scale, height: height * scale, scale,
    };
  }

  const swipe = createSwipe(store, frame);

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
    }
    swipe.place();
    describe();
  }

  /** @param {ReturnType<typeof frame>} place */
  function paintOverlay(place) {
    const layer = overlay.of(currentImage(state));
    const { settings } = state;
    if (!layer || state.peek) return;
    context.save();
    if (settings.swipe) {
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
    const name = item?.synthetic ? `${item.label}, a synthetic phantom,` : item?.label;
    const label = !item ? "No image yet"
      : item.result ? `${name} with overlay. ${spokenScore(item)}Map from ${twoDigits(item.result.mapMin)} to ${twoDigits(item.result.mapMax)}.`
      : item.synthetic ? `${name} not analysed yet` : `${name}, not analysed yet`;
    if (canvas.getAttribute("aria-label") !== label) canvas.setAttribute("aria-label", label);
    el("zoom").hidden = !item?.bitmap;
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

  /** Zooms about a point of the viewer. @param {number} factor @param {number} [px] @param {number} [py] */
  function zoomBy(factor, px = root.clientWidth / 2, py = root.clientHeight / 2) {
    const before = frame();
    const zoom = clamp(view.zoom * factor, 1, MAX_ZOOM);
    const change = zoom / view.zoom;
    view.zoom = zoom;
    const centreX = before.x + before.width / 2;
    const centreY = before.y + before.height / 2;
    view.x += (px - centreX) * (1 - change);
    view.y += (py - centreY) * (1 - change);
    limitShift();
    ask();
  }

  function limitShift() {
    const place = frame();
    const spareX = Math.max(0, (place.width - root.clientWidth) / 2 + MARGIN_PX);
    const spareY = Math.max(0, (place.height - root.clientHeight) / 2 + MARGIN_PX);
    view.x = view.zoom === 1 ? 0 : clamp(view.x, -spareX, spareX);
    view.y = view.zoom === 1 ? 0 : clamp(view.y, -spareY, spareY);
  }

  function fit() {
    Object.assign(view, { zoom: 1, x: 0, y: 0 });
    ask();
  }

  /** @type {Map<number, {x: number, y: number}>} */
  const pointers = new Map();
  canvas.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    canvas.setPointerCapture(event.pointerId);
    readOut(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    readOut(event);
    if (!last) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const box = root.getBoundingClientRect();
      const spread = (p) => Math.hypot(p.x - other.x, p.y - other.y);
      zoomBy(spread(now) / Math.max(1, spread(last)), (now.x + other.x) / 2 - box.left, (now.y + other.y) / 2 - box.top);
    } else if (view.zoom > 1) {
      view.x += now.x - last.x;
      view.y += now.y - last.y;
      limitShift();
      ask();
    }
    pointers.set(event.pointerId, now);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => pointers.delete(/** @type {PointerEvent} */ (event).pointerId));
  }
  canvas.addEventListener("pointerleave", () => setText(el("readout"), ""));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = root.getBoundingClientRect();
    zoomBy(Math.exp(-event.deltaY * 0.002), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  canvas.addEventListener("dblclick", fit);
  el("zoom-in").addEventListener("click", () => zoomBy(1.5));
  el("zoom-out").addEventListener("click", () => zoomBy(1 / 1.5));
  el("zoom-fit").addEventListener("click", fit);

  new ResizeObserver(ask).observe(root);
  store.on(() => {
    if (state.currentId !== viewedId) {
      viewedId = state.currentId;
      Object.assign(view, { zoom: 1, x: 0, y: 0 });
      setText(el("readout"), "");
    }
    ask();
  });
}
