"""A checkpoint for the benchmark: formula weights of a geometry, or the tower of a bundle.

In: `--geometry NAME` or `--bundle DIR`, and a safetensors file to write. Out: f32 weights under the names that
`mvfa convert` reads: OpenAI's for formulas, DINOv2's for the bundle of such a tower. What formula weights are
makes no difference to the time; they are those of tests/parity/formula.rs. Fails where the bundle is of another
family or has quantised weights.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

# width, blocks, side of a patch, patches along a side of the grid it would have been trained on
GEOMETRIES = {"vit-b": (768, 12, 16, 14), "vit-l": (1024, 4, 14, 16)}

MASK = (1 << 64) - 1
INDEX_STEP = np.uint64(0x9E3779B97F4A7C15)
SEED = 1


def offset_and_scale(name, shape):
    leaf = name.rsplit(".", 1)[-1]
    if leaf in ("bias", "in_proj_bias"):
        return 0.0, 0.02
    if ".ln_" in f".{name}":
        return 1.0, 0.1
    if name in ("visual.class_embedding", "visual.positional_embedding"):
        return 0.0, 0.1
    return 0.0, (3.0 / np.prod(shape[1:])) ** 0.5


def formula(name, shape):
    offset, scale = offset_and_scale(name, shape)
    base = 0xCBF29CE484222325
    for byte in name.encode():
        base = ((base ^ byte) * 0x100000001B3) & MASK
    base = (base + SEED * 0xD1B54A32D192ED03) & MASK
    with np.errstate(over="ignore"):
        z = np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64) * INDEX_STEP + np.uint64(base)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    u = (z >> np.uint64(40)).astype(np.float32) * np.float32(2**-23) - np.float32(1)
    return (u * np.float32(scale) + np.float32(offset)).reshape(shape)


def clip_shapes(width, layers, patch, grid):
    yield "visual.class_embedding", (width,)
    yield "visual.positional_embedding", (grid * grid + 1, width)
    yield "visual.conv1.weight", (width, 3, patch, patch)
    yield "visual.ln_pre.weight", (width,)
    yield "visual.ln_pre.bias", (width,)
    for block in range(layers):
        for leaf, shape in [
            ("ln_1.weight", (width,)),
            ("ln_1.bias", (width,)),
            ("attn.in_proj_weight", (3 * width, width)),
            ("attn.in_proj_bias", (3 * width,)),
            ("attn.out_proj.weight", (width, width)),
            ("attn.out_proj.bias", (width,)),
            ("ln_2.weight", (width,)),
            ("ln_2.bias", (width,)),
            ("mlp.c_fc.weight", (4 * width, width)),
            ("mlp.c_fc.bias", (4 * width,)),
            ("mlp.c_proj.weight", (width, 4 * width)),
            ("mlp.c_proj.bias", (width,)),
        ]:
            yield f"visual.transformer.resblocks.{block}.{leaf}", shape


DINOV2 = {
    "patch.weight": "patch_embed.proj.weight",
    "patch.bias": "patch_embed.proj.bias",
    "class_embedding": "cls_token",
    "position_embedding": "pos_embed",
}
DINOV2_LEAVES = {
    "ln1": "norm1",
    "ln2": "norm2",
    "attn.qkv": "attn.qkv",
    "attn.out": "attn.proj",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}


def dinov2_name(name):
    if name in DINOV2:
        return DINOV2[name]
    _, block, rest = name.split(".", 2)
    if rest in ("ls1", "ls2"):
        return f"blocks.{block}.{rest}.gamma"
    leaf, kind = rest.rsplit(".", 1)
    return f"blocks.{block}.{DINOV2_LEAVES[leaf]}.{kind}"


def from_bundle(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    vision = manifest["vision"]
    assert vision["family"] == "dinov2", "only towers of DINOv2 are written back"
    tensors = {}
    for file in manifest["files"]:
        if file["group"] != "vision":
            continue
        for name, value in load_file(folder / file["path"]).items():
            assert value.dtype in (np.float16, np.float32), "quantised bundles are not supported"
            name = name.removeprefix("vision.")
            shape = (-1, 3, vision["patch_px"], vision["patch_px"]) if name == "patch.weight" else value.shape
            tensors[dinov2_name(name)] = value.astype(np.float32).reshape(shape)
    return tensors


parser = argparse.ArgumentParser()
parser.add_argument("--geometry", choices=GEOMETRIES)
parser.add_argument("--bundle", type=Path)
parser.add_argument("target", type=Path)
args = parser.parse_args()
assert (args.geometry is None) != (args.bundle is None), "give --geometry or --bundle"
if args.bundle:
    made = from_bundle(args.bundle)
else:
    made = {name: formula(name, shape) for name, shape in clip_shapes(*GEOMETRIES[args.geometry])}
save_file(made, args.target)
