/** A data set that was dropped: what its folders are taken for, what is odd about it, and what to open of it. */

import { countOf, el, make, sentence } from "./dom.js";

/** Normal images taken of a set: more make each analysis slower and little better. */
const MOST_NORMALS = 16;

/** @typedef {{blob: Blob, name: string, path: string}} Opened */

/**
 * Asks what to open of the data sets among files.
 * @param {import("../../pkg/index.js").Session} session
 * @param {Opened[]} files
 * @param {{images: (files: Opened[]) => void, normals: (files: Opened[]) => void}} open
 * @returns {Promise<boolean>} false if there is no data set among them
 */
export async function offerDataSets(session, files, open) {
  const sets = await session.dataSets(files.map(({ path }) => path));
  if (sets.length === 0) return false;
  const dialog = make("dialog", { class: "dialog", "aria-labelledby": "data-set-title", "data-testid": "data-set" });
  const act = (label, run, kind = "") => make("button", { type: "button", class: kind, text: label, onclick: () => (dialog.close(), run()) });
  const close = make("button", { type: "button", class: "icon-button", "aria-label": "Close", text: "×", onclick: () => dialog.close() });
  const parts = sets.map((set) => {
    const [normals, tests] = [spread(set.normals, MOST_NORMALS), set.tests].map((numbers) => numbers.map((number) => files[number]));
    const buttons = make("div", { class: "dialog-actions" });
    if (normals.length > 0) {
      const label = normals.length < set.normals.length ? `Use ${normals.length} of ${countOf(set.normals.length, "normal image")}` : `Use ${countOf(normals.length, "normal image")}`;
      buttons.append(act(`${label} to compare with`, () => open.normals(normals), "primary"));
    }
    if (tests.length > 0) buttons.append(act(`Open ${countOf(tests.length, "test image")}`, () => open.images(tests)));
    return make("section", {},
      ...(set.folder ? [make("h3", { text: set.folder })] : []),
      make("ul", { class: "plain-list" }, ...set.lines.map((line) => make("li", { text: sentence(line) }))),
      make("ul", { class: "warnings" }, ...[...set.errors, ...set.warnings].map((text) => make("li", { text: sentence(text) }))),
      buttons);
  });
  dialog.append(
    make("div", { class: "dialog-head" }, make("h2", { id: "data-set-title", text: sets.length === 1 ? "This is a data set" : "These are data sets" }), close),
    make("div", { class: "dialog-body" }, ...parts, make("div", { class: "dialog-actions" }, act(`Open all ${countOf(files.length, "file")} as images`, () => open.images(files)))));
  dialog.addEventListener("close", () => dialog.remove());
  el("dialogs").replaceChildren(dialog);
  dialog.showModal();
  return true;
}

/** At most so many, evenly from all. @param {number[]} numbers @param {number} most */
function spread(numbers, most) {
  if (numbers.length <= most) return numbers;
  return Array.from({ length: most }, (_, n) => numbers[Math.floor((n * numbers.length) / most)]);
}
