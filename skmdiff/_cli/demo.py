"""``skmdiff demo``: fit a table, draw new rows, measure them, write rows and a picture.

The table is split into four fifths, to fit, and one fifth held out; `skmdiff.metrics.report` measures as many
synthetic rows as were fitted. Files are written under another name and renamed when they are complete.
"""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from .._manifold.words import PASSTHROUGH
from .._numerics.whole_files import replacing
from .._sampler.estimator import ManifoldDiffusionSampler
from .._sampler.model import fitted_model
from .._table.checks import read_table
from .._table.codec import TableCodec
from .._table.frames import take_rows
from ..datasets import load_german_credit
from ..inspection import ColumnsDisplay, EmbeddingDisplay
from ..metrics import report
from .arguments import DEFAULT
from .console import Console, about
from .dialect import DROPPED, Dialect
from .learnable import check_learnable
from .reading import TableFile, dialect_of, read_table_file
from .recognise import ReadOptions
from .writing import write_table_file

_EXTRAS = {"pandas": "frames", "matplotlib": "plot"}
# a fifth of them is held out, of which the report needs 20
_MIN_ROWS = 100
# with more rows the report takes longer than the fit
_MAX_REPORT_ROWS = 1000
_N_WIDE = 4  # panels of `ColumnsDisplay` beside each other

# ---- the table ------------------------------------------------------------------------------------------------


def check_extras() -> None:
    """Raise unless pandas and matplotlib are installed: the command reads, writes and draws by them."""
    for package, extra in _EXTRAS.items():
        if importlib.util.find_spec(package) is None:
            raise ModuleNotFoundError(f'{package} is needed and not installed; pip install "skmdiff[{extra}]"')


def run(args: argparse.Namespace, console: Console) -> None:
    """Fit, draw, measure and write."""
    check_extras()
    options = ReadOptions(missing=args.na, decimal=args.decimal, day_first=args.day_first)
    table = load_table(args.csv, options, args.drop)
    args.out_dir.mkdir(parents=True, exist_ok=True)
    with console.warnings():
        fitted = fit_demo(table, args.manifold, args.max_time, args.random_state, console)
        show_demo(fitted, n_samples=args.n_samples, out_dir=args.out_dir, console=console)


def load_table(path: Path | None = None, options: ReadOptions | None = None, drop: Collection[str] = ()) -> TableFile:
    """The table of a file, by default the embedded one, without some columns; refused here if it cannot be learnt."""
    if path is None:
        frame = load_german_credit(as_frame=True).frame
        return without_columns(TableFile(Path("german_credit.csv"), frame, dialect_of(frame)), drop)
    table = without_columns(read_table_file(path, options), drop)
    if len(table.frame) < _MIN_ROWS or table.frame.shape[1] < 2:
        raise ValueError(f"{path}: must hold at least {_MIN_ROWS} rows of 2 columns, got the shape {table.frame.shape}")
    check_learnable(table, may_be_new=False)
    with about(path):
        TableCodec().fit(read_table(table.frame))
    return table


def without_columns(table: TableFile, names: Collection[str]) -> TableFile:
    """A table without some columns."""
    table.check_names(names, "--drop")
    return replace(
        table, frame=table.frame.drop(columns=list(names)), dialect=table.dialect.with_roles(DROPPED, list(names))
    )


# ---- the two halves of the command ----------------------------------------------------------------------------


class Fitted(NamedTuple):
    """The first part of the demo: a sampler fitted to four fifths of a table, and what follows."""

    sampler: ManifoldDiffusionSampler
    train: Any
    holdout: Any
    dialect: Dialect
    manifold: str
    rng: np.random.RandomState


def fit_demo(table: TableFile, manifold: str, max_time: float | None, random_state: int, console: Console) -> Fitted:
    """Fit four fifths of a table; the parameters are the options of the command."""
    rng = check_random_state(random_state)
    train, holdout = train_test_split(table.frame, test_size=0.2, random_state=rng.randint(2**31))
    size = f"{train.shape[0]} rows of {train.shape[1]} columns"
    console.say(f"fitting {size}, {len(holdout)} more held out; manifold: {manifold}")
    sampler = ManifoldDiffusionSampler(
        None if manifold == DEFAULT else manifold,
        max_time=max_time,
        verbose=console.verbose,
        random_state=rng.randint(2**31),
    )
    with about(table.path):
        sampler.fit(train)
    return Fitted(sampler, train, holdout, table.dialect, manifold, rng)


def show_demo(fitted: Fitted, *, n_samples: int | None, out_dir: Path, console: Console) -> None:
    """Draw rows and print their measures; the parameters are the options of the command."""
    sampler, train, holdout, dialect, manifold, rng = fitted
    n_samples = len(train) if n_samples is None else n_samples
    console.say(f"fitted in {console.seconds:.1f} s; drawing {n_samples} rows")
    # the first k of n rows are the k rows: one draw serves the file, the measures and the picture
    synthetic = sampler.sample(max(n_samples, len(train)))
    console.say(f"drawn after {console.seconds:.1f} s; measuring")
    comparable = take_rows(synthetic, slice(0, len(train)))
    seed = rng.randint(2**31)
    print(report(train, comparable, holdout, max_rows=_MAX_REPORT_ROWS, random_state=seed))
    rows_path, picture_path = out_dir / "demo_rows.csv", out_dir / "demo.png"
    write_table_file(take_rows(synthetic, slice(0, n_samples)), dialect, rows_path)
    with replacing(picture_path) as path:
        embedding = _embedding(sampler, manifold, train, comparable)
        save_picture(path, embedding, ColumnsDisplay.from_tables(train, comparable))
    print(f"\nrows     {rows_path}\npicture  {picture_path}\nseconds  {console.seconds:.1f}")


# ---- the files ------------------------------------------------------------------------------------------------


def save_picture(path: Path, embedding: EmbeddingDisplay, columns: ColumnsDisplay) -> None:
    """Write one PNG file: the embeddings on top, one panel of bars per column below."""
    # a Figure that pyplot does not know: nothing of the caller's plotting state is touched
    from matplotlib.figure import Figure

    n_high = -(-len(columns.names) // _N_WIDE)
    figure = Figure(figsize=(12, 5 + 2.2 * n_high), layout="constrained")
    halves: Any = figure.subfigures(2, 1, height_ratios=[5, 2.2 * n_high])
    top, below = halves
    embedding.plot(top)
    columns.plot(below)
    figure.savefig(path, dpi=120)


def _embedding(sampler: ManifoldDiffusionSampler, manifold: str, real: Any, synthetic: Any) -> EmbeddingDisplay:
    """The display of the sampler's embedding; without a manifold, of two principal components."""
    if manifold != PASSTHROUGH:
        return EmbeddingDisplay.from_estimator(sampler, real, synthetic, random_state=0)
    # a missing cell stands at the mean of its column
    codec = fitted_model(sampler).codec
    codes = [np.nan_to_num(codec.encode(codec.read(rows))) for rows in (real, synthetic)]
    pca = PCA(n_components=min(2, *codes[0].shape), random_state=0).fit(codes[0])
    return EmbeddingDisplay(*map(pca.transform, codes))
