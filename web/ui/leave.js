/** Asks before the page is left while it holds work that would be lost: nothing is stored, so a closed tab is the end of it. */

/** @param {ReturnType<typeof import("./store.js").createStore>} store */
export function mountLeave(store) {
  addEventListener("beforeunload", (event) => {
    if (isWorthAsking(store.state)) event.preventDefault();
  });
}

/**
 * Results of the person's own images, or a run that makes some. A sample is there again with one click.
 * @param {import("./types.d.ts").State} state
 */
export function isWorthAsking({ images, run }) {
  const own = images.filter((item) => !item.sample);
  return own.some((item) => item.result !== null || run?.ids.includes(item.id));
}
