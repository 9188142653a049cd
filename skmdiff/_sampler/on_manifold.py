"""What a fitted sampler says of its manifold: a part of `ManifoldDiffusionSampler`, in a file of its own."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from .._diffusion import load_backend
from .._numerics.checks import check_coordinates, check_option, random_stream
from .._numerics.streams import draw_seed
from .._starts.distributions import DENSITIES, kernel_density, row_distribution
from .._starts.draw import draw_from
from .._starts.explore import path_points, region_points
from .._table.missing.hot_deck import HotDeck, with_unknown_target

EXPLORE_LEVEL, EXPLORE_STEPS = 0.1, 4
LEAST_RATIO = 2.0  # of the level that rows start from to the last one


class OnManifold:
    """Methods of a sampler between the table and its manifold."""

    def embed(self, X):
        """Coordinates of rows on the manifold.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            By the learner's own `transform` where it treats each row alone, else by neighbours. Missing cells are
            taken from the training row that is most like theirs.
        """
        self._check_manifold("embed")
        return self.manifold_model_.embed(self._encode_whole(X))

    def lift(self, Z):
        """Rows of the table at coordinates on the manifold, by local regression.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)
        """
        self._check_manifold("lift")
        Z = check_coordinates(Z, self.embedding_.shape[1])
        return self.codec_.decode(self.manifold_model_.lift(Z))

    def denoise(self, X):
        """Rows without their measurement noise: E[clean row | row seen with as much noise again], as estimated.

        By the denoiser at the level of the noise, the finest that is learnt: where columns say little of each other the
        rows come out nearer to the mean than E[clean row | row seen] is. On a manifold whose surface holds clean rows
        whole, the result is put on it (see `noise_level`). Columns without noise stay as they are, and so do gaps.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows with the noise that `fit` was told of.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)

        Raises
        ------
        ValueError
            If the sampler was fitted without noise.
        """
        check_is_fitted(self, "denoiser_")
        if not self.noise_level_.any():
            raise ValueError(f"denoise needs a noise_level above 0, got noise_level={self.noise_level!r}.")
        backend = load_backend()
        X = self._validate(X, reset=False)
        W = backend.remove_noise(self.denoiser_, self._encode_whole(X))
        W = W if self.cleaner_ is None else self.cleaner_.clean(W)
        seen = self.codec_.cells_of(X)
        kept = {j: given for j, given in seen.items() if not self.noise_level_[j]}
        limits = {j: limit for j, limit in self.codec_.limits_of(X).items() if j in kept}
        return self.codec_.decode(W, {j: ~rows for j, (rows, _) in seen.items()}, kept, limits)

    def explore(self, n_samples=10, *, region=None, path=None, random_state=None):
        """Rows that show a part of the manifold: evenly spread over a region of it, or along a path on it.

        They start close to the manifold, at a noise level of at most 0.1, and take four steps of the solver instead
        of `n_steps`: they follow the manifold, not the distribution of the table.

        Parameters
        ----------
        n_samples : int, default=10
        region : callable or pair of array-like of shape (n_components,), default=None
            The part of the embedding: two opposite corners of a box, as in `embedding_`, or a function from
            coordinates (n, n_components) to one bool a row. None is all of it.
        path : array-like or DataFrame of shape (n_stops, n_features), default=None
            Two rows or more to pass by, in order: rows are drawn at even steps of the shortest way over the graph of
            neighbours in the embedding, from the training row nearest to the first to that nearest to the last.
        random_state : int, RandomState or None, default=None
            As in `sample`. Along a path all rows have the same noise.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)

        Raises
        ------
        ValueError
            For a sampler without starts on a manifold; if both `region` and `path` are given, a region holds no
            training row or a path fewer than two.
        """
        self._check_source("explore")
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        if region is not None and path is not None:
            raise ValueError("region and path must not be given both.")
        seed = self._seed_of(random_state)
        level = min(self.sigma_start_, max(EXPLORE_LEVEL, LEAST_RATIO * self.sigma_min))
        process = self._process(sigma_start=level, n_steps=EXPLORE_STEPS)
        model = self.manifold_model_
        if path is None:
            points = region_points(region, self.source_, model, n_samples, seed)
            return self._decode(draw_from(self.denoiser_, process, points, seed, self.n_jobs))[0]
        stops = self._encode_whole(path)
        if len(stops) < 2:
            raise ValueError(f"path must hold at least two rows, got {len(stops)}.")
        points = path_points(model, self.source_.rows, stops, n_samples)
        return self._decode(draw_from(self.denoiser_, process, points, seed, self.n_jobs, same_noise=True))[0]

    def embedding_density(self, density="data"):
        """The distribution over the embedding that rows start from, as an estimator to look at.

        Parameters
        ----------
        density : {"data", "balanced", "uniform"}, default="data"
            As in `sample`.

        Returns
        -------
        distribution : sklearn.neighbors.KernelDensity
            Fitted on `embedding_`, of rows that are not outliers: `distribution.score_samples(sampler.embed(X))` is the
            log-density of rows on the manifold, `distribution.sample(n)` draws points that `lift` takes to rows.
        """
        self._check_source("embedding_density")
        check_option(density, "density", DENSITIES)
        distribution = row_distribution(density, "iid", self.source_, self.manifold_model_)
        return kernel_density(self.manifold_model_.embedding_, distribution.weights, 0)

    def _encode_whole(self, X):
        """The code of rows, their gaps filled from training rows."""
        W = self.codec_.encode(self._validate(X, reset=False))
        if not np.isnan(W).any():
            return W
        deck = self.deck_ or HotDeck(self.rows_[:, : self.codec_.n_outputs_], self.codec_.blocks_, 0)
        return deck.complete(with_unknown_target(W, deck.rows.shape[1]))[:, : W.shape[1]]

    def _seed_of(self, random_state):
        """The seed of a call: by its own random_state, or else by the estimator's."""
        return draw_seed(random_stream(self.random_state if random_state is None else random_state))

    def _check_manifold(self, method):
        check_is_fitted(self, "denoiser_")
        if self.manifold_model_ is None:
            raise ValueError(f"{method} needs a manifold learner, got manifold='passthrough'.")

    def _check_source(self, method):
        self._check_manifold(method)
        if self.source_ is None:
            raise ValueError(f"{method} needs starts on the manifold, got start={self.start!r}.")
