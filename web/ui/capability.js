/**
 * What the browser must have, and where the page must be opened from. Without it the page shows a message instead of failing
 * half-way. If not even this program runs, the static text in index.html is shown.
 */

import { make } from "./dom.js";
import { t } from "./texts.js";

/** A module whose only function makes a 128-bit vector: valid exactly where WebAssembly SIMD is known. */
const SIMD_PROBE = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11]);

/** @returns {string} what is missing, or "" */
function missing() {
  if (typeof WebAssembly !== "object") return "WebAssembly";
  if (!WebAssembly.validate(SIMD_PROBE)) return "WebAssembly SIMD";
  if (typeof createImageBitmap !== "function") return "createImageBitmap";
  return "";
}

/** @returns {{title: string, text: string} | null} why the page cannot work here, and what to do */
export function obstacle() {
  if (location.protocol === "file:") {
    return {
      title: t("capability.file"),
      text: t("capability.fileText"),
    };
  }
  // A sandboxed frame has an origin of its own, to which no file of this site belongs.
  if (self.origin === "null") {
    return {
      title: t("capability.frame"),
      text: t("capability.frameText"),
    };
  }
  const lacking = missing();
  if (!lacking) return null;
  return {
    title: t("capability.browser"),
    text: t("capability.browserText", { lacking }),
  };
}

/** Puts a message in place of the page. @param {{title: string, text: string}} why */
export function showUnsupported({ title, text }) {
  document.body.replaceChildren(make("main", { class: "unsupported", "data-state": "error" },
    make("h1", { text: title }),
    make("p", { "data-testid": "error", role: "alert", text }),
    make("p", { text: t("capability.nothing") })));
}
