"""Parts of the manifold shown as rows, and rows without their measurement noise, by a fitted model."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.neighbors import KernelDensity

from .._diffusion import load_backend
from .._starts.distributions import kernel_density, row_distribution
from .._starts.draw import draw_from, draw_states
from .._starts.explore import path_points, region_points
from .._table.checks import ReadTable
from .model import (
    DecodedCells,
    FittedModel,
    Request,
    Run,
    decode,
    decode_samples,
    encode,
    plan_of,
    rows_in_units,
    seen_cells,
    seen_limits,
)

# close to the manifold a few steps are enough
EXPLORE_LEVEL, EXPLORE_STEPS = 0.1, 4


def close_to_manifold(run: Run) -> Run:
    """The same run with starts at EXPLORE_LEVEL at most, in EXPLORE_STEPS steps."""
    level = min(run.process.sigma_start, EXPLORE_LEVEL)
    return replace(run, process=replace(run.process, sigma_start=level, n_steps=EXPLORE_STEPS))


def explore_region(model: FittedModel, region: Any, n_samples: int, run: Run) -> Any:
    """Rows evenly spread over the volume of a region of the embedding."""
    X = rows_in_units(model)
    points = region_points(region, model.source, model.manifold, X, n_samples, run.seed)
    return decode_samples(model, draw_from(model.denoiser, run.process, points, run.seed, run.n_jobs))


def explore_path(model: FittedModel, stops: ReadTable, n_samples: int, run: Run) -> Any:
    """Rows at even steps of the shortest way through rows of a table, all with the same noise."""
    if len(stops) < 2:
        raise ValueError(f"path must hold at least two rows, got {len(stops)}.")
    points = path_points(model.manifold, model.source.rows, encode(model, stops), n_samples)
    return decode_samples(model, draw_from(model.denoiser, run.process, points, run.seed, run.n_jobs, same_noise=True))


def reverse_states(model: FittedModel, n_samples: int, run: Run) -> tuple[np.ndarray, np.ndarray]:
    """The noise levels of the reverse process, and its states there, in the code of the table.

    Returns
    -------
    levels : array (n_steps + 2,), decreasing, the last one 0
    states : array (n_samples, n_steps + 2, n_outputs)
        The last are the rows that `sample` returns of this seed, before a corrector, contraction or constraints.
    """
    plan = plan_of(model, Request(n_samples), run)
    process = plan.process_of(run.process)
    states = draw_states(model.denoiser, plan, process, n_samples, run.seed, run.n_jobs)
    return np.append(process.grid(), 0.0), states[:, :, : model.n_outputs]


def embedding_density(model: FittedModel, density: str) -> KernelDensity:
    """A kernel density over the embedding of the training rows, by the weights that a distribution gives them."""
    distribution = row_distribution(density, "iid", model.source, model.manifold, partial(rows_in_units, model))
    return kernel_density(model.manifold.embedding_, distribution.weights, 0)


def denoise(model: FittedModel, table: ReadTable) -> Any:
    """Rows of a table without their measurement noise; columns without noise and missing cells stay as they are."""
    backend = load_backend()
    W = backend.remove_noise(model.denoiser, encode(model, table))
    W = W if model.noise.cleaner is None else model.noise.cleaner.clean(W)
    seen, noise = seen_cells(model, table), model.noise.of_columns
    kept = {j: given for j, given in seen.items() if not noise[j]}
    limits = seen_limits(model, table).only(kept)
    missing = {j: ~np.asarray(rows) for j, (rows, _) in seen.items()}
    return decode(model, W, DecodedCells(missing, kept, limits))
