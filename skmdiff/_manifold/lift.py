"""The lift m(z): local polynomial regression of a table on its embedding.

A line through a curved manifold cuts its corners, so a wide neighbourhood needs degree 2; it averages more noise away
than a narrow one of degree 1 (Fan & Gijbels 1996, "Local polynomial modelling and its applications").
"""

from dataclasses import dataclass

import numpy as np

from .._numerics.neighbors import n_terms
from .local_regression import SIZES, equivalent, leave_one_out, local_polynomial

LARGEST_DESIGN = 40  # terms of a regression; degree 2 from 8 components on has more
LIFT_TEST_ROWS = 500


@dataclass(frozen=True)
class Lift:
    """The lift of an embedding.

    Z : (n, k) embedding; W : (n, p) table
    n_neighbors, degree : of the regression
    """

    Z: np.ndarray
    W: np.ndarray
    n_neighbors: int
    degree: int

    def values(self, Z: np.ndarray) -> np.ndarray:
        """m(z), (m, p), at points Z (m, k) of the embedding."""
        return local_polynomial(self.Z, self.W, Z, self.n_neighbors, self.degree)


def choose_lift(Z: np.ndarray, W: np.ndarray, seed: int | None) -> Lift:
    """The lift with the neighbours and the degree chosen by leave-one-out error.

    Of the choices whose errors are equivalent it is degree 2, which cuts no corners, and then the most neighbours,
    which remove the most noise: noise in the table and in Z hides what a narrow or a straight fit gets wrong.
    """
    n, k = Z.shape
    rows = np.random.RandomState(seed).permutation(n)[:LIFT_TEST_ROWS]
    choices = [(degree, size) for degree in (1, 2) for size in _sizes(n, k, degree)]
    errors = [leave_one_out(Z, W, rows, size, degree) for degree, size in choices]
    degree, size = max(choice for choice, good in zip(choices, equivalent(errors), strict=True) if good)
    return Lift(Z, W, size, degree)


def _sizes(n: int, k: int, degree: int) -> list[int]:
    """Neighbours to try, from twice the terms on."""
    least = 2 * n_terms(k, degree)
    if degree == 2 and (least > 2 * LARGEST_DESIGN or least > n):
        return []
    return [min(n, least)] + [size for size in (10, *SIZES) if least < size < n]
