/**
 * Distances and areas: drawn on the picture or given as numbers, listed with a button to take each away. They belong to
 * their picture and go with it; nothing that is analysed depends on them.
 */

import { clamp, el, make, setHidden, setText } from "./dom.js";
import { measureWords } from "./measure.js";
import { currentImage } from "./store.js";
import { t } from "./texts.js";
import { boxBetween, toPicture, toViewer } from "./view.js";

/** A pointer that moved less has measured nothing. */
const LEAST_PX = 3;
/** @type {Record<Measure["kind"], import("./texts.js").Key>} */
const NAMES = { ruler: "measures.distance", area: "measures.ellipse" };
const FIELDS = ["x1", "y1", "x2", "y2"];
const END_PX = 5;

/** @typedef {import("./types.d.ts").Measure} Measure */

/** @param {ReturnType<typeof import("./store.js").createStore>} store @param {Pick<ReturnType<typeof import("./zoom.js").createZoom>, "frame" | "at">} zoom */
export function mountRulers(store, zoom) {
  const { state } = store;
  const list = el("measures-list");
  const problem = el("measure-problem");
  const fields = FIELDS.map((name) => el(`measure-${name}`));
  let nextId = 1;
  /** What is being drawn. @type {Measure | null} */
  let draft = null;

  /** @param {Omit<Measure, "id">} measure */
  function add(measure) {
    store.set({ measures: [...state.measures, { ...measure, id: nextId++ }] });
    el("measures").open = true;
  }

  /** What a press begins. @param {"ruler" | "area"} kind @param {PointerEvent} event @returns {import("./zoom.js").Drag | null} */
  function drag(kind, event) {
    const item = currentImage(state);
    if (!item?.bitmap || event.button !== 0) return null;
    const begun = zoom.at(event);
    const point = (/** @type {PointerEvent} */ now) => {
      const at = toPicture(zoom.frame(), zoom.at(now, begun.pane));
      return { x: clamp(at.x, 0, item.width), y: clamp(at.y, 0, item.height) };
    };
    const from = point(event);
    const cancel = () => {
      draft = null;
      store.changed();
    };
    return {
      move(now) {
        draft = { id: 0, image: item.id, kind, from, to: point(now) };
        store.changed();
      },
      end(now) {
        const drawn = draft;
        cancel();
        const { x, y } = zoom.at(now, begun.pane);
        if (drawn && Math.hypot(x - begun.x, y - begun.y) >= LEAST_PX) add(drawn);
      },
      cancel,
    };
  }

  el("measure-form").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    const item = currentImage(state);
    if (!item?.width) return;
    const [x1, y1, x2, y2] = fields.map((field) => field.valueAsNumber);
    const fits = [x1, x2].every((x) => x >= 0 && x <= item.width) && [y1, y2].every((y) => y >= 0 && y <= item.height);
    setText(problem, fits ? "" : t("measures.outside", { width: item.width, height: item.height }));
    problem.hidden = fits;
    if (!fits) return fields[0].focus();
    add({ image: item.id, kind: el("measure-kind").value, from: { x: x1, y: y1 }, to: { x: x2, y: y2 } });
    for (const field of fields) field.value = "";
    fields[0].focus();
  });

  let listed = "";
  store.on(() => {
    const item = currentImage(state);
    if (state.measures.some(({ image }) => !state.images.some(({ id }) => id === image))) {
      state.measures = state.measures.filter(({ image }) => state.images.some(({ id }) => id === image));
    }
    const mine = of(item);
    setHidden(el("measures"), !item?.bitmap);
    setText(el("measures-title"), mine.length ? t("measures.count", { count: mine.length }) : t("measures.title"));
    setHidden(el("measures-unit"), !item || Boolean(item.spacingMm));
    const key = `${item?.spacingMm} ${mine.map(({ id }) => id).join()}`;
    if (key === listed) return;
    listed = key;
    list.replaceChildren(...mine.map((measure) => row(measure, item?.spacingMm)));
  });

  /** @param {import("./types.d.ts").ImageItem | null} item */
  function of(item) {
    return item ? state.measures.filter(({ image }) => image === item.id) : [];
  }

  /** @param {Measure} measure @param {[number, number] | null} [spacingMm] */
  function row(measure, spacingMm) {
    const what = t(NAMES[measure.kind], { size: measureWords(measure, spacingMm) });
    const remove = () => {
      store.set({ measures: state.measures.filter(({ id }) => id !== measure.id) });
      // The button is gone with its row.
      el("measures-title").focus();
    };
    return make("li", { "data-testid": "measure-item" }, make("span", { text: what }),
      make("button", { type: "button", class: "icon-button", "aria-label": t("measures.removeWhat", { what }), title: t("measures.remove"), text: "×", onclick: remove }));
  }

  return {
    drag,
    /** @param {CanvasRenderingContext2D} context @param {import("./view.js").Place} place @param {import("./types.d.ts").ImageItem} item */
    draw(context, place, item) {
      for (const measure of [...of(item), ...(draft?.image === item.id ? [draft] : [])]) drawMeasure(context, place, measure, item.spacingMm);
    },
  };
}

/** @param {CanvasRenderingContext2D} context @param {import("./view.js").Place} place @param {Measure} measure @param {[number, number] | null} [spacingMm] */
function drawMeasure(context, place, measure, spacingMm) {
  const [from, to] = [toViewer(place, measure.from), toViewer(place, measure.to)];
  const { x, y, width, height } = boxBetween(from, to);
  context.beginPath();
  if (measure.kind === "area") {
    context.ellipse(x + width / 2, y + height / 2, width / 2, height / 2, 0, 0, 2 * Math.PI);
  } else {
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    // A short stroke across each end.
    const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
    const [nx, ny] = [(-(to.y - from.y) / length) * END_PX, ((to.x - from.x) / length) * END_PX];
    for (const end of [from, to]) {
      context.moveTo(end.x - nx, end.y - ny);
      context.lineTo(end.x + nx, end.y + ny);
    }
  }
  for (const [style, line] of /** @type {const} */ ([["rgb(0 0 0 / 0.7)", 3.5], ["#ffd84d", 1.5]])) {
    context.strokeStyle = style;
    context.lineWidth = line;
    context.stroke();
  }
  const at = measure.kind === "area" ? { x: x + width / 2, y: y + height } : to.y >= from.y ? to : from;
  label(context, measureWords(measure, spacingMm), at.x, at.y + 16);
}

/** Text that can be read on any picture. @param {CanvasRenderingContext2D} context @param {string} text @param {number} x its middle @param {number} y */
export function label(context, text, x, y) {
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  const width = context.measureText(text).width + 12;
  context.fillStyle = "rgb(11 14 18 / 0.8)";
  context.fillRect(x - width / 2, y - 9, width, 18);
  context.fillStyle = "#fff";
  context.fillText(text, x, y);
}
