"""The scripts of the gallery can be followed by a reader and need nothing else; the site runs them."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "examples" / "gallery"
SCRIPTS = sorted(FOLDER.glob("plot_*.py"))


@pytest.fixture(params=SCRIPTS, ids=[path.stem for path in SCRIPTS])
def script(request):
    return request.param


def test_there_is_a_script_for_each_topic():
    assert len(SCRIPTS) == 11 and (FOLDER / "README.txt").read_text(encoding="utf-8").startswith("Gallery\n=======\n")


def test_a_script_has_a_head_cells_pictures_and_seeds(script):
    text = script.read_text(encoding="utf-8")
    head = re.match(r'"""\n(.+)\n(=+)\n\n(.+?)\n"""\n', text, re.DOTALL)
    assert head and len(head[1]) == len(head[2]) and "learns:" in head[3]
    lines = text.splitlines()
    assert len(lines) <= 150 and max(map(len, lines)) <= 120
    assert lines.count("# %%") >= 3 and "plt.show()" in lines and "print(" in text
    assert "random_state=0" in text or '"random_state": 0' in text


def test_a_script_needs_no_file_and_no_network(script):
    text = script.read_text(encoding="utf-8")
    assert not re.search(r"/tmp|/work|\.\./|https?:|fetch_|read_csv|\._[a-z]", text)
