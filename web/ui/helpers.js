/**
 * Further workers for runs over many pictures or many views of normal ones, on the CPU tier only: they take the model when
 * there is work enough and keep it for the next run, until the page changes to a graphics device. Nothing is fetched for them; where the
 * browser keeps no model files, they would have to, and there are none.
 */

import { Helper, workerCount } from "../../pkg/helpers.js";

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 * @param {ReturnType<typeof import("./network.js").createNetwork>} network
 */
export function createHelpers(store, engine, network) {
  const { state } = store;
  /** @type {Helper[]} */
  let helpers = [];

  async function open() {
    const session = await engine.whenReady();
    return session.twin({ onRequests: network.add });
  }

  /** @param {Helper} helper one that is of no more use */
  function drop(helper) {
    helpers = helpers.filter((other) => other !== helper);
    helper.close();
  }

  /** Those that a run can use beside the page's own session. @param {number} jobs pictures, and views of normal ones to encode */
  function some(jobs) {
    const { info } = state;
    if (info?.device.tier !== "cpu" || jobs < 2) return [];
    const { place, full } = info.storage;
    if (place !== "private-files" || full) return [];
    const wanted = workerCount(info.weightBytes, jobs) - 1;
    while (helpers.length < wanted) helpers.push(new Helper(open));
    return helpers.slice(0, jobs - 1);
  }

  engine.onReady(() => {
    if (state.info?.device.tier === "cpu") return;
    for (const helper of helpers) drop(helper);
  });
  return { some, drop };
}
