/**
 * Brightness and contrast of display: by dragging, by presets, by numbers. A picture that is shown through another window
 * than analysed says so beside itself, with a way back and a way to analyse it so.
 */

import { el, make, setHidden, setText } from "./dom.js";
import { analysedRange, canWindow, fullRange, otherRange, plainRange } from "./display.js";
import { CT_WINDOWS, windowsFor } from "./presets.js";
import { currentImage } from "./store.js";
import { numeral, t } from "./texts.js";
import { dragged, isSameRange, rangeOf, windowOf } from "./windowing.js";

/** A drag over so many pixels goes through all values. */
const DRAG_PX = 1024;
const AS_ANALYSED = "analysed";
const ALL_VALUES = "all";
/** What stands in the place of a window's numbers. @type {Record<string, import("./texts.js").Key>} */
const CURVES = { sigmoid: "window.curve", table: "window.table" };

/** @typedef {import("./types.d.ts").ImageItem} ImageItem */
/** @typedef {import("./windowing.js").Range} Range */

/** @param {ReturnType<typeof import("./store.js").createStore>} store @param {ReturnType<typeof import("./look.js").createLook>} look */
export function mountWindowTool(store, look) {
  const { state } = store;
  const preset = el("display-preset");
  const [center, width] = [el("display-center"), el("display-width")];

  /** @param {ImageItem} item @returns {Range} what is shown now */
  const shown = (item) => otherRange(item, look.of(item).window) ?? plainRange(item);

  /** @param {ImageItem} item @param {Range | null} range */
  function show(item, range) {
    look.change({ window: range && otherRange(item, range) });
  }

  /** @param {PointerEvent} event @returns {import("./zoom.js").Drag | null} */
  function drag(event) {
    const item = currentImage(state);
    if (!item || !canWindow(item)) return null;
    const before = look.of(item).window;
    const from = shown(item);
    const { low, high } = fullRange(item);
    const perPx = (high - low) / DRAG_PX;
    return {
      move: ({ clientX, clientY }) => show(item, dragged(from, clientX - event.clientX, clientY - event.clientY, perPx)),
      end() {},
      cancel: () => look.change({ window: before }),
    };
  }

  preset.addEventListener("change", () => {
    const item = currentImage(state);
    if (!item) return;
    if (preset.value === AS_ANALYSED) return show(item, null);
    if (preset.value === ALL_VALUES) return show(item, fullRange(item));
    const [group, at] = preset.value.split(" ").map(Number);
    const window = windowsFor(item)[group]?.windows[at];
    if (window) show(item, rangeOf(window));
  });
  for (const field of [center, width]) {
    field.addEventListener("change", () => {
      const item = currentImage(state);
      const window = { center: center.valueAsNumber, width: width.valueAsNumber };
      if (item && Number.isFinite(window.center) && window.width > 0) show(item, rangeOf(window));
    });
  }
  el("display-back").addEventListener("click", () => look.change({ window: null }));
  el("display-use").addEventListener("click", () => {
    const item = currentImage(state);
    const range = item && otherRange(item, look.of(item).window);
    if (!range) return;
    // The field of the analysis is the one place where its window is chosen.
    const numbers = windowOf(range);
    el("window-manual").checked = true;
    el("window-center").value = String(Number(numbers.center.toFixed(3)));
    el("window-width").value = String(Number(numbers.width.toFixed(3)));
    el("window-width").dispatchEvent(new Event("change"));
  });

  let offered = "";
  let told = "";
  store.on(() => {
    const item = currentImage(state);
    const usable = canWindow(item);
    if (!item || !usable) {
      told = "";
      setHidden(el("look-window"), true);
      return setText(el("window-value"), t("window.title"));
    }
    const other = otherRange(item, look.of(item).window);
    const groups = windowsFor(item);
    // Of a window that has a name the numbers that its file gives it.
    const now = namedOf(groups, shown(item)) ?? windowOf(shown(item));
    const seen = [item.id, item.deep, Boolean(other), other?.curve?.name, now.center, now.width, item.units, item.windows?.length, Boolean(item.values)].join();
    if (seen === told) return;
    told = seen;
    // 8 bits as they are have no numbers that anyone would know them by.
    setText(el("window-value"), item.deep || other ? `${number(now.center)} / ${number(now.width)}` : t("window.title"));
    const key = `${item.deep} ${JSON.stringify(groups.map(({ windows }) => windows.map(({ name, center: c, width: w }) => [name, c, w])))}`;
    if (key !== offered) {
      offered = key;
      preset.replaceChildren(make("option", { value: AS_ANALYSED, text: item.deep ? t("window.asAnalysed") : t("window.asInFile") }), make("option", { value: ALL_VALUES, text: t("window.all") }),
        ...groups.map(({ of, windows }, g) => make("optgroup", { label: of }, ...windows.map(({ name, center: c, width: w, curve }, n) =>
          make("option", { value: `${g} ${n}`, text: `${of === "CT" ? `${n + 1}  ` : ""}${name} (${CURVES[curve ?? ""] ? t(CURVES[curve ?? ""]) : `${number(c)} / ${number(w)}`})` })))),
        make("option", { value: "hand", text: t("window.byHand"), disabled: true }));
    }
    preset.value = !other ? AS_ANALYSED : nameOf(groups, other) ?? (isSameRange(other, fullRange(item)) ? ALL_VALUES : "hand");
    for (const [field, value] of [[center, now.center], [width, now.width]]) {
      if (document.activeElement !== field) field.value = String(Number(value.toFixed(2)));
    }
    setHidden(el("look-window"), !other);
    const units = item.units ? ` ${item.units}` : "";
    setText(el("look-window-words"), !item.deep ? t("window.otherBrightness")
      : other?.curve ? t("window.otherCurve", { name: namedOf(groups, other)?.name ?? t("window.aCurve") })
      : t("window.other", { center: number(now.center), width: `${number(now.width)}${units}` }));
    // The engine takes a straight line alone, unless the file proposes a curve before all others.
    setHidden(el("display-use"), !item.deep || Boolean(other?.curve));
  });

  /** @param {ReturnType<typeof windowsFor>} groups @param {Range} range */
  function nameOf(groups, range) {
    for (const [g, { windows }] of groups.entries()) {
      const n = windows.findIndex((window) => isSameRange(rangeOf(window), range));
      if (n >= 0) return `${g} ${n}`;
    }
    return null;
  }

  /** @param {ReturnType<typeof windowsFor>} groups @param {Range} range */
  function namedOf(groups, range) {
    const [group, at] = (nameOf(groups, range) ?? "").split(" ").map(Number);
    return groups[group]?.windows[at] ?? null;
  }

  return {
    drag,
    isUsable: () => canWindow(currentImage(state)),
    /** Why the picture has no other window, in words. */
    whyNot() {
      const item = currentImage(state);
      return item?.bitmap && !canWindow(item) ? t("window.onlyAnalysed") : "";
    },
    /** One of the windows of computed tomography. @param {number} n from 0 */
    choose(n) {
      const item = currentImage(state);
      if (item?.units === "HU" && canWindow(item) && CT_WINDOWS[n]) show(item, rangeOf(CT_WINDOWS[n]));
    },
  };
}

/** @param {number} value */
function number(value) {
  return numeral(Number(value.toFixed(Math.abs(value) < 10 ? 2 : 0)));
}
