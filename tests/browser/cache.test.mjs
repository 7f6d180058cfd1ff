// Model files over several visits: kept, read again, mended, and done without where there is no room.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import {
  DEFAULT, TINY, analyse, analyseInSession, chooseMode, errorText, giveFiles, openPage, openSession, waitForError, waitForState,
} from "./actions.mjs";
import { golden, maxDifference, tinyPicture } from "./fixtures.mjs";
import { withProfileFolder, withVisit } from "./harness.mjs";
import { openProxy } from "./proxy.mjs";

const DEVICE = "cpu";

/** The site behind a server that counts. @type {import("./proxy.mjs").Proxy} */
let proxy;
before(async () => {
  proxy = await openProxy();
});
after(() => proxy?.close());

/** Model files asked for since `from`, by name. */
const fetched = (from) =>
  proxy.asked.slice(from).filter((path) => path.endsWith(".safetensors")).map((path) => path.split("/").at(-1));

/** Names of the files that are always loaded, in order. */
async function loadedFiles(model) {
  const { files } = await (await fetch(new URL(model, proxy.url))).json();
  return files.filter(({ group }) => group !== "text").map(({ path }) => path);
}

/** The files that the page asks for, in order: the text part last. */
async function pageFiles(model) {
  const { files } = await (await fetch(new URL(model, proxy.url))).json();
  return [...(await loadedFiles(model)), ...files.filter(({ group }) => group === "text").map(({ path }) => path)];
}

/** One visit: opens a session on the tiny model, checks its map, returns `info` and what was fetched. */
async function visit(folder, { device = DEVICE } = {}) {
  const from = proxy.asked.length;
  let info;
  await withVisit(folder, { site: proxy.url }, async (page) => {
    info = await openSession(page, { device, site: proxy.url });
    await assertMap(page);
  });
  return { info, files: fetched(from) };
}

async function assertMap(page) {
  const result = await analyseInSession(page, tinyPicture("input_rgb.png"), { object: "chest", mode: "zero" });
  assert.ok(maxDifference(result.map, golden("image0.S0")) <= 5e-5, "the map is right");
}

/** What a page finds in the private files: sizes by name. With `damage` a byte of the first file is changed. */
const privateFiles = (page, damage = false) =>
  page.evaluate(async (change) => {
    const found = [];
    const walk = async (folder) => {
      for await (const handle of folder.values()) {
        if (handle.kind === "directory") await walk(handle);
        else found.push(handle);
      }
    };
    await walk(await navigator.storage.getDirectory());
    found.sort((a, b) => (a.name < b.name ? -1 : 1));
    if (change) {
      const bytes = new Uint8Array(await (await found[0].getFile()).arrayBuffer());
      bytes[bytes.length - 5] ^= 1;
      const writable = await found[0].createWritable();
      await writable.write(bytes);
      await writable.close();
    }
    return Object.fromEntries(await Promise.all(found.map(async (file) => [file.name, (await file.getFile()).size])));
  }, damage);

test("a second visit fetches no model file; deleting them on the page brings the first visit back", async () => {
  await withProfileFolder(async (folder) => {
    const files = await loadedFiles(TINY);
    const first = await visit(folder);
    assert.deepEqual(first.files, files, "each once");
    const { place, storedBytes, full } = first.info.storage;
    assert.deepEqual([place, full], ["private-files", null]);
    assert.equal(storedBytes, first.info.weightBytes, "all that was loaded is kept, and nothing else");

    const second = await visit(folder);
    assert.deepEqual(second.files, []);
    assert.equal(second.info.storage.storedBytes, storedBytes);

    await withVisit(folder, { site: proxy.url }, async (page, record) => {
      await openPage(page, { model: TINY, device: DEVICE, site: proxy.url });
      await waitForState(page, "ready");
      const loaded = record.requests.length;
      await page.getByTestId("object-select").selectOption("chest");
      await chooseMode(page, "zero");
      await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
      await analyse(page);
      assert.deepEqual(record.network(loaded), [], "requests after loading");
      assert.match(await page.getByTestId("requests").innerText(), /\b0$/);
      await page.getByTestId("model-info").click();
      const words = page.getByTestId("stored-models");
      await words.getByText(/keeps \d+\.\d MB/).waitFor();
      await page.getByTestId("delete-stored-models").click();
      await words.getByText(/No model files are stored/).waitFor();
      assert.deepEqual(await privateFiles(page), {}, "they are gone");
    });
    assert.deepEqual((await visit(folder)).files, files);
  });
});

test("pictures are never stored", async () => {
  await withProfileFolder(async (folder) => {
    await withVisit(folder, { site: proxy.url }, async (page) => {
      await openPage(page, { model: TINY, device: DEVICE, site: proxy.url });
      await waitForState(page, "ready");
      const { files: ofModel } = await (await fetch(new URL(TINY, proxy.url))).json();
      const named = Object.fromEntries(ofModel.map(({ sha256, bytes }) => [sha256, bytes]));
      // Nothing waits for the model's last files to be kept, and a file that is being written has another name and size.
      let before = await privateFiles(page);
      for (let tries = 0; tries < 200 && !isDeepStrictEqual(before, named); tries += 1) {
        await page.waitForTimeout(50);
        before = await privateFiles(page).catch(() => ({})); // a swap file may be gone before its size is read
      }
      assert.deepEqual(before, named, "the model is, and nothing else");
      await page.getByTestId("object-select").selectOption("chest");
      await chooseMode(page, "few");
      await giveFiles(page, "support-input", tinyPicture("support_0.png"));
      await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
      await analyse(page);
      assert.deepEqual(await privateFiles(page), before);
      assert.deepEqual(await page.evaluate(() => indexedDB.databases()), []);
      // The site's copy, which other tests look at, is left out here: service workers are off.
      const cached = await page.evaluate(async () => {
        const keys = [];
        for (const name of await caches.keys()) keys.push(...(await (await caches.open(name)).keys()).map(({ url }) => url));
        return keys;
      });
      assert.deepEqual(cached, [new URL(TINY, proxy.url).href], "the model's manifest and nothing else");
    });
  });
});

/** A file takes this much longer to be kept than on a disk in good health. */
const SLOW_DISK = `{
  const { close } = WritableStream.prototype;
  FileSystemWritableFileStream.prototype.close = async function () {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return close.call(this);
  };
}
`;

test("a broken download goes on from the last whole file, also where the disk is slow", async (context) => {
  await withProfileFolder(async (folder) => {
    context.after(proxy.prepend(/pkg\/worker\.js$/, SLOW_DISK));
    const files = await pageFiles(TINY);
    const from = proxy.asked.length;
    await withVisit(folder, { expect: [/ERR_|Failed to load/], site: proxy.url }, async (page) => {
      proxy.cutOff(new RegExp(files[1]), 0.5);
      await openPage(page, { model: TINY, device: DEVICE, site: proxy.url });
      await waitForState(page, "error");
      assert.match(await waitForError(page), /could not be fetched/);
      assert.deepEqual(fetched(from), files.slice(0, 2), "it broke in the second file");
      const broken = proxy.asked.length;
      await page.getByTestId("retry").click();
      await waitForState(page, "ready");
      assert.equal(await errorText(page), "");
      assert.deepEqual(fetched(broken), files.slice(1), "the first is not fetched again");
    });
    assert.deepEqual((await visit(folder)).files, []);
  });
});

test("a damaged stored file is fetched again, and only that one", async () => {
  await withProfileFolder(async (folder) => {
    await visit(folder);
    let sizes;
    await withVisit(folder, { site: proxy.url }, async (page) => {
      await page.goto(new URL("pkg/README.md", proxy.url).href);
      sizes = await privateFiles(page, true);
    });
    const { files, info } = await visit(folder);
    assert.equal(files.length, 1, `${files}`);
    assert.equal(info.storage.storedBytes, Object.values(sizes).reduce((sum, size) => sum + size, 0));
    assert.deepEqual((await visit(folder)).files, [], "the fresh one is kept");
  });
});

test("files of an older revision are removed", async () => {
  await withProfileFolder(async (folder) => {
    await visit(folder);
    await withVisit(folder, { site: proxy.url }, async (page) => {
      await page.goto(new URL("pkg/README.md", proxy.url).href);
      const before = await privateFiles(page);
      await page.evaluate(async () => {
        const root = await (await navigator.storage.getDirectory()).getDirectoryHandle("mvfa-models");
        for await (const folder of root.values()) {
          const writable = await (await folder.getFileHandle("0".repeat(64), { create: true })).createWritable();
          await writable.write(new Uint8Array(1000));
          await writable.close();
        }
      });
      assert.equal(Object.keys(await privateFiles(page)).length, Object.keys(before).length + 1);
      await openSession(page, { device: DEVICE, site: proxy.url });
      assert.deepEqual(await privateFiles(page), before);
    });
  });
});

/**
 * Whether the browser tells how much room there is; by default Chromium always says ten gibibytes. How much of the room is
 * free depends on which small files are kept already.
 */
const ROOM = [
  { tells: "how much is free", off: ["StaticStorageQuota"], words: /\d+\.\d MB more are needed, 0\.[01] MB are free/ },
  { tells: "nothing", off: [], words: /\d+\.\d MB more than this browser gives/ },
];
for (const { tells, off, words } of ROOM) {
  test(`without room the model works, and the page explains it (the browser tells ${tells})`, async () => {
    await withProfileFolder(async (folder) => {
      const files = await pageFiles(TINY);
      const from = proxy.asked.length;
      await withVisit(folder, { site: proxy.url, off }, async (page) => {
        const browser = await page.context().newCDPSession(page);
        const origin = new URL(proxy.url).origin;
        await browser.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 100_000 });
        await openPage(page, { model: TINY, device: DEVICE, site: proxy.url });
        await waitForState(page, "ready");
        const notice = await page.getByTestId("notice").first().innerText();
        assert.match(notice, /works.*could not be kept.*Free disk space or delete/s);
        assert.match(notice, words);
        await page.getByTestId("object-select").selectOption("chest");
        await chooseMode(page, "zero");
        await giveFiles(page, "file-input", tinyPicture("input_rgb.png"));
        assert.match(await analyse(page), /\d/, "it works");
        assert.deepEqual(fetched(from), files, "each once");
        const sizes = Object.values(await privateFiles(page));
        assert.ok(sizes.reduce((sum, size) => sum + size, 0) < 100_000, `no more than there is room for: ${sizes}`);
      });
      // With room again it is kept.
      await visit(folder);
      assert.deepEqual((await visit(folder)).files, []);
    });
  });
}

test("without private files the model works, and a broken download goes on from the browser's own cache", async () => {
  const refusing = await openProxy();
  const REFUSED = `navigator.storage.getDirectory = () => Promise.reject(new DOMException("refused", "SecurityError"));\n`;
  refusing.prepend(/pkg\/worker\.js$/, REFUSED);
  const own = proxy;
  proxy = refusing;
  try {
    await withProfileFolder(async (folder) => {
      const files = await pageFiles(TINY);
      const from = proxy.asked.length;
      await withVisit(folder, { expect: [/ERR_|Failed to load/], site: proxy.url }, async (page) => {
        proxy.cutOff(new RegExp(files[1]), 0.5);
        await openPage(page, { model: TINY, device: DEVICE, site: proxy.url });
        await waitForState(page, "error");
        assert.deepEqual(fetched(from), files.slice(0, 2));
        const broken = proxy.asked.length;
        await page.getByTestId("retry").click();
        await waitForState(page, "ready");
        // The browser may go on in the middle of the broken one, in several requests.
        assert.deepEqual([...new Set(fetched(broken))], files.slice(1), "the first comes from the browser's cache");
        assert.equal(await page.getByTestId("notice").count(), 0, "nothing a person must know");
        assert.deepEqual(await privateFiles(page), {});
      });
      const { info } = await visit(folder);
      assert.deepEqual(info.storage, { place: "browser-cache", storedBytes: 0, full: null });
    });
  } finally {
    proxy = own;
    await refusing.close();
  }
});

test("the first file comes while the program is compiled, and never more than one file ahead", async () => {
  await withProfileFolder(async (folder) => {
    const files = await loadedFiles(TINY);
    const from = proxy.asked.length;
    const hasCome = async (name) => {
      while (!fetched(from).includes(name)) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await withVisit(folder, { site: proxy.url }, async (page) => {
      const program = proxy.hold(/mvfa_web_bg\.wasm$/);
      const second = proxy.hold(new RegExp(files[1]));
      const opened = openSession(page, { device: DEVICE, site: proxy.url });
      await hasCome(files[0]);
      await page.waitForTimeout(500);
      assert.deepEqual(fetched(from), [files[0]], "one file while there is no program");
      program();
      await hasCome(files[1]);
      await page.waitForTimeout(500);
      assert.deepEqual(fetched(from), files.slice(0, 2), "the third waits for the second");
      second();
      await opened;
      assert.deepEqual(fetched(from), files);
      await assertMap(page);
    });
  });
});

test("the manifest is asked for on every visit", async () => {
  await withProfileFolder(async (folder) => {
    await visit(folder);
    const from = proxy.asked.length;
    await visit(folder);
    assert.equal(proxy.asked.slice(from).filter((path) => path === TINY).length, 1);
  });
});

test("the default model too: a second visit fetches nothing of it", async () => {
  await withProfileFolder(async (folder) => {
    for (const files of [await loadedFiles(DEFAULT), []]) {
      const from = proxy.asked.length;
      await withVisit(folder, { site: proxy.url }, async (page) => {
        const info = await openSession(page, { model: DEFAULT, device: DEVICE, site: proxy.url });
        assert.equal(info.storage.storedBytes, info.weightBytes);
      });
      assert.deepEqual(fetched(from), files);
    }
  });
});
