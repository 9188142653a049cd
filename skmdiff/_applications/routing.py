"""How an estimator is given the weights of rows."""

import numpy as np
from sklearn import get_config
from sklearn.ensemble import StackingClassifier, StackingRegressor, VotingClassifier, VotingRegressor
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import MetadataRouter, get_routing_for_object, process_routing
from sklearn.utils.validation import has_fit_parameter

COMBINED = (VotingClassifier, VotingRegressor, StackingClassifier, StackingRegressor)


def weight_name(estimator):
    """The argument of `fit` by which an estimator takes weights, through its parts where it has some; None if not.

    A Pipeline takes those of its last step; what is made of other estimators, a vote, a stack, a calibrated one, takes
    them if all of these do; what changes the number of rows somewhere, by an over-sampler, does not. With metadata
    routing, what has parts takes weights where one requests them and none leaves open whether it does.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> weight_name(make_pipeline(LogisticRegression())), weight_name(KNeighborsClassifier())
    ('logisticregression__sample_weight', None)
    """
    if any(hasattr(part, "fit_resample") for part in estimator.get_params().values()):
        return None
    if get_config()["enable_metadata_routing"]:
        return "sample_weight" if takes_routed_weights(estimator) else None
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        inner = weight_name(last)
        return None if inner is None else f"{name}__{inner}"
    takes = isinstance(estimator, COMBINED) or has_fit_parameter(estimator, "sample_weight")
    return "sample_weight" if takes and all(weight_name(part) == "sample_weight" for part in parts(estimator)) else None


def takes_routed_weights(estimator):
    """Whether weights that its `fit` is given come to a part that requests them, or to itself if it has no parts."""
    try:
        routing = get_routing_for_object(estimator)
        if not isinstance(routing, MetadataRouter):
            return has_fit_parameter(estimator, "sample_weight")
        if not routing.consumes("fit", ["sample_weight"]):
            return False
        process_routing(estimator, "fit", sample_weight=np.ones(1))
    except (NotImplementedError, UnsetMetadataPassedError):
        return False
    return True


def parts(estimator):
    """The estimators that one is made of: those of a vote or a stack, and what it is given to wrap or for the end."""
    members = [member for _, member in estimator.estimators] if isinstance(estimator, COMBINED) else []
    others = [getattr(estimator, name, None) for name in ("estimator", "final_estimator")]
    return [part for part in [*members, *others] if hasattr(part, "fit")]
