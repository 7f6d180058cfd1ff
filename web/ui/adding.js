/** What opened files become: images, stacks of slices, normal images. */

import { kindWithSlices } from "./kinds.js";
import { withoutEnding } from "./names.js";
import { t } from "./texts.js";

/** @typedef {import("./source.js").Part} Part */

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./messages.js").createMessages>} messages
 * @param {ReturnType<typeof import("./source.js").createSources>} sources
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 * @param {ReturnType<typeof import("./stacks.js").createStacks>} stacks
 * @param {ReturnType<typeof import("./supportset.js").createSupportSet>} support
 * @returns {{images: import("./intake.js").AddFiles, normals: import("./intake.js").AddFiles}}
 */
export function createAdding(store, messages, sources, images, stacks, support) {
  /** The first of them comes into view. @param {Part[]} all */
  function addImages(all) {
    const parts = all.filter((part) => !isOpen(part));
    if (parts.length === 0) return;
    let first = /** @type {number | null} */ (null);
    for (const group of runs(parts)) {
      if (group[0].series) stacks.add(group[0].series);
      else if (group[0].picture) images.add(group.flatMap(({ picture }) => picture ?? []));
      else images.addRefused(group.flatMap(({ refused }) => refused ?? []));
      first ??= store.state.currentId;
    }
    if (first !== null && store.state.currentId !== first) images.select(first);
  }

  /** A series that is open already is not added again; it is said. @param {Part} part */
  function isOpen({ series, picture }) {
    const given = series ?? picture?.series;
    const twin = given && store.state.images.find((item) => item.series && sources.areSame(item.series, given));
    if (!given || !twin) return false;
    messages.notice(t("opening.twice", { name: `${withoutEnding(given.name)}: ${kindWithSlices(given)}`, number: twin.number }), { label: t("opening.goThere"), run: () => images.select(twin.id) }, `series ${twin.number} twice`);
    sources.release(given);
    return true;
  }

  /** @param {Part[]} parts */
  function addNormals(parts) {
    for (const { refused } of parts) if (refused) support.refuse(refused.name, refused.message);
    support.add(parts.flatMap(({ picture, series }) => (picture ? [picture] : series ? sources.normalsOf(series) : [])));
  }

  return { images: (files, others) => void sources.opened(files, addImages, others), normals: (files) => void sources.opened(files, addNormals) };
}

/** Neighbours of one kind together; each series by itself. @param {Part[]} parts @returns {Part[][]} */
function runs(parts) {
  /** @type {Part[][]} */
  const found = [];
  for (const part of parts) {
    const last = found.at(-1);
    const isAlike = last && !part.series && !last[0].series && Boolean(last[0].picture) === Boolean(part.picture);
    if (isAlike) last.push(part);
    else found.push([part]);
  }
  return found;
}
