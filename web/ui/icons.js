/** The pictures on the viewer's buttons: lines on a 20 × 20 grid in the colour of the text. */

const SVG = "http://www.w3.org/2000/svg";

/** @type {Record<string, string>} */
const PATHS = {
  move: "M10 2v16M2 10h16M10 2 7.5 4.5M10 2l2.5 2.5M10 18l-2.5-2.5M10 18l2.5-2.5M2 10l2.5-2.5M2 10l2.5 2.5M18 10l-2.5-2.5M18 10l-2.5 2.5",
  window: "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M10 3v14M12.5 5v10M15 6.5v7",
  ruler: "M2.5 13.5 13.5 2.5l4 4-11 11zM5.5 10.5l1.8 1.8M8.3 7.7l2.6 2.6M11.1 4.9l1.8 1.8",
  area: "M10 5c4.4 0 8 2.2 8 5s-3.6 5-8 5-8-2.2-8-5 3.6-5 8-5",
  left: "M4 8.5A6.5 6.5 0 1 1 5 14M4 3.5v5h5",
  right: "M16 8.5A6.5 6.5 0 1 0 15 14M16 3.5v5h-5",
  flipH: "M10 2v16M7.5 5v10H2.5zM12.5 5v10h5z",
  flipV: "M2 10h16M5 7.5h10V2.5zM5 12.5h10v5z",
  invert: "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M10 3v14M10 6l-5.7 8M10 10.5l-3.5 5.5M10 3.5 3.2 12",
  pixels: "M3 3h14v14H3zM3 7.7h14M3 12.4h14M7.7 3v14M12.4 3v14",
  beside: "M2.5 4h15v12h-15zM10 4v12",
  full: "M3 7.5V3h4.5M12.5 3H17v4.5M17 12.5V17h-4.5M7.5 17H3v-4.5",
  reset: "M5 5a7 7 0 1 1-2 5M3 3.5V8h4.5",
  more: "M4.5 10h.01M10 10h.01M15.5 10h.01",
};

/** @param {string} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ class: `icon icon-${name}`, viewBox: "0 0 20 20", "aria-hidden": "true" })) svg.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
