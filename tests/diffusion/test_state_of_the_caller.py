"""What the caller has switched on or off in torch and numpy changes no bit of what is fitted or sampled."""

from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
import torch

from skmdiff import ManifoldDiffusionSampler

RNG = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "number": np.where(RNG.random(60) < 0.2, np.nan, RNG.normal(size=60)),
        "narrow": RNG.choice(["a", "b"], 60),
        "wide": [f"c{k}" for k in range(60)],
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


def everything():
    """What passes the door: weights and losses of a fit, samples, probabilities, densities, rows without noise."""
    settings = dict(max_iter=4, hidden_layer_sizes=(8,), n_steps=2, random_state=0)
    sampler = ManifoldDiffusionSampler(**settings).fit(X)
    noisy = ManifoldDiffusionSampler(noise_level=0.3, **settings).fit(NOISY)
    return [
        *sampler.denoiser_.weights.values(),
        sampler.validation_loss_curve_,
        sampler.sample(20, missing="fill"),
        sampler.sample(5, conditions={"number": 0.3}, missing="fill"),
        sampler.score_samples(X[:3]),
        noisy.sample(5),
        noisy.denoise(NOISY[:5]),
    ]


@pytest.fixture(scope="module")
def plain():
    return everything()


STATES = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "float64": lambda: default_dtype(torch.float64),
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "another device": lambda: torch.device("meta"),
    "numpy raises": lambda: np.errstate(all="raise"),
}


@pytest.mark.parametrize("state", STATES)
def test_the_state_of_the_caller_changes_no_bit(plain, state):
    with STATES[state]():
        found = everything()
    for a, b in zip(plain, found, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
