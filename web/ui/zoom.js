/**
 * Where the picture lies in the viewer: fitted, or zoomed and moved. By wheel and dragging, by two fingers, by buttons,
 * and by the arrow keys while the viewer has the focus. One finger on a fitted picture scrolls the page.
 */

import { clamp, el } from "./dom.js";

const MAX_ZOOM = 12;
const ZOOM_STEP = 1.5;
const MARGIN_PX = 16;
/** Shares of the viewer's side that one press moves the picture. */
const KEY_SHARE = 0.1;
const BUTTON_SHARE = 0.25;
/** Which way each key and button shows more of the picture. */
const WAYS = { left: [-1, 0], up: [0, -1], down: [0, 1], right: [1, 0] };

/**
 * @param {HTMLElement} root the viewer
 * @param {HTMLCanvasElement} canvas what is dragged
 * @param {() => {width: number, height: number} | null} size of the picture
 * @param {() => void} changed it must be painted anew
 */
export function createZoom(root, canvas, size, changed) {
  /** Zoom factor over "fit", and the picture's shift in CSS pixels. */
  const view = { zoom: 1, x: 0, y: 0 };

  /** Where the picture lies in the viewer, in CSS pixels. */
  function frame() {
    const { clientWidth, clientHeight } = root;
    const { width, height } = size() ?? { width: 0, height: 0 };
    const margin = clientWidth < 480 ? 0 : MARGIN_PX;
    const [w, h] = [width || 1, height || 1];
    const fit = Math.max(0.01, Math.min((clientWidth - 2 * margin) / w, (clientHeight - 2 * margin) / h));
    const scale = fit * view.zoom;
    return {
      x: (clientWidth - w * scale) / 2 + view.x, y: (clientHeight - h * scale) / 2 + view.y,
      width: w * scale, height: h * scale, scale,
    };
  }

  function settle() {
    const place = frame();
    const spareX = Math.max(0, (place.width - root.clientWidth) / 2 + MARGIN_PX);
    const spareY = Math.max(0, (place.height - root.clientHeight) / 2 + MARGIN_PX);
    view.x = view.zoom === 1 ? 0 : clamp(view.x, -spareX, spareX);
    view.y = view.zoom === 1 ? 0 : clamp(view.y, -spareY, spareY);
    // The style sheet lets one finger scroll the page, or not.
    root.dataset.zoom = view.zoom.toFixed(2);
    root.classList.toggle("zoomed", view.zoom > 1);
    el("pan").hidden = view.zoom === 1;
    changed();
  }

  /** Zooms about a point of the viewer. @param {number} factor @param {number} [px] @param {number} [py] */
  function zoomBy(factor, px = root.clientWidth / 2, py = root.clientHeight / 2) {
    const before = frame();
    const zoom = clamp(view.zoom * factor, 1, MAX_ZOOM);
    const change = zoom / view.zoom;
    view.zoom = zoom;
    view.x += (px - before.x - before.width / 2) * (1 - change);
    view.y += (py - before.y - before.height / 2) * (1 - change);
    settle();
  }

  /** @param {number} dx @param {number} dy CSS pixels */
  function shift(dx, dy) {
    view.x += dx;
    view.y += dy;
    settle();
  }

  /** Shows more of the picture on one side. @param {keyof typeof WAYS} way @param {number} share of the viewer's side */
  function pan(way, share) {
    const [x, y] = WAYS[way];
    shift(-x * share * root.clientWidth, -y * share * root.clientHeight);
  }

  function fit() {
    Object.assign(view, { zoom: 1, x: 0, y: 0 });
    settle();
  }

  mountPointers(root, canvas, { zoomBy, shift, isZoomed: () => view.zoom > 1 });
  canvas.addEventListener("dblclick", fit);
  el("zoom-in").addEventListener("click", () => zoomBy(ZOOM_STEP));
  el("zoom-out").addEventListener("click", () => zoomBy(1 / ZOOM_STEP));
  el("zoom-fit").addEventListener("click", fit);
  for (const way of /** @type {(keyof typeof WAYS)[]} */ (Object.keys(WAYS))) el(`pan-${way}`).addEventListener("click", () => pan(way, BUTTON_SHARE));
  root.addEventListener("keydown", (event) => {
    const way = /** @type {keyof typeof WAYS} */ (event.key.replace("Arrow", "").toLowerCase());
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.target !== root || view.zoom === 1 || !plain || !event.key.startsWith("Arrow") || !WAYS[way]) return;
    event.preventDefault();
    pan(way, KEY_SHARE);
  });
  return { frame, fit };
}

/**
 * Dragging, the wheel, and two fingers.
 * @param {HTMLElement} root
 * @param {HTMLCanvasElement} canvas
 * @param {{zoomBy: (factor: number, px: number, py: number) => void, shift: (dx: number, dy: number) => void, isZoomed: () => boolean}} view
 */
function mountPointers(root, canvas, { zoomBy, shift, isZoomed }) {
  /** @type {Map<number, {x: number, y: number}>} */
  const pointers = new Map();
  canvas.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const box = root.getBoundingClientRect();
      const spread = (p) => Math.hypot(p.x - other.x, p.y - other.y);
      zoomBy(spread(now) / Math.max(1, spread(last)), (now.x + other.x) / 2 - box.left, (now.y + other.y) / 2 - box.top);
    } else if (isZoomed()) {
      shift(now.x - last.x, now.y - last.y);
    }
    pointers.set(event.pointerId, now);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => pointers.delete(/** @type {PointerEvent} */ (event).pointerId));
  }
  // Two fingers are for the picture: otherwise the browser would take them for scrolling and end their pointers.
  for (const kind of ["touchstart", "touchmove"]) {
    canvas.addEventListener(kind, (event) => {
      if (/** @type {TouchEvent} */ (event).touches.length > 1 && event.cancelable) event.preventDefault();
    }, { passive: false });
  }
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = root.getBoundingClientRect();
    zoomBy(Math.exp(-event.deltaY * 0.002), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
}
