/** Puts the page together. Each part is described in its own file under ui/. */

import { obstacle, showUnsupported } from "./ui/capability.js";
import { mountAnnouncer } from "./ui/announce.js";
import { createEngine } from "./ui/engine.js";
import { createImages } from "./ui/images.js";
import { createMessages, mountMessages } from "./ui/messages.js";
import { createNetwork } from "./ui/network.js";
import { createOverlay } from "./ui/overlay.js";
import { createRunner } from "./ui/run.js";
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
  const runner = createRunner(store, messages, engine, images, support, network);
  const overlay = createOverlay(store);
  engine.onReady(() => void images.decodeAll());

  mountMessages(store, messages);
  mountHeader(store);
  const dialogs = mountDialogs(store, engine);
  mountStrip(store, images);
  const viewer = mountViewer(store, overlay);
  mountScale(store, overlay);
  mountPanel(store, images, support);
  mountSupport(store, messages, support);
  mountSupportScores(store, messages, support);
  mountResult(store);
  mountSave(store, messages, overlay, images);
  mountStatus(store, engine, runner);
  mountIntake(images, support, messages, engine);
  mountLeave(store);
  mountPrint(store, overlay, viewer);
  const table = mountTable(store, images);
  mountFocus();
  mountAnnouncer(store);
  mountKeyboard(store, { images, runner, engine, dialogs, messages, toolKeys: { ...viewer.keys, ...table.keys } });
  // One after the other: the copy for offline use takes what the page has just fetched from the browser's cache.
  void mountSamples(store, messages, engine, images, support, runner).then(() => mountOffline(messages, network)).finally(othersAreHere);
  void engine.open(store.state.settings.device);
}
