/**
 * Workers that share a list of jobs: how many, who takes which, and what each holds.
 *
 * Each worker has its own copy of the weights, because memory shared by threads needs headers
 * (COOP/COEP) that static hosts cannot send. A worker that crashes loses nothing: it gives its job
 * back and another takes it.
 */

import { makeError } from "./errors.js";

/** @typedef {import("./index.js").Session} Session */

/** More cores are left to the rest of the machine. */
const MAX_WORKERS = 4;
/** Another worker must first load the model, which takes as long as some pictures. */
const MIN_PICTURES_EACH = 4;
/** What a worker needs beside its weights: the program, and what it computes with. */
const WORKER_BYTES = 150e6;
/** Assumed for browsers that do not report the machine's memory. */
const USUAL_MEMORY_GB = 4;
/** Share of the machine's memory that all workers together may take. */
const MEMORY_SHARE = 0.25;

/**
 * How many workers are worth having.
 * @param {number} weightBytes of the model
 * @param {number} pictures to analyse
 * @param {{cores?: number, memoryGb?: number}} [machine] what the browser reports about it
 * @returns {number} at least 1
 */
export function workerCount(weightBytes, pictures, machine = {}) {
  const { cores = navigator.hardwareConcurrency ?? 1, memoryGb = /** @type {any} */ (navigator).deviceMemory ?? USUAL_MEMORY_GB } = machine;
  const fitting = Math.floor((memoryGb * 1e9 * MEMORY_SHARE) / (1.1 * weightBytes + WORKER_BYTES));
  return Math.max(1, Math.min(cores, MAX_WORKERS, fitting, Math.floor(pictures / MIN_PICTURES_EACH)));
}

/**
 * A worker that takes jobs: `ready` once it can, never if it rejects; `work` answers false if it can
 * go on no longer, and then the job goes to another.
 * @template Job
 * @typedef {{ready: Promise<unknown>, work: (job: Job) => Promise<boolean>}} Lane
 */

/**
 * Lets lanes take jobs in their order until all are done. At least one lane must never give up.
 * @template Job
 * @param {Job[]} jobs
 * @param {Lane<Job>[]} lanes
 * @returns {Promise<void>} rejects with the first error of a lane; jobs not begun are left alone then
 */
export function spread(jobs, lanes) {
  const waiting = [...jobs];
  let open = waiting.length;
  if (open === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    /** Lanes that found nothing to do. @type {Set<Lane<Job>>} */
    const idle = new Set();
    /** @param {Lane<Job>} lane */
    const run = async (lane) => {
      while (waiting.length > 0) {
        const job = /** @type {Job} */ (waiting.shift());
        if (await lane.work(job)) {
          open -= 1;
          continue;
        }
        waiting.unshift(job);
        const woken = [...idle];
        idle.clear();
        woken.forEach(begin);
        return;
      }
      idle.add(lane);
      if (open === 0) resolve();
    };
    /** @param {Lane<Job>} lane */
    const begin = (lane) => void run(lane).catch((error) => {
      waiting.length = 0;
      reject(error);
    });
    for (const lane of lanes) lane.ready.then(() => begin(lane), () => {});
  });
}

/**
 * A normal picture to compare with, decoded once for all workers; `key` identifies it together with its window.
 * @typedef {{key: string, input?: Uint8Array<ArrayBuffer>, facts?: import("./index.d.ts").SupportFacts}} Support one of both: `facts` of one that is remembered without its picture
 */

/** One worker of several: opened when needed, brought in line with the normal pictures. */
export class Helper {
  #open;
  /** @type {Promise<Session> | null} */ #session = null;
  /** @type {Session | null} */ #opened = null;
  /** What the session holds, in its order. @type {{key: string, id: number}[]} */ #placed = [];
  /** One change of that after another. @type {Promise<unknown>} */ #turn = Promise.resolve();
  #ended = false;

  /** @param {() => Promise<Session>} open makes a session @param {Session} [session] one that is open already */
  constructor(open, session) {
    this.#open = open;
    this.#opened = session ?? null;
    if (session) this.#session = Promise.resolve(session);
  }

  /** Whether a session is there and works. */
  get isOpen() {
    return this.#opened !== null && !this.#opened.ended;
  }

  /** The session, a new one if the last was lost. @returns {Promise<Session>} */
  async session() {
    const session = await this.#session?.catch(() => null);
    if (this.#ended) throw makeError("AbortError", "The session was closed. Open a new one to go on.");
    if (session && !session.ended) return session;
    this.#placed = [];
    const opening = this.#open().then((opened) => {
      this.#opened = opened;
      // Closed while it was opening.
      if (this.#ended) opened.close();
      return opened;
    });
    this.#session = opening;
    return opening;
  }

  /**
   * Makes the session hold these normal pictures, in this order.
   * @param {readonly Support[]} supports
   * @returns {Promise<import("./views.js").Member>}
   */
  async sync(supports) {
    const done = this.#turn.then(() => this.#sync(supports));
    this.#turn = done.catch(() => {});
    return done;
  }

  /** @param {readonly Support[]} supports */
  async #sync(supports) {
    const session = await this.session();
    const inLine = this.#placed.every(({ key }, n) => supports[n]?.key === key);
    if (!inLine) {
      await session.clearSupport();
      this.#placed = [];
    }
    for (const { key, input, facts } of supports.slice(this.#placed.length)) {
      const id = facts ? await session.addRemembered(facts) : await session.addSupport({ input: /** @type {Uint8Array<ArrayBuffer>} */ (input) });
      this.#placed.push({ key, id });
    }
    return { session, ids: this.#placed.map(({ id }) => id) };
  }

  close() {
    this.#ended = true;
    void this.#session?.then((session) => session.close(), () => {});
  }
}
