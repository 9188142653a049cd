"""Scorers in the searches of scikit-learn: alone, several, halving; pipelines; what has no rows to score."""

import pickle

import numpy as np
import pytest
from metric_tables import mixed
from sklearn.base import BaseEstimator, clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, KFold, cross_val_score
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skmdiff import ManifoldDiffusionSampler, make_sampler_pipeline, metrics

SCORERS = sorted(name for name in metrics.__all__ if name.endswith("_scorer") and not name.startswith("make"))
ENERGY = metrics.make_sampler_scorer(metrics.energy_distance, greater_is_better=False)


class Bootstrap(BaseEstimator):
    """Draws training rows again: mixed tables in, mixed tables out; some cells of a column are drawn anew."""

    def __init__(self, share_shuffled=0.0):
        self.share_shuffled = share_shuffled

    def fit(self, X, y=None):
        self.rows_ = X
        return self

    def sample(self, n_samples=1, random_state=None):
        rng = np.random.RandomState(random_state)
        rows = self.rows_[rng.randint(len(self.rows_), size=n_samples)]
        n_new = int(self.share_shuffled * n_samples)
        for j in range(rows.shape[1]):
            rows[:n_new, j] = rng.permutation(rows[:n_new, j])
        return rows


def moons(n_samples, seed):
    rng = np.random.RandomState(seed)
    angle = np.pi * rng.uniform(size=n_samples)
    side = np.where(rng.uniform(size=n_samples) < 0.5, 1, -1)
    rows = np.column_stack([side * np.cos(angle) + (side < 0), side * np.sin(angle) + (side < 0) / 2])
    return rows + 0.05 * rng.normal(size=rows.shape)


def test_a_scorer_is_the_signed_measure_of_as_many_drawn_rows():
    real = moons(200, 0)
    sampler = KernelDensity(bandwidth=0.1).fit(moons(200, 1))
    scorer = metrics.make_sampler_scorer(metrics.energy_distance, greater_is_better=False, random_state=3)
    rng = np.random.RandomState(3)
    rows = sampler.sample(200, random_state=rng.randint(2**31))
    assert scorer(sampler, real) == pytest.approx(-metrics.energy_distance(real, rows))
    more = metrics.make_sampler_scorer(len_of_second, greater_is_better=True, n_samples=7)
    assert more(sampler, real) == 7
    assert scorer(sampler, real.tolist()) == scorer(sampler, real)


def len_of_second(real, synthetic):
    return len(synthetic)


@pytest.mark.parametrize("name", SCORERS)
def test_each_scorer_prefers_what_is_better_is_repeatable_and_pickles(name):
    scorer, table = getattr(metrics, name), mixed(200, 0)
    good, bad = Bootstrap().fit(table), Bootstrap(share_shuffled=1.0).fit(table)
    held_out = mixed(120, 1)
    scores = [scorer(sampler, held_out) for sampler in (good, bad)]
    assert scores[0] > scores[1]
    assert pickle.loads(pickle.dumps(scorer))(good, held_out, y=np.zeros(120)) == scores[0]
    assert "greater_is_better=" in repr(scorer)


def test_a_search_finds_the_bandwidth_with_several_scorers_at_once():
    rows = moons(120, 0)
    grid = {"bandwidth": [0.001, 0.05, 1.0]}
    several = {
        "detection": metrics.detection_scorer,
        "coverage": metrics.coverage_scorer,
        "energy": ENERGY,
        "utility": metrics.utility_scorer,
        "privacy": metrics.make_privacy_scorer(rows),
    }
    cv = KFold(2, shuffle=True, random_state=0)
    search = GridSearchCV(KernelDensity(), grid, scoring=several, refit="detection", cv=cv).fit(rows)
    means = {name: search.cv_results_[f"mean_test_{name}"] for name in several}
    assert all(np.isfinite(mean).all() for mean in means.values())
    for name in ("detection", "coverage", "energy", "utility"):
        assert means[name].argmin() == 2, name
    # copies are the nearest to the training rows, and no other score says so
    assert means["privacy"].argmin() == 0
    assert search.best_params_["bandwidth"] in (0.001, 0.05)
    alone = GridSearchCV(KernelDensity(), grid, scoring=ENERGY, cv=cv).fit(rows)
    assert (alone.cv_results_["mean_test_score"] == means["energy"]).all()


def test_halving_search():
    search = HalvingGridSearchCV(
        KernelDensity(),
        {"bandwidth": [0.01, 0.05, 1.0, 3.0]},
        scoring=ENERGY,
        cv=KFold(3, shuffle=True, random_state=0),
        random_state=0,
    ).fit(moons(400, 0))
    assert search.best_params_["bandwidth"] < 1
    assert search.n_iterations_ > 1


@pytest.mark.slow
@pytest.mark.parametrize(("resource", "least", "most"), [("n_samples", 30, 60), ("max_iter", 2, 4)])
def test_halving_search_of_a_sampler(resource, least, most):
    """By rows or by steps of training, alone by its own score."""
    quick = ManifoldDiffusionSampler(
        manifold="passthrough", max_iter=2, hidden_layer_sizes=(8,), n_steps=3, random_state=0
    )
    grid = {"sigma_start": [1.0, 3.0]}
    search = HalvingGridSearchCV(
        quick,
        grid,
        resource=resource,
        min_resources=least,
        max_resources=most,
        factor=2,
        cv=KFold(2, shuffle=True, random_state=0),
        error_score="raise",
        random_state=0,
    )
    search.fit(moons(60, 0))
    assert search.n_resources_ == [least, 2 * least] and search.n_candidates_ == [2, 1]
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_rows_and_labels_of_a_mixture_without_a_seed_of_its_own():
    rows = moons(300, 0)
    mixtures = [GaussianMixture(k, random_state=0).fit(rows) for k in (1, 12)]
    scores = [ENERGY(mixture, moons(300, 1)) for mixture in mixtures]
    assert scores[0] < scores[1]


def test_a_pipeline_is_compared_where_its_last_step_samples():
    rows, held_out = 100 * moons(200, 0), 100 * moons(200, 1)
    scaler = StandardScaler().fit(rows)
    sampler = KernelDensity(bandwidth=0.1).fit(scaler.transform(rows))
    pipeline = make_pipeline(StandardScaler(), KernelDensity(bandwidth=0.1)).fit(rows)
    expected = ENERGY(sampler, scaler.transform(held_out))
    assert ENERGY(pipeline, held_out) == expected
    assert ENERGY(make_pipeline(sampler), scaler.transform(held_out)) == expected
    search = GridSearchCV(
        clone(pipeline), {"kerneldensity__bandwidth": [0.05, 2.0]}, scoring=metrics.make_privacy_scorer(rows), cv=3
    ).fit(rows)
    assert search.best_params_["kerneldensity__bandwidth"] == 2.0


def test_what_cannot_be_scored_is_refused():
    rows = moons(20, 0)
    with pytest.raises(TypeError, match="must have a method sample, or be a Pipeline .* got StandardScaler"):
        ENERGY(StandardScaler(), rows)
    with pytest.raises(TypeError, match="must have a method sample, or be a Pipeline .* got Pipeline"):
        ENERGY(make_pipeline(StandardScaler()), rows)
    levels = np.array([["a"], ["b"]] * 5)
    encoder = OneHotEncoder().fit(levels)
    sparse = make_pipeline(encoder, KernelDensity().fit(encoder.transform(levels).toarray()))
    with pytest.raises(TypeError, match="a table must be dense"):
        ENERGY(sparse, levels)


def test_the_privacy_scorer_takes_the_other_rows_for_the_training_rows():
    table = mixed(300, 0)
    table[:2] = table[2:4]  # doubles are taken off once for each time that they are held out
    train, held_out = table[100:], table[:100]
    sampler = Bootstrap().fit(train)
    scorer = metrics.make_privacy_scorer(table, metric=metrics.memorisation_excess)
    rng = np.random.RandomState(0)
    rows = sampler.sample(100, random_state=rng.randint(2**31))
    assert scorer(sampler, held_out) == pytest.approx(-metrics.memorisation_excess(train, held_out, rows))
    copies = metrics.make_privacy_scorer(table, metric=metrics.dcr_ratio, greater_is_better=True, n_samples=50)
    assert copies(sampler, held_out) == 0
    with pytest.raises(ValueError, match="table must hold the 100 held-out rows .* got 300 rows without 100 of them"):
        copies(sampler, mixed(100, 1))
    with pytest.raises(ValueError, match="and training rows too, got 300 rows without 0 of them"):
        copies(sampler, table)


def test_frames_are_scored_like_arrays():
    pandas = pytest.importorskip("pandas")
    table, held_out = mixed(150, 0), mixed(80, 1)
    frames = [pandas.DataFrame(part).astype({0: float, 1: float, 2: "category"}) for part in (table, held_out)]
    sampler = Bootstrap().fit(table)
    assert ENERGY(sampler, frames[1]) == pytest.approx(ENERGY(sampler, held_out))
    both = pandas.concat([frames[0], frames[1]], ignore_index=True)
    privacy = [metrics.make_privacy_scorer(part) for part in (both, np.vstack([table, held_out]))]
    assert privacy[0](sampler, frames[1]) == pytest.approx(privacy[1](sampler, held_out))


@pytest.mark.slow
def test_the_sampler_of_this_package_is_searched():
    from skmdiff import ManifoldDiffusionSampler

    sampler = ManifoldDiffusionSampler(max_iter=200, random_state=0)
    scores = cross_val_score(sampler, mixed(300, 0), scoring=metrics.coverage_scorer, cv=3)
    assert (scores > 0.5).all()


def test_a_pipeline_that_samples_draws_the_same_rows_for_the_same_seed():
    rows = moons(60, 0)
    pipeline = make_sampler_pipeline(StandardScaler(), ManifoldDiffusionSampler(max_iter=5)).fit(rows)
    assert ENERGY(pipeline, rows) == ENERGY(pipeline, rows)
