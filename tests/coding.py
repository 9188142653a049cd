"""The codec and the constraints for tests that have tables, not tables that were read."""

from skmdiff._sampler.fitting import fit_constraints
from skmdiff._table.checks import read_table
from skmdiff._table.codec import TableCodec
from skmdiff._table.constraints.limits import Limits
from skmdiff._table.missing.patterns import MissingPatterns


class Codec(TableCodec):
    """`TableCodec` between whole tables and matrices: reading before it, constraints and writing behind it."""

    def __init__(
        self,
        categorical_features="from_dtype",
        numeric="quantile",
        max_onehot=50,
        constraints=None,
        frequent_values=True,
    ):
        super().__init__(categorical_features, numeric, max_onehot, frequent_values)
        self.stated = constraints

    def fit(self, X, weight=None):
        table = read_table(X)
        super().fit(table, weight)
        self.patterns = MissingPatterns.of(table)
        self.constraints = fit_constraints(self.stated, self, table)
        return self

    def indicators(self, X):
        return self.patterns.indicators(self.read(X))

    def missing_rows(self, indicators):
        return self.patterns.missing_rows(indicators)

    def encode(self, X, ties=None):
        table = self.read(X)
        if hasattr(ties, "random"):
            return self.redraw_ties(super().encode(table), table, ties)
        return super().encode(table, ties)

    def decode(self, W, missing=None, limits=None):
        return self.held(W, missing, limits)[0]

    def held(self, W, missing=None, limits=None):
        """The table of W, and which rows were moved to hold the constraints."""
        columns, moved = self.constraints.hold(super().decode(W), limits or Limits(), len(W))
        return self.write(columns, missing or {}, len(W)), moved

    def log_volume(self, X, ties=None):
        return super().log_volume(self.read(X), ties)
