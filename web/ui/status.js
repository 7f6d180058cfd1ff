/** What goes on now: the state on <main>, the progress line, and which buttons make sense. */

import { countOf, el, megabytes, setText } from "./dom.js";
import { currentImage } from "./store.js";
import { isStale, isUpToDate } from "./results.js";
import { remaining } from "./run.js";

const LOAD_WORDS = { engine: "Loading the program", model: "Loading the model", "self-test": "Checking that the device computes correctly" };
const RUN_WORDS = { references: "Normal images", encode: "Looking at the image", score: "Comparing" };
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
  if (phase !== "ready") return phase === "loading" ? "" : "The model is not loaded.";
  const item = currentImage(state);
  if (!item) return "Add an image to begin.";
  if (item.status === "error") return "This file cannot be read. Choose another image.";
  if (item.absent) return "The workspace has this result without the image. Add the image to analyse it again.";
  if (state.settings.mode === "few" && state.support.length === 0) return "Add at least one normal image to compare with.";
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
    setText(all, left === 0 ? `All ${usable} analysed` : left < usable ? `Analyse remaining ${left}` : `Analyse all ${usable}`);
    all.title = left < usable ? `${usable - left} of ${usable} are analysed with these settings.` : "";
    const { share, words } = now === "loading" ? loadLine(state) : state.run ? runLine(state.run) : state.opening ? openingLine(state.opening) : state.saving ? savingLine(state.saving) : { share: 0, words: restLine(state) };
    if (share === null) progress.removeAttribute("value");
    else progress.value = share;
    progress.classList.toggle("idle", !working);
    setText(el("status"), words);
    if (!working && wasBusy && !wasSaving && now === "done" && !el("words").contains(document.activeElement)) revealResult();
    // The button with the focus has just been replaced: keep the focus where the eye is.
    if (working && !wasBusy && (focused === load || focused === analyse || focused === all)) cancel.focus();
    if (!working && wasBusy && !wasSaving && (focused === cancel || focused === document.body)) {
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
  const words = LOAD_WORDS[load.stage] ?? LOAD_WORDS.engine;
  if (load.stage === "self-test" && load.totalBytes) return { share: load.loadedBytes / load.totalBytes, words };
  if (load.stage !== "model" || !load.totalBytes) return { share: null, words };
  return { share: load.loadedBytes / load.totalBytes, words: `Model ${load.fromStorage ? "kept from an earlier visit" : "from this site"}: ${megabytes(load.loadedBytes)} of ${megabytes(load.totalBytes)}` };
}

/** @param {import("./types.d.ts").Run} run */
function runLine(run) {
  const which = run.ids.length > 1 ? `Image ${run.index + 1} of ${run.ids.length}. ` : "";
  const words = RUN_WORDS[run.stage] ?? "Starting";
  const [from, to] = RUN_SHARE[run.stage] ?? [0, 0];
  const part = run.total > 0 ? from + (to - from) * (run.done / run.total) : from;
  const count = run.stage === "references" && run.total > 1 ? `: ${Math.round((100 * run.done) / run.total)} %` : "";
  return { share: (run.index + part) / run.ids.length, words: `${which}${words}${count}` };
}

/** @param {import("./types.d.ts").Opening} opening */
function openingLine({ done, total }) {
  return { share: total > 0 ? done / total : 0, words: `Opening files: ${done} of ${total}` };
}

/** @param {import("./types.d.ts").Opening} saving */
function savingLine({ done, total }) {
  return { share: total > 0 ? done / total : 0, words: `Saving: slice ${done + 1} of ${total}` };
}

/** @param {import("./types.d.ts").State} state */
function restLine(state) {
  const lost = state.images.filter((other) => other.status === "error").length;
  // How the run ended comes before what the image in view lacks, until other settings make it history.
  if (state.batch && state.images.some((item) => isUpToDate(state, item))) return batchLine(state.batch, lost);
  const reason = whyNot(state);
  if (reason) return reason;
  const item = currentImage(state);
  if (!item?.result) return "Ready.";
  const others = state.images.filter((other) => other.status === "ready").length;
  return [`Done in ${(item.result.timings.totalMs / 1000).toFixed(1)} s.`, others ? `${countOf(others, "image")} not analysed yet.` : "",
    lost ? `${countOf(lost, "file")} could not be read.` : ""].filter(Boolean).join(" ");
}

/** How a run over several images ended. @param {import("./types.d.ts").Batch} batch @param {number} lost files that cannot be read */
export function batchLine({ asked, analysed, ms }, lost) {
  const unreadable = lost ? `, ${lost} could not be read` : "";
  if (analysed < asked) return `${analysed} of ${countOf(asked, "image")} analysed, then stopped${unreadable}.`;
  return `${countOf(analysed, "image")} analysed in ${duration(ms)}${unreadable}.`;
}

/** @param {number} ms */
function duration(ms) {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return seconds < 120 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
