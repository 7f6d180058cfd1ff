/** What this browser keeps for the next visit: how much it takes, and two ways to delete it: the model alone, or everything. */

import { deleteStoredModels, storedModelBytes } from "../../pkg/index.js";
import { make, megabytes, setText } from "./dom.js";
import { forgetEverything } from "./forget.js";
import { t } from "./texts.js";

/** @param {import("./types.d.ts").State["info"]} info @returns {HTMLElement} */
export function storedModels(info) {
  const words = make("p", { class: "hint", "data-testid": "stored-models", role: "status" });
  const remove = make("button", { type: "button", "data-testid": "delete-stored-models", text: t("stored.delete"), hidden: true });

  const forget = make("button", { type: "button", "data-testid": "forget-everything", text: t("stored.forget"),
    title: t("stored.forgetTitle") });

  async function refresh() {
    const bytes = await storedModelBytes();
    remove.hidden = bytes === 0;
    setText(words, bytes === 0 ? nothingStored(info) : t("stored.kept", { size: megabytes(bytes) }));
  }

  /** @param {HTMLButtonElement} button @param {() => Promise<void>} work */
  const onClick = (button, work) => button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await work();
    } catch {
      setText(words, t("stored.busy"));
    }
    button.disabled = false;
  });
  onClick(remove, async () => {
    await deleteStoredModels();
    await refresh();
  });
  onClick(forget, async () => {
    await forgetEverything();
    remove.hidden = true;
    setText(words, t("stored.forgotten"));
  });
  void refresh();
  return make("div", { class: "stored" }, words, make("div", { class: "stored-buttons" }, remove, forget));
}

/** @param {import("./types.d.ts").State["info"]} info */
function nothingStored(info) {
  return info?.storage.place === "browser-cache"
    ? t("stored.noPlace")
    : t("stored.nothing");
}
