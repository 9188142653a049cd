"""The command: what it reads, prints, writes and refuses."""

import csv
import importlib.util
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import skmdiff
from skmdiff.__main__ import main
from skmdiff._cli import demo as _demo
from skmdiff._cli.console import Console
from skmdiff._cli.reading import dialect_of
from skmdiff._numerics import whole_files
from skmdiff.datasets import load_german_credit
from skmdiff.inspection import ColumnsDisplay, EmbeddingDisplay


def read_rows(path, separator=","):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter=separator))


def report_of(out):
    """Value, floor and ceiling of each measure of the report that was printed."""
    table = out.split("\nmeasure ")[1].split("\nfloor:")[0]
    lines = [line.split() for line in table.splitlines()[1:]]
    return {name: [float(cell) for cell in cells[:3]] for name, *cells in lines}


def run_on(path, tmp_path, *options):
    return main(["demo", "--csv", str(path), "--out-dir", str(tmp_path / "out"), "--max-time", "1", *options])


@pytest.fixture
def displays():
    rng = np.random.RandomState(0)
    table = load_german_credit().frame
    embedding = EmbeddingDisplay(rng.normal(size=(50, 2)), rng.normal(size=(60, 2)))
    return embedding, ColumnsDisplay.from_tables(table[:500], table[500:])


@pytest.mark.slow
def test_a_table_of_ones_own_is_measured_and_written(mixed_csv, tmp_path, capsys):
    assert run_on(mixed_csv, tmp_path, "--n-samples", "200") == 0
    out, err = capsys.readouterr()
    scores = report_of(out)
    assert np.isfinite([scores[name] for name in ("shape_error", "trend_error", "c2st", "coverage", "dcr_share")]).all()
    assert "fitting 96 rows of 5 columns, 24 more held out" in err
    header, *rows = read_rows(tmp_path / "out" / "demo_rows.csv")
    assert header == ["length", "width", "count", "colour", "size"]
    assert len(rows) == 200
    assert {row[2] for row in rows} <= set("01234")
    assert {row[3] for row in rows} <= {"red", "green", "blue"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["demo.png", "demo_rows.csv"]
    assert (tmp_path / "out" / "demo.png").stat().st_size > 1000


@pytest.mark.slow
def test_codes_dates_and_missing_cells_come_back_as_such(tmp_path, capsys):
    rng = np.random.RandomState(0)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.randint(300, size=150), unit="D")
    lines = ["zip;day;n;x"]
    for day in days:
        number, code = rng.randint(9), rng.choice(["00501", "10001", "NA"], p=[0.4, 0.4, 0.2])
        lines.append(f"{code};{day.date()};{'' if rng.rand() < 0.3 else number};{number + rng.rand():.3f}")
    path = tmp_path / "table.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert run_on(path, tmp_path, "--manifold", "passthrough") == 0
    header, *rows = read_rows(tmp_path / "out" / "demo_rows.csv", ";")
    codes, dates, counts, _ = zip(*rows, strict=True)
    assert header == ["zip", "day", "n", "x"]
    assert set(codes) == {"00501", "10001", "NA"}
    assert pd.Series(dates).str.fullmatch(r"2024-\d\d-\d\d").all()
    assert set(counts) <= {"", *"012345678"} and 0.1 < np.mean(np.array(counts) == "") < 0.5


@pytest.mark.parametrize("package, extra", [("pandas", "frames"), ("matplotlib", "plot")])
def test_a_package_that_is_not_installed_is_named_with_its_extra(package, extra, monkeypatch, capsys):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else found(name))
    assert main(["demo"]) == 2
    message = f'{package} is needed and not installed; pip install "skmdiff[{extra}]"'
    assert capsys.readouterr().err == f"skmdiff demo: error: {message}\n"


def test_rows_and_picture_are_not_written_in_place(tmp_path, monkeypatch, displays):
    """Both files are whole at each moment: they come by a rename."""
    replaced = []
    monkeypatch.setattr(whole_files.os, "replace", lambda source, target: replaced.append((source, target)))
    monkeypatch.setattr(_demo, "_embedding", lambda *args: displays[0])
    monkeypatch.setattr(_demo, "report", lambda *args, **options: "report")
    table = load_german_credit(as_frame=True).frame
    rng = np.random.RandomState(0)
    fitted = _demo.Fitted(Repeating(table), table[:200], table[200:], dialect_of(table), "default", rng)
    _demo.show_demo(fitted, n_samples=5, out_dir=tmp_path, console=Console("skmdiff demo"))
    assert [target.name for _, target in replaced] == ["demo_rows.csv", "demo.png"] and not [*tmp_path.iterdir()]


class Repeating:
    """A sampler that returns the first rows of its table."""

    def __init__(self, table):
        self.table = table

    def sample(self, n_samples):
        return self.table[:n_samples]


@pytest.mark.slow
def test_same_seed_same_output(mixed_csv, tmp_path, capsys):
    written = []
    for _ in range(2):
        main(["demo", "--csv", str(mixed_csv), "--out-dir", str(tmp_path), "--random-state", "3"])
        table = capsys.readouterr().out.split("seconds")[0]
        written.append((table, (tmp_path / "demo_rows.csv").read_bytes()))
    assert written[0] == written[1]


@pytest.mark.slow
@pytest.mark.parametrize("manifold", ["pca", "isomap"])
def test_manifold_is_chosen(mixed_csv, tmp_path, capsys, manifold):
    assert run_on(mixed_csv, tmp_path, "--manifold", manifold) == 0
    assert f"manifold: {manifold}" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timing
def test_the_embedded_table_in_time_and_between_floor_and_ceiling(tmp_path, capsys):
    assert main(["demo", "--out-dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    scores = report_of(out)
    synthetic, floor, ceiling = scores["c2st"]
    assert abs(ceiling - 0.5) < 0.08 and floor > 0.62
    assert synthetic < (ceiling + floor) / 2
    assert scores["copy_share"][0] <= 0.01
    assert float(out.split()[-1]) < 120
    assert len(read_rows(tmp_path / "demo_rows.csv")) == 801


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["demo", "--n-samples", "0"], "argument --n-samples: must be positive and finite, got 0"),
        (["demo", "--n-samples", "many"], "argument --n-samples: invalid int value: 'many'"),
        (["demo", "--max-time", "nan"], "argument --max-time: must be positive and finite, got nan"),
        (["demo", "--max-time", "inf"], "argument --max-time: must be positive and finite, got inf"),
        (["demo", "--random-state", "-1"], "argument --random-state: must be from 0 to 2**32 - 1, got -1"),
        (["demo", "--manifold", "sphere"], "argument --manifold: invalid choice: 'sphere'"),
        ([], "the following arguments are required: command"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1


@pytest.mark.parametrize(
    "cells, message",
    [
        (["1,a"] * 60, "at least 100 rows of 2 columns, got the shape (60, 2)"),
        (
            [f"1,id{k}" for k in range(100)],
            "column 'c' is an identifier or free text, 100 different texts in 100 rows: add --drop",
        ),
        (["1,a"] * 100, "has one value only, and one of them must vary"),
        ([f"{k},id{k % 50}" for k in range(100)], "Column 'c' of X must repeat its"),
        (["1,a", "1,a,b", *["2,b"] * 100], "line 3: has 3 cells for 2 columns"),
    ],
)
def test_a_table_that_cannot_be_learnt_is_refused_in_one_line(cells, message, tmp_path, capsys):
    path = tmp_path / "bad.csv"
    path.write_text("\n".join(["x,c", *cells]), encoding="utf-8")
    assert run_on(path, tmp_path) == 2
    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith(f"skmdiff demo: error: {path}") and message in line


@pytest.mark.slow
def test_the_module_runs_as_a_command():
    command = [sys.executable, "-m", "skmdiff", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"skmdiff {skmdiff.__version__}\n"


def test_embedding_display_draws_both_on_the_same_limits(displays):
    pytest.importorskip("matplotlib")
    display = displays[0].plot()
    real, synthetic = display.axes_
    assert real.get_xlim() == synthetic.get_xlim() and real.get_ylim() == synthetic.get_ylim()
    assert_array_equal(real.collections[0].get_offsets(), display.real)
    assert real.figure is display.figure_


def test_embedding_of_one_component_is_a_line():
    display = EmbeddingDisplay([[1.0], [2.0]], [[3.0]])
    assert_array_equal(display.real, [[1, 0], [2, 0]])
    assert_array_equal(display.limits_, [[1, 0], [3, 0]])


def test_embedding_display_asks_the_sampler():
    class Doubling:
        def embed(self, X):
            return 2 * X

    rows = np.arange(20.0).reshape(10, 2)
    display = EmbeddingDisplay.from_estimator(Doubling(), rows, rows[:4], max_rows=5, random_state=0)
    assert len(display.real) == 5 and {tuple(row) for row in display.real} <= {tuple(row) for row in 2 * rows}
    assert_array_equal(display.synthetic, 2 * rows[:4])


def test_columns_display_counts_levels_values_and_bins():
    real = np.array([[0, 0.0, "a"], [1, 1.0, "a"], [1, 2.0, "b"], [1, 4.0, "c"]], dtype=object)
    synthetic = np.array([[0, -9.0, "c"], [2, 4.1, "d"]], dtype=object)
    display = ColumnsDisplay.from_tables(real, synthetic, max_bars=2)
    assert display.labels == [["0", "1"], ["0", "2"], ["a", "other"]]
    assert_allclose(display.real, [[0.25, 0.75], [0.5, 0.5], [0.5, 0.5]])
    assert_allclose(display.synthetic, [[0.5, 0.5], [0.5, 0.5], [0.0, 1.0]])


def test_columns_display_has_a_bar_for_missing_cells():
    real = pd.DataFrame({"n": [1.0, 2.0, np.nan, 1.0], "c": ["a", None, "b", "a"], "none": [np.nan] * 4})
    synthetic = pd.DataFrame({"n": [2.0, 2.0], "c": [None, "c"], "none": [np.nan, 5.0]})
    display = ColumnsDisplay.from_tables(real, synthetic)
    assert display.labels == [["1", "2", "missing"], ["a", "b", "other", "missing"], ["other", "missing"]]
    assert_allclose(np.concatenate(display.real), [0.5, 0.25, 0.25, 0.5, 0.25, 0, 0.25, 0, 1])
    assert_allclose(np.concatenate(display.synthetic), [0, 1, 0, 0, 0, 0.5, 0.5, 0.5, 0.5])


def test_columns_display_compares_columns_of_one_name():
    table = pd.DataFrame({"x": [0, 0, 1, 1], "y": [5, 5, 5, 6]})
    display = ColumnsDisplay.from_tables(table, table[["y", "x"]])
    assert display.names == ["x", "y"]
    assert_array_equal(display.real, display.synthetic)
    with pytest.raises(ValueError, match=r"the columns of real, got \['y', 'z'\] in one of them only"):
        ColumnsDisplay.from_tables(table, table.rename(columns={"y": "z"}))
    with pytest.raises(ValueError, match="as many columns as real, 2, got 1"):
        ColumnsDisplay.from_tables(table, table.to_numpy()[:, :1])


def test_columns_display_labels_dates_as_days_or_hours():
    days = pd.DataFrame({"t": pd.date_range("2024-01-31", periods=3, freq="30D")})
    hours = pd.DataFrame({"t": pd.date_range("2024-01-31", periods=3, freq="2h", tz="UTC")})
    spans = pd.DataFrame({"t": pd.to_timedelta([1, 90, 90], unit="s")})
    labels = [ColumnsDisplay.from_tables(table, table).labels[0] for table in (days, hours, spans)]
    assert labels[0] == ["2024-01-31", "2024-03-01", "2024-03-31"]
    assert labels[1] == ["2024-01-31T00", "2024-01-31T02", "2024-01-31T04"]
    assert labels[2] == ["1 s", "90 s"]


def test_plot_without_matplotlib_names_the_extra(displays, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "skmdiff\[plot\]"'):
        displays[0].plot()


def test_columns_display_has_one_panel_a_column(displays):
    pytest.importorskip("matplotlib")
    display = displays[1].plot()
    assert [ax.get_title() for ax in display.axes_[:21]] == display.names
    widths = [bar.get_width() for bar in display.axes_[0].patches[:4]]
    assert widths == pytest.approx(display.real[0].tolist())
    assert all(share.sum() == pytest.approx(1) for share in display.real + display.synthetic)
