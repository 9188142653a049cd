"""Model files without training rows: no cell that few rows hold is in them, and samples stay what they were."""

import json
import re
import zipfile

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

import skmdiff
from skmdiff import ManifoldDiffusionSampler, ModelFileError
from skmdiff._corrector.corrector import Corrector
from skmdiff._corrector.features import Features
from skmdiff._corrector.margins import margin_of
from skmdiff._files.arrays import read_array
from skmdiff._files.container import Members
from skmdiff._sampler.files import replace
from skmdiff._table.coarse import coarse_column, groups_of
from skmdiff._table.dates import DateColumn
from skmdiff._table.numeric import QuantileColumn, StandardColumn
from skmdiff.metrics import c2st

K, N = 10, 400
RNG = np.random.default_rng(5)


def quick(**parameters):
    defaults = dict(max_iter=5, hidden_layer_sizes=(8,), n_steps=3, random_state=0)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


def table(n=N):
    x = RNG.normal(size=n)
    return pd.DataFrame(
        {
            "x": x,
            "single": (100 * x + RNG.normal(size=n)).astype(np.float32),
            "income": np.round(RNG.lognormal(10, 1, n), 2),
            "hours": np.where(RNG.random(n) < 0.4, 40, RNG.integers(0, 10**6, n)),
            "kind": np.where(x > 0, "north", "south"),
            # to the millisecond: to the second samples of a few thousand rows may agree with one by chance
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(1000 * RNG.integers(0, 10**7, n) + np.arange(n), "ms"),
            "lacking": np.where(RNG.random(n) < 0.2, np.nan, RNG.normal(size=n)),
        }
    )


@pytest.fixture(scope="module")
def stripped(tmp_path_factory):
    """A table, its sampler and a model file without its rows."""
    X, path = table(), tmp_path_factory.mktemp("stripped") / "m"
    sampler = quick().fit(X)
    sampler.save(path, training_rows=False)
    return X, sampler, path


def contents(path):
    """The bytes of a file with its members unpacked, and the numbers of its arrays and its JSON."""
    with zipfile.ZipFile(path) as archive:
        members = Members(archive, path.stat().st_size)
        head = members.read("model.json")
        arrays = [read_array(said, name, members) for name, said in json.loads(head)["arrays"].items()]
    raw = b"".join([path.read_bytes(), head, *(array.tobytes() for array in arrays)])
    numbers = {float(text) for text in re.findall(rb"-?\d+\.?\d*(?:e-?\d+)?", head)}
    for array in arrays:
        if array.dtype.kind in "iufM":
            plain = array.astype(np.int64) if array.dtype.kind == "M" else array
            numbers |= set(plain.ravel().astype(float).tolist())
    return raw, numbers


def doubles_in(raw):
    """Every eight bytes in a row, as the double that they would be, by their bits."""
    parts = [np.frombuffer(raw, "<i8", (len(raw) - at) // 8, at) for at in range(8)]
    return set(np.concatenate(parts).tolist())


def found_cells(path, X):
    """Cells of the table that one row alone holds and that are in a file: as bytes, as a number, as a text."""
    (raw, numbers), found = contents(path), []
    doubles, texts = doubles_in(raw), b"\n".join(re.findall(rb"[-+0-9.:e ]{7,}", raw))
    for name in X.columns:
        column = X[name].dropna()
        if column.dtype.kind in "fiM":
            counts = column.value_counts()
            for cell in counts.index[counts == 1]:
                value = float(cell.value // 10**3 if isinstance(cell, pd.Timestamp) else cell)
                in_bytes = not value.is_integer() and int(np.float64(value).view(np.int64)) in doubles
                in_text = len(str(cell)) > 6 and str(cell).encode() in texts
                if value in numbers and abs(value) not in range(3000) or in_bytes or in_text:
                    found.append((name, cell))
    return found


def test_no_cell_that_one_row_holds_is_in_the_file(stripped, tmp_path):
    X, sampler, path = stripped
    sampler.save(tmp_path / "with")
    assert len(found_cells(tmp_path / "with", X)) > N  # the search finds what is there
    assert found_cells(path, X) == []


def test_no_cell_that_one_row_holds_is_in_the_file_without_a_manifold(tmp_path):
    X = table()
    quick(manifold="passthrough").fit(X).save(tmp_path / "m", training_rows=False)
    assert found_cells(tmp_path / "m", X) == []


def test_none_of_its_samples_or_rows_is_a_training_row(stripped):
    X, _, path = stripped
    loaded = skmdiff.load(path)
    model = loaded._model
    assert len(model.rows) == 2000
    held = pd.DataFrame(dict(zip(X.columns, model.codec.decode(model.rows), strict=True)))
    for rows in (held, loaded.sample(3000, missing="fill")):
        for name in ("x", "when"):
            assert not set(rows[name]) & set(X[name])
        # by chance .3 of some thousand amounts agree to the cent: more than 4 with a probability of 1e-5
        assert len(set(rows["income"]) & set(X["income"])) <= 4
        assert rows["income"].max() < X["income"].max() and rows["income"].min() > X["income"].min()
    assert (loaded.sample(3000)["hours"] == 40).mean() == pytest.approx((X["hours"] == 40).mean(), abs=0.06)


@pytest.mark.slow
def test_a_corrector_holds_no_cell_either(tmp_path):
    X = table()[["single", "kind", "x", "when"]]
    sampler = quick().fit(X)
    features = Features(sampler._model.codec, None)
    F = features.of(sampler._model.rows, {})
    trees = HistGradientBoostingClassifier(max_iter=30, categorical_features=features.is_category(), min_samples_leaf=1)
    trees.fit(np.concatenate([F, RNG.permuted(F, axis=0) * [0.5, 1, 0.5, 1]]), np.repeat([1, 0], N))
    changed = 0
    for [tree] in trees._predictors:  # categories come first, so that the number is feature 1
        at = np.flatnonzero((tree.nodes["feature_idx"] == 1) & (tree.nodes["is_leaf"] == 0))[:1]
        tree.nodes["num_threshold"][at] = X["single"].iloc[3]
        changed += len(at)
    assert changed
    margins = [margin_of(feature, None) for feature in F.T]
    margins[0] = replace(margins[0], edges=np.sort(X["single"].to_numpy()[: len(margins[0].edges)]))
    sampler._model = replace(sampler._model, corrector=Corrector(features, trees, margins=tuple(margins)))
    sampler.save(tmp_path / "m", training_rows=False)
    assert found_cells(tmp_path / "m", X) == []
    loaded = skmdiff.load(tmp_path / "m")
    odds, after = sampler._model.corrector.log_ratio(F), loaded._model.corrector.log_ratio(F)
    assert np.corrcoef(odds, after)[0, 1] > 0.9


@pytest.mark.slow
def test_all_methods_work_without_training_rows(tmp_path):
    X = table()
    y = np.where(X["x"] > 0.5, "a", "b")
    sampler = quick(constraints=[("hours", ">=", 0), ("x", "<=", 9)]).fit(X, y)
    sampler.save(tmp_path / "m", training_rows=False)
    loaded = skmdiff.load(tmp_path / "m")
    assert loaded.embedding_.shape == (2000, sampler.embedding_.shape[1])
    for how in ({"density": "uniform"}, {"density": "balanced"}, {"design": "stratified"}, {"y": "a"}):
        assert loaded.sample(20, **how).shape == (20, 7)
    rows = loaded.sample(30, conditions={"kind": "south", "x": (-2, 0)})
    assert set(rows["kind"]) == {"south"} and (rows["x"] <= 0).all()
    assert np.isfinite(loaded.score_samples(X[:20])).all() and loaded.explore(4).shape == (4, 7)
    assert loaded.predict_target(X[:5], n_draws=2).shape == (5, 2) and len(loaded.embed(X[:3])) == 3
    assert abs(loaded.score(X[:60]) - sampler.score(X[:60])) < 2  # seven columns; repeated numbers become densities


def test_columns_with_rare_categories_are_named(tmp_path):
    X = table()[["x", "kind"]]
    X.loc[:3, "kind"] = "islet"
    with pytest.raises(ModelFileError, match=r"column 'kind' has 1 such value.*lower least_count"):
        quick().fit(X).save(tmp_path / "m", training_rows=False)
    quick().fit(X).save(tmp_path / "m", training_rows=False, least_count=4)
    y = np.repeat(["a", "b"], [3, N - 3])
    with pytest.raises(ModelFileError, match="column 'y' has 1 such value"):
        quick().fit(table()[["x", "kind"]], y).save(tmp_path / "m", training_rows=False)


def test_constraints_of_rare_combinations_are_named(tmp_path):
    a = RNG.integers(0, 40, N)
    X = pd.DataFrame({"a": a, "b": (a * 7) % 40, "x": RNG.normal(size=N)})
    with pytest.raises(ModelFileError, match="'a' determines 'b'.*constraints=None"):
        quick(constraints=[("a", "determines", "b")]).fit(X).save(tmp_path / "m", training_rows=False, least_count=20)


def test_a_table_of_its_own_rows_only_is_refused(tmp_path):
    X = pd.DataFrame({"a": ["u", "v"] * 20, "b": ["p", "p", "q", "q"] * 10})
    with pytest.raises(ModelFileError, match="hardly any rows that it does not hold"):
        quick(manifold="passthrough").fit(X).save(tmp_path / "m", training_rows=False, least_count=20)


# ---- columns -----------------------------------------------------------------------------------------------------


def test_groups_are_of_k_rows():
    counts = np.array([1, 2, 30, 1, 1, 40, 3, 4, 5, 6, 7, 50, 2, 9])
    group = groups_of(counts >= 10, counts, 10)
    assert group.tolist() == [0, 0, 0, 1, 1, 2, 3, 3, 3, 4, 4, 5, 6, 6]


@pytest.mark.parametrize("kind", ["float", "decimals", "integers", "large", "heaps", "weights"])
def test_a_coarse_column_has_the_same_code_but_for_the_order_within_groups(kind):
    rng = np.random.default_rng(2)
    x = {
        "float": rng.normal(size=1000),
        "decimals": np.round(rng.normal(size=1000), 3),
        "integers": rng.integers(0, 3000, 1000),
        "large": rng.integers(2**61, 2**61 + 10**9, 1000),
        "heaps": np.where(rng.random(1000) < 0.5, 0, rng.exponential(size=1000)),
        "weights": rng.normal(size=1000),
    }[kind]
    weight = rng.random(1000) if kind == "weights" else None
    column = QuantileColumn(x, "x", weight, 50)
    coarse = coarse_column(column, K)
    assert (np.diff(coarse.values.astype(float)) > 0).all() and coarse.values.dtype == column.values.dtype
    assert coarse.masses.sum() == pytest.approx(column.masses.sum()) and coarse.width == column.width
    alone = column.values[column.counts == 1]
    assert not set(coarse.values.tolist()) & set(alone.tolist())
    W = column.encode(x)
    back = coarse.decode(W)
    spread = x.max().astype(float) - x.min().astype(float)
    assert np.abs(back.astype(float) - x.astype(float)).max() < 0.4 * spread
    assert np.median(np.abs(back.astype(float) - x.astype(float))) < 0.02 * spread
    np.testing.assert_array_equal(column.is_frequent(x), coarse.is_frequent(back))
    middle = np.abs(W[:, 0]) < 2
    assert np.abs(coarse.encode(back)[middle, 0] - W[middle, 0]).max() < 0.1


def test_dates_begin_where_the_coarse_ones_do():
    rng = np.random.default_rng(2)
    x = np.datetime64("2024-01-01T00:00:00", "s") + rng.integers(0, 10**7, 500)
    column = DateColumn(x, "t", lambda k, name: QuantileColumn(k, name))
    coarse = coarse_column(column, K)
    assert coarse.range[0] > x.min() and coarse.range[1] < x.max() and coarse.inner.least == 0
    back = coarse.decode(column.encode(x))
    assert np.abs(back - x).max() < np.timedelta64(10**6, "s") and np.median(np.abs(back - x)) < np.timedelta64(
        10**5, "s"
    )


def test_a_column_of_standard_deviations_ends_inward():
    x = np.random.default_rng(0).integers(2**60, 2**60 + 10**6, 300)
    column = StandardColumn(x, "x")
    coarse = coarse_column(column, K)
    assert x.min() < coarse.least < coarse.most < x.max() and coarse.origin != column.origin
    assert np.abs(coarse.decode(column.encode(x)) - x).max() <= 1


@pytest.mark.slow
def test_samples_stay_nearly_as_good(tmp_path):
    """Two-sample classifier against held-out rows: see docs/benchmarks/notes.md for what was measured."""
    X, held_out = table(1000).drop(columns="lacking"), table(1000).drop(columns="lacking")
    sampler = ManifoldDiffusionSampler(random_state=0).fit(X)
    sampler.save(tmp_path / "m", training_rows=False)
    found = [c2st(held_out, one.sample(1000)) for one in (sampler, skmdiff.load(tmp_path / "m"))]
    assert found[1] < found[0] + 0.05
