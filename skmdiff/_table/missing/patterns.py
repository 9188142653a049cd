"""Missing indicators: one for every column with missing cells, one in common for columns that are missing together.

Columns that are missing in the same rows of the table share an indicator, so that in samples, too, either all of them
are missing or none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..checks import ReadTable


@dataclass(frozen=True)
class MissingPatterns:
    """The indicators of a table.

    indicator_of : the indicator of every column that is missing in some of its rows, both by number
    n_indicators : how many there are
    """

    indicator_of: dict[int, int]
    n_indicators: int

    @classmethod
    def of(cls, table: ReadTable) -> MissingPatterns:
        """The patterns of a table; a column without any value has no indicator, it is always missing."""
        numbers: dict[bytes, int] = {}
        indicator_of = {
            j: numbers.setdefault(cells.missing.tobytes(), len(numbers))
            for j, cells in enumerate(table.cells)
            if cells.missing.any() and not cells.missing.all()
        }
        return cls(indicator_of, len(numbers))

    def indicators(self, table: ReadTable) -> np.ndarray:
        """Indicators (n_samples, n_indicators) of bool; a row that lacks one of the columns of one lacks them all."""
        return self._gather({j: cells.missing for j, cells in enumerate(table.cells)}, len(table))

    def of_columns(self, rows: dict[int, np.ndarray], n_samples: int) -> np.ndarray:
        """Indicators (n_samples, n_indicators) of columns that are, for their number, true in some `rows`."""
        return self._gather(rows, n_samples)

    def missing_rows(self, indicators: np.ndarray) -> dict[int, np.ndarray]:
        """For the index of a column the rows (n_samples,) of bool in which it is missing."""
        return {j: indicators[:, k] for j, k in self.indicator_of.items()}

    def _gather(self, rows: dict[int, np.ndarray], n_samples: int) -> np.ndarray:
        out = np.zeros((n_samples, self.n_indicators), dtype=bool)
        for j, k in self.indicator_of.items():
            if j in rows:
                out[:, k] |= rows[j]
        return out
