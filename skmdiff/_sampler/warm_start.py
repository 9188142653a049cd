"""The weights that a fit with `warm_start` begins with: those of the last fit, on the same columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._table.codec import TableCodec
from .._table.target import Target
from .encoding import EncodedTable
from .model import FittedModel

if TYPE_CHECKING:
    from .._diffusion.backend import NetworkShape

WAY_OUT = "Use warm_start=False or a clone of the estimator to begin anew."


def first_weights(
    former: FittedModel | None, encoded: EncodedTable, shape: NetworkShape
) -> dict[str, np.ndarray] | None:
    """The weights of a former model; None without one.

    Raises
    ------
    ValueError
        Where they are of a network of another shape, or of other columns or categories.
    """
    if former is None:
        return None
    was, now = described(former.codec, former.target), described(encoded.codec, encoded.target)
    changed = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    if changed:
        raise ValueError(
            "warm_start=True needs a table of the same columns, categories and frequent values, and the same code of "
            f"numbers, as in the last fit; other than then: {', '.join(changed)}. {WAY_OUT}"
        )
    if former.denoiser.shape != shape:
        raise ValueError(
            f"warm_start=True needs a network of the same shape, got hidden_layer_sizes={shape.hidden_layer_sizes} "
            f"after {former.denoiser.shape.hidden_layer_sizes}. Set hidden_layer_sizes as it was. {WAY_OUT}"
        )
    return former.denoiser.weights


def described(codec: TableCodec, target: Target | None) -> dict[str, tuple]:
    """What a network knows of the columns, by their names and in their order, of their code, and of the target."""
    out: dict[str, tuple] = {"numeric": (codec.numeric,)}
    out |= {f"column {i} ({column.name})": of_column(column) for i, column in enumerate(codec.columns_)}
    if target is None:
        return out
    classes = list(target.classes) if target.is_categorical else []
    return {**out, "the target": (*of_column(target.codec.columns_[0]), classes)}


def of_column(column: Any) -> tuple:
    """The kind of a column and its categories, or the values of a number that are categories too."""
    return column.kind, list(getattr(column, "categories", [])), frequent_values(column)


def frequent_values(column: Any) -> list:
    """The frequent values of a number."""
    is_frequent = getattr(column, "frequent", None)
    return [] if is_frequent is None else list(column.values[is_frequent])
