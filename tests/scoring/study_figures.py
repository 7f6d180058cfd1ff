"""Figures of maps and scores, for many weightings of the pictures at once.

Every figure is a function of sums over pictures, so a bootstrap draw is a row of weights (how often each picture was
drawn) and 1000 draws are a product of matrices. Pixel values are put into BINS bins of even width in the logarithm of
their rank from the top: each step is about one hundredth of the rank, and the error of a figure less than .001
(`python3 -m doctest`, needs scikit-learn).

>>> rng = np.random.default_rng(0)
>>> masks = np.zeros((6, 60, 60), bool); masks[:3, 5:12, 5:12] = True; masks[0, 30:33, 40:50] = True
>>> maps = (rng.normal(size=masks.shape) + 1.5 * masks).reshape(6, -1).astype(np.float32)
>>> labels = np.array([True] * 3 + [False] * 3)
>>> found = Tally(maps, masks, labels).figures(np.ones((1, 6)))
>>> from sklearn.metrics import average_precision_score, roc_auc_score
>>> truth, values = masks.reshape(-1), maps.reshape(-1)
>>> bool(abs(found["pixel AUROC"][0] - roc_auc_score(truth, values)) < 1e-3)
True
>>> bool(abs(found["pixel AP"][0] - average_precision_score(truth, values)) < 1e-3)
True
>>> scores = Tally(maps, masks, labels).scores
>>> bool(abs(found["image AUROC"][0] - roc_auc_score(labels, scores)) < 1e-9)
True
>>> bool(abs(found["image AP"][0] - average_precision_score(labels, scores)) < 1e-9)
True
"""

import numpy as np
from scipy.ndimage import label as regions_of

FIGURES = ("pixel AUROC", "pixel AP", "PRO", "image AUROC", "image AP")
PIXEL, IMAGE = FIGURES[:3], FIGURES[3:]
BINS, FINE = 1600, 1 << 16
PRO_LIMIT = 0.3


class Regions:
    """The abnormal pixels of a set: their places and one over the size of their 8-connected region."""

    def __init__(self, masks):
        self.places, self.shares, self.counts = [], [], []
        for mask in masks:
            labels, count = regions_of(mask, np.ones((3, 3)))
            places = np.flatnonzero(mask)
            sizes = np.bincount(labels.ravel(), minlength=count + 1)
            self.places.append(places)
            self.shares.append(1 / sizes[labels.ravel()[places]])
            self.counts.append(count)
        self.counts = np.array(self.counts, float)


class Tally:
    """What the figures of one scoring of a set need: counts a picture and bin, and a score a picture."""

    def __init__(self, maps, masks, labels, top_share=0.01):
        self.labels = labels
        count = int(np.ceil(top_share * maps.shape[1]))
        self.scores = np.partition(maps, -count, axis=1)[:, -count:].mean(1, dtype=np.float64)
        self.regions = masks if isinstance(masks, Regions) or masks is None else Regions(masks)
        if self.regions is not None:
            self._count(maps)

    def _count(self, maps):
        low, high = float(maps.min()), float(maps.max())
        fine = ((maps - low) * ((FINE - 1) / max(high - low, 1e-12))).astype(np.int32)
        above = np.cumsum(np.bincount(fine.ravel(), minlength=FINE)[::-1])[::-1]
        # Bin 0 holds the highest values.
        table = (np.log(np.maximum(above, 1)) * ((BINS - 1) / np.log(maps.size))).astype(np.int32)
        self.positives = np.zeros((len(maps), BINS))
        self.negatives = np.zeros((len(maps), BINS))
        self.overlaps = np.zeros((len(maps), BINS))
        for n, values in enumerate(table[fine]):
            abnormal = values[self.regions.places[n]]
            self.positives[n] = np.bincount(abnormal, minlength=BINS)
            self.overlaps[n] = np.bincount(abnormal, self.regions.shares[n], minlength=BINS)
            self.negatives[n] = np.bincount(values, minlength=BINS) - self.positives[n]

    def figures(self, weights, which=FIGURES):
        """Each figure for each row of weights `[draws, pictures]`."""
        found = {}
        if self.regions is not None and set(which) & set(PIXEL):
            found |= self._of_pixels(weights)
        if set(which) & set(IMAGE):
            found |= self._of_images(weights)
        return {name: found[name] for name in which if name in found}

    def _of_pixels(self, weights):
        new_tp, new_fp = weights @ self.positives, weights @ self.negatives
        tp, fp = np.cumsum(new_tp, 1), np.cumsum(new_fp, 1)
        overlap = np.cumsum(weights @ self.overlaps, 1)
        all_tp, all_fp = tp[:, -1], fp[:, -1]
        auroc = (new_fp * (tp - new_tp / 2)).sum(1) / (all_tp * all_fp)
        precision = (new_tp * tp / np.maximum(tp + fp, 1)).sum(1) / all_tp
        # The part under the limit of the false-positive rate, its last piece cut on a straight line.
        limit = (PRO_LIMIT * all_fp)[:, None]
        before = np.pad(overlap, ((0, 0), (1, 0)))[:, :-1]
        step = np.clip(limit - (fp - new_fp), 0, new_fp)
        share = np.divide(step, new_fp, out=np.zeros_like(step), where=new_fp > 0)
        area = (step * (before + (overlap - before) * share / 2)).sum(1)
        pro = area / (weights @ self.regions.counts * limit[:, 0])
        return dict(zip(PIXEL, (auroc, precision, pro)))

    def _of_images(self, weights):
        order = np.argsort(-self.scores, kind="stable")
        new_tp = weights[:, order] * self.labels[order]
        new_fp = weights[:, order] * ~self.labels[order]
        tp, fp = np.cumsum(new_tp, 1), np.cumsum(new_fp, 1)
        auroc = (new_fp * tp).sum(1) / (tp[:, -1] * fp[:, -1])
        precision = (new_tp * tp / np.maximum(tp + fp, 1)).sum(1) / tp[:, -1]
        return dict(zip(IMAGE, (auroc, precision)))


def draws(labels, chosen, count, rng):
    """Weights `[count, pictures]` of draws among the chosen pictures, abnormal and normal ones by themselves."""
    weights = np.zeros((count, len(labels)))
    for kind in (True, False):
        pool = np.flatnonzero(chosen & (labels == kind))
        if len(pool):
            taken = rng.integers(0, len(pool), (count, len(pool)))
            for row, places in zip(weights, taken):
                row += np.bincount(pool[places], minlength=len(labels))
    return weights


def interval(values):
    return tuple(float(v) for v in np.quantile(values, (0.025, 0.975)))
