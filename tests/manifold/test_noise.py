"""Measurement noise and outliers: closed forms, known surfaces, and what users may ask for."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.manifold import Isomap

from skmdiff import ManifoldDiffusionSampler
from skmdiff._diffusion import noise, solvers
from skmdiff._manifold.charts import choose_charts
from skmdiff._manifold.noise import make_cleaner, normal_residuals, wiener
from skmdiff._sampler.model import fitted_model
from skmdiff.datasets import make_swiss_roll_nd, make_torus


def sampler(**parameters):
    defaults = dict(max_iter=300, hidden_layer_sizes=(64,), numeric="standard", random_state=0)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


def quick(**parameters):
    return sampler(**{**dict(max_iter=5, hidden_layer_sizes=(8,), n_steps=2), **parameters})


# --- the filter


def test_wiener_filter_is_the_closed_form():
    """C R^-1 for R = C + S, far from the edge of white noise, against the least squares fit of clean on seen."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(4, 4))
    clean, noise = rng.normal(size=(200_000, 4)) @ root, rng.normal(size=(200_000, 4)) * [0.3, 0.1, 0.5, 0.2]
    seen = clean + noise
    kept = wiener(seen.T @ seen / len(seen), np.diag([0.09, 0.01, 0.25, 0.04]), len(seen))
    np.testing.assert_allclose(kept, np.linalg.lstsq(seen, clean, rcond=None)[0], atol=0.02)


def test_white_noise_leaves_nothing():
    noise = np.random.default_rng(0).normal(size=(500, 8))
    assert np.abs(wiener(noise.T @ noise / 500, np.eye(8), 500)).max() < 1e-12


@pytest.fixture(scope="module")
def noisy_torus():
    return make_torus(1500, 8, noise=0.08, random_state=0)


@pytest.fixture(scope="module")
def torus_charts(noisy_torus):
    X = noisy_torus.data
    return choose_charts(X, X @ noisy_torus.frame.T, np.ones(8, dtype=bool), 2, 0)


def test_noise_is_found_off_the_manifold(torus_charts):
    """.08 in every column, and, planted there, .16 in one of them."""
    np.testing.assert_allclose(normal_residuals(torus_charts, 0).noise(), 0.08, rtol=0.15)
    frame = np.linalg.qr(np.random.default_rng(1).normal(size=(8, 3)))[0].T
    torus = make_torus(1500, 3, random_state=1)
    noise = np.array([0.08] * 7 + [0.16])
    X = torus.data @ frame + noise * np.random.default_rng(2).normal(size=(1500, 8))
    charts = choose_charts(X, torus.data, np.ones(8, dtype=bool), 2, 0)
    np.testing.assert_allclose(normal_residuals(charts, 0).noise(), noise, rtol=0.2)


def test_cleaning_takes_the_noise_off_the_surface_and_keeps_what_is_along_it(noisy_torus, torus_charts):
    measured = normal_residuals(torus_charts, 0)
    cleaner = make_cleaner(torus_charts, measured, np.full(8, 0.08), 0.0)
    clean = cleaner.clean(noisy_torus.data)
    assert noisy_torus.distance(clean).mean() < noisy_torus.distance(noisy_torus.data).mean() / 3
    error = np.sqrt(np.mean((clean - noisy_torus.clean) ** 2)) / 0.08
    assert 0.5 < error < 0.65  # sqrt(2 / 8) of the noise is along the torus


def test_contraction_brings_rows_to_the_surface_by_its_strength():
    torus = make_torus(1000, 8, random_state=0)
    charts = choose_charts(torus.data, torus.data, np.ones(8, dtype=bool), 2, 0)
    measured = normal_residuals(charts, 0)
    off = torus.data + 0.1 * np.random.default_rng(0).normal(size=torus.data.shape)
    full = make_cleaner(charts, measured, np.zeros(8), 1.0).contract(off)
    half = make_cleaner(charts, measured, np.zeros(8), 0.5).contract(off)
    assert torus.distance(full).mean() < 0.01 < 0.2 < torus.distance(off).mean()
    np.testing.assert_allclose(half, (off + full) / 2, atol=1e-12)


def test_contraction_leaves_a_thick_table_as_thick_as_it_is():
    """A plane with a scatter of .2 across: rows of the same distribution keep three quarters of it and more."""
    rng = np.random.default_rng(0)

    def rows(n):
        return np.column_stack([rng.uniform(-1, 1, (n, 2)), 0.05 * rng.normal(size=(n, 3))])

    X = rows(1000)
    charts = choose_charts(X, X[:, :2], np.ones(5, dtype=bool), 2, 0)
    out = make_cleaner(charts, normal_residuals(charts, 0), np.zeros(5), 1.0).contract(rows(1000))
    assert 0.75 < out[:, 2:].std() / 0.05 < 1.05


# --- the sampler


@pytest.mark.slow
def test_denoising_a_gaussian_is_the_wiener_filter():
    """E[clean | seen] = C R^-1 x for clean ~ N(0, C); plain diffusion, so that the denoiser alone does it."""
    rng = np.random.default_rng(0)
    root = np.array([[1.0, 0.8, 0.3], [0.0, 0.6, 0.2], [0.0, 0.0, 0.5]])
    clean = rng.normal(size=(4000, 3)) @ root
    seen = clean + 0.5 * rng.normal(size=clean.shape)
    est = sampler(manifold="passthrough", noise_level=0.5, max_iter=1500).fit(seen)
    C = root.T @ root
    best = seen @ np.linalg.solve(C + 0.25 * np.eye(3), C)
    got = est.denoise(seen)
    error, least = (np.sqrt(np.mean((rows - clean) ** 2)) for rows in (got, best))
    assert error < 1.06 * least < 0.9 * 0.5
    np.testing.assert_allclose(np.cov(est.sample(4000).T), C, atol=0.12)  # the distribution without noise


@pytest.fixture(scope="module")
def blurred():
    """Plain diffusion of N(0, I) seen with noise .6."""
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(4000, 2)) + 0.6 * rng.normal(size=(4000, 2))
    return sampler(manifold="passthrough", noise_level=0.6, max_iter=1500).fit(seen)


@pytest.mark.slow
def test_samples_have_the_distribution_without_noise(blurred):
    """Standard deviation 1, where rows seen have 1.17 and means of clean rows .76; measured 1.01."""
    assert blurred.sample(4000).std() == pytest.approx(1, abs=0.05)


def test_rows_depend_on_their_index_only():
    one, threads = (quick(manifold="passthrough", noise_level=0.6, n_jobs=n).fit(np.eye(30)) for n in (None, 2))
    np.testing.assert_array_equal(one.sample(1500)[:5], one.sample(5))
    np.testing.assert_array_equal(threads.sample(2100)[1030:1040], one.sample(1040)[1030:])


@pytest.mark.slow
def test_density_is_that_of_rows_with_the_noise_once_more(blurred):
    """Its variance by its slope in r^2: 1.63 to 1.75 in 14 fits, where once would be 1.36; its mean within .14."""
    distribution = stats.multivariate_normal(cov=(1 + 2 * 0.36) * np.eye(2))
    at = distribution.rvs(300, random_state=1)
    density = blurred.score_samples(at)
    slope = np.polyfit((at**2).sum(axis=1), density, 1)[0]
    assert -0.5 / slope == pytest.approx(1.72, abs=0.18)
    assert np.mean(density - distribution.logpdf(at)) == pytest.approx(0, abs=0.2)


@pytest.mark.slow
def test_noise_in_one_column_only():
    rng = np.random.default_rng(0)
    clean = rng.normal(size=(2000, 1)) * [1.0, 1.0]
    seen = clean + rng.normal(size=(2000, 2)) * [0.5, 0.0]
    est = sampler(manifold="passthrough", noise_level=[0.5, 0.0], max_iter=1000).fit(seen)
    got = est.denoise(seen)
    np.testing.assert_allclose(got[:, 1], seen[:, 1])
    assert np.sqrt(np.mean((got - clean)[:, 0] ** 2)) < 0.2  # the clean column says it all; .5 before


@pytest.fixture(scope="module")
def noisy_roll():
    return make_swiss_roll_nd(1000, 10, noise=0.15, random_state=0)


@pytest.mark.slow
@pytest.mark.parametrize("noise_level", [0.15, "auto"])
def test_rows_of_a_noisy_roll_lie_on_the_clean_one(noisy_roll, noise_level):
    """Distance to the roll at most a third of the noisy rows', as the promise says; measured .28."""
    est = sampler(manifold=Isomap(n_neighbors=10), noise_level=noise_level).fit(noisy_roll.data)
    np.testing.assert_allclose(est.noise_level_, 0.15, rtol=0.15)
    assert noisy_roll.distance(est.sample(1000)).mean() < noisy_roll.distance(noisy_roll.data).mean() / 3
    assert est.intrinsic_dimension_.local_pca == pytest.approx(2, abs=0.1)


def test_frames_keep_their_columns_and_categories_are_left_alone():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=200), "kind": rng.choice(["a", "b"], 200), "n": rng.integers(0, 9, 200)})
    est = quick(noise_level=0.3, numeric="quantile").fit(frame)
    np.testing.assert_array_equal(est.noise_level_, [0.3, 0.0, 0.3])
    clean = est.denoise(frame)
    pd.testing.assert_series_equal(clean["kind"], frame["kind"])
    assert (clean.dtypes == frame.dtypes).all() and (est.sample(7).dtypes == frame.dtypes).all()


def test_a_target_is_not_noise():
    X = np.random.default_rng(0).normal(size=(100, 3))
    y = (X[:, 0] > 0).astype(int)
    est = quick(noise_level=0.2).fit(X, y)
    assert est.denoise(X).shape == (100, 3)
    np.testing.assert_array_equal(est.sample(5, y=1, return_y=True)[1], 1)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (dict(noise_level=-1.0), "noise_level must be finite, at least 0.*got -1.0 for column 'x0'"),
        (dict(noise_level=[0.1, 0.2]), "one number a column, 3 in all"),
        (dict(noise_level=[0.1, np.nan, 0.0]), "noise_level must be finite"),
        (dict(noise_level="some"), "noise_level must be None, 'auto'"),
        (dict(noise_level="auto", manifold="passthrough"), "noise_level='auto' needs a manifold"),
        (dict(contraction=0.5, manifold="passthrough"), "contraction=0.5 needs a manifold"),
    ],
)
def test_refusals(parameters, message):
    with pytest.raises(ValueError, match=message):
        quick(**parameters).fit(np.random.default_rng(0).normal(size=(30, 3)))


def test_charts_are_not_made_where_nothing_asks_for_them(monkeypatch):
    monkeypatch.setattr("skmdiff._sampler.fitting.fit_charts", None)
    assert fitted_model(quick().fit(np.random.default_rng(0).normal(size=(30, 3)))).noise.cleaner is None


def test_noise_that_the_manifold_does_not_explain_is_left_to_the_denoiser():
    """Rows that scatter far more than by their noise: no surface to put them on, and contraction keeps its strength."""
    X = np.random.default_rng(0).normal(size=(200, 6))
    assert fitted_model(quick(manifold=PCA(2), noise_level=0.05).fit(X)).noise.cleaner is None
    cleaner = fitted_model(quick(manifold=PCA(2), noise_level=0.05, contraction=0.5).fit(X)).noise.cleaner
    assert cleaner.strength == 0.5
    np.testing.assert_allclose(cleaner.clean(X), X)


def test_denoise_needs_noise():
    est = quick().fit(np.random.default_rng(0).normal(size=(30, 3)))
    with pytest.raises(ValueError, match="denoise needs a noise_level above 0, got noise_level=None"):
        est.denoise(np.zeros((2, 3)))


# --- the solver, on the exact denoisers of Gaussians: clean variance v, noise s in the first of two columns


def seen_denoiser(v, s):
    """E[row seen | x] for the level of each column; a column with noise stays at the level of its noise."""

    def denoise(x, level):
        levels = torch.maximum(level, s)
        return x * (v + s**2) / (v + s**2 + levels**2)

    return denoise


@pytest.mark.parametrize("v", [1.0, 0.3, 1e-4])
def test_the_reverse_process_ends_in_the_clean_distribution(v):
    """From rows seen at the level 3 down to clean ones of variance v; without noise v + s^2 would be left."""
    generator = torch.Generator().manual_seed(0)
    s = torch.tensor([0.5, 0.0], dtype=torch.float64)
    x = torch.randn(20_000, 2, generator=generator, dtype=torch.float64) * (v + s**2 + 9).sqrt()
    probe = torch.randn(20_000, 2, generator=generator, dtype=torch.float64)
    grid = torch.as_tensor(noise.karras_grid(3.0, 0.01, 40))
    out = solvers.reverse(seen_denoiser(v, s), x, grid, torch.tensor([True, True]), s, probe)
    np.testing.assert_allclose(out.var(0).numpy(), v, rtol=0.06, atol=0.01)


def test_clean_mean_is_tweedies_formula():
    """E[clean | x] = v / (v + s^2 + t^2) x, from the expectation of the row seen at a level t that is not s."""
    v, s, t = 0.7, torch.tensor(0.5), torch.tensor(0.3)
    x = torch.linspace(-2, 2, 9)
    seen = x * (v + s**2) / (v + s**2 + t**2)
    torch.testing.assert_close(solvers.clean_mean(seen, x, t, s), x * v / (v + s**2 + t**2))


def symmetric(values, n_rows=200, seed=0):
    """Matrices (n_rows, p, p) with the eigenvalues (p,), each in axes of its own, and normal vectors (n_rows, p)."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(n_rows, len(values), len(values))))[0]
    return axes, rng.normal(size=(n_rows, len(values)))


def root_times(matrices, vectors):
    matrices, vectors = torch.as_tensor(matrices), torch.as_tensor(vectors)
    return solvers.root_times(lambda v: (matrices @ v[:, :, None])[:, :, 0], vectors).numpy()


@pytest.mark.parametrize("values", [[1.0, 1, 0, 0, 0, 0], [0.9, 0.5, 0.5, 0.1, 0.1, 0.0], [0.3, 0.3], [0.0, 0, 0]])
def test_roots_of_few_different_eigenvalues_are_exact(values):
    axes, vectors = symmetric(values)
    expected = np.einsum("nij,j,nkj,nk->ni", axes, np.sqrt(values), axes, vectors)
    got = root_times(np.einsum("nij,j,nkj->nik", axes, values, axes), vectors)
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_roots_of_many_eigenvalues_are_near():
    values = np.random.default_rng(1).beta(0.5, 0.5, 20)
    axes, vectors = symmetric(values)
    expected = np.einsum("nij,j,nkj,nk->ni", axes, np.sqrt(values), axes, vectors)
    got = root_times(np.einsum("nij,j,nkj->nik", axes, values, axes), vectors)
    assert np.sqrt(np.mean((got - expected) ** 2) / np.mean(expected**2)) < 0.06


def test_errors_of_a_jacobian_are_not_taken_for_variance():
    """A projector on two of ten directions, blurred by symmetric noise: most of the variance on it, little off it."""
    axes, vectors = symmetric(np.ones(10))
    blur = np.random.default_rng(2).normal(size=(200, 10, 10)) * 0.08
    plane = axes[:, :, :2] @ axes[:, :, :2].transpose(0, 2, 1)
    drawn = root_times(plane + blur + blur.transpose(0, 2, 1), vectors)
    on_plane = np.einsum("nij,nj->ni", plane, drawn)
    assert 0.7 < np.mean(on_plane**2) * 10 / 2 < 1.1
    assert np.mean((drawn - on_plane) ** 2) * 10 / 8 < 0.1  # with negative eigenvalues as 0 alone: .16


@pytest.mark.slow
def test_samples_lie_nearer_to_a_surface_than_rows_seen_without_charts():
    """By the denoiser alone, where noise hides that a surface has two dimensions: .30 of .41, spread within 3 %."""
    clean = make_torus(1000, 10, random_state=0)
    seen = clean.data + 0.15 * np.random.default_rng(0).normal(size=clean.data.shape)
    est = sampler(noise_level=0.15, max_iter=1500, hidden_layer_sizes="auto").fit(seen)
    rows = est.sample(1000)
    assert fitted_model(est).noise.cleaner is None
    assert clean.distance(rows).mean() < 0.85 * clean.distance(seen).mean()
    np.testing.assert_allclose(rows.std(axis=0) / clean.data.std(axis=0), 1, atol=0.08)


def test_density_comes_up_from_the_level_of_the_noise():
    """log N(x; v + 2 s^2) in the column with noise, log N(x; v + .01^2) in the other."""
    v, s = 0.7, torch.tensor([0.5, 0.0], dtype=torch.float64)
    grid = torch.as_tensor(noise.karras_grid(5.0, 0.01, 64)[::-1].copy())
    x = torch.tensor([[0.3, -0.8], [1.2, 0.4]], dtype=torch.float64)
    scales = (v + s**2 + s.clamp_min(0.01) ** 2).sqrt()
    denoise, columns = seen_denoiser(v, s), torch.tensor([0, 1])

    def with_diagonal(x, level):
        return solvers.diagonal(denoise, x, level, columns, None)

    end, change = solvers.log_density_change(denoise, with_diagonal, x.clone(), grid, columns, noise=s)
    wide = (v + s**2 + 25).sqrt()
    got = stats.norm.logpdf(end.numpy(), scale=wide.numpy()).sum(1) + change.numpy()
    np.testing.assert_allclose(got, stats.norm.logpdf(x.numpy(), scale=scales.numpy()).sum(1), atol=0.02)


@pytest.mark.slow
def test_what_has_no_noise_and_what_is_missing_stays():
    """Column by column, of columns that lacked the same rows in `fit` as well; also without a manifold."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    X[:, 3] = X[:, 0]
    gappy = X.copy()
    gappy[::5, :2] = np.nan
    new = X[:6].copy()
    new[0, 0], new[1, 1], new[2, 3] = np.nan, np.nan, 9.0
    for table in (X, gappy):
        for manifold in (None, "passthrough"):
            # the twin of a column with noise is none of the clean one
            est = quick(manifold=manifold, noise_level=[0.3, 0, 0.3, 0], constraints=None).fit(table)
            clean = est.denoise(new)
            np.testing.assert_array_equal(np.isnan(clean), np.isnan(new))
            np.testing.assert_array_equal(clean[:, [1, 3]], new[:, [1, 3]])
            assert (clean[1:, 0] != new[1:, 0]).all()
