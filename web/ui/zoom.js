/**
 * Where the picture lies in the viewer: fitted, pixel by pixel, or zoomed and moved. By wheel (with Ctrl in a stack, whose slices the wheel goes through) and dragging, by two fingers,
 * by buttons, and by the arrow keys while the viewer has the focus. One finger on a fitted picture scrolls the page. The
 * viewer is one pane, or two beside each other that show the same part.
 */

import { clamp, el, setHidden } from "./dom.js";
import { placeOf } from "./view.js";

/** Over "fit", or until a pixel takes so many CSS pixels, whichever is more. */
const MAX_ZOOM = 12;
const MAX_SCALE = 32;
const ZOOM_STEP = 1.5;
/** A turn of the wheel that goes to the next slice: less than a notch of any wheel. */
const NOTCH_PX = 40;
const MARGIN_PX = 16;
/** Shares of the viewer's side that one press moves the picture. */
const KEY_SHARE = 0.1;
const BUTTON_SHARE = 0.25;
/** Share of the pane, across or down, that a place takes which the person asked to see. */
const PLACE_SHARE = 0.5;
/** Which way each key and button shows more of the picture. */
const WAYS = { left: [-1, 0], up: [0, -1], down: [0, 1], right: [1, 0] };

/** @typedef {import("./view.js").Box} Box */
/** @typedef {import("./view.js").Point} Point */
/** What a tool does while the pointer is down. @typedef {{move(event: PointerEvent): void, end(event: PointerEvent): void, cancel(): void}} Drag */

/**
 * @param {object} parts
 * @param {HTMLElement} parts.root the viewer
 * @param {HTMLCanvasElement} parts.canvas what is dragged
 * @param {() => import("./view.js").Picture | null} parts.picture
 * @param {() => import("./look.js").PictureLook} parts.look of the picture; zoom and shift are changed here
 * @param {() => boolean} parts.isSplit whether there are two panes
 * @param {(event: PointerEvent) => Drag | null} parts.dragFor what the tool in hand makes of a press; null: the picture is moved
 * @param {() => void} parts.changed it must be painted anew
 * @param {(step: number) => boolean} parts.stepSlices what the wheel does in a stack; false if none is in view
 */
export function createZoom({ root, canvas, picture, look, isSplit, dragFor, changed, stepSlices }) {
  /** @returns {Box[]} in CSS pixels of the viewer */
  function panes() {
    const { clientWidth: width, clientHeight: height } = root;
    if (!isSplit()) return [{ x: 0, y: 0, width, height }];
    return width >= height
      ? [{ x: 0, y: 0, width: width / 2, height }, { x: width / 2, y: 0, width: width / 2, height }]
      : [{ x: 0, y: 0, width, height: height / 2 }, { x: 0, y: height / 2, width, height: height / 2 }];
  }

  const pane = () => panes()[0];

  /** Where the picture lies in a pane, in CSS pixels. */
  function frame() {
    const margin = pane().width < 480 ? 0 : MARGIN_PX;
    return placeOf(picture() ?? { width: 0, height: 0, pixel: { x: 1, y: 1 } }, look(), pane(), margin);
  }

  /** A point of the pane that the pointer is in, or of the one where a drag began. @param {{clientX: number, clientY: number}} event @param {Box} [held] @returns {Point & {pane: Box}} */
  function at(event, held) {
    const box = root.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const all = panes();
    const mine = held ?? all.find((one) => x >= one.x && y >= one.y && x < one.x + one.width && y < one.y + one.height) ?? all[0];
    return { x: x - mine.x, y: y - mine.y, pane: mine };
  }

  /** One pixel of the picture on one of the screen. */
  const oneToOne = () => 1 / ((devicePixelRatio || 1) * frame().fit);
  const limits = () => [Math.min(1, oneToOne()), Math.max(MAX_ZOOM, MAX_SCALE / frame().fit)];

  function settle() {
    const view = look();
    const place = frame();
    // The middle of the viewer lies on the picture.
    view.x = view.zoom <= 1 ? 0 : clamp(view.x, -place.width / 2, place.width / 2);
    view.y = view.zoom <= 1 ? 0 : clamp(view.y, -place.height / 2, place.height / 2);
    mark();
    changed();
  }

  /** The style sheet lets one finger scroll the page, or not. */
  function mark() {
    const { zoom } = look();
    if (root.dataset.zoom !== zoom.toFixed(2)) root.dataset.zoom = zoom.toFixed(2);
    root.classList.toggle("zoomed", zoom > 1);
    setHidden(el("pan"), zoom <= 1);
  }

  /** Zooms about a point of the pane. @param {number} factor @param {Point} [point] */
  function zoomBy(factor, { x, y } = { x: pane().width / 2, y: pane().height / 2 }) {
    const view = look();
    const before = frame();
    const [least, most] = limits();
    const zoom = clamp(view.zoom * factor, least, most);
    const change = zoom / view.zoom;
    view.zoom = zoom;
    view.x += (x - before.x - before.width / 2) * (1 - change);
    view.y += (y - before.y - before.height / 2) * (1 - change);
    settle();
  }

  /** @param {number} dx @param {number} dy CSS pixels */
  function shift(dx, dy) {
    look().x += dx;
    look().y += dy;
    settle();
  }

  /** Shows more of the picture on one side. @param {keyof typeof WAYS} way @param {number} share of the pane's side */
  function pan(way, share) {
    const [x, y] = WAYS[way];
    shift(-x * share * pane().width, -y * share * pane().height);
  }

  /** @param {number} [zoom] */
  function fit(zoom = 1) {
    Object.assign(look(), { zoom, x: 0, y: 0 });
    settle();
  }

  /** Brings a box of the picture to the middle, large enough to be seen. @param {Box} box in its pixels */
  function goTo(box) {
    const shown = picture();
    if (!shown) return;
    const [least, most] = limits();
    const sides = [Math.max(1, box.width) * shown.pixel.x, Math.max(1, box.height) * shown.pixel.y];
    if (look().turn[0] === 0) sides.reverse();
    const scale = PLACE_SHARE * Math.min(pane().width / sides[0], pane().height / sides[1]);
    const view = look();
    // Already closer than that: it stays so.
    view.zoom = clamp(Math.max(view.zoom, Math.min(scale / frame().fit, MAX_ZOOM / 2)), least, most);
    Object.assign(view, { x: 0, y: 0 });
    const { a, b, c, d } = frame();
    const [x, y] = [box.x + box.width / 2 - shown.width / 2, box.y + box.height / 2 - shown.height / 2];
    Object.assign(view, { x: -(a * x + c * y), y: -(b * x + d * y) });
    settle();
  }

  mountPointers(root, canvas, { zoomBy, shift, at, dragFor, stepSlices, isZoomed: () => look().zoom > 1 });
  canvas.addEventListener("dblclick", (event) => root.dataset.tool === "pan" && event.button === 0 && fit());
  el("zoom-in").addEventListener("click", () => zoomBy(ZOOM_STEP));
  el("zoom-out").addEventListener("click", () => zoomBy(1 / ZOOM_STEP));
  el("zoom-fit").addEventListener("click", () => fit());
  el("zoom-one").addEventListener("click", () => fit(oneToOne()));
  for (const way of /** @type {(keyof typeof WAYS)[]} */ (Object.keys(WAYS))) el(`pan-${way}`).addEventListener("click", () => pan(way, BUTTON_SHARE));
  root.addEventListener("keydown", (event) => {
    const way = /** @type {keyof typeof WAYS} */ (event.key.replace("Arrow", "").toLowerCase());
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.target !== root || look().zoom <= 1 || !plain || !event.key.startsWith("Arrow") || !WAYS[way]) return;
    event.preventDefault();
    pan(way, KEY_SHARE);
  });
  return { frame, panes, at, fit, oneToOne: () => fit(oneToOne()), goTo, mark };
}

/**
 * Dragging, the wheel, and two fingers.
 * @param {HTMLElement} root
 * @param {HTMLCanvasElement} canvas
 * @param {{zoomBy: (factor: number, point: Point) => void, shift: (dx: number, dy: number) => void, at: (event: {clientX: number, clientY: number}) => Point, dragFor: (event: PointerEvent) => Drag | null, stepSlices: (step: number) => boolean, isZoomed: () => boolean}} view
 */
function mountPointers(root, canvas, { zoomBy, shift, at, dragFor, stepSlices, isZoomed }) {
  /** @type {Map<number, {x: number, y: number}>} */
  const pointers = new Map();
  /** @type {Drag | null} */
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    canvas.setPointerCapture(event.pointerId);
    // A second finger means the picture, not the tool.
    drag?.cancel();
    drag = pointers.size === 1 ? dragFor(event) : null;
  });
  canvas.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const spread = (p) => Math.hypot(p.x - other.x, p.y - other.y);
      zoomBy(spread(now) / Math.max(1, spread(last)), at({ clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 }));
      // Two fingers that move together take the picture along.
      if (isZoomed()) shift((now.x - last.x) / 2, (now.y - last.y) / 2);
    } else if (drag) {
      drag.move(event);
    } else if (isZoomed()) {
      shift(now.x - last.x, now.y - last.y);
    }
    pointers.set(event.pointerId, now);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (pointers.delete(event.pointerId)) drag?.end(event);
    drag = null;
  });
  canvas.addEventListener("pointercancel", (event) => {
    pointers.delete(event.pointerId);
    drag?.cancel();
    drag = null;
  });
  // Two fingers are for the picture: otherwise the browser would take them for scrolling and end their pointers.
  for (const kind of ["touchstart", "touchmove"]) {
    canvas.addEventListener(kind, (event) => {
      if (/** @type {TouchEvent} */ (event).touches.length > 1 && event.cancelable) event.preventDefault();
    }, { passive: false });
  }
  // Also over what lies on the picture: the compare handle, boxes being drawn.
  let turned = 0;
  root.addEventListener("wheel", (event) => {
    event.preventDefault();
    // As in other viewers: through the slices of a stack; a pinch on a touchpad comes as a wheel with Ctrl.
    if (!event.ctrlKey && !event.metaKey && stepSlices(0)) {
      turned += event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY / NOTCH_PX : Math.sign(event.deltaY);
      // One slice for one turn, however far a wheel's notch goes; a touchpad's many small ones add up.
      if (Math.abs(turned) < 1) return;
      stepSlices(Math.sign(turned));
      turned = 0;
      return;
    }
    zoomBy(Math.exp(-event.deltaY * 0.002), at(event));
  }, { passive: false });
}
