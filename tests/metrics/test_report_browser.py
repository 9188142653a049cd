"""The page of a report in a real browser, Chromium without a window: no error, no request, something to see."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from metric_tables import mixed

from skmdiff import metrics

CHROMIUM = Path("/usr/bin/chromium")
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --enable-logging=stderr --v=0"
).split()
LIGHT, DARK = 1, 0
# what a page itself does wrong is said by lines with this word
CONSOLE = "CONSOLE"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium; apt-get install chromium"),
]


def browse(page, folder, *options, scheme=LIGHT):
    """What Chromium writes, standard output and errors, with a new profile."""
    options = [*OPTIONS, f"--user-data-dir={folder / 'profile'}", f"--blink-settings=preferredColorScheme={scheme}"] + [
        *options
    ]
    done = subprocess.run(
        [CHROMIUM, *options, page.as_uri()], capture_output=True, text=True, timeout=120, check=True, cwd=folder
    )
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    metrics.report(*(mixed(100, seed) for seed in range(3)), random_state=0).to_html(path)
    return path


def test_the_browser_shows_errors_where_there_are_some(tmp_path):
    """The test of the tests: an error of a script, and a request that fails, are seen."""
    page = tmp_path / "bad.html"
    page.write_text("<!DOCTYPE html><script>console.error('oh'); nothing()</script><img src='missing.png'>")
    _, err = browse(page, tmp_path, "--dump-dom")
    assert len(re.findall(CONSOLE, err)) >= 2 and "oh" in err


def test_the_page_is_read_without_errors_and_requests(page, tmp_path):
    dom, err = browse(page, tmp_path, "--dump-dom", f"--log-net-log={tmp_path / 'net.json'}")
    assert CONSOLE not in err
    assert dom.count("<table") == page.read_text(encoding="utf-8").count("<table")
    assert "<h1>Synthetic rows, measured</h1>" in dom
    # what the page asks for is the page itself and the pictures in it; Chromium asks for other things by itself
    addresses = re.findall(r'"initiator":"(?:null|file[^"]*)","[^}]*"url":"([^"]*)"', net_log(tmp_path))
    assert not [address for address in addresses if address.startswith("http")]


def net_log(folder):
    return (folder / "net.json").read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_seen_and_fits(page, tmp_path, width, scheme):
    image = pytest.importorskip("matplotlib.image")
    picture = tmp_path / "page.png"
    browse(page, tmp_path, f"--window-size={width},1600", f"--screenshot={picture}", scheme=scheme)
    pixels = image.imread(picture)[..., :3]
    assert pixels.shape[:2] == (1600, width)
    # texts and bars are there, on a ground that is light or dark
    ground = np.median(pixels, axis=(0, 1))
    assert ground.min() > 0.9 if scheme == LIGHT else ground.max() < 0.2
    assert len(np.unique(np.round(255 * pixels) @ [65536, 256, 1])) > 100
    differs = np.abs(pixels - ground).max(axis=2) > 0.1
    assert 0.02 < differs.mean() < 0.6
    # nothing sticks out: the margins are empty
    assert not differs[:, :12].any() and not differs[:, -12:].any()


def test_the_page_is_no_wider_than_a_telephone(page, tmp_path):
    """The width that the page wants is the width that it gets."""
    framed = tmp_path / "framed.html"
    script = "<script>document.title = 'width ' + document.documentElement.scrollWidth</script></body>"
    framed.write_text(page.read_text(encoding="utf-8").replace("</body>", script), encoding="utf-8")
    dom, _ = browse(framed, tmp_path, "--window-size=500,1600", "--dump-dom")
    assert "<title>width 500</title>" in dom
