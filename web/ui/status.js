/** What goes on now: the state on <main>, the progress line, and which buttons make sense. */

import { isEmbedded } from "../early.js";
import { el, megabytes, setText } from "./dom.js";
import { currentImage } from "./store.js";
import { isStale, isUpToDate } from "./results.js";
import { remaining } from "./run.js";
import { peersOf } from "./peers.js";
import { numeral, t } from "./texts.js";

/** @type {Record<string, import("./texts.js").Key>} */
const LOAD_WORDS = { engine: "status.program", model: "status.model", "self-test": "status.testing" };
/** @type {Record<string, import("./texts.js").Key>} */
const RUN_WORDS = { references: "status.normals", encode: "status.looking", score: "status.comparing" };
/** Share of one picture's progress for each stage. */
const RUN_SHARE = { references: [0, 0.6], encode: [0, 0.95], score: [0.95, 1] };

/** @param {import("./types.d.ts").State} state */
export function pageState(state) {
  if (state.load.phase === "loading") return "loading";
  if (state.run || state.opening || state.saving) return "busy";
  // Without a model nothing is ready, whether loading failed or was stopped.
  if (state.load.phase !== "ready" || state.messages.some((message) => message.kind === "error")) return "error";
  const item = currentImage(state);
  return item?.result && !isStale(state, item) ? "done" : "ready";
}

/** Why the current picture cannot be analysed now, or "". @param {import("./types.d.ts").State} state */
export function whyNot(state) {
  const { phase } = state.load;
  if (phase !== "ready") return phase === "loading" ? "" : t("status.notLoaded");
  const item = currentImage(state);
  if (!item) return t("status.addImage");
  if (item.status === "error") return t("image.unreadable");
  if (item.absent) return t("status.absent");
  if (state.settings.mode === "few" && state.support.length === 0) return t("status.addNormal");
  if (state.settings.mode === "batch" && peersOf(state).length < 2) return t("status.addAnother");
  return "";
}

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 * @param {ReturnType<typeof import("./run.js").createRunner>} runner
 */
export function mountStatus(store, engine, runner) {
  const { state } = store;
  const [main, load, analyse, all, cancel, progress] = ["main", "load-model", "analyse", "analyse-all", "cancel", "progress"].map(el);
  let wasBusy = false;
  let wasSaving = false;
  load.addEventListener("click", () => void engine.open(state.settings.device));
  analyse.addEventListener("click", () => runner.current());
  all.addEventListener("click", () => runner.all());
  cancel.addEventListener("click", () => (state.run ? runner.cancel() : state.opening || state.saving ? (state.opening ?? state.saving)?.controller.abort() : engine.cancelOpen()));

  store.on(() => {
    const now = pageState(state);
    main.dataset.state = now;
    main.dataset.view = state.images.length > 0 ? "viewer" : "welcome";
    const working = now === "loading" || state.run !== null || state.opening !== null || state.saving !== null;
    const unloaded = state.load.phase === "failed" || state.load.phase === "stopped";
    const focused = document.activeElement;
    load.hidden = working || !unloaded;
    analyse.hidden = working || unloaded;
    cancel.hidden = !working;
    analyse.disabled = whyNot(state) !== "";
    const usable = state.images.filter((item) => item.status !== "error" && !item.absent).length;
    const left = remaining(state).length;
    all.hidden = working || unloaded || usable < 2;
    all.disabled = left === 0 || (state.settings.mode === "few" && state.support.length === 0);
    setText(all, left === 0 ? t("status.allAnalysed", { count: usable }) : left < usable ? t("status.analyseRest", { count: left }) : t("status.analyseAll", { count: usable }));
    const counted = left < usable ? t("status.analysedOf", { done: usable - left, count: usable }) : "";
    all.title = [counted, state.stacks.length > 0 ? t("status.slicesInView") : ""].filter(Boolean).join(" ");
    const { share, words } = now === "loading" ? loadLine(state) : state.run ? runLine(state.run) : state.opening ? openingLine(state.opening) : state.saving ? savingLine(state.saving) : { share: 0, words: restLine(state) };
    if (share === null) progress.removeAttribute("value");
    else progress.value = share;
    progress.classList.toggle("idle", !working);
    setText(el("status"), words);
    if (!working && wasBusy && !wasSaving && now === "done" && !el("words").contains(document.activeElement)) revealResult();
    // The button with the focus has just been replaced: keep the focus where the eye is.
    if (working && !wasBusy && (focused === load || focused === analyse || focused === all)) cancel.focus();
    // A frame leaves focus and scrolling to the page around it.
    if (!isEmbedded && !working && wasBusy && !wasSaving && (focused === cancel || focused === document.body)) {
      el("viewer").focus({ preventScroll: true });
      // On a phone the picture may have been scrolled away.
      if (now === "done") el("stage").scrollIntoView({ block: "nearest" });
    }
    wasBusy = working;
    wasSaving = state.saving !== null;
  });
}

/** In a low window the panel scrolls: score and sliders shall be in sight together. On a phone the page scrolls, and stays. */
function revealResult() {
  if (getComputedStyle(el("panel")).overflowY === "auto") el("threshold").scrollIntoView({ block: "nearest" });
}

/** @param {import("./types.d.ts").State} state */
function loadLine({ load }) {
  const words = t(LOAD_WORDS[load.stage] ?? LOAD_WORDS.engine);
  if (load.stage === "self-test" && load.totalBytes) return { share: load.loadedBytes / load.totalBytes, words };
  if (load.stage !== "model" || !load.totalBytes) return { share: null, words };
  return { share: load.loadedBytes / load.totalBytes, words: t(load.fromStorage ? "status.modelKept" : "status.modelFetched", { done: megabytes(load.loadedBytes), total: megabytes(load.totalBytes) }) };
}

/** @param {import("./types.d.ts").Run} run */
function runLine(run) {
  const which = run.ids.length > 1 ? `${t("status.imageOf", { number: run.index + 1, total: run.ids.length })} ` : "";
  const words = t(RUN_WORDS[run.stage] ?? "status.starting");
  const [from, to] = RUN_SHARE[run.stage] ?? [0, 0];
  const part = run.total > 0 ? from + (to - from) * (run.done / run.total) : from;
  const count = run.stage === "references" && run.total > 1 ? `: ${t("units.percent", { number: Math.round((100 * run.done) / run.total) })}` : "";
  return { share: (run.index + part) / run.ids.length, words: `${which}${words}${count}` };
}

/** @param {import("./types.d.ts").Opening} opening */
function openingLine({ done, total }) {
  return { share: total > 0 ? done / total : 0, words: t("status.opening", { done, total }) };
}

/** @param {import("./types.d.ts").Opening} saving */
function savingLine({ done, total }) {
  return { share: total > 0 ? done / total : 0, words: t("status.saving", { number: done + 1, total }) };
}

/** @param {import("./types.d.ts").State} state */
function restLine(state) {
  // How the run ended comes before what the image in view lacks, until other settings make it history.
  if (state.batch && state.images.some((item) => isUpToDate(state, item))) return batchLine(state.batch);
  const reason = whyNot(state);
  if (reason) return reason;
  const item = currentImage(state);
  if (!item?.result) return t("status.ready");
  const lost = state.images.filter((other) => other.status === "error").length;
  const others = state.images.filter((other) => other.status === "ready").length;
  return [t("status.done", { duration: t("units.seconds", { number: numeral(item.result.timings.totalMs / 1000, 1) }) }), others ? t("status.others", { count: others }) : "",
    lost ? t("status.lost", { count: lost }) : ""].filter(Boolean).join(" ");
}

/** How a run over several images ended. @param {import("./types.d.ts").Batch} batch */
export function batchLine({ asked, analysed, older, lost, ms }) {
  const line = analysed < asked
    ? lost ? t("status.stoppedLost", { analysed, count: asked, lost }) : t("status.stopped", { analysed, count: asked })
    : lost ? t("status.batchLost", { count: analysed, duration: duration(ms), lost }) : t("status.batch", { count: analysed, duration: duration(ms) });
  return older ? `${line} ${t("status.older", { count: older })}` : line;
}

/** @param {number} ms */
function duration(ms) {
  const seconds = ms / 1000;
  if (seconds < 10) return t("units.seconds", { number: numeral(seconds, 1) });
  return seconds < 120 ? t("units.seconds", { number: Math.round(seconds) }) : t("units.minutes", { minutes: Math.floor(seconds / 60), seconds: Math.round(seconds % 60) });
}
