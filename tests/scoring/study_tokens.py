"""Tokens of the pictures that study.py measures on, kept in one file a set.

Needs numpy, scipy, Pillow and safetensors. Run from the repository's root, with tests/scoring in PYTHONPATH:

    python3 tests/scoring/study_tokens.py --archive pyradiomics-3.0.1.tar.gz --cache FOLDER

The archive (`pip download --no-deps --no-binary :all: pyradiomics==3.0.1`) holds the slices between those of
tests/fixtures/bmad. Each file `SET.npz` holds per picture its name, whether it is abnormal, whether it is a reference,
its person, its slice (-1: none), and

- `tokens`: unit patch tokens after blocks 6 and 9, `[pictures, 2, 289, 384]`, 16-bit floats;
- `classes`: the unit class token after the last block, `[pictures, 384]`;
- `masks`: abnormal pixels at 240 px (nearest neighbour), packed to bits; nothing where a set has no masks.

A file of a volume also holds `around`, the tokens of the slices before and after those, `around_slices`, and `positions`
in mm of all its slices.
"""

import argparse
import io
import json
import sys
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.special import erf

import make_golden as golden

SETS = ("StrokeFLAIR_AD", "MSFLAIR_AD", "ChestKermany_AD")
VOLUMES = {"brain1": "Brain", "brain2": "Brain", "lung1": "Lung", "lung2": "Lung"}
# The default model ends after block 11.
BLOCKS, LAST = (6, 9), 11
MEAN, STD = golden.MEAN.astype(np.float32), golden.STD.astype(np.float32)


def tower():
    """The weights, 32-bit."""
    return {key: value.astype(np.float32) for key, value in golden.weights().items()}


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def encode(picture, w):
    """Unit patch tokens after BLOCKS, [2, 289, 384], and the last unit class token, of a Pillow picture."""
    side, grid, patch, heads = golden.SIDE, golden.GRID, golden.PATCH, golden.HEADS
    image = picture.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    pixels = (np.asarray(image, np.float32) / 255 - MEAN) / STD
    seen = pixels[: grid * patch, : grid * patch].reshape(grid, patch, grid, patch, 3)
    patches = seen.transpose(0, 2, 4, 1, 3).reshape(grid * grid, -1)
    x = np.concatenate([w["class_embedding"][None], patches @ w["patch.weight"].T + w["patch.bias"]])
    x = x + w["position_embedding"]
    found = []
    for n in range(LAST):
        p = {key.removeprefix(f"blocks.{n}."): value for key, value in w.items() if key.startswith(f"blocks.{n}.")}
        h = golden.norm(x, p["ln1.weight"], p["ln1.bias"]) @ p["attn.qkv.weight"].T + p["attn.qkv.bias"]
        q, k, v = h.reshape(len(x), 3, heads, -1).transpose(1, 2, 0, 3)
        a = q @ k.transpose(0, 2, 1) / np.float32(np.sqrt(q.shape[-1]))
        a = np.exp(a - a.max(-1, keepdims=True))
        a = (a / a.sum(-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(x.shape)
        x = x + p["ls1"] * (a @ p["attn.out.weight"].T + p["attn.out.bias"])
        h = golden.norm(x, p["ln2.weight"], p["ln2.bias"]) @ p["mlp.fc1.weight"].T + p["mlp.fc1.bias"]
        h = h * (1 + erf(h / np.float32(np.sqrt(2)))) / 2
        x = x + p["ls2"] * (h @ p["mlp.fc2.weight"].T + p["mlp.fc2.bias"])
        if n + 1 in BLOCKS:
            found.append(unit(x[1:]))
    assert x.dtype == np.float32
    return np.stack(found).astype(np.float16), unit(x[0])


def mask_of(path):
    """Abnormal pixels at the model's size; none without a file."""
    if not path.exists():
        return np.zeros((golden.SIDE, golden.SIDE), bool)
    mask = Image.open(path).convert("L").resize((golden.SIDE, golden.SIDE), Image.Resampling.NEAREST)
    return np.asarray(mask) > 127


def save(path, rows, w, **more):
    """Encodes rows of (name, picture, is abnormal, is reference, person, slice, mask)."""
    names, pictures, abnormal, reference, persons, slices, masks = zip(*rows)
    tokens, classes = zip(*(encode(picture, w) for picture in pictures))
    np.savez(
        path,
        names=names,
        abnormal=abnormal,
        reference=reference,
        persons=persons,
        slices=slices,
        tokens=np.stack(tokens),
        classes=np.stack(classes),
        masks=np.packbits(np.stack(masks).reshape(len(rows), -1), axis=1),
        **more,
    )
    print(path.name, len(rows), flush=True)


def folder_rows(base):
    """Pictures of a set in BMAD's layout; a person is what stands before an underline in a name, else the name."""
    for part in ("valid/good", "test/good", "test/Ungood"):
        for path in sorted((base / part / "img").glob("*.png")):
            mask = mask_of(base / part / "anomaly_mask" / path.name)
            person = path.stem.split("_z")[0]
            yield path.stem, Image.open(path), part.endswith("Ungood"), part.startswith("valid"), person, -1, mask


def volume_rows(data, volume, split):
    """All slices of a volume that are in the data; its good ones are what the other volume is compared with."""
    for file in split["files"]:
        if file.get("volume") == volume:
            path, is_abnormal = data / file["path"], file["label"] == "Ungood"
            mask = mask_of(path.parent.parent / "anomaly_mask" / path.name)
            yield path.stem, Image.open(path), is_abnormal, not is_abnormal, volume, file["slice"], mask


def windowed(archive, make, volume):
    """The slices of a volume as make_bmad.py windows them, [slices, rows, columns], 8-bit."""
    raw = make.nrrd(archive.extractfile(f"pyradiomics-3.0.1/data/{volume}_image.nrrd").read()).astype(np.float64)
    kind, *values = make.CLASSES[VOLUMES[volume]]["window"]
    if kind == "percentile":
        low, high = 0.0, float(np.percentile(raw, values[0]))
    else:
        low, high = values[0] - values[1] / 2, values[0] + values[1] / 2
    return np.rint(np.clip((raw - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def positions_mm(archive, volume):
    """Where the slices of a volume lie along the body."""
    head = archive.extractfile(f"pyradiomics-3.0.1/data/{volume}_image.nrrd").read().split(b"\n\n")[0].decode("latin1")
    lines = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line and not line.startswith("#"))
    first = float(lines["space origin"].strip("()").split(",")[2])
    step = float(lines["space directions"].split()[-1].strip("()").split(",")[2])
    return first + step * np.arange(int(lines["sizes"].split()[2]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    data, w = golden.DATA, tower()
    sys.path.insert(0, str(data))
    import make_bmad as make

    split = json.loads((data / "split.json").read_text())
    archive = tarfile.open(fileobj=io.BytesIO(args.archive.read_bytes()))
    for volume in VOLUMES:
        pixels, rows = windowed(archive, make, volume), list(volume_rows(data, volume, split))
        for _, picture, *_, number, _ in rows:
            assert np.array_equal(np.asarray(picture), pixels[number]), (volume, number)
        wanted = {row[5] + step for row in rows for step in (-1, 1)} - {row[5] for row in rows}
        wanted = sorted(n for n in wanted if 0 <= n < len(pixels))
        around = np.stack([encode(Image.fromarray(pixels[n]), w)[0] for n in wanted])
        more = {"around": around, "around_slices": wanted, "positions": positions_mm(archive, volume)}
        save(args.cache / f"{volume}.npz", rows, w, **more)
    for name in SETS:
        save(args.cache / f"{name}.npz", list(folder_rows(data / name)), w)


if __name__ == "__main__":
    main()
