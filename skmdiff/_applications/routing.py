"""How a wrapped estimator is given the weights of rows.

With metadata routing, by what it requests; see "Metadata Routing" in scikit-learn's user guide. Without, by the
signature of its `fit`.
"""

from __future__ import annotations

from typing import Any

from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object, process_routing
from sklearn.utils.validation import has_fit_parameter

WAY_OUT = (
    "enable metadata routing, sklearn.set_config(enable_metadata_routing=True), and call "
    "set_fit_request(sample_weight=True) on the estimators that take weights and set_fit_request(sample_weight=False) "
    "on those that should get none"
)


def is_routing_enabled() -> bool:
    """Whether scikit-learn is configured to route metadata."""
    return bool(get_config().get("enable_metadata_routing", False))


def weight_name(estimator: BaseEstimator) -> str | None:
    """The argument of `fit` by which an estimator is given weights; None if it is given none.

    With metadata routing, an estimator is given weights if it, or a part of it, requests `sample_weight`. Without, if
    its `fit` names `sample_weight`, or that of the last step of a Pipeline does, unless a step resamples the rows.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> weight_name(make_pipeline(LogisticRegression())), weight_name(KNeighborsClassifier())
    ('logisticregression__sample_weight', None)
    """
    if is_routing_enabled():
        return "sample_weight" if requests_weights(estimator) else None
    if isinstance(estimator, Pipeline):
        if any(hasattr(step, "fit_resample") for _, step in estimator.steps):
            return None
        name, last = estimator.steps[-1]
        inner = weight_name(last)
        return None if inner is None else f"{name}__{inner}"
    return "sample_weight" if has_fit_parameter(estimator, "sample_weight") else None


def requests_weights(estimator: BaseEstimator) -> bool:
    """Whether an estimator, or a part of it, requests `sample_weight` in `fit`; False where it does not route."""
    try:
        return bool(get_routing_for_object(estimator).consumes("fit", ["sample_weight"]))
    except NotImplementedError:
        return False


def route_to_parts(
    router: BaseEstimator, sample_weight: Any, fit_params: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arguments of `fit` for the estimator and the sampler of a router, without weights, which each fit cuts to size.

    Raises `UnsetMetadataPassedError` where a part leaves open whether it requests what is passed.
    """
    if not is_routing_enabled():
        return fit_params, {}
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    routed = process_routing(router, "fit", **weights, **fit_params)
    of_estimator, of_sampler = ({**routed[part].fit} for part in ("estimator", "sampler"))
    for name in weights:
        of_estimator.pop(name, None)
        of_sampler.pop(name, None)
    return of_estimator, of_sampler


def fit_with_weights(estimator: BaseEstimator, X: Any, y: Any, weight: Any, params: dict[str, Any]) -> BaseEstimator:
    """Fit an estimator, with weights if it takes them; an error about weights says what to do."""
    name = None if weight is None else weight_name(estimator)
    if name is None:
        return estimator.fit(X, y, **params)
    try:
        return estimator.fit(X, y, **{name: weight}, **params)
    except (TypeError, ValueError) as error:
        if "weight" in str(error) and hasattr(error, "add_note"):  # Python 3.10 has no notes
            error.add_note(f"{type(estimator).__name__} was given weights as {name}. If a part takes none, {WAY_OUT}.")
        raise
