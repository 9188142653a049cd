"""Models in files: a fitted sampler and how its table is written.

The rest of the command knows these two functions only.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import joblib

from .dialect import Dialect
from .writing import replacing

if TYPE_CHECKING:
    from .._sampler.estimator import ManifoldDiffusionSampler

FORMAT = "model of the command skmdiff, version 1"


def write_model(sampler: ManifoldDiffusionSampler, dialect: Dialect, path: Path, training_rows: bool = True) -> None:
    """Write a model whole or not at all; `training_rows` says whether it may hold the rows of its table."""
    if not training_rows:
        raise ValueError(f"{path}: a model cannot be written without its training rows")
    with replacing(path) as beside:
        joblib.dump({"format": FORMAT, "dialect": dialect.to_dict(), "sampler": sampler}, beside)


def read_model(path: Path) -> tuple[ManifoldDiffusionSampler, Dialect]:
    """The sampler and the dialect of a file that `write_model` wrote. Only files that are trusted may be read."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file")
    try:
        found = joblib.load(path)
        if found["format"] != FORMAT:
            raise ValueError(found["format"])
        return found["sampler"], Dialect.from_dict(found["dialect"])
    except Exception as error:
        raise ValueError(f"{path}: is not a model that skmdiff fit wrote") from error
