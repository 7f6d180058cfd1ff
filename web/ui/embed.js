/**
 * The page inside another page (`?embed`): the viewer of one case with its result and colour scale, without the page's frame;
 * where the site has no case, a place for one's own images. What is left out is hidden by the style sheet, so that the parts
 * that are shown are those of the page itself.
 */

import { el, make } from "./dom.js";
import { creditsOf } from "./samples.js";
import { t } from "./texts.js";

/** What is shown: a case, or a place for images. @param {import("./types.d.ts").Sample | null} sample */
export function mountEmbed(sample) {
  document.documentElement.dataset.embed = sample ? "case" : "drop";
  const url = new URL(location.href);
  url.searchParams.delete("embed");
  if (sample) url.searchParams.set("sample", sample.id);
  const link = make("a", { href: url.href, target: "_blank", rel: "noopener", "data-testid": "embed-open", text: t("embed.open") });
  link.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    // A sandboxed frame may not be allowed to open tabs, and nothing says so beforehand.
    const opened = window.open(url.href, "_blank");
    if (opened) opened.opener = null;
    else location.assign(url.href);
  });
  const credit = sample ? creditsOf([sample]) : "";
  el("foot").after(make("p", { class: "embed-line", "data-testid": "embed-line" },
    make("span", { text: t("embed.purpose") }), ...(credit ? [make("span", { text: credit })] : []), link));
}

/** Files that are dropped on a case would take its place in the frame. */
export function refuseDrops() {
  for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => event.preventDefault());
}

/** @param {ReturnType<typeof import("./messages.js").createMessages>} messages */
export const refuseModels = (messages) => () => messages.notice(t("embed.noModels"), null, "model in a frame");
