"""Models in files: a model file that says as well how its table is written.

The rest of the command knows these functions only.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import STDOUT
from .dialect import Dialect
from .writing import check_former, check_no_table_name, check_target

if TYPE_CHECKING:
    from .._sampler.estimator import ManifoldDiffusionSampler


def check_model_target(path: Path, inputs: Sequence[Path], force: bool) -> None:
    """Raise unless a model can be written, before it is learnt."""
    from .._files.files import is_model_file

    if path == STDOUT:
        raise ValueError("-: a model is written to a file, not to stdout. Name one, such as my.model")
    check_target(path, inputs, force)
    check_no_table_name(path, "model", ".model")
    check_former(path, "model of skmdiff", is_model_file, force)


def write_model(sampler: ManifoldDiffusionSampler, dialect: Dialect, path: Path, training_rows: bool = True) -> None:
    """Write a model whole or not at all; `training_rows` says whether it may hold the rows of its table."""
    from .._sampler.files import write_sampler

    write_sampler(sampler, path, training_rows, dialect=dialect.to_dict())


def read_model(path: Path) -> tuple[ManifoldDiffusionSampler, Dialect]:
    """The sampler and the dialect of a file that `write_model` wrote."""
    from .._sampler.estimator import ManifoldDiffusionSampler
    from .._sampler.files import read_sampler

    sampler, said = read_sampler(path, ManifoldDiffusionSampler)
    try:
        return sampler, Dialect.from_dict(said["dialect"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: does not say how its table is written, skmdiff fit did not write it") from error
