/** The header: model, device tier, and what the page has fetched since the model was ready. */

import { el, setText } from "./dom.js";
import { numeral, t } from "./texts.js";

/** @type {Record<string, import("./texts.js").Key>} */
const TIERS = { gpu16: "device.gpu16", gpu32: "device.gpu32", cpu: "device.cpu" };

/** What a tier of devices is called. @param {string} tier */
export const tierName = (tier) => (TIERS[tier] ? t(TIERS[tier]) : tier);

/** @param {ReturnType<typeof import("./store.js").createStore>} store */
export function mountHeader(store) {
  const { state } = store;
  store.on(() => {
    const { info, load } = state;
    const device = el("device-button");
    const ready = load.phase === "ready" && info;
    setText(el("model-name"), info?.name ?? (load.phase === "loading" ? t("header.loading") : t("header.none")));
    setText(el("device-name"), ready ? tierName(info.device.tier) : load.phase === "loading" ? t("header.checking") : t("header.none"));
    device.dataset.tier = ready ? info.device.tier : "";
    device.title = ready ? info.device.reason : t("header.deviceTitle");
    const blocked = state.requests.filter((request) => request.blocked).length;
    setText(el("requests-count"), blocked ? t("header.blocked", { sent: state.requests.length - blocked, blocked }) : numeral(state.requests.length));
  });
}
