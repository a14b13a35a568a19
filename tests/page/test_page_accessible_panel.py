"""The page with its panel open: axe-core finds nothing; fields and buttons keep the focus; on every screen it fits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .browser import Browser
from .panel import put
from .test_accessible import LOOKS, violations

Opened = Callable[..., Browser]
pytestmark = [pytest.mark.oracle("chromium"), pytest.mark.xdist_group("accessible")]


@pytest.mark.parametrize(
    ("name", "width", "media"),
    [*(("xor", *look) for look in LOOKS), ("deep", 390, {}), ("deep", 1280, {"prefers_color_scheme": "dark"})],
    ids=str,
)
def test_axe_finds_nothing_with_the_panel_open(
    opened: Opened, axe: str, name: str, width: int, media: dict[str, str]
) -> None:
    tab = opened(name, 5, width=width, **media)
    tab.run("(() => { for (const each of document.querySelectorAll('details')) each.open = true; })()")
    put(tab, "optimizer", "adam")
    put(tab, "layers[1].units", 11)  # a wrong value: its line is on the page
    tab.run("go(2, 20)")
    tab.settle()
    assert violations(tab, axe) == []
    put(tab, "layers[1].units", 3)
    tab.run("go(2, 20)")
    tab.settle()
    assert violations(tab, axe) == []
    assert tab.run("document.documentElement.scrollWidth") <= width
    assert tab.errors == []


def test_the_panel_works_by_keyboard_and_keeps_the_focus(opened: Opened) -> None:
    tab = opened("course", 5)
    tab.run("document.querySelector('#build summary').focus()")
    tab.key("Enter")
    tab.key("Tab")
    focused = "(e => e.dataset.field ?? e.dataset.act)(document.activeElement)"
    assert tab.run(focused) == "inputs"
    reached = []
    for _ in range(30):
        tab.key("Tab")
        reached.append(tab.run(focused))
    assert {"layers[1].units", "layers[2].bias", "loss", "optimizer", "examples[1].targets[2]", "toml"} <= set(reached)
    tab.run("document.querySelector('[data-act=add-layer]').focus()")
    tab.key("Enter")
    assert tab.run(focused) == "add-layer"
    assert tab.run("DATA.weights.length") == 12
    tab.run("document.querySelector(\"[data-act='remove-layer 0']\").focus()")
    tab.key(" ")
    assert tab.run("DATA.weights.length") == 8
    assert tab.run("document.activeElement.closest('#build-form') !== null"), "the place is never lost"
    assert "2-2-2" in tab.run("document.getElementById('build-said').textContent")
