"""The command: what it prints, writes and refuses."""

import csv
import gzip
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import skmdiff
from skmdiff import _demo, _picture
from skmdiff.__main__ import main
from skmdiff._raster import Canvas
from skmdiff.datasets import load_german_credit
from skmdiff.inspection import ColumnsDisplay, EmbeddingDisplay

MEASURES = [
    "shape error",
    "trend error",
    "c2st",
    "coverage",
    "precision",
    "copies of training rows",
    "nearer to training rows",
]


def read_rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def read_png(path):
    """Pixels of a PNG written with filter 0, its checksums compared."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        chunks[kind], at = body, at + 12 + length
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), dtype=np.uint8).reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, 3)


def run_on(path, tmp_path, *options):
    return main(["demo", "--csv", str(path), "--out-dir", str(tmp_path / "out"), "--max-time", "1", *options])


@pytest.fixture
def displays():
    rng = np.random.RandomState(0)
    table = load_german_credit().frame
    embedding = EmbeddingDisplay(rng.normal(size=(50, 2)), rng.normal(size=(60, 2)))
    return embedding, ColumnsDisplay.from_tables(table[:500], table[500:])


@pytest.mark.parametrize("with_pandas", [True, False])
def test_a_table_of_ones_own_is_measured_and_written(mixed_csv, tmp_path, capsys, monkeypatch, with_pandas):
    if with_pandas:
        pytest.importorskip("pandas")
    monkeypatch.setattr(_demo, "has_pandas", lambda: with_pandas)
    assert run_on(mixed_csv, tmp_path, "--n-samples", "200") == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line[:26].strip() for line in lines[1:8]] == MEASURES
    assert np.isfinite([[float(cell) for cell in line[38:].split()] for line in lines[1:8]]).all()
    assert "fitting 96 rows of 5 columns, 24 more held out" in err
    header, *rows = read_rows(tmp_path / "out" / "demo_rows.csv")
    assert header == ["length", "width", "count", "colour", "size"]
    assert len(rows) == 200
    assert {row[2] for row in rows} <= set("01234")
    assert {row[3] for row in rows} <= {"red", "green", "blue"}
    assert (tmp_path / "out" / "demo.png").stat().st_size > 1000


@pytest.mark.slow
def test_same_seed_same_output(mixed_csv, tmp_path, capsys):
    written = []
    for _ in range(2):
        main(["demo", "--csv", str(mixed_csv), "--out-dir", str(tmp_path), "--random-state", "3"])
        table = capsys.readouterr().out.split("seconds")[0]
        written.append((table, (tmp_path / "demo_rows.csv").read_bytes()))
    assert written[0] == written[1]


@pytest.mark.parametrize("manifold", ["passthrough", "pca", "isomap"])
def test_manifold_is_chosen(mixed_csv, tmp_path, capsys, manifold):
    assert run_on(mixed_csv, tmp_path, "--manifold", manifold) == 0
    assert f"manifold: {manifold}" in capsys.readouterr().err


@pytest.mark.slow
def test_the_embedded_table_in_time_and_between_floor_and_ceiling(tmp_path, capsys):
    assert main(["demo", "--out-dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    rows = [line for line in out.splitlines() if line.startswith(tuple(MEASURES))]
    scores = {line[:26].strip(): [float(cell) for cell in line[38:].split()] for line in rows}
    synthetic, ceiling, floor = scores["c2st"]
    assert abs(ceiling - 0.5) < 0.06 and floor > 0.62
    assert synthetic < (ceiling + floor) / 2
    assert scores["copies of training rows"][0] <= 0.01
    assert float(out.split()[-1]) < 90
    assert len(read_rows(tmp_path / "demo_rows.csv")) == 801


def test_copies_and_shuffled_columns_are_found_out():
    rng = np.random.RandomState(0)
    x = rng.normal(size=(500, 1))
    table = np.hstack([x, x + 0.1 * rng.normal(size=(500, 1))])
    train, holdout = table[:400], table[400:]
    scores = {name: values for name, _, *values in _demo.measure(train, holdout, train, seed=0)}
    assert scores["copies of training rows"] == pytest.approx([1, 0, 0], abs=0.01)
    # held against a quarter of the training rows, as many as were held out, not every copy is recognised
    assert scores["nearer to training rows"][0] > 0.6
    # the copy is the ceiling's own rows, so it scores the same but for the random folds
    assert scores["coverage"][0] == scores["coverage"][1]
    assert scores["c2st"][2] > 0.7 > scores["c2st"][1]
    assert scores["trend error"][2] > 0.4 > scores["trend error"][1]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["demo", "--csv", "nowhere.csv"], "nowhere.csv"),
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
        (["1,a"] * 30, "at least 50 rows, got 30"),
        ([f"{k or ''},{'ab'[k % 2]}" for k in range(60)], "column 'x' has missing values"),
        ([f"1,id{k}" for k in range(60)], "Column 'c' of X must repeat its categories"),
        (["1,a"] * 60, "At least one column of X must vary"),
        ([f"{k},id{k % 50}" for k in range(100)], "Column 'c' of X must repeat its categories"),
        ([f'{k},"{"a" * 200_000}' for k in range(60)], "field larger than field limit"),
    ],
)
def test_a_table_that_cannot_be_learnt_is_refused_in_one_line(cells, message, tmp_path, capsys):
    path = tmp_path / "bad.csv"
    path.write_text("\n".join(["x,c", *cells]), encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        run_on(path, tmp_path)
    assert stopped.value.code == 2
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith("skmdiff demo: error: ") and message in last


def test_a_broken_archive_is_refused_in_one_line(tmp_path, capsys):
    whole = gzip.compress(b"x,c\n" + b"1,a\n2,b\n" * 500)
    for k, data in enumerate([whole[:40], whole[:20] + b"broken" + whole[30:]]):
        path = tmp_path / f"{k}.csv.gz"
        path.write_bytes(data)
        with pytest.raises(SystemExit) as stopped:
            run_on(path, tmp_path)
        assert stopped.value.code == 2 and capsys.readouterr().err.count("\n") == 1


def test_the_module_runs_as_a_command():
    command = [sys.executable, "-m", "skmdiff", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"skmdiff {skmdiff.__version__}\n"


def test_plain_png_holds_the_pixels_drawn(tmp_path):
    canvas = Canvas(40, 30)
    canvas.fill(5, 10, 8, 12, "#ff8001")
    canvas.text(0, 0, "a~")
    canvas.save(tmp_path / "plain.png")
    pixels = read_png(tmp_path / "plain.png")
    assert_array_equal(pixels, canvas.pixels)
    assert (pixels[10:12, 5:8] == [255, 128, 1]).all() and (pixels[12, 5] == 255).all()
    # an A has its top in the middle pixel of three, an unknown sign is a full block
    assert_array_equal(pixels[0, :14, 0] < 255, [0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])


def test_plain_png_is_what_matplotlib_reads(tmp_path, displays):
    image = pytest.importorskip("matplotlib.image")
    _picture._save_plain(tmp_path / "plain.png", *displays)
    pixels = read_png(tmp_path / "plain.png")
    assert_allclose(image.imread(tmp_path / "plain.png")[:, :, :3] * 255, pixels, atol=0.5)
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) == 4


def test_picture_without_matplotlib_is_the_plain_one(tmp_path, displays, monkeypatch):
    monkeypatch.setattr(_picture.importlib.util, "find_spec", lambda name: None)
    _picture.save_picture(tmp_path / "demo.png", *displays)
    assert read_png(tmp_path / "demo.png").shape == (788, 1050, 3)


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


def test_columns_display_has_one_panel_a_column(displays):
    pytest.importorskip("matplotlib")
    display = displays[1].plot()
    assert [ax.get_title() for ax in display.axes_[:21]] == display.names
    heights = [bar.get_height() for bar in display.axes_[0].patches[:4]]
    assert heights == pytest.approx(display.real[0].tolist())
    assert all(share.sum() == pytest.approx(1) for share in display.real + display.synthetic)
