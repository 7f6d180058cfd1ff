/**
 * Both programs in one page, called from outside by the driver.
 *
 * Comes in: a tier, contenders and counts. Goes out: milliseconds of each contender, in alternation on the same
 * picture, and how far its outputs are from those of the peer in f32. Fails with the first error of any.
 */
import { Session } from "../pkg/index.js";

const SEED = 12345;
/** The peer's builds: each tier has one of its own, and the processor's is smaller and may be faster. */
const PEER = {
  cpu: { build: "./ort/ort.wasm.bundle.min.mjs", provider: "wasm" },
  gpu: { build: "./ort/ort.webgpu.bundle.min.mjs", provider: "webgpu" },
};

/**
 * @typedef {{program: "ours" | "peer", weights: "f32" | "i8", model: string, graph: string}} Contender
 * @typedef {{open: () => Promise<void>, run: () => Promise<Float32Array[]>, close: () => void, device: string}} Program
 */

/** A smooth picture with some noise, the same every time: planes in 0..1. @param {number} side */
function picture(side) {
  const planes = new Float32Array(3 * side * side);
  let state = SEED;
  for (let i = 0; i < planes.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const x = i % side;
    const y = Math.floor(i / side) % side;
    planes[i] = 0.5 + 0.3 * Math.sin(x / 17) * Math.cos(y / 23) + 0.2 * (state / 2 ** 32 - 0.5);
  }
  return planes;
}

/** @param {Contender} contender @param {"cpu" | "gpu"} tier @param {Float32Array} planes @returns {Program} */
function ours({ model }, tier, planes) {
  /** @type {any} */
  let session = null;
  return {
    device: "",
    async open() {
      session = await Session.open(model, { device: tier });
      this.device = `${session.info.device.tier}: ${session.info.device.name}`;
    },
    run: () => session.tokens(planes),
    close: () => session?.close(),
  };
}

/** @param {Contender} contender @param {"cpu" | "gpu"} tier @param {Float32Array} pixels @param {number} side @returns {Program} */
function peer({ graph }, tier, pixels, side) {
  /** @type {any} */
  let worker = null;
  const ask = (message) =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data.error ? reject(new Error(`the peer: ${data.error}`)) : resolve(data.value));
      worker.onerror = (event) => reject(new Error(`the peer's worker: ${event.message}`));
      worker.postMessage(message);
    });
  return {
    device: PEER[tier].provider,
    async open() {
      worker = new Worker(new URL("./peer.js", import.meta.url), { type: "module" });
      await ask({ op: "open", ...PEER[tier], graph });
    },
    run: () => ask({ op: "run", pixels, side }),
    close: () => worker?.terminate(),
  };
}

/**
 * Per level: the largest difference by the largest value, and the root mean square of the difference by that of the
 * values. @param {Float32Array[]} found @param {Float32Array[]} expected
 */
function apart(found, expected) {
  if (found.length !== expected.length) throw new Error(`${found.length} and ${expected.length} levels`);
  return found.map((level, l) => {
    const other = expected[l];
    if (level.length !== other.length) throw new Error(`level ${l}: ${level.length} and ${other.length} values`);
    let [off, top, offSquares, squares] = [0, 0, 0, 0];
    level.forEach((value, i) => {
      const difference = Math.abs(value - other[i]);
      // Not Math.max, which the comparison with NaN would pass by.
      off = difference <= off ? off : difference;
      top = Math.max(top, Math.abs(other[i]));
      offSquares += difference ** 2;
      squares += other[i] ** 2;
    });
    return { largest: off / top, rms: Math.sqrt(offSquares / squares) };
  });
}

/** @param {() => Promise<any>} work */
async function timed(work) {
  const start = performance.now();
  const value = await work();
  return [performance.now() - start, value];
}

/**
 * Opens every contender and lets it see its first picture before the next begins, because what one still compiles in
 * the background would slow another down; then all in alternation.
 * @param {{tier: "cpu" | "gpu", contenders: Contender[], backwards: boolean, runs: number, warmUps: number}} plan
 */
globalThis.race = async ({ tier, contenders, backwards, runs, warmUps }) => {
  const { preprocess } = await (await fetch(contenders[0].model)).json();
  const { size_px: side, mean, std } = preprocess;
  const planes = picture(side);
  const pixels = planes.map((v, i) => (v - mean[Math.floor(i / side / side)]) / std[Math.floor(i / side / side)]);
  const field = contenders.map((contender) => ({
    ...contender,
    live: contender.program === "ours" ? ours(contender, tier, planes) : peer(contender, tier, pixels, side),
    openMs: 0,
    firstMs: 0,
    warmMs: /** @type {number[]} */ ([]),
    levels: /** @type {Float32Array[]} */ ([]),
  }));
  for (const one of backwards ? [...field].reverse() : field) {
    [one.openMs] = await timed(() => one.live.open());
    [one.firstMs, one.levels] = await timed(() => one.live.run());
  }
  for (let i = 0; i < warmUps; i++) {
    for (const one of field) await one.live.run();
  }
  for (let i = 0; i < runs; i++) {
    for (const one of field) one.warmMs.push((await timed(() => one.live.run()))[0]);
  }
  const reference = field.find((one) => one.program === "peer" && one.weights === "f32");
  if (!reference) throw new Error("the peer in f32 is what outputs are compared with");
  return field.map(({ live, levels, ...one }) => {
    live.close();
    return { ...one, device: live.device, apart: apart(levels, reference.levels) };
  });
};
