"""Columns of many categories: a posterior of low rank against its slow twin, and the frequencies of rare categories."""

import numpy as np
import pandas as pd
import pytest
import torch
from coding import Codec

from skmdiff import ManifoldDiffusionSampler
from skmdiff._diffusion import backend, noise
from skmdiff._diffusion.categories import is_wide
from skmdiff._diffusion.denoiser import Denoiser, Layout, denoise, denoising_loss, initialise


def postcodes(n, n_categories, seed=0):
    """A number that depends on a column of categories with Zipf's frequencies, and a column of two categories."""
    rng = np.random.default_rng(seed)
    shares = 1 / np.arange(1, n_categories + 1)
    place = rng.choice(n_categories, n, p=shares / shares.sum())
    return pd.DataFrame(
        {
            "place": pd.Categorical([f"p{k:03d}" for k in place]),
            "side": rng.choice(["l", "r"], n),
            "height": rng.normal(size=n_categories)[place] + 0.3 * rng.normal(size=n),
        }
    )


@pytest.fixture(scope="module")
def encoded():
    codec = Codec().fit(postcodes(600, 60))
    return codec.encode(postcodes(600, 60)), codec.blocks_


def build(blocks, n_random=0.3):
    model = Denoiser(Layout(blocks, dtype=torch.float64), (16,), 4).to(torch.float64)
    initialise(model, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += n_random * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
    return model


def test_wide_columns_have_short_codes(encoded):
    W, blocks = encoded
    assert [is_wide(block) for block in blocks] == [True, False, False] and blocks[0].codes.shape[1] == 16
    np.testing.assert_allclose(blocks[0].frequencies.sum(), 1)


@pytest.mark.parametrize("level", [0.05, 1.0, noise.UNKNOWN])
def test_posterior_of_low_rank_is_that_of_the_slow_twin(encoded, level):
    """Category by category: log frequency + b + e . A h + Gaussian likelihood, its mean code and its cross-entropy."""
    W, blocks = encoded
    model, codes = build(blocks), torch.as_tensor(blocks[0].codes)
    x_0 = torch.as_tensor(W[:7])
    eps = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    sigma, row_level = torch.full((7, 3), level, dtype=torch.float64), torch.full((7,), 1.0, dtype=torch.float64)
    x = x_0 + level * eps
    with torch.no_grad():
        head, latent = (
            model.wide[0],
            model.wide[0].enter(model.network(x, row_level, sigma, model.layout.narrow.evidence(x, sigma))),
        )
        slow = torch.empty(7, len(codes), dtype=torch.float64)
        for k, code in enumerate(codes):
            slow[:, k] = np.log(blocks[0].frequencies[k]) + head.categories.bias[k] + latent @ head.categories.weight[k]
            if level < noise.UNKNOWN:
                slow[:, k] += -((x[:, :16] - code) ** 2).sum(1) / (2 * (level**2 + 1e-4))
        slow = slow.log_softmax(1)
        torch.testing.assert_close(denoise(model, x, row_level, sigma)[:, :16], slow.exp() @ codes)
        own = torch.cdist(x_0[:, :16], codes).argmin(1)
        loss = denoising_loss(model, x_0, row_level, sigma, eps)
        torch.testing.assert_close(loss[:, 0], -slow[torch.arange(7), own])


def test_an_untrained_posterior_has_the_frequencies_of_the_table(encoded):
    W, blocks = encoded
    model = build(blocks, n_random=0.0)
    x, sigma = torch.as_tensor(W[:3]), torch.full((3, 3), noise.UNKNOWN, dtype=torch.float64)
    with torch.no_grad():
        logits = model(x, torch.ones(3, dtype=torch.float64), sigma)[1][1]
    np.testing.assert_allclose(logits.softmax(1), np.tile(blocks[0].frequencies, (3, 1)), rtol=1e-9)


def test_weights_grow_with_categories_by_the_rank_only():
    sizes = []
    for n_categories in (1000, 2000):
        block = Codec().fit(pd.DataFrame({"c": [f"{k % n_categories}" for k in range(4 * n_categories)]})).blocks_
        model = backend._build(block, backend.NetworkShape((256, 256), 16), "cpu", torch.float32)
        sizes.append(sum(parameter.numel() for parameter in model.parameters()))
    assert sizes[1] - sizes[0] == 1000 * 17


@pytest.mark.slow
@pytest.mark.parametrize("manifold", [None, "passthrough"])
def test_rare_categories_keep_their_frequency(manifold):
    """Total variation to the table about that of a fresh resample of it; the number follows its category."""
    X = postcodes(3000, 100)
    est = ManifoldDiffusionSampler(manifold, max_iter=250, hidden_layer_sizes=(48,), batch_size=256, random_state=0)
    new = est.fit(X).sample(5000)
    shares = X["place"].value_counts(normalize=True)

    def variation(rows):
        return (rows.value_counts(normalize=True).reindex(shares.index).fillna(0) - shares).abs().sum() / 2

    resample = variation(X["place"].sample(5000, replace=True, random_state=0))
    assert variation(new["place"]) < resample + 0.06
    rare = shares.index[shares.cumsum() > 0.8]
    assert new["place"].isin(rare).mean() == pytest.approx(shares[rare].sum(), abs=0.04)
    common = list(shares.index[:20])
    means = [rows.groupby("place", observed=False)["height"].mean()[common] for rows in (X, new)]
    assert np.corrcoef(*means)[0, 1] > 0.9


def test_density_counts_wide_columns():
    """A column of 60 categories alone, and one of two that ignores it: exp(score) is the product of the frequencies."""
    X = postcodes(3000, 60)[["place", "side"]]
    est = ManifoldDiffusionSampler("passthrough", max_iter=300, hidden_layer_sizes=(16,), random_state=0).fit(X)
    cells = X.drop_duplicates()
    distribution = np.exp(est.score_samples(cells))
    counts = X["place"].value_counts(normalize=True)[cells["place"]].to_numpy() / 2
    assert np.abs(distribution - counts).sum() < 0.15 and distribution.sum() == pytest.approx(1, abs=0.05)
