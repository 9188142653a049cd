"""What is measured of each promise, for one seed: {row: {measure: value}}."""

import numpy as np
from contestants import at_memorisation, degree_corrected, fit, fit_together, interpolated, references, starts
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from sklearn.datasets import make_blobs
from sklearn.manifold import Isomap
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor, NearestNeighbors

from skmdiff.datasets import make_linked_circles, make_swiss_roll_nd, make_torus, make_von_mises_circle
from skmdiff.metrics import c2st, dcr_share, prdc, tangent_angle, vendi_score

LEVELS = (0.2, 0.3, 0.4, 0.55, 0.75, 1.0, 1.4, 2.0)  # noise levels of "rows", to find equal memorisation

# ---- mode coverage ----------------------------------------------------------------------------------------------


def mode_measures(parts, rows, classify, seed):
    """Closeness to held-out rows, memorisation, and the fractions of the modes against those of all rows."""
    (train, _, holdout), label = parts
    true = np.bincount(label) / len(label)
    share = np.bincount(classify(rows), minlength=len(true)) / len(rows)
    rare = np.argsort(true)[: max(1, len(true) // 5)]
    near = prdc(holdout, rows)
    return {
        "coverage": near.coverage,
        "precision": near.precision,
        "C2ST": c2st(holdout, rows, random_state=seed),
        "nearer to train": dcr_share(train, holdout, rows, random_state=seed),
        "KL of modes": np.sum(true * np.log(np.maximum(true, 1e-12) / np.maximum(share, 0.5 / len(rows)))),
        "rarest modes": rare_recall(parts[0], classify, rows, rare),
        "Vendi": vendi_score(rows, reference=train, random_state=seed)
        / vendi_score(holdout, reference=train, random_state=seed),
    }


def rare_recall(tables, classify, rows, rare):
    """Fraction of the held-out rows of the rarest fifth of modes that are as near to a row as to the 5th real one."""
    train, _, holdout = tables
    few = holdout[np.isin(classify(holdout), rare)]
    if not len(few):
        return np.nan
    scale = np.maximum(train.std(axis=0), 1e-9)
    radius = NearestNeighbors(n_neighbors=5).fit(holdout / scale).kneighbors(few / scale)[0][:, -1]
    nearest = NearestNeighbors(n_neighbors=1).fit(rows / scale).kneighbors(few / scale)[0][:, 0]
    return np.mean(nearest <= radius)


def mode_coverage(parts, steps, seed, quick, truth=None):
    """Every sampler and reference on a table with modes, in three parts: to train on, fresh, held out."""
    (train, fresh, holdout), labels = parts
    n = len(train)
    classify = KNeighborsClassifier(1).fit(np.vstack([train, fresh]), np.concatenate(labels[:2])).predict
    variants = starts(seed, truth=truth)
    if quick:
        variants = {name: variants[name] for name in ("manifold", "permuted", "rows")}
    fitted = fit_together(train, steps, seed, variants)
    rows = {"fresh rows": fresh, "copy": train, **{name: est.sample(n) for name, est in fitted.items()}}
    rows["manifold, stratified"] = fitted["manifold"].sample(n, design="stratified")

    def memorised(drawn):
        return dcr_share(train, holdout, drawn, random_state=seed)

    wide = fit(train, steps, seed, n_neighbors=0, sigma_start=max(LEVELS))
    rows["rows, at equal memorisation"] = at_memorisation(wide, n, memorised, memorised(rows["manifold"]), LEVELS)
    rows["passthrough"] = fit(train, steps, seed, manifold="passthrough").sample(n)
    rows["mixture alone"] = fit(train, 0, seed).sample(n)
    rows["no mixture"] = fit(train, steps, seed, manifold_weight=0).sample(n)
    rows.update({} if quick else references(train, n, seed))
    tables = (train, fresh, holdout), np.concatenate(labels)
    return {name: mode_measures(tables, drawn, classify, seed) for name, drawn in rows.items()}


def rare_categories(frame, steps, seed, most=0.01, least=5):
    """Categories that at most 1 % of the rows have: how many of them samples have, and how often beside the table."""
    half = len(frame) // 2
    order = np.random.default_rng(seed).permutation(len(frame))
    train, fresh = frame.iloc[order[:half]], frame.iloc[order[half:]]
    rare = [
        (column, category)
        for column in frame.select_dtypes("category")
        for category, count in train[column].value_counts().items()
        if least <= count <= most * half
    ]

    def measures(rows):
        counts = np.array([[np.sum(table[column] == category) for table in (train, rows)] for column, category in rare])
        return {
            "categories met": np.mean(counts[:, 1] > 0),
            "fraction sampled": counts[:, 1].sum() / counts[:, 0].sum(),
            "TV of fractions": np.abs(counts[:, 0] - counts[:, 1]).sum() / 2 / counts[:, 0].sum(),
        }

    fitted = fit_together(train, steps, seed, starts(seed))
    rows = {"fresh rows": fresh, **{name: est.sample(half) for name, est in fitted.items()}}
    rows["manifold, stratified"] = fitted["manifold"].sample(half, design="stratified")
    rows["passthrough"] = fit(train, steps, seed, manifold="passthrough").sample(half)
    return {name: measures(drawn) for name, drawn in rows.items()}


# ---- diversity --------------------------------------------------------------------------------------------------


def diversity(steps, seed):
    """Modes met by ten rows of ten equal modes, by each design."""
    X, label = make_blobs(600, 5, centers=10, cluster_std=0.1, center_box=(-9, 9), random_state=seed)
    est = fit(X, steps, seed, numeric="standard")
    mode_of = KNeighborsClassifier(1).fit(X, label).predict
    return {
        design: {
            "modes of 10": np.mean(
                [len(np.unique(mode_of(est.sample(10, design=design, random_state=k)))) for k in range(50)]
            )
        }
        for design in ("iid", "stratified")
    }


# ---- local geometry and robustness to noise ---------------------------------------------------------------------

SURFACES = {
    "roll, 10 columns": (lambda n, noise, s: make_swiss_roll_nd(n, 10, noise=noise, random_state=s), 0.15, True),
    "roll, 20 columns": (lambda n, noise, s: make_swiss_roll_nd(n, 20, noise=noise, random_state=s), 0.15, True),
    "torus, 10 columns": (lambda n, noise, s: make_torus(n, 10, noise=noise, random_state=s), 0.05, False),
    "torus, 20 columns": (lambda n, noise, s: make_torus(n, 20, noise=noise, random_state=s), 0.05, False),
    "linked circles, 10 columns": (
        lambda n, noise, s: make_linked_circles(n, 10, noise=noise, random_state=s),
        0.02,
        False,
    ),
}


def surface(name, noisy, steps, seed, quick, n=1000):
    """Distance to a surface and tilt of tangent planes; on noisy rows with `noise_level`, on clean ones contracted."""
    make, noise, curled = SURFACES[name]
    toy = make(3 * n, noise if noisy else 0.0, seed)
    train, fresh, holdout = np.split(toy.data, 3)
    own = dict(noise_level=noise) if noisy else dict(contraction=1.0)
    truth = np.column_stack([toy.t[:n, 0] ** 2 / 2, toy.t[:n, 1]]) if curled else None  # length along the spiral
    variants = starts(seed, Isomap(n_neighbors=10) if curled else None, truth)
    del variants["rows"]
    if quick:
        variants = {name: variants[name] for name in ("manifold", "permuted")}
    fitted = fit_together(train, steps, seed, {k: {**v, **own} for k, v in variants.items()}, numeric="standard")
    rows = {"training rows": train, "fresh rows": fresh, **{k: est.sample(n) for k, est in fitted.items()}}
    neither = dict(numeric="standard", contraction=0.0)
    rows["manifold, neither"] = fit(train, steps, seed, **neither, **variants["manifold"]).sample(n)
    rows["passthrough"] = fit(train, steps, seed, numeric="standard", manifold="passthrough").sample(n)
    rows.update({"SMOTE": interpolated(train, n, seed)} if quick else references(train, n, seed))
    d = 1 if name.startswith("linked") else 2
    return {
        k: {
            "distance": toy.distance(drawn).mean(),
            "95 % within": np.quantile(toy.distance(drawn), 0.95),
            "tangent angle": np.degrees(
                tangent_angle(_clean(toy, holdout, n), drawn, n_components=d, random_state=seed)
            ),
            "coverage": prdc(holdout, drawn).coverage,
        }
        for k, drawn in rows.items()
    }


def _clean(toy, holdout, n):
    return toy.clean[-len(holdout) :]


def wasserstein(real, rows, seed):
    """1-Wasserstein distance of at most 1000 rows of each: the cheapest pairing, in deviations of the real columns."""
    rng, n = np.random.RandomState(seed), min(1000, len(real), len(rows))
    a, b = (((part - real.mean(axis=0)) / real.std(axis=0))[rng.permutation(len(part))[:n]] for part in (real, rows))
    cost = cdist(a, b)
    return cost[linear_sum_assignment(cost)].mean()


def outliers(steps, seed, n=1000):
    """5 % of planted uniform rows around a torus: samples nearer to them than to a fresh row, and distance to fresh."""
    toy = make_torus(2 * n, 10, noise=0.05, random_state=seed)
    train, fresh = np.split(toy.data, 2)
    low, high = train.min(axis=0), train.max(axis=0)
    planted = np.random.default_rng(seed).uniform(low - (high - low) / 5, high + (high - low) / 5, (n // 20, 10))
    X = np.vstack([train, planted])
    to_planted, to_fresh = (NearestNeighbors(n_neighbors=1).fit(part) for part in (planted, fresh))

    def measures(rows):
        near = to_planted.kneighbors(rows)[0][:, 0] < to_fresh.kneighbors(rows)[0][:, 0]
        return {"near outliers": near.mean(), "wasserstein": wasserstein(fresh, rows, seed)}

    rows = {
        "training rows": X,
        "clean training rows": train,
        "fitted without outliers": fit(train, steps, seed, numeric="standard").sample(n),
    }
    rows["outliers left in"] = fit(X, steps, seed, numeric="standard").sample(n)
    for contamination in (0.05, "auto"):
        kept = X[LocalOutlierFactor(contamination=contamination).fit_predict(X) > 0]
        rows[f"contamination={contamination}"] = fit(kept, steps, seed, numeric="standard").sample(n)
    rows["passthrough"] = fit(X, steps, seed, numeric="standard", manifold="passthrough").sample(n)
    return {name: measures(drawn) for name, drawn in rows.items()}


# ---- exploration ------------------------------------------------------------------------------------------------


def circle_coordinates(rows):
    """(n, 1) coordinate on the circle, in [0, 1)."""
    return (np.arctan2(rows[:, 1], rows[:, 0]) / (2 * np.pi) % 1)[:, None]


def uneven_roll(n, seed):
    """A swiss roll of which the outer end has e times fewer rows than the middle, and its inner end as many more."""
    roll = make_swiss_roll_nd(6 * n, 10, random_state=seed)
    keep = np.random.default_rng(seed).random(6 * n) < np.exp(-(roll.t[:, 0] - 1.5 * np.pi) / (1.5 * np.pi))
    roll.data, roll.clean, roll.t = (part[keep][:n] for part in (roll.data, roll.clean, roll.t))
    return roll


def roll_coordinates(frame):
    """A function from rows to coordinates (n, 2) in [0, 1) on the roll in a frame, by the nearest of clean rows."""
    dense = make_swiss_roll_nd(40_000, 3, random_state=0)
    find = NearestNeighbors(n_neighbors=1).fit(dense.clean)
    t = np.linspace(1.5 * np.pi, 4.5 * np.pi, 5001)
    length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(t * np.cos(t)), np.diff(t * np.sin(t))))])

    def coordinates(rows):
        angle, height = dense.t[find.kneighbors(rows @ frame.T, return_distance=False)[:, 0]].T
        return np.column_stack([np.interp(angle, t, length / length[-1] * 0.9999), height / 21 * 0.9999])

    return coordinates


def exploration(X, coordinates, bins, steps, seed, quick, manifold=None):
    """Divergence from uniform, and bins met by as many rows as bins, over the coordinates (n, d) of rows."""
    variants = starts(seed, manifold)
    variants = {name: variants[name] for name in ("manifold",) if quick} or variants
    fitted = fit_together(X, steps, seed, variants, numeric="standard")
    n_bins = int(np.prod(bins))

    def counts_of(rows):
        index = np.ravel_multi_index(tuple((coordinates(rows) * bins).astype(int).T), bins)
        return np.bincount(index, minlength=n_bins)

    def measures(draw):
        counts = counts_of(draw(100 * n_bins, 0))
        share = counts / counts.sum()
        kl = np.sum(share[share > 0] * np.log(n_bins * share[share > 0])) - (n_bins - 1) / (2 * counts.sum())
        met = [np.sum(counts_of(draw(n_bins, k)) > 0) for k in range(1, 9)]
        return {"KL to uniform": kl, f"bins of {n_bins}": np.mean(met)}

    est = fitted["manifold"]
    out = {
        "data, iid": measures(lambda n, k: est.sample(n, random_state=k)),
        "SUGAR-like": measures(lambda n, k: degree_corrected(X, n, seed + 1000 * k)),
        "uniform, iid": measures(lambda n, k: est.sample(n, density="uniform", random_state=k)),
        "uniform, stratified": measures(
            lambda n, k: est.sample(n, density="uniform", design="stratified", random_state=k)
        ),
    }
    for name, other in fitted.items():
        label = "explore" if name == "manifold" else f"explore, {name}"
        out[label] = measures(lambda n, k, other=other: other.explore(n, random_state=k))
    return out


def circle(steps, seed, quick):
    """A circle with von Mises density."""
    X = make_von_mises_circle(1000, random_state=seed).data
    return exploration(X, circle_coordinates, (40,), steps, seed, quick)


def roll(steps, seed, quick):
    """A swiss roll whose density falls outwards."""
    uneven = uneven_roll(1000, seed)
    coordinates = roll_coordinates(uneven.frame)
    return exploration(uneven.data, coordinates, (10, 4), steps, seed, quick, Isomap(n_neighbors=10))
