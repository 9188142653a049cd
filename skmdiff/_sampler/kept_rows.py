"""What a model file need not hold of a large table, as it follows from the rest to the last bit.

- The code of the rows: of each column the index of its value among the values that the codec knows, or among the blocks
  of the code that there are.
- The embedding: what the learner makes of the code, and the rows in which it is another one to some bit.
- The neighbours on the manifold: they are searched for when they are asked for.

Each is left out only where it comes back as it was; else it stays.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from .._files.errors import ModelFileError
from .._manifold.learner import ManifoldModel
from .._starts.on_demand import Neighborhoods
from .._starts.source import Source
from .._table.codec import cells_that_stay
from .._table.columns import Block, Column
from .._table.numeric import QuantileColumn
from .file_shapes import Of, check_all_blocks, check_manifold, check_parts, check_source, has_shape
from .model import FittedModel

LEAST_ROWS = 10_000  # of the tables for which it is worth the while
LARGEST_EXPANSION = 500  # times the bytes of the indices, compressed, that a code may take
FREE_BYTES = 10 << 20  # that a code may take whatever the indices take
N_ARRAYS = 6  # as large as a code: the rows, those that fill missing cells, the table, its embedding in two scales
FEW_BLOCKS = 0.25  # distinct blocks of the code, as a fraction of the rows
FEW_ROWS = 0.25  # rows of another embedding, as a fraction of all

Part = tuple[str, np.ndarray, np.ndarray | None]  # of a column: "values", index, None; or "blocks", index, blocks


# ---- the code ---------------------------------------------------------------------------------------------------


def kept_code(W: np.ndarray, columns: Sequence[Column]) -> Any:
    """The code W (n, p) of columns by indices, or W where it does not come back or takes too much memory."""
    if len(W) < LEAST_ROWS or not W.flags.c_contiguous or W.dtype != np.float64:
        return W
    wide = coded(columns)
    blocks = np.split(W, np.cumsum([column.width for column in wide])[:-1], axis=1)
    parts = [kept_block(np.ascontiguousarray(block), column) for block, column in zip(blocks, wide, strict=True)]
    indices = [index for _, index, _ in parts]
    allowed = max(FREE_BYTES, LARGEST_EXPANSION * sum(len(zlib.compress(index.tobytes(), 1)) for index in indices))
    same = W.nbytes <= allowed and whole_code(parts, wide, len(W)).tobytes() == W.tobytes()
    return parts if same else W


def kept_block(block: np.ndarray, column: Column) -> Part:
    """The block (n, width) of a column by indices, or as it is."""
    if isinstance(column, QuantileColumn):
        index = indices_of_values(block, column)
        if known_blocks(column)[index].tobytes() == block.tobytes():
            return "values", index, None
    blocks, index = np.unique(block.view(f"V{block[0].nbytes}"), return_inverse=True)
    if len(blocks) > FEW_BLOCKS * len(block):
        return "rows", np.arange(0), block
    return "blocks", smallest(index.ravel()), blocks.view(np.float64).reshape(-1, block.shape[1])


def indices_of_values(block: np.ndarray, column: QuantileColumn) -> np.ndarray:
    """(n,) of the values that the blocks decode to; one more than the last for missing cells."""
    missing = np.isnan(block).any(axis=1)
    index = np.full(len(block), len(column.values))
    index[~missing] = np.searchsorted(column.values, column.decode(block[~missing]))
    return smallest(index)


def known_blocks(column: QuantileColumn) -> np.ndarray:
    """(n_values + 1, width) code of the values of a column, and of a missing cell."""
    return np.vstack([column.encode(column.values), np.full((1, column.width), np.nan)])


def smallest(index: np.ndarray) -> np.ndarray:
    """Indices in the smallest dtype."""
    return index.astype(np.min_scalar_type(index.max(initial=0)))


def coded(columns: Sequence[Column]) -> list[Column]:
    """Those of the columns that are in the code; of dates the numbers that they are coded as."""
    return [getattr(column, "inner", column) for column in columns if column.width]


def whole_code(parts: list[Part], wide: Sequence[Column], n_rows: int) -> np.ndarray:
    """The code (n_rows, p) of `kept_code`, of columns that are in it."""
    out, stop = np.empty((n_rows, sum(column.width for column in wide))), 0
    for part, column in zip(parts, wide, strict=True):
        start, stop = stop, stop + column.width
        out[:, start:stop] = whole_block(*part, column)
    return out


def whole_block(kind: str, index: np.ndarray, blocks: np.ndarray | None, column: Any) -> np.ndarray:
    """The block of `kept_block`."""
    known = known_blocks(column) if kind == "values" else blocks
    assert known is not None
    return known if kind == "rows" else known[index]


class Memory:
    """What all that follows in a file of so many bytes may take: as much as one that was written takes."""

    def __init__(self, n_bytes: int) -> None:
        self.left = N_ARRAYS * max(FREE_BYTES, LARGEST_EXPANSION * n_bytes)

    def check(self, n_rows: int, n_columns: int) -> None:
        """Raise where there is too little left for floats."""
        if 8 * n_rows * n_columns > self.left:
            raise ModelFileError("its rows would take too much memory")

    def take(self, n_rows: int, n_columns: int) -> None:
        """Have so much less of it."""
        self.check(n_rows, n_columns)
        self.left -= 8 * n_rows * n_columns


def read_code(parts: Any, columns: Sequence[Column], memory: Memory) -> np.ndarray:
    """The code of a file, checked before it takes memory."""
    wide = coded(columns)
    n_columns = sum(column.width for column in wide)
    sizes = {"p": n_columns}
    if has_shape(parts, Of("f", "n p"), sizes) and sizes["n"]:
        return parts
    if type(parts) is not list or len(parts) != len(wide):
        raise ModelFileError("its rows do not have the code of its columns")
    n_rows = [rows_of_part(part, column, memory) for part, column in zip(parts, wide, strict=True)]
    if not n_rows[0] or len(set(n_rows)) > 1:
        raise ModelFileError("its columns do not have the same rows")
    memory.take(n_rows[0], n_columns)
    return whole_code(parts, wide, n_rows[0])


def rows_of_part(part: Any, column: Column, memory: Memory) -> int:
    """The number of rows of a block of `kept_block`, which is checked."""
    kind, index, blocks = part
    sizes = {"width": column.width}
    fits = type(kind) is str and kind in ("values", "blocks", "rows") and has_shape(index, Of("iu", "n"), sizes)
    if fits and kind == "values" and type(column) is QuantileColumn:
        memory.check(len(column.values) + 1, column.width)
    elif not fits or kind == "values" or not has_shape(blocks, Of("f", "known width"), sizes):
        raise ModelFileError("its rows do not have the code of its columns")
    return sizes["known" if kind == "rows" else "n"]


# ---- the embedding ----------------------------------------------------------------------------------------------


def kept_embedding(manifold: ManifoldModel) -> Any:
    """Rows whose embedding is not what the learner makes of the table, and theirs; or all of it."""
    if len(manifold.table_) < LEAST_ROWS or not manifold.row_wise_ or manifold.transformer_ is None:
        return manifold.embedding_
    made = manifold.embed(manifold.table_)
    if made.shape != manifold.embedding_.shape or not manifold.embedding_.flags.c_contiguous:
        return manifold.embedding_
    others = np.flatnonzero((made.view(np.int64) != manifold.embedding_.view(np.int64)).any(axis=1))
    if len(others) > FEW_ROWS * len(made):
        return manifold.embedding_
    return others, manifold.embedding_[others]


def whole_embedding(manifold: ManifoldModel) -> np.ndarray:
    """The embedding of `kept_embedding`."""
    if isinstance(manifold.embedding_, np.ndarray):
        return manifold.embedding_
    rows, embedding = manifold.embedding_
    out = manifold.embed(manifold.table_)
    out[rows] = embedding
    return out


# ---- the neighbours ---------------------------------------------------------------------------------------------


def kept_neighborhoods(found: Any, Z: np.ndarray, labels: np.ndarray | None) -> Any:
    """What searches for the neighbourhoods when they are asked for, or these where it finds others."""
    if isinstance(found, np.ndarray):
        search = Neighborhoods(Z, labels, found.shape[1] - 1)
        if len(Z) < LEAST_ROWS or not search.finds(found):
            return found
        found = search
    return Neighborhoods(None, None, found.n_neighbors)


# ---- the model --------------------------------------------------------------------------------------------------


def same_bits(a: Any, b: Any) -> bool:
    """Whether two arrays are the same to the last bit."""
    arrays = isinstance(a, np.ndarray) and isinstance(b, np.ndarray)
    return a is b or arrays and (a.dtype, a.shape) == (b.dtype, b.shape) and a.tobytes() == b.tobytes()


def columns_of(model: FittedModel) -> list[Column]:
    """The columns of the table and of the target."""
    return [*model.codec.columns_, *([] if model.target is None else model.target.codec.columns_)]


def without_what_follows(model: FittedModel) -> FittedModel:
    """The model for a file, without what `with_what_follows` brings back."""
    columns, source, hot_deck = columns_of(model), model.source, copy(model.hot_deck)
    if hot_deck is not None:
        hot_deck.rows, hot_deck.filled = kept_code(hot_deck.rows, columns), kept_code(hot_deck.filled, columns)
    if source is not None:
        source = without_rows_of(source, model)
    return replace(
        model,
        rows=kept_code(model.rows, columns),
        source=source,
        hot_deck=hot_deck,
        manifold=None if model.manifold is None else kept_manifold(model.manifold, model.codec.columns_),
    )


def without_rows_of(source: Source, model: FittedModel) -> Source:
    """The source without the rows of the model, which cells stay, and its neighbourhoods where they are found again."""
    if not same_bits(source.rows, model.rows):
        return source
    stays = None if same_bits(source.stays, cells_that_stay(blocks_of(model), model.rows)) else source.stays
    near = kept_neighborhoods(source.neighborhoods, model.manifold.embedding_, source.labels)
    return replace(source, rows=None, stays=stays, neighborhoods=near)


def kept_manifold(manifold: ManifoldModel, columns: Sequence[Column]) -> ManifoldModel:
    """The manifold for a file; its lift has the table and the embedding, in another scale, once more."""
    out = copy(manifold)
    same = same_bits(manifold.lift_.W, manifold.table_)
    out.lift_ = replace(manifold.lift_, Z=None, W=None if same else manifold.lift_.W)
    out.embedding_, out.table_ = kept_embedding(manifold), kept_code(manifold.table_, columns)
    return out


def blocks_of(model: FittedModel) -> list[Block]:
    """The blocks of the code of the table and of the target."""
    target = [] if model.target is None else model.target.blocks(offset=model.n_outputs)
    return [*model.codec.blocks_, *target]


def with_what_follows(model: FittedModel, n_bytes: int) -> FittedModel:
    """The model of a file of so many bytes, checked."""
    check_parts(model)
    columns, hot_deck, memory = columns_of(model), model.hot_deck, Memory(n_bytes)
    rows = read_code(model.rows, columns, memory)
    check_all_blocks(model, rows.shape[1])
    if hot_deck is not None:
        hot_deck.rows = read_code(hot_deck.rows, columns, memory)
        hot_deck.filled = read_code(hot_deck.filled, columns, memory)
    if model.manifold is not None:
        restore_manifold(model.manifold, model.codec.columns_, memory)
    source = model.source
    if source is not None:
        check_source(source, len(rows))
    if source is not None and source.rows is None:
        stays = cells_that_stay(blocks_of(model), rows) if source.stays is None else source.stays
        source = replace(source, rows=rows, stays=stays)
        if isinstance(source.neighborhoods, Neighborhoods):
            near = Neighborhoods(model.manifold.embedding_, source.labels, source.neighborhoods.n_neighbors)
            source = replace(source, neighborhoods=near)
    return replace(model, rows=rows, source=source)


def restore_manifold(manifold: ManifoldModel, columns: Sequence[Column], memory: Memory) -> None:
    """Make the manifold of a file whole."""
    is_held = isinstance(manifold.table_, np.ndarray)  # what follows is then no larger than an array of the file
    manifold.table_ = read_code(manifold.table_, columns, memory)
    sizes = check_manifold(manifold, manifold.table_)
    if not is_held and type(manifold.embedding_) is tuple:
        memory.take(sizes["n"], 2 * sizes["k"])  # in two scales
    manifold.embedding_ = whole_embedding(manifold)
    W = manifold.table_ if manifold.lift_.W is None else manifold.lift_.W
    manifold.lift_ = replace(manifold.lift_, Z=manifold.shaped_embedding, W=W)
