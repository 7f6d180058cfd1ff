/**
 * The samples of the site: one click runs a case from its files to the map. On a first visit they are cards in the place of the
 * picture; later a dialog shows the same cards. `?sample=ID` runs one by itself. The user's own normal images are set aside,
 * never discarded.
 */

import { createPauses, el, make, sentence, setText } from "./dom.js";
import { keyFor } from "./results.js";
import { UNDO_MATTER } from "./support.js";
import { t } from "./texts.js";
import { closest } from "./wording.js";

/** @typedef {import("./types.d.ts").Sample} Sample */

/** A credit with its licence. @param {Sample} sample */
const creditOf = ({ credit, licence }) => [credit, licence].filter(Boolean).join(", ");
/** @param {Sample[]} samples each credit once */
export const creditsOf = (samples) => [...new Set(samples.map(creditOf).filter(Boolean))].join("; ");

/** The sample that the page's address names; undefined if it names one that is not there. @param {Sample[]} samples @returns {Sample | null | undefined} */
export function namedSample(samples) {
  const id = new URLSearchParams(location.search).get("sample");
  return id ? samples.find((one) => one.id === id) : null;
}

/**
 * @param {ReturnType<typeof import("./store.js").createStore>} store
 * @param {ReturnType<typeof import("./messages.js").createMessages>} messages
 * @param {ReturnType<typeof import("./engine.js").createEngine>} engine
 * @param {ReturnType<typeof import("./images.js").createImages>} images
 * @param {ReturnType<typeof import("./supportset.js").createSupportSet>} support
 * @param {ReturnType<typeof import("./run.js").createRunner>} runner
 * @param {Sample | null} first the one that runs by itself
 * @param {boolean} isAlone no other is offered
 * @returns {Promise<void>} when their files are here
 */
export async function mountSamples(store, messages, engine, images, support, runner, first, isAlone) {
  const { state } = store;
  const samples = first && isAlone ? [first] : state.site.samples;
  const list = el("samples");
  const again = el("samples-button");
  let started = false;
  /** Case id -> its pictures, then its normal ones: fetched with the page, so that nothing is asked for once the model is loaded. @type {Map<string, Promise<Blob[]>>} */
  const files = new Map();
  /** Cases whose files are not all there. @type {Set<string>} */
  const incomplete = new Set();

  /** @param {Sample} sample */
  async function run(sample) {
    const fetched = files.get(sample.id);
    if (started || !fetched) return;
    if (state.run) return messages.notice(t("samples.busy"), null, "sample must wait");
    started = true;
    store.set({ isAwaited: true });
    list.setAttribute("aria-busy", "true");
    try {
      const [blobs] = await Promise.all([fetched, engine.whenReady()]);
      const known = state.info?.objects ?? [];
      const object = sample.objects.find((id) => known.some((other) => other.id === id)) ?? state.settings.object;
      const mode = sample.mode ?? (sample.references.length > 0 ? "few" : state.settings.mode);
      const file = (/** @type {string} */ address, /** @type {number} */ n) => ({ content: async () => blobs[n], name: nameOf(address) });
      const normals = sample.references.map((address, n) => file(address, sample.pictures.length + n));
      setAside();
      store.set({ objectChosen: true });
      store.settings({ object, mode, augment: "none", bankRows: null, bilateral: null, nearest: null, threshold: null });
      support.add(normals, { sample: true });
      const items = images.add(sample.pictures.map((address, n) => ({ ...file(address, n), note: sample.note, sample: true })));
      // Unreadable samples are told of like any other image.
      await Promise.all(items.map((item) => images.decode(item).catch(() => {})));
      for (const item of items) item.noteKey = keyFor(state, item);
      await runner.analyse(items.map(({ id }) => id));
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

  /** @param {Sample} sample */
  async function filesOf(sample) {
    try {
      return await Promise.all([...sample.pictures, ...sample.references].map((address) => fetchBlob(address, sample.id)));
    } catch (error) {
      incomplete.add(sample.id);
      messages.tell(error.message);
      showCards();
      throw error;
    }
  }

  const cards = (/** @type {(sample: Sample) => void} */ start) => samples.map((sample) => card(sample, incomplete.has(sample.id), files.get(sample.id), start));
  const showCards = () => list.replaceChildren(...cards(run));

  const pauses = createPauses();
  for (const sample of samples) {
    const fetched = filesOf(sample);
    // What failed has been told; whoever starts the case is told again.
    fetched.catch(() => {});
    files.set(sample.id, fetched);
    if (pauses.isDue()) await pauses.pause();
  }
  await pauses.pause();
  showCards();
  setText(el("samples-credit"), creditsOf(samples));
  again.addEventListener("click", () => showAgain(cards, creditsOf(samples), run));
  store.on(() => (again.hidden = samples.length === 0 || state.images.length === 0));
  if (first) void run(first);
  else if (namedSample(samples) === undefined) messages.tell(unknownSample(samples));
  await Promise.allSettled(files.values());
}

/** @param {Sample[]} samples */
function unknownSample(samples) {
  const id = new URLSearchParams(location.search).get("sample") ?? "";
  const near = closest(id, samples.map((one) => one.id));
  return t("samples.unknown", { id, near: near ? t("samples.near", { near }) : "" });
}

/** The cards as a dialog. @param {(start: (sample: Sample) => void) => Node[]} cards @param {string} credit @param {(sample: Sample) => Promise<void>} run */
function showAgain(cards, credit, run) {
  const close = make("button", { type: "button", class: "icon-button", "aria-label": t("common.close"), text: "×", onclick: () => dialog.close() });
  const start = (/** @type {Sample} */ sample) => {
    dialog.close();
    return run(sample);
  };
  const dialog = make("dialog", { class: "dialog", "aria-labelledby": "samples-title" },
    make("div", { class: "dialog-head" }, make("h2", { id: "samples-title", text: t("samples.title") }), close),
    make("div", { class: "dialog-body" }, make("ul", { class: "samples" }, ...cards(start)), make("p", { class: "hint", text: credit })));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  el("dialogs").replaceChildren(dialog);
  dialog.showModal();
}

/** @param {Sample} sample @param {boolean} isIncomplete @param {Promise<Blob[]> | undefined} fetched @param {(sample: Sample) => void} run */
function card(sample, isIncomplete, fetched, run) {
  const picture = /** @type {HTMLImageElement} */ (make("img", { alt: "", width: 176, height: 176 }));
  // The file is fetched for the case anyway. A case that is incomplete says so.
  fetched?.then(([first]) => show(picture, first), () => {});
  return make("li", {}, make("button", { type: "button", class: "sample", "data-testid": "sample", "data-sample": sample.id, disabled: isIncomplete, onclick: () => run(sample) },
    picture,
    make("span", { class: "sample-title", text: sample.title }),
    make("span", { class: "sample-text", text: isIncomplete ? t("samples.incomplete") : sample.text }),
  ));
}

/** @param {HTMLImageElement} picture @param {Blob} blob */
function show(picture, blob) {
  const address = URL.createObjectURL(blob);
  for (const event of ["load", "error"]) picture.addEventListener(event, () => URL.revokeObjectURL(address), { once: true });
  picture.src = address;
}

/** The name of the file at an address. @param {string} address */
function nameOf(address) {
  const name = address.slice(address.lastIndexOf("/") + 1);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** @param {string} address @param {string} id of the sample it belongs to */
async function fetchBlob(address, id) {
  const shown = address.slice(new URL("./", document.baseURI).href.length);
  const response = await fetch(address).catch((error) => ({ ok: false, failed: error }));
  if (response instanceof Response && response.ok) return response.blob();
  const reason = response instanceof Response ? t("samples.status", { status: response.status }) : response.failed.message;
  throw new Error(t("samples.notThere", { id, address: shown, reason }));
}
