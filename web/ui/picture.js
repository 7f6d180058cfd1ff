/**
 * The picture to save: image and overlay at the image's own resolution, colour bar with numbers, and below in words what it
 * was made with and how to read it, so that it can be read on its own.
 */

import { twoDigits } from "./dom.js";
import { drawHatched } from "./hatch.js";
import { shownLabel } from "./labels.js";
import { traceContours } from "./overlay.js";
import { readScore } from "./reading.js";
import { isStale, madeWith } from "./results.js";
import { scaleOf, thresholdWords } from "./scale.js";
import { t } from "./texts.js";

/**
 * @param {import("./types.d.ts").State} state
 * @param {import("./types.d.ts").ImageItem} item with its bitmap and result
 * @param {import("./overlay.js").Rendered} layer
 * @returns {Promise<Blob>} a PNG
 */
export async function drawPicture(state, item, layer) {
  const { settings } = state;
  const { width, height } = item;
  // Text and bar grow with the picture, so that they read the same at any size.
  const unit = Math.max(4, Math.round(Math.max(width, height) / 128));
  const font = `${unit * 2.75}px system-ui, sans-serif`;
  const canvas = document.createElement("canvas");
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.font = font;
  const lines = describe(state, item, layer).flatMap((text) => wrap(context, text, width - 4 * unit));
  canvas.width = width;
  canvas.height = height + unit * 8 + lines.length * unit * 4;

  context.fillStyle = "#0b0e12";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(/** @type {ImageBitmap} */ (item.bitmap), 0, 0);
  context.globalAlpha = settings.opacity * layer.strength;
  context.imageSmoothingQuality = "high";
  context.drawImage(layer.canvas, 0, 0, width, height);
  context.globalAlpha = 1;
  if (settings.contour) {
    traceContours(context, layer.contours, layer.size, { x: 0, y: 0, width, height });
    context.strokeStyle = "#fff";
    context.lineWidth = Math.max(1, unit / 4);
    context.stroke();
  }
  drawHatched(context, item.leftOut, item, { x: 0, y: 0, width, height }, Math.max(1, unit / 4));
  drawBar(context, layer, { unit, width, top: height + unit * 2, font });
  context.fillStyle = "#e6ebf0";
  context.textAlign = "left";
  lines.forEach((line, index) => context.fillText(line, 2 * unit, height + unit * 9.5 + index * unit * 4));

  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error(t("picture.tooLarge")))), "image/png");
  });
}

/**
 * What stands below the picture, a paragraph each.
 * @param {import("./types.d.ts").State} state
 * @param {import("./types.d.ts").ImageItem} item
 * @param {import("./overlay.js").Rendered} layer
 */
export function describe(state, item, layer) {
  const made = madeWith(item);
  const { score, reading, warnings } = readScore(state, item);
  const object = state.info?.objects.find(({ id }) => id === made.object)?.name ?? made.object;
  const compared = made.mode === "zero" ? t(item.result?.words ? "picture.ownWords" : "picture.words", { object }) : made.mode === "self" ? t("picture.itself", { object }) : made.mode === "batch" ? t("picture.batch", { object }) : t("picture.normals", { object, count: made.normals.length });
  const scale = scaleOf(layer, made.mode);
  return [
    `${shownLabel(item)}. ${item.synthetic ? `${t("picture.synthetic")} ` : ""}${compared}`,
    score === null ? `${reading}.` : t("picture.score", { score: twoDigits(score), reading }),
    ...warnings.map(({ text }) => text),
    t(layer.threshold === null ? "picture.coloursOnly" : "picture.colours", { scale, threshold: thresholdWords(layer.threshold) }),
    `${t("picture.model", { model: String(made.model), revision: String(made.revision), date: new Date().toISOString().slice(0, 10) })}${isStale(state, item) ? ` ${t("picture.stale")}` : ""}`,
    t("picture.purpose"),
  ];
}

/** @param {CanvasRenderingContext2D} context @param {import("./overlay.js").Rendered} layer @param {{unit: number, width: number, top: number, font: string}} place */
function drawBar(context, layer, { unit, width, top, font }) {
  const bar = document.createElement("canvas");
  bar.width = layer.bar.length / 4;
  bar.height = 1;
  bar.getContext("2d")?.putImageData(new ImageData(/** @type {any} */ (layer.bar), bar.width, 1), 0, 0);
  context.font = font;
  context.fillStyle = "#e6ebf0";
  context.textBaseline = "middle";
  const [lo, hi] = [twoDigits(layer.lo), twoDigits(layer.hi)];
  const left = 3 * unit + context.measureText(lo).width;
  const right = width - 3 * unit - context.measureText(hi).width;
  const middle = top + unit * 2;
  context.textAlign = "left";
  context.fillText(lo, 2 * unit, middle);
  context.textAlign = "right";
  context.fillText(hi, width - 2 * unit, middle);
  context.drawImage(bar, left, top + unit, right - left, unit * 2);
  if (layer.threshold === null) return;
  const at = left + (right - left) * Math.min(1, Math.max(0, (layer.threshold - layer.lo) / (layer.hi - layer.lo)));
  context.fillRect(at - unit / 4, top, unit / 2, unit * 4);
}

/** @param {CanvasRenderingContext2D} context @param {string} text @param {number} width */
function wrap(context, text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = lines[lines.length - 1] ? `${lines[lines.length - 1]} ${word}` : word;
    if (context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.filter(Boolean);
}
