"""New rows of a fitted sampler: a part of `ManifoldDiffusionSampler`, in a file of its own."""

from numbers import Integral

from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from ._checks import check_option
from ._conditions import settle
from ._draw import Process, draw_rows, plan_draw
from ._streams import row_uniforms


class Sampling:
    """Methods of a sampler that draw rows of the table."""

    def sample(self, n_samples=1, *, y=None, conditions=None, density="data", design="iid", missing="generate",
               return_y=False, return_moved=False, random_state=None):
        """Draw new rows.

        The rows depend on the seed and on their number only: the first k of n rows are the k rows of a smaller
        call (not with design="stratified"), and `n_jobs` changes nothing.

        Parameters
        ----------
        n_samples : int, default=1
        y : scalar or array-like of shape (n_samples,), default=None
            Targets that the rows are to have, as seen in `fit`; one for all or one a row.
        conditions : dict, list of dict, or DataFrame, default=None
            What the rows are to have in some columns. A dict, by the name or, in an array, the number of a column: a
            value; a pair (low, high), None for an open end, of numbers or dates; a list or set of levels of a category.
            A list of dicts or a frame of some of the columns gives one condition a row; what is missing is free.
            The rows returned have just these cells, the others follow the law of the table given them.
        density : {"data", "balanced", "uniform"}, default="data"
            The law over the manifold that rows start from. "data" is that of the table; "balanced" gives every
            class the same share, or, fitted without classes, every cluster of the embedding; "uniform" gives
            every piece of the manifold a share by its volume, to explore what the table holds few rows of. Within
            `sigma_start_` the denoiser pulls rows back to the law of the table; the classes of "balanced" are
            kept exactly.
        design : {"iid", "stratified", "repelled"}, default="iid"
            "stratified" cuts the embedding into as many cells of equal mass as rows are asked for and draws one
            from each: a batch meets more modes than one of independent rows, while each row by itself has the
            same law. Cells are within a class where `y` gives classes. "repelled" starts each row, of eight places
            drawn from the law, at the one farthest from the rows before it: it spreads a batch widest, and favours
            what is rare within a class.
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
        if (y is not None or return_y) and self.target_ is None:
            raise ValueError(f"y={y!r}, return_y={return_y!r} need a target, but the sampler was fitted with y=None.")
        wanted = None if y is None else self.target_.encode_wanted(y, n_samples)
        seed = self._seed_of(random_state)
        settled = settle(self, conditions, wanted, n_samples, seed)
        plan = plan_draw(self.source_, self.manifold_model_, n_samples, seed, wanted=wanted, density=density,
                         design=design, settled=settled,
                         values=None if wanted is None else self.target_.values_of(wanted))
        W = draw_rows(self.denoiser_, plan, self._process(), n_samples, seed, self.n_jobs)
        W = W if settled is None else settled.put(W)
        X, moved = self._decode(W, self._draw_gaps(W, seed, settled) if missing == "generate" else None, settled)
        out = [X]
        if return_y:
            # the codes asked for, not those that went through the denoiser in single precision
            out.append(self.target_.decode(W[:, self.codec_.n_outputs_:] if wanted is None else wanted))
        if return_moved:
            out.append(moved)
        return tuple(out) if len(out) > 1 else X

    def _process(self, **changes):
        values = dict(sigma_start=self.sigma_start_, sigma_min=self.sigma_min, n_steps=self.n_steps, rho=self.rho)
        return Process(**{**values, **changes})

    def _draw_gaps(self, W, seed, settled=None):
        """What is missing in encoded rows, by numbers of another seed than those that made them; None without gaps."""
        if self.gaps_ is None:
            return None
        uniforms = row_uniforms(seed ^ 1, 0, len(W), self.codec_.n_gaps_)
        if settled is not None:
            uniforms[settled.asked(self.codec_)] = 1.0  # above every probability of a gap
        return self.gaps_.draw(W, uniforms)

    def _decode(self, W, gaps=None, settled=None):
        """The table of encoded rows drawn, without the noise of the rows learnt from, and which rows were moved."""
        W = W[:, :self.codec_.n_outputs_]
        W = W if self.cleaner_ is None else self.cleaner_.contract(W)
        if settled is None:
            return self.codec_.decode(W, gaps, return_moved=True)
        return self.codec_.decode(settled.put(W), gaps, settled.cells, settled.limits, return_moved=True)
