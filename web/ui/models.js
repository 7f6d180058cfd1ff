/**
 * The models that a person can choose from: this site's, and their own, which this browser keeps.
 *
 * Comes in: files of a checkpoint or of a model. Goes out: the open model, and its place in the settings. What goes wrong
 * with a new model is said in its dialog; the open one stays open.
 */

import { deleteOwnModel, ownModelCard, ownModels, renameOwnModel } from "../../pkg/index.js";
import { el, make, megabytes, sentence, setText } from "./dom.js";
import { openNewModel } from "./new-model.js";
import { download } from "./save.js";
import { manifestUrl, siteModelAt, titleOf } from "./site-models.js";
import { t } from "./texts.js";

/** @typedef {import("../../pkg/index.d.ts").OwnModel} OwnModel */

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./messages.js").createMessages>} messages
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 */
export function createModels(store, messages, engine) {
  const { state } = store;

  /** Opens a model unless an analysis is running. @param {string} url "" for this site's @returns {boolean} */
  function use(url) {
    if (state.run) {
      messages.notice(t("models.busy"), null, "model must wait");
      return false;
    }
    void engine.use(url);
    return true;
  }

  /** @param {{blob: Blob, path: string}[]} files @param {OwnModel} [base] the model that its adapters are changed of */
  function add(files, base) {
    // One at a time: its progress would be out of sight.
    if (el("dialogs").querySelector('[data-testid="new-model"]')) return;
    void openNewModel(engine, files, base ?? null, (model) => {
      if (!use(model.url)) messages.offer(t("models.ready", { name: model.name }), { label: t("models.openIt"), run: () => void use(model.url) }, "model ready");
    });
  }

  /** Part of the model dialog. @returns {HTMLElement} */
  function menu() {
    const list = make("ul", { class: "models", "data-testid": "models" });
    const problem = make("p", { class: "hint region-problem", role: "alert", hidden: true });
    const input = make("input", { type: "file", id: "model-files", class: "visually-hidden", multiple: true, "data-testid": "model-input" });
    input.addEventListener("change", () => chosenIn(input, add));
    /** @param {() => Promise<unknown>} work @param {boolean} [changes] whether the list differs then */
    const attempt = async (work, changes = true) => {
      problem.hidden = true;
      try {
        await work();
      } catch (error) {
        if (error.name !== "AbortError") {
          setText(problem, sentence(error.message));
          problem.hidden = false;
        }
      }
      if (changes) await refresh();
    };

    async function refresh() {
      const current = address();
      const own = await ownModels();
      list.replaceChildren(...siteRows(current), ...own.map((model) => ownRow(model, current, attempt)));
    }
    void attempt(async () => {});
    return make("section", { class: "model-menu" },
      make("h3", { text: t("models.choose") }),
      list, problem,
      make("div", { class: "dialog-actions" }, make("label", { class: "button add", for: "model-files" }, make("span", { "aria-hidden": "true", text: "+" }), ` ${t("newModel.title")}`), input),
      make("p", { class: "hint", text: t("models.hint") }));
  }

  /** The address of the open model, or "". */
  function address() {
    try {
      return manifestUrl(state);
    } catch {
      return "";
    }
  }

  /** @param {string} current */
  function siteRows(current) {
    const { site, info, settings } = state;
    const rows = site.models.map((model) => {
      const { id, address: url } = model;
      const title = titleOf(model);
      const isOpen = current === url;
      const card = isOpen && info ? [make("a", { href: new URL(info.card, url).href, target: "_blank", rel: "noopener", text: t("models.card") })] : [];
      const open = isOpen ? [] : [button(t("models.open"), t("models.openNamed", { title }), () => use(id === site.model ? "" : `site:${id}`) && closeDialog())];
      return row(title, isOpen && info ? info.name : t("models.comes"), isOpen, [...open, ...card]);
    });
    // The page's own address names another one.
    if (current && !settings.model.startsWith("own:") && !siteModelAt(site, current)) rows.push(row(t("models.ofAddress"), current, true, []));
    return rows;
  }

  /** @param {OwnModel} model @param {string} current @param {(work: () => Promise<unknown>, changes?: boolean) => Promise<void>} attempt */
  function ownRow(model, current, attempt) {
    const isOpen = model.url === current;
    const { id, name } = model;
    if (!model.isWhole) {
      const share = Math.floor((100 * model.doneBytes) / Math.max(1, model.totalBytes));
      return row(name, t("models.unfinished", { percent: share, size: megabytes(model.storedBytes) }), false, [
        button(t("models.delete"), t("models.deletePart", { name }), () => attempt(() => deleteOwnModel(id))),
      ]);
    }
    const words = model.zeroShot ? t("models.withBoth") : t("models.withNormals");
    const size = megabytes(model.storedBytes);
    const all = model.sharedBytes > 0 ? t("models.shared", { size, shared: megabytes(model.sharedBytes) }) : size;
    const item = row(name, t("models.about", { size: all, type: model.dtype, px: model.sizePx, words, objects: model.objects.join(", ") }), isOpen, [
      ...(isOpen ? [] : [button(t("models.open"), t("models.openName", { name }), () => use(model.url) && closeDialog())]),
      button(t("models.cardShort"), t("models.cardOf", { name }), () => attempt(async () => {
        const open = item.querySelector("pre");
        if (open) return open.remove();
        item.append(make("pre", { class: "model-card", tabindex: "0", text: await ownModelCard(id) }));
      }, false)),
      button(t("models.rename"), t("models.renameName", { name }), () => {
        const wanted = prompt(t("models.askName"), name)?.trim();
        if (!wanted || wanted === name) return;
        void attempt(async () => {
          await renameOwnModel(id, wanted);
          if (isOpen && state.info) store.set({ info: { ...state.info, name: wanted } });
        });
      }),
      button(t("models.adapters"), t("models.adaptersFor", { name }), () => chooseFiles((files) => add(files, model))),
      ...(model.adapters ? [button(t("models.without"), t("models.withoutFor", { name }), () => add([], model))] : []),
      button(t("models.zip"), t("models.zipName", { name }), (event) => attempt(() => save(model, /** @type {HTMLButtonElement} */ (event.currentTarget)))),
      button(t("models.delete"), t("models.deleteName", { name }), () => {
        if (!confirm(t("models.deleteSure", { name }))) return;
        void attempt(async () => {
          await deleteOwnModel(id);
          if (isOpen) use("");
        });
      }),
    ]);
    return item;
  }

  /** @param {OwnModel} model @param {HTMLButtonElement} button */
  async function save({ id, name }, button) {
    button.disabled = true;
    const lab = await engine.lab();
    const blob = await lab.export(id, { onProgress: ({ done, total }) => setText(button, t("units.percent", { number: Math.floor((100 * done) / Math.max(1, total)) })) });
    download(blob, `${name.replace(/[^\p{L}\p{N}._ -]+/gu, "-")}.zip`);
  }

  return { add, menu };
}

/**
 * @param {string} name
 * @param {string} text
 * @param {boolean} isOpen
 * @param {(Node | string)[]} actions
 * @returns {HTMLElement}
 */
function row(name, text, isOpen, actions) {
  return make("li", { "aria-current": isOpen ? "true" : null },
    make("div", { class: "model-words" }, make("strong", { text: name }), ...(isOpen ? [make("span", { class: "model-open", text: t("models.isInUse") })] : []), make("small", { text })),
    make("div", { class: "model-actions" }, ...actions));
}

/** @param {(files: {blob: Blob, path: string}[]) => void} chosen */
function chooseFiles(chosen) {
  const input = make("input", { type: "file", multiple: true });
  input.addEventListener("change", () => chosenIn(input, chosen));
  input.click();
}

/** @param {HTMLInputElement} input @param {(files: {blob: Blob, path: string}[]) => void} chosen */
function chosenIn({ files }, chosen) {
  const all = [...(files ?? [])].map((file) => ({ blob: file, path: file.name }));
  if (all.length > 0) chosen(all);
}

/** @param {string} text @param {string} label @param {(event: Event) => void} onclick */
function button(text, label, onclick) {
  return make("button", { type: "button", text, "aria-label": label, onclick });
}

function closeDialog() {
  /** @type {HTMLDialogElement | null} */ (el("dialogs").querySelector("dialog"))?.close();
}
