"""The diffusion against closed forms: Gaussians, two points, categories; the solver's order; the density."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.integrate import trapezoid

from skmdiff._diffusion import backend, noise, solvers, tasks, training
from skmdiff._diffusion.denoiser import Denoiser, Layout, denoise, denoising_loss, initialise
from skmdiff._table.columns import Block

NUMBERS = [Block("numeric", 0, 1, None, "a"), Block("numeric", 1, 2, None, "b")]
CODES = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]) - 1 / 3
MIXED = [Block("numeric", 0, 1, None, "a"), Block("categorical", 1, 4, CODES, "c", np.full(3, 1 / 3))]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def build(blocks, seed=0, dtype=torch.float64):
    model = Denoiser(Layout(blocks, dtype=dtype), (64, 64), 8).to(dtype)
    initialise(model, generator(seed))
    return model


def plan(**changes):
    values = dict(
        max_iter=1500,
        batch_size=256,
        learning_rate_init=2e-3,
        sigma_min=0.01,
        sigma_max=20.0,
        conditional_fraction=0.2,
        ema_decay=0.99,
        n_iter_no_change=100,
        evaluate_every=100,
    )
    return training.TrainingPlan(**{**values, **changes})


def fit(rows, blocks, seed=0, **changes):
    data = backend.TrainingRows(rows, np.zeros(len(blocks)))
    shape = backend.NetworkShape((64, 64), 8)
    return backend.fit_denoiser(data, blocks, shape, plan(**changes), device="cpu", seed=seed)[0]


# --- noise levels


def test_karras_grid_is_equation_5_of_edm():
    grid = noise.karras_grid(20.0, 0.01, 7, rho=7.0)
    slow = [(20.0 ** (1 / 7) + i / 7 * (0.01 ** (1 / 7) - 20.0 ** (1 / 7))) ** 7 for i in range(8)]
    np.testing.assert_allclose(grid, slow, rtol=1e-10)


def test_preconditioning_gives_unit_variance_input_and_target():
    """For x_0 ~ N(0, 1): var(c_in x_t) = 1 and var((x_0 - c_skip x_t) / c_out) = 1 at every level (EDM, appendix B)."""
    sigma = torch.tensor([0.01, 0.3, 1.0, 5.0, 20.0], dtype=torch.float64)
    c_skip, c_out, c_in = noise.preconditioning(sigma)
    torch.testing.assert_close(c_in**2 * (1 + sigma**2), torch.ones_like(sigma))
    torch.testing.assert_close(((1 - c_skip) ** 2 + c_skip**2 * sigma**2) / c_out**2, torch.ones_like(sigma))


def test_levels_are_one_a_stratum_of_the_cut_log_normal():
    levels = noise.draw_levels(1000, 0.01, 20.0, generator()).double().log().numpy()
    distribution = stats.norm(noise.LOG_SIGMA_MEAN, noise.LOG_SIGMA_STD)
    low, high = distribution.cdf(np.log([0.01, 20.0]))
    u = (distribution.cdf(levels) - low) / (high - low)
    assert np.abs(np.floor(np.sort(u) * 1000 - 1e-2) - np.arange(1000)).max() <= 1
    assert abs(u[:200].mean() - 0.5) < 4 / np.sqrt(12 * 200)  # the rows of special tasks see every level
    assert noise.draw_levels(1000, 0.01, 0.5, generator()).max() <= 0.5 * (1 + 1e-4)


def test_column_levels_hold_every_task_at_its_fraction():
    is_categorical = torch.tensor([False, False, True, True])
    row_level = noise.draw_levels(10_000, 0.01, 20.0, generator())
    sigma = tasks.draw_column_levels(row_level, tasks.Columns(is_categorical, 3), 0.14, generator(1))
    shared = (sigma == row_level[:, None]).all(1)
    assert shared[2000:].all() and 0.8 <= shared.double().mean() <= 0.87
    special, turns = sigma[:2000], (*tasks.TURNS, *tasks.READING_TURNS)

    def of(task):
        return special[torch.tensor([turn is task for turn in turns]).repeat(200)]

    target_only = of(tasks.target_known)
    assert (target_only[:, 3] == 0).all() and (target_only[:, :3] == row_level[3:2000:10, None]).all()
    marginal = of(tasks.numbers_alone)
    assert (marginal[:, 2:] == noise.UNKNOWN).all() and (marginal[:, 0] == marginal[:, 1]).all()
    conditional = of(tasks.rest_unknown)
    assert ((conditional == 0) | (conditional == noise.UNKNOWN)).all()
    assert 0.4 < (conditional[:, :2] == 0).all(1).double().mean() < 0.8
    assert (of(tasks.target_unknown) == torch.tensor([0, 0, 0, noise.UNKNOWN])).all()
    shared_or_other = of(tasks.another_level)
    assert torch.isin(shared_or_other, row_level).all() and (shared_or_other != row_level[4:2000:10, None]).any()
    assert 0.4 < (of(tasks.some_known) == 0).double().mean() < 0.6
    read = of(tasks.categories_known)
    assert len(read) == 600 and (read[:, :2] > 0).all() and 0.4 < (read[:, 2:] == 0).double().mean() < 0.6


@pytest.mark.parametrize("target", [None, 1])
@pytest.mark.parametrize("kinds", [[False, False, True], [False, False, False], [True, True, True]])
def test_tasks_are_those_of_the_slow_twin(kinds, target):
    """Cell by cell, from the same random numbers: 0 where known, UNKNOWN where nothing is, a level elsewhere."""
    row_level = noise.draw_levels(70, 0.01, 20.0, generator())
    missing = torch.rand(70, 3, generator=generator(2)) < 0.3
    columns, fraction = tasks.Columns(torch.tensor(kinds), target), 0.35 if any(kinds) else 0.5
    sigma = tasks.draw_column_levels(row_level, columns, fraction, generator(1), missing)
    stream, is_mixed = generator(1), len(set(kinds)) == 2
    chosen = torch.rand(35, 3, generator=stream) < torch.rand(35, 1, generator=stream)
    coin = torch.rand(35, generator=stream) < 0.5 if is_mixed else torch.zeros(35, dtype=torch.bool)
    other = row_level[torch.randperm(70, generator=stream)]
    names = "some_known rest_unknown numbers_alone target_known another_level rest_unknown target_unknown".split()
    names += ["categories_known"] * 3 * any(kinds)
    for i, j in np.ndindex(35, 3):
        name, known, level = names[i % len(names)], bool(chosen[i, j]), float(row_level[i])
        if name in ("target_known", "target_unknown") and target is not None:
            known = (j == target) == (name == "target_known")
        if name == "rest_unknown":
            known |= bool(coin[i]) and not kinds[j]
        if name == "numbers_alone" and not all(kinds):
            known = not kinds[j]
        if name == "categories_known":
            known &= kinds[j]
        hides = name in ("rest_unknown", "numbers_alone", "target_unknown")
        expected = noise.UNKNOWN if hides else level
        if known:
            expected = {"numbers_alone": level, "another_level": float(other[i])}.get(name, 0.0)
        assert float(sigma[i, j]) == (noise.UNKNOWN if hides and missing[i, j] else expected), (name, i, j)
    assert torch.equal(sigma[35:], row_level[35:, None].repeat(1, 3))


def test_a_table_of_one_column_has_no_conditional_tasks():
    row_level = noise.draw_levels(50, 0.01, 20.0, generator())
    sigma = tasks.draw_column_levels(row_level, tasks.Columns(torch.tensor([False]), None), 0.5, generator())
    torch.testing.assert_close(sigma[:, 0], row_level)


# --- solver, on the exact denoiser of N(0, s^2): D(x; sigma) = x s^2 / (s^2 + sigma^2)


def gaussian_denoiser(s):
    return lambda x, sigma: x * s**2 / (s**2 + sigma**2)


def gaussian_solver_error(n_steps, s):
    x = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
    grid = torch.as_tensor(noise.karras_grid(5.0, 0.02, n_steps))
    out = solvers.reverse(gaussian_denoiser(s), x, grid, torch.tensor([True]))
    scale = np.sqrt((s**2 + 0.02**2) / (s**2 + 5.0**2))
    exact = gaussian_denoiser(s)(x * scale, grid[-1])
    return float((out - exact).abs().max())


def test_solver_is_of_second_order():
    errors = [gaussian_solver_error(n, 0.5) for n in (16, 32, 64, 128)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (orders > 1.7).all() and errors[-1] < 1e-4, (errors, orders)


def test_solver_is_exact_for_a_standard_normal():
    assert gaussian_solver_error(4, 1.0) < 1e-12


def test_first_order_rule_is_of_first_order():
    """The control of the test of order: without the previous velocity the same rule loses an order."""

    def euler_error(n_steps, s=0.5):
        angle = torch.arctan(torch.as_tensor(noise.karras_grid(5.0, 0.02, n_steps)))
        u = torch.cos(angle[:1])
        for a, b in zip(angle[:-1], angle[1:], strict=True):
            denoised = gaussian_denoiser(s)(u / torch.cos(a), torch.tan(a))
            u = solvers.multistep(u, solvers.velocity(denoised, u, a), None, a - b, None)
        return abs(float(u / torch.cos(b)) - np.sqrt((s**2 + 0.02**2) / (s**2 + 25)))

    errors = [euler_error(n) for n in (32, 64, 128)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert ((orders > 0.8) & (orders < 1.3)).all(), orders


def test_two_points_are_reached_in_their_shares():
    """Data at -1 (share .7) and +1 (.3): the exact denoiser is a posterior mean, every start ends at a point."""

    def denoise(x, sigma):
        points, distribution = torch.tensor([-1.0, 1.0]).to(x), torch.tensor([0.7, 0.3]).to(x)
        share = (distribution.log() - (x - points) ** 2 / (2 * sigma**2)).softmax(1)
        return share @ points[:, None]

    start = torch.as_tensor(stats.norm.ppf((np.arange(4000) + 0.5) / 4000) * 20.0)[:, None]
    grid = torch.as_tensor(noise.karras_grid(20.0, 0.01, 24))
    out = solvers.reverse(denoise, start, grid, torch.tensor([True]))[:, 0]
    assert ((out.abs() - 1).abs() < 1e-3).double().mean() > 0.999
    assert abs(float((out > 0).double().mean()) - 0.3) < 0.01


def test_known_columns_do_not_move():
    x = torch.ones(4, 2, dtype=torch.float64)
    grid = torch.as_tensor(noise.karras_grid(5.0, 0.02, 8))
    out = solvers.reverse(lambda x, sigma: torch.zeros_like(x), x, grid, torch.tensor([True, False]))
    assert (out[:, 1] == 1).all() and (out[:, 0].abs() < 1).all()


# --- density along the flow, on exact denoisers


def traced(denoise, columns, probes=None):
    return lambda x, level: solvers.diagonal(denoise, x, level, columns, probes)


@pytest.mark.parametrize("probes", [None, torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.float64)])
def test_log_density_of_a_correlated_gaussian(probes):
    """Both traces: exact, and Hutchinson's with a full set of orthogonal signs, which is exact too."""
    cov = torch.tensor([[1.0, 0.6], [0.6, 0.8]], dtype=torch.float64)
    eye = torch.eye(2, dtype=torch.float64)

    def denoise(x, sigma):
        return x @ torch.linalg.solve(cov + sigma**2 * eye, cov)

    x = torch.randn(50, 2, generator=generator(), dtype=torch.float64) @ torch.linalg.cholesky(cov).T
    grid = torch.as_tensor(noise.karras_grid(20.0, 0.01, 64)[::-1].copy())
    columns = torch.arange(2)
    end, change = solvers.log_density_change(denoise, traced(denoise, columns, probes), x, grid, columns)
    at_end = stats.multivariate_normal(cov=(cov + 400 * eye).numpy()).logpdf(end.numpy())
    exact = stats.multivariate_normal(cov=(cov + 1e-4 * eye).numpy()).logpdf(x.numpy())
    np.testing.assert_allclose(change.numpy() + at_end, exact, atol=0.03)


def test_density_of_two_points_integrates_to_one():
    """Log-density of the exact denoiser of two noised points, integrated over a fine grid."""

    def denoise(x, sigma):
        return torch.tanh(x / sigma**2)

    x = torch.linspace(-3, 3, 1201, dtype=torch.float64)[:, None]
    grid = torch.as_tensor(noise.karras_grid(20.0, 0.2, 128)[::-1].copy())
    columns = torch.arange(1)
    end, change = solvers.log_density_change(denoise, traced(denoise, columns), x, grid, columns)
    at_end = stats.norm.logpdf(end[:, 0].numpy(), scale=np.sqrt(401))
    density = np.exp(change.numpy() + at_end)
    exact = 0.5 * (stats.norm.pdf(x[:, 0], -1, 0.2) + stats.norm.pdf(x[:, 0], 1, 0.2))
    assert abs(trapezoid(density, x[:, 0]) - 1) < 0.01
    np.testing.assert_allclose(density, exact, atol=0.05)


# --- network and loss


def test_untrained_denoiser_is_the_skip():
    """Branches start at zero: numbers are c_skip x_t, categories follow the Gaussian likelihood of their codes."""
    model, x = build(MIXED), torch.randn(6, 4, generator=generator(), dtype=torch.float64)
    row_level = torch.full((6,), 0.7, dtype=torch.float64)
    means, log_p = model(x, row_level, row_level[:, None].repeat(1, 2))
    torch.testing.assert_close(means, x[:, :1] / (1 + 0.49))
    squared = ((x[:, None, 1:] - torch.as_tensor(CODES)) ** 2).sum(-1)
    torch.testing.assert_close(log_p[0][:, 0], (-squared / (2 * (0.49 + 1e-4))).log_softmax(-1))


def test_known_and_unknown_columns():
    """What is unknown is not seen; what is known carries no loss and no noise."""
    model, x = build(MIXED), torch.randn(6, 4, generator=generator(), dtype=torch.float64)
    with torch.no_grad():
        model.leave.weight.normal_(generator=generator(2))
    row_level = torch.full((6,), 0.7, dtype=torch.float64)
    sigma = torch.tensor([[noise.UNKNOWN, 0.7]], dtype=torch.float64).repeat(6, 1)
    other = x.clone()
    other[:, 0] += 3.0

    def network(x):
        return model.network(x, row_level, sigma, model.layout.narrow.evidence(x, sigma))

    torch.testing.assert_close(network(x), network(other))
    sigma[:, 0], sigma[:, 1] = 0.0, 0.7
    loss = denoising_loss(model, x, row_level, sigma, torch.randn(6, 4, generator=generator(), dtype=torch.float64))
    assert (loss[:, 0] == 0).all() and (loss[:, 1] > 0).all()


def test_loss_gradient_is_that_of_finite_differences():
    model = build(MIXED)
    with torch.no_grad():
        model.leave.weight.normal_(generator=generator(2))
    numbers, codes = torch.randn(5, 1, generator=generator(), dtype=torch.float64), torch.as_tensor(CODES)
    x = torch.cat([numbers, codes[[0, 1, 2, 0, 1]]], 1)
    row_level = torch.tensor([0.1, 0.5, 1.0, 2.0, 5.0], dtype=torch.float64)
    eps = torch.randn(5, 4, generator=generator(3), dtype=torch.float64)
    parameter = model.periodic.frequencies

    def loss():
        return denoising_loss(model, x, row_level, row_level[:, None].repeat(1, 2), eps).mean()

    loss().backward()
    analytic, step = parameter.grad[0, 0].item(), 1e-6
    with torch.no_grad():
        parameter[0, 0] += step
        above = loss().item()
        parameter[0, 0] -= 2 * step
        below = loss().item()
    assert analytic == pytest.approx((above - below) / (2 * step), rel=1e-4, abs=1e-9)


# --- training against exact denoisers


def denoised(state, x, sigma):
    model = backend._load(state, torch.float64)
    x = torch.as_tensor(x)
    row_level = torch.full((len(x),), sigma, dtype=torch.float64)
    return denoise(model, x, row_level, row_level[:, None].repeat(1, len(state.blocks))).numpy()


@pytest.mark.slow
def test_trained_denoiser_is_that_of_the_gaussian():
    """E[x_0 | x_t] = S (S + sigma^2)^-1 x_t; the score is (D - x) / sigma^2, so its error is this one's / sigma^2."""
    cov = np.array([[1.0, 0.7], [0.7, 1.0]])
    rng = np.random.default_rng(0)
    state = fit(rng.multivariate_normal([0, 0], cov, 20_000), NUMBERS, max_iter=2000)
    for sigma in (0.3, 1.0, 3.0):
        x = rng.multivariate_normal([0, 0], cov + sigma**2 * np.eye(2), 2000)
        exact = x @ np.linalg.solve(cov + sigma**2 * np.eye(2), cov)
        error = np.sqrt(np.mean((denoised(state, x, sigma) - exact) ** 2) / np.mean((x - exact) ** 2))
        assert error < 0.08, (sigma, error)


@pytest.mark.slow
def test_trained_denoiser_is_that_of_two_points():
    """Points (-1, -1) and (1, 1) on equal terms: E[x_0 | x_t] = tanh((x_1 + x_2) / sigma^2) (1, 1)."""
    rng = np.random.default_rng(0)
    rows = rng.choice([-1.0, 1.0], 5000)[:, None] * np.ones((1, 2))
    state = fit(rows, NUMBERS, max_iter=2000)
    for sigma in (0.5, 1.0, 2.0):
        x = rows[:2000] + sigma * rng.standard_normal((2000, 2))
        exact = np.tanh(x.sum(1, keepdims=True) / sigma**2) * np.ones((1, 2))
        assert np.sqrt(np.mean((denoised(state, x, sigma) - exact) ** 2)) < 0.08, sigma


@pytest.mark.slow
def test_trained_posterior_of_a_category_and_its_density():
    """A category of distribution f shifts a number: p(category), p(number | category), their mixture are recovered."""
    f, shift = np.array([0.6, 0.3, 0.1]), np.array([-1.0, 0.5, 1.5])
    rng = np.random.default_rng(0)
    levels = rng.choice(3, 20_000, p=f)
    rows = np.column_stack([shift[levels] + 0.3 * rng.standard_normal(20_000), CODES[levels]])
    state = fit(rows, MIXED, conditional_fraction=0.8, max_iter=3000)
    value = np.linspace(-2, 2.5, 40)
    query = np.column_stack([np.repeat(value, 3), np.tile(CODES, (40, 1))])
    log_density = backend.log_density(
        state,
        backend.DensityQuery(query, np.zeros(2, bool), np.zeros((120, 2), bool), np.zeros(2)),
        backend.ReverseProcess(20.0, 48),
        lambda x, seen: stats.norm.logpdf(x[:, 0], scale=np.sqrt(401)),
    )
    exact = f * stats.norm.pdf(value[:, None], shift, np.sqrt(0.09 + 1e-4))
    found = np.exp(log_density.reshape(40, 3))
    assert np.abs(found - exact).sum() / exact.sum() < 0.25
    assert found.sum() * (value[1] - value[0]) == pytest.approx(1, abs=0.08)


def test_non_finite_loss_stops_and_keeps_finite_weights():
    rows = np.random.default_rng(0).standard_normal((200, 2))
    calls = iter(range(10**6))

    def draw():
        return rows if next(calls) == 0 else rows * np.nan

    data, shape = backend.TrainingRows(draw, np.zeros(2)), backend.NetworkShape((16,), 4)
    state, history = backend.fit_denoiser(data, NUMBERS, shape, plan(max_iter=60, evaluate_every=10), device="cpu")
    assert history.stop_reason == "diverged" and history.n_iter < 60
    assert all(np.isfinite(value).all() for value in state.weights.values())


def test_early_stopping_keeps_the_best_held_out_weights():
    """Random noise as a table of 30 rows: the held-out loss turns and training stops before max_iter."""
    rng = np.random.default_rng(0)
    rows, held_out = rng.standard_normal((30, 2)), rng.standard_normal((200, 2))
    told = plan(max_iter=5000, n_iter_no_change=5, evaluate_every=50, batch_size=64)
    data = backend.TrainingRows(rows, np.zeros(2), held_out=held_out)
    _, history = backend.fit_denoiser(data, NUMBERS, backend.NetworkShape((64,), 8), told, device="cpu")
    assert history.stop_reason == "early_stopping" and history.n_iter < 5000


@pytest.mark.parametrize("n_evaluations", [0, 3])
def test_an_interrupt_reaches_the_caller(n_evaluations):
    """Before the first evaluation and after it: what was learnt so far is not a fit."""
    n_reports = 0

    def interrupt(history, state):
        nonlocal n_reports
        n_reports += 1
        if n_reports > n_evaluations:
            raise KeyboardInterrupt

    data, shape = backend.TrainingRows(np.zeros((20, 2)), np.zeros(2)), backend.NetworkShape((8,), 4)
    with pytest.raises(KeyboardInterrupt):
        backend.fit_denoiser(data, NUMBERS, shape, plan(max_iter=20, evaluate_every=2), report=interrupt)
    assert n_reports == n_evaluations + 1


def test_training_is_repeatable_and_leaves_the_global_stream():
    rows = np.random.default_rng(0).standard_normal((100, 2))
    before = torch.random.get_rng_state()
    first, second = fit(rows, NUMBERS, max_iter=20), fit(rows, NUMBERS, max_iter=20)
    other = fit(rows, NUMBERS, max_iter=20, seed=1)
    assert torch.equal(before, torch.random.get_rng_state())
    for name, value in first.weights.items():
        np.testing.assert_array_equal(value, second.weights[name])
    assert not np.array_equal(first.weights["enter.weight"], other.weights["enter.weight"])


def test_learning_rate_warms_up_and_falls_to_zero():
    factors = [training.learning_rate_factor(step, 1000) for step in range(1000)]
    assert factors[0] == pytest.approx(0.01) and max(factors) == pytest.approx(1.0, abs=1e-3)
    assert factors[-1] < 1e-4 and np.argmax(factors) in range(95, 105)


def test_unknown_device_is_refused():
    with pytest.raises(ValueError, match="device"):
        backend.resolve_device("abacus")


@pytest.mark.parametrize("device", ["mps", "xla", "meta"])
def test_other_kinds_of_device_are_refused_by_name(device):
    with pytest.raises(ValueError, match=f"a GPU of CUDA such as.*got '{device}'.*use device='cpu'"):
        backend.resolve_device(device)


def test_a_gpu_keeps_its_number_and_a_model_goes_on_without_it(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert str(backend.device_at_hand("cuda:1")) == str(backend.resolve_device("cuda:1")) == "cuda:1"
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    assert str(backend.device_at_hand("cuda:1")) == "cuda"
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert str(backend.device_at_hand("cuda:1")) == "cpu"


def test_a_model_that_was_trained_on_a_gpu_samples_without_one():
    rows = np.random.default_rng(0).normal(size=(50, 2))
    state = replace(fit(rows, NUMBERS, max_iter=2, evaluate_every=1), device="cuda:3")
    process, x = backend.ReverseProcess(1.0, 4), np.zeros((backend.BLOCK_ROWS, 2))
    known, u = np.zeros(2, dtype=bool), np.full((backend.BLOCK_ROWS, 2), 0.5)
    assert np.isfinite(backend.sample_block(state, x, known, process, u)).all()
