/**
 * Requests of this page to the network since the model was first ready, blocked ones included: its own, those of its
 * workers, those of the service worker. The header counts them and lists them.
 */

import { watchRequests } from "../../pkg/index.js";
import { t } from "./texts.js";

/** @typedef {import("../../pkg/index.d.ts").NetworkRequest} NetworkRequest */

/** @param {ReturnType<typeof import("./store.js").createStore>} store */
export function createNetwork(store) {
  let readyMs = Infinity;
  /** Takes note of requests, from wherever they come. @param {NetworkRequest[]} requests */
  function add(requests) {
    const later = requests.filter(({ atMs }) => atMs > readyMs);
    if (later.length === 0) return;
    store.set({ requests: [...store.state.requests, ...later].sort((a, b) => a.atMs - b.atMs) });
  }
  watchRequests(add);
  return {
    add,
    /** The model is ready: from here on it counts; a later load counts as well. */
    begin() {
      if (readyMs === Infinity) readyMs = performance.timeOrigin + performance.now();
    },
  };
}

/** A request as one line. @param {NetworkRequest} request */
export function requestLine({ method, url, blocked }) {
  const { origin, pathname, search } = new URL(url);
  const address = origin === location.origin ? pathname + search : url;
  const line = `${method} ${address}`;
  return blocked ? t("requests.blocked", { request: line }) : line;
}
