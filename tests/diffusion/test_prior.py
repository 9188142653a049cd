"""What the mixture says of noised rows: against sums over components and categories, and against its own density."""

import numpy as np
import pytest
import torch

from skmdiff._diffusion.categories import NarrowColumns
from skmdiff._diffusion.denoiser import Layout
from skmdiff._diffusion.noise import UNKNOWN
from skmdiff._diffusion.prior import MixturePrior, back_substitution, cholesky, forward_substitution, pairs_of
from skmdiff._diffusion.state import Prior
from skmdiff._mixture.mixture import MixedRows, Mixture, log_density


class Number:
    codes = None
    frequencies = None
    of_number = False

    def __init__(self, start):
        self.start, self.stop = start, start + 1


class Category:
    of_number = False

    def __init__(self, start, n):
        self.start, self.stop, self.codes = start, start + n, 2.0 * np.eye(n)
        self.frequencies = np.full(n, 1 / n)


def make(n_numbers, n_factors, sizes, n_components=3, seed=0):
    """A mixture, its blocks (numbers first) and what it says of rows."""
    rng = np.random.default_rng(seed)
    starts = n_numbers + np.cumsum([0, *sizes])[:-1]
    blocks = [Number(i) for i in range(n_numbers)] + [Category(s, n) for s, n in zip(starts, sizes, strict=True)]
    mixture = Mixture(
        weights=rng.dirichlet(np.ones(n_components)),
        means=rng.normal(size=(n_components, n_numbers)),
        loadings=rng.normal(size=(n_components, n_numbers, n_factors)),
        variances=rng.uniform(0.1, 1, (n_components, n_numbers)),
        shares=np.hstack([rng.dirichlet(np.ones(n), n_components) for n in sizes] or [np.zeros((n_components, 0))]),
        n_categories=np.array(sizes, dtype=int),
    )
    layout = Layout(blocks, dtype=torch.float64)
    return (
        mixture,
        layout.narrow,
        MixturePrior(Prior(mixture, 1.0, np.ones(len(sizes))), blocks, layout.narrow, torch.as_tensor),
    )


def exact(mixture, x, level, likelihoods):
    """E[x_0 | x] of one row, and p(category | other columns) of every column, component by component."""
    seen, r = level < UNKNOWN, mixture.weights.copy()
    means, evidence = [], []
    for m in range(len(r)):
        S = mixture.loadings[m] @ mixture.loadings[m].T + np.diag(mixture.variances[m])
        noised, d = S[np.ix_(seen, seen)] + np.diag(level[seen] ** 2), x[seen] - mixture.means[m, seen]
        solved = np.linalg.solve(noised, d)
        r[m] *= np.exp(-d @ solved / 2) / np.sqrt(np.linalg.det(noised))
        means.append(mixture.means[m] + S[:, seen] @ solved)
    for shares, of_column in zip(mixture.shares_by_column, likelihoods, strict=True):
        evidence.append(shares @ np.exp(of_column))
        r *= evidence[-1]
    r /= r.sum()
    prior = [(r / e) @ shares for e, shares in zip(evidence, mixture.shares_by_column, strict=True)]
    return r @ np.array(means), [p / p.sum() for p in prior]


LEVELS = [[0.3] * 4, [0.3, 0.0, 0.3, 0.3], [UNKNOWN, 0.5, 0.2, UNKNOWN], [0.1, 0.2, 0.3, 4.0], [UNKNOWN] * 4]


@pytest.mark.parametrize("n_factors", [0, 1, 3])
@pytest.mark.parametrize("level", LEVELS)
def test_posterior_is_the_sum_over_charts(n_factors, level):
    """Numbers known, noised and unknown, each column at a level of its own, with categories of two columns."""
    mixture, narrow, prior = make(4, n_factors, (3, 2))
    rng = np.random.default_rng(1)
    x, likelihoods, level = rng.normal(size=(5, 4)), rng.normal(size=(5, 5)), np.array(level)
    mean, log_prior = prior(*map(torch.as_tensor, (x, np.tile(level, (5, 1)), likelihoods)))
    for i in range(5):
        of_columns = np.split(likelihoods[i], [3])
        expected, shares = exact(mixture, x[i], level, of_columns)
        np.testing.assert_allclose(mean[i], expected, atol=1e-12)
        for part, of_column in zip(np.split(log_prior[i].numpy(), [3]), shares, strict=True):
            np.testing.assert_allclose(np.exp(part) / np.exp(part).sum(), of_column, atol=1e-12)


def test_mean_is_tweedies_of_the_density():
    """D(x) = x + sigma^2 d log p_sigma / dx, the density by another path and its slope by differences."""
    mixture, _, prior = make(3, 2, ())
    x, sigma, h = np.random.default_rng(2).normal(size=(6, 3)), np.array([0.4, 0.9, 1.5]), 1e-5
    mean, log_prior = prior(torch.as_tensor(x), torch.as_tensor(np.tile(sigma, (6, 1))), torch.zeros(6, 0))

    def log_p(points):
        rows = MixedRows(points, np.zeros((6, 0), dtype=int), np.zeros(0, dtype=int))
        return log_density(mixture, rows, sigma)

    slope = np.stack([(log_p(x + h * e) - log_p(x - h * e)) / (2 * h) for e in np.eye(3)], axis=1)
    np.testing.assert_allclose(mean, x + sigma**2 * slope, atol=1e-7)
    assert log_prior is None


def test_categories_alone():
    """Without numbers the components are latent classes."""
    mixture, narrow, prior = make(0, 0, (3, 4, 2))
    likelihoods = np.random.default_rng(3).normal(size=(2, 9))
    _, log_prior = prior(torch.zeros(2, 0), torch.zeros(2, 0), torch.as_tensor(likelihoods))
    for i in range(2):
        shares = exact(mixture, np.zeros(0), np.zeros(0), np.split(likelihoods[i], [3, 7]))[1]
        for part, of_column in zip(np.split(log_prior[i].numpy(), [3, 7]), shares, strict=True):
            np.testing.assert_allclose(np.exp(part) / np.exp(part).sum(), of_column, atol=1e-12)


def test_far_rows_are_finite():
    """Rows far from every component at the smallest level, and a category that is impossible but for rounding."""
    _, narrow, prior = make(4, 2, (3,))
    x = torch.full((2, 4), 40.0, dtype=torch.float64)
    mean, log_prior = prior(x, torch.full_like(x, 0.002), torch.tensor([[0.0, -1e4, -2e4]] * 2).double())
    assert torch.isfinite(mean).all() and torch.isfinite(log_prior).all()
    torch.testing.assert_close(mean, x, atol=0.01, rtol=0)


def test_small_systems_are_those_of_a_library():
    rng = np.random.default_rng(4)
    loadings, b = rng.normal(size=(7, 5, 4)), rng.normal(size=(7, 4))
    gram = loadings.transpose(0, 2, 1) @ loadings + np.eye(4)
    products = torch.as_tensor(pairs_of(loadings).sum(axis=1)).unbind(1)
    root = cholesky(products, 4)
    found = torch.stack([torch.stack([*row, *[torch.zeros(7)] * (4 - len(row))]) for row in root])
    np.testing.assert_allclose(found.permute(2, 0, 1), np.linalg.cholesky(gram), atol=1e-12)
    half = forward_substitution(root, torch.as_tensor(b).unbind(1))
    solved = torch.stack(back_substitution(root, half), 1)
    np.testing.assert_allclose(solved, np.linalg.solve(gram, b[:, :, None])[:, :, 0])


def test_narrow_columns_only():
    """Columns of many categories have no evidence and no prior of the mixture."""
    wide = Category(0, 60)
    wide.codes = np.random.default_rng(0).normal(size=(60, 16))
    narrow_column = Category(16, 2)
    layout = Layout([wide, narrow_column], dtype=torch.float64)
    shares = np.hstack([np.full((2, 60), 1 / 60), np.array([[0.9, 0.1], [0.2, 0.8]])])
    mixture = Mixture(
        np.array([0.5, 0.5]), np.zeros((2, 0)), np.zeros((2, 0, 0)), np.zeros((2, 0)), shares, np.array([60, 2])
    )
    prior = MixturePrior(Prior(mixture, 1.0, np.ones(2)), [wide, narrow_column], layout.narrow, torch.as_tensor)
    log_prior = prior(torch.zeros(1, 0), torch.zeros(1, 0), torch.zeros(1, 2, dtype=torch.float64))[1]
    np.testing.assert_allclose(log_prior.softmax(1), [[0.55, 0.45]])
    assert isinstance(prior.narrow, NarrowColumns)


@pytest.mark.parametrize("n_factors", [0, 1, 3])
@pytest.mark.parametrize("level", [level for level in LEVELS if 0.0 not in level])
def test_the_diagonal_of_the_jacobian(n_factors, level):
    """By automatic differentiation, with categories of which nothing is known."""
    _, _, prior = make(4, n_factors, (3, 2))
    x = torch.as_tensor(np.random.default_rng(2).normal(size=(5, 4)))
    sigma, unknown = torch.tensor([level] * 5, dtype=torch.float64), torch.zeros(5, 5, dtype=torch.float64)
    mean, diagonal = prior.with_diagonal(x, sigma)
    np.testing.assert_allclose(mean, prior(x, sigma, unknown)[0], atol=1e-12)
    jacobian = torch.func.vmap(torch.func.jacrev(lambda row, s: prior(row[None], s[None], unknown[:1])[0][0]))(x, sigma)
    np.testing.assert_allclose(diagonal, jacobian.diagonal(dim1=1, dim2=2), atol=1e-9)
