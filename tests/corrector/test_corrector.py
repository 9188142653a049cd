"""The corrector in closed form: tables of one category, whose distribution and that of the model are known."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import make_pipeline
from stand_ins import logistic

from skmdiff._corrector import fitting
from skmdiff._corrector.corrector import Corrector, cap_of, gain_of
from skmdiff._corrector.fitting import Rows, best_corrector, fit_classifier, fit_corrector, seeded
from skmdiff._numerics.streams import row_uniforms
from skmdiff._starts.draw import Plan, Width
from skmdiff._starts.redraw import MAX_CANDIDATES, CandidateNumbers, keep_or_redraw, next_candidates

P = np.array([0.1, 0.2, 0.3, 0.4])  # of the table
Q = np.array([0.4, 0.3, 0.2, 0.1])  # of the model
BLOCK = 1024


class Exact(ClassifierMixin, BaseEstimator):
    """Knows the odds of each category."""

    def __init__(self, odds):
        self.odds = odds

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        odds = self.odds[X[:, 0].astype(int)]
        return np.column_stack([1 / (1 + odds), odds / (1 + odds)])


class Free:
    """Features of a table of one category: its index."""

    def is_category(self):
        return np.array([True])


def draws(distribution, uniforms):
    return np.searchsorted(np.cumsum(distribution), uniforms).astype(float)[:, None]


def samples(distribution, n, seed):
    return draws(distribution, np.random.default_rng(seed).random(n))


def drawn_with(corrector, n_blocks, seed=0):
    """Blocks of a model that draws from Q, some of them drawn again."""
    return np.concatenate(
        [
            keep_or_redraw(
                CandidateNumbers(Plan(None, None), seed, start, start + BLOCK, Width(1, 1)),
                lambda rows, uniforms: draws(Q, uniforms[:, 0]),
                lambda W, rows: corrector.log_acceptance(W),
            )
            for start in range(0, n_blocks * BLOCK, BLOCK)
        ]
    )[:, 0].astype(int)


@pytest.mark.parametrize("alpha", [1.0, 0.5])
def test_samples_have_the_distribution_of_the_table(alpha):
    """To the power alpha of the density ratio: shares within 4 standard errors, which is .01 of a share."""
    expected = Q * (P / Q) ** alpha
    expected /= expected.sum()
    corrector = Corrector(Free(), Exact(P / Q), alpha, log_cap=alpha * np.log(4))
    shares = np.bincount(drawn_with(corrector, 40)) / (40 * BLOCK)
    assert np.all(np.abs(shares - expected) < 4 * np.sqrt(expected * (1 - expected) / (40 * BLOCK)))


def test_a_row_is_its_first_candidate_that_is_kept():
    """By a slow twin, candidate by candidate; where none is kept, the last one."""
    acceptance = np.array([0.0, 0.0, 0.05, 0.6])
    numbers = CandidateNumbers(Plan(None, None), 3, BLOCK, 2 * BLOCK, Width(1, 1))

    def log_acceptance(W, rows):
        with np.errstate(divide="ignore"):
            return np.log(acceptance[W[:, 0].astype(int)])

    found = keep_or_redraw(numbers, lambda rows, uniforms: draws(Q, uniforms[:, 0]), log_acceptance)[:, 0]
    every = np.arange(BLOCK)
    expected = np.full(BLOCK, np.nan)
    for k in range(MAX_CANDIDATES):
        x = draws(Q, numbers.of_starts(every, np.full(BLOCK, k))[:, 0])[:, 0]
        is_kept = np.exp(numbers.log_accept[:, k]) <= acceptance[x.astype(int)]
        expected = np.where(np.isnan(expected) & (is_kept | (k == MAX_CANDIDATES - 1)), x, expected)
    np.testing.assert_array_equal(found, expected)
    assert (acceptance[found.astype(int)] == 0).mean() > 0.1  # some rows have used up their candidates


def test_all_samples_kept_are_those_of_the_first_candidates():
    corrector = Corrector(Free(), Exact(np.ones(4)), log_cap=-50.0)
    np.testing.assert_array_equal(drawn_with(corrector, 2), draws(Q, row_uniforms(0, 0, 2 * BLOCK, 1)[:, 0])[:, 0])


@pytest.mark.parametrize("n_open", [1, 100, 256, 257, 600, 1024])
def test_candidates_fill_parts_of_one_height(n_open):
    i, candidate = next_candidates(np.arange(n_open), 2)
    assert len(i) % 256 == 0 and len(i) - n_open < max(n_open, 256)
    assert set(i.tolist()) == set(range(n_open)) and candidate.min() == 2 and candidate.max() < MAX_CANDIDATES


def test_weights_times_the_density_of_the_model_sum_to_one():
    """With the normaliser by samples in the shares of Q; cut weights too."""
    W = np.repeat(np.arange(4.0), (1000 * Q).astype(int))[:, None]
    corrector = Corrector(Free(), Exact(P / Q), 0.75)
    for cap in (np.log(4), 0.2):
        log_normaliser = gain_of(np.zeros(1), np.minimum(corrector.log_ratio(W), cap))[2]
        cut = Corrector(Free(), corrector.classifier, corrector.alpha, cap, log_normaliser)
        assert Q @ np.exp(cut.log_weight(np.arange(4.0)[:, None])) == pytest.approx(1, abs=1e-12)


def test_the_cap_keeps_the_fraction_asked_for():
    log_w = np.random.default_rng(0).normal(size=10_000)
    for acceptance in (0.2, 0.5, 0.9):
        assert np.exp(np.minimum(log_w - cap_of(log_w, acceptance), 0)).mean() == pytest.approx(acceptance, abs=1e-3)


def test_the_gain_is_the_divergence_between_table_and_model():
    """KL(P || Q) for exact odds; its standard error is that of means of repeated draws."""
    log_odds = np.log(P / Q)
    found = [
        gain_of(log_odds[samples(P, 800, s)[:, 0].astype(int)], log_odds[samples(Q, 5000, 900 + s)[:, 0].astype(int)])
        for s in range(60)
    ]
    gains, errors, _ = np.array(found).T
    assert gains.mean() == pytest.approx(P @ log_odds, abs=4 * gains.std() / np.sqrt(60))
    assert errors.mean() == pytest.approx(gains.std(), rel=0.4)


def test_the_gain_goes_by_the_weights_of_held_out_rows():
    of_rows, of_samples = np.log(P / Q), np.log(np.repeat(P / Q, (1000 * Q).astype(int)))
    assert gain_of(of_rows, of_samples, weight=5 * P)[0] == pytest.approx(P @ np.log(P / Q))


def learnt(model, seed=0, classifier="auto", n=4000):
    rows, held_out = Rows(samples(P, n, 10 + seed)), Rows(samples(P, 1000, 200 + seed))
    return fit_corrector(classifier, Free(), rows, held_out, samples(model, 3 * n, 900 + seed), seed)


def test_the_gate_opens_where_the_model_is_wrong(monkeypatch):
    monkeypatch.setattr(fitting, "ACCEPTANCE", 0.25)
    corrector = learnt(Q)
    assert corrector.alpha == 1.0 and corrector.gain == pytest.approx(P @ np.log(P / Q), abs=0.08)
    shares = np.bincount(drawn_with(corrector, 10)) / (10 * BLOCK)  # to .005
    np.testing.assert_allclose(shares, P, atol=0.03)


def test_the_gate_is_closed_where_the_model_is_right():
    """Of 20 tables one or two may open a gate of two standard errors by chance."""
    assert sum(learnt(P, seed, logistic()) is not None for seed in range(20)) <= 2


def test_estimated_odds_are_trusted_less_where_they_are_too_sure():
    held_out, against = Rows(samples(P, 2000, 1)), samples(Q, 20_000, 2)
    assert best_corrector(Corrector(Free(), Exact((P / Q) ** 2)), held_out, against).alpha == 0.5
    assert best_corrector(Corrector(Free(), Exact(Q / P)), held_out, against) is None


@pytest.mark.parametrize("classifier", [logistic(), make_pipeline(logistic())])
def test_weights_of_rows_count_with_and_without_a_sample_weight(classifier):
    """A weight of 3 on the rows of one category makes its odds three times as large."""
    rows, of_model = samples(P, 4000, 1) > 1, samples(P, 4000, 2) > 1
    weight = np.where(rows[:, 0], 3.0, 1.0)
    fitted = fit_classifier(classifier, Rows(rows.astype(float), weight / weight.mean()), of_model.astype(float), 0)
    odds = np.divide(*fitted.predict_proba([[0.0], [1.0]])[:, ::-1].T)
    assert odds[1] / odds[0] == pytest.approx(3, rel=0.35)


def test_open_seeds_are_set_and_the_classifier_of_the_user_stays():
    given = logistic()
    assert seeded(given, Free(), 7).random_state == 7 and given.random_state is None
    assert seeded(logistic(random_state=3), Free(), 7).random_state == 3
    assert seeded("auto", Free(), 2**40 + 1).random_state == 1


class Remembers(Exact):
    """Is sure of the samples that it has learnt from, and of no others."""

    def fit(self, X, y):
        self.learnt_ = X[y == 0, 0]
        return self

    def predict_proba(self, X):
        p = np.where(np.isin(X[:, 0], self.learnt_), 0.01, 0.5)
        return np.column_stack([1 - p, p])


def test_shares_are_set_by_odds_of_samples_that_the_classifier_has_not_seen():
    """Two thirds of the samples are learnt at a time, so that odds are as much too high."""
    F = np.arange(100.0)[:, None]
    found = fitting.unseen_log_odds(Remembers(None), Rows(F[:7] + 0.5), F, seed=0)
    np.testing.assert_allclose(found, np.log(2 / 3), atol=0.02)


def test_corrected_samples_have_the_shares_of_the_table():
    """In every category, within the chance of 20 000 samples; these odds bring them elsewhere."""
    near = np.array([0.28, 0.26, 0.24, 0.22])
    F = [samples(distribution, n, seed) for distribution, n, seed in ((P, 8000, 1), (P, 2000, 2), (near, 20_000, 3))]
    found = fit_corrector(Exact((P / near)[[0, 2, 1, 3]]), Free(), Rows(F[0]), Rows(F[1]), F[2], seed=0)
    of_table = np.bincount(np.concatenate(F[:2])[:, 0].astype(int)) / 10_000
    shares = near * np.exp(found.log_acceptance(np.arange(4.0)[:, None]))
    np.testing.assert_allclose(shares / shares.sum(), of_table, atol=0.015)
    by_odds = near * (P / near)[[0, 2, 1, 3]] ** found.alpha
    assert np.abs(by_odds / by_odds.sum() - of_table).max() > 0.03
