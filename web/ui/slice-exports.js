/**
 * Files about several slices of a stack that are made one slice after another: outlines and places, and the pictures with
 * their overlays as one DICOM file. Each begins with what may be refused, tells its progress, and can be stopped. Of the
 * pictures only the one in hand is held; those that are finished are the browser's to keep (Blobs).
 */

import { placesAbove } from "./components.js";
import { isStale, thresholdFor } from "./results.js";
import { inEnglish, t } from "./texts.js";
import { warningsFor } from "./warnings.js";

/** So many places are listed of a slice. */
const MOST_PLACES = 1000;

/** @typedef {import("./types.d.ts").ImageItem} ImageItem */
/** @typedef {import("../../pkg/index.d.ts").SeriesInfo} SeriesInfo */

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./overlay.js").createOverlay>} overlay
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 * @param {ReturnType<typeof import("./source.js").createSources>} sources
 * @param {ReturnType<typeof import("./viewer.js").mountViewer>} viewer
 */
export function createSliceExports(store, overlay, images, sources, viewer) {
  const { state } = store;

  /**
   * Makes something of each item, with progress and a way to stop.
   * @template T @param {ImageItem[]} items @param {(item: ImageItem) => Promise<T>} work @returns {Promise<T[]>}
   */
  async function each(items, work) {
    const controller = new AbortController();
    const made = [];
    try {
      for (const [done, item] of items.entries()) {
        if (items.length > 1) store.set({ saving: { done, total: items.length, controller } });
        made.push(await work(item));
        if (controller.signal.aborted) throw Object.assign(new Error(t("common.stopped")), { name: "AbortError" });
      }
      return made;
    } finally {
      store.set({ saving: null });
    }
  }

  /** What lies above the threshold of one image. @param {ImageItem} item @param {number} threshold */
  async function outlinesOf(item, threshold) {
    const { overlay: map, size } = /** @type {import("../../pkg/index.d.ts").Result} */ (item.result);
    if (!state.session) throw new Error(t("errors.notLoadedSave"));
    const { contours } = await state.session.render(map, size, { lo: threshold, hi: threshold + 1, threshold, colourMap: state.settings.colourMap });
    const { places, total } = placesAbove(map, size, threshold, item, MOST_PLACES);
    const scale = [item.width / size, item.height / size];
    const lines = contours.map((line) => Array.from({ length: line.length / 2 }, (_, n) => [line[2 * n] * scale[0], line[2 * n + 1] * scale[1]]));
    return {
      width: item.width, height: item.height, spacingMm: item.spacingMm ?? null, threshold, lines: lines.map((points) => ({ points })),
      places: places.map(({ areaPx, areaMm2, peak, mean, peakAt, box }) => ({ areaPx, areaMm2, peak, mean, peakAt, box })), placesInAll: total, madeWithOlderSettings: isStale(state, item),
    };
  }

  /** What every file of outlines begins with. @param {ImageItem} item @param {boolean} names @param {string} label */
  function head(item, names, label) {
    const { object, mode } = /** @type {import("../../pkg/index.d.ts").Result} */ (item.result);
    return {
      outlines: "MVFA Web", format: 1, image: label, ...(names ? { fileName: label === item.label ? item.path : item.series?.path } : {}), object, mode,
      coordinates: "x to the right and y down in pixels of the image; 0.5, 0.5 is the middle of the first",
    };
  }

  /** @param {object} text */
  const json = (text) => new Blob([JSON.stringify(text, null, 1)], { type: "application/json" });

  return {
    /** @param {ImageItem} item @param {number} threshold @param {boolean} names whether files' names go in */
    outlines: async (item, threshold, names) => json({ ...head(item, names, item.label), ...(await outlinesOf(item, threshold)) }),

    /** Of all slices; those without a score or a threshold are named and have no outlines. @param {ImageItem[]} items of one stack @param {SeriesInfo} series @param {boolean} names */
    async outlinesOfAll(items, series, names) {
      const slices = await each(items, async (item) => {
        const { axis, volume, index } = /** @type {NonNullable<ImageItem["slice"]>} */ (item.slice);
        const positionMm = axis === "axial" ? series.positionsMm?.[volume * series.axes.axial.frames + index] : undefined;
        const which = { slice: index + 1, ...(axis === "axial" ? {} : { axis }), ...(series.volumes > 1 ? { volume: volume + 1 } : {}), ...(positionMm === undefined ? {} : { positionMm }) };
        const threshold = warningsFor(item).some(({ voids }) => voids) ? null : thresholdFor(state, item);
        return threshold === null ? { ...which, threshold: null } : { ...which, ...(await outlinesOf(item, threshold)) };
      });
      return json({ ...head(items[0], names, inEnglish("image.label", { number: items[0].number })), slices });
    },

    /** Images with their overlays as one DICOM file that refers to their sources. @param {ImageItem[]} items @param {SeriesInfo} series @param {number[]} numbers of the slices @param {string} model */
    async capture(items, series, numbers, model) {
      // Refused, if at all, before anything is drawn.
      const beginning = await sources.write(series, { kind: "captureHead", model, slices: numbers, values: new Uint8Array() });
      const canvas = document.createElement("canvas");
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
      const pictures = await each(items, async (item) => {
        await images.decode(item);
        if (!item.bitmap) throw new Error(t("image.notDecoded"));
        const layer = await overlay.make(item);
        const { width, height } = item;
        Object.assign(canvas, { width, height });
        viewer.draw(context, { x: 0, y: 0, width, height }, item, layer);
        const { data } = context.getImageData(0, 0, width, height);
        const rgb = new Uint8Array(width * height * 3);
        for (let i = 0, at = 0; i < data.length; i += 4, at += 3) {
          rgb[at] = data[i];
          rgb[at + 1] = data[i + 1];
          rgb[at + 2] = data[i + 2];
        }
        return new Blob([rgb]);
      });
      const isOdd = pictures.reduce((sum, { size }) => sum + size, 0) % 2 === 1;
      return new Blob([beginning, ...pictures, ...(isOdd ? [new Uint8Array(1)] : [])], { type: "application/dicom" });
    },
  };
}
