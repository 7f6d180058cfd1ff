/**
 * Several pictures at once: one worker a processor core, each with the whole model.
 *
 * Comes in: pictures as Blobs. Goes out: one result each, in their order. A worker that crashes loses
 * nothing: its picture goes to another. On a graphics device one worker does all. Fails as a Session does.
 */

import { Helper, spread, workerCount } from "./helpers.js";
import { Session } from "./index.js";
import { encodeTogether, fillUp } from "./views.js";

/** Same worker, a fresh one, a last one. */
const MAX_TRIES = 3;

/** One model in several workers. Make it with {@link Pool.open}. */
export class Pool {
  /** @type {Helper[]} */ #helpers;
  /** @type {import("./helpers.js").Support[]} */ #supports = [];
  #nextKey = 1;
  #countIsChosen;
  /** One call after another. @type {Promise<unknown>} */ #turn = Promise.resolve();

  /** What the model is and where it runs. @type {import("./index.d.ts").SessionInfo} */
  info;

  /** @param {Helper[]} helpers @param {import("./index.d.ts").SessionInfo} info @param {boolean} countIsChosen by the caller */
  constructor(helpers, info, countIsChosen) {
    this.#helpers = helpers;
    this.#countIsChosen = countIsChosen;
    this.info = info;
  }

  /**
   * Loads a model; the first worker is ready then. The others are too where their number was given, else they
   * follow when there are pictures enough.
   * @param {string | URL} manifestUrl as for a session
   * @param {import("./index.d.ts").PoolOptions} [options]
   * @returns {Promise<Pool>}
   */
  static async open(manifestUrl, { workers, ...options } = {}) {
    const first = await Session.open(manifestUrl, { ...options, twins: workers !== 1 });
    const { info } = first;
    const again = () => first.twin({ onRequests: options.onRequests });
    const count = info.device.tier === "cpu" ? (workers ?? workerCount(info.weightBytes, Infinity)) : 1;
    const others = Array.from({ length: Math.max(0, count - 1) }, () => new Helper(again));
    const helpers = [new Helper(again, first), ...others];
    const pool = new Pool(helpers, info, workers !== undefined);
    try {
      // Who asks for a number gets it, or the reason why not.
      if (workers !== undefined) await Promise.all(helpers.map((helper) => helper.session()));
    } catch (error) {
      pool.close();
      throw error;
    }
    return pool;
  }

  /** Workers there are, or will be once there are pictures enough. */
  get workers() {
    return this.#helpers.length;
  }

  /**
   * Adds a normal picture to compare with.
   * @param {Blob} blob
   * @param {{window?: string}} [options]
   * @returns {Promise<number>} its id
   */
  async addSupport(blob, { window } = {}) {
    return this.#then(async () => {
      const id = this.#nextKey++;
      // Throws if the picture cannot be read.
      const { input } = await (await this.#helpers[0].session()).decode(blob, { window });
      const supports = [...this.#supports, { key: String(id), input }];
      await this.#helpers[0].sync(supports);
      this.#supports = supports;
      return id;
    });
  }

  /** Takes one normal picture out again. @param {number} id @returns {Promise<void>} */
  async removeSupport(id) {
    // In turn, as adding is: an addition that is under way would bring it back.
    await this.#then(async () => {
      this.#supports = this.#supports.filter(({ key }) => key !== String(id));
    });
  }

  /** Takes all normal pictures out, those included whose addition was asked for before. @returns {Promise<void>} */
  async clearSupport() {
    await this.#then(async () => {
      this.#supports = [];
    });
  }

  /**
   * Looks for what is unusual in several pictures.
   * @param {Blob[]} blobs
   * @param {import("./index.d.ts").AnalyseAllOptions} options
   * @returns {Promise<(import("./index.d.ts").Result | Error)[]>} in the order of `blobs`; an ImageError for a picture that cannot be read
   */
  async analyseAll(blobs, options) {
    return this.#then(() => this.#analyseAll(blobs, options));
  }

  /**
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  #then(work) {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** @param {Blob[]} blobs @param {import("./index.d.ts").AnalyseAllOptions} options */
  async #analyseAll(blobs, { onResult, signal, ...options }) {
    /** @type {(import("./index.d.ts").Result | Error)[]} */
    const results = new Array(blobs.length);
    const stop = new AbortController();
    const aborted = new Promise((_, reject) => {
      const give = () => (stop.abort(), reject(Object.assign(new Error("Stopped on request. Start it again when you want it."), { name: "AbortError" })));
      if (signal?.aborted) give();
      signal?.addEventListener("abort", give, { signal: stop.signal });
    });
    const { augment } = options;
    const supports = options.mode === "few" ? this.#supports : [];
    const [first] = this.#helpers;
    /** @param {Helper} helper @param {boolean} stays @returns {import("./helpers.js").Lane<number>} */
    const lane = (helper, stays) => ({
      ready: stays ? Promise.resolve() : helper.session(),
      work: async (index) => {
        for (let attempt = 1; ; attempt += 1) {
          try {
            const member = await helper.sync(supports);
            const { session } = member;
            if (!stays && first.isOpen) await fillUp(await first.sync(supports), member, augment).catch(() => {});
            results[index] = await session.analyse(blobs[index], { ...options, signal: stop.signal });
          } catch (error) {
            const mayTry = stays && attempt < MAX_TRIES;
            if (error.name === "DeviceError" && mayTry) continue;
            if (error.name === "DeviceError" && !stays) return false;
            if (error.name !== "ImageError") throw error;
            results[index] = error;
          }
          onResult?.(index, results[index]);
          return true;
        }
      },
    });
    /** @param {number} jobs */
    const useful = (jobs) => {
      const worthwhile = this.#countIsChosen ? jobs : workerCount(this.info.weightBytes, jobs);
      return this.#helpers.filter((helper, n) => n === 0 || (n < jobs && (helper.isOpen || n < worthwhile)));
    };
    const work = async () => {
      // If it fails, each worker encodes what it lacks, and reports the error.
      if (supports.length > 0) await this.#encodeTogether(supports, useful, blobs.length, augment, stop.signal).catch(() => {});
      const lanes = useful(blobs.length).map((helper, n) => lane(helper, n === 0));
      await spread(blobs.map((_, index) => index), lanes);
    };
    try {
      await Promise.race([work(), aborted]);
    } finally {
      // One lane failed or the caller stopped: the others' pictures are not wanted any more.
      stop.abort();
    }
    return results;
  }

  /**
   * Gets the first worker's normal pictures ready with the help of others.
   * @param {readonly import("./helpers.js").Support[]} supports
   * @param {(jobs: number) => Helper[]} useful workers for so many jobs, the first one included
   * @param {number} pictures that come after
   * @param {import("./index.d.ts").Augment | undefined} augment
   * @param {AbortSignal} signal
   */
  async #encodeTogether(supports, useful, pictures, augment, signal) {
    const first = await this.#helpers[0].sync(supports);
    const views = await first.session.lackingViews({ augment });
    if (views.length === 0) return;
    const [, ...others] = useful(views.length + pictures);
    if (others.length === 0) return;
    await encodeTogether(first, others.map((helper) => helper.sync(supports)), { augment, signal });
  }

  /** Ends all workers. */
  close() {
    for (const helper of this.#helpers) helper.close();
  }
}
