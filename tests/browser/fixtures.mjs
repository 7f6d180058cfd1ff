// Files of the tests: golden values, pictures, broken pictures and broken models.

import { cpSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";

const FIXTURES = fileURLToPath(new URL("../fixtures/", import.meta.url));

/** A file below tests/fixtures/. */
export const fixture = (path) => join(FIXTURES, path);

/** A picture of the tiny model's golden values. */
export const tinyPicture = (name) => fixture(`reference/tiny/${name}`);

/** A brain slice by volume and number, for example `brain1_016`. */
export function slice(name) {
  return brainFile(name, ["valid/good/img", "valid/Ungood/img", "test/good/img", "test/Ungood/img"]);
}

/** The mask of a labelled slice: white where something is labelled. */
export function mask(name) {
  return brainFile(name, ["valid/Ungood/anomaly_mask", "test/Ungood/anomaly_mask"]);
}

function brainFile(name, folders) {
  const files = folders.map((folder) => fixture(`bmad/Brain_AD/${folder}/${name}.png`));
  const file = files.find(existsSync);
  if (!file) throw new Error(`no ${name} in ${folders} of tests/fixtures/bmad/Brain_AD`);
  return file;
}

/** A picture that `mvfa phantom` drew; its name says nothing. Playwright takes it as name, type, content. */
export function phantom() {
  const folder = join(process.env.MVFA_TEST_SITE, "phantoms/Brain_AD/test/good/img");
  return { name: "picture.png", mimeType: "image/png", buffer: readFileSync(join(folder, readdirSync(folder)[0])) };
}

/** Reads one f32 tensor of a safetensors file: 8 bytes header length, JSON header, data. */
export function tensor(file, name) {
  const bytes = readFileSync(file);
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const entry = JSON.parse(bytes.toString("utf8", 8, 8 + headerBytes))[name];
  if (entry?.dtype !== "F32") throw new Error(`no f32 tensor ${name} in ${file}`);
  const [start, end] = entry.data_offsets.map((offset) => offset + 8 + headerBytes);
  return Float32Array.from({ length: (end - start) / 4 }, (_, i) => bytes.readFloatLE(start + 4 * i));
}

/** A golden value of the tiny model. */
export const golden = (name) => tensor(tinyPicture("golden.safetensors"), name);

/** Largest absolute difference; infinite for different lengths or values that are no numbers. */
export function maxDifference(found, expected) {
  if (found?.length !== expected.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(found[i] - expected[i]);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}

/** Pictures nobody can read, as Playwright takes files: name, type, content. */
export function brokenPictures() {
  const good = readFileSync(tinyPicture("input_rgb.png"));
  // Width and height are the two big-endian numbers at the start of the first chunk; its checksum follows.
  const huge = Buffer.from(good);
  huge.writeUInt32BE(60000, 16);
  huge.writeUInt32BE(60000, 20);
  huge.writeUInt32BE(crc32(huge.subarray(12, 29)), 29);
  const png = (name, buffer) => ({ name, mimeType: "image/png", buffer });
  return [
    png("words.png", Buffer.from("This is a text and no picture.")),
    png("cut.png", good.subarray(0, Math.floor(good.length / 2))),
    png("empty.png", Buffer.alloc(0)),
    png("huge.png", huge),
  ];
}

/** A grey PNG as Playwright takes files. @param {(x: number, y: number) => number} grey 0..255 */
export const greyPng = (name, width, height, grey) => pngOf(name, width, height, 1, grey);

/** The same of 16 bits. @param {(x: number, y: number) => number} grey 0..65535 */
export const grey16Png = (name, width, height, grey) => pngOf(name, width, height, 2, grey);

/** A colour PNG as Playwright takes files. @param {(x: number, y: number) => [number, number, number]} colour */
export const colourPng = (name, width, height, colour) => pngOf(name, width, height, 1, colour, 3);

function pngOf(name, width, height, bytes, value, channels = 1) {
  const stride = width * bytes * channels + 1;
  const rows = Buffer.alloc(height * stride);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      [value(x, y)].flat().forEach((one, n) => rows.writeUIntBE(one & (2 ** (8 * bytes) - 1), y * stride + 1 + (x * channels + n) * bytes, bytes));
    }
  }
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8 * bytes;
  header[9] = channels === 3 ? 2 : 0;
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const buffer = Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
  return { name, mimeType: "image/png", buffer };
}

/** The checksum of PNG chunks (ISO 3309). */
export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** Makes damaged copies of the tiny model beside it and returns their addresses by damage. */
export function brokenModels() {
  const models = join(process.env.MVFA_TEST_SITE, "models");
  const damaged = (name, damage) => {
    const folder = join(models, `tiny-${name}`);
    rmSync(folder, { recursive: true, force: true });
    cpSync(join(models, "tiny"), folder, { recursive: true });
    damage(folder, JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")));
    return `/models/tiny-${name}/manifest.json`;
  };
  return {
    format: damaged("format", (folder, manifest) => {
      writeFileSync(join(folder, "manifest.json"), JSON.stringify({ ...manifest, format: 99 }));
    }),
    missing: damaged("missing", (folder, manifest) => {
      rmSync(join(folder, visionShard(manifest)));
    }),
    flipped: damaged("flipped", (folder, manifest) => {
      const file = join(folder, visionShard(manifest));
      const bytes = readFileSync(file);
      bytes[bytes.length - 5] ^= 1;
      writeFileSync(file, bytes);
    }),
    notJson: damaged("not-json", (folder) => {
      writeFileSync(join(folder, "manifest.json"), "<!doctype html>");
    }),
  };
}

/** A file every loading needs. */
function visionShard(manifest) {
  const file = manifest.files.find(({ group }) => group === "vision");
  if (!file) throw new Error("the tiny model has no vision file");
  return file.path;
}
