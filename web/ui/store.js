/** The page's state in one place. Modules read `state`, change it through `set`, and repaint when notified. */

import { createPauses } from "./dom.js";
import { loadSettings, saveSettings } from "./settings.js";

/** @param {import("./types.d.ts").Site} site @returns {{state: import("./types.d.ts").State, set: (patch: object) => void, settings: (patch: object) => void, changed: () => void, on: (listener: () => void) => () => void}} */
export function createStore(site) {
  /** @type {(() => void)[]} */
  const listeners = [];
  let queued = false;
  /** @type {import("./types.d.ts").State} */
  const state = {
    site,
    load: { phase: "loading", stage: "engine", loadedBytes: 0, totalBytes: 0, fromStorage: false },
    session: null,
    info: null,
    images: [],
    stacks: [],
    opening: null,
    saving: null,
    currentId: null,
    isAwaited: false,
    support: [],
    shared: null,
    regions: [],
    settings: loadSettings(site.defaults),
    objectChosen: false,
    run: null,
    batch: null,
    messages: [],
    requests: [],
    peek: false,
    bare: false,
    tool: "pan",
    measures: [],
    sideBySide: false,
    layer: "overlay",
    layerThresholds: {},
  };
  let telling = false;
  // Several changes in one turn lead to one repaint. A microtask and not a frame: hidden tabs have no frames.
  const changed = () => {
    if (!queued && !telling) queueMicrotask(tell);
    queued = true;
  };

  /** Tells all listeners, with a wait where together they would hold the page; what changes meanwhile is told from the first on. */
  async function tell() {
    telling = true;
    try {
      while (queued) {
        queued = false;
        const pauses = createPauses();
        for (const listener of [...listeners]) {
          if (pauses.isDue()) {
            await pauses.pause();
            if (queued) break;
          }
          listener();
        }
      }
    } finally {
      // A listener that failed is reported by the browser, and does not silence the next change.
      telling = queued = false;
    }
  }

  return {
    state,
    changed,
    set(patch) {
      Object.assign(state, patch);
      changed();
    },
    settings(patch) {
      Object.assign(state.settings, patch);
      // Another object may have no words, or sides that differ.
      state.settings.mode = possibleMode(state.info, state.settings);
      saveSettings(state.settings);
      changed();
    },
    on(listener) {
      listeners.push(listener);
      return () => void listeners.splice(listeners.indexOf(listener), 1);
    },
  };
}

/** @param {import("./types.d.ts").State} state @returns {import("./types.d.ts").ImageItem | null} */
export function currentImage(state) {
  return state.images.find((item) => item.id === state.currentId) ?? null;
}

/** The mode in the settings if the model has it for the object, else the comparison with normal images. @param {import("../../pkg/index.d.ts").SessionInfo | null} info @param {import("./types.d.ts").Settings} settings */
export function possibleMode(info, { object, mode }) {
  const isPossible = !info || mode === "few" || mode === "self" || (mode === "zero" ? hasWords(info, object) : info.memory === "raw");
  return isPossible ? mode : "few";
}

/** Whether left and right of an object look alike. @param {import("../../pkg/index.d.ts").SessionInfo | null} info @param {string} object */
export function sidesAreAlike(info, object) {
  return Boolean(info?.objects.some(({ id, bilateral }) => id === object && bilateral));
}

/** Whether the model has words for an object. @param {import("./types.d.ts").State["info"]} info @param {string} object its id */
export function hasWords(info, object) {
  return Boolean(info?.zeroShot && info.objects.some(({ id, zeroShot }) => id === object && zeroShot));
}
