/** The dialogs: help and keys, about the model, the device, the requests. Built when opened. */

import { el, make, megabytes } from "./dom.js";
import { tierName } from "./header.js";
import { requestLine } from "./network.js";
import { storedModels } from "./stored.js";
import { t } from "./texts.js";

/** Keys, and what they do. @type {[string, import("./texts.js").Key][]} */
const KEYS = [
  ["O", "help.keyOpen"], ["A", "help.keyAnalyse"], ["Shift A", "help.keyAnalyseAll"], ["← →", "help.keyImages"], ["Home End", "help.keyEnds"], ["N", "help.keyUnread"], ["T", "help.keyTable"], ["↑ ↓", "help.keySlices"], ["Page↑ Page↓", "help.keyTenSlices"], ["↑ ↓ ← →", "help.keyPan"], ["Space", "help.keyHide"],
  ["[ ]", "help.keyOverlay"], ["- =", "help.keyThreshold"], ["Z", "help.keyZoom"], ["R L", "help.keyTurn"], ["H V", "help.keyFlip"], ["I", "help.keyInvert"],
  ["W", "help.keyWindow"], ["1…9", "help.keyWindows"],
  ["M E", "help.keyMeasure"], ["C", "help.keyBeside"], ["S", "help.keyPixels"], ["F", "help.keyFull"], ["0", "help.keyReset"],
  ["Esc", "help.keyEscape"], ["?", "help.keyHelp"],
];
/** Keys that have another name in other languages. @type {Record<string, import("./texts.js").Key>} */
const KEY_NAMES = { Shift: "help.shift", Space: "help.space", Home: "help.home", End: "help.end", "Page↑": "help.pageUp", "Page↓": "help.pageDown", Esc: "help.esc" };

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
    const close = make("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), text: "×", onclick: () => dialog.close() });
    dialog.append(make("div", { class: "dialog-head" }, make("h2", { id: "dialog-title", text: title }), close), make("div", { class: "dialog-body" }, ...content));
    dialog.addEventListener("close", () => dialog.remove());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    el("dialogs").replaceChildren(dialog);
    dialog.showModal();
    return dialog;
  };
  const help = () => show(t("help.title"), ...helpContent(store));
  el("help-button").addEventListener("click", help);
  el("model-button").addEventListener("click", () => show(t("models.title"), ...modelContent(state, models)));
  el("requests-button").addEventListener("click", () => show(t("requests.title"), ...requestContent(state)));
  el("device-button").addEventListener("click", () => {
    const dialog = show(t("device.title"), ...deviceContent(state, (device) => {
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
    make("h3", { text: t("help.steps") }),
    make("ol", {},
      make("li", { text: t("help.stepAdd") }),
      make("li", { text: t("help.stepSay") }),
      make("li", { text: t("help.stepAnalyse") })),
    make("h3", { text: t("help.read") }),
    make("p", { text: t("help.readText") }),
    make("p", { text: t("help.lookText") }),
    make("h3", { text: t("help.keys") }),
    make("dl", { class: "keys" }, ...KEYS.flatMap(([key, what]) => [
      make("dt", {}, ...key.split(" ").map((one) => make("kbd", { text: KEY_NAMES[one] ? t(KEY_NAMES[one]) : one }))), make("dd", { text: t(what) })])),
    make("label", { class: "choice" }, singleKeys, make("span", { text: t("help.singleKeys") })),
    make("h3", { text: t("help.privacy") }),
    make("p", { text: t("help.privacyText") }),
  ];
}

/** @param {import("./types.d.ts").State} state @param {ReturnType<typeof import("./models.js").createModels>} models */
function modelContent({ info }, models) {
  const menu = models.menu();
  if (!info) return [make("p", { text: t("models.noneYet") }), menu, storedModels(info)];
  const rows = [[t("models.name"), info.name], [t("models.revision"), info.revision], [t("models.use"), info.intendedUse], [t("models.licence"), info.licence], [t("models.size"), t("models.sizeOf", { size: megabytes(info.weightBytes), px: info.sizePx })],
    [t("models.words"), info.zeroShot ? (info.zeroShotNote ? t("models.wordsNote") : t("models.wordsYes")) : t("models.wordsNo", { reason: info.zeroShotReason ?? "" })], [t("models.objects"), info.objects.map((object) => object.name).join(", ")]];
  return [make("h3", { text: t("models.inUse") }), facts(rows), menu, storedModels(info)];
}

/** Asks before a run is given up for another device. @param {import("./types.d.ts").Run} run */
function mayStop(run) {
  const total = run.ids.length;
  const sure = confirm(total > 1 ? t("device.stopsMany", { number: Math.min(run.index + 1, total), total }) : t("device.stops"));
  if (sure) run.controller.abort();
  return sure;
}

/** @param {import("./types.d.ts").State} state @param {(device: "auto" | "gpu" | "cpu") => void} choose */
function deviceContent({ info, settings }, choose) {
  const now = info ? [facts([[t("device.inUse"), tierName(info.device.tier)], [t("device.name"), info.device.name], [t("device.reason"), info.device.reason]])] : [];
  const option = (value, title, text) => make("label", { class: "choice block" },
    make("input", { type: "radio", name: "device", value, checked: settings.device === value }), make("span", {}, title, make("small", { text })));
  const form = make("form", { class: "device-form", method: "dialog" },
    option("auto", t("device.auto"), t("device.autoText")),
    option("gpu", t("device.gpu32"), t("device.gpuText")),
    option("cpu", t("device.cpu"), t("device.cpuText")),
    make("button", { type: "submit", class: "primary", text: t("device.use") }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    choose(/** @type {any} */ (new FormData(form).get("device")));
  });
  return [...now, form, make("p", { class: "hint", text: t("device.hint") })];
}

/** @param {import("./types.d.ts").State} state */
function requestContent({ requests }) {
  return [
    make("p", { text: t("requests.text") }),
    requests.length ? make("ol", { class: "requests" }, ...requests.map((request) => make("li", { text: requestLine(request) }))) : make("p", { class: "empty", text: t("requests.none") }),
  ];
}

/** @param {string[][]} rows */
function facts(rows) {
  return make("dl", { class: "facts" }, ...rows.flatMap(([key, value]) => [make("dt", { text: key }), make("dd", { text: value })]));
}
