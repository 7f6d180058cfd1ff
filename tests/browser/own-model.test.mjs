// A person's own model: checkpoints become what the command line makes of them, in the package and on the page; stopped and
// gone on with; kept, exported, deleted; wrong and hostile files are named errors.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { addSupports, analyse, analyseInSession, chooseMode, giveFiles, openReady, waitForState } from "./actions.mjs";
import { golden, maxDifference, tinyPicture } from "./fixtures.mjs";
import { SITE, launch, withPage, withProfileFolder, withVisit } from "./harness.mjs";

const LAYOUTS = ["openai_jit.pt", "openclip_state_dict.pt", "huggingface.safetensors"];
const ADAPTERS = tinyPicture("adapters.pth");
/** How the model of the golden values is made; its words are encoded for one object. */
const TINY = { size: 70, levels: [1, 2, 3, 4], heads: 2, dtype: "f32" };
const ONE = { ...TINY, objects: ["brain"] };
/** As in parity.test.mjs. */
const LIMIT = { cpu: 5e-5, gpu: 1e-3 };
/** Text features and the self-test are computed here and by the command line, each with its own order of sums. */
const COMPUTED = 2e-5;
/** Heads cannot be read from tensors so small. */
const CONFIG = { name: "config.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify({
  vision_config: { hidden_size: 32, num_attention_heads: 2 }, text_config: { hidden_size: 24, num_attention_heads: 2 } })) };

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** A page of the site that runs no program, with the package and a place for files. */
async function openPackage(page) {
  await page.goto(new URL("pkg/README.md", SITE).href);
  await page.evaluate(async () => {
    globalThis.mvfa = await import("/pkg/index.js");
    globalThis.zip = await import("/pkg/zip.js");
    globalThis.toBlob = (base64) => new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))]);
    const input = Object.assign(document.createElement("input"), { type: "file", multiple: true, id: "files" });
    document.body.append(input);
    globalThis.lab = await globalThis.mvfa.Lab.start();
    /** The manifest that is kept of a model. */
    globalThis.manifestOf = async ({ id }) => {
      const root = await (await navigator.storage.getDirectory()).getDirectoryHandle("mvfa-own");
      const file = await (await (await root.getDirectoryHandle(id)).getFileHandle("manifest.json")).getFile();
      return JSON.parse(await file.text());
    };
  });
}

/** Converts files; stops when so many of the model's are finished. */
async function convert(page, files, options, most = Infinity) {
  await page.locator("#files").setInputFiles(files);
  return page.evaluate(async ([chosen, limit]) => {
    const { lab, manifestOf } = globalThis;
    const controller = new AbortController();
    const onProgress = ({ files = 0 }) => files >= (limit ?? Infinity) && controller.abort();
    try {
      const model = await lab.convert([...document.querySelector("#files").files], { ...chosen, signal: controller.signal, onProgress });
      return { model, manifest: await manifestOf(model) };
    } catch ({ name, message }) {
      return { error: { name, message } };
    }
  }, [options, most === Infinity ? null : most]);
}

const models = (page) => page.evaluate(() => globalThis.mvfa.ownModels());
const hashes = ({ files }) => files.map(({ path, sha256 }) => `${path} ${sha256}`);

/** Opens a model of the person's own as the session of actions.mjs. */
const openOwn = (page, url, device) => page.evaluate(async ([address, choice]) => {
  globalThis.session = await globalThis.mvfa.Session.open(address, { device: choice });
  return globalThis.session.info;
}, [url, device]);

describe("in the package", () => {
  for (const layout of LAYOUTS) {
    test(`${layout} becomes the model that the command line makes, with the golden maps`, async () => {
      await withPage(browser, {}, async (page, record) => {
        await openPackage(page);
        const ready = record.requests.length;
        const { model, manifest, error } = await convert(page, [ADAPTERS, tinyPicture(layout)], TINY);
        assert.equal(error, undefined, error?.message);
        assert.deepEqual(record.network(ready), [], "the lab asks for nothing once it is there");
        assert.ok(model.isWhole && model.zeroShot && model.dtype === "f32" && model.sizePx === 70, JSON.stringify(model));
        const native = JSON.parse(readFileSync(join(process.env.MVFA_TEST_SITE, "models/tiny/manifest.json"), "utf8"));
        const copied = (all) => hashes({ files: all.files.filter(({ group }) => group !== "prompts") });
        assert.deepEqual(copied(manifest), copied(native));
        const bare = ({ files, revision, self_test: _, ...others }) => others;
        assert.deepEqual(bare(manifest), bare(native));
        assert.ok(maxDifference(manifest.self_test.values, native.self_test.values) <= COMPUTED, "self-test");
        for (const device of ["cpu", "gpu"]) {
          await openOwn(page, model.url, device);
          await addSupports(page, [tinyPicture("support_0.png"), tinyPicture("support_1.png")]);
          const result = await analyseInSession(page, tinyPicture("input_rgb.png"), { object: "chest", mode: "few", augment: "mvfa", window: "pil" });
          for (const [name, map] of [["S0", result.zero], ["Sm", result.memory]]) {
            const difference = maxDifference(map, golden(`image0.${name}`));
            assert.ok(difference <= LIMIT[device], `${device}: ${name} differs by ${difference}`);
          }
          await page.evaluate(() => globalThis.session.close());
        }
      });
    });
  }

  test("without adapters it compares with normal images alone, and says so", async () => {
    await withPage(browser, {}, async (page) => {
      await openPackage(page);
      const { model } = await convert(page, [tinyPicture(LAYOUTS[2])], { ...TINY, dtype: "i8" });
      assert.equal(model.zeroShot, false);
      assert.equal(model.dtype, "i8");
      const info = await openOwn(page, model.url, "cpu");
      assert.match(info.zeroShotReason, /no trained adapters/);
      await addSupports(page, [tinyPicture("support_0.png")]);
      const result = await analyseInSession(page, tinyPicture("input_rgb.png"), { object: "brain", mode: "few", augment: "none" });
      assert.ok(result.map.every(Number.isFinite));
    });
  });

  test("stopped anywhere, a conversion goes on and ends with the same files", async () => {
    await withPage(browser, {}, async (page) => {
      await openPackage(page);
      const files = [ADAPTERS, tinyPicture(LAYOUTS[0])];
      const whole = await convert(page, files, ONE);
      const expected = hashes(whole.manifest);
      await page.evaluate((id) => globalThis.mvfa.deleteOwnModel(id), whole.model.id);
      for (const most of [0, 1, 2, 3, 4]) {
        const stopped = await convert(page, files, ONE, most);
        assert.equal(stopped.error?.name, "AbortError", `after ${most} files: ${JSON.stringify(stopped)}`);
        const left = await models(page);
        assert.equal(left.length, most === 0 ? 0 : 1, JSON.stringify(left));
        assert.ok(left.every(({ isWhole }) => !isWhole));
        // A tab that is closed and opened again.
        if (most % 2 === 1) await openPackage(page);
        const { model, manifest, error } = await convert(page, files, ONE);
        assert.equal(error, undefined, error?.message);
        assert.deepEqual(hashes(manifest), expected, `after ${most} files`);
        assert.deepEqual((await models(page)).map(({ id, isWhole }) => [id, isWhole]), [[model.id, true]]);
        await page.evaluate((id) => globalThis.mvfa.deleteOwnModel(id), model.id);
      }
    });
  });

  test("a tab that is closed in the middle leaves what goes on", async () => {
    await withPage(browser, {}, async (page) => {
      await openPackage(page);
      const files = [ADAPTERS, tinyPicture(LAYOUTS[1])];
      const whole = await convert(page, files, ONE);
      await page.evaluate((id) => globalThis.mvfa.deleteOwnModel(id), whole.model.id);
      for (let round = 0; round < 4; round += 1) {
        await page.locator("#files").setInputFiles(files);
        await page.evaluate((options) => void globalThis.lab.convert([...document.querySelector("#files").files], options).catch(() => {}), ONE);
        await page.waitForTimeout(Math.random() * 600);
        await openPackage(page);
      }
      const { manifest, error } = await convert(page, files, ONE);
      assert.equal(error, undefined, error?.message);
      assert.deepEqual(hashes(manifest), hashes(whole.manifest));
      assert.equal((await models(page)).filter(({ isWhole }) => isWhole).length, 1);
    });
  });

  test("adapters that come later give the model that they would have given at once, and go again", async () => {
    await withPage(browser, {}, async (page, record) => {
      await openPackage(page);
      const whole = await convert(page, [ADAPTERS, tinyPicture(LAYOUTS[0])], ONE);
      const plain = await convert(page, [tinyPicture(LAYOUTS[0])], ONE);
      const ready = record.requests.length;
      await page.locator("#files").setInputFiles(ADAPTERS);
      const found = await page.evaluate(async ([id, wholeId]) => {
        const { lab, mvfa, manifestOf } = globalThis;
        const files = [...document.querySelector("#files").files];
        const looked = await lab.inspect(files);
        const stages = new Set();
        const added = await lab.change(id, files, { name: "Later", onProgress: ({ stage }) => stages.add(stage) });
        const less = await lab.change(added.id, [], { name: "Less" });
        const other = await lab.change(wholeId, files, { objects: ["liver"] });
        const refused = await lab.change(id, []).catch(({ name, message }) => `${name}: ${message}`);
        const wrong = await lab.change(id, [new File(["no adapters"], "x.pth")]).catch(({ name, message }) => `${name}: ${message}`);
        return { looked, added, less, refused, wrong, stages: [...stages], card: await mvfa.ownModelCard(less.id),
          manifests: { added: await manifestOf(added), less: await manifestOf(less), other: await manifestOf(other) } };
      }, [plain.model.id, whole.model.id]);
      assert.deepEqual(record.network(ready), []);
      assert.equal(found.looked.kind, "adapters");
      assert.deepEqual(found.looked.models.map(({ id }) => id).sort(), [whole.model.id, plain.model.id].sort());
      const bare = ({ name, ...others }) => others;
      assert.deepEqual(bare(found.manifests.added), bare(whole.manifest), "files, order, revision, self-test");
      assert.deepEqual(bare(found.manifests.less), bare(plain.manifest));
      assert.deepEqual(found.manifests.other.objects.map(({ id }) => id), ["liver"]);
      assert.ok(found.added.adapters && found.added.zeroShot && !found.less.adapters && !found.less.zeroShot);
      assert.ok(found.added.storedBytes < plain.model.storedBytes / 4, "the tower is not stored again");
      assert.equal(found.added.storedBytes + found.added.sharedBytes > whole.model.storedBytes * 0.95, true);
      assert.deepEqual(found.stages.sort(), ["self-test", "tensors", "words"]);
      assert.match(found.refused, /^ModelError: .* has no adapters/);
      assert.match(found.wrong, /^(ModelError|UsageError): .{20}/);
      assert.match(found.card, /openai_jit\.pt/, "the origin's card");

      // The tower stays as long as a model has it.
      for (const id of [plain.model.id, whole.model.id]) await page.evaluate((one) => globalThis.mvfa.deleteOwnModel(one), id);
      assert.deepEqual((await models(page)).map(({ name }) => name).sort().slice(-2), ["Later", "Less"]);
      await openOwn(page, found.added.url, "cpu");
      await addSupports(page, [tinyPicture("support_0.png"), tinyPicture("support_1.png")]);
      const result = await analyseInSession(page, tinyPicture("input_rgb.png"), { object: "brain", mode: "few", augment: "mvfa", window: "pil" });
      for (const [name, map] of [["S0", result.zero], ["Sm", result.memory]]) assert.ok(map.every(Number.isFinite), name);
      const archive = await page.evaluate(async (id) => (await globalThis.lab.export(id)).size, found.added.id);
      assert.ok(archive > found.added.sharedBytes, "an archive is whole");
      await page.evaluate(() => globalThis.session.close());
      for (const { id } of await models(page)) await page.evaluate((one) => globalThis.mvfa.deleteOwnModel(one), id);
      const left = await page.evaluate(async () => {
        const root = await (await navigator.storage.getDirectory()).getDirectoryHandle("mvfa-own");
        return Array.fromAsync ? (await Array.fromAsync(root.keys())).length : -1;
      });
      assert.equal(left, 0, "nothing is left of the shared files");
    });
  });

  test("a change of adapters that was stopped or cut off goes on, and its tower is kept meanwhile", async () => {
    await withPage(browser, {}, async (page) => {
      await openPackage(page);
      const expected = hashes((await convert(page, [ADAPTERS, tinyPicture(LAYOUTS[2])], ONE)).manifest);
      const plain = await convert(page, [tinyPicture(LAYOUTS[2])], ONE);
      const change = async (most) => {
        await page.locator("#files").setInputFiles(ADAPTERS);
        return page.evaluate(async ([id, limit]) => {
          const { lab, manifestOf } = globalThis;
          const controller = new AbortController();
          const onProgress = ({ stage }) => stage === limit && controller.abort();
          try {
            return { manifest: await manifestOf(await lab.change(id, [...document.querySelector("#files").files], { signal: controller.signal, onProgress })) };
          } catch ({ name, message }) {
            return { error: { name, message } };
          }
        }, [plain.model.id, most]);
      };
      for (const stage of ["tensors", "words", "self-test"]) {
        const before = (await models(page)).filter(({ isWhole }) => isWhole).length;
        const stopped = await change(stage);
        assert.equal(stopped.error?.name, "AbortError", `${stage}: ${JSON.stringify(stopped)}`);
        const unfinished = (await models(page)).filter(({ isWhole }) => !isWhole);
        // Adapters and words go out in small files, the first of which is finished when the second begins.
        assert.equal(unfinished.length, stage === "self-test" ? 1 : 0, stage);
        await openPackage(page);
        const { manifest, error } = await change(null);
        assert.equal(error, undefined, error?.message);
        assert.deepEqual(hashes(manifest), expected, stage);
        assert.equal((await models(page)).filter(({ isWhole }) => isWhole).length, before + 1);
      }
    });
  });

  test("an archive brings the same model back; a damaged one does not", async () => {
    await withPage(browser, {}, async (page) => {
      await openPackage(page);
      const { model, manifest } = await convert(page, [ADAPTERS, tinyPicture(LAYOUTS[0])], ONE);
      const found = await page.evaluate(async ({ id }) => {
        const { lab, mvfa, manifestOf } = globalThis;
        const blob = await lab.export(id);
        await mvfa.renameOwnModel(id, "Mine");
        const again = await lab.convert([new File([blob], "model.zip")], { name: "Twin" });
        const looked = await lab.inspect([new File([blob], "model.zip")]);
        const problems = [];
        const bytes = new Uint8Array(await blob.arrayBuffer());
        for (const at of [100, bytes.length >> 1, bytes.length - 40]) {
          for (const damaged of [bytes.slice(0, at), bytes.map((byte, n) => (n === at ? byte ^ 0x10 : byte))]) {
            await lab.convert([new File([damaged], "model.zip")]).then(
              (made) => problems.push(`took ${at}: ${made.name}`),
              ({ name, message }) => (name === "ModelError" && message.length > 20) || problems.push(`${name}: ${message}`));
          }
        }
        return { kind: looked.kind, problems, twin: await manifestOf(again), names: (await mvfa.ownModels()).map(({ name }) => name) };
      }, model);
      assert.equal(found.kind, "bundle");
      assert.deepEqual(found.problems, []);
      assert.deepEqual(found.names, ["Mine", "Twin"], "nothing is left of what was refused");
      assert.deepEqual(found.twin, { ...manifest, name: "Twin" });
    });
  });
});

describe("bad files", () => {
  test("cut and flipped checkpoints are errors with a name, and the open model stays open", { timeout: 600_000 }, async () => {
    await withPage(browser, {}, async (page) => {
      await openPackage(page);
      const { model } = await convert(page, [ADAPTERS, tinyPicture(LAYOUTS[0])], ONE);
      await openOwn(page, model.url, "cpu");
      const STEPS = 12;
      for (const file of [...LAYOUTS, "adapters.pth"]) {
        await page.locator("#files").setInputFiles(tinyPicture(file));
        const problems = await page.evaluate(async ([options, steps, isAdapters]) => {
          const [file] = document.querySelector("#files").files;
          const { lab, mvfa } = globalThis;
          const problems = [];
          const attempt = async (blob, what, mayWork) => {
            try {
              const made = await lab.convert([new File([blob], file.name)], options);
              await mvfa.deleteOwnModel(made.id);
              if (!mayWork) problems.push(`${what} became a model`);
            } catch ({ name, message }) {
              if (name !== "ModelError" || message.length < 20) problems.push(`${what}: ${name}: ${message}`);
            }
          };
          for (let n = 0; n < steps; n += 1) await attempt(file.slice(0, Math.floor((file.size * n) / steps)), `the first ${n} of ${steps}`);
          const bytes = new Uint8Array(await file.arrayBuffer());
          // Near the beginning and the end lie the headers.
          for (let n = 0; n < steps; n += 1) {
            const at = n % 2 ? bytes.length - 1 - n * 37 : n * 53;
            const flipped = bytes.slice();
            flipped[at] ^= 1 << n % 8;
            await attempt(new Blob([flipped]), `byte ${at}`, !isAdapters);
          }
          return problems;
        }, [{ ...ONE, dtype: "i8" }, STEPS, file === "adapters.pth"]);
        assert.deepEqual(problems, [], file);
      }
      assert.deepEqual((await models(page)).map(({ id }) => id), [model.id], "nothing is left of them");
      const result = await analyseInSession(page, tinyPicture("input_rgb.png"), { object: "brain", mode: "zero" });
      assert.ok(result.map.every(Number.isFinite));
    });
  });

  test("hostile files are errors with a name", async () => {
    await withPage(browser, {}, async (page) => {
      await openPackage(page);
      const found = await page.evaluate(async () => {
        const { lab, zip } = globalThis;
        const text = (value) => new TextEncoder().encode(value);
        const safetensors = (header) => {
          const bytes = text(JSON.stringify(header));
          const length = new Uint8Array(8);
          new DataView(length.buffer).setBigUint64(0, BigInt(bytes.length), true);
          return new Blob([length, bytes, new Uint8Array(64)]);
        };
        const torch = async (pickle) => zip.writeZip([
          { name: "archive/data.pkl", blob: new Blob([pickle]) }, { name: "archive/data/0", blob: new Blob([new Uint8Array(64)]) }]);
        const calls = (...parts) => new Blob(parts.map((part) => (typeof part === "string" ? text(part) : Uint8Array.from(part))));
        // A file of zeros that claims to unpack to 4 GB.
        const packed = new Uint8Array(await new Response(new Blob([new Uint8Array(1 << 22)]).stream().pipeThrough(new CompressionStream("deflate-raw"))).arrayBuffer());
        const bomb = async (name) => {
          const bytes = new Uint8Array(await (await zip.writeZip([{ name, blob: new Blob([packed]) }])).arrayBuffer());
          const view = new DataView(bytes.buffer);
          for (let at = 0; at < bytes.length - 4; at += 1) {
            const mark = view.getUint32(at, true);
            if (mark === 0x04034b50) (view.setUint16(at + 8, 8, true), view.setUint32(at + 22, 0xfffffff0, true));
            if (mark === 0x02014b50) (view.setUint16(at + 10, 8, true), view.setUint32(at + 24, 0xfffffff0, true));
          }
          return new Blob([bytes]);
        };
        const index = (name) => new Blob([JSON.stringify({ weight_map: { "visual.conv1.weight": name } })]);
        const conv = (offsets, shape = [1024, 3, 14, 14]) => ({ "visual.conv1.weight": { dtype: "F32", shape, data_offsets: offsets } });
        const cases = {
          "four gigabytes in a header": [["x.safetensors", safetensors(conv([0, 4 * 2 ** 30], [2 ** 30]))]],
          "a shape beyond all numbers": [["x.safetensors", safetensors(conv([0, 64], [2 ** 40, 2 ** 40]))]],
          "a pickle that calls the system": [["x.pt", await torch(calls([0x80, 2], "cos\nsystem\n", "(X", [4, 0, 0, 0], "true", "tR."))]],
          "a pickle that imports": [["x.pt", await torch(calls([0x80, 2], "cbuiltins\neval\n", "(X", [2, 0, 0, 0], "1+", "tR."))]],
          "a pickle without an end": [["x.pt", await torch(calls([0x80, 2], "}".repeat(5000)))]],
          "a bomb in the place of a pickle": [["x.pt", await bomb("archive/data.pkl")]],
          "a bomb in the place of a manifest": [["x.zip", await bomb("manifest.json")]],
          "an index that leads outside": [["model.safetensors.index.json", index("../../etc/passwd")]],
          "an index that names what is not there": [["model.safetensors.index.json", index("model-00001-of-00002.safetensors")]],
          "a web page": [["x.pt", new Blob(["<!doctype html><title>404</title>"])]],
          "a pointer": [["x.bin", new Blob(["version https://git-lfs.github.com/spec/v1\n"])]],
          "nothing": [["x.pt", new Blob([])]],
          "a manifest of another format": [["manifest.json", new Blob(['{"format": 99}'])]],
          "a manifest that leads outside": [["manifest.json", new Blob(['{"format": 1, "files": [{"path": "../x"}]}'])]],
        };
        const answers = {};
        for (const [what, files] of Object.entries(cases)) {
          answers[what] = await lab.convert(files.map(([name, blob]) => new File([blob], name)), { heads: 2 }).then(
            (model) => `became ${model.name}`, ({ name, message }) => `${name}: ${message}`);
        }
        return { answers, left: await globalThis.mvfa.ownModels() };
      });
      for (const [what, answer] of Object.entries(found.answers)) assert.match(answer, /^ModelError: .{20}/, `${what}: ${answer}`);
      assert.match(found.answers["an index that leads outside"], /\.\.\/\.\.\/etc\/passwd/);
      assert.match(found.answers["a pointer"], /LFS/);
      assert.deepEqual(found.left, []);
    });
  });
});

/** Opens the model dialog, adds files, and waits until the page says what they are. */
async function addModel(page, files) {
  await page.getByTestId("model-info").click();
  await page.getByTestId("model-input").setInputFiles(files);
}

test("from an empty profile: a checkpoint and adapters, words and normal images, a second visit, an archive, nothing left", { timeout: 600_000 }, async () => {
  await withProfileFolder(async (folder) => {
    let archive;
    await withVisit(folder, {}, async (page, record) => {
      await openReady(page, { device: "cpu" });
      const ready = record.requests.length;
      await addModel(page, [CONFIG, ADAPTERS, tinyPicture(LAYOUTS[0])].map((file) => (typeof file === "string" ? { name: file.split("/").at(-1), mimeType: "", buffer: readFileSync(file) } : file)));
      await page.getByTestId("new-model-found").waitFor();
      assert.match(await page.getByTestId("new-model-found").innerText(), /CLIP.*OpenAI[\s\S]*32[\s\S]*GELU/i);
      for (const id of ["liver", "resc", "oct17", "chest", "his"]) await page.getByTestId(`new-model-object-${id}`).uncheck();
      await page.getByTestId("new-model-name").fill("My CLIP");
      await page.getByTestId("new-model-convert").click();
      await page.waitForFunction(() => document.querySelector("#model-name").textContent === "My CLIP", null, { timeout: 300_000 });
      await waitForState(page, "ready");
      // The engine starts anew, as with another device; nothing else is asked for.
      const others = record.network(ready).filter(({ url }) => !/pkg\/(worker|files|life|requests|own|storage|errors|wasm\/mvfa_(web|web_bg|kernels))\.(js|wasm)$/.test(url));
      assert.deepEqual(others, [], "requests");
      await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
      await chooseMode(page, "zero");
      assert.match(await analyse(page), /\d/);
      await giveFiles(page, "support-input", [tinyPicture("support_0.png"), tinyPicture("support_1.png")]);
      await chooseMode(page, "few");
      assert.match(await analyse(page), /\d/);
    });
    await withVisit(folder, {}, async (page) => {
      await openReady(page, { device: "cpu" });
      assert.equal(await page.locator("#model-name").innerText(), "My CLIP");
      await page.getByTestId("model-info").click();
      const row = page.getByTestId("models").locator("li", { hasText: "My CLIP" });
      await row.getByRole("button", { name: /Card/ }).click();
      assert.match(await row.locator("pre").innerText(), /openai_jit\.pt/);
      const [download] = await Promise.all([page.waitForEvent("download"), row.getByRole("button", { name: /archive/ }).click()]);
      assert.equal(download.suggestedFilename(), "My CLIP.zip");
      archive = readFileSync(await download.path());
      await page.getByTestId("forget-everything").click();
      await page.getByTestId("stored-models").getByText(/is deleted/).waitFor();
      await page.waitForFunction(async () => {
        const root = await navigator.storage.getDirectory();
        for await (const name of root.keys()) if (name === "mvfa-own") return false;
        return true;
      });
    });
    await withVisit(folder, {}, async (page) => {
      await openReady(page, { device: "cpu" });
      assert.notEqual(await page.locator("#model-name").innerText(), "My CLIP");
      await addModel(page, [{ name: "My CLIP.zip", mimeType: "application/zip", buffer: archive }]);
      await page.getByTestId("new-model-convert").click();
      await page.waitForFunction(() => document.querySelector("#model-name").textContent === "My CLIP", null, { timeout: 60_000 });
      await waitForState(page, "ready");
    });
  });
});

test("on the page: adapters dropped later, onto the model that they fit; and a model without them", { timeout: 300_000 }, async () => {
  await withPage(browser, {}, async (page) => {
    await openReady(page, { device: "cpu" });
    const file = (path) => ({ name: path.split("/").at(-1), mimeType: "", buffer: readFileSync(path) });
    // Nothing fits yet.
    await giveFiles(page, "file-input", [file(ADAPTERS)]);
    await page.getByTestId("new-model-problem").getByText(/together with the checkpoint/).waitFor();
    await page.keyboard.press("Escape");
    await addModel(page, [CONFIG, file(tinyPicture(LAYOUTS[2]))]);
    await page.getByTestId("new-model-name").fill("Tower");
    await page.getByTestId("new-model-convert").click();
    const isOpen = (name) => page.waitForFunction((wanted) => document.querySelector("#model-name").textContent === wanted, name, { timeout: 120_000 });
    await isOpen("Tower");
    await waitForState(page, "ready");
    await giveFiles(page, "file-input", [file(ADAPTERS)]);
    await page.getByTestId("new-model-change").getByText(/adapters\.pth/).waitFor();
    assert.equal(await page.getByTestId("new-model-name").inputValue(), "Tower, adapters");
    for (const id of ["liver", "resc", "oct17", "chest", "his"]) await page.getByTestId(`new-model-object-${id}`).uncheck();
    await page.getByTestId("new-model-convert").click();
    await isOpen("Tower, adapters");
    await waitForState(page, "ready");
    await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
    await chooseMode(page, "zero");
    assert.match(await analyse(page), /\d/);

    await page.getByTestId("model-info").click();
    const row = page.getByTestId("models").locator("li", { hasText: "Tower, adapters" });
    assert.match(await row.innerText(), /shared with another model/);
    await row.getByRole("button", { name: /without its adapters/ }).click();
    await page.getByTestId("new-model-convert").click();
    await isOpen("Tower, adapters, without adapters");
    await waitForState(page, "ready");
    // From the list, onto one of several.
    await page.getByTestId("model-info").click();
    const [chooser] = await Promise.all([page.waitForEvent("filechooser"),
      page.getByTestId("models").getByRole("button", { name: "Add MVFA adapters to Tower, adapters, without adapters" }).click()]);
    await chooser.setFiles([file(ADAPTERS)]);
    await page.getByTestId("new-model-base").waitFor();
    assert.equal(await page.getByTestId("new-model-base").locator("option:checked").innerText(), "Tower, adapters, without adapters");
  });
});

test("a file that is no model is refused in its dialog; the open model goes on", async () => {
  await withPage(browser, {}, async (page) => {
    await openReady(page, { device: "cpu" });
    const name = await page.locator("#model-name").innerText();
    // Wherever files come in, those of a model are known by their names.
    await giveFiles(page, "file-input", [{ name: "x.safetensors", mimeType: "", buffer: Buffer.from("This is no checkpoint.") }]);
    const problem = page.getByTestId("new-model-problem");
    await problem.waitFor();
    assert.match(await problem.innerText(), /not a checkpoint/);
    await page.keyboard.press("Escape");
    await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
    await giveFiles(page, "support-input", tinyPicture("support_0.png"));
    assert.match(await analyse(page), /\d/);
    assert.equal(await page.locator("#model-name").innerText(), name);
  });
});
