/** What the browser must have. Without it the page says so instead of failing half-way. */

import { make } from "./dom.js";

/** A module whose only function makes a 128-bit vector: valid exactly where WebAssembly SIMD is known. */
const SIMD_PROBE = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11]);

/** @returns {string} what is missing, or "" */
export function missing() {
  if (typeof WebAssembly !== "object") return "WebAssembly";
  if (!WebAssembly.validate(SIMD_PROBE)) return "WebAssembly SIMD";
  if (typeof createImageBitmap !== "function") return "createImageBitmap";
  return "";
}

/** Puts a message in place of the page. @param {string} what */
export function showUnsupported(what) {
  document.body.replaceChildren(make("main", { class: "unsupported", "data-state": "error" },
    make("h1", { text: "This browser cannot run the model" }),
    make("p", { "data-testid": "error", role: "alert", text: `It lacks ${what}. Use Chrome or Edge 91 or later, Firefox 114 or later, or Safari 16.4 or later, then open this page again.` }),
    make("p", { text: "Nothing was loaded and nothing was sent." })));
}
