/**
 * Normal pictures that several workers compare with: each view is encoded by one of them, and its rows go to the others.
 *
 * Comes in: sessions of one model that hold the same normal pictures. Goes out: nothing; a worker that lacks a view
 * afterwards encodes it when it analyses, so a worker that crashes costs time and nothing else. Rejects with an AbortError, or
 * if the first session fails.
 */

import { spread } from "./helpers.js";

/** Views on their way from one worker to another at a time. */
const AT_ONCE = 8;

/** @typedef {import("./index.js").Session} Session */
/** @typedef {import("./index.d.ts").Augment} Augment */
/** A session, and how it names the normal pictures, in their order. @typedef {{session: Session, ids: readonly number[]}} Member */
/** A view by the place of its picture. @typedef {{place: number, view: number}} Place */

/** What a member would encode first. @param {Member} member @param {Augment} [augment] @returns {Promise<Place[]>} */
async function lackingPlaces({ session, ids }, augment) {
  const views = await session.lackingViews({ augment });
  return views.map(({ id, view }) => ({ place: ids.indexOf(id), view })).filter(({ place }) => place >= 0);
}

/**
 * Encodes what the first member lacks, with the help of others.
 * @param {Member} first has every view afterwards
 * @param {Promise<Member>[]} others join in as they get ready
 * @param {{augment?: Augment, signal: AbortSignal, onProgress?: (done: number, total: number) => void}} options
 */
export async function encodeTogether(first, others, { augment, signal, onProgress }) {
  const jobs = await lackingPlaces(first, augment);
  let done = 0;
  const tell = () => onProgress?.(done, jobs.length);
  tell();
  /** @param {Member} member @param {Place} job */
  const rows = ({ session, ids }, { place, view }) => session.viewRows({ id: ids[place], view }, { augment, signal });
  const own = {
    ready: Promise.resolve(),
    /** @param {Place} job */
    work: async (job) => {
      await rows(first, job);
      done += 1;
      tell();
      return true;
    },
  };
  const lanes = others.map((other) => ({
    ready: other,
    /** @param {Place} job */
    work: async (job) => {
      const levels = await rows(await other, job).catch((error) => {
        if (signal.aborted) throw error;
        return null;
      });
      if (!levels) return false;
      await first.session.giveView({ id: first.ids[job.place], view: job.view }, levels, { augment });
      done += 1;
      tell();
      return true;
    },
  }));
  await spread(jobs, [own, ...lanes]);
}

/**
 * Gives a member what another has and it lacks.
 * @param {Member} from
 * @param {Member} to
 * @param {Augment} [augment]
 */
export async function fillUp(from, to, augment) {
  const lacking = await lackingPlaces(to, augment);
  if (lacking.length === 0) return;
  const absent = await lackingPlaces(from, augment);
  const there = lacking.filter(({ place, view }) => !absent.some((other) => other.place === place && other.view === view));
  // Several at a time: `from` may be busy with a picture, and each wait is for one.
  for (let n = 0; n < there.length; n += AT_ONCE) {
    await Promise.all(there.slice(n, n + AT_ONCE).map(async ({ place, view }) => {
      const levels = await from.session.viewRows({ id: from.ids[place], view }, { augment });
      await to.session.giveView({ id: to.ids[place], view }, levels, { augment });
    }));
  }
}
