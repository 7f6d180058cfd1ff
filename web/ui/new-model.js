/** The dialog for files of a model, and for a change of its adapters: what comes of it, how it shall be kept, how far it is. */

import { el, ended, make, megabytes, sentence, setHidden, setText } from "./dom.js";
import { t } from "./texts.js";

/** @typedef {import("../../pkg/index.d.ts").Found} Found */
/** @typedef {import("../../pkg/index.d.ts").OwnModel} OwnModel */
/** @typedef {import("../../pkg/index.d.ts").ConvertProgress} ConvertProgress */
/** What is chosen: the options, and the model whose adapters change, if one is. @typedef {{options: import("../../pkg/index.d.ts").ConvertOptions, of: string | null}} Chosen */

const TYPES = /** @type {const} */ (["f16", "i8", "f32"]);
/** @type {Record<typeof TYPES[number], import("./texts.js").Key>} */
const TYPE_WORDS = { f16: "newModel.f16", i8: "newModel.i8", f32: "newModel.f32" };
/** @type {Record<ConvertProgress["stage"], import("./texts.js").Key>} */
const STAGE_WORDS = { tensors: "newModel.converting", words: "newModel.words", "self-test": "newModel.testing", files: "newModel.copying", archive: "newModel.packing" };

/**
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 * @param {{blob: Blob, path: string}[]} files none: a model without the adapters of `base`
 * @param {OwnModel | null} base the model that adapters come to or go from, if it is known
 * @param {(model: OwnModel) => void} made
 */
export async function openNewModel(engine, files, base, made) {
  const controller = new AbortController();
  const status = make("p", { class: "status", role: "status", "data-testid": "new-model-status", text: t("newModel.looking") });
  const problem = make("p", { class: "hint region-problem", role: "alert", "data-testid": "new-model-problem", hidden: true });
  const bar = make("progress", { max: "1", "aria-label": t("newModel.progress"), "data-testid": "new-model-progress" });
  const body = make("div", { class: "dialog-body" });
  const dialog = make("dialog", { class: "dialog", "aria-labelledby": "new-model-title", "data-testid": "new-model" });
  const close = make("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), text: "×", onclick: () => dialog.close() });
  dialog.append(make("div", { class: "dialog-head" }, make("h2", { id: "new-model-title", text: t("newModel.title") }), close), body);
  // What is finished of it is kept.
  dialog.addEventListener("close", () => (controller.abort(), dialog.remove()));
  el("dialogs").replaceChildren(dialog);
  dialog.showModal();

  /** @param {any} error */
  const refuse = (error) => {
    setHidden(bar, true);
    setText(status, "");
    // A file's name keeps its letters.
    setText(problem, /^\S+\.\S/.test(error.message) ? ended(error.message) : sentence(error.message));
    setHidden(problem, false);
  };
  const more = moreChoices(() => void look());
  const place = make("div", {});
  body.append(place, status, bar, problem, more.element);

  /** Says what the files are, as often as the choices change. */
  async function look() {
    setHidden(problem, true);
    setHidden(bar, false);
    setText(status, t("newModel.looking"));
    place.replaceChildren();
    try {
      const lab = await engine.lab();
      const found = files.length > 0 ? await lab.inspect(files, { ...more.values(), signal: controller.signal }) : null;
      if (!dialog.open) return;
      setHidden(bar, true);
      setText(status, "");
      setHidden(more.element, found?.kind !== "checkpoint");
      /** @type {HTMLFormElement} */
      const form = found && found.kind !== "adapters"
        ? choices(found, await freeBytes(), (options) => void convert(form, { options: { ...more.values(), ...options }, of: null }))
        : adapterChoices(found, base, (chosen) => void convert(form, chosen));
      place.replaceChildren(form);
      form.querySelector("input")?.focus();
    } catch (error) {
      refuse(error);
    }
  }

  /** @param {HTMLFormElement} form @param {Chosen} chosen */
  async function convert(form, { options, of }) {
    setHidden(form, true);
    setHidden(more.element, true);
    setHidden(bar, false);
    setHidden(problem, true);
    const stop = make("button", { type: "button", "data-testid": "new-model-cancel", text: t("common.cancel"), onclick: () => controller.abort() });
    body.append(make("div", { class: "dialog-actions" }, stop));
    stop.focus();
    try {
      // Without it a browser that lacks room may delete the model.
      void navigator.storage?.persist?.().catch(() => {});
      const lab = await engine.lab();
      const all = { ...options, signal: controller.signal, onProgress: (/** @type {ConvertProgress} */ progress) => show(progress, status, bar) };
      const model = of === null ? await lab.convert(files, all) : await lab.change(of, files, all);
      dialog.close();
      made(model);
    } catch (error) {
      stop.remove();
      refuse(error);
    }
  }
  await look();
}

/**
 * What is rarely needed: the names are those of `mvfa convert`, whose messages speak of them.
 * @param {() => void} changed
 * @returns {{element: HTMLElement, values: () => import("../../pkg/index.d.ts").ConvertOptions}}
 */
function moreChoices(changed) {
  /** @param {string} label @param {Record<string, any>} props */
  const line = (label, props) => {
    const input = make("input", { autocomplete: "off", ...props });
    return { input, element: make("label", {}, label, " ", input) };
  };
  const size = line(t("newModel.side"), { type: "number", min: "14", step: "1", placeholder: "240", "data-testid": "new-model-size" });
  const heads = line(t("newModel.heads"), { type: "number", min: "1", step: "1", "data-testid": "new-model-heads" });
  const levels = line(t("newModel.blocks"), { type: "text", placeholder: "6,12,18,24", "data-testid": "new-model-levels" });
  const prefix = line(t("newModel.tower"), { type: "text", "data-testid": "new-model-prefix" });
  const element = make("details", { class: "more-choices" }, make("summary", { text: t("newModel.more"), "data-testid": "new-model-more" }),
    make("form", { class: "region-numbers" }, ...[size, heads, levels, prefix].map((one) => one.element), make("button", { type: "submit", text: t("newModel.again"), "data-testid": "new-model-again" })));
  element.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    changed();
  });
  const number = (/** @type {HTMLInputElement} */ { value }) => (value === "" ? undefined : Number(value));
  const list = () => levels.input.value.split(",").map(Number).filter((/** @type {number} */ level) => level > 0);
  return {
    element,
    values: () => ({
      size: number(size.input),
      heads: number(heads.input),
      levels: list().length > 0 ? list() : undefined,
      prefix: prefix.input.value.trim() || undefined,
    }),
  };
}

/**
 * @param {Found} found
 * @param {number | null} free bytes that the browser still gives
 * @param {(options: Chosen["options"]) => void} convert
 * @returns {HTMLFormElement}
 */
function choices(found, free, convert) {
  const isBundle = found.kind === "bundle";
  const name = make("input", { type: "text", name: "name", "data-testid": "new-model-name", autocomplete: "off", maxlength: "120", required: true });
  name.value = found.name;
  const room = make("p", { class: "hint region-problem", role: "status", hidden: true });
  const form = make("form", { class: "new-model", method: "dialog" },
    ...(isBundle ? [make("p", { text: t("newModel.finished", { size: megabytes(found.totalBytes ?? 0) }) })] : [
      make("h3", { text: t("newModel.found") }),
      make("ul", { class: "plain-list", "data-testid": "new-model-found" }, ...found.taken.map((text) => make("li", { text: sentence(text) })), ...found.leftOut.map((text) => make("li", { text: sentence(t("newModel.leftOut", { what: text })) }))),
      ...(found.adapters ? [] : [make("p", { class: "hint", text: t("newModel.noAdapters") })]),
    ]),
    make("label", { class: "field" }, make("span", { text: t("newModel.name") }), name),
    ...(isBundle ? [] : [types(found)]),
    ...(!isBundle && found.zeroShot ? [objects(found.objects)] : []),
    room,
    make("div", { class: "dialog-actions" }, make("button", { type: "submit", class: "primary", "data-testid": "new-model-convert", text: isBundle ? t("newModel.keep") : t("newModel.convert") })),
    make("p", { class: "hint", text: t("newModel.kept") }));
  const dtype = () => /** @type {"f16" | "i8" | "f32"} */ (new FormData(form).get("dtype") ?? "f16");
  const look = () => {
    const needed = found.bytes?.[dtype()] ?? found.totalBytes ?? 0;
    const lacks = free !== null && free < needed;
    setHidden(room, !lacks);
    if (lacks) setText(room, t("newModel.room", { needed: megabytes(needed), free: megabytes(free) }));
  };
  form.addEventListener("change", look);
  look();
  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    const data = new FormData(form);
    const chosen = data.getAll("object").map(String);
    const wanted = name.value.trim() || found.name;
    if (isBundle) return convert({ name: wanted });
    convert({ dtype: dtype(), name: wanted, ...(found.zeroShot && chosen.length > 0 && chosen.length < found.objects.length ? { objects: chosen } : {}) });
  });
  return form;
}

/**
 * A change of adapters: whose, for what, and under which name.
 * @param {Found | null} found the adapters; null: there shall be none
 * @param {OwnModel | null} base
 * @param {(chosen: Chosen) => void} change
 * @returns {HTMLFormElement}
 */
function adapterChoices(found, base, change) {
  const models = found?.models ?? [];
  const first = models.find(({ id }) => id === base?.id) ?? models[0] ?? null;
  const name = make("input", { type: "text", name: "name", "data-testid": "new-model-name", autocomplete: "off", maxlength: "120", required: true });
  const file = found?.adapters?.replace(/\.\w+$/, "") ?? "";
  const objectsOf = (/** @type {string} */ id) => {
    const own = models.find((model) => model.id === id)?.objects ?? [];
    const others = (found?.objects ?? []).filter((object) => !own.some((one) => one.id === object.id));
    return objects([...own, ...others], new Set(own.map((object) => object.id)));
  };
  let list = objectsOf(first?.id ?? "");
  const select = make("select", { name: "model", "data-testid": "new-model-base" }, ...models.map((model) => make("option", { value: model.id, text: model.name })));
  if (first) select.value = first.id;
  const named = () => {
    const model = models.find(({ id }) => id === select.value);
    name.value = found && model ? t("newModel.adaptersName", { name: model.name, file }) : t("newModel.plainName", { name: base?.name ?? "" });
  };
  named();
  select.addEventListener("change", () => {
    const next = objectsOf(select.value);
    list.replaceWith(next);
    list = next;
    named();
  });
  const form = make("form", { class: "new-model", method: "dialog" },
    make("p", { "data-testid": "new-model-change", text: found ? t("newModel.adaptersFound", { file: found.adapters ?? "" }) : t("newModel.plain", { name: base?.name ?? "" }) }),
    ...(found ? [make("label", { class: "field" }, make("span", { text: t("newModel.ofModel") }), select)] : []),
    make("label", { class: "field" }, make("span", { text: t("newModel.name") }), name),
    ...(found ? [list] : []),
    make("div", { class: "dialog-actions" }, make("button", { type: "submit", class: "primary", "data-testid": "new-model-convert", text: t("newModel.make") })),
    make("p", { class: "hint", text: t("newModel.kept") }));
  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    const chosen = new FormData(form).getAll("object").map(String);
    const wanted = name.value.trim();
    change({ options: { ...(wanted ? { name: wanted } : {}), ...(chosen.length > 0 ? { objects: chosen } : {}) }, of: found ? select.value : (base?.id ?? "") });
  });
  return form;
}

/** @param {Found} found */
function types({ bytes, begun }) {
  const size = (/** @type {typeof TYPES[number]} */ type) => {
    const share = begun?.[type];
    const whole = megabytes(bytes?.[type] ?? 0);
    return share === undefined ? whole : t("newModel.goesOn", { size: whole, percent: Math.floor(100 * share) });
  };
  const first = TYPES.find((type) => begun?.[type] !== undefined) ?? "f16";
  return make("fieldset", { class: "field" }, make("legend", { text: t("newModel.weights") }),
    ...TYPES.map((type) => make("label", { class: "choice block" },
      make("input", { type: "radio", name: "dtype", value: type, checked: type === first, "data-testid": `new-model-${type}` }),
      make("span", {}, `${type}, ${size(type)}`, make("small", { text: t(TYPE_WORDS[type]) })))));
}

/** @param {{id: string, name: string}[]} all @param {Set<string>} [chosen] all if it is not given */
function objects(all, chosen) {
  return make("fieldset", { class: "field" }, make("legend", { text: t("newModel.objects") }),
    ...all.map(({ id, name }) => make("label", { class: "choice" }, make("input", { type: "checkbox", name: "object", value: id, checked: chosen?.has(id) ?? true, "data-testid": `new-model-object-${id}` }), make("span", { text: name }))),
    make("p", { class: "hint", text: t("newModel.objectsHint") }));
}

/** @param {ConvertProgress} progress @param {HTMLElement} status @param {HTMLProgressElement} bar */
function show({ stage, done, total, what }, status, bar) {
  bar.max = Math.max(1, total);
  bar.value = done;
  const inBytes = stage !== "words" && stage !== "self-test";
  const how = inBytes ? t("units.bytesOf", { done: megabytes(done), total: megabytes(total) }) : what ? t("newModel.stepOf", { what, done, total }) : t("newModel.step", { done, total });
  setText(status, `${t(STAGE_WORDS[stage])}: ${how}`);
}

/** @returns {Promise<number | null>} null if the browser does not say */
async function freeBytes() {
  const { quota, usage } = (await navigator.storage?.estimate?.()) ?? {};
  return quota === undefined || usage === undefined ? null : quota - usage;
}
