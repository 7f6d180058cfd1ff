/** The header: model, device tier, and what the page has fetched since the model was ready. */

import { el, setText } from "./dom.js";

export const TIERS = { gpu16: "WebGPU, 16 bit", gpu32: "WebGPU", cpu: "CPU" };

/** @param {ReturnType<typeof import("./store.js").createStore>} store @param {ReturnType<typeof import("./engine.js").createEngine>} engine */
export function mountHeader(store, engine) {
  const { state } = store;
  let watching = false;
  store.on(() => {
    const { info, load } = state;
    const device = el("device-button");
    const ready = load.phase === "ready" && info;
    setText(el("model-name"), info?.name ?? (load.phase === "loading" ? "loading" : "none"));
    setText(el("device-name"), ready ? TIERS[info.device.tier] ?? info.device.tier : load.phase === "loading" ? "checking" : "none");
    device.dataset.tier = ready ? info.device.tier : "";
    device.title = ready ? info.device.reason : "Where the model runs, and why";
    setText(el("requests-count"), String(state.requests.length));
  });
  // Counted from the moment the model is first ready; the worker reports its own.
  engine.onReady(() => {
    if (watching) return;
    watching = true;
    const ready = performance.now();
    new PerformanceObserver((list) => {
      // What began before is told only when it ends, which may be after.
      const begun = list.getEntries().filter((entry) => entry.startTime > ready);
      const requests = begun.map((entry) => entry.name).filter((name) => /^https?:/.test(name));
      if (requests.length > 0) store.set({ requests: [...state.requests, ...requests] });
    }).observe({ type: "resource" });
  });
}
