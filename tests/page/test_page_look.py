"""The page is one quiet file: no error, no request, nothing wider than the screen; dark, still, on paper when asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.backprop.random_net import drawn
from tinyproof.core.errors import InputError
from tinyproof.show.stepper import stepper

from .browser import Browser

Opened = Callable[..., Browser]
pytestmark = pytest.mark.oracle("chromium")


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_goes_wrong_and_nothing_is_asked_of_the_network(opened: Opened, name: str, width: int) -> None:
    tab = opened(name, 10, width=width)
    tab.run("go(2, 12); pick(DATA.trained.at(-1))")
    tab.settle()
    assert tab.errors == []
    assert [address.partition(":")[0] for address in tab.requests] == ["file"]
    assert tab.run("document.documentElement.scrollWidth") <= width
    assert tab.run("[...document.querySelectorAll('.net')].filter(e => e.getClientRects().length).length") == 1


def test_an_error_and_a_request_would_be_seen(opened: Opened) -> None:
    """The checks above can fail; and what a request would fetch, the page's own policy refuses."""
    tab = opened("course", 5, edit=lambda html: html.replace("</main>", "<script>nonsense()</script></main>"))
    assert any("nonsense is not defined" in error for error in tab.errors)
    tab = opened("course", 5, edit=lambda html: html.replace("</main>", '<img src="http://127.0.0.1:9/x.png"></main>'))
    assert any("Content Security Policy" in error for error in tab.errors)


@pytest.mark.parametrize("width", [360, 1280])
def test_texts_stay_in_their_boxes(opened: Opened, width: int) -> None:
    """Numbers of every size, at every width of screen: no text is wider than the box that it stands in."""
    net = preset("course")
    for scale in (1.0, 1e-9, 12345.678):
        examples = tuple(replace(e, inputs=tuple(-scale * x / 3 for x in e.inputs)) for e in net.examples)
        tab = opened(replace(net, examples=examples), 5, width=width)
        tab.run("go(2, Infinity)")
        tab.settle()
        outside = tab.run(
            "[...document.querySelectorAll('.slot')].filter(e => e.getClientRects().length).flatMap(slot => {"
            " const room = slot.querySelector('.glow').getBoundingClientRect();"
            " return [...slot.querySelectorAll('text')].filter(t => t.textContent)"
            ".filter(t => t.getBoundingClientRect().width > room.width + 4).map(t => t.textContent); })"
        )
        assert outside == []


@pytest.mark.parametrize("name", PRESETS)
def test_labels_do_not_cover_each_other(opened: Opened, name: str) -> None:
    tab = opened(name, 5, width=1280)
    covered = tab.run(
        "(() => { const plates = [...document.querySelectorAll('.net.across .weight:not(.crowded) .plate')];"
        " const boxes = plates.map(plate => plate.getBoundingClientRect()); let count = 0;"
        " boxes.forEach((a, k) => boxes.slice(k + 1).forEach(b => {"
        " const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);"
        " const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);"
        " if (wide > 0 && high > 0 && wide * high > 120) count++; })); return count; })()"
    )
    assert covered == 0


def test_dark_where_the_reader_prefers_dark(opened: Opened) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light = opened("course", 5, prefers_color_scheme="light").run(paper)
    dark = opened("course", 5, prefers_color_scheme="dark").run(paper)
    assert (light, dark) == ("rgb(255, 255, 255)", "rgb(20, 24, 29)")


def test_nothing_moves_where_the_reader_prefers_stillness(opened: Opened) -> None:
    moving = "document.getAnimations().filter(a => a.playState === 'running').length"
    for preference, expected in (("no-preference", True), ("reduce", False)):
        tab = opened("course", 5, prefers_reduced_motion=preference)
        tab.key("ArrowRight")
        assert (tab.run(moving) > 0) is expected


def test_on_paper_the_controls_are_gone_and_every_number_is_there(opened: Opened) -> None:
    tab = opened("course", 5)
    tab.run("go(1, Infinity)")
    tab.settle()
    tab.call("Emulation.setEmulatedMedia", media="print")
    assert tab.run("getComputedStyle(document.getElementById('controls')).display") == "none"
    tab.run("dispatchEvent(new Event('beforeprint'))")
    assert tab.run("document.querySelectorAll('#numbers tbody tr').length") == tab.run("stepsOf(1).length")


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{ 7*7 }}<!--"


def test_hostile_text_stays_text(opened: Opened) -> None:
    net = replace(preset("course"), name=HOSTILE, title=HOSTILE)
    tab = opened(net, 5)
    assert tab.errors == []
    assert tab.run("document.querySelector('header p').textContent") == HOSTILE
    assert HOSTILE in tab.run("document.title")
    assert tab.run("document.querySelectorAll('img').length") == 0
    assert tab.run("typeof yours.losses[0]") == "number"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"iterations": 0}, "iterations: 0"),
        ({"iterations": 10_001}, "iterations: 10001"),
        ({"iterations": True}, "iterations: True"),
        ({"net": drawn([2, 11, 1], seed=1)}, "11 units in a layer"),
        ({"net": drawn([10, 10, 10], seed=1)}, "200 weights and biases"),
        ({"net": drawn([2, 2, 1], seed=1, examples=17)}, "17 examples"),
        ({"net": drawn([4, 5, 3], seed=1, examples=16), "iterations": 10_000}, "iterations: 10000 .* at most [1-9],"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(change: dict[str, object], named: str) -> None:
    arguments: dict[str, object] = {"net": preset("course"), "iterations": 5, **change}
    with pytest.raises(InputError, match=named) as caught:
        stepper(**arguments)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_the_largest_network_that_is_allowed(opened: Opened, tmp_path: Path) -> None:
    tab = opened(drawn([10, 10, 1], seed=3, output="tanh"), 5)
    tab.run("go(1, 30)")
    tab.settle()
    assert tab.errors == []


CONTRAST = """(() => {
  const channel = c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = rgb => { const [r, g, b] = rgb.match(/[\\d.]+/g).map(Number);
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
  const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e);
    const own = e instanceof SVGElement ? "" : c.backgroundColor;
    if (own && own !== "rgba(0, 0, 0, 0)") return own; } };
  const places = "#said b, #said, .gradient, .name, .value, .quiet, .result, .numbers, .segments span, .keys, legend";
  return Math.min(...[...document.querySelectorAll(places)].filter(e => e.getClientRects().length).map(e => {
    const style = getComputedStyle(e), mine = light(e instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [mine, light(behind(e))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05); }));
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("done", [4, 20, 28])
def test_text_stands_out_from_what_is_behind_it(opened: Opened, scheme: str, done: int) -> None:
    """At least 4.5 to 1 (WCAG 2.2, 1.4.3), in each phase, light and dark."""
    tab = opened("course", 5, prefers_color_scheme=scheme)
    tab.run(f"go(1, {done}); pick('w1')")
    tab.settle()
    assert tab.run(CONTRAST) >= 4.5
