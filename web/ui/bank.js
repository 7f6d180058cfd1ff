/** How much of the normal images is searched: the choice, and what a smaller memory costs. */

import { el, make, setText } from "./dom.js";
import { t } from "./texts.js";

/**
 * Most rows a level, of all normal images together, and the mean pixel AUROC with them (docs/verification.md, "Many
 * references").
 * @type {{rows: number | null, name: import("./texts.js").Key, auroc: string}[]}
 */
const BANKS = [
  { rows: null, name: "bank.all", auroc: ".880" },
  { rows: 1160, name: "bank.middle", auroc: ".870" },
  { rows: 290, name: "bank.least", auroc: ".851" },
];
const [WHOLE] = BANKS;

/** @param {ReturnType<typeof import("./store.js").createStore>} store */
export function mountBank(store) {
  const { state } = store;
  const select = el("bank-rows-select");
  const hint = el("bank-rows-hint");
  select.append(...BANKS.map(({ rows, name }) => make("option", { value: String(rows ?? "all"), text: t(name) })));
  el("bank-rows").title = explanation();
  select.addEventListener("change", () => store.settings({ bankRows: BANKS[select.selectedIndex].rows }));

  store.on(() => {
    const { bankRows, mode } = state.settings;
    const chosen = BANKS.find(({ rows }) => rows === bankRows) ?? WHOLE;
    select.selectedIndex = BANKS.indexOf(chosen);
    select.disabled = mode !== "few";
    hint.hidden = mode !== "few" || chosen === WHOLE;
    setText(hint, t("bank.hint", { chosen: chosen.auroc, whole: WHOLE.auroc }));
  });
}

function explanation() {
  const aurocs = BANKS.map(({ rows, auroc }) => t("bank.auroc", { auroc, rows: rows ?? t("bank.whole") })).join(", ");
  return t("bank.explanation", { aurocs });
}
