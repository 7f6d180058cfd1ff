// A server in front of the site that knows what was asked for and can fail like a network.
//
// Comes in: MVFA_URL. Goes out: the same site at another address, a list of what was asked for, and ways to cut an answer
// off, to hold it back, or to change it. Unlike interception in the browser it leaves the browser's caches at work.

import { createServer, request } from "node:http";
import { SITE } from "./harness.mjs";

/** @typedef {{url: string, asked: string[], cutOff: Function, hold: Function, prepend: Function, close: () => Promise<void>}} Proxy */

/** @returns {Promise<Proxy>} */
export async function openProxy() {
  /** Paths, in the order they were asked for. @type {string[]} */
  const asked = [];
  /** @type {{path: RegExp, share: number}[]} */
  const cuts = [];
  /** @type {{path: RegExp, until: Promise<void>}[]} */
  const holds = [];
  /** @type {{path: RegExp, text: string}[]} */
  const changes = [];

  const server = createServer(async (incoming, outgoing) => {
    const { pathname } = new URL(incoming.url, SITE);
    asked.push(pathname);
    const matches = ({ path }) => path.test(pathname);
    await holds.find(matches)?.until;
    const change = changes.find(matches);
    const headers = { ...incoming.headers };
    // What is changed on the way must come whole.
    if (change) for (const name of ["if-modified-since", "if-none-match", "range"]) delete headers[name];
    const upstream = request(new URL(incoming.url, SITE), { headers }, async (answer) => {
      const length = Number(answer.headers["content-length"] ?? 0);
      const body = change ? Buffer.concat([Buffer.from(change.text), ...(await answer.toArray())]) : null;
      const lengths = body ? { "content-length": String(body.length) } : {};
      outgoing.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...lengths });
      if (body) return outgoing.end(body);
      const cut = answer.statusCode === 200 ? cuts.findIndex(matches) : -1;
      if (cut < 0) return answer.pipe(outgoing);
      let left = Math.floor(length * cuts.splice(cut, 1)[0].share);
      for await (const chunk of answer) {
        const part = chunk.subarray(0, left);
        left -= part.length;
        await new Promise((resolve) => outgoing.write(part, () => resolve(null)));
        if (left === 0) break;
      }
      outgoing.destroy();
    });
    upstream.on("error", () => outgoing.destroy());
    upstream.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}/`,
    asked,
    /** The next answer to a matching path breaks off after this share of it. */
    cutOff: (path, share) => void cuts.push({ path, share }),
    /** Matching paths wait; the answer ends that. @returns {() => void} */
    hold(path) {
      let release = () => {};
      holds.push({ path, until: new Promise((resolve) => (release = () => resolve())) });
      return release;
    },
    /** Puts a script before a matching one; the answer ends that. @returns {() => void} */
    prepend(path, text) {
      const change = { path, text };
      changes.push(change);
      return () => void changes.splice(changes.indexOf(change), 1);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(() => resolve(null)));
    },
  };
}
