/**
 * The samples: one click runs a case from its files to the map. On a first visit they are cards in the place of the
 * picture; later a dialog shows the same cards. The user's own normal images are set aside, never discarded.
 */

import { el, make, sentence, setText } from "./dom.js";
import { keyFor } from "./results.js";
import { UNDO_MATTER } from "./support.js";
import { t } from "./texts.js";

const BASE = "web/samples/";

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./messages.js").createMessages>} messages
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 * @param {ReturnType<typeof import("./supportset.js").createSupportSet>} support
 * @param {ReturnType<typeof import("./run.js").createRunner>} runner
 */
export async function mountSamples(store, messages, engine, images, support, runner) {
  const { state } = store;
  const list = el("samples");
  const again = el("samples-button");
  let started = false;
  /** Case id -> its pictures: fetched with the page, so that nothing is asked for once the model is loaded. @type {Map<string, Promise<Blob[]>>} */
  const files = new Map();

  async function run(sample) {
    const pictures = files.get(sample.id);
    if (started || !pictures) return;
    if (state.run) return messages.notice(t("samples.busy"), null, "sample must wait");
    started = true;
    store.set({ isAwaited: true });
    list.setAttribute("aria-busy", "true");
    try {
      const [blobs] = await Promise.all([pictures, engine.whenReady()]);
      const known = state.info?.objects ?? [];
      const object = sample.objects.find((id) => known.some((other) => other.id === id)) ?? state.settings.object;
      const normals = blobs.slice(1).map((blob, index) => ({ content: async () => blob, name: sample.references[index] }));
      setAside();
      store.set({ objectChosen: true });
      store.settings({ object, mode: "few", augment: "none", bankRows: null, bilateral: null, nearest: null, threshold: null });
      support.add(normals, { sample: true });
      const [item] = images.add([{ content: async () => blobs[0], name: sample.image, note: sample.note }]);
      // Unreadable samples are told of like any other image.
      await images.decode(item).catch(() => {});
      item.noteKey = keyFor(state, item);
      await runner.analyse([item.id]);
    } catch (error) {
      messages.error(t("samples.failed", { title: sample.title, reason: sentence(error.message) }));
    } finally {
      started = false;
      list.removeAttribute("aria-busy");
    }
  }

  /** Makes room for a sample's normal images; the person's own can be brought back with the settings they belong to. */
  function setAside() {
    const { object, mode, augment, bankRows } = state.settings;
    const own = support.clear().filter((item) => !item.sample);
    if (own.length === 0) return;
    const bringBack = () => {
      support.replace(own);
      store.settings({ object, mode, augment, bankRows, threshold: null });
    };
    messages.offer(t("samples.setAside", { count: own.length }), { label: t("samples.bringBack"), run: bringBack }, UNDO_MATTER);
  }

  try {
    const { samples, credit } = await (await fetch(`${BASE}samples.json`)).json();
    for (const sample of samples) {
      const names = [sample.image, ...sample.references];
      files.set(sample.id, Promise.all(names.map((name) => fetchBlob(`${BASE}${sample.id}/${name}`))));
    }
    list.replaceChildren(...samples.map((sample) => card(sample, run)));
    setText(el("samples-credit"), credit);
    again.addEventListener("click", () => showAgain(samples, credit, run));
    store.on(() => (again.hidden = state.images.length === 0));
    await Promise.allSettled(files.values());
  } catch {
    setText(el("samples-credit"), t("samples.notLoaded"));
  }
}

/** The cards as a dialog. @param {any[]} samples @param {string} credit @param {(sample: any) => Promise<void>} run */
function showAgain(samples, credit, run) {
  const close = make("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), text: "×", onclick: () => dialog.close() });
  const start = (sample) => {
    dialog.close();
    return run(sample);
  };
  const dialog = make("dialog", { class: "dialog", "aria-labelledby": "samples-title" },
    make("div", { class: "dialog-head" }, make("h2", { id: "samples-title", text: t("samples.title") }), close),
    make("div", { class: "dialog-body" }, make("ul", { class: "samples" }, ...samples.map((sample) => card(sample, start))), make("p", { class: "hint", text: credit })));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  el("dialogs").replaceChildren(dialog);
  dialog.showModal();
}

/** @param {any} sample @param {(sample: any) => Promise<void>} run */
function card(sample, run) {
  return make("li", {}, make("button", { type: "button", class: "sample", "data-testid": "sample", "data-sample": sample.id, onclick: () => run(sample) },
    make("img", { src: `${BASE}${sample.id}/${sample.image}`, alt: "", width: 176, height: 176 }),
    make("span", { class: "sample-title", text: sample.title }),
    make("span", { class: "sample-text", text: sample.text }),
  ));
}

/** @param {string} path */
async function fetchBlob(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(t("samples.answer", { status: response.status }));
  return response.blob();
}
