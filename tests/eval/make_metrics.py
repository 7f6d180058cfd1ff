"""Makes ../fixtures/metrics/golden.json: figures by scikit-learn and scipy for tests/metrics.rs.

Needs: numpy, scipy, scikit-learn. Run in this folder: python make_metrics.py
"""
import json
from pathlib import Path

import numpy as np
from scipy import ndimage
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score


def figures(scores, labels):
    precision, recall, _ = precision_recall_curve(labels, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    return {
        "auroc": roc_auc_score(labels, scores),
        "average_precision": average_precision_score(labels, scores),
        "f1_max": f1.max(),
    }


def pro(maps, masks, limit=0.3):
    """Mean over 8-connected regions of the part above each threshold, over the false-positive rate."""
    regions = [(m[n == k]) for m, n in ((m, ndimage.label(g, np.ones((3, 3)))[0]) for m, g in zip(maps, masks))
               for k in range(1, n.max() + 1)]
    normal = np.concatenate([m[g == 0] for m, g in zip(maps, masks)])
    x, y = [0.0], [0.0]
    for t in np.unique(maps)[::-1]:
        x.append((normal >= t).mean())
        y.append(np.mean([(r >= t).mean() for r in regions]))
    x, y = np.array(x), np.array(y)
    inside = x <= limit
    at_limit = np.interp(limit, x, y)
    xs, ys = np.append(x[inside], limit), np.append(y[inside], at_limit)
    return float(((xs[1:] - xs[:-1]) * (ys[1:] + ys[:-1]) / 2).sum() / limit)


def main():
    rng = np.random.default_rng(1)
    cases = []
    for n in range(50):
        size = int(rng.integers(2, 120))
        labels = rng.random(size) < rng.uniform(0.1, 0.9)
        labels[:2] = [True, False]
        scores = rng.normal(size=size) + labels * rng.uniform(-0.5, 2)
        if n % 2:
            scores = np.round(scores, int(rng.integers(0, 2)))
        scores = scores.astype(np.float32)
        cases.append({"scores": scores.tolist(), "labels": labels.tolist(), **figures(scores, labels)})
    pixels = []
    for n in range(6):
        maps = rng.random((4, 12, 12)).astype(np.float32)
        masks = ndimage.binary_dilation(rng.random((4, 12, 12)) < 0.02, np.ones((1, 3, 3)))
        masks[0] = False
        maps = (maps + 0.5 * masks).astype(np.float32)
        if n % 2:
            maps = np.round(maps, 1).astype(np.float32)
        pixels.append({"maps": maps.reshape(4, -1).tolist(), "masks": masks.reshape(4, -1).astype(int).tolist(),
                       "pro": pro(maps, masks), **figures(maps.ravel(), masks.ravel())})
    out = Path(__file__).parent.parent / "fixtures/metrics/golden.json"
    out.write_text(json.dumps({"images": cases, "pixels": pixels}))


main()
