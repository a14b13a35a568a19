"""Wide and deep networks: the drawing fits, or says that it goes on; every number can be read, on a phone too."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.backprop.random_net import drawn

from .browser import Browser
from .panel import put

Opened = Callable[..., Browser]
pytestmark = pytest.mark.oracle("chromium")
WIDE, LONG = drawn([10, 10, 1], seed=3, output="tanh"), drawn([2, *[3] * 10, 1], seed=3, output="tanh")
FITS = "(e => e.scrollWidth <= e.clientWidth + 1)(document.querySelector('.drawing'))"
SAYS = "!document.getElementById('wide').hidden"
# How high the letters of a number are on the screen, in pixels: the smallest in the drawing that is shown.
SMALLEST = """(() => {
  const net = [...document.querySelectorAll(".net")].find(e => e.getClientRects().length);
  const scale = net.getBoundingClientRect().width / net.viewBox.baseVal.width;
  return scale * Math.min(...[...net.querySelectorAll(".value")].map(e => parseFloat(getComputedStyle(e).fontSize)));
})()"""
# The weights whose number can be seen nowhere in the stage.
UNSEEN = """DATA.weights.filter(name => ![...document.querySelectorAll(`#stage [data-v="${name}"]`)].some(place =>
  place.checkVisibility() && place.textContent && !place.closest(".weight.crowded")))"""


def at(opened: Opened, net: Net, width: int) -> Browser:
    tab = opened(net, 5, width=width)
    tab.run("go(1, stepsOf(1).findIndex(step => step.phase === 'update'))")
    tab.settle()
    return tab


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("net", [*map(preset, PRESETS), WIDE, LONG], ids=[*PRESETS, "wide", "long"])
def test_it_fits_or_says_so_and_all_can_be_read(opened: Opened, net: Net, width: int) -> None:
    tab = at(opened, net, width)
    assert tab.run(UNSEEN) == []
    assert tab.run(SMALLEST) >= 9.9
    assert tab.run(FITS) != tab.run(SAYS)
    if net.name in PRESETS:
        assert tab.run(FITS)
    gradients = tab.run("[...document.querySelectorAll('#crowded .gradient')].filter(e => !e.textContent).length")
    assert gradients == 0
    assert tab.run("document.documentElement.scrollWidth") <= width
    assert tab.errors == []


def test_what_cannot_be_seen_is_noticed(opened: Opened) -> None:
    tab = at(opened, WIDE, 390)
    tab.run("document.getElementById('crowded').open = false")
    assert len(tab.run(UNSEEN)) == 100


def test_a_wide_drawing_is_shown_whole_on_request(opened: Opened) -> None:
    tab = at(opened, LONG, 1280)
    tab.click("#whole")
    assert tab.run(FITS)
    assert tab.run("[document.getElementById('whole').textContent, document.getElementById('whole').ariaPressed]") == [
        "Show it large",
        "true",
    ]
    tab.click("#whole")
    assert not tab.run(FITS)


def test_the_tables_follow_the_network_that_is_built(opened: Opened) -> None:
    tab = at(opened, preset("course"), 1280)
    assert tab.run("document.getElementById('crowded').getClientRects().length") == 0
    put(tab, "inputs", 8)
    put(tab, "layers[1].units", 8)
    tab.run("go(1, Infinity)")
    tab.settle()
    assert tab.run(UNSEEN) == []
    assert tab.run("document.querySelectorAll('#crowded .across td[data-pick]').length") == 64
    tab.click("#crowded td[data-pick=w10]")
    assert tab.run("document.getElementById('picked').value") == "w10"
    assert tab.errors == []
