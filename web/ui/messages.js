/**
 * Messages over the picture: errors (what happened, what to do) and notices (what the page did by itself).
 * A message stays until it is dismissed or its matter is settled; it never takes anything away.
 */

import { el, make } from "./dom.js";

/** More than this many at once hide the picture. */
const SHOWN = 3;

/** @param {ReturnType<typeof import("./store.js").createStore>} store */
export function createMessages(store) {
  const { state } = store;
  let nextId = 1;
  /** @param {"error" | "notice"} kind @param {string} text @param {{label: string, run: () => void} | null} [action] */
  const add = (kind, text, action = null) => {
    if (state.messages.some((message) => message.kind === kind && message.text === text)) return;
    state.messages = [...state.messages, { id: nextId++, kind, text, action }];
    store.changed();
  };
  const dismiss = (id) => store.set({ messages: state.messages.filter((message) => message.id !== id) });
  return {
    /** @param {string} text @param {{label: string, run: () => void} | null} [action] */
    error: (text, action) => add("error", text, action),
    /** @param {string} text @param {{label: string, run: () => void} | null} [action] */
    notice: (text, action) => add("notice", text, action),
    dismiss,
    /** What was said before is settled. @param {"error" | "notice"} [kind] only these */
    clear: (kind) => store.set({ messages: kind ? state.messages.filter((message) => message.kind !== kind) : [] }),
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
    if (hidden > 0) root.append(make("p", { class: "message-more", text: `and ${hidden} more above` }));
  });
}

/** @param {import("./types.d.ts").Message} message @param {ReturnType<typeof createMessages>} messages */
function card(message, messages) {
  const error = message.kind === "error";
  const node = make(
    "div",
    { class: `message ${message.kind}`, role: error ? "alert" : "status", "data-testid": message.kind },
    make("span", { class: "message-sign", "aria-hidden": "true", text: error ? "!" : "i" }),
    make("p", { text: message.text }),
  );
  if (message.action) {
    const { label, run } = message.action;
    node.append(make("button", { type: "button", "data-testid": "retry", text: label, onclick: () => (messages.dismiss(message.id), run()) }));
  }
  node.append(make("button", { type: "button", class: "icon-button", "aria-label": "Dismiss", text: "×", onclick: () => messages.dismiss(message.id) }));
  return node;
}
