/**
 * Keeps the rendered overlay of the current picture up to date: asks the worker for pixels and outlines
 * whenever map, range, threshold or colours change. One request at a time; only the latest wish counts.
 */

import { layerOf, layerRange, layerThreshold } from "./layers.js";
import { currentImage } from "./store.js";
import { t } from "./texts.js";
import { warningsFor } from "./warnings.js";

/** Strength of the colours without a threshold: the whole map is shown faintly, and nothing stands out. */
const GENTLE = 0.5;

/** @typedef {{layer: import("./layers.js").Layer, map: Float32Array, lo: number, hi: number, threshold: number | null, strength: number, colourMap: import("../../pkg/index.d.ts").ColourMap, canvas: HTMLCanvasElement, contours: Float32Array[], size: number, bar: Uint8ClampedArray}} Rendered */

/** @param {ReturnType<typeof import("./store.js").createStore>} store */
export function createOverlay(store) {
  const { state } = store;
  /** @type {Rendered | null} */
  let rendered = null;
  let busy = false;
  /** The wish that could not be met, which a new session may meet. @type {{wanted: NonNullable<ReturnType<typeof wish>>, session: object} | null} */
  let failed = null;

  function wish(item = currentImage(state)) {
    const layer = layerOf(state, item);
    if (!item || !layer || !state.session || warningsFor(item).some(({ voids }) => voids)) return null;
    const { lo, hi } = layerRange(state, item);
    return { layer, map: layer.map, size: layer.size, lo, hi, threshold: layerThreshold(state, item), colourMap: state.settings.colourMap };
  }

  /** @param {NonNullable<ReturnType<typeof wish>>} wanted @param {ReturnType<typeof wish>} other */
  function isSame(wanted, other) {
    return other !== null && other.map === wanted.map && other.lo === wanted.lo && other.hi === wanted.hi
      && other.threshold === wanted.threshold && other.colourMap === wanted.colourMap;
  }

  async function update() {
    const wanted = wish();
    const { session } = state;
    if (busy || !wanted || !session || isSame(wanted, rendered)) return;
    if (failed && failed.session === session && isSame(wanted, failed.wanted)) return;
    busy = true;
    try {
      rendered = await render(session, wanted);
      failed = null;
    } catch {
      // A lost worker is answered elsewhere; its successor is asked again.
      failed = { wanted, session };
    }
    busy = false;
    store.changed();
    void update();
  }

  store.on(() => void update());
  return {
    /** The rendering for a picture, or null while none fits its map. @param {import("./types.d.ts").ImageItem | null} item @returns {Rendered | null} */
    of: (item) => (item?.result && rendered?.map === layerOf(state, item)?.map ? rendered : null),
    /** The rendering for any picture, made now; null where nothing is shown over it. @param {import("./types.d.ts").ImageItem} item @returns {Promise<Rendered | null>} */
    async make(item) {
      const wanted = wish(item);
      if (!wanted || isSame(wanted, rendered)) return wanted && rendered;
      if (!state.session) throw new Error(t("errors.notLoadedSave"));
      return render(state.session, wanted);
    },
  };
}

/**
 * @param {import("../../pkg/index.d.ts").Session} session
 * @param {Pick<Rendered, "layer" | "map" | "size" | "lo" | "hi" | "threshold" | "colourMap">} wanted  `threshold` null: the whole map, without outlines
 * @returns {Promise<Rendered>}
 */
export async function render(session, wanted) {
  const { map, size, lo, hi, threshold, colourMap } = wanted;
  const { rgba, contours, bar } = await session.render(map, size, { lo, hi, threshold: threshold ?? lo, colourMap });
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const pixels = new Uint8ClampedArray(rgba.buffer, rgba.byteOffset, rgba.byteLength);
  canvas.getContext("2d")?.putImageData(new ImageData(/** @type {any} */ (pixels), size, size), 0, 0);
  const drawn = threshold === null ? { contours: [], strength: GENTLE } : { contours, strength: 1 };
  return { ...wanted, ...drawn, canvas, bar: new Uint8ClampedArray(bar.buffer, bar.byteOffset, bar.byteLength) };
}

/**
 * Adds the outlines to a context's path, in a frame of the given size.
 * @param {CanvasRenderingContext2D} context
 * @param {Float32Array[]} contours x, y pairs; (0.5, 0.5) is the middle of the first map pixel
 * @param {number} size side of the map
 * @param {{x: number, y: number, width: number, height: number}} frame
 */
export function traceContours(context, contours, size, frame) {
  const sx = frame.width / size;
  const sy = frame.height / size;
  context.beginPath();
  for (const line of contours) {
    for (let i = 0; i + 1 < line.length; i += 2) {
      const x = frame.x + line[i] * sx;
      const y = frame.y + line[i + 1] * sy;
      if (i === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    }
  }
}
