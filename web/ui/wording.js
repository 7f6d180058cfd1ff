/** Small helpers for words: places in a text that are filled in, and the nearest of some known words. */

/** @param {string} text with places like {name} @param {Record<string, string | number>} values */
export function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (place, name) => (Object.hasOwn(values, name) ? String(values[name]) : place));
}

/** Letters that have to be changed, added or taken out to make one word of the other. @param {string} one @param {string} other */
function distance(one, other) {
  let row = Array.from({ length: other.length + 1 }, (_, n) => n);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (one[i - 1] === other[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[other.length];
}

/** @param {string} word @param {string[]} known @returns {string} the known word that is meant, as far as one can tell; else "" */
export function closest(word, known) {
  const asked = word.slice(0, 80).toLowerCase();
  const [best] = known.map((one) => ({ one, steps: distance(asked, one.toLowerCase()) })).sort((a, b) => a.steps - b.steps);
  return best && best.steps <= Math.max(2, Math.floor(best.one.length / 2)) ? best.one : "";
}
