"""Where the rows of a call of `sample` start: the plan of the call, and the starts of one block of it."""

from dataclasses import dataclass

import numpy as np

from ._checks import check_option
from ._laws import DENSITIES, DESIGNS, RowLaw, row_law, strata
from ._source import Source, draw_starts
from ._streams import row_normals, row_uniforms


@dataclass(frozen=True)
class Plan:
    """How the n rows of a call are drawn.

    source, law : the rows to start from and the law over them; None for noise
    wanted : (n, width) code of the targets asked for, or None; `values` (n,) the same as numbers
    stratum, n_strata : (n,) the stratum of each row among how many; None for independent draws
    own_target : whether a row is to have the class of the row it starts from
    """

    source: Source | None
    law: RowLaw | None
    wanted: np.ndarray | None = None
    values: np.ndarray | None = None
    stratum: np.ndarray | None = None
    n_strata: np.ndarray | None = None
    own_target: bool = False


def plan_draw(source, model, n_samples, seed, *, wanted=None, values=None, density="data", design="iid"):
    """The plan of a call; raises a ValueError where the fitted sampler cannot follow it."""
    check_option(density, "density", DENSITIES)
    check_option(design, "design", DESIGNS)
    if source is None:
        if (density, design) != ("data", "iid"):
            raise ValueError(f"density={density!r}, design={design!r} need starts on a manifold, but the sampler was "
                             "fitted with manifold='passthrough' or start='noise'.")
        return Plan(None, None, wanted, values)
    if density != "data" and wanted is not None:
        raise ValueError(f"density must be 'data' where y says which targets are wanted, got {density!r}.")
    stratum = n_strata = None
    if design == "stratified":
        by_class = values is not None and source.is_class
        stratum, n_strata = strata(values if by_class else np.zeros(n_samples), seed)
    return Plan(source, row_law(density, design, source, model), wanted, values, stratum, n_strata,
                density == "balanced" and source.is_class)


def start_block(plan, seed, start, stop, width, sigma_start):
    """Rows start..stop-1 of a call at the level sigma_start, and the code of their known targets, or None.

    Rows past the end of the call are drawn as well, with what its last row asks for: blocks are always whole.
    """
    n_draws = 0 if plan.source is None else plan.source.n_draws
    uniforms = row_uniforms(seed, start, stop, n_draws + width)
    noise = row_normals(uniforms[:, n_draws:])
    rows = np.arange(start, stop)
    if plan.source is None:
        return np.sqrt(1 + sigma_start**2) * noise, _at(plan.wanted, rows)
    uniforms = uniforms[:, :n_draws]
    chosen = _choose(plan, uniforms[:, 0], rows)
    x = draw_starts(plan.source, uniforms, chosen) + sigma_start * noise
    if plan.own_target:
        return x, plan.source.rows[chosen, -plan.source.target_width:]
    return x, _at(plan.wanted, rows)


def _choose(plan, u, rows):
    """The training row that each row starts from."""
    if plan.stratum is not None:
        u = (_at(plan.stratum, rows) + u) / _at(plan.n_strata, rows)
    if plan.values is None:
        return plan.law.rows_at(u)
    return plan.law.rows_with_target(u, _at(plan.values, rows), plan.source.target, plan.source.is_class)


def _at(values, rows):
    """Entries of the rows of a call; the last one for rows past its end."""
    return None if values is None else values[np.minimum(rows, len(values) - 1)]
