/**
 * How the current picture is looked at: zoom, turn, inversion, the window it is shown through. It belongs to the picture, or
 * to the stack it is a slice of, as in other viewers; it is never stored, and changes nothing that is analysed.
 */

import { currentImage } from "./store.js";
import { t } from "./texts.js";
import { UPRIGHT, turnWords, turned } from "./view.js";

/** @typedef {import("./windowing.js").Range} Range */
/**
 * @typedef {object} PictureLook
 * @property {number} zoom over "fit"
 * @property {number} x shift in CSS pixels
 * @property {number} y
 * @property {import("./view.js").Turn} turn
 * @property {boolean} invert
 * @property {Range | null} window null: the one it is analysed through
 */

/** @returns {PictureLook} */
const fresh = () => ({ zoom: 1, x: 0, y: 0, turn: UPRIGHT, invert: false, window: null });

/** @param {ReturnType<typeof import("./store.js").createStore>} store */
export function createLook(store) {
  const { state } = store;
  /** @type {Map<string | number, PictureLook>} */
  const looks = new Map();
  const keyOf = (/** @type {import("./types.d.ts").ImageItem} */ item) => item.stack ?? item.id;

  /** @param {import("./types.d.ts").ImageItem | null} [item] @returns {PictureLook} */
  function of(item = currentImage(state)) {
    if (!item) return fresh();
    let look = looks.get(keyOf(item));
    if (!look) looks.set(keyOf(item), (look = fresh()));
    return look;
  }

  // Looks of pictures that were taken out go with them.
  store.on(() => {
    if (looks.size === 0) return;
    const kept = new Set(state.images.map(keyOf));
    for (const key of looks.keys()) if (!kept.has(key)) looks.delete(key);
  });

  return {
    of,
    /** @param {Partial<PictureLook>} patch */
    change(patch) {
      Object.assign(of(), patch);
      store.changed();
    },
    /** @param {import("./view.js").Turn} by as seen on the screen */
    turn(by) {
      const look = of();
      // What lies in the middle of the viewer stays there.
      const [a, b, c, d] = by;
      Object.assign(look, { turn: turned(look.turn, by), x: a * look.x + c * look.y || 0, y: b * look.x + d * look.y || 0 });
      store.changed();
    },
    reset() {
      Object.assign(of(), fresh());
      store.changed();
    },
    /** Whether anything but the zoom differs from the file. */
    words() {
      const { turn, invert } = of();
      return [turnWords(turn), invert ? t("turn.inverted") : ""].filter(Boolean).join(", ");
    },
  };
}
