/**
 * How files become images. Plain pictures are taken as they are. Whatever else comes (medical files, stacks of pages, files
 * without a known ending) goes through the opener first, which puts the files of a series together and says what it refuses.
 * A file that cannot be opened becomes an image with its reason; the others go on.
 */

import { sentence } from "./dom.js";
import { inEnglish, t } from "./texts.js";

/** They hold one picture each, whatever is in them. */
const PLAIN = /\.(png|jpe?g|webp|bmp)$/i;
/** Normal images taken of a series when nobody said which: more make each analysis slower and little better. */
const MOST_NORMALS = 16;

/** @typedef {{blob: Blob, name: string, path: string}} Found */
/** @typedef {import("../../pkg/index.d.ts").SeriesInfo} SeriesInfo */
/** @typedef {{content: () => Promise<Blob>, name: string, path: string, series?: SeriesInfo, slice?: {axis: import("../../pkg/index.d.ts").SliceAxis, volume: number, index: number}}} Picture a picture, read when it is needed */
/** One of the three. @typedef {{picture?: Picture, series?: SeriesInfo, refused?: {name: string, path: string, message: string}}} Part */

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./messages.js").createMessages>} messages
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 */
export function createSources(store, messages, engine) {

  /**
   * What some files hold, in their order.
   * @param {Found[]} files
   * @returns {Promise<Part[] | null>} null: stopped by the person
   */
  async function open(files) {
    const others = files.filter(({ name }) => !PLAIN.test(name));
    const plain = (/** @type {Found} */ { blob, name, path }) => ({ picture: { content: async () => blob, name, path } });
    if (others.length === 0) return files.map(plain);
    const controller = new AbortController();
    const show = (/** @type {number} */ done, /** @type {number} */ total) => store.set({ opening: { done, total, controller } });
    show(0, others.length);
    try {
      const reader = await engine.opener();
      const { series, refused } = await reader.open(others.map(({ blob, path }) => ({ blob, path })), { signal: controller.signal, onProgress: show });
      const place = (/** @type {string} */ path) => files.findIndex((file) => file.path === path);
      const parts = [
        ...files.filter(({ name }) => PLAIN.test(name)).map((file) => ({ at: files.indexOf(file), part: plain(file) })),
        ...series.map((one) => ({ at: place(one.path), part: partOf(one) })),
        ...refused.map((one) => ({ at: place(one.path), part: { refused: one } })),
      ];
      return parts.sort((a, b) => a.at - b.at).map(({ part }) => part);
    } catch (error) {
      if (error.name === "AbortError") return null;
      throw error;
    } finally {
      store.set({ opening: null });
    }

    /** @param {SeriesInfo} series */
    function partOf(series) {
      const file = files.find(({ path }) => path === series.path);
      // A plain picture needs no detour.
      if (series.frames === 1 && series.isPicture && file) return plain(file);
      return series.frames === 1 && series.volumes === 1 ? { picture: { ...sliceOf(series, 0), name: series.name, path: series.path, series } } : { series };
    }
  }

  /** A slice as a picture. @param {SeriesInfo} series @param {number} index from 0 @param {{axis?: import("../../pkg/index.d.ts").SliceAxis, volume?: number}} [which] @returns {Picture} */
  function sliceOf(series, index, which = {}) {
    const content = async () => (await engine.opener()).frame(series.id, index, which);
    const part = inEnglish("slice.slice", { number: index + 1 });
    const slice = { axis: which.axis ?? "axial", volume: which.volume ?? 0, index };
    return { content, name: `${series.name}, ${part}`, path: `${series.path}, ${part}`, series, slice };
  }

  /** Takes what files hold. @param {Found[]} files @param {(parts: Part[]) => void} take */
  async function opened(files, take) {
    try {
      const parts = await open(files);
      if (parts?.length === 0) messages.notice(t("opening.noPictures"));
      else if (parts) take(parts);
    } catch (error) {
      messages.error(t("opening.failed", { reason: sentence(error.message) }));
    }
  }

  return {
    opened,
    sliceOf,
    /** The slices of a series that are taken as normal images where nobody chose: evenly from the middle two thirds. @param {SeriesInfo} series */
    normalsOf(series) {
      const { frames } = series.axes.axial;
      const [from, to] = frames > MOST_NORMALS ? [Math.floor(frames / 6), Math.ceil((frames * 5) / 6)] : [0, frames];
      const count = Math.min(MOST_NORMALS, to - from);
      if (count < frames) messages.notice(t("opening.normals", { count, name: series.name, from: from + 1, to }));
      return Array.from({ length: count }, (_, n) => sliceOf(series, from + Math.floor((n * (to - from)) / count)));
    },
    /** Forgets the files of a series. @param {import("./types.d.ts").Series} series */
    release: (series) => series.isKept ? undefined : void engine.opener().then((reader) => reader.release(series.id)).catch(() => {}),
    /** Writes a file. @param {SeriesInfo | null} series what it is about @param {import("../../pkg/index.d.ts").WriteRequest} request */
    write: async (series, request) => (await engine.opener()).write(series?.id ?? null, request),
  };
}
