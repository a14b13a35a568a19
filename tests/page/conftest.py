"""One Chromium for all these tests, and pages made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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
