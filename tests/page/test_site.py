"""The site as a browser sees it: nothing from elsewhere, nothing that moves, small, and axe-core finds nothing."""

from __future__ import annotations

import functools
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools.site_faults import MOST_FIRST_VIEW, faults

from tinyproof.backprop.presets import PRESETS

from .browser import Browser
from .test_accessible import violations

ROOT = Path(__file__).resolve().parents[2]
MAIN = ("index", "learner", "teacher", "engineer", "live", "explained", "glossary", "commands", "formats")
PHONE, DESKTOP = 390, 1280
pytestmark = [pytest.mark.oracle("chromium"), pytest.mark.xdist_group("site")]


@pytest.fixture(scope="module")
def site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that TINYPROOF_SITE names, or the site built anew."""
    if named := os.environ.get("TINYPROOF_SITE"):
        return Path(named)
    folder = tmp_path_factory.mktemp("built") / "site"
    command = [sys.executable, str(ROOT / "tools" / "site.py"), "--out", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server of files that says nothing."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where a server on this machine has the site."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def seen(tab: Browser, address: str, width: int = DESKTOP, scheme: str = "light") -> Browser:
    """The page at an address, drawn at that width."""
    tab.go("about:blank")
    tab.errors.clear(), tab.requests.clear()
    tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}], media="")
    tab.size(width, 844)
    tab.go(address)
    return tab


def elsewhere(tab: Browser, address: str) -> list[str]:
    """What was asked for from another host."""
    return [each for each in tab.requests if not each.startswith((address + "/", "data:", "blob:", "about:"))]


def test_the_built_site_has_no_fault(site: Path) -> None:
    assert list(faults(site)) == []


@pytest.mark.parametrize("page", MAIN)
@pytest.mark.parametrize(("width", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_a_page_is_for_everybody_and_asks_for_nothing(
    tab: Browser, axe: str, address: str, page: str, width: int, scheme: str
) -> None:
    seen(tab, f"{address}/{page}.html", width, scheme)
    assert tab.errors == []
    assert len(tab.requests) > 3
    assert elsewhere(tab, address) == []
    assert tab.run("document.documentElement.scrollWidth") <= width
    assert violations(tab, axe) == []


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_the_first_view_is_small_and_stays_where_it_is(tab: Browser, address: str, width: int) -> None:
    seen(tab, f"{address}/index.html", width)
    sizes = tab.run(
        "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        ".map(each => each.encodedBodySize)"
    )
    assert len(sizes) > 3
    assert 100_000 < sum(sizes) <= MOST_FIRST_VIEW
    moved = tab.run(
        "new Promise(done => { let sum = 0; new PerformanceObserver(all => { for (const each of all.getEntries())"
        " sum += each.value; }).observe({type: 'layout-shift', buffered: true}); setTimeout(() => done(sum), 500); })"
    )
    assert moved < 0.01
    shown = tab.run("document.querySelector('.screen').getBoundingClientRect().top")
    assert shown < 844, "what it does is not on the first screen"


def test_the_search_finds_a_word_and_asks_nobody_else(tab: Browser, address: str) -> None:
    seen(tab, f"{address}/index.html")
    tab.run("document.querySelector('.md-search__button').click()")
    tab.run("new Promise(done => setTimeout(done, 1000))")
    tab.call("Input.insertText", text="receptive field")
    found = tab.run(
        "new Promise(done => { const end = Date.now() + 30000; const look = () => {"
        " const roots = [...document.querySelectorAll('div')].map(each => each.shadowRoot).filter(Boolean);"
        " const links = roots.flatMap(each => [...each.querySelectorAll('a[href*=glossary]')]);"
        " if (links.length || Date.now() > end) done(links.length); else setTimeout(look, 200); }; look(); })"
    )
    assert found >= 1
    assert tab.errors == []
    assert elsewhere(tab, address) == []


@pytest.mark.parametrize("name", PRESETS)
def test_every_network_can_be_stepped_through(tab: Browser, address: str, name: str) -> None:
    seen(tab, f"{address}/live.html")
    tab.go(tab.run(f"[...document.links].find(each => each.href.endsWith('/step/{name}.html')).href"))
    assert tab.errors == []
    assert elsewhere(tab, address) == []
    assert tab.run("document.querySelectorAll('svg').length") >= 1


def test_the_audit_is_there_where_pyodide_is(tab: Browser, address: str, site: Path) -> None:
    if not (site / "audit.html").is_file():
        assert not os.environ.get("TINYPROOF_PYODIDE"), "pyodide is at hand, and the page was left out"
        pytest.skip("TINYPROOF_PYODIDE named no file when the site was built")
    seen(tab, f"{address}/index.html")
    tab.go(tab.run("document.querySelector('.md-button--primary').href"))
    assert tab.run("document.title").lower().count("audit") == 1
    assert elsewhere(tab, address) == []


def test_digits_are_read_where_the_page_for_it_was_built(tab: Browser, address: str, site: Path) -> None:
    if not (site / "digits.html").is_file():
        assert not os.environ.get("TINYPROOF_DATA"), "MNIST is at hand, and the page was left out"
        pytest.skip("MNIST was not at hand when the site was built")
    seen(tab, f"{address}/digits.html")
    assert tab.errors == []
    assert elsewhere(tab, address) == []
