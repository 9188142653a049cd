"""What the caller has switched on or off in torch and numpy changes no bit of what is fitted or sampled."""

from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
import torch

from skmdiff import ManifoldDiffusionSampler
from skmdiff._sampler.model import fitted_model

RNG = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "number": np.where(RNG.random(120) < 0.2, np.nan, RNG.normal(size=120)),
        "narrow": RNG.choice(["a", "b"], 120),
        "wide": [f"c{k // 2}" for k in range(120)],
    }
)
NOISY = RNG.normal(size=(40, 3))


@contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def fitted():
    """A sampler of a table of all kinds of columns, and one that knows of measurement noise."""
    settings = dict(max_iter=4, hidden_layer_sizes=(8,), n_steps=2, random_state=0)
    sampler = ManifoldDiffusionSampler(**settings).fit(X)
    return sampler, ManifoldDiffusionSampler(noise_level=0.3, **settings).fit(NOISY)


def results(sampler, noisy):
    """What passes the door: weights and losses, samples, probabilities, densities, rows without noise."""
    return [
        *fitted_model(sampler).denoiser.weights.values(),
        sampler.validation_loss_curve_,
        sampler.sample(20, missing="fill"),
        sampler.sample(5, conditions={"number": 0.3}, missing="fill"),
        sampler.score_samples(X[:3]),
        noisy.sample(5),
        noisy.denoise(NOISY[:5]),
    ]


@pytest.fixture(scope="module")
def plain():
    samplers = fitted()
    return samplers, results(*samplers)


def assert_same(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


STATES = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "float64": lambda: default_dtype(torch.float64),
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "another device": lambda: torch.device("meta"),
}


# "no_grad" is part of inference mode, and one dtype tells of another
SLOW = [pytest.param(state, marks=pytest.mark.slow) for state in ("no_grad", "bfloat16")]


@pytest.mark.parametrize("state", [*SLOW, "inference_mode", "autocast", "float64", "another device"])
def test_the_state_of_torch_changes_no_bit(plain, state):
    with STATES[state]():
        found = results(*fitted())
    assert_same(found, plain[1])


def test_samples_are_the_same_where_numpy_raises(plain):
    sampler, noisy = plain[0]
    with np.errstate(all="raise"):
        found = [sampler.sample(20, missing="fill"), noisy.sample(5), noisy.denoise(NOISY[:5])]
    assert_same(found, [plain[1][-5], *plain[1][-2:]])
