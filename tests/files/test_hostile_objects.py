"""Small files, each made to crash, hang, run out of memory or raise something else: all are refused by name.

Each changes a good file in one place, its checksums right. None may take more than some seconds, or 64 MiB.
"""

import copy
import json
import time
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from mutations import archive_of, members_of, small_model
from sklearn.ensemble import HistGradientBoostingClassifier

import skmdiff
from skmdiff import ModelFileError
from skmdiff._files.arrays import npy_header

BLOCK = "kind start stop codes name frequencies of_number has_others".split()
OF_PCA = "copy whiten svd_solver tol iterated_power n_oversamples power_iteration_normalizer random_state".split()
LARGE, MERSENNE = "1E+999999999", 2**61 - 1
NODES = HistGradientBoostingClassifier(max_iter=1).fit(np.zeros((4, 1)), [0, 1, 0, 1])._predictors[0][0].nodes.dtype
CASES = {}


class File:
    """The tree and the members of a good file, to be changed."""

    def __init__(self, content):
        self.members = members_of(content)
        self.head = json.loads(self.members.pop("model.json"))
        self.n_new = 0
        self.sampler = self.head["model"]["object"][2]
        self.model = self.sampler["_model"]["object"][2]
        self.codec, self.manifold = (self.model[name]["object"][2] for name in ("codec", "manifold"))

    def new(self):
        self.n_new += 1
        return 10**6 + self.n_new

    def put(self, body, **said):
        """An array: what is said of it, and the bytes behind its header."""
        dtype, shape = said.pop("header", (said.get("stored", said["dtype"]), said["shape"]))
        name = f"a{self.new()}.npy"
        self.head["arrays"][name] = said
        self.members[name] = npy_header(dtype, tuple(shape), False) + body
        return {"array": name}

    def array(self, values, dtype=None):
        array = np.ascontiguousarray(values)
        said = {} if dtype is None else {"stored": array.dtype.str}
        return self.put(array.tobytes(), dtype=dtype or array.dtype.str, shape=list(array.shape), **said)

    def zeros(self, *shape, dtype="<f8"):
        stored = {"f": "<f2", "i": "|i1"}[dtype[1]]
        return self.put(bytes(int(np.prod(shape)) * int(stored[2])), dtype=dtype, shape=list(shape), stored=stored)

    def bools(self, *shape):
        return self.put(bytes(-(-int(np.prod(shape)) // 8)), **self.bits(shape))

    def bits(self, shape):
        n_bytes = -(-int(np.prod(shape)) // 8)
        return {"dtype": "|b1", "shape": list(shape), "bits": True, "header": ("|u1", (n_bytes,))}

    def shared(self, cls, n, fields):
        """n objects, each with the one before in all its fields: the last one is 2^n large, or more, as a tree."""
        numbers = [self.new() for _ in range(n)]
        objects = []
        for k, number in enumerate(numbers):
            before = {"same": numbers[k - 1]} if k else 0
            objects.append({"object": [cls, number, dict.fromkeys(fields, before)]})
        return objects, {"same": numbers[-1]}

    def boosted(self, n_features=1, categories=None, classes=None, n_nodes=None, n_bitsets=None, n=1):
        """Boosted trees, each of one leaf."""
        nodes = {
            field: self.put(bytes(NODES[field].itemsize * n), dtype=NODES[field].str, shape=[n])
            for field in NODES.names
        }
        nodes["is_leaf"] = self.array(np.ones(n, NODES["is_leaf"]))
        parameters = {
            "learning_rate": 0.1,
            "max_iter": 1,
            "max_leaf_nodes": 3,
            "early_stopping": False,
            "random_state": 0,
        }
        bitsets = self.put(b"", dtype="<u4", shape=[0, 8])
        said = {
            "parameters": {"dict": list(map(list, parameters.items()))},
            "classes": classes or self.array(np.arange(2)),
            "n_features": n_features,
            "categories": {"dict": list(map(list, (categories or {}).items()))},
            "baseline": self.array(np.zeros((1, 1))),
            "nodes": {"dict": list(map(list, nodes.items()))},
            "n_nodes": n_nodes or self.array(np.array([n])),
            "n_bitsets": n_bitsets or self.zeros(1, dtype="<i8"),
            "binned_bitsets": bitsets,
            "raw_bitsets": bitsets,
        }
        return {"boosted": [self.new(), {"dict": list(map(list, said.items()))}]}

    def content(self):
        return archive_of({**self.members, "model.json": json.dumps(self.head).encode()}.items())


def case(change):
    """A case: a function that changes a file, or gives what is put in it in place of a parameter of the sampler."""
    CASES[change.__name__] = change
    return change


def node(name, value):
    CASES[name] = lambda file: copy.deepcopy(value)


# ---- single values -----------------------------------------------------------------------------------------------

node("scalar of a list", {"scalar": ["<U262144", [0] * 1000]})
node("scalar of a decimal", {"scalar": ["<M8[s]", {"decimal": LARGE}]})
node("scalar of many digits", {"scalar": ["<i8", {"decimal": "1" * 10**6}]})
node("scalar that is too wide", {"scalar": ["<U262144", "a"]})
node("fraction of a text", {"fraction": [LARGE]})
node("fraction of a decimal", {"fraction": [{"decimal": LARGE}]})
node("fold of a decimal", {"datetime": ["2024-01-01", None, {"decimal": LARGE}]})
node("zone that is a path", {"datetime": ["2024-01-01", "../../etc/passwd", 0]})
node("days of a decimal", {"timedelta": [{"decimal": LARGE}]})
node("decimal of a large exponent", {"decimal": LARGE})
node("decimal of many digits", {"decimal": "1" * 10**6})
node("timestamp of digits", {"pandas": ["Timestamp", "1" * 10**6, None]})
node("timestamp of a text", {"pandas": ["Timestamp", "1 " * 10**5, None]})
node("timedelta of digits", {"pandas": ["Timedelta", "1" * 10**6 + " days"]})
node("set of colliding integers", {"set": [k * MERSENNE for k in range(1, 30_001)]})
node("keys that are colliding decimals", {"dict": [[{"decimal": str(k * MERSENNE)}, 0] for k in range(1, 5001)]})
node("set of lists", {"set": [[1]]})
node("tuple of a text", {"tuple": "ab"})
node("object of a number that is no integer", {"object": ["Prior", 0.5, {}]})

# ---- dtypes ------------------------------------------------------------------------------------------------------

for name, dtype in {"that names a file": "datetime64[ns, dateutil//etc/passwd]", "of many bytes": "S1000000"}.items():
    node(f"categories of a dtype {name}", {"pandas_dtype": ["category", [1, 2], dtype, False]})
node("categories of a long text", {"pandas_dtype": ["category", [], "datetime64[" + ", " * 50_000, False]})
node("categories of wide texts", {"pandas_dtype": ["category", ["a", "b"], {"dtype": "<U262144"}, False]})
node("categories of decimals", {"pandas_dtype": ["category", [{"decimal": LARGE}], {"dtype": "<i8"}, False]})
node("categories of dates as texts", {"pandas_dtype": ["category", ["1" * 10**5], {"dtype": "<M8[ns]"}, False]})
node("type of Arrow of decimals", {"pandas_dtype": ["arrow", {"decimal": "1"}]})
node("enumeration of decimals", {"polars_dtype": ["Enum", [{"decimal": "NaN"}]]})
node("enumeration of numbers", {"polars_dtype": ["Enum", [1, 2]]})
node("decimal of polars of many digits", {"polars_dtype": ["Decimal", 2**31, 2**31]})


# ---- objects that are shared, and arrays that are --------------------------------------------------------------------


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {whole: small_model(tmp_path_factory.mktemp("good"), whole=whole)[1] for whole in (False, True)}


@case
def set_of_shared_blocks(file):
    blocks, last = file.shared("Block", 60, BLOCK)
    return [blocks, {"set": [last]}]


@case
def key_of_shared_blocks(file):
    blocks, last = file.shared("Block", 60, BLOCK)
    return [blocks, {"dict": [[last, 0]]}]


@case
def set_of_a_deep_chain(file):
    chain, last = file.shared("Formula", 20_000, ["terms", "constant"])
    return [chain, {"set": [last]}]


@case
def dtype_of_shared_blocks(file):
    blocks, last = file.shared("Block", 60, BLOCK)
    return [blocks, {"pandas_dtype": [last]}]


@case
def enumeration_of_shared_blocks(file):
    blocks, last = file.shared("Block", 12, BLOCK)
    return [blocks, {"polars_dtype": ["Enum", [last]]}]


@case
def scalar_of_shared_blocks(file):
    blocks, last = file.shared("Block", 12, BLOCK)
    return [blocks, {"scalar": ["<f8", last]}]


@case
def ends_of_blocks_that_are_shared_blocks(file):
    (one, last), (other, last_other) = file.shared("Block", 60, BLOCK), file.shared("Block", 60, BLOCK)
    blocks = file.codec["blocks_"]
    blocks[0]["object"][2]["stop"], blocks[1]["object"][2]["start"] = last, last_other
    return [one, other]


@case
def tuples_of_one_array(file):
    return [{"tuple": file.bools(2**20)}] * 1000


@case
def sets_of_one_array(file):
    ones = file.put(b"\1" * 50_000, dtype="<i8", shape=[50_000], first=0, steps="|u1", header=("|u1", (50_000,)))
    return [{"set": ones}] * 200


@case
def categories_of_one_array(file):
    ones = file.put(b"\1" * 50_000, dtype="<i8", shape=[50_000], first=0, steps="|u1", header=("|u1", (50_000,)))
    return [{"pandas_dtype": ["category", ones, {"dtype": "<i8"}, False]}] * 500


@case
def scalar_of_an_array(file):
    return {"scalar": ["<f16", file.bools(2**20)]}


@case
def texts_that_are_widened(file):
    return file.put(bytes(4000), dtype="<U262144", stored="<U1", shape=[1000])


@case
def texts_of_no_width(file):
    return file.put(b"", dtype="<U1", stored="<U0", shape=[2**30])


@case
def texts_of_no_width_in_planes(file):
    return file.put(b"", dtype="<U1", stored="<U0", shape=[2**30], planes=True, header=("|u1", (0, 2**30)))


@case
def no_embedding(file):
    del file.sampler["embedding_"]


@case
def version_of_nested_lists(file):
    file.head["skmdiff"] = json.loads("[" * 500 + "]" * 500)


# ---- boosted trees ---------------------------------------------------------------------------------------------------


@case
def counts_of_nodes_that_wrap_around(file):
    counts = file.array(np.array([2**62] * 4 + [1]))
    return file.boosted(n_nodes=counts, n_bitsets=file.zeros(5, dtype="<i8"))


@case
def counts_of_bitsets_that_wrap_around(file):
    counts = file.array(np.array([2**62] * 4 + [0]))
    return file.boosted(n=5, n_nodes=file.array(np.ones(5, "|i1"), "<i8"), n_bitsets=counts)


@case
def many_trees(file):
    n = 20_000
    return file.boosted(n=n, n_nodes=file.array(np.ones(n, "|i1"), "<i8"), n_bitsets=file.zeros(n, dtype="<i8"))


@case
def many_features_with_categories(file):
    values = file.array(np.arange(255.0))
    return file.boosted(10_000, dict.fromkeys(range(10000), values))


@case
def many_features_of_many_rows(file):
    return file.boosted(10_000, {0: file.array(np.arange(255.0))})


@case
def many_classes(file):
    return file.boosted(2000, classes=file.array(np.arange(100)))


@case
def many_classifiers(file):
    tree = file.boosted(9000)["boosted"][1]
    return [{"boosted": [file.new(), tree]} for _ in range(9)]


@case
def parameters_of_trees_that_are_shared_blocks(file):
    blocks, last = file.shared("Block", 60, BLOCK)
    trees = file.boosted()
    trees["boosted"][1]["dict"][0][1] = [last]
    return [blocks, trees]


# ---- rows, columns and blocks ----------------------------------------------------------------------------------------


def parts(*columns):
    return [{"tuple": list(one)} for one in columns]


@case
def no_rows_of_many_columns(file):
    n = 2**31
    file.model["rows"] = file.put(b"", dtype="<f8", shape=[0, n])
    [block, *_] = blocks = file.codec["blocks_"]
    del blocks[1:]
    block["object"][2].update(start=0, stop=n)
    file.model["denoiser"]["object"][2]["blocks"] = [{"same": block["object"][1]}]


@case
def no_rows_of_a_wide_column(file):
    column = file.codec["columns_"][0]["object"][2]
    codes = file.put(b"", dtype="<f8", shape=[1, 0])
    column.update(
        width=2**29, category_values=file.array(np.zeros(1, "<i8")), value_codes=codes, category_fractions=None
    )
    none = file.put(b"", dtype="|u1", shape=[0])
    file.model["rows"] = parts(["values", none, None], ["blocks", none, None])


@case
def columns_of_negative_width(file):
    one, other = file.codec["columns_"]
    one["object"][2]["width"] = 100
    other["object"][2]["width"] = -97
    index = file.put(bytes(10**5), dtype="|u1", shape=[10**5])
    file.model["rows"] = parts(["blocks", index, file.zeros(1, 100)], ["blocks", index, file.zeros(1, 1)])


@case
def indices_of_two_dimensions(file):
    index = file.put(bytes(10**6), dtype="|u1", shape=[1, 10**6])
    file.model["rows"] = parts(["blocks", index, file.zeros(1, 1)], ["blocks", index, file.zeros(1, 2)])


@case
def edges_of_two_dimensions(file):
    n = 10_000
    values = {"values": file.zeros(n, dtype="<i8"), "counts": file.zeros(n, dtype="<i8"), "frequent": file.bools(n)}
    values |= {"widths": file.zeros(n), "masses": file.zeros(n), "edges": file.zeros(2, n)}
    file.codec["columns_"][0]["object"][2].update(decimals=0, **values)
    none = file.put(b"", dtype="|u1", shape=[0])
    file.model["rows"] = parts(["values", none, None], ["blocks", none, None])


@case
def total_that_is_an_array(file):
    file.codec["columns_"][0]["object"][2]["total"] = file.bools(2**20, 1, 1)


@case
def codes_of_three_dimensions(file):
    file.model["rows"] = file.zeros(3000, 3)
    file.codec["blocks_"][1]["object"][2].update(of_number=True, codes=file.zeros(1, 2, 3000))


@case
def codes_of_many_frequent_values(file):
    file.model["rows"] = file.zeros(3000, 3)
    file.codec["blocks_"][1]["object"][2].update(of_number=True, codes=file.zeros(10**5, 2))


@case
def others_that_are_an_array(file):
    file.model["rows"] = file.zeros(3000, 3)
    file.codec["blocks_"][1]["object"][2].update(of_number=True, codes=file.zeros(1, 2), has_others=file.bools(3000, 1))


# ---- the manifold ----------------------------------------------------------------------------------------------------


def following(file):
    """The manifold, its embedding what PCA makes of the table, and the PCA."""
    file.sampler["embedding_"] = None
    file.manifold["embedding_"] = {"tuple": [file.zeros(0, dtype="<i8"), file.zeros(0, 3)]}
    return file.manifold, file.manifold["transformer_"]["object"][2]


@case
def embedding_of_objects(file):
    file.sampler["embedding_"] = None
    file.manifold.update(embedding_={"cells": [[1, 1], [[0]]]}, shape_=10**9)


@case
def shape_of_three_dimensions(file):
    file.manifold["shape_"] = file.bools(2**20, 1, 1)


@case
def components_that_are_many(file):
    following(file)[1].update(components_=file.zeros(3000, 3), explained_variance_=file.zeros(3000))


@case
def seen_columns_that_are_many(file):
    following(file)[0]["seen_"] = file.zeros(10**6, dtype="<i8")


@case
def center_of_three_dimensions(file):
    following(file)[0]["center_"] = file.bools(2**20, 1, 1)


@case
def floor_of_three_dimensions(file):
    following(file)[0]["floor_"] = file.bools(2**19, 1, 1)


@case
def embedding_that_neighbours_give(file):
    following(file)[0]["row_wise_"] = False


@case
def landmarks_that_are_many(file):
    following(file)[0]["landmarks_"] = file.zeros(10**6, dtype="<i8")


@case
def parameters_of_shared_learners(file):
    learners, last = file.shared("PCA", 12, ["n_components", *OF_PCA])
    following(file)[1]["copy"] = last
    return learners


@case
def target_of_shared_blocks(file):
    blocks, last = file.shared("Block", 60, BLOCK)
    file.model["source"]["object"][2]["component"] = last
    return blocks


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore")
def test_is_refused(name, good, tmp_path):
    file = File(good[False])
    value = CASES[name](file)
    if value is not None:
        file.sampler["verbose"] = value
    (tmp_path / "m").write_bytes(file.content())
    tracemalloc.start()
    started = time.process_time()
    try:
        with pytest.raises(ModelFileError) as caught:
            skmdiff.load(tmp_path / "m")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(tmp_path / "m") in str(caught.value) and not isinstance(caught.value.__cause__, MemoryError)
    assert peak < 64 * 2**20 and time.process_time() - started < 10


def test_the_file_is_good_where_nothing_is_changed(good, tmp_path):
    for content in good.values():
        (tmp_path / "m").write_bytes(File(content).content())
        assert len(skmdiff.load(tmp_path / "m").sample(3)) == 3


def test_a_date_of_another_width_than_its_numbers_is_refused(good, tmp_path):
    file = File(good[True])
    [date] = [one["object"][2] for one in file.codec["columns_"] if one["object"][0] == "DateColumn"]
    date["inner"]["object"][2].update(width=date["width"] + 100)
    (tmp_path / "m").write_bytes(file.content())
    with pytest.raises(ModelFileError, match="QuantileColumn|numbers"):
        skmdiff.load(tmp_path / "m")


def test_a_compressed_tree_is_refused(good, tmp_path):
    (tmp_path / "m").write_bytes(archive_of(members_of(good[False]).items(), compress_type=zipfile.ZIP_DEFLATED))
    with pytest.raises(ModelFileError, match="compressed"):
        skmdiff.load(tmp_path / "m")
