/**
 * The picture: image, overlay, contour, compare handle, value under the pointer. Its position is in zoom.js, how it is
 * looked at in look.js, and view.js leads from its pixels to the screen. Painted at the device's resolution, so that the
 * contour stays crisp at any zoom.
 */

import { createDisplay } from "./display.js";
import { el, sentence, setHidden, setText, twoDigits } from "./dom.js";
import { drawHatched } from "./hatch.js";
import { shownLabel, shownName } from "./labels.js";
import { layerOf, layerRange, layerThreshold } from "./layers.js";
import { createLook } from "./look.js";
import { traceContours } from "./overlay.js";
import { mountPlaces } from "./places.js";
import { readScore } from "./reading.js";
import { mountRegions } from "./regions.js";
import { label, mountRulers } from "./rulers.js";
import { createSwipe } from "./swipe.js";
import { currentImage } from "./store.js";
import { regionsFor } from "./results.js";
import { t } from "./texts.js";
import { mountToolbar } from "./toolbar.js";
import { boxToViewer, pixelAt, pixelSides } from "./view.js";
import { mountWindowTool } from "./windowtool.js";
import { createZoom } from "./zoom.js";

/** Of what is drawn over the picture. */
const INK = { dark: "rgb(0 0 0 / 0.65)", light: "#fff" };
/** A box in its own pixels, for drawings that are placed by a box and a size. */
const UNIT = { x: 0, y: 0, width: 1, height: 1 };

/** @typedef {import("./view.js").Place} Place */
/** @typedef {import("./types.d.ts").ImageItem} ImageItem */

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./overlay.js").createOverlay>} overlay
 * @param {(step: number) => boolean} stepSlices goes on in a stack; false if none is in view
 */
export function mountViewer(store, overlay, stepSlices) {
  const { state } = store;
  const root = el("viewer");
  /** @type {HTMLCanvasElement} */
  const canvas = el("overlay-canvas");
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  let viewedId = /** @type {number | null} */ (null);
  let viewedResult = /** @type {object | null} */ (null);
  let frameAsked = false;
  /** Where the pointer is, for what stands under it when the picture moves. @type {PointerEvent | null} */
  let pointer = null;

  const look = createLook(store);
  const display = createDisplay();
  const windowTool = mountWindowTool(store, look);
  const zoom = createZoom({
    root, canvas, look: () => look.of(), changed: ask, dragFor, stepSlices,
    picture() {
      const item = currentImage(state);
      return item && { width: item.width, height: item.height, pixel: pixelSides(item.spacingMm) };
    },
    isSplit: () => state.sideBySide && Boolean(currentImage(state)?.result),
  });
  const swipe = createSwipe(store, zoom.frame);
  const rulers = mountRulers(store, zoom);
  const places = mountPlaces(store, overlay, zoom);
  mountRegions(store, zoom);
  const { keys } = mountToolbar(store, look, zoom, windowTool, reset);

  function reset() {
    places.clear();
    look.reset();
  }

  /** @param {PointerEvent} event */
  function dragFor(event) {
    if (event.button === 2) return windowTool.drag(event);
    // The middle button always moves.
    if (event.button === 1) return null;
    if (state.tool === "window") return windowTool.drag(event);
    return state.tool === "ruler" || state.tool === "area" ? rulers.drag(state.tool, event) : null;
  }

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
    const place = zoom.frame();
    const panes = zoom.panes();
    if (item?.bitmap) panes.forEach((pane, n) => {
      context.save();
      context.beginPath();
      context.rect(pane.x, pane.y, pane.width, pane.height);
      context.clip();
      context.translate(pane.x, pane.y);
      drawPicture(item, place);
      // Of two panes the first shows the picture alone.
      if (n === panes.length - 1) paintOverlay(place);
      if (!state.peek) drawHatched(context, regionsFor(state, item).map((box) => boxToViewer(place, box)), UNIT, UNIT);
      places.draw(context, place, item);
      rulers.draw(context, place, item);
      if (panes.length > 1) label(context, n === 0 ? t("viewer.without") : t("viewer.with"), pane.width / 2, 16);
      context.restore();
    });
    if (panes.length > 1 && item?.bitmap) divide(panes[1]);
    zoom.mark();
    // For tests and style sheets: where the picture's first pixel begins and which way it runs.
    const matrix = [place.a, place.b, place.c, place.d, place.e, place.f].map((value) => value.toFixed(4)).join(" ");
    if (root.dataset.matrix !== matrix) root.dataset.matrix = matrix;
    swipe.place();
    describe();
    if (pointer) readOut(pointer);
  }

  /** A line between the panes. @param {import("./view.js").Box} second */
  function divide({ x, y, width, height }) {
    context.fillStyle = INK.light;
    if (x > 0) context.fillRect(x - 0.5, 0, 1, height);
    else context.fillRect(0, y - 0.5, width, 1);
  }

  /** @param {ImageItem} item with its bitmap @param {Place} place */
  function drawPicture(item, { a, b, c, d, e, f, ...box }) {
    const { window, invert } = look.of(item);
    context.save();
    context.imageSmoothingEnabled = state.settings.smooth;
    context.imageSmoothingQuality = "high";
    context.transform(a, b, c, d, e, f);
    context.drawImage(display.of(item, window), 0, 0, item.width, item.height);
    context.restore();
    if (!invert) return;
    context.save();
    context.globalCompositeOperation = "difference";
    context.fillStyle = "#fff";
    context.fillRect(box.x, box.y, box.width, box.height);
    context.restore();
  }

  /** @param {Place} place */
  function paintOverlay(place) {
    if (state.peek || state.bare) return;
    const item = currentImage(state);
    context.save();
    if (state.settings.swipe && !state.sideBySide) {
      const cut = place.x + place.width * state.settings.swipeAt;
      context.beginPath();
      context.rect(cut, place.y, place.x + place.width - cut, place.height);
      context.clip();
    }
    const { a, b, c, d, e, f } = place;
    if (item) drawOverlay(context, { x: 0, y: 0, width: item.width, height: item.height }, [a, b, c, d, e, f]);
    context.restore();
  }

  /** @param {CanvasRenderingContext2D} context @param {import("./view.js").Box} box where the picture lies @param {[number, number, number, number, number, number]} [matrix] that it is drawn through @param {import("./overlay.js").Rendered | null} [layer] */
  function drawOverlay(context, box, matrix = [1, 0, 0, 1, 0, 0], layer = overlay.of(currentImage(state))) {
    const { settings } = state;
    if (!layer) return;
    context.save();
    context.globalAlpha = settings.opacity * layer.strength;
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.transform(...matrix);
    context.drawImage(layer.canvas, box.x, box.y, box.width, box.height);
    if (settings.contour) traceContours(context, layer.contours, layer.size, box);
    // Lines keep their width, whatever the picture is drawn through.
    context.restore();
    if (!settings.contour) return;
    context.lineJoin = "round";
    context.strokeStyle = INK.dark;
    context.lineWidth = 3;
    context.stroke();
    context.strokeStyle = INK.light;
    context.lineWidth = 1.25;
    context.stroke();
  }

  function describe() {
    const item = currentImage(state);
    const note = el("viewer-note");
    let text = "";
    if (item?.status === "error") text = t("viewer.unreadable", { reason: sentence(item.message) });
    else if (item && !item.bitmap) text = state.load.phase === "ready" ? t("viewer.opening") : t("viewer.later");
    else if (item?.result && overlay.of(item)?.contours.length === 0 && (layerThreshold(state, item) ?? -Infinity) > layerRange(state, item).lo) {
      text = t("viewer.nothingAbove");
    }
    setText(note, text);
    setHidden(note, text === "");
    setHidden(el("synthetic-mark"), !item?.synthetic);
    note.classList.toggle("centred", !item?.bitmap);
    const name = item ? `${shownLabel(item)}, ${shownName(item, item.name)}` : "";
    const turn = item?.bitmap ? look.words() : "";
    setText(el("look-turn-words"), turn && sentence(turn));
    setHidden(el("look-turn"), turn === "");
    const what = !item ? t("viewer.none")
      : item.result ? `${item.synthetic ? t("viewer.overlaySynthetic", { name }) : t("viewer.overlay", { name })} ${spokenScore(item)}${t("viewer.range", { lowest: twoDigits(item.result.mapMin), highest: twoDigits(item.result.mapMax) })}`
      : item.synthetic ? t("viewer.newSynthetic", { name }) : t("viewer.new", { name });
    const called = turn ? `${what} ${sentence(turn)}` : what;
    if (canvas.getAttribute("aria-label") !== called) canvas.setAttribute("aria-label", called);
    setHidden(el("tools"), !item?.bitmap);
    setHidden(el("bare"), !overlay.of(item));
    el("bare").setAttribute("aria-pressed", String(state.bare));
  }

  /** @param {ImageItem} item with a result */
  function spokenScore(item) {
    const { score } = readScore(state, item);
    return score === null ? "" : `${t("viewer.score", { score: twoDigits(score) })} `;
  }

  /** Position in the picture, its value and that of the map under the pointer. @param {PointerEvent} event */
  function readOut(event) {
    const item = currentImage(state);
    const at = item?.bitmap ? pixelAt(zoom.frame(), zoom.at(event), item) : null;
    if (!item || !at) return setText(el("readout"), "");
    const layer = layerOf(state, item);
    const cell = (/** @type {number} */ value, /** @type {number} */ side, /** @type {number} */ size) => Math.floor(((value + 0.5) / side) * size);
    const score = layer ? t("viewer.map", { value: twoDigits(layer.map[cell(at.y, item.height, layer.size) * layer.size + cell(at.x, item.width, layer.size)]) }) : "";
    setText(el("readout"), [t("viewer.at", { x: at.x, y: at.y }), display.valueAt(item, at), score].filter(Boolean).join("  "));
  }

  for (const kind of ["pointerdown", "pointermove"]) {
    canvas.addEventListener(kind, (event) => {
      pointer = /** @type {PointerEvent} */ (event);
      readOut(pointer);
    });
  }
  canvas.addEventListener("pointerleave", () => {
    pointer = null;
    setText(el("readout"), "");
  });
  // The right button is for the window.
  canvas.addEventListener("contextmenu", (event) => windowTool.isUsable() && event.preventDefault());
  el("bare").addEventListener("click", () => store.set({ bare: !state.bare }));
  el("look-reset").addEventListener("click", reset);

  new ResizeObserver(ask).observe(root);
  store.on(() => {
    const result = currentImage(state)?.result ?? null;
    // A new map is there to be seen.
    if (state.currentId === viewedId && result && result !== viewedResult) state.bare = false;
    viewedResult = result;
    if (state.currentId !== viewedId) {
      viewedId = state.currentId;
      pointer = null;
      setText(el("readout"), "");
    }
    ask();
  });
  return {
    keys,
    /** Draws a picture with its overlay, whole and as it was analysed; by default the one in view. @param {CanvasRenderingContext2D} context @param {import("./view.js").Box} box @param {ImageItem | null} [item] @param {import("./overlay.js").Rendered | null} [layer] */
    draw(context, box, item = currentImage(state), layer = overlay.of(item)) {
      if (!item?.bitmap) return;
      context.imageSmoothingQuality = "high";
      context.drawImage(item.bitmap, box.x, box.y, box.width, box.height);
      drawOverlay(context, box, undefined, layer);
      drawHatched(context, regionsFor(state, item), item, box);
    },
  };
}
