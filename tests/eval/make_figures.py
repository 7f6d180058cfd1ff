"""Makes tests/fixtures/figures/golden.json: what other programs say on random cases.

Needs numpy, scipy, scikit-learn and Pillow. Run from the repository's root:

    python3 tests/eval/make_figures.py

- `lists`: scores with labels, as of pictures. AUROC and average precision by scikit-learn; the largest
  F1 over all thresholds by counting. Scores are whole numbers (many ties) or 32-bit floats. `null`
  where one class is missing.
- `sets`: small maps with masks, as of a data set. Pixel figures the same way; per-region overlap by
  trying every threshold on scipy's 8-connected regions, integrated to a false-positive rate of 0.3
  and divided by it.
- `nearest`: which source pixel Pillow's NEAREST takes when a row is resized to 240.
- `grey`: colours and what Pillow's `convert('L')` makes of them.
"""

import json
from pathlib import Path

import numpy as np
import PIL
import scipy
import sklearn
from PIL import Image
from scipy import ndimage
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

OUT = Path("tests/fixtures/figures/golden.json")
PRO_LIMIT = 0.3
SIDE = 8


def figures(scores, labels):
    labels = np.asarray(labels)
    if labels.min() == labels.max():
        return {"auroc": None, "ap": None, "f1_max": None}
    scores = np.asarray(scores, dtype=np.float64)
    precision, recall, _ = precision_recall_curve(labels, scores)
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
    return {
        "auroc": float(roc_auc_score(labels, scores)),
        "ap": float(average_precision_score(labels, scores)),
        "f1_max": float(f1.max()),
    }


def per_region_overlap(maps, masks):
    """Every threshold, every region, no shortcut."""
    maps, masks = np.asarray(maps, dtype=np.float64), np.asarray(masks)
    regions = []
    for number, mask in enumerate(masks):
        found, count = ndimage.label(mask, structure=np.ones((3, 3)))
        regions += [(number, found == region) for region in range(1, count + 1)]
    normal = masks == 0
    if not regions or not normal.any():
        return None
    rates, overlaps = [0.0], [0.0]
    for threshold in sorted(set(maps.ravel().tolist()), reverse=True):
        above = maps >= threshold
        rates.append((above & normal).sum() / normal.sum())
        overlaps.append(np.mean([above[number][region].mean() for number, region in regions]))
    rates, overlaps = np.array(rates), np.array(overlaps)
    inside = rates <= PRO_LIMIT
    x, y = rates[inside].tolist(), overlaps[inside].tolist()
    beyond = int(inside.sum())
    if x[-1] < PRO_LIMIT:
        share = (PRO_LIMIT - x[-1]) / (rates[beyond] - x[-1])
        y.append(y[-1] + share * (overlaps[beyond] - y[-1]))
        x.append(PRO_LIMIT)
    return float(np.trapezoid(y, x) / PRO_LIMIT)


def random_scores(rng, shape, shift, kind):
    if kind == "coarse":
        return (rng.integers(0, 6, shape) + np.round(2 * shift)).astype(int)
    if kind == "fine":
        return (rng.integers(-40, 40, shape) + np.round(20 * shift)).astype(int)
    return (rng.normal(size=shape) + shift).astype(np.float32).astype(float)


def lists(rng):
    cases = []
    for number in range(50):
        count = int(rng.integers(2, 60))
        labels = (rng.random(count) < rng.choice([0.1, 0.5, 0.9])).astype(int)
        labels[0], labels[-1] = 1, 0
        if number in (3, 17):
            labels[:] = 1
        if number in (8, 30):
            labels[:] = 0
        kind = ["coarse", "fine", "float"][number % 3]
        scores = random_scores(rng, count, labels * rng.choice([0.0, 0.7, 3.0]), kind)
        if number == 11:
            scores[:] = 5  # one tie of all
        cases.append({"scores": scores.tolist(), "labels": labels.tolist(), **figures(scores, labels)})
    return cases


def sets(rng):
    cases = []
    for number in range(20):
        pictures = int(rng.integers(2, 6))
        masks = np.zeros((pictures, SIDE, SIDE), dtype=int)
        for mask in masks[1:] if number not in (4, 13) else []:
            for _ in range(int(rng.integers(0, 4))):
                y, x = rng.integers(0, SIDE, 2)
                h, w = rng.integers(1, 4, 2)
                mask[y : y + h, x : x + w] = 1
            mask[6, 6] = 1
            if number % 4 == 0:
                mask[[0, 1, 2], [5, 6, 7]] = 1  # a diagonal: one region of three pixels
        kind = ["coarse", "fine", "float"][number % 3]
        maps = random_scores(rng, masks.shape, masks * rng.choice([0.0, 0.7, 2.0]), kind)
        flat = figures(maps.ravel(), masks.ravel())
        cases.append({
            "side": SIDE,
            "maps": [m.ravel().tolist() for m in maps],
            "masks": [m.ravel().tolist() for m in masks],
            **flat,
            "pro": per_region_overlap(maps, masks),
        })
    return cases


def nearest():
    cases = []
    for length in (63, 100, 240, 256, 300, 496, 512, 777, 1024):
        row = Image.fromarray(np.arange(length, dtype=np.int32)[None, :])
        taken = np.asarray(row.resize((240, 1), Image.NEAREST))[0]
        cases.append({"length": length, "taken": taken.tolist()})
    return cases


def grey(rng):
    colours = rng.integers(100, 160, (40, 3)).astype(np.uint8)
    picture = Image.fromarray(colours[None], "RGB").convert("L")
    return {"rgb": colours.tolist(), "grey": np.asarray(picture)[0].tolist()}


def main():
    rng = np.random.default_rng(20240617)
    golden = {
        "made_with": {
            "numpy": np.__version__, "scipy": scipy.__version__,
            "scikit-learn": sklearn.__version__, "Pillow": PIL.__version__,
        },
        "lists": lists(rng),
        "sets": sets(rng),
        "nearest": nearest(),
        "grey": grey(rng),
    }
    OUT.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
