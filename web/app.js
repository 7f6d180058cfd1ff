/** Puts the page together. Each part is described in its own file under ui/. */

import { isEmbedded } from "./early.js";
import { obstacle, showUnsupported } from "./ui/capability.js";
import { mountAnnouncer } from "./ui/announce.js";
import { createAdding } from "./ui/adding.js";
import { createPauses } from "./ui/dom.js";
import { mountExports } from "./ui/exports.js";
import { createEngine } from "./ui/engine.js";
import { createImages } from "./ui/images.js";
import { createMessages, mountMessages } from "./ui/messages.js";
import { createModels } from "./ui/models.js";
import { createNetwork } from "./ui/network.js";
import { createOverlay } from "./ui/overlay.js";
import { createRunner } from "./ui/run.js";
import { createSources } from "./ui/source.js";
import { createStacks } from "./ui/stacks.js";
import { createStore } from "./ui/store.js";
import { createSupportSet } from "./ui/supportset.js";
import { mountDialogs } from "./ui/dialogs.js";
import { mountEmbed, refuseDrops, refuseModels } from "./ui/embed.js";
import { mountFocus } from "./ui/focus.js";
import { mountHeader } from "./ui/header.js";
import { mountIntake } from "./ui/intake.js";
import { mountKeyboard } from "./ui/keyboard.js";
import { mountLeave } from "./ui/leave.js";
import { mountObjectHint } from "./ui/object-hint.js";
import { mountOffline } from "./ui/offline.js";
import { mountPanel } from "./ui/panel.js";
import { mountPrint } from "./ui/print.js";
import { mountResult } from "./ui/result.js";
import { mountSamples, namedSample } from "./ui/samples.js";
import { mountSave } from "./ui/save.js";
import { mountScale } from "./ui/scale.js";
import { applySite, loadSite, tellProblems } from "./ui/site.js";
import { mountStackBar } from "./ui/stack-bar.js";
import { mountStatus } from "./ui/status.js";
import { mountStrip } from "./ui/strip.js";
import { mountSupport } from "./ui/support.js";
import { mountSupportScores } from "./ui/support-scores.js";
import { mountTable } from "./ui/table.js";
import { mountViewer } from "./ui/viewer.js";
import { createWords } from "./ui/words.js";
import { mountWordsPanel } from "./ui/words-panel.js";
import { createWorkspace, mountWorkspace } from "./ui/workspace.js";

// Texts of the site's own language come first: all that follows speaks.
const { site, problems } = await loadSite();
const why = obstacle();
if (why) showUnsupported(why);
else await start();
// Only now: a start that failed leaves the static text, which says what to do.
document.getElementById("stuck")?.remove();

/** In parts, between which the page answers; what takes files comes first. */
async function start() {
  const pauses = createPauses();
  // The browser ends its own work on the document in this task.
  await pauses.pause();
  const store = createStore(site);
  const messages = createMessages(store);
  const named = namedSample(site.samples);
  /** The case that runs by itself. A frame without a name shows the first. */
  const first = named ?? (isEmbedded && named === null ? site.samples[0] : null) ?? null;
  const isCase = isEmbedded && first !== null;
  applySite(site);
  if (isEmbedded) mountEmbed(first);
  // Who reads a case in a frame did not write the file, and would see less of the picture.
  if (!isCase) tellProblems(problems, messages);
  const network = createNetwork(store);
  let othersAreHere = () => {};
  const others = new Promise((resolve) => (othersAreHere = () => resolve(null)));
  const engine = createEngine(store, messages, network, others);
  const images = createImages(store, messages, engine);
  const support = createSupportSet(store, messages, engine);
  const sources = createSources(store, messages, engine);
  const stacks = createStacks(store, engine, images, sources);
  const words = createWords(store, engine);
  const runner = createRunner(store, messages, engine, images, support, network, words);
  const overlay = createOverlay(store);
  const adding = createAdding(store, messages, sources, images, stacks, support);
  engine.onReady(() => void images.decodeAll());
  const workspace = createWorkspace(store, messages, engine, images, stacks, support);
  const models = createModels(store, messages, engine);
  if (isCase) refuseDrops();
  else mountIntake({ ...adding, workspace: workspace.open }, messages, engine, isEmbedded ? refuseModels(messages) : models.add);
  mountSupport(store, messages, support, adding.normals);
  void engine.open(store.state.settings.device);

  /** @template T @param {() => T} mount @returns {Promise<T>} */
  const then = async (mount) => {
    if (pauses.isDue()) await pauses.pause();
    return mount();
  };
  await then(() => mountMessages(store, messages));
  await then(() => mountHeader(store));
  const dialogs = await then(() => mountDialogs(store, engine, models));
  await then(() => mountStrip(store, images, stacks));
  const viewer = await then(() => mountViewer(store, overlay, stacks.step));
  await then(() => mountScale(store, overlay));
  const stackBar = await then(() => mountStackBar(store, stacks, support, runner));
  await then(() => mountPanel(store, images, support));
  await then(() => mountWordsPanel(store, messages, engine, words, runner, images));
  await then(() => mountObjectHint(store));
  await then(() => mountSupportScores(store, messages, support));
  await then(() => mountResult(store));
  await then(() => mountSave(store, messages, overlay, images));
  await then(() => mountStatus(store, engine, runner));
  const print = await then(() => mountPrint(store, overlay, viewer));
  await then(() => mountExports(store, messages, overlay, images, sources, viewer, print));
  await then(() => mountWorkspace(store, workspace));
  const table = await then(() => mountTable(store, images, messages));
  await then(() => {
    mountLeave(store);
    mountFocus();
    mountAnnouncer(store);
    mountKeyboard(store, { images, runner, engine, dialogs, messages, hasSingles: !isCase, toolKeys: { ...viewer.keys, ...table.keys }, sliceMoves: stackBar.moves });
  });
  // What was told before all were there.
  store.changed();
  await pauses.pause();
  document.getElementById("main")?.removeAttribute("data-starting");
  // The browser lays out the settings first.
  await pauses.pause();
  /** @type {Promise<void>} */
  const awaited = new Promise((resolve) => store.on(() => (store.state.isAwaited || store.state.images.length > 0) && resolve()));
  // One after the other: the copy for offline use takes what the page has just fetched from the browser's cache. A lab that
  // could not be fetched is fetched again when it is needed.
  // A frame makes no models, and leaves no copy of the site behind.
  void mountSamples(store, messages, engine, images, support, runner, first, isCase)
    .then(() => (isEmbedded ? null : engine.lab().catch(() => null)))
    .then(() => (isEmbedded ? undefined : mountOffline(messages, network, awaited)))
    .finally(othersAreHere);
}
