// The browser's part of the benchmark: opens its page, once a launch, and writes the figures.
//
// Comes in: MVFA_URL, CHROMIUM, BENCH_PLAN (file with {races: [{geometry, tier, contenders, launches, runs,
// warmUps}], memory: {counts, bankRows, runs} or null}), BENCH_RESULT (file to write). Goes out: {browser, races,
// memory}, times of all launches joined.

import { readFileSync, writeFileSync } from "node:fs";
import { SITE, launch } from "../tests/browser/harness.mjs";

const { races, memory } = JSON.parse(readFileSync(process.env.BENCH_PLAN, "utf8"));
let version = "";

/** One fresh browser, nothing compiled before and no other page, for one function of the page. */
async function inNewBrowser(name, plan) {
  const browser = await launch();
  version = browser.version();
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    await page.goto(new URL("bench/index.html", SITE).href);
    await page.waitForFunction((name) => name in globalThis, name);
    return await page.evaluate(([name, plan]) => globalThis[name](plan), [name, plan]);
  } finally {
    await browser.close();
  }
}

for (const race of races) {
  const found = race.contenders;
  for (const one of found) Object.assign(one, { openMs: [], firstMs: [], warmMs: [] });
  for (let n = 0; n < race.launches; n++) {
    console.error(`${race.geometry}, ${race.tier}: browser ${n + 1} of ${race.launches}`);
    // Who comes first changes from launch to launch; the warm pictures belong to the last.
    const warm = n + 1 === race.launches ? { runs: race.runs, warmUps: race.warmUps } : { runs: 0, warmUps: 0 };
    const answer = await inNewBrowser("race", { ...race, ...warm, backwards: n % 2 === 1 });
    answer.forEach(({ openMs, firstMs, ...rest }, i) => {
      found[i].openMs.push(openMs);
      found[i].firstMs.push(firstMs);
      Object.assign(found[i], rest);
    });
  }
}
const rows = memory ? await inNewBrowser("memory", memory) : [];
writeFileSync(process.env.BENCH_RESULT, JSON.stringify({ browser: version, races, memory: rows }));
