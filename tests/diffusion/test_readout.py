"""Categories read on the way down: the joint distribution of a table whose denoiser is known in closed form."""

import numpy as np
import pytest
import torch
from scipy import stats

from skmdiff._diffusion import readout, solvers
from skmdiff._diffusion.denoiser import Layout
from skmdiff._diffusion.noise import karras_grid
from skmdiff._table.columns import Block, category_codes

N_ROWS = 20_000
JOINT = np.array([[0.3, 0.0, 0.1], [0.0, 0.25, 0.05], [0.2, 0.1, 0.0]])  # of two columns of three categories


class ExactDenoiser(torch.nn.Module):
    """The posterior of two dependent columns, each known or noised, by Bayes's rule over their nine pairs.

    With `blur` a network that sees the other column less sharply than it could while that is noised.
    """

    def __init__(self, blur=1.0):
        super().__init__()
        fractions = [JOINT.sum(1), JOINT.sum(0)]
        self.codes = [category_codes(f, 50) for f in fractions]
        self.layout = Layout(
            [Block("categorical", 3 * k, 3 * k + 3, self.codes[k], "x", fractions[k]) for k in range(2)],
            dtype=torch.float64,
        )
        self.blur = blur

    def log_likelihood(self, x, sigma, k):
        squares = ((x[:, None, 3 * k : 3 * k + 3] - torch.as_tensor(self.codes[k])) ** 2).sum(-1)
        return -squares / (2 * sigma[:, k : k + 1].clamp_min(0.01) ** 2)

    def forward(self, x, row_level, sigma):
        own = [self.log_likelihood(x, sigma, k) for k in range(2)]
        log_joint = torch.as_tensor(np.log(np.maximum(JOINT, 1e-12)))
        out = []
        for k in range(2):
            other, table = own[1 - k], log_joint if k == 0 else log_joint.T
            other = torch.where(sigma[:, 1 - k : 2 - k] > 0, other * self.blur, other)
            out.append((own[k] + torch.logsumexp(table + other[:, None, :], -1)).log_softmax(-1))
        return x[:, :0], [torch.stack(out, 1)]


def pairs_drawn(model, sigma_start=3.0, n_steps=16, reads=True, seed=0):
    """Counts (3, 3) of the pairs that the reverse process makes of exact starts."""
    rng = np.random.default_rng(seed)
    pairs = rng.choice(9, N_ROWS, p=JOINT.ravel())
    clean = np.hstack([model.codes[0][pairs // 3], model.codes[1][pairs % 3]])
    x = torch.as_tensor(clean + sigma_start * rng.standard_normal(clean.shape))
    grid = karras_grid(sigma_start, 0.01, n_steps)
    known, u = torch.zeros(2, dtype=torch.bool), torch.as_tensor(rng.random((N_ROWS, 2)))
    plan = readout.plan_readings(grid, 2) if reads else {}
    reader = readout.Reader(model, known, torch.zeros(2, dtype=torch.float64), u, plan)
    with torch.inference_mode():
        out = solvers.reverse(None, x, torch.as_tensor(np.float32(grid)).double(), ~known, read=reader)
        found = model.layout.narrow.nearest_categories(out).numpy()
    if reads:
        assert bool(reader.known.all())
        read = np.hstack([model.codes[k][found[:, k]] for k in range(2)])
        np.testing.assert_allclose(out.numpy(), read, atol=1e-9)  # codes, not means of codes
    return np.bincount(3 * found[:, 0] + found[:, 1], minlength=9).reshape(3, 3)


def test_pairs_have_their_joint_distribution():
    counts = pairs_drawn(ExactDenoiser())
    assert counts[JOINT == 0].sum() == 0  # a pair that never occurs is never read
    # the power to see a pair of .1 off by .01 is above .99
    assert stats.chisquare(counts[JOINT > 0], N_ROWS * JOINT[JOINT > 0]).pvalue > 1e-4


def test_reading_mends_what_a_blurred_network_leaves_in_doubt():
    """A network that is blurred while columns are noised, and sharp once one is known, as networks are."""
    apart, read = (pairs_drawn(ExactDenoiser(blur=0.3), reads=reads) for reads in (False, True))
    assert apart[JOINT == 0].sum() > 10 * max(1, read[JOINT == 0].sum())


def test_the_most_certain_column_is_read_first():
    model = ExactDenoiser()
    # the first column is at its code, the second in the middle
    x = torch.as_tensor(np.hstack([model.codes[0][[0, 1]], np.zeros((2, 3))]))
    u, level = torch.full((2, 2), 0.5, dtype=torch.float64), torch.tensor(0.4, dtype=torch.float64)
    reader = readout.Reader(model, torch.zeros(2, dtype=torch.bool), torch.zeros(2), u, {float(level): [1]})
    out, _, moving = reader(x, level)
    assert reader.known.tolist() == [[True, False]] * 2
    assert not moving[:, :3].any() and moving[:, 3:].all()
    torch.testing.assert_close(out, x)


@pytest.mark.parametrize("n_columns", [1, 3, 24])
@pytest.mark.parametrize(("sigma_start", "n_steps"), [(10.0, 16), (0.35, 16), (1.0, 4), (2.0, 1)])
def test_all_columns_are_read_by_the_end_at_a_third_more_evaluations_at_most(n_columns, sigma_start, n_steps):
    grid = karras_grid(sigma_start, 0.01, n_steps)
    plan = readout.plan_readings(grid, n_columns)
    known = [n for _, some in sorted(plan.items(), reverse=True) for n in some]
    assert known == sorted(known) and known[-1] == n_columns
    assert len(known) <= max(1, 0.32 * n_steps)
    assert all(level <= readout.READ_FROM or n_steps == 1 for level in plan)


def test_categories_are_drawn_by_their_probabilities():
    p = torch.tensor([[0.2, 0.0, 0.8]]).repeat(1000, 1)
    index = readout.draw_categories(p, torch.linspace(0.0005, 0.9995, 1000))
    assert torch.bincount(index, minlength=3).tolist() == [200, 0, 800]
