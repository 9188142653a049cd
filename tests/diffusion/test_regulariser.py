"""The manifold as a term of the training loss: what it does to the hidden layer, and when it is dropped."""

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression

from skmdiff import ManifoldDiffusionSampler
from skmdiff._diffusion import backend, training
from skmdiff._sampler import fitting as _fitting
from skmdiff._table.columns import Block

BLOCKS = [Block("numeric", j, j + 1, None, f"x{j}", None) for j in range(4)]


def plan(**changes):
    values = dict(
        max_iter=400,
        batch_size=128,
        learning_rate_init=2e-3,
        sigma_min=0.01,
        sigma_max=1.0,
        conditional_share=0.1,
        ema_decay=0.99,
        n_iter_no_change=100,
        evaluate_every=100,
        max_time=None,
        target=None,
        noise=np.zeros(4),
    )
    return training.TrainingPlan(**{**values, **changes})


def table(n=500):
    """Rows of which a sine is the embedding: no linear function of the columns gives it."""
    X = np.random.default_rng(0).normal(size=(n, 4))
    return X, np.sin(3 * X[:, :1])


def hidden(state, X):
    model = backend._load(state)
    level = torch.full((len(X),), 0.02)
    return model.network(torch.as_tensor(X, dtype=torch.float32), level, level[:, None].repeat(1, 4)).numpy()


def test_the_embedding_can_be_read_from_the_hidden_layer():
    """On new rows, by a linear map: more of its variance with the term than without."""
    X, z = table()
    new, z_new = X[400:], z[400:]
    share = {}
    for weight in (0.0, 3.0):
        told = plan(latents=z[:400] if weight else None, manifold_weight=weight)
        state, _ = backend.fit_denoiser(
            lambda: X[:400],
            None,
            BLOCKS,
            backend.NetworkShape((32,), 4),
            told,
            device="cpu",
            seed=0,
            report=lambda history: None,
        )
        read = LinearRegression().fit(hidden(state, X[:400]), z[:400])
        share[weight] = read.score(hidden(state, new), z_new)
    assert share[3.0] > 0.9 > share[0.0]


def test_the_term_is_the_weighted_error_and_ends_half_way():
    X, z = table(20)
    told = plan(latents=z, manifold_weight=0.7, max_iter=10)
    term = training.ManifoldTerm(6, told, torch.Generator().manual_seed(0))
    h, index, level = torch.randn(3, 6), torch.tensor([4, 0, 7]), torch.tensor([0.01, 0.3, 3.0])
    read = h @ term.slope + term.offset
    error = ((read - torch.as_tensor(z[[4, 0, 7]])) ** 2).mean(1)
    expected = 0.7 * (error * torch.tensor([1 / (1 + (0.01 / 0.3) ** 2), 0.5, 1 / 101])).mean()
    assert float(term.at(index)(h, level).detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    assert [term.at(index) is None for _ in range(6)] == [False] * 4 + [True] * 2


def fitted(weight, **parameters):
    X, _ = table(300)
    settings = dict(max_iter=60, hidden_layer_sizes=(16,), random_state=0, manifold_weight=weight)
    return ManifoldDiffusionSampler(**{**settings, **parameters}).fit(X)


@pytest.mark.parametrize(("with_term", "kept"), [([0.5, 0.2], 0.1), ([0.5, 0.4], 0.0), ([], 0.0)])
def test_the_gate_keeps_what_the_held_out_loss_prefers(monkeypatch, with_term, kept):
    """Best loss without the term .3; the last run with it diverged before its first evaluation."""
    train = _fitting._train

    def told(sampler, encoding, sigma_start, noise, latents, *rest):
        state, history = train(sampler, encoding, sigma_start, noise, latents, *rest)
        history.validation_loss_curve = [0.4, 0.3] if latents is None else with_term
        return state, history

    monkeypatch.setattr(_fitting, "_train", told)
    est = fitted(0.1)
    assert est.manifold_weight_ == kept
    assert est.validation_loss_curve_ == (with_term if kept else [0.4, 0.3])


def test_a_term_that_drowns_the_loss_leaves_the_sampler_without():
    plain, drowned = fitted(0.0), fitted(1e6)  # of 1000 three seeds in ten are the better by chance
    assert drowned.manifold_weight_ == 0.0
    np.testing.assert_array_equal(drowned.sample(5), plain.sample(5))


def test_without_held_out_rows_or_manifold():
    assert fitted(0.1, early_stopping=False).manifold_weight_ == 0.1
    assert fitted(0.1, manifold="passthrough").manifold_weight_ == 0.0


def test_both_trainings_share_the_time():
    est = fitted(0.1, max_iter=10**6, max_time=1.0, n_iter_no_change=10**6)
    assert est.stop_reason_ == "max_time"
    seconds = []
    with pytest.MonkeyPatch.context() as patch:
        train = _fitting._train
        patch.setattr(_fitting, "_train", lambda *told: seconds.append(told[-1]) or train(*told))
        fitted(0.1, max_time=1.0)
        fitted(0.0, max_time=1.0)
    assert seconds == [0.5, 0.5, 1.0]


def test_an_interrupt_ends_the_first_training_and_starts_no_second(monkeypatch):
    runs, train = [], _fitting._train

    def interrupted(*told):
        state, history = train(*told)
        history.stop_reason = "interrupted"
        runs.append(told)
        return state, history

    monkeypatch.setattr(_fitting, "_train", interrupted)
    with pytest.warns(ConvergenceWarning, match="interrupted by the user"):
        assert fitted(0.1).manifold_weight_ == 0.0
    assert len(runs) == 1
