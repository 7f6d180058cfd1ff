/**
 * Which words a place of a map resembles: the place, and the table.
 *
 * Comes in: a result of the comparison with words, or what its engine answered. Goes out: numbers of patches, or rows. Pure.
 */

/** A patch belongs to the strongest place if it lies above this share of the way from the middle value to the highest one. */
const SHARE = 0.5;

/** The patches of a map, row by row: the levels together. @param {Pick<import("./index.d.ts").Result, "levels">} result @returns {number[]} no number where regions are left out */
export function patchValues({ levels }) {
  return Array.from(levels[0] ?? [], (_, patch) => levels.reduce((sum, level) => sum + level[patch], 0));
}

/**
 * The patches of the strongest place: the highest one, and those around it that are nearly as high.
 * @param {Pick<import("./index.d.ts").Result, "levels">} result
 * @returns {number[]} none where the map has no value
 */
export function strongestPatches(result) {
  const values = patchValues(result);
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const highest = sorted.at(-1);
  if (highest === undefined) return [];
  const middle = sorted[Math.floor(sorted.length / 2)];
  const least = middle + SHARE * (highest - middle);
  const side = Math.round(Math.sqrt(values.length));
  const found = new Set([values.indexOf(highest)]);
  // A set is gone through in the order of its growth.
  for (const patch of found) {
    const [x, y] = [patch % side, Math.floor(patch / side)];
    for (const [nx, ny] of [[x - 1, y], [x + 1, y], [x, y - 1], [x, y + 1]]) {
      const isInside = nx >= 0 && ny >= 0 && nx < side && ny < side;
      if (isInside && values[ny * side + nx] >= least) found.add(ny * side + nx);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/**
 * @param {import("./index.d.ts").Prompts} prompts
 * @param {Float32Array} similarities two numbers a line: here, and elsewhere
 * @returns {import("./index.d.ts").WordRow[]} the most alike first
 */
export function rowsOf({ organ, normal, abnormal, contrast }, similarities) {
  const lists = /** @type {const} */ ([["normal", normal], ["abnormal", abnormal], ["contrast", contrast ?? []]]);
  const lines = lists.flatMap(([list, words]) => words.map((line) => ({ list, line, words: line.replace("{}", () => organ) })));
  const rows = lines.map((row, n) => ({ ...row, here: similarities[2 * n], elsewhere: similarities[2 * n + 1] }));
  return rows.sort((a, b) => b.here - a.here);
}
