/**
 * Images that judge each other: those that the page's session holds for that beside the normal images. Of many images some
 * judge all, spread evenly over the list.
 */

/** An image is judged by at most so many others: each takes about a megabyte in each worker. */
const JUDGES = 32;

/** @typedef {import("./types.d.ts").ImageItem} ImageItem */
/** @typedef {{item: ImageItem, input: Uint8Array<ArrayBuffer>, engineId: number}} Peer */

/** The images that judge. @param {import("./types.d.ts").State} state @returns {ImageItem[]} in their order */
export function peersOf({ images }) {
  const usable = images.filter((item) => item.status !== "error" && !item.absent);
  // One more than judge: an image does not judge itself.
  const most = JUDGES + 1;
  if (usable.length <= most) return usable;
  return Array.from({ length: most }, (_, n) => usable[Math.floor((n * usable.length) / most)]);
}

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 */
export function createPeers(store, images) {
  const { state } = store;
  /** The session that holds them. @type {import("../../pkg/index.js").Session | null} */
  let holder = null;
  /** @type {Peer[]} */
  let held = [];
  /** One change after another. @type {Promise<unknown>} */
  let turn = Promise.resolve();

  /** @template T @param {() => Promise<T>} work @returns {Promise<T>} */
  function then(work) {
    const done = turn.then(work, work);
    turn = done.catch(() => {});
    return done;
  }

  /** Gives the session the images that judge now; one that cannot be read judges none. @returns {Promise<Peer[]>} */
  const sync = () => then(async () => {
    const { session } = state;
    if (!session) return [];
    if (holder !== session) [holder, held] = [session, []];
    const wanted = peersOf(state);
    for (const peer of held.filter(({ item, input }) => !wanted.includes(item) || (item.input && item.input !== input))) await drop(peer, session);
    for (const item of wanted) {
      if (held.some((peer) => peer.item === item)) continue;
      const input = await images.inputOf(item).catch(() => null);
      if (input) held.push({ item, input, engineId: await session.addSupport({ input }) });
    }
    return [...held];
  });

  /** Forgets them, so that images are compared with normal ones alone. */
  const clear = () => then(async () => {
    const { session } = state;
    if (holder !== session) held = [];
    for (const peer of [...held]) await drop(peer, /** @type {import("../../pkg/index.js").Session} */ (session));
  });

  /** @param {Peer} peer @param {import("../../pkg/index.js").Session} session */
  async function drop(peer, session) {
    held = held.filter((other) => other !== peer);
    await session.removeSupport(peer.engineId);
  }

  return {
    sync,
    clear,
    /** Those that the session holds. */
    held: () => (holder === state.session ? held : []),
  };
}
