// The scheduler of workers by itself, with sessions that are not there: who takes which job, and what a crash costs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Lanes } from "../../pkg/lanes.js";

const named = (name, message = name) => Object.assign(new Error(message), { name });
const turn = () => new Promise((resolve) => setTimeout(resolve));

/** A session that holds normal images by number and encodes their one view to its own name. */
function fakeSession(name, { lacks = false } = {}) {
  const rows = new Map();
  let nextId = 0;
  const session = {
    name, ended: false, rows,
    addSupport: async ({ input }) => (rows.set(nextId, lacks ? null : [`${name} ${input}`]), nextId++),
    clearSupport: async () => rows.clear(),
    lackingViews: async () => [...rows].filter(([, row]) => row === null).map(([id]) => ({ id, view: 0 })),
    viewRows: async ({ id }) => rows.get(id),
    giveView: async ({ id }, given) => void rows.set(id, given),
    close: () => (session.ended = true),
  };
  return session;
}

/** Runs jobs on a first worker and up to `count` in all; `analyse` does one. */
function machine({ count = () => 2, references = () => [] }) {
  const opened = [];
  const own = { session: fakeSession("first"), failed: [] };
  const lanes = new Lanes(async () => {
    opened.push(fakeSession(`other ${opened.length + 1}`, { lacks: true }));
    return opened.at(-1);
  }, count);
  const run = async (jobs, analyse, options = {}) => {
    const settled = [];
    const givenBack = [];
    const first = {
      session: async () => own.session,
      member: () => ({ session: own.session, ids: references().map((_, n) => n) }),
      failed: (error) => own.failed.push(error),
    };
    const task = async (job) => ({ references: references(), analyse: async (session, how) => analyse(job, session, how) });
    await lanes.run(jobs, {
      first, task,
      compared: async () => ({ references: references() }),
      settled: (job, error) => settled.push([job, error?.name ?? "done"]),
      givenBack: (job) => givenBack.push(job),
      ...options,
    });
    return { settled, givenBack };
  };
  return { lanes, opened, own, run };
}

test("a further worker is opened only where the jobs are worth it, and kept for the next run", async () => {
  const { opened, run } = machine({ count: (jobs) => (jobs < 4 ? 1 : 3) });
  const done = (names) => async (job, { name }) => (names.add(name), turn());
  const [small, large, again] = [new Set(), new Set(), new Set()];
  await run([1, 2, 3], done(small));
  assert.deepEqual([...small], ["first"]);
  const { settled } = await run([1, 2, 3, 4, 5, 6], done(large));
  assert.deepEqual([large.size, opened.length], [3, 2]);
  assert.deepEqual(settled.map(([job]) => job).sort(), [1, 2, 3, 4, 5, 6], "each once");
  await run([1, 2], done(again));
  assert.deepEqual([again.size, opened.length], [2, 2], "one that is open helps with two jobs, and none is opened for them");
});

test("a further worker that crashes gives its job back, and another one is opened for the next run", async () => {
  const { opened, run } = machine({});
  const crash = async (job, session) => {
    await turn();
    if (session.name !== "other 1") return;
    session.close();
    throw named("DeviceError");
  };
  const { settled, givenBack } = await run([1, 2, 3, 4], crash);
  assert.equal(givenBack.length, 1);
  assert.deepEqual(settled.map(([job]) => job).sort(), [1, 2, 3, 4]);
  await run([1, 2], crash);
  assert.deepEqual(opened.map(({ name }) => name), ["other 1", "other 2"]);
});

test("the first worker tries a job three times, and says which one was hopeless", async () => {
  const { own, run } = machine({ count: () => 1 });
  let tries = 0;
  const fail = async () => {
    tries += 1;
    throw named("DeviceError");
  };
  await assert.rejects(run(["a"], fail, { hopeless: (job) => new Error(`hopeless: ${job}`) }), /hopeless: a/);
  assert.deepEqual([tries, own.failed.length], [3, 2], "its owner is told before each new try");
  await assert.rejects(run(["a"], fail), { name: "DeviceError" });
});

test("an image that cannot be read is settled with its error; any other error ends the run", async () => {
  const { run } = machine({ count: () => 1 });
  const { settled } = await run([1, 2, 3], async (job) => {
    if (job === 2) throw named("ImageError");
  });
  assert.deepEqual(settled, [[1, "done"], [2, "ImageError"], [3, "done"]]);
  const seen = [];
  await assert.rejects(run([1, 2, 3], async (job) => {
    seen.push(job);
    throw named("ModelError");
  }), { name: "ModelError" });
  assert.deepEqual(seen, [1]);
});

test("stopping ends the run at once with the caller's reason, and what was begun is told", async () => {
  const { run } = machine({ count: () => 1 });
  const controller = new AbortController();
  let inner;
  const settled = [];
  const waits = (job, session, { signal }) => {
    inner = signal;
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(named("AbortError"))));
  };
  const running = run([1, 2], waits, { signal: controller.signal, settled: (job) => settled.push(job) });
  await turn();
  controller.abort(named("TimeoutError"));
  await assert.rejects(running, { name: "TimeoutError" });
  await turn();
  assert.equal(inner.aborted, true);
  assert.deepEqual(settled, []);
  await assert.rejects(run([1], async () => {}, { signal: AbortSignal.abort() }), { name: "AbortError" });
});

test("a further worker gets the first one's rows of the same images, also if the list changes meanwhile", async () => {
  let list = ["a", "b", "c"];
  const { lanes, opened, own, run } = machine({ references: () => list.map((name) => ({ key: name, input: name })) });
  for (const input of list) await own.session.addSupport({ input });
  await lanes.start(2);
  const slow = opened[0].addSupport;
  opened[0].addSupport = async (picture) => {
    // While the further worker takes the images, the first of them is taken out.
    list = ["b", "c"];
    return slow(picture);
  };
  let found = null;
  await run([1, 2], async (job, session) => {
    await turn();
    if (session === opened[0]) found ??= [...session.rows.values()];
  });
  assert.deepEqual(found, [["first a"], ["first b"], ["first c"]]);
});
