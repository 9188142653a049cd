"""A sampler that comes back from a model file is the one that was saved, to the last bit."""

import json
import os
import zipfile
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from inspect import signature

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA, FactorAnalysis
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.manifold import TSNE, Isomap

import skmdiff
from skmdiff import ManifoldDiffusionSampler, ModelFileError
from skmdiff._corrector.corrector import Corrector
from skmdiff._corrector.features import Features
from skmdiff._files.arrays import npy_header
from skmdiff._files.container import Members, check_target, write_members
from skmdiff._files.registry import REGISTRY
from skmdiff._files.trees import read_boosted, write_boosted
from skmdiff._files.values import Decoder, Encoder

N = 80
RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(N, 3))
FRAME = pd.DataFrame(
    {
        "x": NUMBERS[:, 0],
        "count": RNG.integers(0, 6, N),
        "cents": RNG.integers(0, 10**4, N) / 100,
        "kind": RNG.choice(["u", "v", "w"], N),
        "size": pd.Categorical(RNG.choice(["big", "small"], N), categories=["small", "big"], ordered=True),
        "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 300, N), "D"),
        "here": (pd.Timestamp("2024-01-01", tz="Europe/Berlin") + pd.to_timedelta(RNG.integers(0, 300, N), "D")),
        "big": RNG.integers(2**60, 2**60 + 10**6, N),
        "nullable": pd.array(RNG.integers(0, 50, N), dtype="Int16"),
        "text": pd.array(RNG.choice(["a", "b"], N), dtype="string"),
        "paid": pd.array(RNG.random(N) < 0.4, dtype="boolean"),
        "price": [Decimal(int(v)) / 4 for v in RNG.integers(0, 99, N)],
        "born": [date(1990, 1, 1) + timedelta(days=int(v)) for v in RNG.integers(0, 999, N)],
        "same": 1.5,
        "empty": [None] * N,
        "id": np.arange(N),
    }
)
LACKING = FRAME.assign(x=FRAME["x"].mask(RNG.random(N) < 0.2), kind=FRAME["kind"].mask(RNG.random(N) < 0.2))
ORDERED = FRAME[["x", "count"]].assign(low=np.round(FRAME["x"], 2), high=np.round(FRAME["x"], 2) + FRAME["count"] / 4)
ORDERED = ORDERED.assign(total=2 * ORDERED["low"] + ORDERED["count"], group=ORDERED["count"] // 2)
POLARS = pl.from_pandas(FRAME[["x", "count", "kind", "size", "day", "here", "paid"]]).with_columns(
    pl.Series("enum", RNG.choice(["p", "q"], N), dtype=pl.Enum(["q", "p"])),
    pl.Series("lasts", [timedelta(minutes=int(v)) for v in RNG.integers(0, 99, N)]),
    pl.Series("decimal", [f"{v:.2f}" for v in RNG.random(N)]).cast(pl.Decimal(10, 2)),
)
ARROW = pd.DataFrame(
    {
        "x": pd.array(NUMBERS[:, 0], dtype="double[pyarrow]"),
        "s": pd.array(RNG.choice(["a", "b"], N), dtype="string[pyarrow]"),
        "t": pd.Series(FRAME["day"]).astype("timestamp[ms][pyarrow]"),
    }
)
FEW = FRAME[["x", "count", "kind", "day"]]
UNIQUE = ("id", "is", "unique")
RULES = ["auto", UNIQUE, ("count", ">=", 0), ("here", "<=", pd.Timestamp("2025-01-01", tz="Europe/Berlin"))]
TABLES = {
    "array": (NUMBERS, None, {}),
    "float32": (NUMBERS.astype(np.float32), None, {}),
    "few columns": (FEW, RNG.choice(["yes", "no"], N), {"constraints": [("count", ">=", 0)]}),
    "frame": (FRAME, None, {"constraints": RULES}),
    "classes": (FRAME, RNG.choice(["yes", "no"], N), {"constraints": [UNIQUE]}),
    "numbers": (FRAME[["x", "kind"]], NUMBERS[:, 1], {}),
    "missing": (LACKING, None, {"constraints": [UNIQUE]}),
    "constraints": (ORDERED, None, {"constraints": ["auto", ("low", "<=", "high"), ("count", "determines", "group")]}),
    "polars": (POLARS, None, {}),
    "arrow": (ARROW, None, {}),
    "objects": (FRAME[["x", "kind", "price"]].to_numpy(dtype=object), None, {}),
    "labels": (FRAME[["x", "count"]].set_axis(pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]), axis=1), None, {}),
    "passthrough": (FRAME[["x", "kind"]], None, {"manifold": "passthrough"}),
    "standard": (FRAME[["x", "big"]], None, {"numeric": "standard"}),
    "no training": (FRAME[["x", "cents", "kind"]], None, {"max_iter": 0}),
    "noise": (NUMBERS, None, {"noise_level": "auto", "contraction": 0.5, "n_neighbors": 5}),
    "tsne": (NUMBERS, None, {"manifold": TSNE(perplexity=10, max_iter=250)}),
    "named": (FRAME[["x", "cents"]], None, {"categorical_features": ["cents"]}),
}


def quick(**parameters):
    defaults = dict(max_iter=5, hidden_layer_sizes=(8,), n_steps=3, random_state=0, constraints=None)
    return ManifoldDiffusionSampler(**{**defaults, **parameters})


def through_a_file(sampler, folder, **how):
    sampler.save(folder / "model.skmdiff", **how)
    return skmdiff.load(folder / "model.skmdiff")


def same(a, b):
    if isinstance(a, pd.DataFrame):
        pd.testing.assert_frame_equal(a, b)
    elif isinstance(a, pl.DataFrame):
        assert a.equals(b, null_equal=True) and a.schema == b.schema
    else:
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype


# those of many columns or kinds of columns; "few columns" goes through the same methods
LONG = {"frame", "classes", "missing", "constraints", "polars", "objects", "arrow"}


def marked(name):
    return pytest.param(name, marks=pytest.mark.slow) if name in LONG else name


@pytest.mark.parametrize("name", [marked(name) for name in TABLES])
@pytest.mark.filterwarnings("ignore")
def test_every_method_gives_the_same_bits(name, tmp_path):
    X, y, parameters = TABLES[name]
    sampler = quick(**parameters).fit(X, y)
    loaded = through_a_file(sampler, tmp_path)
    model = sampler._model
    same(sampler.sample(20), loaded.sample(20))
    same(sampler.sample(10, missing="fill", random_state=3), loaded.sample(10, missing="fill", random_state=3))
    same(sampler.score_samples(X[:5]), loaded.score_samples(X[:5]))
    first = list(X.columns)[0] if hasattr(X, "columns") else 0
    conditions = {first: (-0.5, None)}
    if name != "labels":
        same(sampler.sample(5, conditions=conditions), loaded.sample(5, conditions=conditions))
    if y is not None:
        same(sampler.predict_target(X[:5], n_draws=3), loaded.predict_target(X[:5], n_draws=3))
        same(sampler.sample(3, y=y[0], return_y=True)[1], loaded.sample(3, y=y[0], return_y=True)[1])
    if model.manifold is not None:
        same(sampler.embed(X[:10]), loaded.embed(X[:10]))
        same(sampler.lift(sampler.embedding_[:5]), loaded.lift(loaded.embedding_[:5]))
        same(sampler.sample(5, density="uniform"), loaded.sample(5, density="uniform"))
        same(sampler.sample(5, design="stratified"), loaded.sample(5, design="stratified"))
        same(sampler.explore(4), loaded.explore(4))
    if model.noise.of_columns.any():
        same(sampler.denoise(X[:5]), loaded.denoise(X[:5]))
    assert loaded.n_iter_ == sampler.n_iter_ and loaded.loss_curve_ == sampler.loss_curve_
    assert loaded.constraints_ == sampler.constraints_


def test_a_file_is_the_same_bytes_each_time_and_after_a_second_journey(tmp_path):
    sampler = quick().fit(FRAME[["x", "kind", "day"]])
    for path in ("a", "b"):
        sampler.save(tmp_path / path)
    skmdiff.load(tmp_path / "a").save(tmp_path / "c")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes()


def test_parameters_come_back_and_what_is_not_kept_says_so_at_fit(tmp_path):
    sampler = quick(manifold=FactorAnalysis(2), noise_level=[0, 0, 0.1], random_state=np.random.RandomState(0))
    loaded = through_a_file(sampler.fit(NUMBERS), tmp_path)
    assert loaded.noise_level == [0, 0, 0.1] and loaded.random_state is None and loaded.manifold_ is None
    assert loaded.sample(3).shape == (3, 3)
    with pytest.raises(ValueError, match="New rows need the manifold learner, which is not in the model file"):
        loaded.embed(NUMBERS)
    with pytest.raises(ValueError, match=r"manifold=FactorAnalysis\(n_components=2\) is not in the model file"):
        clone(loaded).fit(NUMBERS)
    loaded.set_params(manifold=None).fit(NUMBERS)


def test_a_pca_is_kept(tmp_path):
    sampler = quick(manifold=PCA(2, whiten=True)).fit(NUMBERS)
    loaded = through_a_file(sampler, tmp_path)
    same(sampler.manifold_.transform(NUMBERS), loaded.manifold_.transform(NUMBERS))
    assert loaded.manifold.get_params() == sampler.manifold.get_params()
    same(clone(loaded).fit(NUMBERS).sample(5), sampler.sample(5))


# ---- the corrector -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("categories", [None, [1, 2], [0]])
def test_boosted_trees_come_back(categories):
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.integers(0, 5, 600), rng.integers(0, 9, 600), rng.integers(0, 3, 600), rng.random(600)])
    X[rng.random(X.shape) < 0.1] = np.nan
    y = np.nan_to_num(X).sum(axis=1) + rng.normal(size=600) > 6
    trees = HistGradientBoostingClassifier(max_iter=20, categorical_features=categories).fit(X, y)
    again = read_boosted(write_boosted(trees))
    X[0, 0], X[1, 1] = 77, 78  # not seen in fit
    np.testing.assert_array_equal(trees.predict_proba(X), again.predict_proba(X))
    np.testing.assert_array_equal(trees.decision_function(X), again.decision_function(X))


@pytest.mark.parametrize("changed", ["left", "right", "feature_idx", "bitset_idx"])
def test_trees_whose_branches_lead_nowhere_are_refused(changed):
    rng = np.random.default_rng(1)
    X = rng.integers(0, 5, (300, 2))
    said = write_boosted(HistGradientBoostingClassifier(max_iter=3, categorical_features=[0]).fit(X, X[:, 0] % 2 == 0))
    said["nodes"][changed][0] = 0 if changed == "left" else 9999
    with pytest.raises(ModelFileError, match="branches that lead nowhere"):
        read_boosted(said)


def test_trees_of_another_version_of_scikit_learn_are_refused():
    X = np.random.default_rng(1).normal(size=(100, 2))
    said = write_boosted(HistGradientBoostingClassifier(max_iter=3).fit(X, X[:, 0] > 0))
    del said["nodes"]["gain"]
    with pytest.raises(ModelFileError, match="another version of scikit-learn"):
        read_boosted(said)


def corrected(sampler, classifier):
    """A fitted sampler with a corrector by a classifier, which tables of this size do not get."""
    model = sampler._model
    features = Features(model.codec, model.target)
    F = np.concatenate([features.of(model.rows, {}), np.roll(features.of(model.rows, {}), 1, axis=1)])
    classifier.fit(F, np.repeat([1, 0], len(model.rows)))
    sampler._model = skmdiff._sampler.files.replace(model, corrector=Corrector(features, classifier, 0.5, 0.1))
    sampler.corrector_ = sampler._model.corrector
    return sampler


def test_a_corrector_comes_back(tmp_path):
    sampler = corrected(quick().fit(FRAME[["x", "count", "kind"]]), HistGradientBoostingClassifier(max_iter=10))
    loaded = through_a_file(sampler, tmp_path)
    same(sampler.sample(50), loaded.sample(50))
    same(sampler.score_samples(FRAME[["x", "count", "kind"]]), loaded.score_samples(FRAME[["x", "count", "kind"]]))
    assert loaded._model.corrector is loaded.corrector_ and loaded.corrector_.features.codec is loaded._model.codec


def test_another_classifier_is_refused_with_a_way_out(tmp_path):
    sampler = corrected(quick().fit(NUMBERS), RandomForestClassifier(5))
    with pytest.raises(ModelFileError, match="RandomForestClassifier.*corrector='auto'.*joblib"):
        sampler.save(tmp_path / "m")
    assert not os.listdir(tmp_path)


# ---- writing -----------------------------------------------------------------------------------------------------


def test_targets_are_checked_before_work(tmp_path):
    sampler = quick().fit(NUMBERS)
    with pytest.raises(ModelFileError, match="it is a folder"):
        sampler.save(tmp_path)
    with pytest.raises(ModelFileError, match="a file that can be written.*nowhere is not a folder"):
        sampler.save(tmp_path / "nowhere" / "m")
    with pytest.raises(NotFittedError):
        quick().save(tmp_path / "m")
    with pytest.raises(ValueError, match="least_count"):
        sampler.save(tmp_path / "m", training_rows=False, least_count=1)
    with pytest.raises(FileNotFoundError):
        skmdiff.load(tmp_path / "m")


def test_folders_that_cannot_be_written_to(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *arguments: False)  # root may write anywhere
    with pytest.raises(ModelFileError, match="no permission to write to"):
        check_target(tmp_path / "m")


def test_a_file_that_was_there_stays_where_writing_fails(tmp_path):
    target = tmp_path / "m"
    target.write_bytes(b"before")

    def members():
        yield "a0.npy", b"x" * 10
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_members(target, members())
    assert target.read_bytes() == b"before" and os.listdir(tmp_path) == ["m"]


def test_arrays_of_a_file_are_read_by_numpy(tmp_path):
    quick().fit(NUMBERS).save(tmp_path / "m.npz")
    with zipfile.ZipFile(tmp_path / "m.npz") as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        head = json.loads(archive.read("model.json"))
    found = np.load(tmp_path / "m.npz", allow_pickle=False)
    assert all(found[name[:-4]].dtype.kind in "biufmMU" for name in names)
    assert head["skmdiff"] == skmdiff.__version__ and head["training_rows"] is True and head["schema"] == 1


# ---- values ------------------------------------------------------------------------------------------------------


def journey(value, folder):
    encoder = Encoder(REGISTRY)
    tree = json.loads(json.dumps(encoder.write(value), allow_nan=False))
    write_members(folder / "v", encoder.contents.items())
    with zipfile.ZipFile(folder / "v") as archive:
        return Decoder(REGISTRY, encoder.arrays, Members(archive, (folder / "v").stat().st_size)).read(tree)


# pandas 2.1 has no such strings
NAN_STRINGS = [pd.StringDtype("pyarrow", na_value=np.nan)] if "na_value" in signature(pd.StringDtype).parameters else []

VALUES = [
    *[
        None,
        True,
        0,
        -(2**90),
        1.5,
        -0.0,
        float("inf"),
        "",
        "\ud800 \u20ac",
        [1, [2]],
        (1, (2,)),
        {1: "a", (2, "b"): None},
    ],
    *[{"x", "y"}, np.float32(0.1), np.int8(-3), np.bool_(True), np.str_("a"), np.datetime64("2024-01-01T00", "ms")],
    *[np.timedelta64("NaT", "ns"), Decimal("1.50"), Fraction(1, 3), date(2024, 2, 29), timedelta(-1, 5, 7)],
    *[datetime(2024, 1, 1, 5, 6, 7, 8), datetime(2024, 1, 1, tzinfo=timezone.utc), np.dtype("<f4"), np.dtype(object)],
    *[pd.NA, pd.NaT, pd.Timestamp("2024-01-01 01:02:03.000000004"), pd.Timestamp("2024-07-01", tz="Europe/Berlin")],
    *[pd.Timedelta("1h"), pd.Timestamp, Decimal, pd.DatetimeTZDtype("ms", "UTC"), pd.StringDtype("python")],
    *[pd.CategoricalDtype(), pd.CategoricalDtype([3, 1], ordered=True), pd.CategoricalDtype(["b", "a"])],
    *[*NAN_STRINGS, pd.Int8Dtype(), pd.BooleanDtype(), pd.Float32Dtype(), pl.Int8()],
    *[
        pl.Datetime("ms", "Asia/Tokyo"),
        pl.Duration("ns"),
        pl.Decimal(8, 3),
        pl.Enum(["b", "a"]),
        pl.String(),
        pl.Date(),
    ],
]


def words_for(value):
    """Without the elements of a set, whose order differs among processes."""
    return "set" if isinstance(value, set) else f"{type(value).__name__} {value!r}"[:50]


@pytest.mark.parametrize("value", VALUES, ids=words_for)
def test_values_come_back(value, tmp_path):
    again = journey(value, tmp_path)
    assert type(again) is type(value) and (again is value or repr(again) == repr(value))


@pytest.mark.parametrize(
    "dtype",
    ["timestamp[us, tz=UTC]", "decimal128(5, 2)", "time64[us]", "date32[day]", "duration[s]", "double"],
)
def test_dtypes_of_arrow_come_back(dtype, tmp_path):
    from skmdiff._table.dtypes import _arrow_type

    assert str(_arrow_type(dtype)) == dtype
    assert journey(pd.ArrowDtype(_arrow_type(dtype)), tmp_path) == pd.ArrowDtype(_arrow_type(dtype))


ARRAYS = [
    *[np.arange(5), np.arange(6.0).reshape(2, 3).T, np.zeros((0, 3)), np.array(3.5), np.array([np.nan, -0.0, np.inf])],
    *[
        np.array(["a", "\u20acuro"]),
        np.array([True, False]),
        np.arange(9001) % 3 == 0,
        np.arange(9000) * 7 - 40,
        np.random.default_rng(0).random(9000),
    ],
    *[
        np.random.default_rng(0).random(9000),
        np.random.default_rng(0).random((90, 100)).T,
        np.array([2**63, 0], dtype=np.uint64),
    ],
    *[np.array([-1, 2**62]), np.array(["2024", "NaT"], dtype="M8[D]"), np.arange(4, dtype=">i4"), np.zeros(200_000)],
    np.array([None, "a", 1, Decimal("1.5"), pd.NaT, np.nan], dtype=object).reshape(2, 3),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype} {array.shape}")
def test_arrays_come_back_bit_by_bit(array, tmp_path):
    again = journey(array, tmp_path)
    assert again.dtype == array.dtype and again.shape == array.shape
    assert again.flags.f_contiguous == array.flags.f_contiguous and again.flags.writeable
    if array.dtype == object:
        assert [repr(cell) for cell in again.ravel()] == [repr(cell) for cell in array.ravel()]
    else:
        assert again.tobytes() == array.tobytes()


def test_headers_are_those_of_numpy(tmp_path):
    for array in ARRAYS[:7]:
        np.save(tmp_path / "x.npy", array)
        content = (tmp_path / "x.npy").read_bytes()
        header = npy_header(array.dtype.str, array.shape, array.flags.f_contiguous and not array.flags.c_contiguous)
        assert content.startswith(header) and len(content) == len(header) + array.nbytes


def test_what_was_one_object_is_one_again(tmp_path):
    array = np.arange(3)
    one, other, third = journey([array, array, array.copy()], tmp_path)
    assert one is other and one is third


@pytest.mark.parametrize("value", [object(), lambda x: x, np.array([object()]), open, b"bytes", Isomap()])
def test_what_is_no_plain_value_is_refused(value):
    with pytest.raises(ModelFileError, match="cannot hold"):
        Encoder(REGISTRY).write({"a": [value]})
