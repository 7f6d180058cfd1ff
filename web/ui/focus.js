/**
 * The keyboard's place on the page. Where the element with the focus is taken out, hidden or disabled, the browser drops the
 * focus on the page as a whole and a keyboard user starts from the top again; here it goes to the neighbour, or else to what
 * stands for the group. No other module has to think of it.
 */

import { el } from "./dom.js";

/** Lists whose members come and go: which of their parts take the focus, and who takes it when none is left. */
const GROUPS = [
  { list: "messages", member: ".message", part: ".icon-button", heir: "" },
  { list: "strip-list", member: ".strip-item", part: ".strip-pick", heir: "file-input" },
  { list: "support-list", member: ".tile", part: ".tile-remove", heir: "support-input" },
];
const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";
/** What may take an element with the focus away, beside its removal. */
const HIDING = ["hidden", "disabled", "open", "class", "data-view"];

/** @param {Element | null | undefined} node @returns {node is HTMLElement} */
function usable(node) {
  if (!(node instanceof HTMLElement) || !node.isConnected || node.matches(":disabled")) return false;
  // Older browsers cannot say it of elements that are only invisible.
  return node.checkVisibility?.({ visibilityProperty: true }) ?? node.getClientRects().length > 0;
}

/** Where an element is, to be found again after it has gone. @param {Element} node */
function placeOf(node) {
  const group = GROUPS.find(({ list }) => el(list).contains(node)) ?? null;
  const members = group ? [...el(group.list).querySelectorAll(group.member)] : [];
  const ancestors = [];
  for (let up = node.parentElement; up; up = up.parentElement) ancestors.push(up);
  return { node, group, index: members.findIndex((member) => member.contains(node)), ancestors };
}

/** The picture, or before there is one the place where it will be. @returns {HTMLElement} */
const picture = () => (usable(el("viewer")) ? el("viewer") : el("stage"));

/** @param {ReturnType<typeof placeOf>} place @returns {HTMLElement} */
function heirOf({ group, index, ancestors }) {
  if (group) {
    const parts = [...el(group.list).querySelectorAll(`${group.member} ${group.part}`)];
    const next = parts[Math.min(Math.max(index, 0), parts.length - 1)] ?? document.getElementById(group.heir);
    if (usable(next)) return next;
  }
  if (ancestors.includes(el("stage"))) return picture();
  for (const up of ancestors) {
    if (!up.isConnected || up === document.body || up.id === "main") continue;
    const near = [...up.querySelectorAll(FOCUSABLE)].find(usable);
    if (near) return /** @type {HTMLElement} */ (near);
  }
  return picture();
}

export function mountFocus() {
  let last = /** @type {ReturnType<typeof placeOf> | null} */ (null);
  /** What had the focus before a dialog took it. */
  let beforeDialog = /** @type {ReturnType<typeof placeOf> | null} */ (null);

  const isLost = () => {
    const { activeElement } = document;
    return last !== null && !usable(last.node) && (activeElement === null || activeElement === document.body || activeElement === last.node);
  };

  function keep() {
    if (!last || !isLost()) return;
    const opener = last.ancestors.some((up) => up.tagName === "DIALOG") ? beforeDialog : last;
    if (opener && usable(opener.node)) opener.node.focus();
    else (opener ? heirOf(opener) : picture()).focus({ preventScroll: true });
  }

  document.addEventListener("focusin", (event) => {
    const node = /** @type {Element} */ (event.target);
    const inDialog = node.closest("dialog");
    if (inDialog && !last?.ancestors.includes(inDialog)) beforeDialog = last;
    last = placeOf(node);
  });
  document.addEventListener("focusout", () => queueMicrotask(() => {
    // A click on empty space: the user moved the focus; no element was removed.
    if (last && usable(last.node) && document.activeElement === document.body) last = null;
  }));
  new MutationObserver(keep).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: HIDING });
}
