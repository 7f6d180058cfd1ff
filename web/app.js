/** Puts the page together. Each part is described in its own file under ui/. */

import { obstacle, showUnsupported } from "./ui/capability.js";
import { mountAnnouncer } from "./ui/announce.js";
import { createEngine } from "./ui/engine.js";
import { createImages } from "./ui/images.js";
import { createMessages, mountMessages } from "./ui/messages.js";
import { createNetwork } from "./ui/network.js";
import { createOverlay } from "./ui/overlay.js";
import { createRunner } from "./ui/run.js";
import { createSources } from "./ui/source.js";
import { createStacks } from "./ui/stacks.js";
import { createStore } from "./ui/store.js";
import { createSupportSet } from "./ui/supportset.js";
import { mountDialogs } from "./ui/dialogs.js";
import { mountFocus } from "./ui/focus.js";
import { mountHeader } from "./ui/header.js";
import { mountIntake } from "./ui/intake.js";
import { mountKeyboard } from "./ui/keyboard.js";
import { mountLeave } from "./ui/leave.js";
import { mountOffline } from "./ui/offline.js";
import { mountPanel } from "./ui/panel.js";
import { mountPrint } from "./ui/print.js";
import { mountResult } from "./ui/result.js";
import { mountSamples } from "./ui/samples.js";
import { mountSave } from "./ui/save.js";
import { mountScale } from "./ui/scale.js";
import { mountStackBar } from "./ui/stack-bar.js";
import { mountStatus } from "./ui/status.js";
import { mountStrip } from "./ui/strip.js";
import { mountSupport } from "./ui/support.js";
import { mountSupportScores } from "./ui/support-scores.js";
import { mountTable } from "./ui/table.js";
import { mountViewer } from "./ui/viewer.js";

const why = obstacle();
if (why) showUnsupported(why);
else start();
// Only now: a start that failed leaves the static text, which says what to do.
document.getElementById("stuck")?.remove();

function start() {
  const store = createStore();
  const messages = createMessages(store);
  const network = createNetwork(store);
  let othersAreHere = () => {};
  const others = new Promise((resolve) => (othersAreHere = () => resolve(null)));
  const engine = createEngine(store, messages, network, others);
  const images = createImages(store, messages, engine);
  const support = createSupportSet(store, messages, engine);
  const sources = createSources(store, messages, network);
  const stacks = createStacks(store, engine, images, sources);
  const runner = createRunner(store, messages, engine, images, support, network);
  const overlay = createOverlay(store);
  engine.onReady(() => void images.decodeAll());

  const add = {
    images: (files) => void sources.opened(files, (parts) => addImages(parts)),
    normals: (files) => void sources.opened(files, (parts) => {
      for (const { refused } of parts) if (refused) support.refuse(refused.name, refused.message);
      support.add(parts.flatMap(({ picture, series }) => (picture ? [picture] : series ? sources.normalsOf(series) : [])));
    }),
  };
  /** Neighbours of one kind go in together. @param {import("./ui/source.js").Part[]} parts */
  function addImages(parts) {
    let first = /** @type {number | null} */ (null);
    for (let at = 0; at < parts.length;) {
      const { picture, series } = parts[at];
      let end = at + 1;
      while (!series && end < parts.length && !parts[end].series && Boolean(parts[end].picture) === Boolean(picture)) end += 1;
      const group = parts.slice(at, end);
      if (series) stacks.add(series);
      else if (picture) images.add(group.flatMap((part) => part.picture ?? []));
      else images.addRefused(group.flatMap((part) => part.refused ?? []));
      first ??= store.state.currentId;
      at = end;
    }
    if (first !== null && store.state.currentId !== first) images.select(first);
  }

  mountMessages(store, messages);
  mountHeader(store);
  const dialogs = mountDialogs(store, engine);
  mountStrip(store, images, stacks);
  const viewer = mountViewer(store, overlay, stacks.step);
  mountScale(store, overlay);
  const stackBar = mountStackBar(store, stacks, support, runner, sources);
  mountPanel(store, images, support);
  mountSupport(store, messages, support, add.normals);
  mountSupportScores(store, messages, support);
  mountResult(store);
  mountSave(store, messages, overlay, images);
  mountStatus(store, engine, runner);
  mountIntake(add, messages, engine);
  mountLeave(store);
  mountPrint(store, overlay, viewer);
  const table = mountTable(store, images);
  mountFocus();
  mountAnnouncer(store);
  mountKeyboard(store, { images, runner, engine, dialogs, messages, toolKeys: { ...viewer.keys, ...table.keys }, sliceMoves: stackBar.moves });
  // One after the other: the copy for offline use takes what the page has just fetched from the browser's cache.
  void mountSamples(store, messages, engine, images, support, runner).then(() => mountOffline(messages, network)).finally(othersAreHere);
  void engine.open(store.state.settings.device);
}
