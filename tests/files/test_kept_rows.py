"""Large tables in model files: what follows from the rest is left out, and comes back to the last bit."""

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import skmdiff
from skmdiff import ManifoldDiffusionSampler, ModelFileError
from skmdiff._files.arrays import read_array, write_array
from skmdiff._numerics import neighbors
from skmdiff._numerics.neighbors import neighbor_graph
from skmdiff._sampler import kept_rows
from skmdiff._starts import on_demand
from skmdiff._starts.on_demand import Neighborhoods

N = 300
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "x": RNG.normal(size=N),
        "z": RNG.normal(size=N),
        "cents": np.round(RNG.normal(size=N), 2),
        "often": np.where(RNG.random(N) < 0.5, 0.0, RNG.normal(size=N)),
        "count": RNG.integers(0, 40, N),
        "kind": RNG.choice(list("abc"), N),
        "many": pd.Categorical([f"v{k}" for k in RNG.integers(0, 60, N)]),
        "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 10**6, N), "s"),
        "same": 1.0,
    }
)
LACKING = FRAME.assign(x=FRAME["x"].mask(RNG.random(N) < 0.2), kind=FRAME["kind"].mask(RNG.random(N) < 0.2))
CLASSES = RNG.choice(["no", "yes"], N)


@pytest.fixture(autouse=True)
def every_table_is_large(monkeypatch):
    monkeypatch.setattr(kept_rows, "LEAST_ROWS", 1)


def fitted(X, y=None, **params):
    params = {"max_iter": 3, "hidden_layer_sizes": (8,), "n_steps": 3, "random_state": 0, **params}
    return ManifoldDiffusionSampler(**params).fit(X, y)


def arrays_of(model):
    yield from (("rows", model.rows), ("source rows", model.source.rows), ("stays", model.source.stays))
    yield "neighbours", model.source.neighborhoods[np.arange(len(model.rows))]
    manifold = model.manifold
    yield from (("table", manifold.table_), ("embedding", manifold.embedding_), ("lift", manifold.lift_.W))
    if model.hot_deck is not None:
        yield from (("deck", model.hot_deck.rows), ("filled", model.hot_deck.filled))


CASES = {
    "frame": (FRAME, None, {}),
    "array": (FRAME[["x", "z", "cents"]].to_numpy(), None, {}),
    "standard": (FRAME, None, {"numeric": "standard"}),
    "missing": (LACKING, None, {}),
    "classes": (FRAME, CLASSES, {}),
    "numbers": (LACKING, FRAME["z"].to_numpy(), {}),
    "copies": (pd.concat([FRAME, FRAME[:100]], ignore_index=True), None, {"max_landmarks": 50}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_every_array_comes_back_bit_by_bit(tmp_path, name):
    X, y, params = CASES[name]
    sampler = fitted(X, y, **params)
    sampler.save(tmp_path / "m")
    loaded = skmdiff.load(tmp_path / "m")
    for (what, before), (_, after) in zip(arrays_of(sampler._model), arrays_of(loaded._model), strict=True):
        assert (before.dtype, before.shape, before.tobytes()) == (after.dtype, after.shape, after.tobytes()), what
    np.testing.assert_array_equal(loaded.embedding_, sampler.embedding_)
    loaded.save(tmp_path / "again")  # what is searched for on demand is kept so again
    again = skmdiff.load(tmp_path / "again")
    for one in (loaded, again):
        pd.testing.assert_frame_equal(pd.DataFrame(one.sample(20)), pd.DataFrame(sampler.sample(20)))
        pd.testing.assert_frame_equal(pd.DataFrame(one.explore(5)), pd.DataFrame(sampler.explore(5)))
    np.testing.assert_array_equal(loaded.score_samples(X[:5]), sampler.score_samples(X[:5]))


def test_files_are_smaller_than_the_code(tmp_path, monkeypatch):
    sampler = fitted(FRAME)
    sampler.save(tmp_path / "small")
    monkeypatch.setattr(kept_rows, "LEAST_ROWS", 10**6)
    sampler.save(tmp_path / "plain")
    assert os.path.getsize(tmp_path / "small") < os.path.getsize(tmp_path / "plain") - sampler._model.rows.nbytes / 2


def test_codes_that_would_take_much_memory_are_refused(tmp_path, monkeypatch):
    sampler = fitted(FRAME)
    sampler.save(tmp_path / "m")
    monkeypatch.setattr(kept_rows, "FREE_BYTES", 1000)
    monkeypatch.setattr(kept_rows, "LARGEST_EXPANSION", 0)
    with pytest.raises(ModelFileError, match="too much memory"):
        skmdiff.load(tmp_path / "m")
    sampler.save(tmp_path / "m")  # such a code is written as it is
    assert (skmdiff.load(tmp_path / "m")._model.rows == sampler._model.rows).all()


@pytest.mark.parametrize(
    "change", [lambda p: p[:-1], lambda p: [("rows", *p[0][1:]), *p[1:]], lambda p: [], lambda p: 3]
)
def test_codes_that_fit_no_columns_are_refused(tmp_path, change, monkeypatch):
    sampler = fitted(FRAME)
    keep = kept_rows.without_what_follows
    monkeypatch.setattr(
        "skmdiff._sampler.files.without_what_follows",
        lambda model: (lambda kept: replace(kept, rows=change(kept.rows)))(keep(model)),
    )
    sampler.save(tmp_path / "m")
    with pytest.raises(ModelFileError, match="cannot be read as a model file"):
        skmdiff.load(tmp_path / "m")


@pytest.mark.parametrize("n_classes", [None, 2])
@pytest.mark.parametrize("n_dimensions", [2, 6])
def test_neighbours_on_demand_are_those_of_the_graph(n_dimensions, n_classes, monkeypatch):
    for module in (neighbors, on_demand):
        monkeypatch.setattr(module, "EXACT_ROWS", 500)
    Z = np.random.default_rng(1).normal(size=(2500, n_dimensions))
    labels = None if n_classes is None else np.random.default_rng(2).integers(n_classes, size=len(Z))
    graph = np.column_stack([np.arange(len(Z)), neighbor_graph(Z, 7, labels)])
    search = Neighborhoods(Z, labels, 7)
    assert search.shape == graph.shape and search.finds(graph)
    rows = np.array([5, 2499, 0, 5])
    assert (search[rows] == graph[rows]).all() and search[rows].dtype == graph.dtype
    assert not search.finds(graph[:, ::-1])


def test_neighbours_that_repeat_are_not_searched_for():
    labels = np.repeat([0, 1], [95, 5])
    graph = np.column_stack([np.arange(100), neighbor_graph(RNG.normal(size=(100, 2)), 7, labels)])
    assert not Neighborhoods(RNG.normal(size=(100, 2)), labels, 7).finds(graph)


class OneMember:
    def __init__(self, content):
        self.content = content

    def size(self, name):
        return len(self.content)

    def read(self, name):
        return self.content


ASCENDING = {
    "floats": np.sort(RNG.normal(size=5000)),
    "singles": np.sort(RNG.normal(size=5000)).astype(np.float32),
    "ends": np.repeat([-np.inf, -5e-324, -0.0, 0.0, 1e308, np.inf], 900),
    "integers": np.cumsum(RNG.integers(0, 9, 5000)) - 2**62,
    "unsigned": np.arange(2**64 - 5000, 2**64, dtype=np.uint64),
    "dates": np.arange(5000).astype("M8[s]"),
}


@pytest.mark.parametrize("name", ASCENDING)
def test_ascending_numbers_come_back_from_their_differences(name):
    array = ASCENDING[name]
    said, content = write_array(array)
    assert "steps" in said and len(content) < array.nbytes + 200
    back = read_array(said, "a", OneMember(content))
    assert (back.dtype, back.tobytes()) == (array.dtype, array.tobytes())


@pytest.mark.parametrize("change", [{"first": -1}, {"first": 2**64}, {"first": 1.0}, {"steps": "<f8"}, {"steps": "|O"}])
def test_differences_that_are_none_are_refused(change):
    said, content = write_array(ASCENDING["floats"])
    with pytest.raises(ModelFileError):
        read_array({**said, **change}, "a", OneMember(content))
