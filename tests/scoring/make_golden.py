"""Makes tests/fixtures/scoring/golden.safetensors: maps and scores of the memory by its own rules.

Needs numpy, scipy, Pillow and safetensors. Run from the repository's root:

    python3 tests/scoring/make_golden.py

Shares no code with the program: the tower of models/default in 64-bit floats, resizing by Pillow, the Gaussian by scipy.
Three references a group and six slices of another volume; the rules are those of `RULES` in tests/scoring/golden.rs.

- `<slice>.d`, `<slice>.s`: per patch the distance to the references (blocks 6 and 9 summed) and to the mirrored place.
- `<slice>.plain`, `<slice>.bilateral`, `<slice>.self`: every fourth pixel of the map, beginning with the third, of d, of
  d + 0.5 s, and of s.
- `<slice>.scores`: of the three maps in this order the mean of the highest hundredth and of the highest twentieth.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file
from scipy.ndimage import gaussian_filter
from scipy.special import erf

MODEL = Path("models/default")
DATA = Path("tests/fixtures/bmad")
OUT = Path("tests/fixtures/scoring/golden.safetensors")
GROUPS = {
    "Brain_AD": (
        ["valid/good/img/brain2_004.png", "test/good/img/brain2_005.png", "test/good/img/brain2_016.png"],
        [f"test/good/img/brain1_{n:03}.png" for n in (2, 6, 9)]
        + [f"test/Ungood/img/brain1_{n:03}.png" for n in (14, 15, 17)],
    ),
    "Lung_AD": (
        [f"test/good/img/lung1_{n:03}.png" for n in (3, 15, 27)],
        [f"test/good/img/lung2_{n:03}.png" for n in (27, 39, 51)]
        + [f"test/Ungood/img/lung2_{n:03}.png" for n in (19, 22, 25)],
    ),
}
SIDE, PATCH, GRID, BLOCKS = 240, 14, 17, (6, 9)
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
SIGMA, EPS, HEADS = 4.0, 1e-6, 6


def weights():
    found = {}
    for path in sorted(MODEL.glob("vision-*.safetensors")):
        with safe_open(path, "np") as file:
            found |= {key.removeprefix("vision."): file.get_tensor(key).astype(np.float64) for key in file.keys()}
    return found


def norm(x, weight, bias):
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + EPS) * weight + bias


def tokens(picture, w):
    """Unit patch tokens after each of BLOCKS, [289, 384]."""
    image = Image.open(picture).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    pixels = (np.asarray(image, np.float64) / 255 - MEAN) / STD
    seen = pixels[: GRID * PATCH, : GRID * PATCH].reshape(GRID, PATCH, GRID, PATCH, 3)
    patches = seen.transpose(0, 2, 4, 1, 3).reshape(GRID * GRID, -1)
    x = np.concatenate([w["class_embedding"][None], patches @ w["patch.weight"].T + w["patch.bias"]])
    x = x + w["position_embedding"]
    found = []
    for n in range(max(BLOCKS)):
        p = {key.removeprefix(f"blocks.{n}."): value for key, value in w.items() if key.startswith(f"blocks.{n}.")}
        h = norm(x, p["ln1.weight"], p["ln1.bias"]) @ p["attn.qkv.weight"].T + p["attn.qkv.bias"]
        q, k, v = h.reshape(len(x), 3, HEADS, -1).transpose(1, 2, 0, 3)
        a = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
        a = np.exp(a - a.max(-1, keepdims=True))
        a = (a / a.sum(-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(x.shape)
        x = x + p["ls1"] * (a @ p["attn.out.weight"].T + p["attn.out.bias"])
        h = norm(x, p["ln2.weight"], p["ln2.bias"]) @ p["mlp.fc1.weight"].T + p["mlp.fc1.bias"]
        h = h * (1 + erf(h / np.sqrt(2))) / 2
        x = x + p["ls2"] * (h @ p["mlp.fc2.weight"].T + p["mlp.fc2.bias"])
        if n + 1 in BLOCKS:
            found.append(x[1:] / np.linalg.norm(x[1:], axis=1, keepdims=True))
    return found


def to_mirror(levels):
    z = np.concatenate(levels, 1) / np.sqrt(len(levels))
    s = np.empty(GRID * GRID)
    for i in range(GRID * GRID):
        r, c = divmod(i, GRID)
        near = [
            z[i] @ z[j]
            for j in range(GRID * GRID)
            if (j // GRID - r) ** 2 + (GRID - 1 - j % GRID - c) ** 2 <= (0.1 * GRID) ** 2
        ]
        s[i] = 1 - max(near)
    return s


def to_map(patches):
    place = np.clip((np.arange(SIDE) + 0.5) / PATCH - 0.5, 0, GRID - 1)
    low = np.minimum(place.astype(int), GRID - 2)
    share = place - low
    grid = patches.reshape(GRID, GRID)
    rows = grid[low] * (1 - share)[:, None] + grid[low + 1] * share[:, None]
    pixels = rows[:, low] * (1 - share) + rows[:, low + 1] * share
    return gaussian_filter(pixels, SIGMA, mode="nearest", truncate=4.0)


def top(values, share):
    values = np.sort(values.ravel())[::-1]
    return values[: int(np.ceil(share * len(values)))].mean()


def main():
    w, out = weights(), {}
    for folder, (references, slices) in GROUPS.items():
        memory = [np.concatenate(level) for level in zip(*(tokens(DATA / folder / name, w) for name in references))]
        for name in slices:
            levels = tokens(DATA / folder / name, w)
            d = sum(1 - (u @ m.T).max(1) for u, m in zip(levels, memory))
            s = to_mirror(levels)
            maps = {"plain": to_map(d), "bilateral": to_map(d + 0.5 * s), "self": to_map(s)}
            key = Path(name).stem
            out |= {f"{key}.d": d, f"{key}.s": s}
            out |= {f"{key}.{kind}": pixels[2::4, 2::4] for kind, pixels in maps.items()}
            out[f"{key}.scores"] = np.array([top(pixels, share) for pixels in maps.values() for share in (0.01, 0.05)])
            print(key, out[f"{key}.scores"])
    OUT.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: np.ascontiguousarray(value, dtype=np.float32) for key, value in out.items()}, OUT)


if __name__ == "__main__":
    main()
