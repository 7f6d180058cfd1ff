/** The model files this browser keeps for the next visit: how much they take, and a way to delete them. */

import { deleteStoredModels, storedModelBytes } from "../../pkg/index.js";
import { make, megabytes, setText } from "./dom.js";

/** @param {import("./types.d.ts").State["info"]} info @returns {HTMLElement} */
export function storedModels(info) {
  const words = make("p", { class: "hint", "data-testid": "stored-models", role: "status" });
  const remove = make("button", { type: "button", "data-testid": "delete-stored-models", text: "Delete stored model files", hidden: true });

  async function refresh() {
    const bytes = await storedModelBytes();
    remove.hidden = bytes === 0;
    setText(words, bytes === 0 ? nothingStored(info) : `This browser keeps ${megabytes(bytes)} of model files for the next visit. Images are never stored.`);
  }

  remove.addEventListener("click", async () => {
    remove.disabled = true;
    try {
      await deleteStoredModels();
      await refresh();
    } catch {
      setText(words, "The files could not be deleted: another tab is just storing a model. Wait until it is loaded, then try again.");
    }
    remove.disabled = false;
  });
  void refresh();
  return make("div", { class: "stored" }, words, remove);
}

/** @param {import("./types.d.ts").State["info"]} info */
function nothingStored(info) {
  return info?.storage.place === "browser-cache"
    ? "No model files are stored: this browser offers this site no place for them, so only its own cache may hold them."
    : "No model files are stored. The next visit fetches the model again.";
}
