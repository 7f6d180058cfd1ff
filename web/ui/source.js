/**
 * How files become images. Plain pictures are taken as they are. Whatever else comes (medical files, stacks of pages, files
 * without a known ending) goes through the opener first, which puts the files of a series together and says what it refuses.
 * A file that cannot be opened becomes an image with its reason; the others go on.
 */

import { sentence } from "./dom.js";
import { isJunk } from "./junk.js";
import { inEnglish, t } from "./texts.js";

/** They hold one picture each, whatever is in them. */
const PLAIN = /\.(png|jpe?g|webp|bmp)$/i;
/** Normal images taken of a series when nobody said which: more make each analysis slower and little better. */
const MOST_NORMALS = 16;

/** What the message about files without a picture is about. */
const PASSED = "passed-over";

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
  /** What tells the files of a series from those of others. @type {WeakMap<SeriesInfo, string>} */
  const sources = new WeakMap();

  /**
   * What some files hold, in their order.
   * @param {Found[]} files
   * @returns {Promise<{parts: Part[], passed: string[]} | null>} and paths of those without a picture; null: stopped by the person
   */
  async function open(files) {
    const others = files.filter(({ name }) => !PLAIN.test(name));
    const plain = (/** @type {Found} */ { blob, name, path }) => ({ picture: { content: async () => blob, name, path } });
    if (others.length === 0) return { parts: files.map(plain), passed: [] };
    const controller = new AbortController();
    const show = (/** @type {number} */ done, /** @type {number} */ total) => store.set({ opening: { done, total, controller } });
    show(0, others.length);
    try {
      const reader = await engine.opener();
      const { series, refused, passed } = await reader.open(others.map(({ blob, path }) => ({ blob, path })), { signal: controller.signal, onProgress: show });
      const place = (/** @type {string} */ path) => files.findIndex((file) => file.path === path);
      for (const one of series) sources.set(one, printOf(one, files));
      // A file that was chosen alone is told of, whatever it is.
      const isBesideSeries = series.some(({ isPicture }) => !isPicture);
      const junk = new Set(passed);
      const doubtful = files.length === 1 ? [] : files.filter(({ name, path }) => refused.some((one) => one.path === path) || (isBesideSeries && PLAIN.test(name)));
      for (const { blob, name, path } of doubtful) if (await isJunk(blob, name, isBesideSeries)) junk.add(path);
      const parts = [
        ...files.filter(({ name, path }) => PLAIN.test(name) && !junk.has(path)).map((file) => ({ at: files.indexOf(file), part: plain(file) })),
        ...series.map((one) => ({ at: place(one.path), part: partOf(one) })),
        ...refused.filter(({ path }) => !junk.has(path)).map((one) => ({ at: place(one.path), part: { refused: one } })),
      ];
      return { parts: parts.sort((a, b) => a.at - b.at).map(({ part }) => part), passed: files.map(({ path }) => path).filter((path) => junk.has(path)) };
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

  /** Takes what files hold. @param {Found[]} files @param {(parts: Part[]) => void} take @param {string[]} [others] paths of files known to hold no picture */
  async function opened(files, take, others = []) {
    try {
      const found = await open(files);
      if (!found) return;
      const { parts } = found;
      const passed = [...found.passed, ...others];
      const count = passed.length;
      if (parts.length === 0 && count > 0) messages.about("error", t("opening.onlyOthers", { count }), passed, PASSED);
      else if (parts.length === 0) messages.notice(t("opening.noPictures"));
      else if (count > 0) messages.about("notice", t("opening.passed", { count }), passed, PASSED);
      if (parts.length > 0) take(parts);
    } catch (error) {
      messages.error(t("opening.failed", { reason: sentence(error.message) }));
    }
  }

  return {
    opened,
    sliceOf,
    /** Whether two series were read from the same files. @param {SeriesInfo} one @param {SeriesInfo} other */
    areSame: (one, other) => Boolean(sources.get(one)) && sources.get(one) === sources.get(other),
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

/**
 * Names, sizes and times of change of a series' files, and its size: equal only for the same series dropped twice. Empty where
 * a file has no time of change, as files of the site have none.
 * @param {SeriesInfo} series @param {Found[]} files
 */
function printOf({ files: parts, frames, volumes, width, height }, files) {
  const paths = new Set(parts.map(({ path }) => path));
  const mine = files.filter(({ path }) => paths.has(path));
  if (mine.length === 0 || mine.some(({ blob }) => !(blob instanceof File))) return "";
  const lines = mine.map(({ blob, name }) => `${name} ${blob.size} ${/** @type {File} */ (blob).lastModified}`).sort();
  return [`${frames} ${volumes} ${width} ${height}`, ...lines].join("\n");
}
