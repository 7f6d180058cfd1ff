/**
 * The site's service worker (web/sw.js), seen from the page: registered at the first visit, updated later, removed on
 * request. With it the page opens without a connection. Where a browser or an address has none (plain http, some private
 * windows) everything else works as before.
 */

import { t } from "./texts.js";

const SCRIPT = "sw.js";
/** "Ready" waits no longer for a copy of the site that is still on its way. */
const PATIENCE_MS = 20_000;

/** @typedef {ReturnType<typeof import("./store.js").createStore>} Store */
/** @typedef {ReturnType<typeof import("./messages.js").createMessages>} Messages */

/**
 * @param {Messages} messages
 * @param {ReturnType<typeof import("./network.js").createNetwork>} network
 * @param {Promise<void>} awaited the person waits for the model
 * @returns {Promise<void>} when nothing more is fetched for it: the copy is whole, or there will be none
 */
export async function mountOffline(messages, network, awaited) {
  const container = navigator.serviceWorker;
  if (!container) return;
  container.addEventListener("message", ({ data }) => data?.requests && network.add(data.requests));
  try {
    const registration = await container.register(SCRIPT, { updateViaCache: "none" });
    registration.addEventListener("updatefound", () => void watch(registration.installing, registration, messages));
    if (registration.waiting) offer(registration.waiting, messages);
    const waits = [settled(registration), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))];
    // A browser looks for a new version seconds after the page is there. Nobody has to wait for that with a whole copy here.
    if (container.controller) waits.push(awaited);
    await Promise.race(waits);
  } catch {
    // Forbidden here, or the script is not to be had just now: there is no copy, or the one of an earlier visit stays.
  }
}

/** Nothing is being installed any more. @param {ServiceWorkerRegistration} registration */
async function settled(registration) {
  // Without a connection this fails, and nothing changes.
  await registration.update().catch(() => {});
  if (registration.installing) await endOfInstall(registration.installing);
}

/** @param {ServiceWorker} worker @returns {Promise<void>} */
function endOfInstall(worker) {
  return new Promise((resolve) => {
    const look = () => worker.state !== "installing" && resolve();
    worker.addEventListener("statechange", look);
    look();
  });
}

/** @param {ServiceWorker | null} worker @param {ServiceWorkerRegistration} registration @param {Messages} messages */
async function watch(worker, registration, messages) {
  if (!worker) return;
  await endOfInstall(worker);
  // The first version waits for no other tab.
  if (registration.active && registration.waiting === worker) offer(worker, messages);
}

/** @param {ServiceWorker} waiting a new version @param {Messages} messages */
function offer(waiting, messages) {
  messages.offer(t("offline.ready"), {
    label: t("offline.use"),
    run: () => void takeOver(waiting, messages),
  }, "version");
}

/** @param {ServiceWorker} waiting @param {Messages} messages */
async function takeOver(waiting, messages) {
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((resolve) => (port1.onmessage = ({ data }) => resolve(data)));
  waiting.postMessage({ op: "takeOver" }, [port2]);
  const { otherPages } = await answer;
  if (otherPages > 0) return messages.notice(t("offline.others"));
  if (waiting.state !== "activated") await new Promise((resolve) => waiting.addEventListener("statechange", resolve, { once: true }));
  location.reload();
}

/** Removes the site's copy and its service worker. The page goes on as it is. @returns {Promise<void>} */
export async function removeOffline() {
  const registration = await navigator.serviceWorker?.getRegistration();
  await registration?.unregister();
  const names = (await globalThis.caches?.keys()) ?? [];
  await Promise.all(names.filter((name) => name.startsWith("mvfa-")).map((name) => caches.delete(name)));
}
