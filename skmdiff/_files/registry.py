"""The classes of this package whose objects a model file may hold, by the names that they have there."""

from __future__ import annotations

from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA

from .._corrector.corrector import Corrector
from .._corrector.features import Features
from .._corrector.margins import Margin
from .._diffusion import DenoiserState, NetworkShape, Prior
from .._manifold.charts import Charts
from .._manifold.dimension import IntrinsicDimension
from .._manifold.learner import ManifoldModel
from .._manifold.lift import Lift
from .._manifold.noise import Cleaner, MeasurementNoise
from .._manifold.units import Units
from .._mixture.mixture import Mixture
from .._starts.from_mixture import MixtureStarts
from .._starts.on_demand import Neighborhoods
from .._starts.source import Source
from .._table.cells import ArrayWriter, ObjectCells, Writer
from .._table.codec import TableCodec
from .._table.columns import Block, CategoricalColumn, ConstantColumn, EmptyColumn
from .._table.constraints.combinations import Combinations, SeenValues
from .._table.constraints.constraints import Constraints
from .._table.constraints.dependences import Dependences, WrittenDependence
from .._table.constraints.formulas import Formula
from .._table.constraints.groups import Axis, Bound, Group, Multiple, Pair
from .._table.constraints.sums import Floats, Integers, Part, Sum
from .._table.constraints.written import Constraint
from .._table.dates import DateColumn
from .._table.frames import Template
from .._table.grids import ClockGrid, DecimalGrid, FloatGrid, IntegerGrid
from .._table.identifiers import IdentifierColumn
from .._table.missing.hot_deck import HotDeck
from .._table.missing.indicators import Choice, MissingnessModel, Settings
from .._table.missing.patterns import MissingPatterns
from .._table.numeric import QuantileColumn, StandardColumn
from .._table.target import Target
from .values import Kind, kind_of


class NotKept(BaseEstimator):
    """What stands for a parameter that a model file does not hold: all but fitting again works without it.

    Parameters
    ----------
    description : str
        What the parameter was.
    """

    def __init__(self, description: str = "") -> None:
        self.description = description

    def fit(self, X: object, y: object = None) -> None:
        """Say what is missing."""
        raise ValueError(f"{self.description} is not in the model file: set the parameter again before fit.")


COLUMN = "name n dtype content"
NUMBER = f"{COLUMN} decimals least most std"
CATEGORIES = "category_fractions category_values value_codes width"
MANIFOLD = "transformer n_neighbors max_landmarks random_state transformer_ table_ embedding_ landmarks_ shape_ lift_"
OF_PCA = "n_components copy whiten svd_solver tol iterated_power n_oversamples power_iteration_normalizer random_state"
FITTED_PCA = (
    "components_ n_components_ explained_variance_ explained_variance_ratio_ singular_values_ mean_ n_samples_ "
    "noise_variance_ n_features_in_ _fit_svd_solver"
)

CLASSES = [
    *map(kind_of, (ArrayWriter, Axis, Block, Bound, Charts, Choice, Cleaner, Constraint, Corrector, DenoiserState)),
    *map(kind_of, (Features, Formula, Group, IntrinsicDimension, Lift, Margin, MeasurementNoise, MissingPatterns)),
    *map(kind_of, (Mixture, MixtureStarts, Multiple, NetworkShape, ObjectCells, Pair, Part, Prior, Settings, Source)),
    *map(kind_of, (Template, Units, WrittenDependence)),
    kind_of(Writer, methods="wall"),
    kind_of(CategoricalColumn, "name n categories index_of frequencies codes width"),
    kind_of(ClockGrid, "on_clock step per_tick"),
    kind_of(Combinations, "label inputs outputs is_function seen table counts"),
    kind_of(ConstantColumn, f"{COLUMN} zoned value"),
    kind_of(Constraints, "written found groups dependences"),
    kind_of(
        DateColumn,
        f"{COLUMN} wall origin last step inner kind width codes frequencies cell has_ties",
        "clock_origin clock_step",
        methods="on_clock",
    ),
    kind_of(DecimalGrid, "step scale dtype"),
    kind_of(Dependences, "columns written ordered held"),
    kind_of(EmptyColumn, "name"),
    kind_of(FloatGrid, "dtype"),
    kind_of(Floats, "left parts terms factors constant"),
    kind_of(HotDeck, "rows blocks seed weight tie_breaker filled found examples"),
    kind_of(IdentifierColumn, "name n dtype first last"),
    kind_of(IntegerGrid, "origin step"),
    kind_of(Integers, "left parts scale factors constant steps"),
    kind_of(
        ManifoldModel, f"{MANIFOLD} seen_ floor_ landmark_embedding_ row_wise_ center_ scale_ intrinsic_dimension_"
    ),
    kind_of(MissingnessModel, "blocks choice terms trees"),
    kind_of(Neighborhoods, "Z labels n_neighbors"),
    kind_of(NotKept, "description"),
    kind_of(PCA, "n_components", f"{OF_PCA} {FITTED_PCA}"),
    kind_of(QuantileColumn, f"{NUMBER} values counts masses frequent widths edges total", CATEGORIES),
    kind_of(SeenValues, "is_category values", "number_of"),
    kind_of(StandardColumn, f"{NUMBER} within_range origin mean"),
    kind_of(Sum, "label inputs output outputs parts order floats integers"),
    kind_of(
        TableCodec,
        "categorical_features numeric max_onehot frequent_values within_range "
        "blocks_ n_outputs_ columns_ writers_ template_",
    ),
    kind_of(Target, "dtype classes codec"),
]
REGISTRY: dict[str, Kind] = {kind.cls.__name__: kind for kind in CLASSES}
