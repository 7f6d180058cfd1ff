/**
 * Words of a person's own, for each object: kept in the settings as they are in force, encoded when they are needed, and
 * brought to whichever session analyses next. Words that a problem stops change nothing.
 */

import { t } from "./texts.js";

/** @typedef {import("../../pkg/index.d.ts").Prompts} Prompts */
/** @typedef {import("../../pkg/index.d.ts").EncodedWords} EncodedWords */
/** @typedef {import("./types.d.ts").State} State */

/** What a list file says it is. */
export const FORMAT = "MVFA Web words 1";
/** Of a list file: lines of all lists, and letters of a line. The model takes fewer, and says so. */
const MOST = { lines: 500, letters: 1000 };
/** Encoded lists at hand. */
const AT_HAND = 32;

/** Whether the settings as they are compare with words. @param {State} state */
export function comparesWithWords({ info, settings: { mode } }) {
  return mode === "zero" || (mode === "few" && Boolean(info?.fewShotWords));
}

/** The person's own words that an analysis now would compare with, or null. @param {State} state @returns {Prompts | null} */
export function ownWords(state) {
  return (comparesWithWords(state) && state.settings.words?.[state.settings.object]) || null;
}

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 */
export function createWords(store, engine) {
  const { state } = store;
  /** By model and lists. @type {Map<string, EncodedWords>} */
  const encoded = new Map();
  /** The method's words, by model and object. @type {Map<string, Prompts>} */
  const papers = new Map();

  /** @param {unknown} value */
  const keyOf = (value) => JSON.stringify([state.info?.revision, value]);

  /**
   * @param {Prompts} prompts
   * @param {{signal?: AbortSignal, onProgress?: (progress: {done: number, total: number}) => void}} [options]
   * @returns {Promise<EncodedWords>}
   */
  async function encode(prompts, options) {
    const session = await engine.whenReady();
    const key = keyOf(prompts);
    const known = encoded.get(key);
    if (known) return known;
    const found = await session.encodePrompts(prompts, { ...options, lab: engine.lab() });
    if (found.words) for (const one of [key, keyOf(found.prompts)]) encoded.set(one, found);
    for (const oldest of [...encoded.keys()].slice(0, Math.max(0, encoded.size - AT_HAND))) encoded.delete(oldest);
    return found;
  }

  return {
    encode,
    /** The method's words for an object. @param {string} object @returns {Promise<Prompts>} */
    async paper(object) {
      const session = await engine.whenReady();
      const key = keyOf(object);
      const known = papers.get(key) ?? (await (await engine.lab()).paperWords(session.manifestText, object));
      papers.set(key, known);
      return structuredClone(known);
    },
    /** Puts words in force; null: the model's own. @param {string} object @param {Prompts | null} prompts */
    use(object, prompts) {
      const { [object]: _, ...others } = state.settings.words;
      store.settings({ words: prompts ? { ...others, [object]: prompts } : others });
    },
    /**
     * What an analysis with the settings as they are needs: the object and its words, encoded; null: the model's own. What it
     * belongs to may change meanwhile, so it goes on until it is true.
     */
    async prepared() {
      for (;;) {
        const { object } = state.settings;
        const own = ownWords(state);
        const found = own && (await encode(own));
        if (found && !found.words) throw new Error(found.problems.find(({ stops }) => stops)?.text ?? t("ownWords.unusable"));
        if (state.settings.object === object && ownWords(state) === own) return { object, encoded: found };
      }
    },
  };
}

/** Lists as a file. @param {Prompts} prompts @returns {Blob} */
export function wordsFile(prompts) {
  return new Blob([`${JSON.stringify({ format: FORMAT, ...prompts }, null, 2)}\n`], { type: "application/json" });
}

/** @param {string} text of a list file @returns {Prompts} */
export function readWords(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(t("ownWords.notWords"));
  }
  if (value?.format !== FORMAT) throw new Error(t("ownWords.notWords"));
  const prompts = soundPrompts(value);
  if (!prompts) throw new Error(t("ownWords.damaged"));
  return prompts;
}

/** Lists from a file, if they are lists. @param {any} value @returns {Prompts | null} */
function soundPrompts(value) {
  const { organ, normal, abnormal, contrast = [] } = value ?? {};
  const lists = [normal, abnormal, contrast];
  const isLine = (/** @type {unknown} */ line) => typeof line === "string" && line.length <= MOST.letters;
  const isSound = isLine(organ) && lists.every((list) => Array.isArray(list) && list.length <= MOST.lines && list.every(isLine));
  return isSound ? { organ, normal: [...normal], abnormal: [...abnormal], contrast: [...contrast] } : null;
}

/** Words by object from a workspace; what is no list is left out. @param {any} words @returns {Record<string, Prompts>} */
export function soundWords(words) {
  const entries = words && typeof words === "object" ? Object.entries(words) : [];
  return Object.fromEntries(entries.flatMap(([object, value]) => {
    const prompts = soundPrompts(value);
    return prompts ? [[object, prompts]] : [];
  }));
}
