// Opens the benchmark's page, prints one table and writes the figures.
//
// Comes in: MVFA_URL, CHROMIUM, BENCH_JSON (file to write), BENCH_RUNS, BENCH_TIERS. Goes out: a table of
// medians and their spread. Fails where the two programs do not compute the same.

import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { SITE, launch } from "../tests/browser/harness.mjs";

/** Both sum in f32, in different orders, over eleven blocks. */
const APART_AT_MOST = 1e-3;
const RUNS = Number(process.env.BENCH_RUNS ?? 7);
const TIERS = (process.env.BENCH_TIERS ?? "cpu").split(",");

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return (low + high) / 2;
};
const ms = (value) => `${value.toFixed(0)} ms`;

const browser = await launch();
const results = [];
try {
  for (const tier of TIERS) {
    const page = await browser.newPage();
    await page.goto(new URL("bench/index.html", SITE).href);
    await page.waitForFunction(() => "compare" in globalThis);
    page.setDefaultTimeout(0);
    // A software adapter needs half a minute a picture.
    const options = { tier, runs: RUNS, warmUps: tier === "cpu" ? 2 : 1 };
    results.push(await page.evaluate((o) => globalThis.compare(o), options));
    await page.close();
  }
} finally {
  await browser.close();
}

console.log("\nViT-S/14 of the default model, 290 tokens, 11 blocks; peer: onnxruntime-web, one thread");
console.log("tier  what    ours                              peer                              ratio");
for (const { tier, ours, theirs, apart } of results) {
  const spread = (times) => `${ms(median(times))} (${ms(Math.min(...times))} to ${ms(Math.max(...times))})`;
  const row = (what, a, b, ratio) => console.log(`${tier.padEnd(6)}${what.padEnd(8)}${a.padEnd(34)}${b.padEnd(34)}${ratio.toFixed(2)}`);
  row("open", ms(ours.openMs), ms(theirs.openMs), ours.openMs / theirs.openMs);
  row("first", ms(ours.firstMs), ms(theirs.firstMs), ours.firstMs / theirs.firstMs);
  row("warm", spread(ours.warmMs), spread(theirs.warmMs), median(ours.warmMs) / median(theirs.warmMs));
  const levels = apart.map((level) => level.toExponential(1)).join(", ");
  console.log(`${tier.padEnd(6)}outputs differ, level by level, by ${levels} of the level's largest value`);
}
const machine = { processor: cpus()[0]?.model, cores: cpus().length, browser: browser.version() };
writeFileSync(process.env.BENCH_JSON, `${JSON.stringify({ machine, results }, null, 2)}\n`);
console.log(`written: ${process.env.BENCH_JSON}`);
if (results.some((result) => !result.apart.every((level) => level <= APART_AT_MOST))) {
  console.error(`the two programs differ by more than ${APART_AT_MOST}: their times cannot be compared`);
  process.exitCode = 1;
}
