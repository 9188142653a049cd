"""The codec for tests that have tables, not tables that were read."""

from skmdiff._table.checks import read_table
from skmdiff._table.codec import TableCodec
from skmdiff._table.missing.patterns import MissingPatterns


class Codec(TableCodec):
    """`TableCodec` between whole tables and matrices: reading before it, writing behind it."""

    def fit(self, X, weight=None):
        table = read_table(X)
        self.patterns = MissingPatterns.of(table)
        return super().fit(table, weight)

    def indicators(self, X):
        return self.patterns.indicators(self.read(X))

    def missing_rows(self, indicators):
        return self.patterns.missing_rows(indicators)

    def encode(self, X, ties=None):
        table = self.read(X)
        if hasattr(ties, "random"):
            return self.redraw_ties(super().encode(table), table, ties)
        return super().encode(table, ties)

    def decode(self, W, missing=None):
        return self.write(super().decode(W), missing or {}, len(W))

    def log_volume(self, X, ties=None):
        return super().log_volume(self.read(X), ties)
