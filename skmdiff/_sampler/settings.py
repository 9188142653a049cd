"""The parameters of the sampler by what they are for: the table, the manifold, the training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from .._numerics.deadlines import deadline_in
from .model import FittedModel


@dataclass(frozen=True)
class TableSettings:
    """How the columns are read: parameters of the sampler."""

    categorical_features: Any
    numeric: str
    noise_level: Any
    constraints: list | str | None
    target_type: str


@dataclass(frozen=True)
class ManifoldSettings:
    """How the manifold is found and used: parameters of the sampler."""

    manifold: Any
    max_landmarks: int
    n_neighbors: int
    sigma_start: float | str
    noise_level: Any
    contraction: float | str
    manifold_weight: float | str

    @property
    def manifolds(self) -> list:
        """The learners, one or more."""
        return list(self.manifold) if isinstance(self.manifold, list | tuple) else [self.manifold]

    @property
    def is_passthrough(self) -> bool:
        """Whether there is to be no manifold."""
        return isinstance(self.manifold, str) and self.manifold == "passthrough"


@dataclass(frozen=True)
class TrainingSettings:
    """How the denoiser is trained: parameters of the sampler.

    deadline : when the whole fit is to end, by `time.monotonic`; None for no bound
    former : the model whose weights the training begins with; None for random ones
    """

    hidden_layer_sizes: tuple | str
    max_iter: int | str
    batch_size: int | str
    learning_rate_init: float
    early_stopping: bool
    validation_fraction: float
    device: str
    checkpoint: Any
    deadline: float | None
    former: FittedModel | None


Settings = TypeVar("Settings", TableSettings, ManifoldSettings, TrainingSettings)


def settings_of(
    params: Mapping[str, Any], former: FittedModel | None
) -> tuple[TableSettings, ManifoldSettings, TrainingSettings]:
    """The parameters of the sampler, by what they are for; `max_time` counts from here.

    former : what the sampler was fitted to before, or None
    """
    values = {
        **params,
        "deadline": deadline_in(params["max_time"]),
        "former": former if params["warm_start"] else None,
    }

    def chosen(kind: type[Settings]) -> Settings:
        return kind(**{field.name: values[field.name] for field in fields(kind)})

    return chosen(TableSettings), chosen(ManifoldSettings), chosen(TrainingSettings)
