/**
 * The printed page: the current image with its overlay in its own proportions, the colour bar, the reading and everything
 * it depends on, on one sheet. It is made when printing begins and removed afterwards; the style sheet shows it instead
 * of the page. File names are on it only where the person has ticked them for the report.
 */

import { clamp, el, make, twoDigits } from "./dom.js";
import { positionOf } from "./kinds.js";
import { shownLabel, shownName } from "./labels.js";
import { rowsOf } from "./made-with.js";
import { madeWith } from "./results.js";
import { currentImage } from "./store.js";
import { numeral, pageLanguage, t } from "./texts.js";

/** The longer side of the printed picture: in pixels of its canvas, and in CSS pixels on paper, on which lines depend. */
const PICTURE_PX = { least: 1200, most: 2400, onPaper: 440 };
/** More of them do not fit. */
const THUMBS = 24;

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./overlay.js").createOverlay>} overlay
 * @param {ReturnType<typeof import("./viewer.js").mountViewer>} viewer
 */
export function mountPrint(store, overlay, viewer) {
  const { state } = store;
  const sheet = make("section", { class: "sheet", id: "sheet", "data-testid": "sheet" });
  document.body.append(sheet);

  function fill() {
    const item = currentImage(state);
    const layer = overlay.of(item);
    const purpose = make("p", { class: "sheet-purpose", text: t("print.purpose") });
    const head = make("header", { class: "sheet-head" }, make("strong", { text: "MVFA Web" }), make("span", { text: new Date().toLocaleString(pageLanguage() === "en" ? "en-GB" : pageLanguage(), { dateStyle: "long", timeStyle: "short" }) }));
    if (!item?.bitmap) return sheet.replaceChildren(head, make("p", { text: t("print.none") }), purpose);
    const figure = make("figure", { class: "sheet-figure" }, picture(item), ...(layer ? [bar(layer), make("figcaption", { text: el("scale-caption").textContent })] : []));
    sheet.replaceChildren(head, figure, ...reading(item), facts(state, item), ...normals(state, item), purpose);
  }

  /** @param {import("./types.d.ts").ImageItem} item */
  function picture({ width, height }) {
    const longer = Math.max(width, height);
    const scale = clamp(longer, PICTURE_PX.least, PICTURE_PX.most) / longer;
    const canvas = make("canvas", { class: "sheet-picture", "data-testid": "sheet-picture", width: Math.round(width * scale), height: Math.round(height * scale) });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const toPaper = PICTURE_PX.onPaper / longer;
    context.scale(canvas.width / (width * toPaper), canvas.height / (height * toPaper));
    viewer.draw(context, { x: 0, y: 0, width: width * toPaper, height: height * toPaper });
    return canvas;
  }

  /** The sheet as a file of its own. */
  function file() {
    fill();
    const copy = /** @type {HTMLElement} */ (sheet.cloneNode(true));
    const drawn = [...sheet.querySelectorAll("canvas")];
    for (const [n, canvas] of [...copy.querySelectorAll("canvas")].entries()) {
      canvas.replaceWith(make("img", { class: canvas.className, alt: "", src: drawn[n].toDataURL("image/png") }));
    }
    clear();
    const { lang, dir } = document.documentElement;
    const text = `<!doctype html><html lang="${lang}"${dir && ` dir="${dir}"`}><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"><title>MVFA Web</title><style>${sheetStyles()}</style></head><body>${copy.outerHTML}</body></html>`;
    return new Blob([text], { type: "text/html" });
  }

  const clear = () => sheet.replaceChildren();
  addEventListener("beforeprint", fill);
  addEventListener("afterprint", clear);
  // Some browsers tell it only this way.
  matchMedia("print").addEventListener("change", ({ matches }) => (matches ? fill() : clear()));
  return { file };
}

/** What the style sheet says of the sheet, for screen and paper alike. */
function sheetStyles() {
  const rules = [...document.styleSheets].flatMap((one) => [...one.cssRules]);
  const own = rules.flatMap((rule) => (rule instanceof CSSMediaRule && rule.conditionText === "print" ? [...rule.cssRules] : []));
  const reset = "* { margin: 0; padding: 0; box-sizing: border-box; } ul { list-style: none; } body { max-width: 190mm; margin: 8mm auto; font: 10pt/1.35 system-ui, sans-serif; color: #000; background: #fff; } :root { --line: #bbb; --muted: #444; } .sheet-normals img { display: block; width: 18mm; height: 18mm; } @media screen and (max-width: 760px) { body { margin: 4mm; } .sheet .sheet-facts { grid-template-columns: minmax(0, 1fr); } .sheet .sheet-picture { max-height: none; } }";
  return [reset, ...own.filter(({ cssText }) => cssText.startsWith(".sheet") || cssText.startsWith("@page")).map(({ cssText }) => cssText)].join("\n");
}

/** The colour bar with its numbers and the threshold's mark. @param {import("./overlay.js").Rendered} layer */
function bar({ bar: colours, lo, hi, threshold }) {
  const width = colours.length / 4;
  const height = 16;
  const canvas = make("canvas", { class: "sheet-bar", width, height });
  const context = canvas.getContext("2d");
  const line = document.createElement("canvas");
  Object.assign(line, { width, height: 1 }).getContext("2d")?.putImageData(new ImageData(/** @type {any} */ (colours), width, 1), 0, 0);
  // The colours are made for a dark ground, as the picture's.
  context.fillStyle = "#000";
  context.fillRect(0, 3, width, height - 6);
  context.drawImage(line, 0, 3, width, height - 6);
  if (threshold !== null) {
    const at = clamp((threshold - lo) / (hi - lo), 0, 1) * (width - 4);
    context.fillRect(at, 0, 4, height);
    context.fillStyle = "#fff";
    context.fillRect(at + 1, 1, 2, height - 2);
  }
  return make("div", { class: "sheet-scale" }, make("span", { text: twoDigits(lo) }), canvas, make("span", { text: twoDigits(hi) }));
}

/** Score and words as they stand on the page. @param {import("./types.d.ts").ImageItem} item @returns {HTMLElement[]} */
function reading(item) {
  if (!item.result) return [make("p", { text: t("print.notAnalysed") })];
  const shown = (id) => {
    const node = document.getElementById(id);
    return node && !node.hidden ? node.textContent.trim() : "";
  };
  const warnings = [...document.querySelectorAll("#warnings:not([hidden]) li")].map((node) => node.textContent ?? "");
  const title = make("p", { class: "sheet-reading" }, make("strong", { text: [/\p{Nd}/u.test(shown("score")) && t("print.score", { score: shown("score") }), shown("reading")].filter(Boolean).join(" ") }));
  const rest = [...warnings, shown("reading-range"), shown("reading-hint"), shown("sample-note"), shown("stale")].filter(Boolean);
  return [title, ...rest.map((text) => make("p", { text }))];
}

/** What the picture is and how it was made. @param {import("./types.d.ts").State} state @param {import("./types.d.ts").ImageItem} item */
function facts(state, item) {
  const { info, settings } = state;
  const { result } = item;
  const chosen = (id) => el(id).selectedOptions[0]?.textContent ?? "";
  const window = item.shown?.text.replace(/^window /, "") ?? "";
  const place = positionOf(item);
  const rows = [
    [t("print.image"), [shownLabel(item), el("report-names").checked ? shownName(item, item.name) : "", t("print.pixels", { width: item.width, height: item.height }), item.synthetic ? t("print.synthetic") : ""].filter(Boolean).join(", ")],
    [t("print.position"), place === null ? "" : t("units.mm", { number: numeral(place, 1) })],
    [t("print.spacing"), item.spacingMm ? t("print.spacingOf", { row: numeral(item.spacingMm[0], 3), column: numeral(item.spacingMm[1], 3) }) : ""],
    [t("print.model"), info ? t("print.modelOn", { name: info.name, revision: info.revision, device: el("device-name").textContent }) : ""],
    ...(result ? rowsOf(state, madeWith(item)) : []),
    [t("print.note"), result?.mode === "zero" ? info?.zeroShotNote ?? "" : ""],
    [t("print.window"), window],
    [t("print.view"), result ? t("print.viewOf", { colours: String(settings.colourMap), percent: Math.round(settings.opacity * 100), scale: chosen("scale-mode") }) : ""],
  ];
  return make("dl", { class: "sheet-facts" }, ...rows.filter(([, value]) => value).map(([key, value]) => make("div", {}, make("dt", { text: key }), make("dd", { text: value }))));
}

/** The normal images the map was made with. @param {import("./types.d.ts").State} state @param {import("./types.d.ts").ImageItem} item @returns {HTMLElement[]} */
function normals({ support }, { result }) {
  if (result?.mode !== "few" || !el("stale").hidden || support.length === 0) return [];
  const names = el("report-names").checked;
  const tiles = support.slice(0, THUMBS).map(({ thumb, name }, index) => make("li", {}, ...(thumb ? [copyOf(thumb)] : []), make("span", { text: names ? name : numeral(index + 1) })));
  const others = support.length - tiles.length;
  return [make("p", { class: "sheet-title", text: others > 0 ? t("print.firstNormals", { shown: THUMBS, count: support.length }) : t("print.normals") }), make("ul", { class: "sheet-normals" }, ...tiles)];
}

/** @param {HTMLCanvasElement} canvas */
function copyOf(canvas) {
  const copy = make("canvas", { width: canvas.width, height: canvas.height });
  copy.getContext("2d").drawImage(canvas, 0, 0);
  return copy;
}
