/** The dialogs: help and keys, about the model, the device, the requests. Built when opened. */

import { el, make, megabytes } from "./dom.js";
import { TIERS } from "./header.js";
import { requestLine } from "./network.js";
import { storedModels } from "./stored.js";

const KEYS = [
  ["O", "open images"], ["A", "analyse this image"], ["Shift A", "analyse all, or those that remain"], ["← →", "image before, after"], ["Home End", "first, last image"], ["N", "next image whose result you have not seen"], ["T", "all images as a table"], ["↑ ↓", "slice before, after"], ["Page↑ Page↓", "ten slices back, on; the wheel goes slice by slice, with Ctrl it zooms"], ["↑ ↓ ← →", "move a zoomed image that has the focus"], ["Space", "hold to hide the overlay"],
  ["[ ]", "overlay weaker, stronger"], ["- =", "threshold lower, higher"], ["Z", "one to one, and fitted again"], ["R L", "turn right, left"], ["H V", "flip left to right, top to bottom"], ["I", "invert"],
  ["W", "brightness and contrast by dragging; the right mouse button does it at any time"], ["1…9", "windows of CT, from 1 soft tissue and 2 lung to 9 temporal bone"],
  ["M E", "measure a distance, an area"], ["C", "with and without overlay side by side"], ["S", "pixels as squares"], ["F", "full screen"], ["0", "reset the view"],
  ["Esc", "put a tool down, cancel the analysis, dismiss a message"], ["?", "this help"],
];

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 * @param {ReturnType<typeof import("./models.js").createModels>} models
 */
export function mountDialogs(store, engine, models) {
  const { state } = store;
  /** @param {string} title @param {(Node | string)[]} content */
  const show = (title, ...content) => {
    const dialog = make("dialog", { class: "dialog", "aria-labelledby": "dialog-title" });
    const close = make("button", { type: "button", class: "icon-button", "aria-label": "Close", text: "×", onclick: () => dialog.close() });
    dialog.append(make("div", { class: "dialog-head" }, make("h2", { id: "dialog-title", text: title }), close), make("div", { class: "dialog-body" }, ...content));
    dialog.addEventListener("close", () => dialog.remove());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    el("dialogs").replaceChildren(dialog);
    dialog.showModal();
    return dialog;
  };
  const help = () => show("Help", ...helpContent(store));
  el("help-button").addEventListener("click", help);
  el("model-button").addEventListener("click", () => show("Models", ...modelContent(state, models)));
  el("requests-button").addEventListener("click", () => show("Requests since load", ...requestContent(state)));
  el("device-button").addEventListener("click", () => {
    const dialog = show("Device", ...deviceContent(state, (device) => {
      if (state.run && !mayStop(state.run)) return;
      dialog.close();
      void engine.switchTo(device);
    }));
  });
  return { help };
}

/** @param {ReturnType<typeof import("./store.js").createStore>} store */
function helpContent(store) {
  const singleKeys = make("input", { type: "checkbox", "data-testid": "single-keys", checked: store.state.settings.singleKeys });
  singleKeys.addEventListener("change", () => store.settings({ singleKeys: singleKeys.checked }));
  return [
    make("h3", { text: "Three steps" }),
    make("ol", {},
      make("li", { text: "Add the images you want to look at." }),
      make("li", { text: "Say what they show, and add normal images of the same view to compare with." }),
      make("li", { text: "Press Analyse. The overlay shows where the image differs most." })),
    make("h3", { text: "How to read it" }),
    make("p", { text: "The map says how unlike each place is to anything in the normal images. The threshold starts at the highest score of the normal images. Where there is no such range (one normal image, words, and chest, OCT2017 or histology images) nothing is outlined until you set a threshold, and the colours show the whole map, whose brightest place means nothing by itself. The score is the highest value of the map (its mean for chest, OCT2017 and histology images). It is not a probability of disease. A high score can come from another scanner, another view or another person. A low score does not mean that an image is normal." }),
    make("p", { text: "Turning, flipping, inverting, zooming and the window of display change how an image is shown, never what is analysed, saved or printed. While another window is shown than analysed, the page says so beside the image." }),
    make("h3", { text: "Keys" }),
    make("dl", { class: "keys" }, ...KEYS.flatMap(([key, what]) => [
      make("dt", {}, ...key.split(" ").map((one) => make("kbd", { text: one }))), make("dd", { text: what })])),
    make("label", { class: "choice" }, singleKeys, make("span", { text: "single-key shortcuts: letters and signs act without Ctrl or Alt" })),
    make("h3", { text: "Privacy" }),
    make("p", { text: "Images are read and analysed in this tab. They are not uploaded or stored. Only model files are kept by this browser, for the next visit, those of your own models among them; the model dialog in the header says how much and deletes them. The count in the header shows every request the page has made since the model was ready." }),
  ];
}

/** @param {import("./types.d.ts").State} state @param {ReturnType<typeof import("./models.js").createModels>} models */
function modelContent({ info }, models) {
  const menu = models.menu();
  if (!info) return [make("p", { text: "No model is loaded yet. Wait until it is, or load it with the button on the right." }), menu, storedModels(info)];
  const rows = [["Name", info.name], ["Revision", info.revision], ["Intended use", info.intendedUse], ["Licence", info.licence], ["Size", `${megabytes(info.weightBytes)} of weights, sees ${info.sizePx} × ${info.sizePx} pixels`],
    ["Can compare with words", info.zeroShot ? (info.zeroShotNote ? "yes, see the note beside the choice" : "yes") : `no: ${info.zeroShotReason}`], ["Kinds of image to choose from", info.objects.map((object) => object.name).join(", ")]];
  return [make("h3", { text: "In use" }), facts(rows), menu, storedModels(info)];
}

/** Asks before a run is given up for another device. @param {import("./types.d.ts").Run} run */
function mayStop(run) {
  const many = run.ids.length > 1 ? ` at image ${Math.min(run.index + 1, run.ids.length)} of ${run.ids.length}` : "";
  const sure = confirm(`An analysis is running. Another device stops it${many}; results so far stay. Change the device?`);
  if (sure) run.controller.abort();
  return sure;
}

/** @param {import("./types.d.ts").State} state @param {(device: "auto" | "gpu" | "cpu") => void} choose */
function deviceContent({ info, settings }, choose) {
  const now = info ? [facts([["In use", TIERS[info.device.tier] ?? info.device.tier], ["Name", info.device.name], ["Reason", info.device.reason]])] : [];
  const option = (value, title, text) => make("label", { class: "choice block" },
    make("input", { type: "radio", name: "device", value, checked: settings.device === value }), make("span", {}, title, make("small", { text })));
  const form = make("form", { class: "device-form", method: "dialog" },
    option("auto", "Automatic", "the fastest that passes the check"),
    option("gpu", "WebGPU", "the graphics device"),
    option("cpu", "CPU", "works everywhere, slower"),
    make("button", { type: "submit", class: "primary", text: "Use this device" }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    choose(/** @type {any} */ (new FormData(form).get("device")));
  });
  return [...now, form, make("p", { class: "hint", text: "The model is loaded again. Images, normal images and settings stay." })];
}

/** @param {import("./types.d.ts").State} state */
function requestContent({ requests }) {
  return [
    make("p", { text: "What this page, its workers and its service worker have asked of the network since the model was first ready. Opening and analysing your own images asks for nothing. A restarted model is read from what this browser keeps of it, or fetched from this site again. What the service worker answers from its copy of this site is not in the list: nothing goes out for it. Addresses that the content security policy blocked are listed as blocked." }),
    requests.length ? make("ol", { class: "requests" }, ...requests.map((request) => make("li", { text: requestLine(request) }))) : make("p", { class: "empty", text: "None." }),
  ];
}

/** @param {string[][]} rows */
function facts(rows) {
  return make("dl", { class: "facts" }, ...rows.flatMap(([key, value]) => [make("dt", { text: key }), make("dd", { text: value })]));
}
