/**
 * Notices that a worker is gone, also if the browser reports nothing: it closed itself, or was terminated.
 *
 * Comes in: a worker that answers `{op: "live"}` (`answerLife`). Goes out: one call when it is gone. If the browser has
 * locks, the worker holds one as long as it lives and the page waits for it: no timer, no mistake on a slow machine.
 * Elsewhere (pages without https) the worker is asked every few seconds, and silence counts.
 */

const ASK_EVERY_MS = 2_000;
/** Silent rounds until a worker counts as gone: under ten seconds, and a machine that slept makes at most one. */
const SILENT_ROUNDS = 3;

/** In the worker: holds a lock, if one is named, as long as the worker lives. @param {{lock: string | null}} args */
export function answerLife({ lock }) {
  const answer = () => self.postMessage({ live: true });
  if (!lock) return answer();
  void navigator.locks.request(lock, () => {
    answer();
    return new Promise(() => {});
  });
}

/** Waits for the end of one worker. */
export class Life {
  #worker;
  #lost;
  #lock = globalThis.navigator?.locks ? `mvfa-worker-${crypto.randomUUID()}` : null;
  #waiting = new AbortController();
  #silent = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;

  /** @param {Worker} worker @param {() => void} lost called once, unless `end` comes first */
  constructor(worker, lost) {
    this.#worker = worker;
    this.#lost = lost;
    this.#ask();
  }

  #ask() {
    this.#worker.postMessage({ id: 0, op: "live", args: { lock: this.#lock } });
  }

  /** Any message of the worker. @param {{live?: boolean}} message @returns {boolean} whether it was only a sign of life */
  heard({ live }) {
    this.#silent = 0;
    if (!live) return false;
    if (this.#lock) this.#waitForLock(this.#lock);
    else this.#timer ??= setInterval(() => this.#round(), ASK_EVERY_MS);
    return true;
  }

  /** @param {string} lock held by the worker */
  #waitForLock(lock) {
    const { signal } = this.#waiting;
    navigator.locks.request(lock, { signal }, () => this.#gone()).catch((error) => {
      // Ended while waiting, or no locks in this kind of page: then silence must do.
      if (signal.aborted) return;
      this.#lock = null;
      this.#ask();
    });
  }

  #round() {
    if (this.#silent >= SILENT_ROUNDS) return this.#gone();
    this.#silent += 1;
    this.#ask();
  }

  #gone() {
    if (this.#waiting.signal.aborted) return;
    this.end();
    this.#lost();
  }

  /** The worker is of no more interest. */
  end() {
    clearInterval(this.#timer);
    this.#waiting.abort();
  }
}
