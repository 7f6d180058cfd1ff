/**
 * What screen readers are told of the model and of a run: its beginning, its end with the reading, and in between only now
 * and then. The progress line changes many times a second, so it is no live region itself. Errors and notices speak for
 * themselves (messages.js).
 */

import { el, setText } from "./dom.js";
import { pageLanguage, t } from "./texts.js";

const EVERY_MS = 10_000;

/** Mounted after the parts whose words it repeats. @param {ReturnType<typeof import("./store.js").createStore>} store */
export function mountAnnouncer(store) {
  const { state } = store;
  const region = el("announcer");
  let phase = "";
  let run = /** @type {import("./types.d.ts").Run | null} */ (null);
  let spokenMs = 0;

  /** @param {string} text */
  function say(text) {
    setText(region, text);
    spokenMs = performance.now();
  }

  store.on(() => {
    const begun = state.run !== null && state.run !== run;
    const ended = state.run === null && run !== null ? run : null;
    const loaded = phase !== state.load.phase;
    run = state.run;
    phase = state.load.phase;
    if (begun && run) say(t("announce.analysing", { count: run.ids.length }));
    else if (ended) say(endOf(ended));
    else if (loaded && phase === "loading") say(t("announce.loading"));
    else if (loaded && phase === "ready") say(t("announce.ready"));
    else if ((run || phase === "loading") && performance.now() - spokenMs > EVERY_MS) say(el("status").textContent);
  });

  /** @param {import("./types.d.ts").Run} done */
  function endOf({ ids, controller }) {
    // An error has an alert of its own.
    if (state.messages.some(({ kind }) => kind === "error")) return "";
    if (controller.signal.aborted) return t("announce.stopped");
    const reading = readingShown();
    return ids.length === 1 ? t("announce.done", { reading }) : t("announce.doneMany", { status: el("status").textContent, reading });
  }
}

/** The score and its reading as they stand on the page. */
function readingShown() {
  if (el("result").hidden) return t("announce.none");
  const score = el("score").textContent;
  const words = el("reading").textContent;
  return [/\p{Nd}/u.test(score) && t("announce.score", { score }), words && (pageLanguage() === "en" ? words.charAt(0).toLowerCase() + words.slice(1) : words)].filter(Boolean).join(", ") + ".";
}
