/**
 * The panel of words: what the organ is called, lists of states, one a line, and words for normal anatomy. What is typed is
 * applied after a pause: only the text is encoded again, and the image in view is compared anew.
 */

import { el, make, megabytes, sentence, setHidden, setText } from "./dom.js";
import { download } from "./save.js";
import { currentImage, hasWords } from "./store.js";
import { numeral, t } from "./texts.js";
import { comparesWithWords, readWords, wordsFile } from "./words.js";
import { mountWordTable } from "./words-table.js";

/** A text with a line in it, which may be written from right to left. @param {string} text @param {string} line */
function apart(text = "", line) {
  const at = line ? text.indexOf(line) : -1;
  return at < 0 ? [text] : [text.slice(0, at), make("bdi", { text: line }), text.slice(at + line.length)];
}

/** Typing has paused. */
const PAUSE_MS = 700;
/** Work that takes longer shows how far it is. */
const SHOWN_AFTER_MS = 1_000;
/** No list has more; it is no file of lists. */
const MOST_FILE_BYTES = 1e6;
const LISTS = /** @type {const} */ (["normal", "abnormal", "contrast"]);

/** @typedef {import("../../pkg/index.d.ts").Prompts} Prompts */

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./messages.js").createMessages>} messages
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 * @param {ReturnType<typeof import("./words.js").createWords>} words
 * @param {ReturnType<typeof import("./run.js").createRunner>} runner
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 */
export function mountWordsPanel(store, messages, engine, words, runner, images) {
  const { state } = store;
  const root = el("words");
  const title = make("summary", { "data-testid": "words-title", text: t("ownWords.title") });
  const fixed = make("p", { class: "hint", text: t("ownWords.fixed") });
  const doubt = make("p", { class: "hint", "data-testid": "words-doubt" });
  const organ = make("input", { type: "text", id: "words-organ", "data-testid": "words-organ", dir: "auto", autocomplete: "off", spellcheck: "false", maxlength: "200" });
  const areas = Object.fromEntries(LISTS.map((list) => [list, make("textarea", { id: `words-${list}`, "data-testid": `words-${list}`, dir: "auto", rows: list === "contrast" ? "2" : "5", autocomplete: "off", spellcheck: "false", "aria-describedby": list === "contrast" ? "words-contrast-how" : "words-how" })]));
  const problems = make("ul", { class: "words-problems", "data-testid": "words-problems" });
  const progress = make("progress", { max: "1", value: "0", "aria-label": t("ownWords.encoding"), hidden: true });
  const status = make("p", { class: "hint", role: "status", "data-testid": "words-status" });
  const stop = make("button", { type: "button", "data-testid": "words-stop", text: t("ownWords.cancel"), hidden: true, onclick: () => working?.abort() });
  const paper = make("button", { type: "button", "data-testid": "words-paper", text: t("ownWords.paper"), onclick: () => void usePaper() });
  const save = make("button", { type: "button", "data-testid": "words-save", text: t("ownWords.save"), onclick: () => download(wordsFile(typed()), `words-${object}.json`) });
  const file = make("input", { type: "file", id: "words-file", "data-testid": "words-file", class: "visually-hidden", accept: ".json", onchange: () => void openFile() });
  const labelled = (/** @type {string} */ text, /** @type {HTMLElement} */ field) => make("label", { class: "words-field" }, make("span", { text }), field);
  const table = mountWordTable(store, engine, images);
  const form = make("div", { class: "words-form" },
    labelled(t("ownWords.organ"), organ),
    labelled(t("ownWords.normal"), areas.normal), labelled(t("ownWords.abnormal"), areas.abnormal), make("p", { class: "hint", id: "words-how", text: t("ownWords.how") }),
    labelled(t("ownWords.contrast"), areas.contrast), make("p", { class: "hint", id: "words-contrast-how", text: t("ownWords.contrastHow") }),
    problems, make("div", { class: "words-work" }, progress, stop), status,
    make("div", { class: "save-buttons" }, paper, save, file, make("label", { class: "button", for: "words-file", text: t("ownWords.open") })),
    table.root);
  root.append(title, fixed, doubt, form);

  /** The object that the fields are about, and of which model; "" before they are filled. */
  let object = "";
  let filledFor = "";
  /** What was last known to be in force, to see a change that comes from elsewhere. @type {Prompts | null} */
  let inForce = null;
  /** @type {AbortController | null} */
  let working = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pause;
  /** The image in view is to be compared anew as soon as nothing else runs. */
  let isDue = false;

  for (const field of [organ, ...Object.values(areas)]) {
    field.addEventListener("input", () => {
      clearTimeout(pause);
      pause = setTimeout(() => void apply(), PAUSE_MS);
    });
  }
  root.addEventListener("toggle", () => store.changed());

  /** What stands in the fields. @returns {Prompts} */
  function typed() {
    const lines = (/** @type {string} */ list) => areas[list].value.split("\n").map((/** @type {string} */ line) => line.trim()).filter(Boolean);
    return { organ: organ.value.trim(), normal: lines("normal"), abnormal: lines("abnormal"), contrast: lines("contrast") };
  }

  /** @param {Prompts} prompts */
  function fill(prompts) {
    organ.value = prompts.organ;
    for (const list of LISTS) areas[list].value = (prompts[list] ?? []).join("\n");
  }

  /** Fills the fields for the object that is chosen now. */
  async function refill() {
    const wanted = state.settings.object;
    const mark = markOf(wanted);
    filledFor = mark;
    clearTimeout(pause);
    working?.abort();
    setProblems([]);
    setText(status, t("ownWords.reading"));
    try {
      const own = state.settings.words[wanted];
      const prompts = own ?? (await words.paper(wanted));
      if (filledFor !== mark) return;
      object = wanted;
      inForce = own ?? null;
      fill(prompts);
      setText(status, own ? "" : t("ownWords.paperApplied"));
      setEnabled(true);
    } catch (error) {
      if (filledFor !== mark) return;
      setText(status, t("ownWords.failed", { reason: sentence(error.message) }));
      setEnabled(false);
    }
  }

  /** @param {string} id */
  const markOf = (id) => `${state.info?.revision} ${id}`;

  /** @param {boolean} isEnabled */
  function setEnabled(isEnabled) {
    for (const field of [organ, ...Object.values(areas), paper, save, file]) field.disabled = !isEnabled;
  }

  /** @param {Partial<import("../../pkg/index.d.ts").PromptProblem>[]} found */
  function setProblems(found) {
    const unknown = [...new Set(found.filter(({ kind }) => kind === "unknown").map(({ what = "" }) => what))];
    const others = found.filter(({ kind }) => kind !== "unknown");
    problems.replaceChildren(
      ...others.map(({ text, line, stops }) => make("li", { class: stops ? "words-problem stops" : "words-problem" }, ...apart(text, line ?? ""))),
      ...(unknown.length > 0 ? [make("li", { class: "words-problem" }, t("ownWords.unknown"), " ", ...unknown.flatMap((word, n) => [n > 0 ? ", " : "", make("bdi", { text: word })]))] : []));
  }

  /** Applies what stands in the fields. */
  async function apply() {
    clearTimeout(pause);
    working?.abort();
    const mine = new AbortController();
    working = mine;
    const prompts = typed();
    const begunMs = performance.now();
    const isSlow = setTimeout(() => working === mine && showWork(true), SHOWN_AFTER_MS);
    setText(status, t("ownWords.encoding"));
    try {
      const known = await words.paper(object);
      const isPaper = JSON.stringify(known) === JSON.stringify(prompts);
      const found = isPaper ? null : await words.encode(prompts, { signal: mine.signal, onProgress: ({ done, total }) => working === mine && tellProgress(done, total) });
      if (working !== mine) return;
      setProblems(found?.problems ?? []);
      if (found && !found.words) return setText(status, t("ownWords.notApplied"));
      const now = found?.prompts ?? null;
      inForce = now;
      words.use(object, now);
      const count = now ? now.normal.length + now.abnormal.length + (now.contrast?.length ?? 0) : 0;
      setText(status, now ? t("ownWords.applied", { count, seconds: numeral((performance.now() - begunMs) / 1000, 1) }) : t("ownWords.paperApplied"));
      isDue = true;
      store.changed();
    } catch (error) {
      if (working !== mine) return;
      if (error.name === "AbortError") return setText(status, t("ownWords.stopped"));
      setProblems([{ text: sentence(error.message), stops: true }]);
      setText(status, t("ownWords.notApplied"));
    } finally {
      clearTimeout(isSlow);
      if (working === mine) {
        working = null;
        showWork(false);
      }
    }
  }

  /** @param {boolean} isShown */
  function showWork(isShown) {
    const hadFocus = document.activeElement === stop;
    progress.hidden = !isShown;
    stop.hidden = !isShown;
    if (hadFocus && !isShown) organ.focus();
  }

  /** @param {number} done @param {number} total */
  function tellProgress(done, total) {
    progress.value = total > 0 ? done / total : 0;
    if (!progress.hidden) setText(status, t("ownWords.encodingShare", { percent: Math.round(100 * progress.value) }));
  }

  async function usePaper() {
    fill(await words.paper(object));
    await apply();
  }

  async function openFile() {
    const [chosen] = file.files;
    file.value = "";
    if (!chosen) return;
    try {
      fill(readWords(chosen.size <= MOST_FILE_BYTES ? await chosen.text() : ""));
      await apply();
    } catch (error) {
      messages.error(t("ownWords.badFile", { name: chosen.name, reason: sentence(error.message) }));
    }
  }

  /** Compares the image in view with the new words. */
  function bringUpToDate() {
    const item = currentImage(state);
    // Without a result the person has not asked for one yet.
    if (!isDue || state.run || state.opening || state.saving || state.load.phase !== "ready") return;
    isDue = false;
    if (item?.result && !item.absent && comparesWithWords(state)) runner.current();
  }

  store.on(() => {
    const { info, settings } = state;
    const isNeeded = comparesWithWords(state) && hasWords(info, settings.object);
    setHidden(root, !isNeeded);
    if (!info || !isNeeded) return;
    const isPossible = info.textBytes !== null;
    setHidden(fixed, isPossible);
    setHidden(form, !isPossible);
    setHidden(doubt, !isPossible || doubtOf(info) === "");
    setText(doubt, doubtOf(info));
    setText(title, settings.words[settings.object] ? t("ownWords.ownTitle") : t("ownWords.title"));
    if (!isPossible) return;
    const own = settings.words[settings.object];
    const isElsewhere = working === null && object === settings.object && JSON.stringify(own ?? null) !== JSON.stringify(inForce);
    if (root.open && state.load.phase === "ready" && (filledFor !== markOf(settings.object) || isElsewhere)) void refill();
    table.paint(root.open);
    bringUpToDate();
  });

  /** @param {import("../../pkg/index.d.ts").SessionInfo} info */
  function doubtOf({ zeroShotNote, textBytes }) {
    const large = textBytes !== null && textBytes > 8e6 && !state.settings.model ? t("ownWords.large", { size: megabytes(textBytes) }) : "";
    return [zeroShotNote ? t("ownWords.fewWords") : "", large].filter(Boolean).join(" ");
  }
}
