/**
 * What the page remembers between visits: how things are shown, whether single keys act, the device that was chosen
 * in the dialog (one in the page's address counts for one visit), and which model. Nothing about pictures, objects or results is ever kept.
 */

const KEY = "mvfa-web-view";

const DEVICES = ["auto", "gpu", "cpu"];

/**
 * What a person left wins over what the site begins with, and that over the page's own.
 * @param {import("./types.d.ts").Site["defaults"]} site
 * @returns {import("./types.d.ts").Settings}
 */
export function loadSettings(site) {
  const kept = read();
  const remembered = DEVICES.includes(kept.device) ? kept.device : site.device ?? "auto";
  /** @param {"sharedScale" | "contour" | "singleKeys" | "smooth"} name */
  const flag = (name) => (typeof kept[name] === "boolean" ? kept[name] : site[name] ?? true);
  const wanted = new URLSearchParams(location.search).get("device");
  return {
    object: site.object ?? "",
    mode: site.mode ?? "few",
    matching: "memory",
    own: "sides",
    augment: site.augment ?? "none",
    bankRows: site.bankRows ?? null,
    bilateral: site.bilateral ?? null,
    axis: site.axis ?? "middle",
    nearest: site.nearest ?? null,
    window: site.window ?? "auto",
    words: {},
    threshold: null,
    opacity: typeof kept.opacity === "number" && kept.opacity >= 0 && kept.opacity <= 1 ? kept.opacity : site.opacity ?? 0.7,
    // Compared with the names that the engine knows once it is there (engine.js).
    colourMap: kept.colourMap ?? site.colourMap,
    sharedScale: flag("sharedScale"),
    contour: flag("contour"),
    swipe: site.swipe ?? false,
    swipeAt: 0.5,
    singleKeys: flag("singleKeys"),
    smooth: flag("smooth"),
    device: DEVICES.includes(wanted ?? "") ? /** @type {any} */ (wanted) : remembered,
    rememberedDevice: remembered,
    model: typeof kept.model === "string" && /^(own|site):/.test(kept.model) ? kept.model : "",
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
