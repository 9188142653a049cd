"""`skmdiff.load`."""

from __future__ import annotations

import os

from .estimator import ManifoldDiffusionSampler
from .files import read_sampler


def load(path: str | os.PathLike) -> ManifoldDiffusionSampler:
    """Read a fitted sampler from a model file.

    No code of the file is run: it may come from someone who is not trusted. What it makes of rows is another matter.

    Parameters
    ----------
    path : str or path-like
        A file that `ManifoldDiffusionSampler.save` wrote.

    Returns
    -------
    sampler : ManifoldDiffusionSampler

    Raises
    ------
    ModelFileError
        If the file is damaged, cut off, was changed, is no model file, or one of a later version; the message names it
        and says why.

    Examples
    --------
    >>> import os, tempfile
    >>> import skmdiff
    >>> from sklearn.datasets import load_iris
    >>> sampler = skmdiff.ManifoldDiffusionSampler(max_iter=20, random_state=0).fit(load_iris().data)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sampler.save(os.path.join(folder, "iris.skmdiff"))
    ...     skmdiff.load(os.path.join(folder, "iris.skmdiff")).sample(3).shape
    (3, 4)
    """
    return read_sampler(path, ManifoldDiffusionSampler)[0]
