/** A data set that was dropped: what its folders are taken for, what is odd about it, and what to open of it. */

import { el, make, sentence } from "./dom.js";
import { t } from "./texts.js";

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
  const close = make("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), text: "×", onclick: () => dialog.close() });
  const parts = sets.map((set) => {
    const [normals, tests] = [spread(set.normals, MOST_NORMALS), set.tests].map((numbers) => numbers.map((number) => files[number]));
    const buttons = make("div", { class: "dialog-actions" });
    if (normals.length > 0) {
      const label = normals.length < set.normals.length ? t("dataset.useSome", { used: normals.length, count: set.normals.length }) : t("dataset.useAll", { count: normals.length });
      buttons.append(act(label, () => open.normals(normals), "primary"));
    }
    if (tests.length > 0) buttons.append(act(t("dataset.openTests", { count: tests.length }), () => open.images(tests)));
    return make("section", {},
      ...(set.folder ? [make("h3", { text: set.folder })] : []),
      make("ul", { class: "plain-list" }, ...set.lines.map((line) => make("li", { text: sentence(line) }))),
      make("ul", { class: "warnings" }, ...[...set.errors, ...set.warnings].map((text) => make("li", { text: sentence(text) }))),
      buttons);
  });
  dialog.append(
    make("div", { class: "dialog-head" }, make("h2", { id: "data-set-title", text: t("dataset.title", { count: sets.length }) }), close),
    make("div", { class: "dialog-body" }, ...parts, make("div", { class: "dialog-actions" }, act(t("dataset.openAll", { count: files.length }), () => open.images(files)))));
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
