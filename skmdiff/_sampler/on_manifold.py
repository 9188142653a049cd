"""The methods of the sampler that show its manifold: coordinates of rows, rows at coordinates, parts of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.neighbors import KernelDensity

from .._numerics.checks import check_coordinates, check_option, check_rows
from .._numerics.streams import Seed
from .._starts.distributions import DENSITIES
from . import exploration
from .base import TableModelEstimator
from .model import decode, encode, model_on_manifold


class EstimatorOnManifold(TableModelEstimator):
    """An estimator whose model has a manifold, or may have one."""

    def embed(self, X: Any) -> np.ndarray:
        """Coordinates of rows on the manifold.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            By the `transform` of the learner where it treats each row alone, else by neighbours, missing cells filled.
        """
        model = model_on_manifold(self, "embed")
        return model.manifold.embed(encode(model, self._read(model, X)))

    def lift(self, Z: ArrayLike) -> Any:
        """Rows of the table at coordinates on the manifold, by local regression.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)
        """
        model = model_on_manifold(self, "lift")
        Z = check_coordinates(Z, model.manifold.embedding_.shape[1])
        return decode(model, model.manifold.lift(Z))

    def explore(self, n_samples: int = 10, *, region: Any = None, path: Any = None, random_state: Seed = None) -> Any:
        """Rows that show a part of the manifold: evenly spread over a region of it, or along a path on it.

        They start at a noise level of at most 0.1: they follow the manifold, not the distribution of the table.

        Parameters
        ----------
        n_samples : int, default=10
        region : callable or pair of array-like of shape (n_components,), default=None
            A part of the embedding: two opposite corners of a box, as in `embedding_`, or a function from
            coordinates (n, n_components) to one bool a row. None is all of it.
        path : array-like or DataFrame of shape (n_stops, n_features), default=None
            Two rows or more to pass by: samples at even steps of the shortest way over the graph of neighbours.
        random_state : int, RandomState or None, default=None
            As in `sample`. Along a path all rows have the same noise.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)

        Raises
        ------
        ValueError
            Without a manifold; for `region` and `path` both; for a region without training rows or a path of one row.
        """
        model = model_on_manifold(self, "explore")
        check_rows(n_samples, "n_samples", self.n_features_in_)
        if region is not None and path is not None:
            raise ValueError("region and path must not be given both.")
        run = exploration.close_to_manifold(self._run(model, random_state))
        if path is None:
            return exploration.explore_region(model, region, n_samples, run)
        return exploration.explore_path(model, self._read(model, path), n_samples, run)

    def embedding_density(self, density: str = "data") -> KernelDensity:
        """Distribution of the starts over the embedding.

        Parameters
        ----------
        density : {"data", "balanced", "uniform"}, default="data"
            As in `sample`.

        Returns
        -------
        distribution : sklearn.neighbors.KernelDensity
            Fitted on `embedding_`: ``score_samples(sampler.embed(X))`` is the log-density of rows on the manifold,
            ``sample(n)`` draws points that `lift` takes to rows.
        """
        model = model_on_manifold(self, "embedding_density")
        check_option(density, "density", DENSITIES)
        return exploration.embedding_density(model, density)
