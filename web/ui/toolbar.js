/**
 * The tools above the picture: what dragging does, window, turning, comparing. One stop of the Tab key; the arrows go from
 * tool to tool. On small widths the rarely used ones are behind "More". Their keys are those of other viewers.
 */

import { el, make } from "./dom.js";
import { icon } from "./icons.js";
import { CT_WINDOWS } from "./presets.js";
import { currentImage } from "./store.js";
import { t } from "./texts.js";
import { TURNS } from "./view.js";

/** What dragging can do, in the order of the buttons: icon, words, key. @type {[import("./types.d.ts").Tool, string, import("./texts.js").Key, string][]} */
const TOOLS = [
  ["pan", "move", "toolbar.pan", ""], ["window", "window", "toolbar.contrast", "W"],
  ["ruler", "ruler", "toolbar.distance", "M"], ["area", "area", "toolbar.area", "E"],
];

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./look.js").createLook>} look
 * @param {ReturnType<typeof import("./zoom.js").createZoom>} zoom
 * @param {ReturnType<typeof import("./windowtool.js").mountWindowTool>} windowTool
 * @param {() => void} reset the view, as at first
 */
export function mountToolbar(store, look, zoom, windowTool, reset) {
  const { state } = store;
  const bar = el("toolbar");
  const menu = el("window-menu");
  /** @type {{node: HTMLButtonElement, isOn?: () => boolean, isOff?: () => boolean}[]} */
  const buttons = [];

  /**
   * @param {string} name of the icon @param {string} words @param {string} key
   * @param {() => void} act @param {{isOn?: () => boolean, isOff?: () => boolean, id?: string, text?: string}} [more] whether it is pressed, whether it is disabled
   */
  function button(name, words, key, act, { isOn, isOff, id = `tool-${name}`, text } = {}) {
    const node = make("button", { type: "button", class: text ? "tool tool-text" : "tool", id, "data-testid": id, "aria-label": text ? undefined : words, title: key ? `${words} (${key})` : words, onclick: act },
      ...(text ? [text] : [icon(name)]));
    buttons.push({ node, isOn, isOff });
    return node;
  }
  const group = (/** @type {string} */ name, /** @type {HTMLElement[]} */ ...nodes) => make("div", { class: "tool-group", role: "group", "aria-label": name }, ...nodes);

  const hasPicture = () => Boolean(currentImage(state)?.bitmap);
  const take = (/** @type {import("./types.d.ts").Tool} */ tool) => store.set({ tool: state.tool === tool ? "pan" : tool });
  const toolButton = (/** @type {typeof TOOLS[number]} */ [tool, name, words, key]) => button(name, t(words), key, () => take(tool),
    { isOn: () => state.tool === tool, isOff: tool === "window" ? () => !windowTool.isUsable() : undefined });
  const region = button("region", t("toolbar.region"), "", () => take("region"),
    { isOn: () => state.tool === "region", id: "region-tool", text: t("toolbar.leaveOut") });
  const windowButton = make("button", { type: "button", class: "tool tool-text", id: "window-button", "data-testid": "window-button", "aria-expanded": "false", "aria-controls": "window-menu", title: t("toolbar.windowTitle") },
    make("span", { class: "visually-hidden", text: t("toolbar.windowSpoken") }), make("span", { id: "window-value" }), make("span", { "aria-hidden": "true", text: " ▾" }));
  buttons.push({ node: windowButton, isOff: () => !windowTool.isUsable() });
  const turn = (/** @type {keyof typeof TURNS} */ how) => () => look.turn(TURNS[how]);
  /** A browser may refuse it; nothing is lost then. */
  const fullScreen = () => void (document.fullscreenElement ? document.exitFullscreen() : el("stage").requestFullscreen())?.catch(() => {});
  const acts = {
    invert: () => look.change({ invert: !look.of().invert }), smooth: () => store.settings({ smooth: !state.settings.smooth }),
    beside: () => store.set({ sideBySide: !state.sideBySide }),
  };
  const moreButton = make("button", { type: "button", class: "tool tool-more", id: "tool-more", "data-testid": "tool-more", "aria-expanded": "false", "aria-controls": "tool-rest", "aria-label": t("toolbar.more"), title: t("toolbar.more") }, icon("more"));
  buttons.push({ node: moreButton });
  const rest = make("div", { class: "tool-rest", id: "tool-rest" },
    group(t("toolbar.groupMeasure"), ...TOOLS.slice(2).map(toolButton)),
    group(t("toolbar.groupTurn"), button("left", t("toolbar.turnLeft"), "L", turn("left")), button("right", t("toolbar.turnRight"), "R", turn("right")),
      button("flipH", t("toolbar.flipH"), "H", turn("flipH")), button("flipV", t("toolbar.flipV"), "V", turn("flipV"))),
    group(t("toolbar.groupShow"), button("pixels", t("toolbar.pixels"), "S", acts.smooth, { isOn: () => !state.settings.smooth }),
      ...(document.fullscreenEnabled ? [button("full", t("toolbar.full"), "F", fullScreen, { isOn: () => document.fullscreenElement !== null })] : [])),
    group(t("toolbar.leaveOut"), region));
  bar.replaceChildren(
    group(t("toolbar.groupDrag"), ...TOOLS.slice(0, 2).map(toolButton)),
    group(t("toolbar.groupWindow"), windowButton, button("invert", t("toolbar.invert"), "I", acts.invert, { isOn: () => look.of().invert })),
    group(t("toolbar.groupCompare"), button("beside", t("toolbar.beside"), "C", acts.beside, { isOn: () => state.sideBySide, isOff: () => !currentImage(state)?.result })),
    rest,
    group(t("toolbar.groupReset"), button("reset", t("toolbar.reset"), "0", reset)),
    moreButton);

  // As they stand on the page.
  buttons.sort((a, b) => (a.node.compareDocumentPosition(b.node) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));

  /** @param {HTMLElement} node @param {HTMLElement} opener @param {boolean} on */
  function open(node, opener, on) {
    if (node === menu) node.hidden = !on;
    else node.classList.toggle("open", on);
    opener.setAttribute("aria-expanded", String(on));
  }
  const openers = /** @type {[HTMLElement, HTMLElement][]} */ ([[menu, windowButton], [rest, moreButton]]);
  for (const [node, opener] of openers) opener.addEventListener("click", () => open(node, opener, opener.getAttribute("aria-expanded") !== "true"));
  document.addEventListener("pointerdown", ({ target }) => {
    for (const [node, opener] of openers) {
      if (target instanceof Node && !node.contains(target) && !opener.contains(target)) open(node, opener, false);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
    const opened = openers.find(([, opener]) => opener.getAttribute("aria-expanded") === "true");
    if (!opened && state.tool === "pan") return;
    event.preventDefault();
    event.stopPropagation();
    if (!opened) return store.set({ tool: "pan" });
    open(...opened, false);
    opened[1].focus();
  }, { capture: true });

  // One stop of the Tab key.
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || (step === undefined && event.key !== "Home" && event.key !== "End")) return;
    event.preventDefault();
    const all = buttons.map(({ node }) => node).filter((node) => !node.disabled && node.getClientRects().length > 0);
    const at = all.indexOf(/** @type {any} */ (document.activeElement));
    const to = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : (at + (step ?? 0) + all.length) % all.length;
    all[to]?.focus();
  });
  bar.addEventListener("focusin", ({ target }) => {
    for (const { node } of buttons) node.tabIndex = node === target ? 0 : -1;
  });

  let shown = "";
  store.on(() => {
    const usable = hasPicture();
    // A tool in hand stays, unless there is nothing to use it on.
    if ((!usable && state.tool === "region") || (!windowTool.isUsable() && state.tool === "window")) state.tool = "pan";
    const now = buttons.map(({ isOn, isOff }) => `${!usable || Boolean(isOff?.())} ${isOn?.()}`);
    const why = windowTool.whyNot();
    // A run tells of itself many times a second, and nothing here changes.
    const key = [state.tool, why, ...now].join();
    if (key === shown) return;
    shown = key;
    el("viewer").dataset.tool = state.tool;
    for (const { node, isOn, isOff } of buttons) {
      const isOut = !usable || Boolean(isOff?.());
      if (node.disabled !== isOut) node.disabled = isOut;
      if (isOn) node.setAttribute("aria-pressed", String(isOn()));
    }
    windowButton.title = why || t("toolbar.windowTitle");
    // A disabled button takes no focus: another one is the stop.
    const stop = buttons.find(({ node }) => node.tabIndex === 0 && !node.disabled) ?? buttons.find(({ node }) => !node.disabled);
    for (const { node } of buttons) node.tabIndex = node === stop?.node ? 0 : -1;
  });
  document.addEventListener("fullscreenchange", () => store.changed());

  /** Only with a picture. @param {() => void} act */
  const onPicture = (act) => () => hasPicture() && act();
  return {
    /** Keys and what they do. @type {Record<string, () => void>} */
    keys: Object.fromEntries(Object.entries({
      w: () => windowTool.isUsable() && take("window"), m: () => take("ruler"), e: () => take("area"), i: acts.invert, s: acts.smooth,
      r: turn("right"), l: turn("left"), h: turn("flipH"), v: turn("flipV"), c: () => currentImage(state)?.result && acts.beside(), f: () => document.fullscreenEnabled && fullScreen(), 0: reset,
      z: () => (look.of().zoom === 1 ? zoom.oneToOne() : zoom.fit()),
      ...Object.fromEntries(CT_WINDOWS.map((_, n) => [n + 1, () => windowTool.choose(n)])),
    }).map(([key, act]) => [key, onPicture(act)])),
  };
}
