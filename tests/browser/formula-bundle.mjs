// A model of any size with weights from a formula, made on the spot: nothing to download or commit.
//
// Comes in: a geometry and a name. Goes out: a bundle in the test site's models folder, linear weights as
// 16-bit floats or 8-bit integers, one of them cut at an odd row.

import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** CLIP's ViT-L/14 at the method's size. */
export const VIT_L = { width: 1024, heads: 16, mlp_width: 4096, patch_px: 14, image_px: 240 };

/** As small as the GPU tier's shaders allow, with adapters and words. */
export const SMALL = { width: 64, heads: 4, mlp_width: 256, patch_px: 14, image_px: 70, bottleneck: 32 };

/** Heads of twelve and tokens of 48: neither tier has kernels for it, so burn's operations compute it. */
export const NO_KERNELS = { width: 48, heads: 4, mlp_width: 100, patch_px: 14, image_px: 70, bottleneck: 24 };

/** Adapters whose rows fill no whole words, tiles or vectors. */
export const ODD_ADAPTERS = { ...SMALL, bottleneck: 25 };

/** Half-precision numbers between 2^exponent and 2^(exponent + 1), of either sign. */
function halves(count, seed, exponent) {
  const bits = new Uint16Array(count);
  let state = seed | 1;
  for (let n = 0; n < count; n++) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bits[n] = (state & 0x8000) | ((exponent + 15) << 10) | ((state >>> 16) & 0x3ff);
  }
  return bits;
}

/** Numbers around `base`, at most `spread` away. */
function floats(count, seed, base, spread) {
  const unit = halves(count, seed, 0);
  return Float32Array.from(unit, (bits) => base + (spread * (bits & 0x3ff)) / 1024 * (bits & 0x8000 ? -1 : 1));
}

/** The same numbers as 8-bit integers with a scale a row. */
function integers({ shape, values }) {
  const [rows, columns] = shape;
  const bytes = new Int8Array(rows * columns);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    scales[row] = 2 ** (((values[0] >> 10) & 31) - 15 - 6) * (1 + row / rows);
    // Eight of the bits that make a half, the sign among them: any integers will do.
    for (let n = row * columns; n < (row + 1) * columns; n++) bytes[n] = Math.max(-127, (values[n] << 16) >> 24 ^ (values[n] & 0x7f));
  }
  return { bytes, scales };
}

/** One tensor, or rows of one, as a file of its own. */
function file(path, part, dtype) {
  const { name, shape, rows } = part;
  const isMatrix = part.values instanceof Uint16Array;
  const key = rows ? `${name}[${rows[0]}:${rows[1]}]` : name;
  const stored = rows ? [rows[1] - rows[0], ...shape.slice(1)] : shape;
  const kind = isMatrix ? dtype : "f32";
  const { bytes: values, scales } = kind === "i8" ? integers({ shape: stored, values: part.values }) : { bytes: part.values };
  const data = [...(scales ? [scales] : []), values].map((list) => Buffer.from(list.buffer, list.byteOffset, list.byteLength));
  const entries = {};
  if (scales) entries[`${key}.scale`] = { dtype: "F32", shape: [stored[0]], data_offsets: [0, scales.byteLength] };
  const start = scales?.byteLength ?? 0;
  entries[key] = { dtype: kind.toUpperCase(), shape: stored, data_offsets: [start, start + values.byteLength] };
  const text = JSON.stringify(entries);
  const header = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const bytes = Buffer.concat([length, header, ...data]);
  writeFileSync(path, bytes);
  const tensor = { name, shape, dtype: kind, ...(rows ? { rows } : {}) };
  return { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex"), tensors: [tensor] };
}

/** Every tensor of a CLIP tower, and of adapters and words where there is a bottleneck. */
function* tensors({ width, mlp_width, patch_px, image_px, bottleneck }, layers) {
  const tokens = 1 + Math.floor(image_px / patch_px) ** 2;
  let seed = 1;
  const matrix = (name, outputs, inputs) => {
    // The nearest power of two to 1 / √inputs from below keeps the tokens' size.
    const exponent = Math.floor(-Math.log2(inputs) / 2) - 1;
    return { name, shape: [outputs, inputs], values: halves(outputs * inputs, (seed += 2), exponent) };
  };
  const vector = (name, count, base, spread) => ({ name, shape: [count], values: floats(count, (seed += 2), base, spread) });
  yield matrix("vision.patch.weight", width, 3 * patch_px ** 2);
  yield vector("vision.class_embedding", width, 0, 0.5);
  yield { ...vector("vision.position_embedding", tokens * width, 0, 0.5), shape: [tokens, width] };
  yield vector("vision.ln_pre.weight", width, 1, 0.1);
  yield vector("vision.ln_pre.bias", width, 0, 0.1);
  for (let block = 0; block < layers; block++) {
    const at = (leaf) => `vision.blocks.${block}.${leaf}`;
    for (const norm of ["ln1", "ln2"]) {
      yield vector(at(`${norm}.weight`), width, 1, 0.1);
      yield vector(at(`${norm}.bias`), width, 0, 0.1);
    }
    const layersOf = [["attn.qkv", 3 * width, width], ["attn.out", width, width], ["mlp.fc1", mlp_width, width], ["mlp.fc2", width, mlp_width]];
    for (const [layer, outputs, inputs] of layersOf) {
      yield matrix(at(`${layer}.weight`), outputs, inputs);
      yield vector(at(`${layer}.bias`), outputs, 0, 0.1);
    }
  }
  if (!bottleneck) return;
  for (const bank of ["seg", "det"]) {
    for (let level = 0; level < Math.min(layers, 4); level++) {
      yield matrix(`adapters.${bank}.${level}.fc1`, bottleneck, width);
      yield matrix(`adapters.${bank}.${level}.fc2`, width, bottleneck);
    }
  }
  yield { ...vector("prompts.any", 2 * bottleneck, 0, 0.25), shape: [bottleneck, 2] };
}

/** Groups of files by the first word of a tensor's name. */
const GROUPS = { vision: "vision", adapters: "adapters", prompts: "prompts" };

/**
 * Writes the bundle and returns its address, its bytes and how to take it away.
 * @param {{width: number, heads: number, mlp_width: number, patch_px: number, image_px: number, bottleneck?: number}} geometry
 * @param {number} layers blocks; the last four of them are levels
 * @param {"f16" | "i8"} dtype of linear weights
 */
export function formulaBundle(name, geometry, layers, dtype = "f16") {
  const folder = join(process.env.MVFA_TEST_SITE, "models", name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const files = [];
  const add = (part) => {
    const path = `part-${String(files.length).padStart(3, "0")}.safetensors`;
    files.push({ path, group: GROUPS[part.name.split(".")[0]], ...file(join(folder, path), part, dtype) });
  };
  for (const tensor of tensors(geometry, layers)) {
    if (tensor.name !== "vision.blocks.0.mlp.fc1.weight") {
      add(tensor);
      continue;
    }
    const [outputs, inputs] = tensor.shape;
    const cut = Math.floor(outputs / 2) + 1;
    add({ ...tensor, rows: [0, cut], values: tensor.values.slice(0, cut * inputs) });
    add({ ...tensor, rows: [cut, outputs], values: tensor.values.slice(cut * inputs) });
  }
  const levels = Array.from({ length: Math.min(layers, 4) }, (_, n) => layers - Math.min(layers, 4) + n + 1);
  const { bottleneck, ...tower } = geometry;
  const vision = { family: "clip", ...tower, layers, levels, pre_norm: true, patch_bias: false, layer_scale: false, activation: "quick_gelu", norm_eps: 1e-5 };
  const manifest = {
    format: 1,
    name,
    revision: "1",
    licence: "none: formula",
    card: "MODEL_CARD.md",
    intended_use: "Tests.",
    vision,
    ...(bottleneck ? { adapters: { bottleneck } } : {}),
    preprocess: { size_px: geometry.image_px, resample: "pil_bicubic", mean: [0, 0, 0], std: [1, 1, 1] },
    augment: "none",
    objects: [{ id: "any", name: "Any", prompt: "any", kind: "segmentation", ...(bottleneck ? { text_features: "prompts.any" } : {}) }],
    files,
  };
  writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
  writeFileSync(join(folder, "MODEL_CARD.md"), "# Formula weights\n");
  return {
    model: `/models/${name}/manifest.json`,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
