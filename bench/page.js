/**
 * Both programs in one page, called from outside by the driver.
 *
 * Comes in: a tier and counts. Goes out: milliseconds of each program, in alternation on the same picture, and
 * how far their outputs are apart. Fails with the first error of either.
 */
import { Session } from "../pkg/index.js";

const SEED = 12345;
/** The peer's builds: each tier has one of its own, and the processor's is smaller and may be faster. */
const PEER = { cpu: "./ort/ort.wasm.bundle.min.mjs", gpu: "./ort/ort.webgpu.bundle.min.mjs" };

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

/** Per level, the largest difference relative to the level's largest value. */
function differences(ours, theirs) {
  if (ours.length !== theirs.length) throw new Error(`${ours.length} and ${theirs.length} levels`);
  return ours.map((level, l) => {
    const other = theirs[l];
    if (level.length !== other.length) throw new Error(`level ${l}: ${level.length} and ${other.length} values`);
    let apart = 0;
    let largest = 0;
    level.forEach((value, i) => {
      apart = Math.max(apart, Math.abs(value - other[i]));
      largest = Math.max(largest, Math.abs(other[i]));
    });
    return apart / largest;
  });
}

/** @param {() => Promise<any>} work */
async function timed(work) {
  const start = performance.now();
  const value = await work();
  return [performance.now() - start, value];
}

/**
 * @param {{tier: "cpu" | "gpu", runs: number, warmUps: number}} options
 * @returns {Promise<object>} times in milliseconds
 */
globalThis.compare = async ({ tier, runs, warmUps }) => {
  const manifest = await (await fetch("/models/default/manifest.json")).json();
  const { size_px: side, mean, std } = manifest.preprocess;
  const planes = picture(side);
  const normalised = planes.map((v, i) => (v - mean[Math.floor(i / side / side)]) / std[Math.floor(i / side / side)]);
  const ort = await import(PEER[tier]);
  ort.env.wasm.wasmPaths = new URL("./ort/", import.meta.url).href;
  ort.env.wasm.numThreads = 1;

  const [oursOpen, session] = await timed(() => Session.open("/models/default/manifest.json", { device: tier }));
  const ours = () => session.tokens(planes);
  // Each program opens and sees its first picture before the other begins: what one still compiles in the
  // background would slow the other down.
  const [oursFirst, oursLevels] = await timed(ours);
  const provider = tier === "cpu" ? "wasm" : "webgpu";
  // As ours, with the download of the weights from the same server.
  const [theirsOpen, peer] = await timed(async () => {
    const model = new Uint8Array(await (await fetch("tower.onnx")).arrayBuffer());
    return ort.InferenceSession.create(model, { executionProviders: [provider] });
  });
  const theirs = async () => {
    const answer = await peer.run({ pixels: new ort.Tensor("float32", normalised, [1, 3, side, side]) });
    return Promise.all(peer.outputNames.map((name) => answer[name].getData()));
  };
  const [theirsFirst, theirsLevels] = await timed(theirs);
  const apart = differences(oursLevels, theirsLevels);
  for (let i = 0; i < warmUps; i++) {
    await ours();
    await theirs();
  }
  const times = { ours: [], theirs: [] };
  for (let i = 0; i < runs; i++) {
    times.ours.push((await timed(ours))[0]);
    times.theirs.push((await timed(theirs))[0]);
  }
  const device = session.info.device;
  session.close();
  await peer.release();
  return {
    tier,
    device,
    apart,
    ours: { openMs: oursOpen, firstMs: oursFirst, warmMs: times.ours },
    theirs: { openMs: theirsOpen, firstMs: theirsFirst, warmMs: times.theirs },
  };
};
