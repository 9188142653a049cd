"""What is measured of each promise, for one seed: {row: {measure: value}}."""

import numpy as np
from contestants import Supervised, degree_corrected, fit, interpolated, references, samplers
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.manifold import Isomap
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from skmdiff.datasets import make_linked_circles, make_swiss_roll_nd, make_torus, make_von_mises_circle
from skmdiff.metrics import c2st, dcr_share, energy_distance, prdc, tangent_angle, vendi_score

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


def mode_coverage(parts, steps, seed, quick):
    """Every sampler and reference on a table with modes, in three parts: to train on, fresh, held out."""
    (train, fresh, holdout), labels = parts
    n = len(train)
    classify = KNeighborsClassifier(1).fit(np.vstack([train, fresh]), np.concatenate(labels[:2])).predict
    names = ("manifold", "permuted", "passthrough") if quick else samplers(seed)
    fitted = {name: fit(train, steps, seed, **samplers(seed)[name]) for name in names}
    rows = {"fresh rows": fresh, "copy": train, **{name: est.sample(n) for name, est in fitted.items()}}
    rows["manifold, stratified"] = fitted["manifold"].sample(n, design="stratified")
    rows.update({} if quick else references(train, n, seed))
    tables = (train, fresh, holdout), np.concatenate(labels)
    return {name: mode_measures(tables, drawn, classify, seed) for name, drawn in rows.items()}


def with_classes(X, y, steps, seed, n=500):
    """Accuracy on held-out rows of trees that learnt from samples with classes: the embedding knows the class too."""
    train, fresh, holdout = np.split(np.random.default_rng(seed).permutation(len(X))[: 3 * n], 3)

    def measures(rows, classes):
        trees = ExtraTreesClassifier(random_state=seed).fit(rows, classes)
        return {
            "accuracy": trees.score(X[holdout], y[holdout]),
            "coverage": prdc(X[holdout], rows).coverage,
            "C2ST with the class": c2st(
                np.column_stack([X[holdout], y[holdout]]),
                np.column_stack([rows, classes]),
                categorical_features=[X.shape[1]],
                random_state=seed,
            ),
            "nearer to train": dcr_share(X[train], X[holdout], rows, random_state=seed),
        }

    variants = samplers(seed, Supervised(y[train], seed))
    names = ("manifold", "charts of the table", "permuted", "passthrough")
    out = {"training rows": measures(X[train], y[train]), "fresh rows": measures(X[fresh], y[fresh])}
    for key in names:
        out[key] = measures(*fit(X[train], steps, seed, y=y[train], **variants[key]).sample(n, return_y=True))
    out["PCA"] = measures(*fit(X[train], steps, seed, y=y[train]).sample(n, return_y=True))
    return out


# ---- diversity --------------------------------------------------------------------------------------------------


LEARNERS = {"PCA": None, "Isomap": Isomap(n_neighbors=10), "t-SNE": "tsne", "UMAP": "umap"}


def diversity(steps, seed, quick):
    """Modes met by twelve rows of twelve equal modes, by each design and manifold learner."""
    X, label = make_blobs(600, 5, centers=12, cluster_std=0.1, center_box=(-9, 9), random_state=seed)
    mode_of = KNeighborsClassifier(1).fit(X, label).predict

    def met(est, design):
        drawn = (est.sample(12, design=design, random_state=k) for k in range(50))
        return {"modes of 12": np.mean([len(np.unique(mode_of(rows))) for rows in drawn])}

    fitted = {name: fit(X, steps, seed, manifold=LEARNERS[name]) for name in (("PCA",) if quick else LEARNERS)}
    return {f"{name}, {design}": met(est, design) for name, est in fitted.items() for design in ("iid", "stratified")}


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
    """Distance to a surface and tilt of tangent planes: of clean rows by default, of noisy ones with `noise_level`."""
    make, noise, curled = SURFACES[name]
    toy = make(3 * n, noise if noisy else 0.0, seed)
    train, fresh, holdout = np.split(toy.data, 3)
    learner = Isomap(n_neighbors=10) if noisy and curled else None
    names = ("manifold", "charts of the table", "permuted", "random projection", "passthrough")
    names = names if learner is not None and not quick else ("manifold", "passthrough")
    numeric = "standard" if noisy else "auto"  # noise in the units of the columns
    rows = {"training rows": train, "fresh rows": fresh}
    for key in names:
        known = noise if noisy and key != "passthrough" else None
        own = samplers(seed, learner)[key]
        rows[key] = fit(train, steps, seed, **own, noise_level=known, numeric=numeric).sample(n)
    rows.update({"SMOTE": interpolated(train, n, seed)} if quick else references(train, n, seed))
    d = 1 if name.startswith("linked") else 2
    return {
        k: {
            "distance": toy.distance(drawn).mean(),
            "95 % within": np.quantile(toy.distance(drawn), 0.95),
            "tangent angle": np.degrees(tangent_angle(toy.clean[-n:], drawn, n_components=d, random_state=seed)),
            "coverage": prdc(holdout, drawn).coverage,
        }
        for k, drawn in rows.items()
    }


def noisy_table(X, noise, steps, seed, n=500):
    """A real table to which noise is added, beside its clean rows: the manifold has fewer dimensions than the table."""
    train, fresh, holdout = np.split(X[np.random.default_rng(seed).permutation(len(X))[: 3 * n]], 3)
    noised = train + noise * np.random.default_rng(seed).standard_normal(train.shape)
    names = ("manifold", "charts of the table", "permuted")
    variants = {name: samplers(seed, Isomap(n_neighbors=10, n_components=4))[name] for name in names}
    variants["PCA"] = dict(manifold=PCA(4))
    rows = {"noised training rows": noised, "fresh rows, clean": fresh}
    rows |= {k: fit(noised, steps, seed, noise_level=noise, **own).sample(n) for k, own in variants.items()}
    rows["passthrough"] = fit(noised, steps, seed, manifold="passthrough").sample(n)
    found = {name: (prdc(holdout, drawn), energy_distance(holdout, drawn)) for name, drawn in rows.items()}
    return {k: {"coverage": a.coverage, "precision": a.precision, "energy distance": b} for k, (a, b) in found.items()}


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


def exploration(X, coordinates, bins, steps, seed):
    """Divergence from uniform, and bins met by as many rows as bins, over the coordinates (n, d) of rows."""
    est = fit(X, steps, seed)
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

    return {
        "data, iid": measures(lambda n, k: est.sample(n, random_state=k)),
        "SUGAR-like": measures(lambda n, k: degree_corrected(X, n, seed + 1000 * k)),
        "uniform, iid": measures(lambda n, k: est.sample(n, density="uniform", random_state=k)),
        "uniform, stratified": measures(
            lambda n, k: est.sample(n, density="uniform", design="stratified", random_state=k)
        ),
        "explore": measures(lambda n, k: est.explore(n, random_state=k)),
    }


def circle(steps, seed):
    """A circle with von Mises density."""
    X = make_von_mises_circle(1000, random_state=seed).data
    return exploration(X, circle_coordinates, (40,), steps, seed)


def roll(steps, seed):
    """A swiss roll whose density falls outwards."""
    uneven = uneven_roll(1000, seed)
    return exploration(uneven.data, roll_coordinates(uneven.frame), (10, 4), steps, seed)
