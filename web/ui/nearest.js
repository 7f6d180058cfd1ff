/**
 * The normal images that lie nearest to a slice, where both are slices of volumes that cover the same range: by position in mm
 * where the two volumes lie in the same space, else by their place from one end to the other. Pure functions.
 */

/** @typedef {{series?: import("../../pkg/index.d.ts").SeriesInfo | null, slice?: {axis: import("../../pkg/index.d.ts").SliceAxis, volume: number, index: number}}} Placed */

/** Volumes lie in the same space if they share so much of the shorter one's range. */
const SHARED_RANGE = 0.5;

/** Whether there is something to choose. @param {Placed | null} item @param {readonly Placed[]} normals */
export function canChoose(item, normals) {
  return Boolean(item?.slice && item.series) && normals.filter((normal) => isAlike(item, normal)).length > 1;
}

/**
 * @template {Placed} T
 * @param {Placed} item @param {readonly T[]} normals @param {number | null} count null: all
 * @returns {T[]} in their order; all of them where one is no slice of the same plane
 */
export function nearestOf(item, normals, count) {
  if (count === null || count >= normals.length || !normals.every((normal) => isAlike(item, normal))) return [...normals];
  const distances = normals.map((normal) => distance(item, normal));
  const nearest = normals.map((_, n) => n).sort((a, b) => distances[a] - distances[b] || a - b).slice(0, count);
  return nearest.sort((a, b) => a - b).map((n) => normals[n]);
}

/** Slices of the same plane. @param {Placed | null} a @param {Placed} b */
function isAlike(a, b) {
  return Boolean(a?.slice && b.slice && a.series && b.series) && a?.slice?.axis === b.slice?.axis;
}

/** As a share of the item's range. @param {Placed} item @param {Placed} normal */
function distance(item, normal) {
  const [a, b] = [rangeOf(item), rangeOf(normal)];
  if (a && b && item.series?.plane === normal.series?.plane) {
    const shared = Math.min(a.high, b.high) - Math.max(a.low, b.low);
    const length = a.high - a.low;
    if (length > 0 && shared >= SHARED_RANGE * Math.min(length, b.high - b.low)) return Math.abs(a.at - b.at) / length;
  }
  return Math.abs(shareOf(item) - shareOf(normal));
}

/** Its place from the first slice, 0, to the last, 1. @param {Placed} placed */
function shareOf({ series, slice }) {
  const { frames } = /** @type {import("../../pkg/index.d.ts").SeriesAxis} */ (series?.axes[slice?.axis ?? "axial"]);
  return (slice?.index ?? 0) / Math.max(1, frames - 1);
}

/** Positions in mm: its own, and between which those of its volume lie; null where there are none. @param {Placed} placed */
function rangeOf({ series, slice }) {
  if (slice?.axis !== "axial" || !series?.positionsMm) return null;
  const { frames } = series.axes.axial;
  const positions = series.positionsMm.slice(slice.volume * frames, (slice.volume + 1) * frames);
  const at = positions[slice.index];
  return Number.isFinite(at) ? { at, low: Math.min(...positions), high: Math.max(...positions) } : null;
}
