/**
 * The scheduler of workers: which worker takes which image, who encodes which view of the normal images, and what
 * happens if one crashes. `Pool` and the page both use it.
 *
 * Comes in: jobs, and how one is done on a session. Goes out: each job settled once, on the first worker or on a further
 * one. A worker that crashes loses nothing: a further one gives its job back, and the first tries again after its restart.
 * A job that fails for reasons of its own (ImageError) is settled with the error and the others go on. Rejects with any
 * other error, with the last DeviceError if the first worker failed at one job again and again, and with an AbortError.
 */

import { abortable, stopped } from "./errors.js";
import { Helper, spread } from "./helpers.js";
import { encodeTogether, fillUp } from "./views.js";

/** Same worker, a fresh one, a last one. */
const MAX_TRIES = 3;

/** @typedef {import("./index.js").Session} Session */
/** @typedef {import("./views.js").Member} Member */
/**
 * What images are compared with.
 * @typedef {{references: readonly import("./helpers.js").Support[], augment?: import("./index.d.ts").Augment}} Compared
 */
/**
 * One job, made ready.
 * @typedef {{signal: AbortSignal, isFirst: boolean, ids: readonly number[]}} How `ids`: how a further session names the references, in their order
 * @typedef {Compared & {analyse: (session: Session, how: How) => Promise<unknown>}} Task
 */
/**
 * The first worker. Its owner opens it, replaces it and gives it the references.
 * @typedef {object} First
 * @property {() => Promise<Session>} session its session with all references, a new one if the last was lost
 * @property {() => Member | null | Promise<Member | null>} member the same at once; null while it is lost or lacks some
 * @property {(error: Error) => void} [failed] the device failed, and the session is still there
 */
/**
 * @template Job
 * @typedef {object} Run
 * @property {First} first
 * @property {() => Promise<Compared>} compared what the jobs will be compared with, to be encoded before them
 * @property {(job: Job) => Promise<Task | null>} task null if there is nothing to do any more
 * @property {(job: Job, error: Error | null) => void} settled the job is done, or failed with this ImageError
 * @property {(job: Job) => void} [givenBack] its worker crashed, and another one will take it
 * @property {(job: Job, error: Error) => Error} [hopeless] what to reject with if the first worker failed at it every time
 * @property {(done: number, total: number) => void} [onEncoding] views that several workers encode before the first job
 * @property {(tookMs: number) => void} [onEncoded] called once after them
 * @property {AbortSignal} [signal]
 */

/** One first worker and further ones, which are opened when there is enough to do. */
export class Lanes {
  #open;
  #count;
  /** Further workers, opened or about to be. @type {Helper[]} */ #others = [];

  /**
   * @param {() => Promise<Session>} open a further worker's session
   * @param {(jobs: number) => number} count workers worth having for so many jobs, the first one included
   */
  constructor(open, count) {
    this.#open = open;
    this.#count = count;
  }

  /** Opens the further workers that so many jobs are worth. Rejects if one cannot be opened. @param {number} jobs */
  async start(jobs) {
    await Promise.all(this.#beside(jobs).map((other) => other.session()));
  }

  /** Ends the further workers; a later run opens new ones. */
  release() {
    for (const other of this.#others) other.close();
    this.#others = [];
  }

  /**
   * Does all jobs.
   * @template Job
   * @param {Job[]} jobs
   * @param {Run<Job>} run
   */
  async run(jobs, run) {
    const stop = new AbortController();
    try {
      if (run.signal?.aborted) throw stopped(run.signal);
      await abortable(this.#run(jobs, run, stop.signal), run.signal);
    } finally {
      // One worker failed or the caller stopped: what the others have begun is not wanted any more.
      stop.abort();
    }
  }

  /** @template Job @param {Job[]} jobs @param {Run<Job>} run @param {AbortSignal} signal */
  async #run(jobs, run, signal) {
    // If it fails, each worker encodes what it lacks, and reports the error.
    await this.#encodeTogether(jobs.length, run, signal).catch(() => {});
    if (signal.aborted) return;
    const first = { ready: Promise.resolve(), work: (job) => this.#onFirst(job, run, signal) };
    const others = this.#beside(jobs.length).map((other) => ({ ready: other.session(), work: (job) => this.#onOther(other, job, run, signal) }));
    await spread(jobs, [first, ...others]);
  }

  /** Those that so many jobs are worth, and those that are open already. @param {number} jobs */
  #beside(jobs) {
    const wanted = Math.min(this.#count(jobs), jobs) - 1;
    while (this.#others.length < wanted) this.#others.push(new Helper(this.#open));
    return this.#others.filter((other, n) => n < jobs - 1 && (n < wanted || other.isOpen));
  }

  /** Gets the first worker's references ready with the help of others. @param {number} jobs @param {Run<any>} run @param {AbortSignal} signal */
  async #encodeTogether(jobs, { first, compared, onEncoding, onEncoded }, signal) {
    const begun = performance.now();
    const { references, augment } = await compared();
    const member = references.length > 0 ? await first.member() : null;
    const views = member ? await member.session.lackingViews({ augment }) : [];
    const others = views.length > 0 ? this.#beside(jobs + views.length) : [];
    if (!member || others.length === 0) return;
    await encodeTogether(member, others.map((other) => other.sync(references)), { augment, signal, onProgress: onEncoding });
    onEncoded?.(performance.now() - begun);
  }

  /**
   * @template Job
   * @param {Job} job @param {Run<Job>} run @param {AbortSignal} signal
   * @returns {Promise<boolean>} always true: the first worker never gives a job back
   */
  async #onFirst(job, run, signal) {
    for (let attempt = 1; ; attempt += 1) {
      /** @type {Session | null} */
      let session = null;
      try {
        if (signal.aborted) throw stopped(signal);
        const own = (session = await run.first.session());
        return await this.#settle(job, run, signal, (task) => task.analyse(own, { signal, isFirst: true, ids: [] }));
      } catch (error) {
        if (signal.aborted || error.name !== "DeviceError") throw error;
        if (attempt >= MAX_TRIES) throw run.hopeless?.(job, error) ?? error;
        if (session?.ended === false) run.first.failed?.(error);
      }
    }
  }

  /**
   * @template Job
   * @param {Helper} other @param {Job} job @param {Run<Job>} run @param {AbortSignal} signal
   * @returns {Promise<boolean>} false if the worker is gone and another one must take the job
   */
  async #onOther(other, job, run, signal) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#settle(job, run, signal, async ({ references, augment, analyse }) => {
          // Both at once, so that both hold the same references at the same places.
          const [from, to] = await Promise.all([memberOf(run.first, references), other.sync(references)]);
          if (from) await fillUp(from, to, augment).catch(() => {});
          await analyse(to.session, { signal, isFirst: false, ids: to.ids });
        });
      } catch (error) {
        if (signal.aborted || error.name !== "DeviceError") throw error;
        // Otherwise it was the first worker that crashed, while the job was made ready.
        if (other.isOpen && attempt < MAX_TRIES) continue;
        this.#others = this.#others.filter((one) => one !== other);
        other.close();
        run.givenBack?.(job);
        return false;
      }
    }
  }

  /**
   * @template Job
   * @param {Job} job @param {Run<Job>} run @param {AbortSignal} signal
   * @param {(task: Task) => Promise<unknown>} work
   * @returns {Promise<true>}
   */
  async #settle(job, run, signal, work) {
    let failure = null;
    try {
      if (signal.aborted) throw stopped(signal);
      const task = await run.task(job);
      if (task) await work(task);
    } catch (error) {
      if (error.name !== "ImageError") throw error;
      failure = error;
    }
    if (signal.aborted) throw stopped(signal);
    run.settled(job, failure);
    return true;
  }
}

/** The first worker's views, if there are any to share. @param {First} first @param {Compared["references"]} references */
async function memberOf(first, references) {
  try {
    return references.length > 0 ? await first.member() : null;
  } catch {
    return null;
  }
}
