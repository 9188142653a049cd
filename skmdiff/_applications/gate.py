"""The gate of the augmented estimators: fits with synthetic rows and without, and what these gain on rows held out.

The rows are cut in folds; on each, two copies of the estimator are compared, one fitted on the other folds, one on
these and on rows of a generator that learnt these. With l_i the loss of the first less that of the second at the
held-out row i, weighted as the row is, the gain is the mean of l_i and its standard error that of a mean.

How sure the gain must be: with classes that count alike, and for numbers, any gain will do. It leaves 6.1 of the 6.4
points of balanced accuracy that are there without a gate (100 rows of 13 tables, ten seeds) and 3.3 points of 100 R2
of 1.6 (ten targets that were not reported, by which it was chosen), no table of these lost; a gain beyond its
error left 3.6 of 6.0 (fewer synthetic rows, eight seeds) and 3.3. At 300 rows of twelve such targets any gain left 2.6
of 2.6, one beyond its error 2.1. For classes in other shares, whose probabilities gain little, it is one error.

What the generator knows of targets given the columns is without the noise of targets as drawn, as of a teacher (Hinton,
Vinyals & Dean 2015, "Distilling the knowledge in a neural network"): with means for targets numbers gained 2.1 points
of 100 R2 where draws gained .0 (300 rows of four tables, three seeds, without the gate), with shared rows classes .6
points of balanced accuracy more (.2; 100 and 300 rows of 13 tables, two seeds, without the gate). Without rows whose
columns speak against their class, estimators that take no weights gained .7 points more at 100 rows (.3) and 1.8 at 300
(.7; nearest neighbours, discriminant analysis and a network, tables as before, a seed, without the gate).
"""

import warnings
from dataclasses import dataclass, field
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import check_cv

from .._numerics.checks import is_auto
from .._numerics.weights import indices_at
from .routing import fit_with_weights, weight_name
from .synthetic import at_even_shares, draw, fit_sampler, new_seed, stack, take

MEAN_DRAWS = 20
# of the weight of a synthetic row, what a class must have to get the row
LEAST_WEIGHT = 0.02
# what stops early by itself beyond so many rows
BOOSTING, EARLY_ROWS = (HistGradientBoostingClassifier, HistGradientBoostingRegressor), 10_000


@dataclass(frozen=True)
class Rows:
    """A table X with targets y (n,) and weights (n,), or None for rows that weigh the same."""

    X: object
    y: np.ndarray
    weight: np.ndarray | None

    def some(self, rows):
        """The same of some rows."""
        return Rows(take(self.X, rows), take(self.y, rows), take(self.weight, rows))

    def seen(self):
        """Rows that weigh something."""
        return self if self.weight is None else self.some(np.flatnonzero(self.weight > 0))


@dataclass(frozen=True)
class Recipe:
    """How an augmented fit is done.

    share : synthetic rows over real ones
    relative_weight : weight of a synthetic row over the mean one of real rows that have any
    classes : (n_classes,) or None for numbers
    balanced : whether synthetic rows have as many of each class, and held-out classes count alike
    params : further arguments of `fit` of the estimator, beside rows and weights
    sampler_params : the same for the generator
    """

    estimator: object
    sampler: object
    share: float
    relative_weight: float
    classes: np.ndarray | None
    balanced: bool
    params: dict = field(default_factory=dict)
    sampler_params: dict = field(default_factory=dict)

    @property
    def takes_weights(self):
        """Whether the estimator is given weights."""
        return weight_name(self.estimator) is not None

    def fit(self, rows, n_real=None):
        """A fitted clone of the estimator, on rows of which `n_real` are real, by default all.

        Synthetic rows do not make boosting stop early that would not without them: by rows that are mostly such.
        """
        fitted = clone(self.estimator)
        if n_real is not None and n_real <= EARLY_ROWS:
            fitted.set_params(**dict.fromkeys(automatic_stops(fitted), False))
        return fit_with_weights(fitted, rows.X, rows.y, rows.weight, self.params)

    def weight(self, rows):
        """Weights (n,) by which targets are drawn and held-out rows count; None for all alike."""
        return even_weights(rows) if self.balanced else rows.weight

    def synthetic(self, rows, random_state):
        """Rows of a generator that learnt `rows`, at least one drawn, with targets of its in the shares wanted."""
        kind = "number" if self.classes is None else "class"
        sampler = fit_sampler(
            self.sampler,
            rows.X,
            rows.y,
            random_state,
            target_type=kind,
            weight=rows.weight,
            params=self.sampler_params,
        )
        fewer = 1.0 if self.takes_weights else min(1.0, self.relative_weight)
        n_new = max(1, round(self.share * fewer * len(rows.y)))
        wanted = rows.y[spread_draw(rows.y, self.weight(rows), n_new, random_state)]
        wanted = wanted.astype(float) if self.classes is None else wanted
        new = Rows(draw(sampler, wanted, random_state), wanted, None)
        if not hasattr(sampler, "predict_target"):
            return new
        if self.classes is None:
            means = sampler.predict_target(new.X, n_draws=MEAN_DRAWS, random_state=new_seed(random_state))
            return Rows(new.X, means, None)
        return self.judged(new, rows, sampler)

    def judged(self, new, rows, sampler):
        """Rows drawn of classes, after what the generator knows of these given the columns drawn.

        Where rows can be weighted, classes share them; where not, rows of even classes go whose columns speak against
        theirs. In other shares that would even classes where these overlap: of 100 half the Brier score it cost .2.
        """
        if self.takes_weights:
            return shared_rows(new, sampler.predict_target(new.X), rows, self.balanced)
        return likely_rows(new, sampler.predict_target(new.X), rows) if self.balanced else new

    def joined(self, rows, new):
        """Real rows with the synthetic ones behind them."""
        X, y = stack(rows.X, new.X), np.concatenate([rows.y, new.y])
        if not self.takes_weights:
            return Rows(X, y, None)
        weight = np.ones(len(rows.y)) if rows.weight is None else rows.weight
        of_new = np.ones(len(new.y)) if new.weight is None else new.weight
        return Rows(X, y, np.concatenate([weight, self.relative_weight * weight[weight > 0].mean() * of_new]))

    def fit_augmented(self, rows, random_state):
        """A clone fitted on `rows` and synthetic ones."""
        return self.fit(self.joined(rows, self.synthetic(rows.seen(), random_state)), len(rows.y))

    def least_gain(self, error):
        """What a gain with a standard error must exceed for synthetic rows to be taken."""
        return 0.0 if self.balanced or self.classes is None else error

    def losses(self, fitted, rows):
        """(n,) loss of a fitted clone at each row."""
        return error_losses(fitted, rows) if self.balanced else row_losses(fitted, rows, self.classes)


def automatic_stops(estimator):
    """Names of the parameters by which boosting in an estimator is stopped early where it has many rows."""
    parts = {"": estimator, **{f"{name}__": part for name, part in estimator.get_params().items()}}
    return [
        f"{prefix}early_stopping"
        for prefix, part in parts.items()
        if isinstance(part, BOOSTING) and is_auto(part.early_stopping)
    ]


def even_weights(rows):
    """Weights (n,) of which each class has the sum 1."""
    weight = np.ones(len(rows.y)) if rows.weight is None else rows.weight
    place = np.unique(rows.y, return_inverse=True)[1]
    return weight / np.bincount(place, weight)[place]


def shared_rows(new, probability, rows, balanced):
    """Synthetic rows, each once for every class that it may be of, by weights that sum to 1 or little less.

    Half of a row goes to the class it was drawn for, half to the classes by their probabilities given its columns:
    (m, n_classes), of a generator that learnt `rows`; `balanced` if as many were drawn of each class.
    """
    classes = np.unique(rows.y)
    probability = at_even_shares(probability, class_weights(rows)) if balanced else probability
    drawn = new.y[:, None] == classes
    weight = 0.5 * (drawn + probability)
    row, label = np.nonzero(weight > LEAST_WEIGHT)
    return Rows(take(new.X, row), classes[label], weight[row, label])


def likely_rows(new, probability, rows):
    """Synthetic rows, as many drawn of each class, whose class is no less probable given their columns than without.

    `probability` (m, n_classes) is that of the classes given columns, of a generator that learnt `rows`. By Jensen's
    inequality rows of no class go altogether where the generator draws by the distribution by which it judges.
    """
    classes = np.unique(rows.y)
    of_drawn = at_even_shares(probability, class_weights(rows))[new.y[:, None] == classes]
    return new.some(np.flatnonzero(of_drawn >= 1 / len(classes)))


def class_weights(rows):
    """(n_classes,) the weight that each class of the rows has in all."""
    return np.bincount(np.unique(rows.y, return_inverse=True)[1], rows.weight)


def spread_draw(y, weight, n_draws, random_state):
    """Places of n_draws rows, each row in its share of the weight up to one draw: systematic, in the order of y."""
    order = np.lexsort((random_state.uniform(size=len(y)), y))
    ends = np.cumsum(np.ones(len(y)) if weight is None else weight[order])
    at = (np.arange(n_draws) + random_state.uniform()) / n_draws * ends[-1]
    return order[indices_at(ends, at)]


def make_folds(y, n_folds, random_state):
    """(n,) the fold of each row: as even as can be over folds, over classes and over the range of numbers."""
    folds = np.empty(len(y), dtype=int)
    folds[np.lexsort((random_state.uniform(size=len(y)), y))] = np.arange(len(y)) % n_folds
    return folds


def split_rows(cv, rows, random_state):
    """Pairs of rows to fit on and rows held out, these of some weight: by even folds, or by what cv yields."""
    if isinstance(cv, Integral):
        folds = make_folds(rows.y, min(cv, len(rows.y)), random_state)
        places = [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in np.unique(folds)]
    else:
        places = check_cv(cv).split(rows.X, rows.y)
    pairs = [(rows.some(train), rows.some(held_out).seen()) for train, held_out in places]
    return [(train, held_out) for train, held_out in pairs if len(held_out.y)]


def measure_gain(recipe, rows, cv, random_state):
    """The gain by synthetic rows on rows held out, and its standard error; (0, inf) where nothing can be compared."""
    pairs = split_rows(cv, rows, random_state)
    if any(len(np.unique(train.seen().y)) < 2 for train, _ in pairs):
        return 0.0, np.inf
    try:
        plain = [recipe.losses(recipe.fit(train), held_out) for train, held_out in pairs]
    except ValueError as error:
        warnings.warn(
            f"The gate takes no synthetic rows, for on a part of the real ones the estimator fails: {error}",
            UserWarning,
            stacklevel=4,
        )
        return 0.0, np.inf
    augmented = [recipe.losses(recipe.fit_augmented(train, random_state), held_out) for train, held_out in pairs]
    gains = np.concatenate(plain) - np.concatenate(augmented)
    weight = None if rows.weight is None else np.concatenate([held_out.weight for _, held_out in pairs])
    weight = recipe.weight(Rows(None, np.concatenate([held_out.y for _, held_out in pairs]), weight))
    return mean_and_error(gains if recipe.classes is not None else gains / variance(rows), weight)


def variance(rows):
    """That of the targets, by weight."""
    mean = np.average(rows.y, weights=rows.weight)
    return np.average((rows.y - mean) ** 2, weights=rows.weight)


def mean_and_error(values, weight):
    """Weighted mean of values (n,) and its standard error."""
    weight = np.ones(len(values)) if weight is None else weight
    share = weight / weight.sum()
    mean = share @ values
    return float(mean), float(np.sqrt(share**2 @ (values - mean) ** 2))


def error_losses(fitted, rows):
    """(n,) 1 where the class predicted is wrong.

    With classes that count alike a proper loss would reward probabilities that are even, whatever the columns say: of
    labels without distribution too. Balanced accuracy rewards only what tells classes apart.
    """
    return (fitted.predict(rows.X) != rows.y).astype(float)


def row_losses(fitted, rows, classes):
    """(n,) loss at each row: squared error; for classes half the Brier score, 0 or 1 without probabilities."""
    if classes is None:
        return (rows.y - fitted.predict(rows.X)) ** 2
    if not hasattr(fitted, "predict_proba"):
        return error_losses(fitted, rows)
    probability = np.zeros((len(rows.y), len(classes)))
    probability[:, np.searchsorted(classes, fitted.classes_)] = fitted.predict_proba(rows.X)
    return 0.5 * ((probability - (rows.y[:, None] == classes)) ** 2).sum(axis=1)
