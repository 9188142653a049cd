"""What displays compute, against plain recomputation, and that what they draw holds it."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import normalized_mutual_info_score

from skmdiff import ManifoldDiffusionSampler, inspection, metrics
from skmdiff._sampler.exploration import reverse_states
from skmdiff._sampler.model import Request, draw, fitted_model

pytest.importorskip("matplotlib")
RNG = np.random.RandomState(0)
X = RNG.normal(size=(120, 3)) @ np.array([[1, 0.8, 0], [0, 0.6, 0], [0, 0, 1]])


def mixed(n, seed):
    rng = np.random.RandomState(seed)
    return pd.DataFrame(
        {
            "day": pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.randint(0, 700, n), unit="D"),
            "pay": pd.Series(rng.gamma(2, 900, n)).mask(rng.uniform(size=n) < 0.3),
            "ward": rng.choice(["general practitioner", "dermatology and allergology", "radiology"], n),
            "wait": pd.to_timedelta(rng.exponential(3000, n), unit="s"),
            "none": np.nan,
            "one": 5,
        }
    )


@pytest.fixture(scope="module")
def sampler():
    return ManifoldDiffusionSampler(
        max_iter=20, hidden_layer_sizes=(8,), n_steps=4, corrector=None, random_state=0
    ).fit(X)


def drawn(display):
    """The display, its picture written once."""
    display.plot()
    assert display._repr_html_().startswith("<img alt=")
    return display


def test_columns_hold_histograms_of_numpy_and_shares_of_missing_cells():
    real, synthetic = mixed(200, 0), mixed(100, 1)
    display = drawn(inspection.ColumnsDisplay.from_tables(real, synthetic, max_bars=10))
    pay = real["pay"].dropna()
    assert_allclose(display.real[1][:-1], np.histogram(pay, 10)[0] / 200)
    assert display.real[1][-1] == real["pay"].isna().mean()
    heights = [bar.get_height() for bar in display.axes_[1].patches[:10]]
    assert_allclose(heights, display.real[1][:-1])
    assert "missing" in display.axes_[1].get_title()
    assert type(display.axes_[0].xaxis.get_major_formatter()).__name__ == "ConciseDateFormatter"


def test_of_many_columns_the_most_different_are_shown():
    real = RNG.normal(size=(50, 60))
    synthetic = real + np.where(np.arange(60) == 33, 9, 0)
    display = drawn(inspection.ColumnsDisplay.from_tables(real, synthetic, max_columns=4))
    assert "x33" in display.names and display.n_left_out == 56


def test_pairs_are_those_of_sklearn():
    codes = RNG.randint(0, 3, (150, 3)).astype(str)
    codes[:, 1] = codes[:, 0]
    display = drawn(inspection.PairsDisplay.from_tables(codes, np.column_stack([RNG.permutation(c) for c in codes.T])))
    expected = [normalized_mutual_info_score(codes[:, 0], codes[:, j]) for j in range(3)]
    assert_allclose(display.real[0], expected)
    assert display.pairs[0].names == ("x0", "x1")
    assert_allclose(
        display.pairs[0].real,
        pd.crosstab(codes[:, 1], codes[:, 0], normalize=True).loc[
            display.pairs[0].labels[1], display.pairs[0].labels[0]
        ],
    )


def test_embedding_within_contours():
    rows = RNG.normal(size=(4000, 2))
    display = drawn(inspection.EmbeddingDisplay(rows[:2000], rows[2000:]))
    assert_allclose(display.within_, [0.9, 0.5], atol=0.04)


def test_losses_are_drawn(sampler):
    display = drawn(inspection.LossDisplay.from_estimator(sampler))
    assert_array_equal(display.ax_.lines[0].get_ydata(), sampler.loss_curve_)
    assert display.best_ == np.argmin(sampler.validation_loss_curve_)


def test_nearest_records_and_coverage():
    train, synthetic = RNG.normal(size=(80, 2)), RNG.normal(size=(80, 2))
    synthetic[:8] = train[:8]
    display = drawn(inspection.NearestRecordDisplay.from_tables(train, synthetic, RNG.normal(size=(30, 2))))
    scaled = [(part - train.mean(0)) / train.std(0) for part in (train, synthetic)]
    distances = np.linalg.norm(scaled[1][:, None] - scaled[0], axis=2)
    assert_allclose(np.sort(display.synthetic), np.sort(distances.min(axis=1)), atol=1e-6)
    assert display.copies_ == 0.1
    assert display.coverage_ == pytest.approx(metrics.prdc(train, synthetic).coverage)


def test_trade_off_has_means_and_errors():
    display = drawn(inspection.TradeOffDisplay(["a", "b"], [0.6, 0.7], [0.5, 0.6], [0.1, np.nan], lower_is_better=True))
    assert display.ax_.yaxis_inverted()
    with pytest.raises(ValueError, match="one entry for each candidate"):
        inspection.TradeOffDisplay(["a"], [1, 2], [1])


def test_states_end_at_the_samples(sampler):
    model = fitted_model(sampler)
    run = sampler._run(model, 3)
    levels, states = reverse_states(model, 20, run)
    assert_array_equal(states[:, -1], draw(model, Request(20), run)[0][:, : model.n_outputs])
    assert levels[0] == sampler.sigma_start_ and levels[-1] == 0 and np.all(np.diff(levels) < 0)


@pytest.mark.parametrize("columns", [None, [0, 1]])
def test_reverse_process(sampler, columns):
    display = drawn(inspection.ReverseProcessDisplay.from_estimator(sampler, columns, n_samples=20, random_state=3))
    assert display.states.shape == (5, 20, 2)
    if columns is not None and sampler.contraction_ == 0:
        assert_allclose(display.states[-1], sampler.sample(20, random_state=3)[:, :2])


@pytest.mark.slow
def test_odd_tables_are_drawn():
    real = mixed(40, 0)
    for table in (real, real[:1], real[["one"]]):
        drawn(inspection.ColumnsDisplay.from_tables(table, table))
        drawn(
            inspection.PairsDisplay.from_tables(
                table[[c for c in table if c not in ("day", "wait")]],
                table[[c for c in table if c not in ("day", "wait")]],
            )
        )
    drawn(inspection.EmbeddingDisplay([[0.0, 0.0]], [[0.0, 0.0]]))
