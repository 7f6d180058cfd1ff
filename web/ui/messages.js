/**
 * Messages over the picture: errors (what happened, what to do) and notices (what the page did by itself).
 * A message stays until it is dismissed or its matter is settled; it never takes anything away.
 */

import { el, make } from "./dom.js";
import { t } from "./texts.js";

/** More than this many at once hide the picture. */
const SHOWN = 3;

/** @typedef {{label: string, run: () => void}} Action */

/** @param {ReturnType<typeof import("./store.js").createStore>} store */
export function createMessages(store) {
  const { state } = store;
  let nextId = 1;
  /** @param {"error" | "notice"} kind @param {string} text @param {Action | null} [action] @param {{matter?: string, lasting?: boolean, names?: string[]}} [more] */
  const add = (kind, text, action = null, { matter = "", lasting = false, names } = {}) => {
    if (state.messages.some((message) => message.kind === kind && message.text === text && !action)) return;
    const others = matter ? state.messages.filter((message) => message.matter !== matter) : state.messages;
    state.messages = [...others, { id: nextId++, kind, text, action, matter, lasting, names }];
    store.changed();
  };
  /** @param {(message: import("./types.d.ts").Message) => boolean} kept */
  const keep = (kept) => store.set({ messages: state.messages.filter(kept) });
  const dismiss = (id) => keep((message) => message.id !== id);
  return {
    /** @param {string} text @param {Action | null} [action] @param {string} [matter] a newer error of the same matter takes its place */
    error: (text, action, matter) => add("error", text, action, { matter }),
    /** @param {string} text @param {Action | null} [action] @param {string} [matter] as with errors */
    notice: (text, action, matter) => add("notice", text, action, { matter }),
    /** Something about many files, whose names are shown on request. @param {"error" | "notice"} kind @param {string} text @param {string[]} names @param {string} matter */
    about: (kind, text, names, matter) => add(kind, text, null, { matter, names }),
    /** Says something about the page as a whole: it stays when other things are settled. @param {string} text */
    tell: (text) => add("notice", text, null, { lasting: true }),
    /** Offers something that can be taken up later: it stays when other things are settled. @param {string} text @param {Action} action @param {string} matter */
    offer: (text, action, matter) => add("notice", text, action, { matter, lasting: true }),
    dismiss,
    /** @param {string} matter */
    settle: (matter) => keep((message) => message.matter !== matter),
    dismissAll: () => store.set({ messages: [] }),
    /** What was said before is settled. @param {"error" | "notice"} [kind] only these */
    clear: (kind) => keep((message) => message.lasting || Boolean(kind && message.kind !== kind)),
    dismissLast() {
      const last = state.messages.at(-1);
      if (last) dismiss(last.id);
      return Boolean(last);
    },
  };
}

/** @param {ReturnType<typeof import("./store.js").createStore>} store @param {ReturnType<typeof createMessages>} messages */
export function mountMessages(store, messages) {
  const root = el("messages");
  let painted = "";
  store.on(() => {
    const all = store.state.messages;
    const key = all.map((message) => message.id).join();
    if (key === painted) return;
    painted = key;
    const hidden = all.length - SHOWN;
    root.replaceChildren(...all.slice(-SHOWN).map((message) => card(message, messages)));
    if (hidden > 0) root.prepend(older(hidden, messages));
  });
}

/** @param {number} hidden @param {ReturnType<typeof createMessages>} messages */
function older(hidden, messages) {
  return make("p", { class: "message-more" },
    t("errors.older", { count: hidden }),
    make("button", { type: "button", "data-testid": "dismiss-all", text: t("errors.dismissAll"), onclick: messages.dismissAll }));
}

/** @param {string[]} names */
function named(names) {
  return make("details", { class: "message-names", "data-testid": "message-names" }, make("summary", { text: t("errors.names") }), make("ul", {}, ...names.map((name) => make("li", { text: name }))));
}

/** @param {import("./types.d.ts").Message} message @param {ReturnType<typeof createMessages>} messages */
function card(message, messages) {
  const error = message.kind === "error";
  const node = make(
    "div",
    { class: `message ${message.kind}`, role: error ? "alert" : "status", "data-testid": message.kind },
    make("span", { class: "message-sign", "aria-hidden": "true", text: error ? "!" : "i" }),
    make("div", { class: "message-text" }, make("p", { text: message.text }), ...(message.names ? [named(message.names)] : [])),
  );
  if (message.action) {
    const { label, run } = message.action;
    node.append(make("button", { type: "button", "data-testid": message.lasting ? "undo" : "retry", text: label, onclick: () => (messages.dismiss(message.id), run()) }));
  }
  node.append(make("button", { type: "button", class: "icon-button", "aria-label": t("errors.dismiss"), text: "×", onclick: () => messages.dismiss(message.id) }));
  return node;
}
