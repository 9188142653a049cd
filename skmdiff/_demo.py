"""``skmdiff demo``: fit a table, draw rows, measure them, write rows and a picture.

The measures compare equal numbers of rows. The reference is the held-out fifth, m rows that the sampler never
saw; the candidates are synthetic rows, training rows (fresh real rows to the reference: the ceiling) and
training rows with every column shuffled on its own (independent columns: the floor). Each candidate is cut
into up to four blocks of m rows, and a measure is the mean over its blocks.
"""

import contextlib
import sys
import time
from typing import NamedTuple

import numpy as np
from sklearn.decomposition import PCA, KernelPCA
from sklearn.manifold import TSNE, Isomap, LocallyLinearEmbedding, SpectralEmbedding
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from ._csv import assemble, has_pandas, read_csv, write_csv
from ._picture import save_picture
from ._sampler.estimator import ManifoldDiffusionSampler
from ._table.checks import read_column
from ._table.codec import TableCodec
from ._table.frames import take_rows
from .datasets import load_german_credit
from .inspection import ColumnsDisplay, EmbeddingDisplay
from .metrics import c2st, copy_share, dcr_share, prdc, shape_error, trend_error

MANIFOLDS = {
    "default": lambda: None,
    "passthrough": lambda: "passthrough",
    "isomap": lambda: Isomap(n_neighbors=10),
    "kernel-pca": lambda: KernelPCA(n_components=2, kernel="rbf"),
    "lle": lambda: LocallyLinearEmbedding(n_neighbors=10),
    "pca": lambda: PCA(n_components=2),
    "spectral": lambda: SpectralEmbedding(),
    "tsne": lambda: TSNE(),
    "umap": lambda: _umap(),
}
_MIN_ROWS = 50
_MAX_BLOCKS = 4
_MAX_BLOCK_ROWS = 2000


def load_table(path=None):
    """Names and table of a CSV file, by default of the embedded one; refused here if it cannot be learnt."""
    if path is None:
        frame = load_german_credit(as_frame=has_pandas())
        return [*frame.feature_names, "credit_risk"], frame.frame
    names, columns, is_categorical = read_csv(path)
    table = assemble(names, columns, is_categorical, as_frame=has_pandas())
    if len(table) < _MIN_ROWS:
        raise ValueError(f"{path} must hold at least {_MIN_ROWS} rows, got {len(table)}")
    TableCodec().fit(table)
    for j in range(table.shape[1]):
        read_column(table, j)  # the sampler takes gaps, the measures do not
    return names, table


class Fitted(NamedTuple):
    """The first part of the demo: a sampler fitted to four fifths of a table, and what follows."""

    sampler: ManifoldDiffusionSampler
    train: object
    holdout: object
    manifold: str
    rng: np.random.RandomState
    begin: float


def fit_demo(table, manifold, max_time, random_state):
    """Fit four fifths of a table; the parameters are the options of the command."""
    begin = time.perf_counter()
    rng = check_random_state(random_state)
    train, holdout = train_test_split(table, test_size=0.2, random_state=rng.randint(2**31))
    sampler = _fit(train, holdout, manifold, max_time, rng.randint(2**31))
    return Fitted(sampler, train, holdout, manifold, rng, begin)


def show_demo(names, fitted, *, n_samples, out_dir):
    """Draw rows and print their measures; the parameters are the options of the command."""
    sampler, train, holdout, manifold, rng, begin = fitted
    n_samples = len(train) if n_samples is None else n_samples
    _say(f"fitted in {time.perf_counter() - begin:.1f} s; drawing {n_samples} rows")
    # the first k of n rows are the k rows: one draw serves the file, the measures and the picture
    synthetic = sampler.sample(max(n_samples, len(train)))
    _say(f"drawn after {time.perf_counter() - begin:.1f} s; measuring")
    comparable = take_rows(synthetic, slice(0, len(train)))
    print(format_table(measure(train, holdout, comparable, rng.randint(2**31))))
    rows_path, picture_path = out_dir / "demo_rows.csv", out_dir / "demo.png"
    write_csv(rows_path, names, take_rows(synthetic, slice(0, n_samples)))
    embedding = _embedding(sampler, manifold, train, comparable)
    columns = ColumnsDisplay.from_tables(train, comparable)
    columns.names = names
    save_picture(picture_path, embedding, columns)
    print(f"\nrows     {rows_path}\npicture  {picture_path}\nseconds  {time.perf_counter() - begin:.1f}")


def _fit(train, holdout, manifold, max_time, seed):
    size = f"{train.shape[0]} rows of {train.shape[1]} columns"
    _say(f"fitting {size}, {len(holdout)} more held out; manifold: {manifold}")
    sampler = ManifoldDiffusionSampler(MANIFOLDS[manifold](), max_time=max_time, verbose=1, random_state=seed)
    # stdout is for the table alone
    with contextlib.redirect_stdout(sys.stderr):
        return sampler.fit(train)


def measure(train, holdout, synthetic, seed):
    """The measures of the table.

    Returns
    -------
    list of tuple
        Name, what is better, and the values of the synthetic rows, the ceiling and the floor.
    """
    rng = check_random_state(seed)
    n_rows = min(len(holdout), _MAX_BLOCK_ROWS)
    reference = take_rows(holdout, slice(0, n_rows))
    candidates = [synthetic, train, _independent_columns(train, rng)]
    scores = [_block_scores(reference, train, table, n_rows, rng) for table in candidates]
    labels = [
        ("shape error", "lower"),
        ("trend error", "lower"),
        ("c2st", "0.5"),
        ("coverage", "higher"),
        ("precision", "higher"),
    ]
    table = [(*label, *values) for label, values in zip(labels, np.transpose(scores).tolist(), strict=True)]
    copies = [copy_share(train, rows) for rows in (synthetic, holdout, candidates[2])]
    # fresh rows are as near to one part of the real rows as to another: 0.5 by symmetry
    nearer = [dcr_share(train, holdout, synthetic, random_state=rng), 0.5]
    nearer.append(dcr_share(train, holdout, candidates[2], random_state=rng))
    table.append(("copies of training rows", "ceiling's", *copies))
    table.append(("nearer to training rows", "0.5", *nearer))
    return table


def _block_scores(reference, train, rows, n_rows, rng):
    """Mean over the blocks of the five measures against the reference."""
    n_blocks = min(_MAX_BLOCKS, max(1, len(rows) // n_rows))
    scores = []
    for k in range(n_blocks):
        block = take_rows(rows, slice(k * n_rows, (k + 1) * n_rows))
        two_sample = c2st(reference, block, random_state=rng)
        near = prdc(reference, block, reference=train)
        nearness = near.coverage, near.precision
        scores.append([shape_error(reference, block), trend_error(reference, block), two_sample, *nearness])
    return np.mean(scores, axis=0)


def format_table(measures):
    """The measures as aligned text, with what the three columns mean."""
    lines = [f"{'measure':<26}{'better':<12}{'synthetic':>10}{'ceiling':>10}{'floor':>10}"]
    lines += [f"{name:<26}{better:<12}{a:>10.3f}{b:>10.3f}{c:>10.3f}" for name, better, a, b, c in measures]
    lines.append("ceiling: fresh real rows; floor: real columns shuffled independently of each other")
    return "\n".join(lines)


def _independent_columns(table, rng):
    """An array of the same columns, each in a random order of its own."""
    shuffled = np.empty(table.shape, dtype=object)
    for j in range(table.shape[1]):
        shuffled[:, j] = rng.permutation(read_column(table, j))
    return shuffled


def _embedding(sampler, manifold, real, synthetic):
    """The display of the sampler's own embedding; without a manifold, of two principal components."""
    if manifold != "passthrough":
        return EmbeddingDisplay.from_estimator(sampler, real, synthetic, random_state=0)
    codes = [sampler.codec_.encode(rows) for rows in (real, synthetic)]
    pca = PCA(n_components=min(2, *codes[0].shape), random_state=0).fit(codes[0])
    return EmbeddingDisplay(*map(pca.transform, codes))


def _umap():
    from umap import UMAP

    return UMAP()


def _say(message):
    print(f"skmdiff demo: {message}", file=sys.stderr, flush=True)
