"""New rows of a fitted sampler: a part of `ManifoldDiffusionSampler`, in a file of its own."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from .._conditional.expectation import rows_given_target, target_given_rows
from .._conditional.queries import resolve
from .._numerics.checks import check_option
from .._numerics.streams import MISSING_STREAM, row_uniforms
from .._starts.draw import Process, draw_rows, plan_draw
from .._table.missing.indicators import N_CHAINS


class Sampling:
    """Methods of a sampler that draw rows of the table."""

    def sample(
        self,
        n_samples=1,
        *,
        y=None,
        class_balance=None,
        conditions=None,
        density="data",
        design="iid",
        missing="generate",
        return_y=False,
        return_moved=False,
        random_state=None,
    ):
        """Draw new rows.

        The rows depend on the seed and on their number only: the first k of n rows are the k rows of a smaller
        call (not with design="stratified"), and `n_jobs` changes nothing.

        Parameters
        ----------
        n_samples : int, default=1
        y : scalar or array-like of shape (n_samples,), default=None
            Targets that the rows are to have, as seen in `fit`; one for all or one a row.
        class_balance : None, "balanced" or dict, default=None
            Shares of the classes given to `fit`, in place of `y`: as many rows of each, or by a dict of shares, which
            need not sum to one; classes that it leaves out are not drawn. Each class gets its share of the rows to
            a few rows, whatever their number.
        conditions : dict, list of dict, or DataFrame, default=None
            What the rows are to have in some columns. A dict, by the name or, in an array, the number of a column: a
            value; a pair (low, high), None for an open end, of numbers or dates; a list or set of levels of a category.
            A list of dicts or a frame of some of the columns gives one condition a row; what is missing is free.
            The rows returned have just these cells, the others follow the distribution of the table given them: of the
            table filled in, whose rows that lack such a cell count as well.
        density : {"data", "balanced", "uniform"}, default="data"
            The distribution over the manifold that rows start from. "data" is that of the table; "balanced" gives every
            class the same share, or, fitted without classes, every cluster of the embedding; "uniform" gives
            every piece of the manifold a share by its volume, to explore what the table holds few rows of. Within
            `sigma_start_` the denoiser pulls rows back to the distribution of the table; the classes of "balanced" are
            kept exactly.
        design : {"iid", "stratified", "repelled"}, default="iid"
            "stratified" cuts the embedding into as many cells of equal mass as rows are asked for and draws one
            from each: a batch meets more modes than one of independent rows, while each row by itself has the
            same distribution. Cells are within a class where `y` gives classes. "repelled" starts each row, of eight
            places drawn from the distribution, at the one farthest from the rows before it: it spreads a batch widest,
            and favours what is rare within a class.
        missing : {"generate", "fill"}, default="generate"
            What becomes of gaps, where the table has any. "generate" leaves cells empty at the rates, and with the
            dependence on other columns, of the table. "fill" returns the same rows with every cell filled.
        return_y : bool, default=False
            Whether to return the targets beside the rows.
        return_moved : bool, default=False
            Whether to return, last, which rows were moved to hold `constraints`: their mean is the share touched.
        random_state : int, RandomState or None, default=None
            None takes the estimator's own: with an int there, each call returns the same rows.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)
            In the container, columns and dtypes of the table given to `fit`; the index of a pandas frame is a new one.
        y : ndarray of shape (n_samples,)
            Only if `return_y`.
        moved : ndarray of bool of shape (n_samples,)
            Only if `return_moved`.

        Raises
        ------
        ValueError
            If n_samples < 1, a target was not seen in `fit`, or there was none; if `density` or `design` are asked
            of a sampler without a manifold, a density other than "data" along with `y`, or either with `conditions`;
            if a condition names a column that is not there, or a value, level or range that `fit` has not seen,
            or conditions contradict `constraints`.
        """
        check_is_fitted(self, "denoiser_")
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        check_option(missing, "missing", {"generate", "fill"})
        if (y is not None or class_balance is not None or return_y) and self.target_ is None:
            raise ValueError(
                f"y={y!r}, class_balance={class_balance!r}, return_y={return_y!r} need a target, but the "
                "sampler was fitted with y=None."
            )
        if y is not None and class_balance is not None:
            raise ValueError(f"class_balance must be None where y gives the targets, got {class_balance!r}.")
        seed = self._seed_of(random_state)
        y = y if class_balance is None else self.target_.balanced(class_balance, n_samples, seed)
        wanted = None if y is None else self.target_.encode_wanted(y, n_samples)
        W, resolved = self._draw_codes(n_samples, seed, wanted, conditions, density=density, design=design)
        X, moved = self._decode(
            W, self._draw_indicators(W, seed, resolved) if missing == "generate" else None, resolved
        )
        out = [X]
        if return_y:
            # the codes asked for, not those that went through the denoiser in single precision
            out.append(self.target_.decode(W[:, self.codec_.n_outputs_ :] if wanted is None else wanted))
        if return_moved:
            out.append(moved)
        return tuple(out) if len(out) > 1 else X

    def conditional_mean(self, X=None, y=None, *, n_draws=100, random_state=None):
        """E[y | X], or E[X | y]: the mean, under the model, of what is not given.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features), default=None
            Rows, whose cells may be missing, to read the target of.
        y : scalar or array-like of shape (n_samples,), default=None
            Targets to read the rows of. Just one of X and y is to be given.
        n_draws : int, default=100
            Draws that a mean is taken of; probabilities of classes take none.
        random_state : int, RandomState or None, default=None
            Seed of the draws; None takes the estimator's own.

        Returns
        -------
        mean : ndarray of shape (n_samples, n_classes) or (n_samples,), or a table of n_samples rows
            Given X, the probabilities of the classes, in the order of `classes_`, or the means of a target of numbers.
            Given y, a table as `sample` returns it, with the mean of each column of numbers or dates, whole where
            it holds integers, and the most frequent level of a category; as of one row for a scalar.

        Raises
        ------
        ValueError
            If there was no target in `fit`, not just one of X and y is given, or y holds a class that `fit` has not
            seen.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skmdiff import ManifoldDiffusionSampler
        >>> X, y = load_iris(return_X_y=True)
        >>> sampler = ManifoldDiffusionSampler(max_iter=200, random_state=0).fit(X, y)
        >>> sampler.conditional_mean(X[:5]).shape
        (5, 3)
        >>> sampler.conditional_mean(y=[0, 2]).shape
        (2, 4)
        """
        check_is_fitted(self, "denoiser_")
        check_scalar(n_draws, "n_draws", Integral, min_val=1)
        if self.target_ is None:
            raise ValueError("conditional_mean needs a target, but the sampler was fitted with y=None.")
        if (X is None) == (y is None):
            raise ValueError(f"conditional_mean needs just one of X and y, got {'neither' if X is None else 'both'}.")
        seed = self._seed_of(random_state)
        if y is None:
            return target_given_rows(self, self._validate(X, reset=False), n_draws, seed)
        return rows_given_target(self, np.atleast_1d(y), n_draws, seed)

    def predict_target(self, X, *, n_draws=100, random_state=None):
        """E[y | X]: see `conditional_mean`."""
        return self.conditional_mean(X, n_draws=n_draws, random_state=random_state)

    def _draw_codes(self, n_samples, seed, wanted, conditions=None, **distribution):
        """Encoded rows with the code (n_samples, width) of targets, or None, and what was resolved of conditions."""
        resolved = resolve(self, conditions, wanted, n_samples, seed)
        plan = plan_draw(
            self.source_,
            self.manifold_model_,
            n_samples,
            seed,
            wanted=wanted,
            resolved=resolved,
            values=None if wanted is None else self.target_.values_of(wanted),
            **distribution,
        )
        W = draw_rows(self.denoiser_, plan, self._process(), n_samples, seed, self.n_jobs)
        return W if resolved is None else resolved.put(W), resolved

    def _process(self, **changes):
        values = dict(sigma_start=self.sigma_start_, sigma_min=self.sigma_min, n_steps=self.n_steps, rho=self.rho)
        return Process(**{**values, **changes})

    def _draw_indicators(self, W, seed, resolved=None):
        """What is missing in encoded rows, by numbers of another seed than those that made them; None without gaps."""
        if self.gaps_ is None:
            return None
        n_indicators = self.codec_.n_indicators_
        seen = None if resolved is None else resolved.asked(self.codec_)
        if seen is None or not seen.any():
            return self.gaps_.draw(W, row_uniforms(seed ^ MISSING_STREAM, 0, len(W), n_indicators))
        uniforms = row_uniforms(seed ^ MISSING_STREAM, 0, len(W), N_CHAINS * n_indicators + 1)
        return self.gaps_.draw_given(W, uniforms, seen)

    def _clean(self, W):
        """Encoded rows drawn, the columns of the table alone, moved to the manifold where that is asked for."""
        W = W[:, : self.codec_.n_outputs_]
        return W if self.cleaner_ is None else self.cleaner_.contract(W)

    def _decode(self, W, gaps=None, resolved=None):
        """The table of encoded rows drawn, without the noise of the rows learnt from, and which rows were moved."""
        W, missing = self._clean(W), None if gaps is None else self.codec_.lacking(gaps)
        if resolved is None:
            return self.codec_.decode(W, missing, return_moved=True)
        return self.codec_.decode(resolved.put(W), missing, resolved.cells, resolved.limits, return_moved=True)
