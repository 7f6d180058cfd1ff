// The package as others get it: packed by npm, its ten lines type-checked strictly, built by vite and by esbuild, and run
// in a browser. The code is the one of pkg/README.md.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build as esbuild } from "esbuild";
import { build as vite } from "vite";
import { slice } from "./fixtures.mjs";
import { SITE, launch, withPage } from "./harness.mjs";

const PACKAGE = fileURLToPath(new URL("../../pkg/", import.meta.url));
const MODULES = fileURLToPath(new URL("./node_modules/", import.meta.url));
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
const NEEDED = ["LICENSE-APACHE", "LICENSE-MIT", "NOTICE", "README.md", "index.d.ts", "index.js", "package.json", "worker.js", "formats-worker.js", "lab-worker.js"];

let browser;
let folder;
before(async () => {
  browser = await launch({ webgpu: false });
  folder = mkdtempSync(join(tmpdir(), "mvfa-package-"));
  const [{ filename }] = JSON.parse(execFileSync("npm", ["pack", "--json", "--pack-destination", folder], { cwd: PACKAGE, encoding: "utf8" }));
  mkdirSync(join(folder, "node_modules"));
  execFileSync("tar", ["xzf", join(folder, filename), "-C", join(folder, "node_modules")]);
  cpSync(join(folder, "node_modules/package"), join(folder, "node_modules/mvfa-web"), { recursive: true });
  rmSync(join(folder, "node_modules/package"), { recursive: true });
  mkdirSync(join(folder, "src"));
  writeFileSync(join(folder, "src/app.ts"), application());
  writeFileSync(join(folder, "index.html"), '<!doctype html><meta charset="utf-8"><title>app</title><input type="file" multiple><canvas></canvas><script type="module" src="./src/app.ts"></script>');
});
after(async () => {
  await browser?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** The ten lines with what they take as given: files from an input, the last one to be looked at. */
function application() {
  const [, code] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(PACKAGE, "README.md"), "utf8")) ?? [];
  assert.ok(code && code.split("\n").length <= 14, "ten lines and some blanks");
  const lines = code.split("\n");
  const imports = lines.filter((line) => line.startsWith("import"));
  const rest = lines.filter((line) => !line.startsWith("import"));
  return `${imports.join("\n")}
const input = document.querySelector("input") as HTMLInputElement;
const canvas = document.querySelector("canvas") as HTMLCanvasElement;
await new Promise((resolve) => input.addEventListener("change", resolve));
const files = [...(input.files ?? [])];
const file = files.pop() as File;
const normalFiles = files;
${rest.join("\n")}
document.title = \`done \${result.score}\`;
`;
}

/** Serves a built application; models come from the site. */
async function serve(root) {
  const server = createServer((incoming, outgoing) => {
    const { pathname } = new URL(incoming.url ?? "/", SITE);
    if (pathname.startsWith("/models/")) {
      const upstream = request(new URL(pathname, SITE), (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      return upstream.end();
    }
    try {
      const file = pathname === "/" ? "/index.html" : pathname;
      const content = readFileSync(join(root, file));
      outgoing.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(content);
    } catch {
      outgoing.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}/`, close: () => (server.closeAllConnections(), server.close()) };
}

/** Runs the application: gives it files, waits for the end, and looks at the canvas. */
async function assertRuns(root) {
  const server = await serve(root);
  try {
    await withPage(browser, { site: server.url }, async (page) => {
      await page.goto(server.url);
      await page.locator("input").setInputFiles(["brain2_014", "brain2_015", "brain1_016"].map(slice));
      await page.waitForFunction(() => document.title.startsWith("done"), null, { timeout: 120_000 });
      assert.ok(Number((await page.title()).split(" ")[1]) > 0.5, await page.title());
      const { width, height, filled } = await page.evaluate(() => {
        const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector("canvas"));
        const { data } = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).getImageData(0, 0, canvas.width, canvas.height);
        let last = 0;
        for (let i = 3; i < data.length; i += 4) if (data[i] > 0) last = i;
        return { width: canvas.width, height: canvas.height, filled: (last + 1) / data.length };
      });
      assert.deepEqual([width, height], [240, 240]);
      assert.ok(filled > 0.99, "the whole map is drawn");
    });
  } finally {
    server.close();
  }
}

test("the package has its licences and everything it imports", () => {
  const files = readdirSync(join(folder, "node_modules/mvfa-web"));
  for (const name of NEEDED) assert.ok(files.includes(name), `${name} is packed`);
  for (const name of files.filter((one) => one.endsWith(".js"))) {
    const text = readFileSync(join(folder, "node_modules/mvfa-web", name), "utf8");
    for (const [, path] of text.matchAll(/from "\.\/([^"]+\.js)"/g)) assert.ok(files.includes(path), `${name} imports ${path}`);
  }
});

test("ten lines are right under strict TypeScript", () => {
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({
    compilerOptions: { strict: true, noEmit: true, target: "es2023", module: "esnext", moduleResolution: "bundler", types: [], lib: ["es2023", "dom", "dom.iterable"] },
    include: ["src"],
  }));
  const compiler = join(MODULES, "typescript/bin/tsc");
  execFileSync("node", [compiler, "--project", folder], { encoding: "utf8" });
});

test("built by vite", async () => {
  const out = join(folder, "dist-vite");
  await vite({ root: folder, configFile: false, logLevel: "error", build: { outDir: out, target: "esnext" } });
  await assertRuns(out);
});

test("built by esbuild, as the README says", async () => {
  const out = join(folder, "dist-esbuild");
  await esbuild({
    entryPoints: { app: join(folder, "src/app.ts"), worker: join(folder, "node_modules/mvfa-web/worker.js"), "formats-worker": join(folder, "node_modules/mvfa-web/formats-worker.js"), "lab-worker": join(folder, "node_modules/mvfa-web/lab-worker.js") },
    bundle: true, format: "esm", outdir: out, logLevel: "error",
  });
  mkdirSync(join(out, "wasm"));
  for (const name of readdirSync(join(folder, "node_modules/mvfa-web/wasm")).filter((one) => one.endsWith(".wasm"))) {
    cpSync(join(folder, "node_modules/mvfa-web/wasm", name), join(out, "wasm", name));
  }
  writeFileSync(join(out, "index.html"), readFileSync(join(folder, "index.html"), "utf8").replace("./src/app.ts", "./app.js"));
  await assertRuns(out);
});
