/**
 * What one can keep besides picture and report: the map itself, its outlines, what lies above the threshold as DICOM or NIfTI
 * in the space of the source, and the printed page as a file. None of them holds a name or a date of a patient; files' names
 * are in them only when the box is ticked.
 */

import { createPauses, el, make, sentence, setHidden, setText } from "./dom.js";
import { besideWhat, fileName, withoutEnding } from "./names.js";
import { thresholdFor } from "./results.js";
import { download } from "./save.js";
import { createSliceExports } from "./slice-exports.js";
import { analysedSlices } from "./stacks.js";
import { currentImage } from "./store.js";
import { inEnglish, t } from "./texts.js";
import { warningsFor } from "./warnings.js";

/** @typedef {import("./types.d.ts").ImageItem} ImageItem */
/** @typedef {import("./types.d.ts").State} State */
/** A kind of file; `ofAll`: it is about several slices. @typedef {{name: string, ending: string, hint: string, ofAll?: boolean, make: () => Promise<Blob>}} Kind */

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./messages.js").createMessages>} messages
 * @param {ReturnType<typeof import("./overlay.js").createOverlay>} overlay
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 * @param {ReturnType<typeof import("./source.js").createSources>} sources
 * @param {ReturnType<typeof import("./viewer.js").mountViewer>} viewer
 * @param {ReturnType<typeof import("./print.js").mountPrint>} print
 */
export function mountExports(store, messages, overlay, images, sources, viewer, print) {
  const { state } = store;
  const select = el("export-kind");
  const button = el("export-save");
  const slicewise = createSliceExports(store, overlay, images, sources, viewer);
  let offered = "";

  /** What there is to save of an image, by name. @param {ImageItem} item with a result @returns {Record<string, Kind>} */
  function kindsFor(item) {
    const result = /** @type {import("../../pkg/index.d.ts").Result} */ (item.result);
    const threshold = thresholdFor(state, item);
    const isVoid = warningsFor(item).some(({ voids }) => voids);
    const model = `${state.info?.name}, revision ${state.info?.revision}`;
    const alone = (/** @type {"npy" | "png16"} */ kind) => async () => blobOf(await sources.write(null, { kind, values: result.overlay, side: result.size }), kind === "npy" ? "application/octet-stream" : "image/png");
    /** @type {Record<string, Kind>} */
    const kinds = {
      page: { name: t("exports.page"), ending: "html", hint: t("exports.pageHint"), make: async () => (await images.decode(item), print.file()) },
      png16: { name: t("exports.png16"), ending: "png", hint: t("exports.png16Hint", { size: result.size }), make: alone("png16") },
      npy: { name: t("exports.npy"), ending: "npy", hint: t("exports.npyHint", { size: result.size }), make: alone("npy") },
    };
    if (threshold !== null && !isVoid) {
      kinds.outlines = { name: t("exports.outlines"), ending: "json", hint: t("exports.outlinesHint"), make: () => slicewise.outlines(item, threshold, el("report-names").checked) };
    }
    const { series, slice } = item;
    const all = sameSlices(item);
    if (series && all.length > 1 && all.some((one) => thresholdFor(state, one) !== null)) {
      kinds.outlinesOfAll = { name: t("exports.outlinesOfAll", { count: all.length }), ending: "json", ofAll: true, hint: t("exports.outlinesOfAllHint"), make: () => slicewise.outlinesOfAll(all, series, el("report-names").checked) };
    }
    if (!series || series.isKept || series.isPicture || (slice && slice.axis !== "axial")) return kinds;
    const slices = all;
    const count = slices.length;
    const write = (/** @type {import("../../pkg/index.d.ts").WriteRequest["kind"]} */ kind, /** @type {string} */ type) => async () => blobOf(await sources.write(series, {
      kind, model, side: result.size, threshold: threshold ?? Infinity, slices: slices.map((one) => numberOf(one, series)), values: await joined(slices.flatMap(({ result: one }) => one ?? [])),
    }), type);
    kinds.map = { name: t("exports.map", { count }), ending: "nii.gz", hint: t("exports.mapHint"), make: write("map", "application/gzip") };
    if (threshold !== null && !isVoid) {
      kinds.labels = { name: t("exports.labels"), ending: "nii.gz", hint: t("exports.labelsHint", { count }), make: write("labels", "application/gzip") };
      if (series.format.startsWith("DICOM")) {
        kinds.segmentation = { name: t("exports.segmentation"), ending: "dcm", hint: t("exports.segmentationHint", { count }), make: write("segmentation", "application/dicom") };
      }
    }
    if (series.format.startsWith("DICOM")) {
      const capture = (/** @type {ImageItem[]} */ items) => () => slicewise.capture(items, series, items.map((one) => numberOf(one, series)), model);
      kinds.capture = { name: t("exports.capture"), ending: "dcm", hint: t("exports.captureHint"), make: capture([item]) };
      if (slices.length > 1) {
        kinds.captures = { name: t("exports.captures", { count }), ending: "dcm", ofAll: true, hint: t("exports.capturesHint"), make: capture(slices) };
      }
    }
    return kinds;
  }

  /** The image, and of its stack all slices that have a result made in the same way. @param {ImageItem} item */
  function sameSlices(item) {
    const all = analysedSlices(state, item).filter((one) => one.resultKey === item.resultKey);
    return all.length > 0 ? all : [item];
  }

  button.addEventListener("click", async () => {
    const item = currentImage(state);
    const kind = item?.result ? kindsFor(item)[select.value] : undefined;
    if (!item || !kind || button.ariaDisabled) return;
    // It keeps the focus, which a disabled button loses.
    button.ariaDisabled = "true";
    try {
      const { object, mode } = /** @type {import("../../pkg/index.d.ts").Result} */ (item.result);
      const label = kind.ofAll ? inEnglish("image.label", { number: item.number }) : item.label;
      const called = el("report-names").checked ? withoutEnding(kind.ofAll ? item.series?.name ?? item.path : item.path) : label;
      download(await kind.make(), `${fileName(called, object, besideWhat(mode), select.value)}.${kind.ending}`);
    } catch (error) {
      if (error.name === "AbortError") messages.notice(t("exports.stopped"));
      else messages.error(t("exports.failed", { reason: sentence(error.message) }));
    } finally {
      button.removeAttribute("aria-disabled");
    }
  });
  select.addEventListener("change", () => store.changed());

  store.on(() => {
    const item = currentImage(state);
    setHidden(el("exports"), !item?.result);
    if (!item?.result) return;
    const kinds = kindsFor(item);
    const key = Object.entries(kinds).map(([id, { name }]) => `${id} ${name}`).join("\n");
    if (key !== offered) {
      offered = key;
      const before = select.value;
      select.replaceChildren(...Object.entries(kinds).map(([value, { name }]) => make("option", { value, text: name })));
      select.value = kinds[before] ? before : Object.keys(kinds)[0];
    }
    const isWithout = item.series?.isKept && !item.series.isPicture;
    setText(el("export-hint"), [kinds[select.value]?.hint ?? "", isWithout ? t("exports.noSource") : ""].filter(Boolean).join(" "));
  });
}

/** @param {Uint8Array<ArrayBuffer>} bytes @param {string} type */
function blobOf(bytes, type) {
  return new Blob([bytes], { type });
}

/** Number of a slice among all of its series. @param {ImageItem} item @param {import("../../pkg/index.d.ts").SeriesInfo} series */
function numberOf({ slice }, series) {
  return slice ? slice.volume * series.axes.axial.frames + slice.index : 0;
}

/** Their maps one after the other. @param {import("../../pkg/index.d.ts").Result[]} results of maps of equal size */
async function joined(results) {
  const pauses = createPauses();
  const length = results[0].size ** 2;
  const all = new Float32Array(results.length * length);
  for (const [n, { overlay }] of results.entries()) {
    all.set(overlay, n * length);
    if (pauses.isDue()) await pauses.pause();
  }
  return all;
}
