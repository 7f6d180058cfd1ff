/**
 * Several pictures at once: one worker a processor core, each with the whole model.
 *
 * Comes in: pictures as Blobs. Goes out: one result each, in their order. A worker that crashes loses
 * nothing: its picture goes to another. On a graphics device one worker does all. Fails as a Session does.
 */

import { Helper, workerCount } from "./helpers.js";
import { Session } from "./index.js";
import { Lanes } from "./lanes.js";
import { SharedOpener } from "./opener.js";
import { OneWindow, isAutomatic } from "./window.js";

/** One model in several workers. Make it with {@link Pool.open}. */
export class Pool {
  /** The first worker. @type {Helper} */ #first;
  /** @type {Lanes} */ #lanes;
  #workers;
  /** What reads files for all of them, if it is the pool's own. @type {SharedOpener | null} */ #files;
  #closed = false;
  /** @type {import("./helpers.js").Support[]} */ #supports = [];
  #nextKey = 1;
  /** The window of the normal pictures. */ #window = new OneWindow();
  /** A person's own words in force, by object. @type {Map<string, import("./index.d.ts").EncodedWords>} */
  #words = new Map();
  /** One call after another. @type {Promise<unknown>} */ #turn = Promise.resolve();

  /** What the model is and where it runs. @type {import("./index.d.ts").SessionInfo} */
  info;

  /** @param {Session} session @param {SharedOpener | null} files @param {Pick<import("./index.d.ts").PoolOptions, "workers" | "onRequests">} options */
  constructor(session, files, { workers, onRequests }) {
    const { device, weightBytes } = session.info;
    const again = () => session.twin({ onRequests });
    const most = device.tier === "cpu" ? (workers ?? workerCount(weightBytes, Infinity)) : 1;
    this.info = session.info;
    this.#files = files;
    this.#workers = Math.max(1, most);
    this.#first = new Helper(again, session);
    // Loading one pays from some pictures on; who asks for a number gets it.
    this.#lanes = new Lanes(again, (jobs) => (this.#closed ? 1 : workers === undefined ? Math.min(most, workerCount(weightBytes, jobs)) : most));
  }

  /**
   * Loads a model; the first worker is ready then. The others are too where their number was given, else they
   * follow when there are pictures enough.
   * @param {string | URL} manifestUrl as for a session
   * @param {import("./index.d.ts").PoolOptions} [options]
   * @returns {Promise<Pool>}
   */
  static async open(manifestUrl, { workers, ...options } = {}) {
    // Sessions come and go; what reads files for them stays.
    const files = options.opener ? null : SharedOpener.own({ onRequests: options.onRequests });
    const opener = options.opener ?? /** @type {any} */ (files?.opener);
    const session = await Session.open(manifestUrl, { ...options, opener, twins: workers !== 1 }).catch((error) => {
      files?.leave();
      throw error;
    });
    const pool = new Pool(session, files, { workers, onRequests: options.onRequests });
    try {
      // Who asks for a number gets it, or the reason why not.
      if (workers !== undefined) await pool.#lanes.start(pool.workers);
    } catch (error) {
      pool.close();
      throw error;
    }
    return pool;
  }

  /** Workers there are, or will be once there are pictures enough. */
  get workers() {
    return this.#workers;
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
      const { input } = await (await this.#first.session()).decode(blob, { window });
      const supports = [...this.#supports, { key: String(id), input }];
      await this.#first.sync(supports);
      this.#supports = supports;
      if (isAutomatic(window)) this.#window.add(id, blob, await (await this.#first.session()).greySpread(blob));
      return id;
    });
  }

  /** Takes one normal picture out again. @param {number} id @returns {Promise<void>} */
  async removeSupport(id) {
    // In turn, as adding is: an addition that is under way would bring it back.
    await this.#then(async () => {
      this.#supports = this.#supports.filter(({ key }) => idOf(key) !== id);
      this.#window.remove(id);
    });
  }

  /** Takes all normal pictures out, those included whose addition was asked for before. @returns {Promise<void>} */
  async clearSupport() {
    await this.#then(async () => {
      this.#supports = [];
      this.#window.clear();
    });
  }

  /**
   * Words that an object is compared with: a person's own, else the method's.
   * @param {string} object
   * @param {import("./index.d.ts").WordOptions} [options]
   * @returns {Promise<import("./index.d.ts").Prompts>}
   */
  async promptsOf(object, options) {
    const own = this.#words.get(object);
    return own ? structuredClone(own.prompts) : (await this.#first.session()).promptsOf(object, options);
  }

  /**
   * Puts words in the place of an object's for all workers, from the next call on; with null its own come back.
   * @param {string} object
   * @param {import("./index.d.ts").Prompts | null} prompts
   * @param {import("./index.d.ts").EncodeOptions} [options]
   * @returns {Promise<import("./index.d.ts").SetPrompts>}
   */
  async setPrompts(object, prompts, options = {}) {
    return this.#then(async () => {
      const session = await this.#first.session();
      const begunMs = performance.now();
      const encoded = prompts && (await session.encodePrompts(prompts, options));
      const applied = !encoded || encoded.words !== null;
      if (applied) {
        // Throws if there is no such object.
        await session.useWords(object, encoded);
        if (encoded) this.#words.set(object, encoded);
        else this.#words.delete(object);
      }
      return { applied, prompts: encoded && encoded.prompts, problems: encoded ? encoded.problems : [], ms: performance.now() - begunMs };
    });
  }

  /**
   * Looks for what is unusual in several pictures.
   * @param {Blob[]} blobs
   * @param {import("./index.d.ts").AnalyseAllOptions} options
   * @returns {Promise<(import("./index.d.ts").Result | Error)[]>} in the order of `blobs`; an ImageError for a picture that cannot be read
   */
  async analyseAll(blobs, options) {
    return this.#then(async () => this.#analyseAll(blobs, await this.#throughOneWindow(options)));
  }

  /** The options with the window that the normal pictures have, and these taken through it. @param {import("./index.d.ts").AnalyseAllOptions} options */
  async #throughOneWindow(options) {
    if (options.mode !== "few" || !isAutomatic(options.window) || !this.#window.isNeeded) return options;
    const session = await this.#first.session();
    const window = await this.#window.settle(session, async (id, blob, window) => {
      const { input } = await session.decode(blob, { window });
      // Another key, so that every worker takes it anew.
      this.#supports = this.#supports.map((support) => (idOf(support.key) === id ? { key: `${id} ${window}`, input } : support));
    });
    return { ...options, window };
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
    const { augment } = options;
    const references = options.mode === "few" ? this.#supports : [];
    const words = this.#words.get(options.object) ?? null;
    await this.#lanes.run([...blobs.keys()], {
      signal,
      first: {
        session: async () => (await this.#first.sync(references)).session,
        member: () => (this.#first.isOpen ? this.#first.sync(references) : null),
      },
      compared: async () => {
        if (references.length > 0) await this.#first.sync(references);
        return { references, augment };
      },
      task: async (index) => ({
        references,
        augment,
        analyse: async (session, { signal }) => {
          // Nothing to do for a worker that has them; an unknown object is for the analysis to report.
          if (this.info.objects.some(({ id }) => id === options.object)) await session.useWords(options.object, words);
          return (results[index] = await session.analyse(blobs[index], { ...options, signal }));
        },
      }),
      settled: (index, error) => {
        if (error) results[index] = error;
        onResult?.(index, results[index]);
      },
    });
    return results;
  }

  /** Ends all workers. */
  close() {
    this.#closed = true;
    this.#first.close();
    this.#lanes.release();
    this.#files?.leave();
    this.#files = null;
  }
}

/** The id of a normal picture, by the key that workers know it by. @param {string} key */
function idOf(key) {
  return Number(key.split(" ")[0]);
}
