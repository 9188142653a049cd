"""A corrector learnt from training rows and samples, and whether held-out rows gain by it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.utils.validation import has_fit_parameter

from .._numerics.checks import is_auto
from .._numerics.weights import indices_at
from .corrector import Corrector, cap_of, gain_of, log_odds
from .features import Features
from .margins import Margin, margin_of, raked

MAX_TREES = 500  # fewer where trees no longer help
ALPHAS = (0.25, 0.5, 0.75, 1.0, 1.25)
ACCEPTANCE = 0.4  # mean probability that a sample is kept
MIN_ERRORS = 2.0  # standard errors that a gain is to be above
CHECKED_FRACTION = 0.1  # of the samples, for the normaliser
N_FOLDS = 3  # of the other samples, for their shares


@dataclass(frozen=True)
class Rows:
    """Features F (n, k) of rows of the table and their weights (n,), None for all alike."""

    F: np.ndarray
    weight: np.ndarray | None = None


def fit_corrector(
    classifier: Any, features: Features, seen: Rows, held_out: Rows, samples: np.ndarray, seed: int
) -> Corrector | None:
    """The corrector learnt from rows that the network has seen and from samples; None where held-out rows do not gain.

    samples : features (n, k), some of which are kept from the classifier, to check it
    """
    learnt, checked = cut(samples, CHECKED_FRACTION)
    classifier = seeded(classifier, features, seed)
    best = best_corrector(Corrector(features, fit_classifier(clone(classifier), seen, learnt, seed)), held_out, checked)
    if best is None:
        return None
    odds = np.concatenate([unseen_log_odds(classifier, seen, learnt, seed), log_odds(best.classifier, checked)])
    margins = margins_of(together(seen, held_out), samples, best.alpha * odds)
    corrector = replace(best, margins=margins)
    return with_gain(corrector, corrector.log_ratio(held_out.F), corrector.log_ratio(checked), held_out.weight)


def unseen_log_odds(classifier: Any, seen: Rows, samples: np.ndarray, seed: int) -> np.ndarray:
    """(n,) log odds of samples, each by a classifier that has learnt from the others.

    By one that has learnt from them too they would look less like rows than new ones do, some more so than others.
    """
    out, fold = np.empty(len(samples)), np.arange(len(samples)) % N_FOLDS
    for k in range(N_FOLDS):
        others = samples[fold != k]
        fitted = fit_classifier(clone(classifier), seen, others, seed)
        out[fold == k] = log_odds(fitted, samples[fold == k]) + np.log(len(others) / len(samples))
    return out


def best_corrector(corrector: Corrector, held_out: Rows, checked: np.ndarray) -> Corrector | None:
    """The corrector with the power by which held-out rows gain most; None where that is not above its error."""
    of_rows, of_samples = log_odds(corrector.classifier, held_out.F), log_odds(corrector.classifier, checked)
    tried = [
        with_gain(replace(corrector, alpha=alpha), alpha * of_rows, alpha * of_samples, held_out.weight)
        for alpha in ALPHAS
    ]
    best = max(tried, key=lambda one: one.gain)
    return best if best.gain > MIN_ERRORS * best.gain_error else None


def margins_of(rows: Rows, samples: np.ndarray, log_weight: np.ndarray) -> tuple[Margin, ...]:
    """Margins by which samples (n, k) of log-weights (n,) have the shares of the rows of a table."""
    margins = tuple(margin_of(feature, rows.weight) for feature in rows.F.T)
    return raked(margins, samples, log_weight, partial(cap_of, acceptance=ACCEPTANCE))


def with_gain(
    corrector: Corrector, of_rows: np.ndarray, of_samples: np.ndarray, weight: np.ndarray | None
) -> Corrector:
    """A corrector with the cut, the normaliser and the gain of its log-weights of held-out rows and of samples.

    They are cut where samples are kept with the mean probability ACCEPTANCE.
    """
    log_cap = cap_of(of_samples, ACCEPTANCE)
    gain, error, log_normaliser = gain_of(np.minimum(of_rows, log_cap), np.minimum(of_samples, log_cap), weight)
    return replace(corrector, log_cap=log_cap, log_normaliser=log_normaliser, gain=gain, gain_error=error)


def together(rows: Rows, others: Rows) -> Rows:
    """The rows of both."""
    weight = None if rows.weight is None else np.concatenate([rows.weight, others.weight])
    return Rows(np.concatenate([rows.F, others.F]), weight)


def seeded(classifier: Any, features: Features, seed: int) -> Any:
    """A classifier to fit: the default for "auto", else a clone, seeded where its random_state is None."""
    if is_auto(classifier):
        return HistGradientBoostingClassifier(
            max_iter=MAX_TREES,
            early_stopping=True,
            categorical_features=features.is_category(),
            random_state=seed % 2**32,
        )
    out = clone(classifier)
    open_seeds = [name for name, value in out.get_params().items() if is_seed(name) and value is None]
    return out.set_params(**dict.fromkeys(open_seeds, seed % 2**32))


def is_seed(name: str) -> bool:
    """Whether a parameter, also of a nested estimator, is a random_state."""
    return name.split("__")[-1] == "random_state"


def fit_classifier(classifier: Any, seen: Rows, samples: np.ndarray, seed: int) -> Any:
    """The classifier of training rows (1) against samples (0).

    One that takes no sample_weight gets the rows as often as their weights say.
    """
    F, weight = seen.F, seen.weight
    if weight is not None and not has_fit_parameter(classifier, "sample_weight"):
        u = (np.arange(len(F)) + np.random.default_rng(seed).random()) / len(F)
        ends = np.cumsum(weight)
        F, weight = F[indices_at(ends, u * ends[-1])], None
    X, is_row = np.concatenate([F, samples]), np.repeat([1, 0], [len(F), len(samples)])
    if weight is None:
        return classifier.fit(X, is_row)
    return classifier.fit(X, is_row, sample_weight=np.concatenate([weight / weight.mean(), np.ones(len(samples))]))


def cut(F: np.ndarray, fraction: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows in two parts, the second of such a fraction."""
    n = len(F) - max(1, int(fraction * len(F)))
    return F[:n], F[n:]
