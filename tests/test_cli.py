"""The commands fit, sample, impute and report: what they write, say and refuse, and their exit codes."""

import io
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from skmdiff import ManifoldDiffusionSampler
from skmdiff._cli import console, demo, model_file
from skmdiff._cli.arguments import COMMANDS
from skmdiff._cli.dialect import Numbering
from skmdiff._cli.identifiers import new_identifiers
from skmdiff._cli.main import main, tell

pd = pytest.importorskip("pandas")

HEADER = "id;day;zip;n;x;sex;risk"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with an ugly table of 150 rows and two models of it, of no training at all."""
    folder = tmp_path_factory.mktemp("cli")
    rng = np.random.RandomState(0)
    lines = [HEADER]
    for k in range(150):
        n = rng.randint(10)
        number, x = (
            "?" if rng.rand() < 0.2 else n,
            "NA" if rng.rand() < 0.1 else f"{n + rng.rand():.2f}".replace(".", ","),
        )
        day, code = f"{rng.randint(1, 29)}.{rng.randint(1, 13)}.2024", rng.choice(["00501", "10001"])
        lines.append(f"P{k + 1:04d};{day};{code};{number};{x};{rng.choice(['F', 'M'])};{rng.choice(['good', 'bad'])}")
    (folder / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    learnt = ["--id", "id", "--max-iter", "0", "--seed", "0", "--quiet"]
    assert main(["fit", str(folder / "table.csv"), "-o", str(folder / "model"), *learnt]) == 0
    assert main(["fit", str(folder / "table.csv"), "-o", str(folder / "joint"), "--target", "risk", *learnt]) == 0
    return folder


def run(folder, *words):
    """The exit code of a command on files of a folder."""
    return main([str(folder / word) if (folder / word).exists() and word != "." else word for word in words])


def rows_of(path):
    header, *rows = path.read_text(encoding="utf-8-sig").splitlines()
    return header, pd.DataFrame([row.split(";") for row in rows], columns=header.split(";"))


def test_rows_are_written_as_the_table_is(folder, tmp_path, capsys):
    out = tmp_path / "new.csv"
    assert run(folder, "sample", "model", "-n", "200", "-o", str(out), "--seed", "1") == 0
    header, rows = rows_of(out)
    assert header == HEADER and len(rows) == 200
    assert rows["id"].tolist() == [f"P{k:04d}" for k in range(151, 351)]
    assert rows["day"].str.fullmatch(r"[12]?\d\.1?\d\.2024|3[01]\.1?\d\.2024").all()
    assert set(rows["zip"]) == {"00501", "10001"} and set(rows["risk"]) == {"good", "bad"}
    assert set(rows["n"]) <= {"?", *"0123456789"} and 0.05 < (rows["n"] == "?").mean() < 0.4
    numbers = rows["x"][rows["x"] != "NA"]
    assert numbers.str.fullmatch(r"\d,\d\d").all() and 0 < len(numbers) < 200
    out, err = capsys.readouterr()
    assert "200 rows drawn" in out and not err


def test_a_seed_makes_the_same_rows(folder, tmp_path):
    texts = []
    for seed in "112":
        assert run(folder, "sample", "model", "-n", "5", "-o", str(tmp_path / "new.csv"), "--seed", seed) == 0
        texts.append((tmp_path / "new.csv").read_text())
    assert texts[0] == texts[1] != texts[2]


def test_rows_hold_the_conditions(folder, tmp_path):
    out = tmp_path / "new.csv"
    conditions = ["sex=F", "n=3..5", "zip=00501|10001", "day>=1.6.2024", "x<=5,5"]
    words = [word for condition in conditions for word in ("--where", condition)]
    assert run(folder, "sample", "model", "-n", "100", "-o", str(out), "--seed", "0", *words) == 0
    _, rows = rows_of(out)
    assert set(rows["sex"]) == {"F"} and set(rows["n"]) == {"3", "4", "5"}
    assert rows["day"].str.split(".").str[1].astype(int).min() >= 6
    assert rows["x"].str.replace(",", ".").astype(float).max() <= 5.5


def test_a_target_is_balanced_or_given(folder, tmp_path):
    out = tmp_path / "new.csv"
    assert run(folder, "sample", "joint", "-n", "50", "-o", str(out), "--where", "risk=good", "--where", "sex=M") == 0
    header, rows = rows_of(out)
    assert header == HEADER and set(rows["risk"]) == {"good"} and set(rows["sex"]) == {"M"}
    assert run(folder, "sample", "joint", "-n", "400", "-o", str(out), "--density", "balanced", "--seed", "0") == 0
    assert abs((rows_of(out)[1]["risk"] == "good").mean() - 0.5) < 0.1


@pytest.mark.parametrize("first", ["model", "table.csv"])
def test_missing_cells_are_filled_and_others_stay(folder, tmp_path, first):
    out = tmp_path / "filled.csv"
    options = ["--drop", "id", "--max-iter", "0"] if first == "table.csv" else []
    assert run(folder, "impute", first, "table.csv", "-o", str(out), "--seed", "0", *options) == 0
    _, before = rows_of(folder / "table.csv")
    header, after = rows_of(out)
    known = ~before.isin(["?", "NA"])
    assert header == HEADER and (after[known] == before[known]).where(known, True).all(axis=None)
    assert after["n"].str.fullmatch(r"\d").all() and after["x"].str.fullmatch(r"\d,\d\d").all()


@pytest.mark.slow
def test_a_report_is_a_page_and_a_summary(folder, tmp_path, capsys):
    new, page = tmp_path / "new.csv", tmp_path / "report.html"
    assert run(folder, "sample", "model", "-n", "60", "-o", str(new), "--quiet") == 0
    capsys.readouterr()
    options = ["--html", str(page), "--max-rows", "40", "--json", "--model", "model"]
    assert run(folder, "report", "table.csv", str(new), *options) == 0
    out, err = capsys.readouterr()
    summary = json.loads(out)
    assert (
        0 <= summary["measures"]["shape_error"]["value"] <= 1 and summary["measures"]["membership_tpr"]["value"] is None
    )
    assert summary["verdict"].keys() == {"closeness", "utility", "privacy"}
    text = page.read_text(encoding="utf-8")
    assert all(
        word in text for word in ("new.csv", "a fifth of table.csv", "ManifoldDiffusionSampler", "steps of training")
    )
    assert "No held-out rows were given" in summary["notes"][-1] and "No held-out" in page.read_text(encoding="utf-8")
    assert "column 'id' is left out" in err
    holdout = ["--holdout", "table.csv", "--drop", "day", "--quiet", "--max-rows", "20"]
    assert run(folder, "report", "table.csv", str(new), *holdout) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Closeness: ") and "\nmeasure " in out and "No held-out" not in out and not err


def test_types_are_shown_and_nothing_is_written(folder, tmp_path, capsys):
    assert run(folder, "fit", "table.csv", "--types", "--id", "id", "--target", "risk", "-o", str(tmp_path / "m")) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    kinds = {line[0]: line[1].rstrip(",") for line in lines[1:]}
    assert kinds == {
        "id": "category", "day": "date", "zip": "category", "n": "integer", "x": "number", "sex": "category",
        "risk": "category",
    }  # fmt: skip
    assert not [*tmp_path.iterdir()]
    assert run(folder, "fit", "table.csv", "--types", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["rows"] == 150 and summary["separator"] == ";" and len(summary["columns"]) == 7
    assert 0.1 < summary["columns"][3]["missing"] < 0.3
    assert summary["notes"] == [
        "column 'id' is an identifier or free text, 150 different texts in 150 rows: add --id 'id' or --drop 'id'"
    ]


def test_types_stand_on_one_line_each_and_say_what_a_fit_refuses(tmp_path, capsys):
    table = tmp_path / "t.csv"

    def shown(text):
        table.write_text(text, encoding="utf-8")
        assert main(["fit", str(table), "--types"]) == 0
        return capsys.readouterr().out.splitlines()

    lines = shown('a,b\n1,"p\nq"\n2,' + "z" * 30 + "\n3," + "y" * 20 + "\n")
    assert len(lines) == 3 and r"3: p\nq, zzz" in lines[2] and "z...  " in lines[2]
    assert shown("a,b\n1,x\n")[-1] == "a table needs 2 rows or more, got 1"
    assert main(["fit", str(table), "-o", str(tmp_path / "m")]) == 2
    assert "t.csv: a table needs 2 rows or more, got 1\n" in capsys.readouterr().err
    assert "one value only" in shown("a,b\n1,x\n1,x\n")[-1]
    table.write_text("a,b\n1,x\n,y\n", encoding="utf-8")
    assert main(["fit", str(table), "--types", "--target", "a"]) == 0
    assert "column 'a' has 1 missing cell, which a target must not have" in capsys.readouterr().out


def test_fit_says_what_it_did(folder, tmp_path, capsys):
    words = ["--drop", "id", "--max-iter", "10", "--max-time", "20", "--manifold", "isomap", "--json"]
    assert run(folder, "fit", "table.csv", "-o", str(tmp_path / "m"), *words) == 0
    out, err = capsys.readouterr()
    summary = json.loads(out)
    assert (
        summary["rows"] == 150 and summary["n_iter"] == 10 and summary["stop_reason"] in ("max_iter", "early_stopping")
    )
    assert summary["columns"][0]["role"] == "dropped"
    assert "150 rows; 1 date, 3 categories, 1 integer, 1 number" in err and "decimal ','" in err
    sampler, dialect = model_file.read_model(tmp_path / "m")
    assert sampler.n_features_in_ == 6 and len(sampler.embedding_) == 150, "all rows are learnt"
    assert sampler.manifold == "isomap" and dialect.names("dropped") == ["id"]


def test_a_model_may_hold_no_row(tmp_path):
    cells = np.random.default_rng(0).normal(size=(100, 2)).astype(str)
    (tmp_path / "t.csv").write_text("\n".join(["a;b", *map(";".join, cells)]), encoding="utf-8")
    for name, options in (("with", []), ("without", ["--without-rows"])):
        words = ["fit", str(tmp_path / "t.csv"), "-o", str(tmp_path / name), "--max-iter", "0", *options]
        assert main(words) == 0
        model = model_file.read_model(tmp_path / name)[0]._model
        found = model.codec.decode(model.rows)[0]
        is_held = np.isclose(cells[:, :1].astype(float), found, rtol=0, atol=1e-12).any(axis=1)
        assert is_held.all() if name == "with" else not is_held.any()
    assert main(["sample", str(tmp_path / "without"), "-n", "5", "-o", str(tmp_path / "o.csv")]) == 0
    assert (tmp_path / "o.csv").read_text().startswith("a;b\n")


@pytest.mark.parametrize("of_python", [True, False])
def test_files_that_are_no_models_of_the_command_are_refused(tmp_path, capsys, of_python):
    if of_python:
        ManifoldDiffusionSampler(max_iter=0, random_state=0).fit(np.eye(20)).save(tmp_path / "m")
    else:
        (tmp_path / "m").write_text("a,b", encoding="utf-8")
    assert main(["sample", str(tmp_path / "m"), "-o", str(tmp_path / "o.csv")]) == 2
    err = capsys.readouterr().err
    assert ("skmdiff fit did not write it" if of_python else "cannot be read as a model file") in err
    assert err.count("\n") == 1 and not (tmp_path / "o.csv").exists()


def test_integers_that_number_rows_are_said_and_go_on(tmp_path, capsys):
    rng = np.random.RandomState(0)
    lines = [f"{k},{rng.randint(5)},{rng.normal():.3f}" for k in range(1, 101)]
    (tmp_path / "t.csv").write_text("\n".join(["key,a,b", *lines]), encoding="utf-8")
    words = ["fit", str(tmp_path / "t.csv"), "-o", str(tmp_path / "m"), "--max-iter", "0"]
    assert main(words) == 0
    assert "column 'key' looks like an identifier" in capsys.readouterr().err
    assert main([*words, "--id", "key"]) == 0
    assert main(["sample", str(tmp_path / "m"), "-n", "3", "-o", str(tmp_path / "o.csv")]) == 0
    assert [line.split(",")[0] for line in (tmp_path / "o.csv").read_text().splitlines()] == [
        "key",
        "101",
        "102",
        "103",
    ]


def test_new_identifiers():
    rng = np.random.default_rng(0)
    assert new_identifiers(Numbering("number", "A-", "x", 3, 99), "category", 2, rng) == ["A-100x", "A-101x"]
    found = new_identifiers(Numbering("uuid"), "category", 50, rng)
    assert len(set(found)) == 50 and all(len(one) == 36 for one in found)


@pytest.mark.parametrize(
    "words, message",
    [
        (["fit", "nothing.csv", "-o", "m"], "nothing.csv: no such file or directory"),
        (["fit", "table.csv"], "the following arguments are required: -o/--output, or --types"),
        (["fit", "table.csv", "-o", "table.csv"], "is read by this command"),
        (
            ["fit", "table.csv", "-o", "new.csv"],
            "new.csv: is the name of a table, and a model is to be written. Name it new",
        ),
        (["report", "table.csv", "table.csv", "--html", "new.csv"], "a page is to be written. Name it new.html"),
        (["fit", "table.csv", "-o", "nowhere/m"], "nowhere is not a folder"),
        (["fit", "table.csv", "-o", "m"], "table.csv: column 'id' is an identifier or free text"),
        (["fit", "table.csv", "-o", "m", "--drop", "none"], "table.csv: --drop 'none' is none of its columns: id, day"),
        (["fit", "table.csv", "-o", "m", "--target", "n", "--id", "id"], "table.csv: column 'n' has"),
        (["fit", "table.csv", "-o", "m", "--id", "sex"], "column 'sex' cannot be given new identifiers"),
        (["fit", "table.csv", "-o", "m", "--id", "id", "--drop", "id"], "column 'id' is given to both --id and --drop"),
        (["sample", "table.csv", "-o", "new.csv"], "cannot be read as a model file"),
        (["sample", "model", "-o", "new.xls"], "a table must be a file .csv"),
        (["sample", "model", "-o", "new.csv", "--where", "age=3"], "or COLUMN<=HIGH with one of the columns day"),
        (["sample", "model", "-o", "new.csv", "--where", "sex"], "must be COLUMN=VALUE"),
        (
            ["sample", "model", "-o", "new.csv", "--where", "sex=Q"],
            "model: --where 'sex=Q': must be a category seen in fit, 'F', 'M'",
        ),
        (["sample", "model", "-o", "new.csv", "--where", "sex>=F"], "holds categories, which have no order"),
        (["sample", "model", "-o", "new.csv", "--where", "n=a..b"], "column 'n' holds integers, 'a' is none"),
        (["sample", "model", "-o", "new.csv", "--where", "n=1", "--where", "n=2"], "has a condition already"),
        (
            ["sample", "model", "-o", "new.csv", "--where", "n=99"],
            "'n=99': must lie in the range seen in fit, from 0 to 9",
        ),
        (
            ["sample", "model", "-o", "new.csv", "--where", "n>3"],
            "must be COLUMN=VALUE, COLUMN=A|B, COLUMN=LOW..HIGH, CO",
        ),
        (["sample", "model", "-o", "new.csv", "--where", "n=5..3"], "the lower end must stand first, COLUMN=LOW..HIGH"),
        (["sample", "model", "-o", "new.csv", "--where", "day>=1.1.2030"], "in fit, from 2024-01-0"),
        (
            ["sample", "model", "-o", "new.csv", "--where", "id=P3"],
            "column 'id' is an identifier, new rows get new ones",
        ),
        (
            ["sample", "joint", "-o", "new.csv", "--where", "risk=so"],
            "--where must hold classes seen in fit, ['bad'",
        ),
        (["fit", "table.csv", "-o", "-"], "a model is written to a file, not to stdout"),
        (["sample", "joint", "-o", "new.csv", "--where", "risk=good|bad"], "a target takes one value only"),
        (
            ["sample", "joint", "-o", "new.csv", "--density", "balanced", "--where", "sex=F"],
            "--where needs --density data, got bal",
        ),
        (["impute", "model", "other.csv", "-o", "new.csv"], "other.csv: 'day' is none of its columns: a, b"),
        (["report", "table.csv", "other.csv"], "other.csv: must have two or more columns of"),
    ],
)
def test_errors_are_one_line_that_names_the_file_and_nothing_is_written(
    folder, tmp_path, monkeypatch, capsys, words, message
):
    monkeypatch.chdir(tmp_path)
    (folder / "other.csv").write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    assert run(folder, *words) == 2
    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith(f"skmdiff {words[0]}: error: ") and message in line
    assert not [*tmp_path.iterdir()]


def test_files_of_other_kinds_are_replaced_by_force_only(folder, tmp_path, capsys):
    notes = tmp_path / "notes"
    notes.write_text("mine", encoding="utf-8")
    fit = ["fit", "table.csv", "-o", str(notes), "--drop", "id", "--max-iter", "0"]
    assert run(folder, *fit) == 2 and notes.read_text() == "mine"
    assert (
        "notes: is there already and is no model of skmdiff. Write to another file, or add" in capsys.readouterr().err
    )
    assert run(folder, *fit, "--force") == 0
    assert run(folder, *fit) == 0, "a former model is replaced"
    new = tmp_path / "new.csv"
    new.write_bytes(notes.read_bytes())
    assert run(folder, "sample", "model", "-n", "3", "-o", str(new)) == 2
    assert run(folder, "sample", "model", "-n", "3", "-o", str(new), "--force") == 0
    assert run(folder, "sample", "model", "-n", "3", "-o", str(new)) == 0
    assert run(folder, "report", "table.csv", str(new), "--html", str(notes)) == 2
    assert "is no page" in capsys.readouterr().err


def test_quiet_leaves_errors_alone(folder, tmp_path, capsys):
    new, model = str(tmp_path / "new.csv"), str(tmp_path / "m")
    assert run(folder, "fit", "table.csv", "-o", model, "--drop", "id", "--max-iter", "0", "--quiet") == 0
    assert run(folder, "sample", "model", "-n", "2", "-o", new, "--quiet") == 0
    assert run(folder, "impute", "model", "table.csv", "-o", new, "--quiet") == 0
    assert capsys.readouterr() == ("", "")
    assert run(folder, "sample", "model", "-n", "2", "-o", new, "--quiet", "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 2


def test_a_table_goes_to_stdout(folder, capsys):
    assert run(folder, "sample", "model", "-n", "3", "-o", "-", "--seed", "0", "--json") == 0
    out, err = capsys.readouterr()
    assert out.lstrip("\ufeff").startswith(HEADER + "\n") and out.count("\n") == 4
    assert json.loads(err)["rows"] == 3
    assert run(folder, "impute", "model", "table.csv", "-o", "-", "--quiet") == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 151 and not err


@pytest.mark.slow
def test_whoever_reads_stdout_may_leave(folder):
    words = ["sample", str(folder / "model"), "-n", "3000", "-o", "-"]
    process = subprocess.Popen(
        [sys.executable, "-m", "skmdiff", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.read(10)
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(60) == 1 and b"Error" not in err
    process.stderr.close()


def test_usage_errors_have_exit_code_2(capsys):
    for words in (["fit"], ["sample", "m", "-n", "0", "-o", "x.csv"], ["fit", "t", "--manifold", "sphere"], ["grow"]):
        with pytest.raises(SystemExit) as stopped:
            main(words)
        assert stopped.value.code == 2 and capsys.readouterr().err.count("\n") == 1


def test_an_interrupt_and_a_failure_have_exit_codes_of_their_own(tmp_path, monkeypatch, capsys):
    table, models = tmp_path / "table.csv", tmp_path / "models"
    table.write_text("x,y\n" + "\n".join(f"{k % 9},{k % 5}" for k in range(90)), encoding="utf-8")
    models.mkdir()

    def run_with(error):
        def fail(*args, **said):
            raise error

        monkeypatch.setattr("skmdiff._sampler.files.write_file", fail)
        return main(["fit", str(table), "-o", str(models / "m"), "--max-iter", "0", "--debug"])

    assert run_with(KeyboardInterrupt()) == 130
    assert run_with(OSError("no space left on device")) == 1
    err = capsys.readouterr().err
    assert "interrupted" in err and "error: no space left on device (OSError; --debug shows where)" in err
    assert "Traceback" in err, "as --debug asks for it"
    assert not [*models.iterdir()]


@pytest.mark.slow
def test_a_process_that_is_terminated_leaves_the_former_file(folder, tmp_path):
    out = tmp_path / "m"
    out.write_text("former", encoding="utf-8")
    words = ["fit", str(folder / "table.csv"), "-o", str(out), "--id", "id", "--max-iter", "1000000", "--force"]
    process = subprocess.Popen([sys.executable, "-m", "skmdiff", *words], stderr=subprocess.PIPE, text=True)
    assert "150 rows" in process.stderr.readline()  # it learns from here on
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    process.stderr.close()
    assert out.read_text(encoding="utf-8") == "former" and [*tmp_path.iterdir()] == [out]


def test_help_does_not_wait_for_anything_heavy():
    code = "import sys, skmdiff._cli.main as m; m.make_parser().format_help(); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert not [name for name in ("numpy", "sklearn", "torch", "pandas", "scipy", "tqdm") if f"'{name}'" in done.stdout]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    out = capsys.readouterr().out
    assert stopped.value.code == 0 and f"usage: skmdiff {command}" in out and "max-iter" not in out


class Terminal:
    """A stream that is a terminal."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass

    def isatty(self):
        return True


def test_bars_follow_fit_and_sample_on_a_terminal(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    model, new = str(tmp_path / "m"), str(tmp_path / "new.csv")
    assert run(folder, "fit", "table.csv", "-o", model, "--drop", "id", "--max-iter", "10", "--max-time", "20") == 0
    assert sys.stderr.text.startswith("skmdiff fit: starting\n"), "while it is imported"
    assert "manifold ..." in sys.stderr.text and "training: 100%" in sys.stderr.text
    assert model_file.read_model(model)[0].verbose == 0, "the file does not depend on the terminal"
    assert run(folder, "sample", model, "-n", "50", "-o", new) == 0
    assert "samples: 100%" in sys.stderr.text and "50/50" in sys.stderr.text


@pytest.mark.parametrize("quiet, is_terminal, verbose", [(False, True, 1), (True, True, 0), (False, False, 0)])
def test_no_bar_elsewhere(quiet, is_terminal, verbose, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal() if is_terminal else io.StringIO())
    assert console.Console("skmdiff fit", quiet).verbose == verbose


def test_library_warnings_are_lines(capsys):
    import warnings

    with console.Console("skmdiff fit").warnings():
        warnings.warn("two\nlines", UserWarning, stacklevel=1)
        warnings.warn("for programmers", DeprecationWarning, stacklevel=1)
    assert capsys.readouterr().err == "skmdiff fit: warning: two lines\n"


def test_demo_takes_the_reader_of_the_others(folder, capsys):
    with pytest.raises(ValueError, match=r"table.csv: column 'id' is an identifier or free text, .*: add --drop 'id'$"):
        demo.load_table(folder / "table.csv")
    assert list(demo.load_table(folder / "table.csv", drop=["id"]).frame) == HEADER.split(";")[1:]
    with pytest.raises(ValueError, match="--drop 'none' is none of its columns"):
        demo.load_table(folder / "table.csv", drop=["none"])
    assert tell(ValueError("a\nb"), type("Args", (), {"debug": False}), console.Console("skmdiff demo")) == 2
    assert capsys.readouterr().err == "skmdiff demo: error: a b\n"
