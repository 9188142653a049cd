"""``skmdiff demo``: fit a table, draw new rows, measure them, write rows and a picture.

The table is split into four fifths, to fit, and one fifth held out; `skmdiff.metrics.report` measures as many
synthetic rows as were fitted. Files are written under another name and renamed when they are complete.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import os
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.decomposition import PCA, KernelPCA
from sklearn.manifold import TSNE, Isomap, LocallyLinearEmbedding, SpectralEmbedding
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from .._sampler.estimator import ManifoldDiffusionSampler
from .._sampler.model import fitted_model
from .._table.checks import read_table
from .._table.codec import TableCodec
from .._table.frames import take_rows
from ..datasets import load_german_credit
from ..inspection import ColumnsDisplay, EmbeddingDisplay
from ..metrics import report

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
_EXTRAS = {"pandas": "frames", "matplotlib": "plot"}
# a fifth of them is held out, of which the report needs 20
_MIN_ROWS = 100
# with more rows the report takes longer than the fit
_MAX_REPORT_ROWS = 1000
_N_WIDE = 7

# ---- the table ------------------------------------------------------------------------------------------------


def check_extras() -> None:
    """Raise unless pandas and matplotlib are installed: the command reads, writes and draws by them."""
    for package, extra in _EXTRAS.items():
        if importlib.util.find_spec(package) is None:
            raise ModuleNotFoundError(f'{package} is needed and not installed; pip install "skmdiff[{extra}]"')


def load_table(path: Path | None = None) -> Any:
    """The DataFrame of a CSV file, by default the embedded one; refused here if it cannot be learnt."""
    if path is None:
        return load_german_credit(as_frame=True).frame
    table = read_csv(path)
    if len(table) < _MIN_ROWS or table.shape[1] < 2:
        raise ValueError(f"{path} must hold at least {_MIN_ROWS} rows of 2 columns, got the shape {table.shape}")
    TableCodec().fit(read_table(table))
    return table


def read_csv(path: Path) -> Any:
    """Read a CSV file with a header line, plain or gzipped, of cells parted by commas, semicolons, tabs or bars.

    A column holds numbers or dates if all of its cells that are not missing read so, else strings.
    """
    import pandas as pd

    options = {"sep": _separator(path), "dtype": str, "index_col": False, "skipinitialspace": True}
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            table = pd.read_csv(path, **options)
        except pd.errors.ParserWarning as error:
            raise ValueError(f"{path}: rows must not have more cells than the header line") from error
    return pd.DataFrame({name: _typed(table[name]) for name in table})


def _separator(path: Path) -> str:
    """The separator that the header line has most of, the comma where it has none."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        header = file.readline()
    return max(",;\t|", key=header.count)


def _typed(column: Any) -> Any:
    """A column of strings as numbers or dates, if all of its cells are such."""
    cells = column.dropna().str.strip()
    if cells.empty:
        return column.astype(float)
    for read in (_numbers, _dates):
        found = read(cells)
        if found is not None:
            return found.reindex(column.index)
    return column


def _numbers(cells: Any) -> Any:
    """Cells as numbers, or None: codes such as "007", or more digits than a number holds, stay strings."""
    import pandas as pd

    if cells.str.match(r"[+-]?0\d").any():
        return None
    numbers = pd.to_numeric(cells, errors="coerce")
    if not cells.str.fullmatch(r"[+-]?\d+").all():
        return None if numbers.isna().any() else numbers.astype(float)
    # a nullable dtype: integers stay integers beside missing cells
    return numbers.astype("Int64") if numbers.dtype == np.int64 else None


def _dates(cells: Any) -> Any:
    """Cells as dates, or None: 2024-01-31, or with a time behind it."""
    import pandas as pd

    if not cells.str.match(r"\d{4}-\d\d-\d\d").all():
        return None
    try:
        return pd.to_datetime(cells, format="ISO8601")
    except ValueError:
        return None


# ---- the two halves of the command ----------------------------------------------------------------------------


class Fitted(NamedTuple):
    """The first part of the demo: a sampler fitted to four fifths of a table, and what follows."""

    sampler: ManifoldDiffusionSampler
    train: Any
    holdout: Any
    manifold: str
    rng: np.random.RandomState
    begin: float


def fit_demo(table: Any, manifold: str, max_time: float | None, random_state: int) -> Fitted:
    """Fit four fifths of a table; the parameters are the options of the command."""
    begin = time.perf_counter()
    rng = check_random_state(random_state)
    train, holdout = train_test_split(table, test_size=0.2, random_state=rng.randint(2**31))
    sampler = _fit(train, holdout, manifold, max_time, rng.randint(2**31))
    return Fitted(sampler, train, holdout, manifold, rng, begin)


def show_demo(fitted: Fitted, *, n_samples: int | None, out_dir: Path) -> None:
    """Draw rows and print their measures; the parameters are the options of the command."""
    sampler, train, holdout, manifold, rng, begin = fitted
    n_samples = len(train) if n_samples is None else n_samples
    _say(f"fitted in {time.perf_counter() - begin:.1f} s; drawing {n_samples} rows")
    # the first k of n rows are the k rows: one draw serves the file, the measures and the picture
    synthetic = sampler.sample(max(n_samples, len(train)))
    _say(f"drawn after {time.perf_counter() - begin:.1f} s; measuring")
    comparable = take_rows(synthetic, slice(0, len(train)))
    seed = rng.randint(2**31)
    print(report(train, comparable, holdout, max_rows=_MAX_REPORT_ROWS, random_state=seed))
    rows_path, picture_path = out_dir / "demo_rows.csv", out_dir / "demo.png"
    with replacing(rows_path) as path:
        take_rows(synthetic, slice(0, n_samples)).to_csv(path, index=False)
    with replacing(picture_path) as path:
        embedding = _embedding(sampler, manifold, train, comparable)
        save_picture(path, embedding, ColumnsDisplay.from_tables(train, comparable))
    print(f"\nrows     {rows_path}\npicture  {picture_path}\nseconds  {time.perf_counter() - begin:.1f}")


def _fit(train: Any, holdout: Any, manifold: str, max_time: float | None, seed: int) -> ManifoldDiffusionSampler:
    size = f"{train.shape[0]} rows of {train.shape[1]} columns"
    _say(f"fitting {size}, {len(holdout)} more held out; manifold: {manifold}")
    sampler = ManifoldDiffusionSampler(MANIFOLDS[manifold](), max_time=max_time, verbose=1, random_state=seed)
    # stdout is for the report alone
    with contextlib.redirect_stdout(sys.stderr):
        return sampler.fit(train)


def _umap() -> Any:
    from umap import UMAP

    return UMAP()


def _say(message: str) -> None:
    print(f"skmdiff demo: {message}", file=sys.stderr, flush=True)


# ---- the files ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; the file replaces `path` if nothing fails meanwhile."""
    beside = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def save_picture(path: Path, embedding: EmbeddingDisplay, columns: ColumnsDisplay) -> None:
    """Write one PNG file: the embeddings on top, one panel of bars per column below."""
    # a Figure that pyplot does not know: nothing of the caller's plotting state is touched
    from matplotlib.figure import Figure

    n_high = -(-len(columns.names) // _N_WIDE)
    figure = Figure(figsize=(11, 4 + 1.2 * n_high), layout="constrained")
    halves: Any = figure.subfigures(2, 1, height_ratios=[4, 1.2 * n_high])
    top, below = halves
    embedding.plot(top.subplots(1, 2))
    columns.plot(below.subplots(n_high, _N_WIDE, squeeze=False))
    figure.savefig(path, dpi=120)


def _embedding(sampler: ManifoldDiffusionSampler, manifold: str, real: Any, synthetic: Any) -> EmbeddingDisplay:
    """The display of the sampler's embedding; without a manifold, of two principal components."""
    if manifold != "passthrough":
        return EmbeddingDisplay.from_estimator(sampler, real, synthetic, random_state=0)
    # a missing cell stands at the mean of its column
    codec = fitted_model(sampler).codec
    codes = [np.nan_to_num(codec.encode(codec.read(rows))) for rows in (real, synthetic)]
    pca = PCA(n_components=min(2, *codes[0].shape), random_state=0).fit(codes[0])
    return EmbeddingDisplay(*map(pca.transform, codes))
