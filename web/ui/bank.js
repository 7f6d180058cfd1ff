/** How much of the normal images is searched: the choice, and what a smaller memory costs. */

import { el, make, setText } from "./dom.js";

/**
 * Most rows a level, of all normal images together, and the mean pixel AUROC with them (docs/verification.md, "Many
 * references").
 */
const BANKS = [
  { rows: null, name: "all, most exact", auroc: ".880" },
  { rows: 1160, name: "at most 1160, faster", auroc: ".870" },
  { rows: 290, name: "at most 290, fastest", auroc: ".851" },
];
const [WHOLE] = BANKS;

/** @param {ReturnType<typeof import("./store.js").createStore>} store */
export function mountBank(store) {
  const { state } = store;
  const select = el("bank-rows-select");
  const hint = el("bank-rows-hint");
  select.append(...BANKS.map(({ rows, name }) => make("option", { value: String(rows ?? "all"), text: name })));
  el("bank-rows").title = explanation();
  select.addEventListener("change", () => store.settings({ bankRows: BANKS[select.selectedIndex].rows }));

  store.on(() => {
    const { bankRows, mode } = state.settings;
    const chosen = BANKS.find(({ rows }) => rows === bankRows) ?? WHOLE;
    select.selectedIndex = BANKS.indexOf(chosen);
    select.disabled = mode !== "few";
    hint.hidden = mode !== "few" || chosen === WHOLE;
    setText(hint, `Leaves out what does not fit: mean pixel AUROC ${chosen.auroc} in our tests by the paper's rules, ${WHOLE.auroc} with all patches.`);
  });
}

function explanation() {
  const aurocs = BANKS.map(({ rows, auroc }) => `${auroc} with ${rows ?? "all"}`).join(", ");
  return "The model compares patch by patch, on several levels. A smaller memory keeps at most this many patches per level from all "
    + `normal images together, as different from one another as possible. It is faster with many normal images. Mean pixel AUROC with 14 or 17 of them, scored by the paper's rules: ${aurocs}. `
    + "With the bundled model, 4 unaltered images fit into 1160 patches and 1 into 290, so nothing is lost then.";
}
