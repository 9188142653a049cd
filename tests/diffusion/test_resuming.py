"""A training that is cut off after any step and run again ends with the bits of one that is not."""

import signal
import time

import numpy as np
import pytest

from skmdiff._diffusion import backend, resuming, training
from skmdiff._numerics.checkpoints import read_checkpoint
from skmdiff._table.columns import Block, category_codes

N, MAX_ITER = 60, 24
FREQUENCIES = np.full(60, 1 / 60)
BLOCKS = [
    Block("numeric", 0, 1, None, "a"),
    Block("categorical", 1, 17, category_codes(FREQUENCIES, 50), "wide", FREQUENCIES),
]
SHAPE = backend.NetworkShape((8,), 4)


class Killed(BaseException):
    """Stands for what ends a process."""


def rows():
    """Numbers of a column of ties, drawn again now and then, beside a column of many categories."""
    rng = np.random.default_rng(3)
    codes = BLOCKS[1].codes[np.arange(N) % 60]
    return backend.TrainingRows(
        lambda: np.column_stack([np.round(np.linspace(-2, 2, N)) + rng.random(N), codes]),
        np.zeros(2),
        missing=np.arange(2 * N).reshape(N, 2) % 7 == 0,
        cumulated_weight=np.cumsum(np.linspace(0.5, 1.5, N)),
        held_out=np.column_stack([np.linspace(-1, 1, 20), codes[:20]]),
        rng=rng,
    )


def plan(**changes):
    values = dict(
        max_iter=MAX_ITER,
        batch_size=16,
        learning_rate_init=2e-3,
        conditional_fraction=0.25,
        ema_decay=0.9,
        n_iter_no_change=100,
        evaluate_every=5,
    )
    return training.TrainingPlan(**{**values, **changes})


def fit(checkpoint=None, seed=0, first_weights=None, report=lambda history, state: None, **changes):
    return backend.fit_denoiser(
        rows(),
        BLOCKS,
        SHAPE,
        plan(**changes),
        device="cpu",
        seed=seed,
        report=report,
        first_weights=first_weights,
        checkpoint=checkpoint,
    )


def equal(one, other):
    (state, history), (other_state, other_history) = one, other
    assert list(state.weights) == list(other_state.weights)
    for name, value in state.weights.items():
        np.testing.assert_array_equal(value, other_state.weights[name])
    for name in ("loss_curve", "validation_loss_curve", "n_iter", "stop_reason"):
        assert getattr(history, name) == getattr(other_history, name)


@pytest.fixture
def at_every_step(monkeypatch):
    monkeypatch.setattr(resuming, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(resuming, "TIMES_COST", 0.0)


@pytest.fixture
def never(monkeypatch):
    monkeypatch.setattr(resuming, "LEAST_SECONDS", 1e9)


@pytest.fixture(scope="module")
def whole():
    return fit()


def cut_after(monkeypatch, n_steps):
    """The training of this test is killed in its step n_steps + 1, in the middle of it."""
    plain, n_calls = training.clip_grad_norm_, 0

    def cut(*arguments):
        nonlocal n_calls
        n_calls += 1
        if n_calls > n_steps:
            raise Killed
        return plain(*arguments)

    monkeypatch.setattr(training, "clip_grad_norm_", cut)


@pytest.mark.parametrize("n_steps", [0, 1, 4, 5, 6, 13, 15, MAX_ITER - 1])
def test_a_killed_training_ends_with_the_same_bits(tmp_path, monkeypatch, at_every_step, whole, n_steps):
    with monkeypatch.context() as patch:
        cut_after(patch, n_steps)
        with pytest.raises(Killed):
            fit(tmp_path)
    with monkeypatch.context() as patch:
        cut_after(patch, MAX_ITER - n_steps)  # no step is made again
        equal(fit(tmp_path), whole)


def test_killed_time_and_again(tmp_path, monkeypatch, at_every_step, whole):
    for n_steps in (3, 0, 4, 7):
        with monkeypatch.context() as patch:
            cut_after(patch, n_steps)
            with pytest.raises(Killed):
                fit(tmp_path)
    equal(fit(tmp_path), whole)


def test_when_files_are_written_changes_no_bit(tmp_path, at_every_step, whole):
    equal(fit(tmp_path), whole)


def test_a_whole_training_is_loaded(tmp_path, monkeypatch, never, whole):
    equal(fit(tmp_path), whole)
    cut_after(monkeypatch, 0)
    equal(fit(tmp_path), whole)


@pytest.mark.parametrize(
    "changes", [dict(seed=1), dict(max_iter=23), dict(batch_size=15), dict(learning_rate_init=1e-3)], ids=str
)
def test_another_training_has_another_file(tmp_path, changes):
    equal(fit(tmp_path, **changes), fit(**changes))
    fit(tmp_path)
    assert len(list(tmp_path.glob("*.ckpt"))) == 2


def test_a_training_out_of_time_goes_on_in_the_next_call(tmp_path, never, whole):
    """The evaluation that `max_time` asks for in between leaves no trace."""
    for n_iter in range(1, 8):
        history = fit(tmp_path, deadline=time.monotonic())[1]
        assert (history.n_iter, history.stop_reason) == (n_iter, "max_time")
    equal(fit(tmp_path), whole)


def test_a_training_begins_with_the_weights_given():
    first = fit(max_iter=0, seed=1)[0].weights
    again = fit(max_iter=0, seed=2, first_weights=first)[0].weights
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name])


def test_a_file_that_cannot_be_written_any_more_is_warned_of_once(tmp_path, monkeypatch, at_every_step, whole):
    def full(path, checkpoint):
        raise OSError("No space left on device")

    monkeypatch.setattr(resuming, "write_checkpoint", full)
    with pytest.warns(UserWarning, match="cannot be written, the training goes on without: No space left") as caught:
        equal(fit(tmp_path), whole)
    assert len(caught) == 1


def test_without_room_for_the_file_no_step_is_made(tmp_path, monkeypatch):
    def full(folder, n_bytes):
        raise OSError(f"no room for {n_bytes} bytes")

    monkeypatch.setattr(resuming, "check_folder", full)
    cut_after(monkeypatch, 0)
    with pytest.raises(OSError, match="no room"):
        fit(tmp_path)


def test_the_file_has_room_for_what_is_written(tmp_path, at_every_step, monkeypatch):
    sizes, asked = [], []
    write, check = resuming.write_checkpoint, resuming.check_folder

    def measured(path, checkpoint):
        write(path, checkpoint)
        sizes.append(path.stat().st_size)

    monkeypatch.setattr(resuming, "write_checkpoint", measured)
    monkeypatch.setattr(resuming, "check_folder", lambda folder, n: asked.append(n) or check(folder, n))
    backend.fit_denoiser(
        rows(), BLOCKS, backend.NetworkShape((128, 128), 16), plan(), device="cpu", checkpoint=tmp_path
    )
    assert max(sizes) < asked[0] < 4 * max(sizes)


# --- SIGTERM


@pytest.fixture
def handler():
    """A handler of the caller, which counts."""
    signals = []
    former = signal.signal(signal.SIGTERM, lambda number, frame: signals.append(number))
    yield signals
    signal.signal(signal.SIGTERM, former)


def send_at(monkeypatch, step):
    """A SIGTERM in the middle of a step."""
    plain, n_calls = training.clip_grad_norm_, 0

    def sending(*arguments):
        nonlocal n_calls
        n_calls += 1
        if n_calls == step:
            signal.raise_signal(signal.SIGTERM)
        return plain(*arguments)

    monkeypatch.setattr(training, "clip_grad_norm_", sending)


def test_a_sigterm_writes_the_state_and_calls_the_handler_of_the_caller(tmp_path, monkeypatch, never, handler, whole):
    steps = []
    monkeypatch.setattr(
        resuming, "write_checkpoint", lambda path, kept: steps.append((kept.values["history"]["n_iter"], len(handler)))
    )
    ours = signal.getsignal(signal.SIGTERM)
    send_at(monkeypatch, 7)
    equal(fit(tmp_path), whole)  # a handler that returns lets the training go on
    assert steps == [(7, 0), (MAX_ITER, 1)] and handler == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is ours


def test_a_handler_that_ends_the_process_leaves_a_file_to_go_on_from(tmp_path, monkeypatch, never, whole):
    def end(number, frame):
        raise SystemExit(3)

    former = signal.signal(signal.SIGTERM, end)
    try:
        with monkeypatch.context() as patch:
            send_at(patch, 7)
            with pytest.raises(SystemExit):
                fit(tmp_path)
        assert signal.getsignal(signal.SIGTERM) is end
    finally:
        signal.signal(signal.SIGTERM, former)
    [path] = tmp_path.glob("*.ckpt")
    assert read_checkpoint(path).values["history"]["n_iter"] == 7
    equal(fit(tmp_path), whole)


def test_an_ignored_sigterm_stays_ignored(tmp_path, monkeypatch, never, whole):
    former = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        send_at(monkeypatch, 7)
        equal(fit(tmp_path), whole)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, former)


def test_a_training_without_a_checkpoint_sets_no_handler(handler):
    ours = signal.getsignal(signal.SIGTERM)
    seen = []
    fit(report=lambda history, state: seen.append(signal.getsignal(signal.SIGTERM)))
    assert set(seen) == {ours}
