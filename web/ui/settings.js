/**
 * What the page remembers between visits: how things are shown, whether single keys act, the device that was chosen
 * in the dialog (one in the page's address counts for one visit), and which model. Nothing about pictures, objects or results is ever kept.
 */

const KEY = "mvfa-web-view";

const DEVICES = ["auto", "gpu", "cpu"];

/** @returns {import("./types.d.ts").Settings} */
export function loadSettings() {
  const kept = read();
  const remembered = DEVICES.includes(kept.device) ? kept.device : "auto";
  const wanted = new URLSearchParams(location.search).get("device");
  return {
    object: "",
    mode: "few",
    augment: "none",
    bankRows: null,
    bilateral: null,
    axis: "middle",
    nearest: null,
    window: "auto",
    words: {},
    threshold: null,
    opacity: typeof kept.opacity === "number" && kept.opacity >= 0 && kept.opacity <= 1 ? kept.opacity : 0.7,
    // Compared with the names that the engine knows once it is there (engine.js).
    colourMap: kept.colourMap,
    sharedScale: kept.sharedScale !== false,
    contour: kept.contour !== false,
    swipe: false,
    swipeAt: 0.5,
    singleKeys: kept.singleKeys !== false,
    smooth: kept.smooth !== false,
    device: DEVICES.includes(wanted ?? "") ? /** @type {any} */ (wanted) : remembered,
    rememberedDevice: remembered,
    model: typeof kept.model === "string" && kept.model.startsWith("own:") ? kept.model : "",
  };
}

/** Nothing is kept any more in this tab. */
let forgotten = false;

/** Deletes what is kept, and keeps nothing new until the page is opened again. */
export function forgetSettings() {
  forgotten = true;
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Where storage is forbidden, nothing was kept.
  }
}

/** @param {import("./types.d.ts").Settings} settings */
export function saveSettings({ opacity, colourMap, sharedScale, contour, singleKeys, smooth, rememberedDevice, model }) {
  if (forgotten) return;
  try {
    localStorage.setItem(KEY, JSON.stringify({ opacity, colourMap, sharedScale, contour, singleKeys, smooth, device: rememberedDevice, model }));
  } catch {
    // Storage may be full or forbidden; the page works without.
  }
}

/** @returns {any} */
function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return kept && typeof kept === "object" ? kept : {};
  } catch {
    return {};
  }
}
