"""The mixture on the manifold in the sampler: fits without training, the start, the prior, the choice of a manifold."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rare_rule import follows_rule, rare_rule
from scipy import stats
from scipy.integrate import trapezoid
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.manifold import Isomap

from skmdiff import ManifoldDiffusionSampler
from skmdiff._diffusion import density, load_backend
from skmdiff._sampler.exploration import reverse_states
from skmdiff._sampler.model import Request, plan_of, run_of
from skmdiff._starts import from_mixture

X, Y = load_wine(return_X_y=True)
FRAME = pd.DataFrame(X[:, :5], columns=list("abcde")).assign(kind=pd.Categorical(np.array(["u", "v", "w"])[Y]))


@pytest.fixture
def from_the_mixture(monkeypatch):
    """Fits start from the mixture, whatever rows held out say."""
    monkeypatch.setattr(from_mixture, "is_surely_positive", lambda gain, weight: True)


def instant(**parameters):
    return ManifoldDiffusionSampler(**{"max_iter": 0, "random_state": 0, **parameters})


def test_a_fit_without_training_knows_means_covariances_and_shares():
    """4000 samples of 178 rows: errors of the fit, not of the draw, so the bounds are those of the rows' errors."""
    est = instant().fit(FRAME)
    new, old = est.sample(4000), FRAME
    assert est.n_iter_ == 0 and est.loss_curve_ == [] and est.validation_loss_curve_ == []
    numbers = list("abcde")
    scale = old[numbers].std() / np.sqrt(len(old))
    assert ((new[numbers].mean() - old[numbers].mean()).abs() < 2 * scale).all()
    np.testing.assert_allclose(new[numbers].corr(), old[numbers].corr(), atol=0.15)
    shares = [rows["kind"].value_counts(normalize=True).sort_index() for rows in (new, old)]
    np.testing.assert_allclose(*shares, atol=0.03)


@pytest.mark.slow
def test_the_untrained_denoiser_samples_the_mixture(from_the_mixture):
    """Starts of the mixture and a denoiser that is its posterior mean: the reverse process stays in its law."""
    rng = np.random.default_rng(0)
    centres = np.array([[-2.0, 0.0], [2.0, 1.0]])
    rows = centres[rng.integers(2, size=300)] + rng.normal(size=(300, 2)) @ np.array([[0.5, 0.2], [0.0, 0.3]])
    est = instant(numeric="standard", n_steps=64).fit(rows)
    model = est._model
    assert model.mixture_starts is not None
    drawn = model.mixture_starts.draw(rng.random((4000, model.mixture_starts.n_draws)))
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    sampled = (est.sample(4000) - mean) / scale
    for j in range(2):
        # two samples of 4000: a difference of .05 between the distributions is seen with a probability above .9
        assert stats.ks_2samp(sampled[:, j], drawn[:, j]).pvalue > 1e-3
    assert abs(np.corrcoef(sampled.T)[0, 1] - np.corrcoef(drawn.T)[0, 1]) < 0.05


def test_the_density_of_a_fit_without_training_has_the_mass_one():
    rng = np.random.default_rng(1)
    rows = np.concatenate([rng.normal(-2, 0.5, 150), rng.normal(1, 1, 150)])[:, None]
    est = instant(numeric="standard").fit(rows)
    x = np.linspace(-9, 9, 901)
    density = np.exp(est.score_samples(x[:, None]))
    assert abs(trapezoid(density, x) - 1) < 0.02
    mixture = 0.5 * (stats.norm.pdf(x, -2, 0.5) + stats.norm.pdf(x, 1, 1))
    assert np.abs(density - mixture).max() < 0.1


def test_the_closed_form_is_where_the_flow_leads(from_the_mixture, monkeypatch):
    """Of whole rows and rows with missing cells, with a target that is not seen; 32 steps are off by .01 or so."""
    holes = FRAME.mask(np.random.default_rng(0).random(FRAME.shape) < 0.1).iloc[:20]
    est = instant().fit(FRAME, Y)
    assert est._model.mixture_starts is not None and est._model.denoiser.is_its_prior
    closed = [est.score_samples(rows) for rows in (FRAME[:20], holes)]
    monkeypatch.setattr(type(est._model.denoiser), "is_its_prior", False)
    flow = [est.score_samples(rows) for rows in (FRAME[:20], holes)]
    np.testing.assert_allclose(closed, flow, atol=0.05)
    assert np.std(flow[0]) > 1


@pytest.mark.parametrize("parameters", [{"max_iter": 20}, {"max_iter": 20, "manifold_weight": 0.5}, {"n_neighbors": 0}])
def test_the_flow_takes_the_part_of_the_mixture_in_closed_form(parameters, monkeypatch):
    """As if the whole denoiser were differentiated, with missing cells and a target that is not seen."""
    est = instant(hidden_layer_sizes=(8,), **parameters).fit(FRAME, Y)
    rows = FRAME.mask(np.random.default_rng(0).random(FRAME.shape) < 0.1).iloc[:20]
    by_parts = est.score_samples(rows)
    monkeypatch.setattr(
        density.NumbersFlow, "_with_diagonal", lambda self, *arguments: self._by_network(self.model, *arguments)
    )
    np.testing.assert_allclose(by_parts, est.score_samples(rows), rtol=1e-9)


def test_a_trained_network_and_a_half_weight_are_not_the_mixture_alone():
    for parameters in ({"max_iter": 5}, {"manifold_weight": 0.5}, {"manifold": "passthrough"}):
        assert not instant(**parameters).fit(FRAME)._model.denoiser.is_its_prior


def test_a_wide_column_is_not_of_the_mixture():
    many = FRAME.assign(name=pd.Categorical([f"n{i % 80}" for i in range(len(FRAME))]))
    assert not instant().fit(many)._model.denoiser.is_its_prior


@pytest.mark.parametrize("max_iter", [0, 20])
def test_rows_from_components_keep_the_laws(max_iter, from_the_mixture):
    est = instant(max_iter=max_iter, hidden_layer_sizes=(8,)).fit(FRAME.drop(columns="kind"), FRAME["kind"])
    assert est._model.mixture_starts is not None
    rows = est.sample(1100)  # more than are drawn at a time
    pd.testing.assert_frame_equal(est.sample(30), rows[:30])
    pd.testing.assert_frame_equal(est.set_params(n_jobs=2).sample(1100), rows)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(est)).sample(1100), rows)
    new, y = est.sample(200, y="w", return_y=True)
    assert set(y) == {"w"}
    of_class = FRAME[FRAME["kind"] == "w"].drop(columns="kind")
    error = of_class.std() / np.sqrt(len(of_class))
    assert ((new.mean() - of_class.mean()).abs() < 5 * error).all()
    _, y = est.sample(400, density="balanced", return_y=True)
    assert min(np.unique(y, return_counts=True)[1]) > 90
    conditioned = est.sample(50, conditions={"a": (13.0, None)})
    assert (conditioned["a"] >= 13).all()


def test_rows_start_from_the_mixture_at_a_higher_level_than_from_rows(from_the_mixture):
    est = instant().fit(FRAME, Y)
    model, run = est._model, run_of(est._model, 2, 0, None)
    assert est.sigma_start_ == model.mixture_starts.level == from_mixture.START_LEVEL > model.sigma_start

    def level(**asked):
        return plan_of(model, Request(4, **asked), run).process_of(run.process).sigma_start

    of_class = model.target.encode(np.array([1, 1, 2, 2]))
    assert level() == level(wanted=of_class) == est.sigma_start_
    assert level(design="stratified") == level(density="uniform") == level(density="balanced") == model.sigma_start
    levels, states = reverse_states(model, 4, run)
    assert levels[0] == est.sigma_start_ and states.shape[1] == len(levels)


def test_the_level_that_is_asked_for_is_that_of_all_starts(from_the_mixture):
    model = instant(sigma_start=0.5, max_iter=2).fit(FRAME)._model
    assert model.mixture_starts.level == model.sigma_start == model.start_level == model.denoiser.sigma_max == 0.5


def test_the_denoiser_is_trained_up_to_the_level_of_the_starts(from_the_mixture):
    assert instant(max_iter=2).fit(FRAME)._model.denoiser.sigma_max == from_mixture.START_LEVEL
    model = instant(max_iter=2, n_neighbors=0).fit(FRAME)._model
    assert model.denoiser.sigma_max == model.sigma_start == model.start_level < from_mixture.START_LEVEL


@pytest.mark.slow
def test_a_rule_of_categories_that_no_component_knows_is_learnt():
    """Plain diffusion knows it in .27 and .42 of the rows of the class; with categories fixed at the start .08 and .06.

    The standard error of a draw is below .02.
    """
    followed = []
    for seed in (0, 1):
        est = ManifoldDiffusionSampler(random_state=seed).fit(*rare_rule(seed))
        assert est._model.mixture_starts is not None
        new, is_rare = est.sample(20_000, return_y=True, random_state=1)
        followed.append(follows_rule(new[is_rare]).mean())
    assert np.mean(followed) > 0.18


def test_starts_are_rows_where_that_is_asked_for():
    assert instant(n_neighbors=0).fit(FRAME)._model.mixture_starts is None
    assert instant(max_iter=2, manifold_weight=0).fit(FRAME)._model.mixture_starts is None


def test_no_weight_no_mixture():
    for parameters in ({"manifold_weight": 0}, {"manifold": "passthrough"}):
        assert instant(**parameters).fit(FRAME)._model.denoiser.prior is None
    assert instant(manifold_weight=0.5).fit(FRAME)._model.denoiser.prior.weight == 0.5


def test_a_network_that_harms_is_left_out():
    """Held-out rows compare what training made with what was there before it."""
    est = ManifoldDiffusionSampler(max_iter=40, learning_rate_init=50.0, random_state=0)
    with pytest.warns(ConvergenceWarning, match="grew out of bounds"):
        est.fit(FRAME)
    weights = est._model.denoiser.weights
    assert not weights["leave.weight"].any()
    assert all(np.isfinite(value).all() for value in weights.values())
    assert est._model.denoiser.prior is not None


class Noise(TransformerMixin, BaseEstimator):
    """An embedding that knows nothing."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.random.default_rng(0).normal(size=(len(X), 2))


def test_the_best_of_a_list_of_manifolds_is_kept():
    est = instant(manifold=[Noise(), PCA(2), Isomap(n_components=2)]).fit(X)
    assert est.manifold_scores_.shape == (3,)
    assert est.manifold_scores_[0] < est.manifold_scores_[1:].min()
    assert type(est.manifold_) is type([Noise(), PCA(2), Isomap()][np.argmax(est.manifold_scores_)])
    alone = instant(manifold=PCA(2)).fit(X)
    np.testing.assert_allclose(alone.manifold_scores_, est.manifold_scores_[1:2])


@pytest.mark.parametrize("manifold", [[], ["passthrough"], [None, "unap"]])
def test_lists_of_manifolds_are_checked(manifold):
    with pytest.raises(ValueError, match="a list must hold transformers|in a list of manifolds must be one of"):
        instant(manifold=manifold).fit(X)


def test_weights_of_rows_reach_the_mixture():
    """A class of ten times the weight has ten times the share."""
    weight = np.where(Y == 0, 10.0, 1.0)
    shares = instant().fit(FRAME, sample_weight=weight).sample(4000)["kind"].value_counts(normalize=True)
    expected = 10 * np.mean(Y == 0) / (10 * np.mean(Y == 0) + np.mean(Y != 0))
    assert abs(shares["u"] - expected) < 0.05


@pytest.mark.slow
def test_missing_cells_and_unknown_columns():
    """The fraction missing within seven standard errors of the 6000 cells drawn."""
    frame = FRAME[["a", "b", "kind"]]
    holes = frame.mask(np.random.default_rng(0).random(frame.shape) < 0.15)
    est = instant().fit(holes)
    assert abs(est.sample(2000).isna().mean().mean() - holes.isna().mean().mean()) < 0.03
    assert np.isfinite(est.score_samples(holes)).all()


def test_the_door_takes_a_prior():
    assert load_backend().Prior is type(instant().fit(FRAME)._model.denoiser.prior)


@pytest.fixture(scope="module")
def noisy_answers():
    """Two classes, and six columns that say the same of something else."""
    rng = np.random.default_rng(0)
    n = 600
    y, seen = rng.integers(2, size=(2, n))
    answers = np.where(rng.random((n, 6)) < 0.9, seen[:, None], 1 - seen[:, None])
    return pd.DataFrame(answers.astype(str), columns=list("abcdef")), y


def test_categories_go_by_the_mixture_as_far_as_rows_held_out_do(noisy_answers):
    """The class is pooled with its shares; without training the mixture is all there is."""
    table, y = noisy_answers
    trained = ManifoldDiffusionSampler(max_iter=1, random_state=0).fit(table, y)
    prior = trained._model.denoiser.prior
    assert prior.category_weights.shape == (7,)
    assert (prior.category_weights[:6] > 0.7).all()
    assert prior.category_weights[6] < 0.8
    assert (instant().fit(table, y)._model.denoiser.prior.category_weights == 1).all()


@pytest.mark.parametrize("w", [0.0, 0.4])
def test_the_denoiser_pools_categories_by_their_weights(noisy_answers, w):
    """Probabilities of a denoiser whose network says nothing, by hand."""
    table, y = noisy_answers
    state = instant().fit(table, y)._model.denoiser
    weights = np.where(np.arange(7) == 6, w, 1.0)
    pooled = replace(state, prior=replace(state.prior, category_weights=weights))
    rows = np.random.default_rng(0).integers(2, size=(20, 7))
    W = np.hstack([block.codes[k] for block, k in zip(state.blocks, rows.T, strict=True)])

    def probabilities(of, column):
        block = of.blocks[column]
        unknown = W.copy()
        unknown[:, block.start : block.stop] = np.nan
        return load_backend().probabilities(of, unknown)[column]

    expected = probabilities(state, 6) ** w * state.blocks[6].frequencies ** (1 - w)
    np.testing.assert_allclose(probabilities(pooled, 6), expected / expected.sum(axis=1, keepdims=True), rtol=1e-6)
    np.testing.assert_allclose(probabilities(pooled, 0), probabilities(state, 0), rtol=1e-6)
    assert state.is_its_prior
    assert not pooled.is_its_prior


def test_the_mixture_has_the_shares_of_all_rows_those_held_out_too():
    rng = np.random.default_rng(3)
    kind = rng.choice(["a", "b", "c"], size=300, p=[0.6, 0.35, 0.05])
    table = pd.DataFrame({"x": rng.normal(size=300), "kind": kind})
    est = ManifoldDiffusionSampler(max_iter=5, validation_fraction=0.3, random_state=0).fit(table)
    mixture = est._model.denoiser.prior.mixture
    expected = table["kind"].value_counts(normalize=True).sort_index()
    np.testing.assert_allclose(mixture.weights @ mixture.shares_by_column[0], expected, atol=1e-6)


def test_rows_held_out_count_by_weight_where_starts_are_chosen(monkeypatch):
    counted = []
    monkeypatch.setattr(from_mixture, "is_surely_positive", lambda gain, weight: counted.append(weight))
    rows, weight = np.random.default_rng(0).normal(size=(100, 2)), np.linspace(1, 2, 100)
    instant().fit(rows, sample_weight=weight)
    instant().fit(rows)
    assert len(np.unique(counted[0])) == len(counted[0]) == 60  # of each row that is held out its own
    np.testing.assert_allclose(counted[0].max() / counted[0].min(), 2, rtol=0.2)
    assert counted[1] is None
