"""Levels that `fit` did not see have a finite log-density, so that a search over folds can go on."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV

from skmdiff import ManifoldDiffusionSampler
from skmdiff._sampler.model import fitted_model

FRAME = pd.DataFrame(np.random.RandomState(0).normal(size=(40, 4)), columns=list("abcd"))
LABELS = np.array(["no", "yes"] * 20)


def sampler(**parameters):
    defaults = dict(max_iter=8, hidden_layer_sizes=(8,), n_steps=3, random_state=0)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


def unseen_cases():
    """Tables with a level that new rows do not have: strings, categories, one value, dates that are categories."""
    yield FRAME.assign(e=LABELS), {"e": "maybe"}, {}
    yield FRAME.assign(e=pd.Categorical(LABELS, categories=["yes", "no", "maybe"])), {"e": "maybe"}, {}
    yield FRAME.assign(e=LABELS, f="same"), {"e": "maybe", "f": "other"}, {}
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(len(FRAME)) % 3, unit="D")
    yield FRAME.assign(e=days), {"e": pd.Timestamp("2024-02-01")}, {"categorical_features": ["e"]}


@pytest.mark.slow
def test_a_level_that_was_not_seen_costs_log_of_the_rows():
    """Beside the density of the other cells: that of a row with a gap in its place."""
    for table, unseen, params in unseen_cases():
        model = sampler(**params).fit(table)
        rows = table[:4].copy()
        rows.loc[rows.index[1:3], list(unseen)] = list(unseen.values())
        gaps = table[:4].copy()
        gaps.loc[gaps.index[1:3], list(unseen)] = None
        price = np.array([0, 1, 1, 0]) * len(unseen) * np.log(len(table) + 1)
        np.testing.assert_allclose(model.score_samples(rows), model.score_samples(gaps) - price, rtol=1e-6)


def test_a_level_that_was_not_seen_is_no_gap():
    """Where gaps are in the table, the probability of the gaps is that of a row that has none there."""
    table = FRAME.assign(e=LABELS)
    table.loc[table.index[::4], "e"] = None
    model = sampler().fit(table)
    rows = pd.DataFrame({**FRAME[:1], "e": ["maybe"]}), pd.DataFrame({**FRAME[:1], "e": [None]})
    parts = fitted_model(model)
    W = parts.codec.encode(parts.codec.read(rows[1].astype({"e": object})))
    has, lacks = (
        parts.missingness.log_probability_given_seen(W, np.array([[missing]]), parts.hot_deck)
        for missing in (False, True)
    )
    scores = [model.score_samples(row)[0] for row in rows]
    n = table["e"].notna().sum()
    assert scores[0] - scores[1] == pytest.approx(has[0] - lacks[0] - np.log(n + 1), abs=1e-6)


def test_levels_of_another_kind_are_refused():
    model = sampler(categorical_features=["e"]).fit(FRAME.assign(e=np.arange(40) % 3))
    assert np.isfinite(model.score(FRAME.assign(e=7)))
    for other in ("1", pd.Timestamp("2024-01-01")):
        with pytest.raises(ValueError, match="'e' of X must hold categories seen in fit only"):
            model.score(FRAME.assign(e=pd.Categorical([other] * 40)))


@pytest.mark.slow
def test_a_search_over_folds_with_a_level_of_their_own():
    table = FRAME.assign(e=["rare", *LABELS[1:]])
    search = GridSearchCV(sampler(), {"max_iter": [4]}, cv=3, error_score="raise").fit(table)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
