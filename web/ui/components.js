/** The connected places of a map at or above a threshold, the highest first. Pixels that touch at a corner belong together. Pure. */

/**
 * @typedef {object} Place
 * @property {number} rank from 1, by the peak
 * @property {number} cells of the map
 * @property {number} areaPx in pixels of the picture
 * @property {number | null} areaMm2 null without a spacing
 * @property {number} peak highest value of the map in it
 * @property {number} mean
 * @property {{x: number, y: number}} peakAt in pixels of the picture
 * @property {import("./view.js").Box} box around it, in pixels of the picture
 */

/**
 * @param {Float32Array} map side × side, over the whole picture
 * @param {number} side
 * @param {number} threshold
 * @param {{width: number, height: number, spacingMm?: [number, number] | null}} picture
 * @param {number} most so many are answered at most
 * @returns {{places: Place[], total: number}} and how many there are
 */
export function placesAbove(map, side, threshold, picture, most) {
  const seen = new Uint8Array(map.length);
  const found = [];
  for (let start = 0; start < map.length; start += 1) {
    if (!seen[start] && map[start] >= threshold) found.push(grow(map, side, threshold, start, seen));
  }
  found.sort((a, b) => b.peak - a.peak || b.cells - a.cells);
  return { places: found.slice(0, most).map((region, n) => placeOf(region, n + 1, side, picture)), total: found.length };
}

/** The place of the map's highest value alone, null if that is below the threshold. @param {Float32Array} map @param {number} side @param {number} threshold @param {Parameters<typeof placesAbove>[3]} picture @returns {Place | null} */
export function highestPlace(map, side, threshold, picture) {
  let top = -1;
  for (let cell = 0; cell < map.length; cell += 1) if (map[cell] >= threshold && (top < 0 || map[cell] > map[top])) top = cell;
  return top < 0 ? null : placeOf(grow(map, side, threshold, top, new Uint8Array(map.length)), 1, side, picture);
}

/** @typedef {{cells: number, sum: number, peak: number, peakCell: number, left: number, top: number, right: number, bottom: number}} Region in cells of the map */

/** All that is connected with a cell. @param {Float32Array} map @param {number} side @param {number} threshold @param {number} start @param {Uint8Array} seen is marked @returns {Region} */
function grow(map, side, threshold, start, seen) {
  const region = { cells: 0, sum: 0, peak: -Infinity, peakCell: start, left: side, top: side, right: 0, bottom: 0 };
  const waiting = [start];
  seen[start] = 1;
  for (let cell = waiting.pop(); cell !== undefined; cell = waiting.pop()) {
    const [x, y] = [cell % side, Math.floor(cell / side)];
    take(region, cell, map[cell], x, y);
    for (let ny = Math.max(0, y - 1); ny <= Math.min(side - 1, y + 1); ny += 1) {
      for (let nx = Math.max(0, x - 1); nx <= Math.min(side - 1, x + 1); nx += 1) {
        const next = ny * side + nx;
        if (seen[next] || !(map[next] >= threshold)) continue;
        seen[next] = 1;
        waiting.push(next);
      }
    }
  }
  return region;
}

/** @param {Region} region @param {number} rank @param {number} side @param {Parameters<typeof placesAbove>[3]} picture @returns {Place} */
function placeOf({ cells, sum, peak, peakCell, left, top, right, bottom }, rank, side, { width, height, spacingMm }) {
  const [sx, sy] = [width / side, height / side];
  const areaPx = cells * sx * sy;
  return {
    rank, cells, areaPx, areaMm2: spacingMm ? areaPx * spacingMm[0] * spacingMm[1] : null, peak, mean: sum / cells,
    peakAt: { x: ((peakCell % side) + 0.5) * sx, y: (Math.floor(peakCell / side) + 0.5) * sy },
    box: { x: left * sx, y: top * sy, width: (right + 1 - left) * sx, height: (bottom + 1 - top) * sy },
  };
}

/** One cell more. @param {Region} place @param {number} cell @param {number} value @param {number} x @param {number} y */
function take(place, cell, value, x, y) {
  place.cells += 1;
  place.sum += value;
  if (value > place.peak) Object.assign(place, { peak: value, peakCell: cell });
  if (x < place.left) place.left = x;
  if (x > place.right) place.right = x;
  if (y < place.top) place.top = y;
  if (y > place.bottom) place.bottom = y;
}
