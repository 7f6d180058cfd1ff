/**
 * Further workers for runs over many pictures, on the CPU tier only: they take the model when a run has pictures enough
 * and keep it for the next run, until the page changes to a graphics device. Nothing is fetched for them; where the
 * browser keeps no model files, they would have to, and there are none.
 */

import { Helper, workerCount } from "../../pkg/helpers.js";

/** @param {ReturnType<typeof import("./store.js").createStore>} store @param {ReturnType<typeof import("./engine.js").createEngine>} engine */
export function createHelpers(store, engine) {
  const { state } = store;
  /** @type {Helper[]} */
  let helpers = [];

  async function open() {
    const session = await engine.whenReady();
    return session.twin({ onRequests: (addresses) => store.set({ requests: [...state.requests, ...addresses] }) });
  }

  /** @param {Helper} helper one that is of no more use */
  function drop(helper) {
    helpers = helpers.filter((other) => other !== helper);
    helper.close();
  }

  /** Those that a run over so many pictures can use beside the page's own session. @param {number} pictures */
  function some(pictures) {
    const { info } = state;
    if (info?.device.tier !== "cpu" || pictures < 2) return [];
    const { place, full } = info.storage;
    if (place !== "private-files" || full) return [];
    const wanted = workerCount(info.weightBytes, pictures) - 1;
    while (helpers.length < wanted) helpers.push(new Helper(open));
    return helpers.slice(0, pictures - 1);
  }

  /** A run is over; who was not ready by then was not needed. */
  function rest() {
    for (const helper of helpers) if (!helper.isOpen) drop(helper);
  }

  engine.onReady(() => {
    if (state.info?.device.tier === "cpu") return;
    for (const helper of helpers) drop(helper);
  });
  return { some, rest, drop };
}
