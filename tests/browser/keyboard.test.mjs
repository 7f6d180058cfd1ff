// The page without a mouse, and with a finger: the focus is never lost, keys stay out of fields, a zoomed image can be
// moved, and a screen reader hears the beginning and the end of a run.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  DEFAULT, TINY, analyse, canvasColours, chooseMode, giveFiles, openReady, startAnalysis, waitForState,
} from "./actions.mjs";
import { brokenPictures, slice, tinyPicture } from "./fixtures.mjs";
import { launch, withPage } from "./harness.mjs";

let browser;
before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser?.close());

/** A page with the small model. */
const withTiny = (work, options = {}) => withPage(browser, options, async (page, record) => {
  await openReady(page, { model: TINY, device: "cpu" });
  await work(page, record);
});

/** Adds pictures and waits until each has its place. */
async function addImages(page, count) {
  const all = count + (await page.getByTestId("strip-item").count());
  await giveFiles(page, "file-input", Array.from({ length: count }, () => tinyPicture("input_rgb.png")));
  await page.waitForFunction((n) => document.querySelectorAll(".strip-thumb canvas").length === n, all);
}

/** One picture with its map, compared with words. */
async function withMap(page) {
  await page.getByTestId("object-select").selectOption("chest");
  await chooseMode(page, "zero");
  await addImages(page, 1);
  await analyse(page);
}

/** What has the focus: its name for a screen reader, or its id; "BODY" where it was lost. */
const focused = (page) => page.evaluate(async () => {
  // The browser takes the focus from what is hidden only when it next paints.
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const node = document.activeElement;
  return node === document.body ? "BODY" : node.getAttribute("aria-label") ?? (node.id || node.className);
});

const number = async (page, testId) => Number(await page.getByTestId(testId).inputValue());

test("the focus goes to the neighbour when an image, a normal image or a message goes", async () => {
  await withTiny(async (page) => {
    await addImages(page, 3);
    const remove = (at) => page.locator(".strip-remove").nth(at).press("Enter");
    await remove(1);
    assert.match(await focused(page), /strip-pick/);
    assert.equal(await page.locator(".strip-pick").nth(1).evaluate((node) => node === document.activeElement), true, "the one that took its place");
    await remove(1);
    assert.equal(await page.locator(".strip-pick").nth(0).evaluate((node) => node === document.activeElement), true, "the last one's neighbour");
    await remove(0);
    assert.equal(await focused(page), "file-input", "what adds images");

    await giveFiles(page, "support-input", [tinyPicture("support_0.png"), tinyPicture("support_1.png")]);
    await page.waitForFunction(() => document.querySelectorAll("[data-testid=support-item][data-state=ready]").length === 2);
    await page.locator(".tile-remove").first().press("Enter");
    assert.match(await focused(page), /Remove normal image support_1/);
    await page.locator(".tile-remove").first().press("Enter");
    assert.equal(await focused(page), "support-input");

    // Two messages: an unreadable normal image, and an image of the same kind.
    const [broken] = brokenPictures();
    await giveFiles(page, "support-input", broken);
    await page.getByTestId("error").first().waitFor();
    await giveFiles(page, "file-input", broken);
    await page.waitForFunction(() => document.querySelectorAll(".message").length === 2);
    await page.locator(".message .icon-button").first().press("Enter");
    assert.equal(await focused(page), "Dismiss");
    await page.locator(".message .icon-button").first().press("Enter");
    assert.notEqual(await focused(page), "BODY");
  });
});

test("the focus survives hidden buttons, Esc and closed dialogs", async () => {
  await withTiny(async (page) => {
    await page.keyboard.press("?");
    await page.locator("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    assert.notEqual(await focused(page), "BODY", "a dialog opened by a key, with nothing in focus before");
    await page.locator("#model-button").press("Enter");
    await page.locator("dialog .icon-button").press("Enter");
    await page.locator("dialog").waitFor({ state: "detached" });
    assert.equal(await focused(page), "model-button");

    await giveFiles(page, "support-input", tinyPicture("support_0.png"));
    await page.locator("#support-clear").press("Enter");
    assert.equal(await focused(page), "support-input", "its button is hidden now");

    await withMap(page);
    await page.locator("#zoom-in").press("Enter");
    await page.locator("#pan-left").press("Enter");
    await page.locator("#pan-left").press("ArrowRight");
    await page.evaluate(() => document.getElementById("zoom-fit").click());
    assert.notEqual(await focused(page), "BODY", "the buttons that move the image are hidden now");
    await page.locator(".strip-remove").first().press("Enter");
    assert.notEqual(await focused(page), "BODY");
  });
});

test("clicking beside everything lets go of the focus as ever", async () => {
  await withTiny(async (page) => {
    await page.locator("#help-button").focus();
    await page.locator(".foot").click();
    assert.equal(await focused(page), "BODY");
    await addImages(page, 2);
    assert.equal(await focused(page), "BODY", "nothing moves it when something else changes");
  });
});

test("letters and signs stay out of fields and can be switched off", async () => {
  await withTiny(async (page) => {
    await withMap(page);
    const before = { threshold: await number(page, "threshold"), opacity: await number(page, "opacity") };
    for (const id of ["opacity", "threshold", "colour-map", "object-select", "swipe-toggle", "mode-zero"]) {
      await page.getByTestId(id).focus();
      for (const key of ["-", "=", "[", "]"]) await page.keyboard.press(key);
    }
    assert.deepEqual({ threshold: await number(page, "threshold"), opacity: await number(page, "opacity") }, before);

    await page.locator("#viewer").focus();
    await page.keyboard.press("[");
    assert.equal(await number(page, "opacity"), before.opacity - 10, "they act on the picture");

    await page.keyboard.press("?");
    await page.getByTestId("single-keys").uncheck();
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    await page.locator("#viewer").focus();
    for (const key of ["]", "-", "a", "?"]) await page.keyboard.press(key);
    assert.equal(await number(page, "opacity"), before.opacity - 10, "switched off");
    assert.equal(await page.locator("dialog").count(), 0);
    await page.reload();
    await waitForState(page, "ready");
    await page.locator("#help-button").click();
    assert.equal(await page.getByTestId("single-keys").isChecked(), false, "kept for the next visit");
  });
});

test("Space hides the overlay on the chosen image's row and on the picture, and still presses other buttons", async () => {
  await withTiny(async (page) => {
    await withMap(page);
    await page.getByTestId("threshold").fill("0");
    await page.getByTestId("opacity").fill("100");
    await page.waitForTimeout(500);
    const shot = () => page.getByTestId("overlay-canvas").screenshot();
    for (const place of [".strip-pick", "#viewer", "#opacity"]) {
      await page.locator(place).first().focus();
      const still = await shot();
      await page.keyboard.down(" ");
      await page.waitForTimeout(200);
      assert.ok(!(await shot()).equals(still), `hidden while held on ${place}`);
      await page.keyboard.up(" ");
      await page.waitForTimeout(200);
      assert.ok((await shot()).equals(still), `back afterwards on ${place}`);
    }
    await addImages(page, 1);
    assert.equal(await page.locator(".strip-pick").first().getAttribute("aria-current"), "false", "the new one is chosen");
    await page.locator(".strip-pick").first().press(" ");
    assert.equal(await page.locator(".strip-pick").first().getAttribute("aria-current"), "true", "another image's row is pressed");
  });
});

test("a zoomed image moves by arrow keys and by buttons; fitted, the arrows change the image", async () => {
  await withTiny(async (page) => {
    await addImages(page, 2);
    const shot = async () => {
      await page.waitForTimeout(150);
      return page.getByTestId("overlay-canvas").screenshot();
    };
    const current = () => page.locator(".strip-pick[aria-current=true]").evaluate((node) => [...document.querySelectorAll(".strip-pick")].indexOf(node));
    await page.locator("#viewer").focus();
    await page.keyboard.press("ArrowRight");
    assert.equal(await current(), 1);
    assert.equal(await page.locator("#pan").isVisible(), false);
    await page.locator("#zoom-in").click();
    await page.locator("#zoom-in").click();
    await page.locator("#viewer").focus();
    let last = await shot();
    for (const key of ["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"]) {
      await page.keyboard.press(key);
      const now = await shot();
      assert.ok(!now.equals(last), `${key} moves the image`);
      last = now;
    }
    assert.equal(await current(), 1, "the same image");
    for (const way of ["left", "up", "right", "down"]) {
      await page.locator(`#pan-${way}`).click();
      const now = await shot();
      assert.ok(!now.equals(last), `the ${way} button moves the image`);
      last = now;
    }
  });
});

test("the before/after handle goes where the picture is clicked", async () => {
  await withTiny(async (page) => {
    await withMap(page);
    await page.getByTestId("swipe-toggle").check();
    const handle = page.locator("#swipe");
    await handle.waitFor({ state: "visible" });
    const at = async () => Number(await handle.getAttribute("aria-valuenow"));
    const box = await page.getByTestId("overlay-canvas").boundingBox();
    assert.equal(await at(), 50);
    await page.mouse.click(box.x + box.width * 0.4, box.y + box.height / 2);
    await page.waitForFunction(() => Number(document.getElementById("swipe").getAttribute("aria-valuenow")) < 45);
  });
});

test("Esc stops a run", async () => {
  await withPage(browser, {}, async (page) => {
    await openReady(page, { model: DEFAULT, device: "cpu" }, 300_000);
    await giveFiles(page, "support-input", ["brain2_001", "brain2_004", "brain2_012"].map(slice));
    await page.getByTestId("support-item").nth(2).waitFor();
    await page.getByTestId("augment-select").selectOption("mvfa");
    await giveFiles(page, "file-input", slice("brain1_016"));
    await startAnalysis(page);
    await waitForState(page, "busy");
    await page.keyboard.press("Escape");
    await waitForState(page, "ready", 10_000);
    assert.equal(await page.getByTestId("announcer").innerText(), "Stopped.");
  });
});

test("the skip link leads to what can be seen, before and after the first image", async () => {
  await withTiny(async (page) => {
    const follow = async () => {
      await page.locator(".skip").focus();
      await page.keyboard.press("Enter");
      return page.evaluate(() => {
        const node = document.querySelector(":target");
        return { visible: node?.checkVisibility({ visibilityProperty: true }), focused: document.activeElement === node };
      });
    };
    assert.deepEqual(await follow(), { visible: true, focused: true });
    await addImages(page, 1);
    assert.deepEqual(await follow(), { visible: true, focused: true });
  });
});

test("a screen reader hears the beginning and the end of a run, with the reading", async () => {
  await withPage(browser, {}, async (page) => {
    await openReady(page, { model: DEFAULT, device: "cpu" }, 300_000);
    await page.getByTestId("object-select").selectOption("brain");
    await giveFiles(page, "support-input", ["brain2_001", "brain2_004"].map(slice));
    await page.getByTestId("support-item").nth(1).waitFor();
    await giveFiles(page, "file-input", slice("brain1_016"));
    await page.waitForFunction(() => !document.querySelector("[data-testid=analyse]").disabled);
    await page.evaluate(() => {
      globalThis.spoken = [];
      const live = "[role=status], [role=alert], [aria-live=polite], output:not([aria-live=off])";
      new MutationObserver((changes) => {
        for (const { target } of changes) {
          const region = (target instanceof Element ? target : target.parentElement)?.closest(live);
          if (region?.textContent && globalThis.spoken.at(-1) !== region.textContent) globalThis.spoken.push(region.textContent);
        }
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    const begun = Date.now();
    await analyse(page, 300_000);
    await page.waitForTimeout(300);
    const spoken = await page.evaluate(() => globalThis.spoken);
    const allowed = 2 + Math.ceil((Date.now() - begun) / 10_000);
    assert.ok(spoken.length <= allowed, `${spoken.length} announcements: ${JSON.stringify(spoken)}`);
    assert.match(spoken[0], /Analysing 1 image/);
    const score = await page.getByTestId("score").innerText();
    const reading = await page.getByTestId("reading").innerText();
    assert.ok(spoken.at(-1).toLowerCase().includes(`score ${score}, ${reading}`.toLowerCase()), `${spoken.at(-1)} tells ${score} and ${reading}`);
  });
});

test("the picture's name for screen readers holds the name in the strip", async () => {
  await withTiny(async (page) => {
    await addImages(page, 1);
    const label = await page.getByTestId("overlay-canvas").getAttribute("aria-label");
    assert.match(label, /input_rgb/);
  });
});

/** A phone. */
async function withPhone(work) {
  const context = await browser.newContext({ viewport: { width: 390, height: 700 }, hasTouch: true, isMobile: true, serviceWorkers: "block" });
  try {
    const page = await context.newPage();
    await openReady(page, { model: TINY, device: "cpu" });
    await work(page, await context.newCDPSession(page));
  } finally {
    await context.close();
  }
}

test("on a phone one finger scrolls past the picture, two fingers zoom it, and then one moves it", async () => {
  await withPhone(async (page, devtools) => {
    await withMap(page);
    await page.evaluate(() => scrollTo(0, 0));
    const box = await page.getByTestId("overlay-canvas").boundingBox();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const touch = (type, points) => devtools.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([px, py], id) => ({ x: px, y: py, id })) });
    const swipe = async () => {
      await touch("touchStart", [[x, y]]);
      for (let step = 1; step <= 10; step++) await touch("touchMove", [[x, y - 12 * step]]);
      await touch("touchEnd", []);
      await page.waitForTimeout(300);
    };
    await swipe();
    const scrolled = await page.evaluate(() => scrollY);
    assert.ok(scrolled > 50, `the page scrolled by ${scrolled} px`);

    await page.evaluate(() => scrollTo(0, 0));
    await touch("touchStart", [[x - 30, y], [x + 30, y]]);
    for (let step = 1; step <= 10; step++) await touch("touchMove", [[x - 30 - 6 * step, y + 2 * step], [x + 30 + 6 * step, y + 2 * step]]);
    await touch("touchEnd", []);
    const zoom = Number(await page.locator("#viewer").getAttribute("data-zoom"));
    assert.ok(zoom > 1.5, `zoomed ${zoom} times`);
    assert.equal(await page.evaluate(() => scrollY), 0, "two fingers do not scroll");

    await swipe();
    assert.equal(await page.evaluate(() => scrollY), 0, "a zoomed picture takes the finger");
  });
});

test("on a phone a button hides the overlay, and a new map is shown again", async () => {
  await withPhone(async (page) => {
    await withMap(page);
    await page.getByTestId("threshold").fill("0");
    await page.getByTestId("opacity").fill("100");
    await page.waitForTimeout(400);
    const button = page.getByTestId("hide-overlay");
    const covered = await canvasColours(page, "overlay-canvas");
    await button.tap();
    await page.waitForTimeout(300);
    assert.equal(await button.getAttribute("aria-pressed"), "true");
    assert.notEqual(await canvasColours(page, "overlay-canvas"), covered, "hidden");
    await startAnalysis(page);
    await waitForState(page, "done");
    await page.waitForFunction(() => document.querySelector("[data-testid=hide-overlay]").getAttribute("aria-pressed") === "false");
  });
});

for (const width of [320, 640]) {
  test(`the header can be read at ${width} px`, async () => {
    await withTiny(async (page) => {
      await page.setViewportSize({ width, height: 700 });
      for (const [id, word] of [["model-button", "Model"], ["device-button", "Device"], ["requests-button", "Requests"]]) {
        const cut = await page.locator(`#${id}`).evaluate((chip) => {
          const [key, value] = [".chip-key", ".chip-value"].map((part) => /** @type {HTMLElement} */ (chip.querySelector(part)));
          const box = chip.getBoundingClientRect();
          const inside = (node) => node.getBoundingClientRect().right <= box.right + 0.5 && box.right <= innerWidth;
          return { key: key.innerText, shown: key.getClientRects()[0].width > 20 && inside(key), whole: inside(value) && (chip.id === "model-button" || value.scrollWidth <= value.clientWidth + 1) };
        });
        assert.match(cut.key, new RegExp(word));
        assert.deepEqual([cut.shown, cut.whole], [true, true], id);
      }
    });
  });
}

test("in a low window the end of a run shows button, score and threshold together", async () => {
  await withTiny(async (page) => {
    await page.setViewportSize({ width: 1366, height: 657 });
    await page.getByTestId("sample").first().click();
    await waitForState(page, "done");
    const inSight = (testId) => page.getByTestId(testId).evaluate((node) => {
      const box = node.getBoundingClientRect();
      const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      return box.bottom <= innerHeight && (top === node || node.contains(top));
    });
    for (const part of ["analyse", "score", "threshold"]) assert.ok(await inSight(part), part);
  });
});
