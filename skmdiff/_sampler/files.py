"""Samplers in files: model files, and pickles that say by which version they were made."""

from __future__ import annotations

import os
import warnings
from copy import copy
from dataclasses import fields, replace
from typing import Any

from sklearn.exceptions import InconsistentVersionWarning as SklearnVersionWarning
from sklearn.utils.validation import check_is_fitted

from .._files.container import check_target
from .._files.errors import ModelFileError
from .._files.files import read_file, write_file
from .._files.registry import REGISTRY, NotKept
from .._files.values import Encoder, kind_of
from .._manifold.learner import ManifoldModel
from .._manifold.lift import Lift
from .._numerics.checks import check_integer
from .kept_rows import same_bits, with_what_follows, without_what_follows
from .model import FittedModel
from .without_rows import without_rows

VERSION = "_skmdiff_version"
FITTED = (
    "_model manifold_ intrinsic_dimension_ embedding_ manifold_scores_ classes_ numeric_ noise_level_ contraction_ "
    "corrector_ sigma_start_ loss_curve_ validation_loss_curve_ n_iter_ stop_reason_ constraints_ n_features_in_ "
    "feature_names_in_"
)
SEEDS = {"random_state"}
LONGEST_VERSION = 100
NOT_KEPT = {"fit_time_", "_skl_callbacks"}  # the same fit is to give the same file


class InconsistentVersionWarning(SklearnVersionWarning):
    """A fitted estimator comes from another version of skmdiff than the one that loads it.

    Parameters
    ----------
    estimator_name : str
        Class of the estimator.
    current_sklearn_version : str
        Version of skmdiff that loads it; the name is that of scikit-learn's warning.
    original_sklearn_version : str
        Version of skmdiff that it was fitted by.
    """

    def __str__(self) -> str:
        made, here = self.original_sklearn_version, self.current_sklearn_version
        return (
            f"{self.estimator_name} was fitted by skmdiff {made} and is loaded by skmdiff {here}: it may fail or give "
            f"other samples. Fit it again, or load it with skmdiff {made}."
        )


def warn_of_version(name: str, made: str) -> None:
    """Say it where an estimator is of another version."""
    from .. import __version__

    if made != __version__:
        warnings.warn(
            InconsistentVersionWarning(
                estimator_name=name, current_sklearn_version=__version__, original_sklearn_version=made
            ),
            stacklevel=3,
        )


class SavedInFiles:
    """What makes a fitted sampler a file: `save`, and a pickle that carries the version of the package."""

    def save(self, path: str | os.PathLike, *, training_rows: bool = True, least_count: int = 10) -> None:
        """Write the fitted sampler to a model file, which `skmdiff.load` reads.

        The file is data, arrays and JSON with checksums: loading it runs no code that it could name, unlike a pickle.
        It takes the place of a file of that name only when it is written whole.

        With `training_rows` it holds the training table, every cell of it, and a loaded sampler gives the same rows as
        this one to the last bit. Without, it holds no training row, for those who may not see the table: rows that the
        model draws take their place; numbers that fewer than `least_count` rows hold are replaced by means of as many
        neighbouring ones, ends of columns by means of the outermost ones. What is learnt from the rows stays: network,
        mixture and the shares of categories. This is no guarantee of privacy.

        Not kept: a `manifold` that is no PCA, without which all but fitting again works, and `embed` unless the
        learner has no `transform` of single rows; a `random_state` that is not an integer.

        Parameters
        ----------
        path : str or path-like
            The file, in a folder that exists.
        training_rows : bool, default=True
            Whether the file holds the training rows.
        least_count : int, default=10
            Without training rows, how many rows at least must hold a category, and how many a number stands for.

        Raises
        ------
        ModelFileError
            If the folder does not exist or cannot be written to; if `corrector` is a classifier other than
            scikit-learn's HistGradientBoostingClassifier; without training rows, if categories or combinations of
            columns are held by fewer than `least_count` rows.

        Examples
        --------
        >>> import os, tempfile
        >>> import skmdiff
        >>> from sklearn.datasets import load_iris
        >>> sampler = skmdiff.ManifoldDiffusionSampler(max_iter=20, random_state=0).fit(load_iris().data)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     sampler.save(os.path.join(folder, "iris.skmdiff"))
        ...     loaded = skmdiff.load(os.path.join(folder, "iris.skmdiff"))
        >>> bool((loaded.sample(5) == sampler.sample(5)).all())
        True
        """
        write_sampler(self, path, training_rows, least_count)

    def __getstate__(self) -> dict:
        from .. import __version__

        state: dict = super().__getstate__()  # type: ignore[assignment]
        return {**state, VERSION: __version__}

    def __setstate__(self, state: dict) -> None:
        state = dict(state)
        made = state.pop(VERSION, "0.3 or older")
        if "_model" in state:
            warn_of_version(type(self).__name__, made)
        super().__setstate__(state)  # type: ignore[misc]


def write_sampler(
    sampler: Any, path: str | os.PathLike, training_rows: bool = True, least_count: int = 10, **said: Any
) -> None:
    """Write a fitted sampler to a model file, and beside it what else is said of it, plain values for JSON."""
    from .. import __version__

    check_is_fitted(sampler)
    check_target(path)
    check_integer(least_count, "least_count", 2)
    held = sampler if training_rows else without_rows(sampler, int(least_count))
    said = {"skmdiff": __version__, "training_rows": bool(training_rows), **said}
    write_file(path, as_kept(held), registry_of(type(sampler)), **said)


def registry_of(cls: type) -> dict:
    """The classes that a file of a sampler may hold: those of its parts, and its own."""
    sampler = kind_of(cls, " ".join(cls._get_param_names()), FITTED)  # type: ignore[attr-defined]
    return {**REGISTRY, "FittedModel": kind_of(FittedModel), "ManifoldDiffusionSampler": sampler}


def as_kept(sampler: Any) -> Any:
    """A sampler with all that a model file can hold of it."""
    out, model = copy(sampler), sampler._model
    for name in NOT_KEPT & vars(out).keys():
        delattr(out, name)
    check_classifier(model)
    for name, value in sampler.get_params(deep=False).items():
        setattr(out, name, value if can_be_kept(value) else stand_in(name, value))
    if model.manifold is not None:
        kept = model.manifold.transformer_ if can_be_kept(model.manifold.transformer_) else None
        manifold = copy(model.manifold)
        manifold.transformer, manifold.transformer_, out.manifold_ = None, kept, kept
        model = replace(model, manifold=manifold)
    out._model = without_what_follows(model)
    if model.manifold is not None and same_bits(out.embedding_, model.manifold.embedding_):
        out.embedding_ = None
    return out


def check_classifier(model: FittedModel) -> None:
    """Raise where the corrector's classifier cannot be kept."""
    if model.corrector is not None and not can_be_kept(model.corrector.classifier):
        name = type(model.corrector.classifier).__name__
        raise ModelFileError(
            f"a model file cannot hold the corrector's classifier, got {name}. Fit with corrector='auto', a "
            "HistGradientBoostingClassifier or None, or keep the sampler by joblib."
        )


def can_be_kept(value: Any) -> bool:
    """Whether a model file can hold a value."""
    try:
        Encoder(REGISTRY).write(value)
    except ModelFileError:
        return False
    return True


def stand_in(name: str, value: Any) -> Any:
    """What stands in a file for a parameter that it cannot hold."""
    return None if name in SEEDS else NotKept(f"{name}={str(value)[:200]}")


def read_sampler(path: str | os.PathLike, cls: type) -> tuple[Any, dict]:
    """The sampler of a model file, and what else is said of it."""
    sampler, head = read_file(path, registry_of(cls), cls)
    _check_model(getattr(sampler, "_model", None), str(path))
    made = head.get("skmdiff")
    try:
        if type(made) is not str or len(made) > LONGEST_VERSION:
            raise ModelFileError("it does not say what version wrote it")
        if sampler._model.manifold is not None and "embedding_" not in vars(sampler):
            raise ModelFileError("the embedding is missing")
        sampler._model = with_what_follows(sampler._model, os.path.getsize(path))
    except Exception as error:  # whatever a file that was tampered with brings about
        reason = f"{type(error).__name__}: {str(error)[:200]}"
        raise ModelFileError(f"{str(path)!r} cannot be read as a model file, it is damaged ({reason}).") from error
    if sampler._model.manifold is not None and sampler.embedding_ is None:
        sampler.embedding_ = sampler._model.manifold.embedding_
    warn_of_version(cls.__name__, made)
    return sampler, head


def _check_model(model: Any, path: str) -> None:
    """Refuse a model whose parts are not what they are to be."""
    parts = {
        "codec": "TableCodec",
        "constraints": "Constraints",
        "noise": "MeasurementNoise",
        "denoiser": "DenoiserState",
    }
    found = {} if type(model) is not FittedModel else {f.name: type(getattr(model, f.name)) for f in fields(model)}
    is_model = {name: found[name].__name__ for name in parts if name in found} == parts
    if not is_model or not _is_manifold(model.manifold):
        raise ModelFileError(f"{path!r} cannot be read as a model file: it does not hold a fitted model.")


def _is_manifold(manifold: Any) -> bool:
    """Whether a part of a model is a manifold with a lift, or none."""
    if manifold is None:
        return True
    return type(manifold) is ManifoldModel and type(manifold.lift_) is Lift
