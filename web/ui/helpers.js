/**
 * Further workers for runs over many pictures, on the CPU tier only: opened when a run has pictures enough,
 * kept for the next run, closed when nothing was analysed for a while or the page changes to a graphics device.
 */

import { Helper, workerCount } from "../../pkg/helpers.js";
import { Session } from "../../pkg/index.js";
import { manifestUrl } from "./engine.js";

/** Each holds a copy of the weights: not for longer than somebody goes through pictures. */
const IDLE_MS = 60_000;

/**
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {ReturnType<import("./engine.js").createEngine>} engine
 */
export function createHelpers(store, engine) {
  const { state } = store;
  /** @type {Helper[]} */
  let helpers = [];
  let timer = 0;

  function open() {
    return Session.open(manifestUrl(), {
      device: "cpu",
      countLoading: true,
      onRequests: (addresses) => store.set({ requests: [...state.requests, ...addresses] }),
    });
  }

  /** @param {Helper} helper one that is of no more use */
  function drop(helper) {
    helpers = helpers.filter((other) => other !== helper);
    helper.close();
  }

  function closeAll() {
    for (const helper of helpers) helper.close();
    helpers = [];
  }

  /** Those that a run over so many pictures can use beside the page's own session. @param {number} pictures */
  function some(pictures) {
    clearTimeout(timer);
    const { info } = state;
    if (info?.device.tier !== "cpu" || pictures < 2) return [];
    const wanted = workerCount(info.weightBytes, pictures) - 1;
    while (helpers.length < wanted) helpers.push(new Helper(open));
    return helpers.slice(0, pictures - 1);
  }

  /** A run is over; who was not ready by then was not needed. */
  function rest() {
    clearTimeout(timer);
    for (const helper of helpers) if (!helper.isOpen) drop(helper);
    timer = window.setTimeout(closeAll, IDLE_MS);
  }

  engine.onReady(() => state.info?.device.tier !== "cpu" && closeAll());
  return { some, rest, drop };
}
