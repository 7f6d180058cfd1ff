/** What this browser keeps for the next visit: how much it takes, and two ways to delete it: the model alone, or everything. */

import { deleteStoredModels, storedModelBytes } from "../../pkg/index.js";
import { make, megabytes, setText } from "./dom.js";
import { forgetEverything } from "./forget.js";

/** @param {import("./types.d.ts").State["info"]} info @returns {HTMLElement} */
export function storedModels(info) {
  const words = make("p", { class: "hint", "data-testid": "stored-models", role: "status" });
  const remove = make("button", { type: "button", "data-testid": "delete-stored-models", text: "Delete stored model files", hidden: true });

  const forget = make("button", { type: "button", "data-testid": "forget-everything", text: "Forget everything",
    title: "Deletes the stored model files, your own models, the copy of this page for use without a connection, and the settings" });

  async function refresh() {
    const bytes = await storedModelBytes();
    remove.hidden = bytes === 0;
    setText(words, bytes === 0 ? nothingStored(info) : `This browser keeps ${megabytes(bytes)} of model files for the next visit. Images are never stored.`);
  }

  /** @param {HTMLButtonElement} button @param {() => Promise<void>} work */
  const onClick = (button, work) => button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await work();
    } catch {
      setText(words, "The files could not be deleted: another tab is just storing a model. Wait until it is loaded, then try again.");
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
    setText(words, "Everything that this page kept in the browser is deleted. Images, results and the open model stay until you close this tab. Opening the page again fetches and keeps it anew.");
  });
  void refresh();
  return make("div", { class: "stored" }, words, make("div", { class: "stored-buttons" }, remove, forget));
}

/** @param {import("./types.d.ts").State["info"]} info */
function nothingStored(info) {
  return info?.storage.place === "browser-cache"
    ? "No model files are stored: this browser offers this site no place for them, so only its own cache may hold them."
    : "No model files are stored. The next visit fetches the model again.";
}
