/**
 * One window for all pictures deeper than 8 bits: it is taken from the normal pictures, and these are taken anew when it
 * changes.
 *
 * Comes in: normal pictures as Blobs, with how their grey values are spread. Goes out: the window's text. Rejects as the
 * session does.
 */

/** Whether a call leaves the window to the program. @param {string | undefined} window */
export function isAutomatic(window) {
  return window === undefined || window === "auto";
}

/** @typedef {import("./index.d.ts").GreySpread} GreySpread */

/** The normal pictures of a session or a pool that need a window. */
export class OneWindow {
  /** @type {Map<number, {blob: Blob, spread: GreySpread, window: string}>} */ #pictures = new Map();
  /** One change after another. @type {Promise<unknown>} */ #turn = Promise.resolve();

  /** Whether there is anything to take a window from. */
  get isNeeded() {
    return this.#pictures.size > 0;
  }

  /** @param {number} id @param {Blob} blob @param {GreySpread | null} spread null: no window applies to it */
  add(id, blob, spread) {
    if (spread) this.#pictures.set(id, { blob, spread, window: "auto" });
  }

  /** @param {number} id */
  remove(id) {
    this.#pictures.delete(id);
  }

  clear() {
    this.#pictures.clear();
  }

  /**
   * Brings the normal pictures in line.
   * @param {import("./index.js").Session} session
   * @param {(id: number, blob: Blob, window: string) => Promise<void>} retake one of them, through another window
   * @returns {Promise<string | undefined>} the window for the others; undefined: each its own
   */
  settle(session, retake) {
    const done = this.#turn.then(async () => {
      const pictures = [...this.#pictures];
      const shared = await session.sharedWindow(pictures.map(([, { spread }]) => spread));
      if (!shared) return undefined;
      for (const [id, picture] of pictures) {
        if (picture.window === shared.window || this.#pictures.get(id) !== picture) continue;
        await retake(id, picture.blob, shared.window);
        picture.window = shared.window;
      }
      return shared.window;
    });
    this.#turn = done.catch(() => {});
    return done;
  }
}
