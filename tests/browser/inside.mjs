// The page's own state for a test: to give an image what no file of the tests has, and to wait for what is not shown.

/**
 * Makes the state of pages of this context available there as `globalThis.pageState`, with `globalThis.pageChanged` to tell
 * the page of a change. For `prepare` of `withPage`.
 * @param {import("playwright-core").BrowserContext} context
 */
export async function showState(context) {
  await context.route("**/web/app.js", async (route) => {
    const answer = await route.fetch();
    const source = await answer.text();
    const body = source.replace(/(?<=function createStore\([^]*?)return \{\n\s+state,/, (found) => `Object.assign(globalThis, { pageState: state, pageChanged: changed });\n  ${found}`);
    if (body === source) throw new Error("createStore returns its state in another way than this file knows");
    await route.fulfill({ response: answer, body });
  });
}

/**
 * Gives the current image grey values as a file of computed tomography has them: a ramp from `low` on, `step` a pixel.
 * @param {import("playwright-core").Page} page
 * @param {{low?: number, step?: number, units?: string | null, windows?: object[], spacingMm?: [number, number] | null}} values
 */
export async function giveValues(page, { low = -1000, step = 1, units = "HU", windows = [], spacingMm = null }) {
  await page.evaluate(([first, by, unit, presets, spacing]) => {
    const { pageState, pageChanged } = globalThis;
    const item = pageState.images.find(({ id }) => id === pageState.currentId);
    const values = Float32Array.from({ length: item.width * item.height }, (_, i) => first + by * ((i % item.width) + Math.floor(i / item.width)));
    Object.assign(item, { values, units: unit, windows: presets, spacingMm: spacing });
    pageChanged();
  }, [low, step, units, windows, spacingMm]);
}
