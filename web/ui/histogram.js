/** How often each value occurs in a map, drawn behind the threshold's slider. Counts are shown on a logarithmic scale. */

export const BINS = 64;

/** @param {Float32Array} map @param {number} lo @param {number} hi @param {number} [bins] @returns {Uint32Array} what is no number is not counted */
export function histogram(map, lo, hi, bins = BINS) {
  const counts = new Uint32Array(bins);
  const scale = bins / (hi - lo);
  for (let i = 0; i < map.length; i += 1) {
    const at = Math.floor((map[i] - lo) * scale);
    if (at >= 0 && at < bins) counts[at] += 1;
    else if (map[i] === hi) counts[bins - 1] += 1;
  }
  return counts;
}

/**
 * @param {HTMLCanvasElement} canvas its colour is that of the bars below the threshold, its accent that of those above
 * @param {Uint32Array} counts
 * @param {number | null} at the threshold as a share of the range
 */
export function drawHistogram(canvas, counts, at) {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (width === 0 || height === 0) return;
  // Setting its size clears it.
  Object.assign(canvas, { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const { color, accentColor } = getComputedStyle(canvas);
  const most = Math.log1p(Math.max(1, ...counts));
  const step = width / counts.length;
  counts.forEach((count, n) => {
    context.fillStyle = at !== null && (n + 0.5) / counts.length >= at ? accentColor : color;
    const tall = (Math.log1p(count) / most) * height;
    context.fillRect(n * step, height - tall, Math.max(1, step - ratio), tall);
  });
}
