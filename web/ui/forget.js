/** Deletes everything this page keeps in the browser: model files, own models, the copy of the site, settings. */

import { deleteOwnModels, deleteStoredModels } from "../../pkg/index.js";
import { removeOffline } from "./offline.js";
import { forgetSettings } from "./settings.js";

/**
 * The open model, images and results stay until the tab is closed.
 * @returns {Promise<void>} rejects if another tab is writing a model file just now
 */
export async function forgetEverything() {
  // What can fail comes first.
  await deleteStoredModels();
  await deleteOwnModels();
  await removeOffline();
  forgetSettings();
}
