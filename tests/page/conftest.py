"""One Chromium for all these tests, and pages made once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.conftest import ROOT, missing, program

from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import preset
from tinyproof.show.stepper import stepper

from .browser import Browser, browser

Opened = Callable[..., Browser]


@pytest.fixture(scope="session")
def tab(chromium: str) -> Iterator[Browser]:
    """A tab of a headless Chromium."""
    with browser(chromium) as started:
        yield started


@pytest.fixture
def opened(tab: Browser, tmp_path: Path) -> Opened:
    """`opened("course")` or `opened(net)`: the page of that network, loaded; afterwards nothing may have gone wrong."""

    def load(net: Net | str, iterations: int = 60, edit: Callable[[str], str] = str, **window: object) -> Browser:
        path = tmp_path / "page.html"
        path.write_text(edit(stepper(preset(net) if isinstance(net, str) else net, iterations)), encoding="utf-8")
        tab.open(path, **window)  # type: ignore[arg-type]
        return tab

    return load


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page, built once; or one that was built before, where TINYPROOF_AUDIT_PAGE names it."""
    before = Path(os.environ.get("TINYPROOF_AUDIT_PAGE", ""))
    if before.is_file():
        return before
    named = os.environ.get("TINYPROOF_PYODIDE", "")
    if not Path(named).is_file():
        missing("TINYPROOF_PYODIDE does not name npm's file of Pyodide (npm pack pyodide; tools/audit_page.py)")
    program("node")
    page = tmp_path_factory.mktemp("page") / "audit.html"
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "audit_page.py"), "--out", str(page)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return page
