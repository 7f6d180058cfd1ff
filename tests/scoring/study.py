"""Measures training-free ideas against the shipped few-shot scoring: chosen on one half, confirmed on the other.

Needs numpy, scipy and the files of study_tokens.py. Run from the repository's root, with tests/scoring in PYTHONPATH:

    python3 tests/scoring/study.py --cache FOLDER [IDEA ...] > study-tables.md

Shipped scoring: distances to all references in blocks 6 and 9, summed, plus half the left-right channel; patch centres,
Gaussian of sigma 4; score of a picture = mean of the top hundredth, of chest X-rays of the top twentieth. The ideas:

- likeness: only the n references that look most like the picture;
- subspace: what a PCA of the references' tokens leaves over, alone and beside the distance (as SubspaceAD does);
- neighbours: tokens of neighbouring slices of a volume are averaged before they are matched;
- place: only the slices of the other volume at the nearest relative position.

Halves: StrokeFLAIR and ChestKermany by person, as many of each class; MSFLAIR one person each; of the volumes one brain
and one pair of lungs each. Which half is which is drawn with SEED. Of all settings of an idea the one with the largest
mean gain on the choosing half is taken: mean over figures, then sets, then groups (stroke, MS, chest, volumes). Intervals
are the middle 95 % of DRAWS paired bootstrap differences on the confirming half: by person for StrokeFLAIR and
ChestKermany, by slice for MSFLAIR and volumes, whose confirming halves are one person each; there the truth is wider.
"""

import argparse
from functools import cached_property
from pathlib import Path

import numpy as np

import make_golden as golden
from study_figures import FIGURES, IMAGE, PIXEL, Regions, Tally, draws, interval

SEED, DRAWS = 20261127, 1000
GRID, SIDE = golden.GRID, golden.SIDE
PATCHES = GRID * GRID
SIDES_WEIGHT = 0.5
LARGE = {"StrokeFLAIR_AD": FIGURES, "MSFLAIR_AD": PIXEL, "ChestKermany_AD": IMAGE}
# Share of a map whose mean is the score, as in the manifest of models/default.
TOP_SHARES = {"ChestKermany_AD": 0.05}
OTHER = {"brain1": "brain2", "brain2": "brain1", "lung1": "lung2", "lung2": "lung1"}
RANDOM_DRAWS = 5
IDEAS = ["shipped", "likeness", "subspace", "neighbours", "place"]
RANKS = (32, 64, 128, 0.9, 0.95, 0.99)

# Upsampling and Gaussian are linear and separable: golden.to_map of unit vectors gives the matrix of one direction.
UPSAMPLE = np.stack([golden.to_map(np.repeat(np.eye(GRID)[n], GRID))[:, 0] for n in range(GRID)], 1)


def to_maps(fields):
    """Values a patch `[n, 289]` to maps `[n, 240 * 240]`."""
    maps = UPSAMPLE @ fields.reshape(-1, GRID, GRID).astype(np.float64) @ UPSAMPLE.T
    return maps.reshape(len(fields), -1).astype(np.float32)


def mirror_window():
    """For each patch which patches are searched for its mirrored place."""
    rows, columns = np.divmod(np.arange(PATCHES), GRID)
    down = rows[None] - rows[:, None]
    across = GRID - 1 - columns[None] - columns[:, None]
    return down**2 + across**2 <= (0.1 * GRID) ** 2


WINDOW = mirror_window()


def to_sides(tokens):
    """The left-right channel of pictures `[n, 2, 289, dim]`."""
    joint = joined(tokens)
    return np.stack([1 - np.where(WINDOW, z @ z.T, -1).max(1) for z in joint])


def joined(tokens):
    """Unit vectors of both levels `[..., 289, 2 * dim]`."""
    return np.concatenate([tokens[..., 0, :, :], tokens[..., 1, :, :]], -1) / np.float32(np.sqrt(2))


def cosines(tokens, references):
    """Largest cosine to each reference `[2, pictures, references, 289]`."""
    found = np.empty((2, len(tokens), len(references), PATCHES), np.float32)
    for level in range(2):
        rows = references[:, level].reshape(-1, references.shape[-1])
        for n, own in enumerate(tokens[:, level]):
            found[level, n] = (own @ rows.T).reshape(PATCHES, len(references), PATCHES).max(-1).T
    return found


class Set:
    """Pictures to be measured and the references they are compared with."""

    def __init__(self, name, group, tests, references, figures):
        self.name, self.group, self.figures = name, group, figures
        self.tokens, self.classes = tests["tokens"].astype(np.float32), tests["classes"]
        self.labels, self.persons, self.slices = tests["abnormal"], tests["persons"], tests["slices"]
        self.names = tests["names"]
        self.references, self.reference_classes = references["tokens"].astype(np.float32), references["classes"]
        self.reference_slices = references["slices"]
        masks = np.unpackbits(tests["masks"], axis=1).reshape(-1, SIDE, SIDE).astype(bool)
        self.regions = Regions(masks) if set(figures) & set(PIXEL) else None
        self.positive_share = masks.mean()
        self.chooses = np.zeros(len(self.labels), bool)
        self.cached = {}

    @cached_property
    def cosines(self):
        return cosines(self.tokens, self.references)

    @cached_property
    def sides(self):
        return SIDES_WEIGHT * to_sides(self.tokens)

    def swap(self):
        """Makes the choosing half the confirming one."""
        self.chooses = ~self.chooses
        self.cached = {}

    def shipped(self, taken=slice(None)):
        """Fields of the shipped scoring with some of the references."""
        return self.distances(taken) + self.sides

    def distances(self, taken=slice(None)):
        return (1 - self.cosines[:, :, taken].max(2)).sum(0)

    def distances_of_each(self, taken):
        """With references `[pictures, n]` for each picture its own."""
        return (1 - np.take_along_axis(self.cosines, taken[None, :, :, None], 2).max(2)).sum(0)

    def figures_of(self, variants, weights):
        """Means over fields, for each row of weights."""
        share = TOP_SHARES.get(self.name, 0.01)
        tallies = [Tally(to_maps(fields), self.regions, self.labels, share) for fields in variants]
        found = [tally.figures(weights, self.figures) for tally in tallies]
        return {figure: np.mean([f[figure] for f in found], 0) for figure in found[0]}

    def base_on(self, weights, key):
        """Figures of the shipped scoring, kept."""
        if key not in self.cached:
            self.cached[key] = self.figures_of([self.shipped()], weights)
        return self.cached[key]

    def gain(self, variants):
        """Mean over the figures of the difference to the shipped scoring on the choosing half; None without one."""
        if not self.chooses.any():
            return None
        weights = self.chooses[None].astype(float)
        base, found = self.base_on(weights, "gain"), self.figures_of(variants, weights)
        return float(np.mean([found[f][0] - base[f][0] for f in found]))

    def weights(self, chosen):
        """The pictures themselves, then bootstrap draws; the same for each scoring, so that differences are paired."""
        rng = np.random.default_rng(SEED)
        return np.concatenate([chosen[None].astype(float), draws(self.labels, chosen, DRAWS, rng)])

    def differences(self, variants, others=None):
        """Figures of fields less those of others, else of the shipped scoring, on the confirming half; point and draws."""
        confirms = ~self.chooses
        weights = self.weights(confirms)
        if others is None:
            base = self.base_on(weights, "confirm")
        else:
            base = self.figures_of(others, weights)
        found = self.figures_of(variants, weights)
        return {f: found[f] - base[f] for f in found}


def load(path):
    with np.load(path) as file:
        return {key: file[key] for key in file.files}


def part(loaded, chosen):
    count = len(chosen)
    rows = ("names", "abnormal", "persons", "slices", "tokens", "classes", "masks")
    return {key: loaded[key][chosen] for key in rows if len(loaded[key]) == count}


def load_sets(cache):
    """All sets, with their halves drawn."""
    rng = np.random.default_rng(SEED)
    sets = []
    for name, figures in LARGE.items():
        loaded = load(cache / f"{name}.npz")
        is_reference = loaded["reference"]
        one = Set(name, name, part(loaded, ~is_reference), part(loaded, is_reference), figures)
        if name == "MSFLAIR_AD":
            persons = sorted(set(one.persons))
            one.chooses = one.persons == persons[rng.integers(len(persons))]
        else:
            for kind in (True, False):
                places = rng.permutation(np.flatnonzero(one.labels == kind))
                one.chooses[places[: len(places) // 2]] = True
        sets.append(one)
    choosing = [pair[rng.integers(2)] for pair in (("brain1", "brain2"), ("lung1", "lung2"))]
    loaded = {name: load(cache / f"{name}.npz") for name in OTHER}
    for name, other in OTHER.items():
        everything = np.ones(len(loaded[name]["names"]), bool)
        references = part(loaded[other], loaded[other]["reference"])
        one = Set(name, "volumes", part(loaded[name], everything), references, FIGURES)
        one.chooses[:] = name in choosing
        one.own, one.other = loaded[name], loaded[other]
        sets.append(one)
    return sets


def evenly(count, n):
    """n places evenly spaced among so many."""
    return np.rint((np.arange(n) + 0.5) * count / n - 0.5).astype(int)


# ---- the ideas: each gives per set a dict from a setting's name to fields, several where settings are drawn at random


def nearest(likeness, n):
    return np.argsort(-likeness, axis=1, kind="stable")[:, :n]


def mean_tokens(tokens):
    """The direction of the mean unit patch token of block 9."""
    mean = tokens[:, 1].mean(1)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def by_likeness(one):
    ways = {
        "class token": one.classes @ one.reference_classes.T,
        "mean token": mean_tokens(one.tokens) @ mean_tokens(one.references).T,
    }
    for way, likeness in ways.items():
        for n in (1, 2, 4, 8):
            yield f"{n} by {way}", [one.distances_of_each(nearest(likeness, n)) + one.sides]


def at_random(one, n):
    rng = np.random.default_rng(SEED + n)
    count = one.cosines.shape[2]
    return [one.shipped(rng.choice(count, n, replace=False)) for _ in range(RANDOM_DRAWS)]


class Subspace:
    """PCA of tokens from their sums, so that one reference can be left out without a new pass."""

    def __init__(self, rows):
        self.rows = rows.astype(np.float64)
        self.squares = np.stack([r.T @ r for r in self.rows])
        self.sums = self.rows.sum(1)

    def fit(self, taken):
        count = self.rows.shape[1] * len(taken)
        mean = self.sums[taken].sum(0) / count
        values, vectors = np.linalg.eigh(self.squares[taken].sum(0) / count - np.outer(mean, mean))
        values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
        return mean, vectors, np.cumsum(values) / values.sum()

    @staticmethod
    def rank(shares, kept):
        """Components of a setting: a count, or a share of the variance."""
        return kept if isinstance(kept, int) else int(np.searchsorted(shares, kept) + 1)

    def squares_left(self, fitted, rows):
        """Per setting the squared norm that is left of each row."""
        mean, vectors, shares = fitted
        rows = rows - mean
        explained = np.cumsum((rows @ vectors) ** 2, -1)
        return {kept: np.maximum(explained[..., -1] - explained[..., self.rank(shares, kept) - 1], 0) for kept in RANKS}


def subspace_fields(one, taken=None):
    """Fields of the residual alone and beside the distance, and the components of each setting."""
    taken = np.arange(len(one.references)) if taken is None else np.asarray(taken)
    references, fields, components = one.references[taken], {}, {}
    everyone = np.arange(len(taken))
    left_out = [np.delete(everyone, n) for n in everyone]
    distances = one.distances(taken)
    among = 1 - cosines(references, references)
    own = np.stack([among[:, n, others].min(1).sum(0) for n, others in enumerate(left_out)])
    kinds = {
        "joint": ([joined(one.tokens)], [joined(references)], 1.0),
        # Halved, squares have the unit of 1 - cosine, as the joint ones have.
        "by level": ([one.tokens[:, l] for l in (0, 1)], [references[:, l] for l in (0, 1)], 0.5),
    }
    for kind, (tests, rows, unit) in kinds.items():
        levels = [Subspace(r) for r in rows]
        fits = [level.fit(everyone) for level in levels]
        left = [level.squares_left(fit, t) for level, fit, t in zip(levels, fits, tests)]
        loo = [
            [level.squares_left(level.fit(others), level.rows[n]) for n, others in enumerate(left_out)]
            for level in levels
        ]
        for kept in RANKS:
            name = f"{kind}, {kept}"
            components[name] = [Subspace.rank(fit[2], kept) for fit in fits]
            norms = sum(np.sqrt(one_level[kept]) for one_level in left)
            squares = unit * sum(one_level[kept] for one_level in left)
            own_norms = np.stack([sum(np.sqrt(level[n][kept]) for level in loo) for n in everyone])
            # As wide as the distance, both measured on references that are left out in turn.
            scaled = norms * (own.std() / own_norms.std())
            for form, field in (("norm, scaled", scaled), ("square, raw", squares)):
                fields[f"{name}, {form}, alone"] = [field + one.sides]
                for weight in (0.5, 1, 2):
                    fields[f"{name}, {form}, distance + {weight}"] = [distances + weight * field + one.sides]
    return fields, components


def pooled(loaded, chosen, weights):
    """Tokens of chosen slices of a volume, averaged with the slices before and after where there are such."""
    by_slice = dict(zip(loaded["around_slices"], loaded["around"])) | dict(zip(loaded["slices"], loaded["tokens"]))
    found = []
    for n in loaded["slices"][chosen]:
        near = [(w, by_slice[n + step]) for step, w in zip((-1, 0, 1), weights) if n + step in by_slice]
        mean = sum(w * tokens.astype(np.float32) for w, tokens in near)
        found.append(mean / np.linalg.norm(mean, axis=-1, keepdims=True))
    return np.stack(found)


def by_neighbours(one):
    for weights in ((1, 2, 1), (1, 1, 1)):
        tokens = pooled(one.own, np.ones(len(one.labels), bool), weights)
        references = pooled(one.other, one.other["reference"], weights)
        distances = (1 - cosines(tokens, references).max(2)).sum(0)
        name = "-".join(map(str, weights))
        yield f"{name}, distance", [distances + one.sides]
        yield f"{name}, distance and left-right", [distances + SIDES_WEIGHT * to_sides(tokens)]


def by_place(one):
    own, other = one.own["positions"], one.other["positions"]

    def near(own_places, other_places):
        return -np.abs(own_places[one.slices][:, None] - other_places[one.reference_slices][None])

    shares = near(np.linspace(0, 1, len(own)), np.linspace(0, 1, len(other)))
    # As the page does: in mm where the volumes share half of the shorter one's range.
    shared = min(own.max(), other.max()) - max(own.min(), other.min())
    is_shared = shared >= 0.5 * min(np.ptp(own), np.ptp(other))
    for n in (4, 8):
        yield f"{n} by place", [one.distances_of_each(nearest(shares, n)) + one.sides]
        by_mm = near(own, other) if is_shared else shares
        yield f"{n} by mm where shared", [one.distances_of_each(nearest(by_mm, n)) + one.sides]


# ---- choosing, confirming, tables


def choose(settings, sets):
    """Mean gain of each setting a group; the best of all groups together first."""
    gains = {}
    for one in sets:
        for name, variants in settings[one.name].items():
            gain = one.gain(variants)
            if gain is not None:
                gains.setdefault(name, {}).setdefault(one.group, []).append(gain)
    gains = {name: {group: np.mean(values) for group, values in groups.items()} for name, groups in gains.items()}
    order = sorted(gains, key=lambda name: -np.mean(list(gains[name].values())))
    return {name: gains[name] for name in order}


def cell(values):
    point, (low, high) = values[0], interval(values[1:])
    mark = "**" if low > 0 or high < 0 else ""
    return f"{mark}{point:+.3f}{mark} ({low:+.3f} to {high:+.3f})"


def line(*cells):
    print("| " + " | ".join(cells) + " |")


def head(*cells):
    print()
    line(*cells)
    print("|" + "---|" * len(cells))


def gains_table(gains, groups, shown=12):
    head("setting", *groups, "mean")
    for name, of_groups in list(gains.items())[:shown]:
        line(name, *(f"{of_groups[g]:+.4f}" for g in groups), f"{np.mean(list(of_groups.values())):+.4f}")


def confirm_table(title, sets, variants_of, others_of=None):
    """Paired differences on the confirming halves, a row a set, and their mean over the sets that have the figure."""
    head(title, *FIGURES)
    collected = {figure: [] for figure in FIGURES}
    for one in sets:
        if one.chooses.all():
            continue
        found = one.differences(variants_of(one), others_of(one) if others_of else None)
        for figure, values in found.items():
            collected[figure].append(values)
        line(one.name, *(cell(found[f]) if f in found else "–" for f in FIGURES))
    line("mean of the sets", *(cell(np.mean(collected[f], 0)) if collected[f] else "–" for f in FIGURES))


def study(title, sets, settings, shown=12):
    """Chooses, then confirms the choice for all groups, and each group's own where it differs."""
    groups = list(dict.fromkeys(one.group for one in sets))
    gains = choose(settings, sets)
    print(f"\n## {title}")
    print(f"\nMean gain on the choosing half, the best {min(shown, len(gains))} of {len(gains)} settings:")
    gains_table(gains, groups, shown)
    best = next(iter(gains))
    print(f"\nConfirming half, {best}, less shipped:")
    confirm_table(best, sets, lambda one: settings[one.name][best])
    own = {group: max(gains, key=lambda name: gains[name][group]) for group in groups}
    if len(groups) > 1:
        chosen = "; ".join(f"{group}: {name}" for group, name in own.items())
        print(f"\nConfirming half, each group's own choice ({chosen}), less shipped:")
        confirm_table("own choice", sets, lambda one: settings[one.name][own[one.group]])
    return best


def shipped_table(sets):
    print("\n## Shipped scoring with all references, all pictures")
    print("\nChance is the share of abnormal pixels and pictures.")
    head("set", "references", "normal + abnormal", *FIGURES, "chance: pixel AP, image AP")
    for one in sets:
        weights = one.weights(np.ones(len(one.labels), bool))
        found = one.figures_of([one.shipped()], weights)
        cells = [f"{v[0]:.3f} ({interval(v[1:])[0]:.3f} to {interval(v[1:])[1]:.3f})" for v in found.values()]
        cells = dict(zip(found, cells))
        counts = f"{(~one.labels).sum()} + {one.labels.sum()}"
        chance = f"{one.positive_share:.4f}, {one.labels.mean():.3f}"
        line(one.name, str(len(one.references)), counts, *(cells.get(f, "–") for f in FIGURES), chance)
    print("\nHalves: " + "; ".join(
        f"{one.name} {one.chooses.sum()} chosen on, {(~one.chooses).sum()} confirmed on" for one in sets
    ))


def check(sets):
    """Fields against golden.safetensors, whose program is another one."""
    values = golden.safe_open(golden.OUT, "np")
    for folder, (references, slices) in golden.GROUPS.items():
        stems = [Path(name).stem for name in references]
        found = {one.name: one for one in sets}
        for name in slices:
            stem = Path(name).stem
            one = found[stem.split("_")[0]]
            taken = [list(one.other["names"][one.other["reference"]]).index(reference) for reference in stems]
            n = list(one.names).index(stem)
            off = np.abs(one.distances(taken)[n] - values.get_tensor(f"{stem}.d")).max()
            sides_off = np.abs(one.sides[n] / SIDES_WEIGHT - values.get_tensor(f"{stem}.s")).max()
            pixels = to_maps(one.shipped(taken)[[n]]).reshape(SIDE, SIDE)[2::4, 2::4]
            map_off = np.abs(pixels - values.get_tensor(f"{stem}.bilateral")).max()
            assert max(off, sides_off, map_off) < 1e-3, (stem, off, sides_off, map_off)


def sizes_table(sets, components):
    """Bytes of a file of 16-bit floats: mean and components, against all tokens of the references."""
    head("set", "memory", *(name for name in components[sets[0].name]))
    for one in sets:
        memory = one.references.size * 2
        dims = {"joint": 2 * one.references.shape[-1], "by level": one.references.shape[-1]}
        cells = []
        for name, ranks in components[one.name].items():
            size = sum((rank + 1) * dims[name.split(",")[0]] * 2 for rank in ranks)
            cells.append(f"{'+'.join(map(str, ranks))}: {size:,}")
        line(one.name, f"{memory:,}", *cells)


def report_likeness(sets, settings):
    best = study("References by likeness", sets, settings)
    way = best.split(" by ")[1]
    for n in (1, 2, 4, 8):
        name = f"{n} by {way}"
        if name != best:
            print(f"\nConfirming half, not chosen: {name}, less shipped:")
            confirm_table(name, sets, lambda one: settings[one.name][name])
        print(f"\nConfirming half, {name}, less {n} at random (mean of {RANDOM_DRAWS} draws):")
        confirm_table(name, sets, lambda one: settings[one.name][name], lambda one: at_random(one, n))


def report_subspace(sets, settings, few, few_settings):
    best = study("PCA residual", sets, settings, 16)
    alone = {name: {k: v for k, v in fields.items() if k.endswith("alone")} for name, fields in settings.items()}
    best_alone = study("PCA residual, alone", sets, alone)
    print(f"\nConfirming half, {best_alone}, less the distance alone, both without the left-right channel:")
    confirm_table(
        best_alone,
        sets,
        lambda one: [settings[one.name][best_alone][0] - one.sides],
        lambda one: [one.distances()],
    )
    print(f"\nConfirming half, {best_alone}, from all references, less the distance to 4 at random:")
    confirm_table(best_alone, sets, lambda one: settings[one.name][best_alone], lambda one: at_random(one, 4))
    for name in (best, best_alone):
        print(f"\nConfirming half, {name}, from 4 evenly spaced references, less the distance to the same 4:")
        confirm_table(name, sets, lambda one: few_settings[one.name][name], lambda one: [one.shipped(few[one.name])])


def report_place(volumes, settings):
    study("Slices at the nearest place", volumes, settings)
    for name in next(iter(settings.values())):
        n = int(name.split(" ")[0])
        print(f"\nConfirming half, {name}, less {n} evenly spaced:")
        spaced = {one.name: [one.shipped(evenly(len(one.references), n))] for one in volumes}
        confirm_table(name, volumes, lambda one: settings[one.name][name], lambda one: spaced[one.name])


def on_both_halves(sets, report, *args):
    for title in ("as drawn", "swapped"):
        print(f"\n# Halves {title}")
        report(sets, *args)
        for one in sets:
            one.swap()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("ideas", nargs="*", default=IDEAS, choices=IDEAS)
    args = parser.parse_args()
    sets = load_sets(args.cache)
    volumes = [one for one in sets if one.group == "volumes"]
    check(sets)
    if "shipped" in args.ideas:
        shipped_table(sets)
    if "neighbours" in args.ideas:
        settings = {one.name: dict(by_neighbours(one)) for one in volumes}
        on_both_halves(volumes, lambda sets: study("Neighbouring slices pooled", sets, settings))
    if "place" in args.ideas:
        on_both_halves(volumes, report_place, {one.name: dict(by_place(one)) for one in volumes})
    if "likeness" in args.ideas:
        on_both_halves(sets, report_likeness, {one.name: dict(by_likeness(one)) for one in sets})
    if "subspace" in args.ideas:
        found = {one.name: subspace_fields(one) for one in sets}
        print("\nFiles of the PCA, components and bytes:")
        sizes_table(sets, {name: components for name, (_, components) in found.items()})
        few = {one.name: evenly(len(one.references), 4) for one in sets}
        few_settings = {one.name: subspace_fields(one, few[one.name])[0] for one in sets}
        settings = {name: fields for name, (fields, _) in found.items()}
        on_both_halves(sets, report_subspace, settings, few, few_settings)


if __name__ == "__main__":
    main()
