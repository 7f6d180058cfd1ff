/**
 * Saving: the picture with its overlay, and the report. Files' names and folders can name a person: they go in, and into the
 * saved picture's own name, only when the box is ticked.
 */

import { createPauses, el, sentence } from "./dom.js";
import { besideWhat, fileName, withoutEnding } from "./names.js";
import { currentImage } from "./store.js";
import { drawPicture } from "./picture.js";
import { makeReport } from "./report.js";
import { shareAbove, thresholdFor } from "./results.js";
import { t } from "./texts.js";

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./messages.js").createMessages>} messages
 * @param {ReturnType<typeof import("./overlay.js").createOverlay>} overlay
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 */
export function mountSave(store, messages, overlay, images) {
  const { state } = store;
  const picture = el("download-overlay");
  const report = el("download-report");

  picture.addEventListener("click", async () => {
    const item = currentImage(state);
    if (!item?.result) return;
    try {
      await images.decode(item);
      const layer = overlay.of(item);
      if (!layer || !item.bitmap) throw new Error(t("save.notDrawn"));
      download(await drawPicture(state, item, layer), pictureName(item, el("report-names").checked));
    } catch (error) {
      messages.error(t("save.failed", { reason: sentence(error.message) }));
    }
  });
  report.addEventListener("click", async () => {
    // What takes long for many images, in parts.
    const pauses = createPauses();
    for (const item of state.images) {
      const threshold = item.result && thresholdFor(state, item);
      if (threshold !== null) shareAbove(item, threshold);
      if (pauses.isDue()) await pauses.pause();
    }
    const text = JSON.stringify(makeReport(state, el("report-names").checked), null, 2);
    download(new Blob([text], { type: "application/json" }), "report.json");
  });
  store.on(() => {
    picture.disabled = !overlay.of(currentImage(state));
    report.disabled = !state.images.some((item) => item.result);
  });
}

/** @param {import("./types.d.ts").ImageItem} item with a result @param {boolean} names */
function pictureName(item, names) {
  const { object, mode } = /** @type {import("../../pkg/index.d.ts").Result} */ (item.result);
  return `${fileName(names ? withoutEnding(item.path) : item.label, object, besideWhat(mode))}.png`;
}

/** @param {Blob} blob @param {string} name */
export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser needs the address until it has begun to write.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
