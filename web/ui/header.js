/** The header: model, device tier, and what the page has fetched since the model was ready. */

import { el, setText } from "./dom.js";

export const TIERS = { gpu16: "WebGPU, 16 bit", gpu32: "WebGPU", cpu: "CPU" };

/** @param {ReturnType<typeof import("./store.js").createStore>} store */
export function mountHeader(store) {
  const { state } = store;
  store.on(() => {
    const { info, load } = state;
    const device = el("device-button");
    const ready = load.phase === "ready" && info;
    setText(el("model-name"), info?.name ?? (load.phase === "loading" ? "loading" : "none"));
    setText(el("device-name"), ready ? TIERS[info.device.tier] ?? info.device.tier : load.phase === "loading" ? "checking" : "none");
    device.dataset.tier = ready ? info.device.tier : "";
    device.title = ready ? info.device.reason : "Where the model runs, and why";
    const blocked = state.requests.filter((request) => request.blocked).length;
    setText(el("requests-count"), `${state.requests.length - blocked}${blocked ? ` + ${blocked} blocked` : ""}`);
  });
}
