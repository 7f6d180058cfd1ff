/** Small helpers for the page's elements and numbers. Nothing here knows what the page is about. */

import { numeral, t } from "./texts.js";

/** @param {string} id @returns {any} the element; the page is broken without it, so this throws */
export function el(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(t("errors.element", { id }));
  return found;
}

/**
 * Makes an element.
 * @param {string} tag
 * @param {Record<string, any>} [props] attributes; `on…` functions become listeners, `class` and `text` are what they say
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function make(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "text") node.textContent = value;
    else if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children);
  return node;
}

/** Writes text only when it differs, so that live regions speak once. @param {Element} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Hides or shows only where it differs: what watches the page for hidden elements is not called for nothing. @param {HTMLElement} node @param {boolean} hidden */
export function setHidden(node, hidden) {
  if (node.hidden !== hidden) node.hidden = hidden;
}

/** The page's thread is given back after so long. */
const SLICE_MS = 12;

/** For work in parts: a wait between two of them that lets the page answer, as soon as the parts so far have taken long. */
export function createPauses() {
  let begunMs = performance.now();
  return {
    isDue: () => performance.now() - begunMs > SLICE_MS,
    /** Not a timer, which browsers slow down in tabs that are out of sight. @returns {Promise<void>} */
    pause: () => new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        begunMs = performance.now();
        resolve();
      };
      port2.postMessage(null);
    }),
  };
}

/** @param {number} bytes */
export function megabytes(bytes) {
  return t("units.megabytes", { number: numeral(bytes / 1e6, 1) });
}

/** Two digits after the point, for people. @param {number} value @param {import("./texts.js").Say} [say] */
export function twoDigits(value, say) {
  return Number.isFinite(value) ? numeral(value, 2, say) : "–";
}

/** A text with its full stop: the engine's messages have none. @param {string} text */
export function ended(text) {
  return /[.!?…)]$/.test(text) ? text : `${text}.`;
}

/** A text as a sentence of its own: the engine's messages begin in lower case, as after a colon. @param {string} text */
export function sentence(text) {
  return ended(text.charAt(0).toUpperCase() + text.slice(1));
}

/** @param {number} value @param {number} lo @param {number} hi */
export function clamp(value, lo, hi) {
  return Math.min(hi, Math.max(lo, value));
}
