"""A corrector learnt from training rows, samples and held-out rows, round by round while held-out rows gain by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.utils.validation import has_fit_parameter

from .._numerics.checks import is_auto
from .._numerics.weights import indices_at
from .corrector import Corrector, cap_of, gain_of, log_odds
from .features import Features

MAX_ROUNDS = 2
ALPHAS = (0.25, 0.5, 0.75, 1.0)
ACCEPTANCE = 0.5  # mean probability that a sample is kept
MIN_ERRORS = 2.0  # standard errors that a gain is to be above
CHECKED_FRACTION = 0.1  # of the samples, for the normaliser

Samples = Callable[[Corrector | None, int], np.ndarray]  # features of new samples, corrected so far, of a round


@dataclass(frozen=True)
class Rows:
    """Features F (n, k) of rows of the table and their weights (n,), None for all alike."""

    F: np.ndarray
    weight: np.ndarray | None = None


def fit_corrector(
    classifier: Any, features: Features, seen: Rows, held_out: Rows, samples: Samples, seed: int
) -> Corrector | None:
    """The corrector by rows that the network has seen and rows that decide; None where these do not gain by it."""
    corrector, checked = None, None
    for k in range(MAX_ROUNDS):
        learnt, against = cut(samples(corrector, k), CHECKED_FRACTION)
        checked = against if checked is None else checked
        fitted = fit_classifier(seeded(classifier, features, seed + k), seen, learnt, seed + k)
        alpha = choose_alpha(fitted, held_out, against)
        if alpha is None:
            break
        corrector = with_classifier(corrector or Corrector(features), fitted, alpha, held_out, checked)
    return corrector


def choose_alpha(classifier: Any, held_out: Rows, against: np.ndarray) -> float | None:
    """The power of the odds by which held-out rows gain most against samples; None where none is above its error."""
    of_rows, of_samples = log_odds(classifier, held_out.F), log_odds(classifier, against)
    found = [(*capped_gain(alpha * of_rows, alpha * of_samples, held_out.weight)[:2], alpha) for alpha in ALPHAS]
    gain, error, alpha = max(found)
    return alpha if gain > MIN_ERRORS * error else None


def with_classifier(
    corrector: Corrector, classifier: Any, alpha: float, held_out: Rows, checked: np.ndarray
) -> Corrector:
    """A corrector with one more classifier; its weights are cut anew, against uncorrected samples."""
    out = replace(corrector, classifiers=(*corrector.classifiers, classifier), alphas=(*corrector.alphas, alpha))
    found = capped_gain(out.log_odds(held_out.F), out.log_odds(checked), held_out.weight)
    gain, error, log_normaliser, log_cap = found
    return replace(out, log_cap=log_cap, log_normaliser=log_normaliser, gain=gain, gain_error=error)


def capped_gain(
    of_rows: np.ndarray, of_samples: np.ndarray, weight: np.ndarray | None
) -> tuple[float, float, float, float]:
    """`gain_of` by weights cut where samples are kept with the mean probability ACCEPTANCE, and the log of the cut."""
    log_cap = cap_of(of_samples, ACCEPTANCE)
    return *gain_of(np.minimum(of_rows, log_cap), np.minimum(of_samples, log_cap), weight), log_cap


def seeded(classifier: Any, features: Features, seed: int) -> Any:
    """A classifier to fit: the default for "auto", else a clone, seeded where its random_state is None."""
    if is_auto(classifier):
        return HistGradientBoostingClassifier(categorical_features=features.is_category(), random_state=seed % 2**32)
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
