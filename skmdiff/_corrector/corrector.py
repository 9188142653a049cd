"""Samples made more like the table by a classifier: density-ratio rejection.

A classifier that tells training rows from samples has odds o(x) that estimate p(x) / q(x), the density of the table
over that of the model. A sample that is kept with probability w(x) / c, w = min(o^alpha, c), and else drawn again has
the density

    q(x) w(x) / E_q[w],

which is p for alpha = 1, exact odds and a large c: importance weighting of generators (Grover, Song, Kapoor, Tran,
Agarwal, Horvitz & Ermon 2019, "Bias correction of learned generative models using likelihood-free importance
weighting"), by rejection (Azadi, Olsson, Darrell, Goodfellow & Odena 2019, "Discriminator rejection sampling"). With
alpha below 1 estimated odds are trusted less, above 1 odds that are too even are made sharper; c bounds how many
samples are drawn for one that is kept.

The odds of whole rows say little of single values, so w has a factor for each frequent value and each group of values
of a column besides, by which corrected samples have their shares of the table: see `margins`.

E[log w] over rows that neither the network nor a classifier has seen, less log E_q[w], is what the correction adds to
their mean log-density. Where that is not above its error, samples are left as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp

from .features import Features
from .margins import Margin, log_terms

LEAST_PROBABILITY = 1e-6  # a tree is never that sure


@dataclass(frozen=True)
class Corrector:
    """What decides which samples are drawn again.

    Attributes
    ----------
    features : Features
    classifier : object
        Fitted to tell training rows (1) from samples (0).
    alpha : float
        The power of its odds.
    log_cap : float
        The logarithm of c, above which weights are cut.
    log_normaliser : float
        log E[w] over samples.
    gain, gain_error : float
        What the correction adds to the mean log-density of held-out rows, in nats, and its standard error.
    margins : tuple of Margin
        Those of the first features, of none or of all.
    """

    features: Features
    classifier: Any
    alpha: float = 1.0
    log_cap: float = 0.0
    log_normaliser: float = 0.0
    gain: float = 0.0
    gain_error: float = 0.0
    margins: tuple[Margin, ...] = ()

    def log_ratio(self, F: np.ndarray) -> np.ndarray:
        """(n,) log of w before it is cut, of features F (n, k)."""
        return self.alpha * log_odds(self.classifier, F) + log_terms(self.margins, F)

    def log_acceptance(self, F: np.ndarray) -> np.ndarray:
        """(n,) log of the probability, at most 1, with which a sample of features F is kept."""
        return np.minimum(self.log_ratio(F) - self.log_cap, 0.0)

    def log_weight(self, F: np.ndarray) -> np.ndarray:
        """(n,) log of the density with the correction over that without."""
        return self.log_acceptance(F) + self.log_cap - self.log_normaliser


def log_odds(classifier: Any, F: np.ndarray) -> np.ndarray:
    """(n,) log odds that rows of features F are training rows."""
    p = np.clip(classifier.predict_proba(F)[:, 1], LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.log(p) - np.log1p(-p)


def cap_of(log_w: np.ndarray, acceptance: float) -> float:
    """The log of the largest c at which samples of log weights (n,) are kept with such a mean probability.

    Mean min(w / c, 1) falls with c: bisection between the least and the largest weight.
    """
    low, high = float(log_w.min()), float(log_w.max())
    for _ in range(40):
        middle = (low + high) / 2
        if np.exp(np.minimum(log_w - middle, 0.0)).mean() < acceptance:
            high = middle
        else:
            low = middle
    return low


def gain_of(
    of_rows: np.ndarray, of_samples: np.ndarray, weight: np.ndarray | None = None
) -> tuple[float, float, float]:
    """The gain E[log w] - log E_q[w] with its standard error, and log E_q[w].

    of_rows, of_samples : log w of held-out rows (m,), by weight (m,), and of samples (n,)
    """
    weight = np.ones(len(of_rows)) if weight is None else weight
    fraction = weight / weight.sum()
    mean = float(fraction @ of_rows)
    log_normaliser = float(logsumexp(of_samples) - np.log(len(of_samples)))
    of_mean = (fraction**2) @ (of_rows - mean) ** 2
    of_normaliser = np.exp(of_samples - log_normaliser).var() / len(of_samples)
    return mean - log_normaliser, float(np.sqrt(of_mean + of_normaliser)), log_normaliser
