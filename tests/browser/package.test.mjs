// The package by itself, with deep images: one window for a session and a pool, taken anew as normal images come and go;
// and regions left out.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { TINY } from "./actions.mjs";
import { grey16Png, tinyPicture } from "./fixtures.mjs";
import { SITE, launch, withPage } from "./harness.mjs";

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

/** A ramp of 16 bits, of another brightness for each name. */
const deep = (name, gain) => grey16Png(name, 70, 70, (x, y) => Math.round(gain * ((x * 37 + y * 61) % 2000)));
const base64 = (bytes) => Buffer.from(bytes).toString("base64");
/** Two normal images, and one to analyse. */
const DEEP = [deep("a.png", 1), deep("b.png", 3), deep("c.png", 2)].map(({ buffer }) => base64(buffer));

test("a session and a pool see deep images through the window that the normal images have together", async () => {
  await withPage(browser, {}, async (page) => {
    await page.goto(new URL("pkg/README.md", SITE).href);
    const found = await page.evaluate(async ([model, files]) => {
      const { Pool, Session } = await import("/pkg/index.js");
      const [first, second, image] = files.map((text) => new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]));
      const how = { object: "brain", mode: "few", augment: "none" };
      const plain = ({ score, map, supportScores }) => ({ score, map: Array.from(map), supportScores });

      // By hand: every image is decoded through the window of both normal images.
      const session = await Session.open(model, { device: "cpu" });
      const spreads = await Promise.all([first, second].map((blob) => session.greySpread(blob)));
      const both = await session.sharedWindow(spreads);
      const one = await session.sharedWindow(spreads.slice(0, 1));
      const byHand = async (normals, window) => {
        await session.clearSupport();
        for (const blob of normals) await session.addSupport(await session.decode(blob, { window }));
        return plain(await session.analyse(await session.decode(image, { window }), how));
      };
      const expected = { both: await byHand([first, second], both.window), one: await byHand([first], one.window) };

      await session.clearSupport();
      await session.addSupport(first);
      const inSession = { one: plain(await session.analyse(image, how)) };
      const id = await session.addSupport(second);
      inSession.both = plain(await session.analyse(image, how));
      await session.removeSupport(id);
      inSession.again = plain(await session.analyse(image, how));
      const chosen = (await session.analyse(image, { ...how, window: "1000,100" })).score;
      session.close();

      const pool = await Pool.open(model, { device: "cpu", workers: 2 });
      await pool.addSupport(first);
      const analyse = async () => (await pool.analyseAll([image, image], how)).map(plain);
      const inPool = { one: await analyse() };
      const inPoolId = await pool.addSupport(second);
      inPool.both = await analyse();
      await pool.removeSupport(inPoolId);
      inPool.again = await analyse();
      pool.close();
      return { expected, inSession, inPool, chosen, windows: [one.window, both.window] };
    }, [TINY, DEEP]);

    const { expected, inSession, inPool } = found;
    assert.notEqual(...found.windows);
    assert.notDeepEqual(expected.one, expected.both, "the window and the normal images count");
    assert.deepEqual(inSession, { one: expected.one, both: expected.both, again: expected.one });
    const twice = (result) => [result, result];
    assert.deepEqual(inPool, { one: twice(expected.one), both: twice(expected.both), again: twice(expected.one) });
    assert.notEqual(found.chosen, expected.one.score, "a window that is asked for wins");
  });
});

test("regions left out count for nothing, and one outside the image is an error that says so", async () => {
  await withPage(browser, {}, async (page) => {
    await page.goto(new URL("pkg/README.md", SITE).href);
    const files = ["input_rgb.png", "support_0.png", "support_1.png"].map((name) => base64(readFileSync(tinyPicture(name))));
    const found = await page.evaluate(async ([model, texts]) => {
      const { Session } = await import("/pkg/index.js");
      const [image, ...normals] = texts.map((text) => new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]));
      const session = await Session.open(model, { device: "cpu" });
      for (const normal of normals) await session.addSupport(normal);
      const how = { object: "brain", mode: "few", augment: "none" };
      const scoreOf = async (leaveOut) => (await session.analyse(image, { ...how, leaveOut })).score;
      const whole = await scoreOf(undefined);
      const leftOut = await scoreOf([{ x: 0, y: 0, width: 40, height: 30 }]);
      const refused = await scoreOf([{ x: 0, y: 0, width: 4000, height: 30 }]).catch(({ name, message }) => ({ name, message }));
      const after = await scoreOf([]);
      session.close();
      return { whole, leftOut, refused, after };
    }, [TINY, files]);
    // The command line's scores (regions.test.mjs).
    assert.ok(Math.abs(found.whole - 0.32974458) < 1e-4 && Math.abs(found.leftOut - 0.6131514) < 1e-4, JSON.stringify(found));
    assert.equal(found.after, found.whole);
    assert.match(found.refused.message, /outside/);
  });
});
