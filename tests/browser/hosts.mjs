// Hosts as found in practice: without headers, below a sub-path, with a new version, or out of reach; and a second origin
// that notes everything that reaches it.
//
// Comes in: MVFA_URL, whose files they serve. Goes out: addresses, and what was asked for.

import { createServer, request } from "node:http";
import { SITE } from "./harness.mjs";

/**
 * @typedef {{url: string, asked: string[], change: (path: string, content: string | Buffer | null) => void, stop: () => Promise<void>,
 *   start: () => Promise<void>}} Host
 */

/** By the ending of a file that only a test has. */
const TYPES = { json: "application/json", png: "image/png", html: "text/html" };

/** The file of the site as it was built. @param {string} path */
export async function builtFile(path) {
  const response = await fetch(new URL(path, SITE));
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.text();
}

/**
 * Serves the site again.
 * @param {{headers?: boolean, prefix?: string}} [options] `headers`: those of the site, else only the type of the content;
 *   `prefix`: the folder it lies in
 * @returns {Promise<Host>}
 */
export async function openHost({ headers = false, prefix = "/" } = {}) {
  /** @type {string[]} */
  const asked = [];
  /** Other content than that of the site; null: there is no such file. @type {Map<string, string | Buffer | null>} */
  const changed = new Map();
  const server = createServer((incoming, outgoing) => {
    const address = incoming.url ?? "/";
    asked.push(`${incoming.method} ${address}`);
    if (!address.startsWith(prefix)) return outgoing.writeHead(404).end();
    const path = address.slice(prefix.length);
    const name = path.split("?")[0];
    const text = changed.get(name);
    if (text === null) return outgoing.writeHead(404).end();
    const upstream = request(new URL(path, SITE), { method: incoming.method, headers: { accept: "*/*" } }, (answer) => {
      const type = answer.headers["content-type"];
      const kept = headers ? { ...answer.headers } : type ? { "content-type": type } : {};
      if (text === undefined) return answer.pipe(outgoing.writeHead(answer.statusCode ?? 502, kept));
      delete kept["content-length"];
      const ending = name.split(".").at(-1) ?? "";
      answer.resume();
      outgoing.writeHead(200, answer.statusCode === 200 ? kept : { ...kept, "content-type": TYPES[ending] ?? "text/plain" }).end(text);
    });
    upstream.on("error", () => outgoing.destroy());
    incoming.pipe(upstream);
  });
  let port = 0;
  const start = () => new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      port = /** @type {import("node:net").AddressInfo} */ (server.address()).port;
      resolve(undefined);
    });
  });
  await start();
  return {
    url: `http://127.0.0.1:${port}${prefix}`,
    asked,
    change: (path, content) => void changed.set(path, content),
    async stop() {
      const stopped = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await stopped;
    },
    start,
  };
}

/** Another origin: notes every request, and every byte. */
export async function openListener() {
  /** @type {string[]} */
  const arrived = [];
  /** @type {import("node:net").Socket[]} */
  const sockets = [];
  const server = createServer((incoming, outgoing) => {
    arrived.push(`${incoming.method} ${incoming.url}`);
    outgoing.writeHead(200, { "access-control-allow-origin": "*", "content-type": "text/javascript" }).end("");
  });
  server.on("upgrade", (incoming, socket) => {
    arrived.push(`upgrade ${incoming.url}`);
    socket.destroy();
  });
  server.on("connection", (socket) => sockets.push(socket));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    // Another name of this machine, so that not even the host is the same.
    url: `http://localhost:${port}/`,
    arrived,
    bytes: () => sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0),
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
  };
}
