// The bundled model's rules for normal images, and left with right, in the browser on both tiers, against an independent program
// (tests/scoring/make_golden.py). The native tests hold every slice to it; here are two, because the software adapter takes long.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DEFAULT, addSupports, analyseInSession, openSession } from "./actions.mjs";
import { fixture, maxDifference, slice, tensor } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

const NORMALS = ["brain2_004", "brain2_005", "brain2_016"].map(slice);
const SLICES = ["brain1_014", "brain1_006"];
/** Each map with what it is asked by. */
const MAPS = Object.entries({
  plain: { mode: "few", bilateral: false },
  bilateral: { mode: "few", bilateral: true },
  self: { mode: "self" },
});
const SIDE_PX = 240;
const LIMIT = 1e-4;

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const golden = (name) => tensor(fixture("scoring/golden.safetensors"), name);

/** Every fourth pixel, beginning with the third. */
function sampled(map) {
  const places = Array.from({ length: Math.ceil((SIDE_PX - 2) / 4) }, (_, n) => 2 + 4 * n).filter((n) => n < SIDE_PX);
  return places.flatMap((y) => places.map((x) => map[y * SIDE_PX + x]));
}

for (const device of ["cpu", "gpu"]) {
  test(`maps and scores follow an independent program on the ${device} tier`, async () => {
    await withPage(browser, {}, async (page) => {
      const info = await openSession(page, { model: DEFAULT, device });
      assert.match(info.device.tier, device === "cpu" ? /^cpu$/ : /^gpu/);
      await addSupports(page, NORMALS);
      for (const name of SLICES) {
        const scores = golden(`${name}.scores`);
        for (const [n, [map, options]] of MAPS.entries()) {
          const result = await analyseInSession(page, slice(name), { object: "brain", ...options });
          const difference = maxDifference(sampled(result.map), golden(`${name}.${map}`));
          console.log(`${device} ${name} ${map}: map ${difference.toExponential(1)}, score ${Math.abs(result.score - scores[2 * n]).toExponential(1)}`);
          assert.ok(difference <= LIMIT, `${name} ${map}: ${difference}`);
          assert.ok(Math.abs(result.score - scores[2 * n]) <= LIMIT, `${name} ${map}: ${result.score}, expected ${scores[2 * n]}`);
        }
      }
    });
  });
}
