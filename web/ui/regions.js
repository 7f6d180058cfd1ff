/**
 * Regions left out of the scores: burnt-in writing, rulers, what lies outside the field of view. Drawn as boxes on the
 * picture or given as numbers, listed with a button to take each back. A box holds for all images of the same size.
 */

import { clamp, countOf, el, make, setText } from "./dom.js";
import { regionsFor, sizeOf } from "./results.js";
import { currentImage } from "./store.js";

/** A pointer that moved less has drawn nothing. */
const LEAST_PX = 3;
const FIELDS = ["x", "y", "width", "height"];

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {() => {x: number, y: number, width: number, height: number}} frame where the picture lies
 */
export function mountRegions(store, frame) {
  const { state } = store;
  const tool = el("region-tool");
  const layer = el("region-layer");
  const draft = el("region-draft");
  const list = el("regions-list");
  const problem = el("region-problem");
  const fields = FIELDS.map((name) => el(`region-${name}`));
  let nextId = 1;
  let isDrawing = false;

  /** @param {import("./types.d.ts").ImageItem} item @param {{x: number, y: number, width: number, height: number}} box */
  function add(item, box) {
    store.set({ regions: [...state.regions, { id: nextId++, of: sizeOf(item), ...box }] });
    el("regions").open = true;
  }

  /** @param {boolean} on */
  function draw(on) {
    isDrawing = on;
    store.changed();
  }
  tool.addEventListener("click", () => draw(!isDrawing));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isDrawing || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    draw(false);
  }, { capture: true });

  /** Where the pointer went down, in the viewer. @type {{x: number, y: number} | null} */
  let from = null;
  /** @param {PointerEvent} event */
  const at = (event) => {
    const box = layer.getBoundingClientRect();
    const place = frame();
    return {
      x: clamp(event.clientX - box.left, place.x, place.x + place.width), y: clamp(event.clientY - box.top, place.y, place.y + place.height),
    };
  };
  /** @param {{x: number, y: number}} a @param {{x: number, y: number}} b */
  const between = (a, b) => ({ x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) });

  layer.addEventListener("pointerdown", (event) => {
    layer.setPointerCapture(event.pointerId);
    event.preventDefault();
    from = at(event);
  });
  layer.addEventListener("pointermove", (event) => {
    if (!from) return;
    const { x, y, width, height } = between(from, at(event));
    Object.assign(draft.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
    draft.hidden = false;
  });
  layer.addEventListener("pointerup", (event) => {
    const item = currentImage(state);
    const drawn = from && between(from, at(event));
    end();
    if (item && drawn && Math.max(drawn.width, drawn.height) >= LEAST_PX) add(item, inPixels(drawn, frame(), item));
  });
  layer.addEventListener("pointercancel", end);

  function end() {
    from = null;
    draft.hidden = true;
  }

  el("region-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const item = currentImage(state);
    if (!item?.width) return;
    const [x, y, width, height] = fields.map((field) => field.valueAsNumber);
    const isWhole = [x, y, width, height].every((value) => Number.isInteger(value) && value >= 0) && width > 0 && height > 0;
    const fits = isWhole && x + width <= item.width && y + height <= item.height;
    setText(problem, fits ? "" : isWhole ? `This reaches outside the image, which has ${item.width} × ${item.height} pixels.`
      : "Give whole numbers of pixels, with a width and a height above 0.");
    problem.hidden = fits;
    if (!fits) return fields[0].focus();
    add(item, { x, y, width, height });
    for (const field of fields) field.value = "";
    fields[0].focus();
  });

  let listed = "";
  store.on(() => {
    const item = currentImage(state);
    const mine = item ? regionsFor(state, item) : [];
    const others = state.regions.length - mine.length;
    if (!item?.bitmap) isDrawing = false;
    tool.setAttribute("aria-pressed", String(isDrawing));
    layer.hidden = !isDrawing;
    el("regions").hidden = !item?.width;
    setText(el("regions-title"), mine.length ? `Left out: ${countOf(mine.length, "region")}` : "Leave out regions");
    setText(el("regions-others"), others ? `${countOf(others, "more region")} for images of other sizes.` : "");
    const key = mine.map(({ id }) => id).join();
    if (key === listed) return;
    listed = key;
    list.replaceChildren(...mine.map((region, n) => row(region, n)));
  });

  /** @param {import("./types.d.ts").Region} region @param {number} n */
  function row(region, n) {
    const { id, x, y, width, height } = region;
    const remove = () => {
      store.set({ regions: state.regions.filter((other) => other.id !== id) });
      // The button is gone with its row.
      el("regions-title").focus();
    };
    return make("li", { "data-testid": "region-item" }, make("span", { text: `${width} × ${height} px at ${x}, ${y}` }),
      make("button", { type: "button", class: "icon-button", "aria-label": `Take back region ${n + 1}`, title: "Take back", text: "×", onclick: remove }));
  }
}

/**
 * A box of the viewer in whole pixels of the picture: all that it touches.
 * @param {{x: number, y: number, width: number, height: number}} box
 * @param {{x: number, y: number, width: number, height: number}} place of the picture
 * @param {{width: number, height: number}} size of the picture
 */
export function inPixels(box, place, size) {
  const scale = [size.width / place.width, size.height / place.height];
  const low = [Math.floor((box.x - place.x) * scale[0]), Math.floor((box.y - place.y) * scale[1])];
  const x = clamp(low[0], 0, size.width - 1);
  const y = clamp(low[1], 0, size.height - 1);
  const right = clamp(Math.ceil((box.x + box.width - place.x) * scale[0]), x + 1, size.width);
  const bottom = clamp(Math.ceil((box.y + box.height - place.y) * scale[1]), y + 1, size.height);
  return { x, y, width: right - x, height: bottom - y };
}
