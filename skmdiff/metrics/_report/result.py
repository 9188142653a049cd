"""What `report` returns: measures, the words for them, text, frame and page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from .._named import NamedMeasures
from .entries import ColumnMeasure, Measure, PairMeasure, Sizes
from .page import fragment_of, page_of
from .parts import as_text
from .pictures import Picture
from .verdict import Verdict, verdicts

_WIDTH = 100  # of the text, in letters


class MetricsReport(NamedMeasures[Measure]):
    """Measures beside their floor and ceiling, as :func:`report` returns them.

    A mapping from names to measures: ``result["c2st"]``, ``"c2st" in result``, ``result.items()``.

    Parameters
    ----------
    measures : list of Measure
        One for each measure: name, group, value, floor, ceiling, ideal, better, misleads, sees, grade.
    columns : list of ColumnMeasure
        One for each column of the table: name, shape_error, shape_ceiling, skill_synthetic, skill_real.
    notes : list of str
        Which rows were compared, and how many.
    pairs : list of PairMeasure, default=()
        The pairs of columns that differ most: first, second, trend_error, trend_ceiling.
    sizes : Sizes, default=None
        Numbers of rows of the tables, and of those compared; without it there is no verdict.
    pictures : list of Picture, default=()
        What the page shows: title, text, alt, display.
    fitted : dict of str to str, default=None
        What is known of the sampler and its fit.
    names : sequence of 3 str, default=("", "", "")
        Names of the tables in the page.

    Attributes
    ----------
    measures, columns, notes, pairs, sizes, pictures, fitted, names
        As given.
    """

    def __init__(
        self,
        measures: list[Measure],
        columns: list[ColumnMeasure],
        notes: list[str],
        pairs: Sequence[PairMeasure] = (),
        sizes: Sizes | None = None,
        pictures: Sequence[Picture] = (),
        fitted: dict[str, str] | None = None,
        names: Sequence[str] = ("", "", ""),
    ) -> None:
        self.measures, self.columns, self.notes, self.pairs, self.sizes = measures, columns, notes, pairs, sizes
        self.pictures, self.fitted, self.names = pictures, fitted, names

    @property
    def verdict(self) -> list[Verdict]:
        """What the measures say together on closeness, utility and privacy: subject, grade, text."""
        if self.sizes is None:
            return []
        return verdicts(self.measures, self.columns, self.pairs, self.sizes)

    def __str__(self) -> str:
        """The verdict, and aligned plain text, one line a measure."""
        said = [fill(f"{v.subject.capitalize()}: {v.grade}. {v.text}", _WIDTH) + "\n" for v in self.verdict]
        # the longest number in four digits is like -1.234e-05
        header = f"{'measure':<25}{'value':>12}{'floor':>12}{'ceiling':>12}{'ideal':>9}  {'grade':<13}better"
        lines = [
            f"{m.name:<25}{m.value:>12.4g}{m.floor:>12.4g}{m.ceiling:>12.4g}{as_text(m.ideal):>9}  "
            f"{m.grade:<13}{m.better}"
            for m in self.measures
        ]
        return "\n".join([*said, header, *lines, *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The verdict and the table of the measures for a notebook."""
        return fragment_of(self)

    def to_frame(self) -> Any:
        """The measures as a pandas DataFrame, indexed by name.

        Returns
        -------
        DataFrame of shape (n_measures, 9)
            The columns are the other fields of a measure: group, value, floor, ceiling, ideal, better, misleads, sees,
            grade.

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        """
        try:
            import pandas
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError('to_frame needs pandas; pip install "skmdiff[frames]"') from error
        return pandas.DataFrame(self.measures, columns=Measure._fields).set_index("name")

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write one HTML page that needs no network and no script.

        The verdict is on top. Then come the measures, each with its floor, its ceiling, a word and what it means; the
        columns and pairs that differ most; pictures, where matplotlib is installed; and what was fitted. The colours
        follow the light or dark mode of the reader.

        Parameters
        ----------
        path : str or path-like
            The file to write.
        """
        Path(path).write_text(page_of(self), encoding="utf-8")
