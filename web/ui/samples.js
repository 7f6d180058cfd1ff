/** The sample cards of a first visit: one click runs a case from its files to the map. */

import { el, make, setText } from "./dom.js";

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
  const list = el("samples");
  let started = false;
  /** Case id -> its pictures: fetched with the page, so that nothing is asked for once the model is loaded. @type {Map<string, Promise<Blob[]>>} */
  const files = new Map();

  async function run(sample) {
    const pictures = files.get(sample.id);
    if (started || !pictures) return;
    started = true;
    list.setAttribute("aria-busy", "true");
    try {
      const [blobs] = await Promise.all([pictures, engine.whenReady()]);
      const known = store.state.info?.objects ?? [];
      const object = sample.objects.find((id) => known.some((other) => other.id === id)) ?? store.state.settings.object;
      store.settings({ object, mode: "few", augment: "none", bankRows: null, threshold: null });
      support.clear();
      support.add(blobs.slice(1).map((blob, index) => ({ blob, name: sample.references[index] })));
      const [item] = images.add([{ blob: blobs[0], name: sample.image, note: sample.note }]);
      await runner.analyse([item.id]);
    } catch (error) {
      messages.error(`The sample "${sample.title}" could not be opened. ${error.message}`);
    } finally {
      started = false;
      list.removeAttribute("aria-busy");
    }
  }

  try {
    const { samples, credit } = await (await fetch(`${BASE}samples.json`)).json();
    for (const sample of samples) {
      const names = [sample.image, ...sample.references];
      files.set(sample.id, Promise.all(names.map((name) => fetchBlob(`${BASE}${sample.id}/${name}`))));
    }
    list.replaceChildren(...samples.map((sample) => card(sample, run)));
    setText(el("samples-credit"), credit);
    await Promise.allSettled(files.values());
  } catch {
    setText(el("samples-credit"), "The samples could not be loaded. Your own images work without them.");
  }
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
  if (!response.ok) throw new Error(`The site answered ${response.status}. Reload the page and try again.`);
  return response.blob();
}
