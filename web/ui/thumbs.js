/** Thumbnails of the list: so many are kept, and those of rows in sight; the others are made again when their row comes into sight. */

/** 50 kB each. */
const KEPT_THUMBS = 400;
const THUMB_PX = 112;

/** @typedef {import("./types.d.ts").ImageItem} ImageItem */

export function createThumbs() {
  /** Those with a thumbnail, the oldest first. @type {Set<ImageItem>} */
  const thumbed = new Set();
  /** Whether the row of a picture is in sight; the strip knows. @type {(item: ImageItem) => boolean} */
  let isInSight = () => true;

  return {
    /** A thumbnail for a row in sight, and for others while there is room. @param {ImageItem} item @param {ImageBitmap} bitmap */
    async keep(item, bitmap) {
      if (thumbed.size >= KEPT_THUMBS && !thumbed.has(item) && !isInSight(item)) return;
      item.thumb = await thumbnail(bitmap, THUMB_PX);
      thumbed.delete(item);
      thumbed.add(item);
      for (const oldest of thumbed) {
        if (thumbed.size <= KEPT_THUMBS) break;
        if (isInSight(oldest)) continue;
        thumbed.delete(oldest);
        oldest.thumb = null;
      }
    },
    /** @param {ImageItem} item that is taken out */
    forget: (item) => void thumbed.delete(item),
    /** @param {ImageItem} item */
    isInSight: (item) => isInSight(item),
    /** @param {(item: ImageItem) => boolean} found whether the row of a picture is in sight */
    inSight: (found) => void (isInSight = found),
  };
}

/**
 * A small square cut from the middle of a picture.
 * @param {ImageBitmap} bitmap
 * @param {number} side
 */
export async function thumbnail(bitmap, side) {
  const cut = Math.min(bitmap.width, bitmap.height);
  const x = Math.floor((bitmap.width - cut) / 2);
  const y = Math.floor((bitmap.height - cut) / 2);
  // The browser shrinks it off the main thread.
  const small = await createImageBitmap(bitmap, x, y, cut, cut, { resizeWidth: side, resizeHeight: side, resizeQuality: "medium" });
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  canvas.getContext("2d")?.drawImage(small, 0, 0);
  small.close();
  return canvas;
}
