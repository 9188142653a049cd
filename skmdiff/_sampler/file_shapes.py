"""What the parts of a decoded model file are to be, before anything is computed from them.

A file says what each array is, one by one; a sum or a product of two of them may still be as large as nobody wanted, by
broadcasting, or take as long. So the parts that `kept_rows.py` computes with are checked: each has the type, and its
arrays the dtypes and shapes, that a saved model has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from sklearn.decomposition import PCA

from .._files.errors import ModelFileError
from .._manifold.learner import ManifoldModel
from .._manifold.lift import Lift
from .._starts.on_demand import Neighborhoods
from .._starts.source import Source
from .._table.codec import TableCodec
from .._table.columns import Block, CategoricalColumn, ConstantColumn, EmptyColumn
from .._table.dates import DateColumn
from .._table.identifiers import IdentifierColumn
from .._table.missing.hot_deck import HotDeck
from .._table.numeric import QuantileColumn, StandardColumn
from .._table.target import Target

MOST_FREQUENT = 256  # frequent values of a number, each of which holds a hundredth of the cells: all rows meet all
PLAIN = (type(None), bool, int, float, str)
Sizes = dict[str, int]


class Of(NamedTuple):
    """An array: kinds of dtypes, and its shape by names of lengths; whether None may be in its place."""

    kinds: str
    shape: str
    or_none: bool = False


class One(NamedTuple):
    """A value of exactly one of some types."""

    types: tuple[type, ...]


ANY_NUMBER = One((int, float, *{np.dtype(code).type for code in "bBhHiIlLqQefd"}))
INT, BOOL, LIST = One((int,)), One((bool,)), One((list,))
RULES: dict[type, Mapping[str, Of | One]] = {
    TableCodec: {"columns_": LIST, "blocks_": LIST, "n_outputs_": INT},
    Block: {
        "codes": Of("f", "categories width", True),
        "of_number": BOOL,
        "has_others": BOOL,
    },
    QuantileColumn: {
        "width": INT,
        "values": Of("biuf", "n"),
        "counts": Of("iu", "n"),
        "masses": Of("iuf", "n"),
        "widths": Of("iuf", "n"),
        "frequent": Of("b", "n"),
        "edges": Of("iuf", "ends"),
        "total": ANY_NUMBER,
        "category_values": Of("i", "categories", True),
        "category_fractions": Of("f", "categories", True),
        "value_codes": Of("f", "categories others", True),
    },
    StandardColumn: {"width": INT},
    CategoricalColumn: {"width": INT},
    DateColumn: {"width": INT},
    ManifoldModel: {
        "table_": Of("f", "n p"),
        "seen_": Of("b", "p"),
        "floor_": Of("f", "seen", True),
        "center_": Of("f", "k"),
        "scale_": Of("f", "k"),
        "shape_": Of("f", "k"),
        "row_wise_": BOOL,
        "random_state": One((type(None), *ANY_NUMBER.types)),
    },
    PCA: {
        "components_": Of("f", "k seen"),
        "mean_": Of("f", "seen", True),
        "explained_variance_": Of("f", "k"),
        "whiten": BOOL,
        "n_features_in_": INT,
    },
    Source: {
        "target": Of("biuf", "n", True),
        "component": Of("iu", "n", True),
        "weight": Of("f", "n", True),
        "is_class": BOOL,
    },
    Neighborhoods: {"n_neighbors": INT},
}
COLUMNS = {QuantileColumn, StandardColumn, CategoricalColumn, DateColumn, ConstantColumn, EmptyColumn, IdentifierColumn}


def check(owner: Any, sizes: Sizes | None = None) -> Sizes:
    """The lengths by their names, those given and those found; raises where a part of `owner` is not as RULES says."""
    sizes, name = {} if sizes is None else dict(sizes), type(owner).__name__
    for field, rule in RULES.get(type(owner), {}).items():
        value = getattr(owner, field, None)
        if isinstance(rule, One):
            fits = type(value) in rule.types
        else:
            fits = value is None and rule.or_none or has_shape(value, rule, sizes)
        if not fits:
            raise ModelFileError(f"{field} of {name} is not what it is to be")
    return sizes


def has_shape(array: Any, rule: Of, sizes: Sizes) -> bool:
    """Whether something is an array as a rule says; a length met first is taken as it is."""
    names = rule.shape.split()
    if type(array) is not np.ndarray or array.dtype.kind not in rule.kinds or array.ndim != len(names):
        return False
    return all(sizes.setdefault(name, length) == length for name, length in zip(names, array.shape, strict=True))


def check_is(value: Any, *types: type | None) -> None:
    """Raise unless a value is of exactly one of the types, or None where that is among them."""
    if not any(value is None if one is None else type(value) is one for one in types):
        raise ModelFileError(f"there is a {type(value).__name__} in place of another part")


# ---- columns and blocks -----------------------------------------------------------------------------------------


def check_columns(codec: Any) -> None:
    """Raise unless a codec has columns that can be computed with."""
    check_is(codec, TableCodec)
    check(codec)
    for column in codec.columns_:
        check_is(column, *COLUMNS)
        check_column(column)
        if type(column) is DateColumn:
            check_is(column.inner, QuantileColumn, StandardColumn, CategoricalColumn)
            check_column(column.inner)
            if column.inner.width != column.width:
                raise ModelFileError("a date has not the width of its numbers")
    if sum(column.width for column in codec.columns_) != codec.n_outputs_:
        raise ModelFileError("the code has not the width of its columns")
    check_blocks(codec.blocks_, codec.n_outputs_)


def check_column(column: Any) -> None:
    """Raise unless the arrays of a column fit each other."""
    sizes = check(column)
    if column.width < (type(column) not in (ConstantColumn, EmptyColumn, IdentifierColumn)):
        raise ModelFileError("a column has no width")
    if type(column) is QuantileColumn:
        is_whole = sizes["n"] > 0 and sizes["ends"] == sizes["n"] + 1
        if not is_whole or column.width != 1 + sizes.get("others", 0):
            raise ModelFileError("a column of numbers has arrays of other lengths")


def check_blocks(blocks: Any, n_columns: int) -> None:
    """Raise unless blocks follow one another to the last column of the code: what is made of them is as large."""
    check_is(blocks, list)
    end = 0
    for block in blocks:
        check_is(block, Block)
        check_is(block.start, int)
        check_is(block.stop, int)
        sizes = check(block, {"width": block.stop - block.start})
        if block.start != end or block.stop < end:
            raise ModelFileError("blocks do not follow one another")
        if block.of_number and not (end and 0 < sizes.get("categories", 0) <= MOST_FREQUENT):
            raise ModelFileError("a block of frequent values has no codes of them, or too many")
        end = block.stop
    if end != n_columns:
        raise ModelFileError(f"blocks do not make up the {n_columns} columns of the code")


# ---- parts of a model -------------------------------------------------------------------------------------------


def check_parts(model: Any) -> None:
    """Raise unless the parts of a model that rows are made with are of their types, and fit each other."""
    check_columns(model.codec)
    check_is(model.target, Target, None)
    if model.target is not None:
        check_columns(model.target.codec)
    check_is(model.hot_deck, HotDeck, None)
    check_is(model.source, Source, None)


def check_source(source: Source, n_rows: int) -> None:
    """Raise unless the arrays of a source fit its rows."""
    check(source, {"n": n_rows if source.rows is None else len(source.rows)})
    check(source.neighborhoods)


def check_all_blocks(model: Any, n_columns: int) -> None:
    """Raise unless the blocks of a model are those of its code, wherever it has them."""
    parts = model.denoiser, model.hot_deck, model.missingness, model.mixture_starts
    for part in parts:
        if part is not None:
            check_blocks(part.blocks, n_columns)


def check_manifold(manifold: ManifoldModel, table: np.ndarray) -> Sizes:
    """The lengths of the arrays of a manifold; raises unless they fit each other and the table of its rows."""
    check_is(manifold.lift_, Lift)
    n_seen = int(manifold.seen_.sum()) if has_shape(manifold.seen_, Of("b", "p"), {"p": table.shape[1]}) else 0
    sizes = check(manifold, {"n": len(table), "p": table.shape[1], "seen": n_seen})
    if type(manifold.embedding_) is tuple:
        check_follows(manifold, sizes)
    elif not has_shape(manifold.embedding_, Of("f", "n k"), sizes):
        raise ModelFileError("the embedding has not the shape of its rows")
    return sizes


def check_follows(manifold: ManifoldModel, sizes: Sizes) -> None:
    """Raise unless the embedding can be made of the rows, by a PCA."""
    learner = manifold.transformer_
    check_is(learner, PCA)
    check(learner, sizes)
    if any(type(value) not in (*PLAIN, *ANY_NUMBER.types) for value in learner.get_params(deep=False).values()):
        raise ModelFileError("a parameter of PCA is no plain value")
    rows, embedding = manifold.embedding_
    found = dict(sizes)
    others = has_shape(rows, Of("iu", "others"), found) and has_shape(embedding, Of("f", "others k"), found)
    landmarks = has_shape(manifold.landmarks_, Of("iu", "landmarks"), found) and found["landmarks"] <= sizes["n"]
    if not (manifold.row_wise_ and others and landmarks and sizes["k"] <= sizes["seen"]):
        raise ModelFileError("the embedding does not follow from the rows")
