/**
 * What it costs to search many references, by the model's rules and by the paper's.
 *
 * Comes in: manifests by the name of their rules, how many references, how many rows the smaller memory may keep, runs. Goes
 * out: for each number the milliseconds of encoding a picture and of scoring it, of the comparison of references with each
 * other that comes once, and of making the memory smaller. Fails as the session does.
 */
import { Session } from "../pkg/index.js";

const SIDE = 240;
const OPTIONS = { object: "brain", mode: "few", augment: "none" };

/** A disc with stripes that differ from seed to seed, as a file. @param {number} seed @returns {Promise<Blob>} */
function drawn(seed) {
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    const inside = Math.hypot(x - SIDE / 2, y - SIDE / 2) < 90 + (seed % 7);
    const grey = inside ? 120 + 60 * Math.sin(x / (9 + (seed % 5))) * Math.cos(y / (11 + (seed % 3)) + seed) : 8;
    image.data.set([grey, grey, grey, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}

/** @param {{manifests: Record<string, string>, counts: number[], bankRows: number, runs: number}} plan */
globalThis.memory = async ({ manifests, counts, bankRows, runs }) => {
  const rows = [];
  for (const [rules, manifest] of Object.entries(manifests)) {
    const session = await Session.open(manifest, { device: "cpu" });
    const picture = await drawn(1000);
    for (const references of counts) {
      await session.clearSupport();
      for (let seed = 0; seed < references; seed++) await session.addSupport(await drawn(seed));
      // The first analysis encodes the references, or makes their memory smaller.
      for (const kept of [undefined, bankRows]) {
        const options = kept ? { ...OPTIONS, bankRows: kept } : OPTIONS;
        const { timings: once } = await session.analyse(picture, options);
        const [scoreMs, encodeMs] = [[], []];
        for (let i = 0; i < runs; i++) {
          const { timings } = await session.analyse(picture, options);
          scoreMs.push(timings.scoreMs);
          encodeMs.push(timings.encodeMs);
        }
        rows.push({ rules, references, bankRows: kept ?? null, onceMs: once.scoreMs, prepareMs: once.referencesMs, encodeMs, scoreMs });
      }
    }
    session.close();
  }
  return rows;
};
