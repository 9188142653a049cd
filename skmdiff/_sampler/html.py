"""What a fitted sampler has learnt, as a table below scikit-learn's diagram of the estimator in notebooks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from html import escape
from typing import Any

from .._table.columns import CategoricalColumn, Column, ConstantColumn, EmptyColumn
from .._table.dates import DateColumn
from .._table.identifiers import IdentifierColumn
from .model import FittedModel

KINDS = {
    CategoricalColumn: "categories",
    DateColumn: "dates and durations",
    IdentifierColumn: "identifiers",
    ConstantColumn: "constant",
    EmptyColumn: "empty",
}
OTHERS = "numbers"
SHOWN = 8  # columns by name
ROW = "<tr><th style='text-align:left'>{}</th><td style='text-align:left'>{}</td></tr>"
TABLE = "<table class='skmdiff-learnt'><caption style='text-align:left'>Learnt</caption><tbody>{}</tbody></table>"


class LearntInHTML:
    """An estimator with a model whose HTML shows what was learnt."""

    def _repr_html_inner(self) -> str:
        return super()._repr_html_inner() + learnt_in_html(self)  # type: ignore[misc]

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        out = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]
        if "text/html" in out:
            out["text/html"] = self._repr_html_inner()
        return out


def learnt_in_html(sampler: Any) -> str:
    """A table of what a sampler has learnt; nothing where it is not fitted."""
    model = getattr(sampler, "_model", None)
    if model is None:
        return ""
    facts = {**of_table(model), **of_fit(sampler, model)}
    return TABLE.format("".join(ROW.format(escape(name), escape(value)) for name, value in facts.items()))


def of_table(model: FittedModel) -> dict[str, str]:
    """Rows and columns by kind, with the number of categories of each column that has them."""
    columns = model.codec.columns_
    kinds = Counter(map(kind_of, columns))
    out = {
        "rows": f"{len(model.rows)}",
        "columns": f"{len(columns)}: {listed(f'{n} {kind}' for kind, n in kinds.items())}",
    }
    counts = [f"{column.name} {len(column.frequencies)}" for column in columns if column.kind == "categorical"]
    if counts:
        out["categories"] = listed(counts)
    if model.target is not None:
        out["target"] = f"{len(model.target.classes)} classes" if model.target.is_categorical else "numbers"
    return out


def of_fit(sampler: Any, model: FittedModel) -> dict[str, str]:
    """The manifold, the training, the corrector and the seconds of the fit, where they are known."""
    out = {"manifold": "none"}
    if model.manifold is not None:
        learner = type(model.manifold.transformer_).__name__
        out["manifold"] = f"{learner}, {model.manifold.embedding_.shape[1]} components"
    out["training"] = f"{sampler.n_iter_} steps, ended by {sampler.stop_reason_}"
    if model.corrector is not None:
        out["corrector"] = f"gain {model.corrector.gain:.3g} in log-density"
    if hasattr(sampler, "fit_time_"):
        out["fit"] = f"{sampler.fit_time_:.1f} s"
    return out


def kind_of(column: Column) -> str:
    """What the cells of a column are; dates and numbers that are learnt as categories are categories."""
    if column.kind == "categorical":
        return KINDS[CategoricalColumn]
    return KINDS.get(type(column), OTHERS)


def listed(words: Iterable[str]) -> str:
    """Words with commas, the last ones of many as a number."""
    words = list(words)
    more = [f"{len(words) - SHOWN} more"] if len(words) > SHOWN else []
    return ", ".join([*words[:SHOWN], *more])
