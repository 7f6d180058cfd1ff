/** How files come in: choosing, a folder, dropping (files and folders), pasting. Their folders come along as paths. */

import { offerDataSets } from "./dataset.js";
import { el } from "./dom.js";
import { comparePaths } from "./names.js";
import { t } from "./texts.js";
import { ENDING as WORKSPACE_ENDING } from "./workspace.js";

/** Files that systems put into folders by themselves. */
const NOISE = /^(\.|Thumbs\.db$|desktop\.ini$|DICOMDIR$)/i;
/** The list of the files on a disc. */
const DIRECTORY = /^DICOMDIR$/i;

/** Checkpoints, and archives of models. */
const MODEL = /\.(pt|pth|bin|safetensors|ckpt|zip)$/i;
/** What lies beside them. */
const BESIDE_MODEL = /\.(json|md|txt)$/i;

/** `others`: paths of files beside them that hold no picture. @typedef {(files: {blob: Blob, name: string, path: string}[], others?: string[]) => void} AddFiles */
/** @typedef {{file: File, path: string}} Found a file and where it lay, as "patient A/series 1/IM00001.png" */

/**
 * @param {{images: AddFiles, normals: AddFiles, workspace: (file: Blob, name: string) => void}} add
 * @param {ReturnType<typeof import("./messages.js").createMessages>} messages
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 * @param {(files: {blob: Blob, path: string}[]) => void} addModel
 */
export function mountIntake(add, messages, engine, addModel) {
  for (const id of ["file-input", "folder-input"]) {
    const input = el(id);
    input.addEventListener("change", () => {
      take([...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name })), add.images);
      input.value = "";
    });
  }

  /** @param {Found[]} files @param {AddFiles} to */
  function take(files, to) {
    const workspaces = files.filter(({ file }) => file.name.toLowerCase().endsWith(WORKSPACE_ENDING));
    for (const { file } of workspaces.slice(0, 1)) add.workspace(file, file.name);
    if (workspaces.length > 0 && workspaces.length === files.length) return;
    const usable = files.filter((one) => !NOISE.test(one.file.name) && !workspaces.includes(one));
    const directories = files.filter(({ file }) => DIRECTORY.test(file.name)).map(({ path }) => path);
    if (usable.length === 0) return messages.error(t(directories.length > 0 ? "opening.directory" : "opening.noPicture"));
    usable.sort((a, b) => comparePaths(a.path, b.path));
    const all = usable.map(({ file, path }) => ({ blob: file, name: file.name, path }));
    const hasModel = all.some(({ name }) => MODEL.test(name));
    const isOfModel = (/** @type {{name: string}} */ { name }) => hasModel && (MODEL.test(name) || BESIDE_MODEL.test(name));
    const opened = all.filter((file) => !isOfModel(file));
    if (hasModel) addModel(all.filter(isOfModel));
    if (opened.length === 0) return;
    // Parts and classes are folders in each other; without them there is nothing to ask.
    if (to !== add.images || !opened.some(({ path }) => path.split("/").length > 2)) return to(opened, directories);
    void engine.whenReady()
      .then((session) => offerDataSets(session, opened, add))
      .catch(() => false)
      .then((asked) => asked || to(opened, directories));
  }

  const hasFiles = (event) => Boolean(event.dataTransfer?.types.includes("Files"));
  let depth = 0;
  const show = (on, event) => {
    document.body.classList.toggle("dropping", on);
    el("support").classList.toggle("drop-here", on && Boolean(event?.target instanceof Element && event.target.closest("#support")));
  };
  document.addEventListener("dragenter", (event) => hasFiles(event) && ((depth += 1), show(true, event)));
  document.addEventListener("dragleave", (event) => hasFiles(event) && ((depth = Math.max(0, depth - 1)), depth === 0 && show(false, event)));
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    show(true, event);
  });
  document.addEventListener("drop", async (event) => {
    if (!hasFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    depth = 0;
    show(false, event);
    const toSupport = event.target instanceof Element && Boolean(event.target.closest("#support"));
    try {
      take(await droppedFiles(event.dataTransfer), toSupport ? add.normals : add.images);
    } catch {
      messages.error(t("opening.drop"));
    }
  });

  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    take(files.map(named), add.images);
  });
}

/** A file of which no folder is known. @param {File} file @returns {Found} */
function named(file) {
  return { file, path: file.name };
}

/**
 * All files of a drop, those inside folders too.
 * @param {DataTransfer} transfer
 * @returns {Promise<Found[]>}
 */
async function droppedFiles(transfer) {
  // The list is emptied after the event, so the entries are taken before the first wait.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  const plain = [...transfer.files].map(named);
  if (!entries.some((entry) => entry?.isDirectory)) return plain;
  const lists = await Promise.all(entries.filter((entry) => entry !== null).map(filesOf));
  return lists.flat();
}

/** @param {any} entry a FileSystemEntry @returns {Promise<Found[]>} */
async function filesOf(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file, path: entry.fullPath.replace(/^\//, "") }];
  }
  const reader = entry.createReader();
  const found = [];
  // A reader hands out entries in portions until an empty one.
  for (;;) {
    const portion = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (portion.length === 0) break;
    found.push(...portion);
  }
  return (await Promise.all(found.map(filesOf))).flat();
}
