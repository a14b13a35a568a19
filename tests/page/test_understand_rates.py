"""Compare learning rates: every loss is the trace's at that rate, divergence is said as the trace says it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from tinyproof.backprop.layer import Layer
from tinyproof.backprop.net import Example, Net
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.backprop.random_net import drawn
from tinyproof.backprop.sweep import COURSE_RATES, sweep
from tinyproof.backprop.trace import trace
from tinyproof.core.errors import InputError
from tinyproof.show.stepper import stepper

from .browser import Browser
from .panel import put
from .test_page_link import follow
from .test_page_numbers import with_parameter

Opened = Callable[..., Browser]
pytestmark = pytest.mark.oracle("chromium")
DONE = """new Promise(done => { const look = () => {
  const rows = [...document.querySelectorAll("#rates-table tbody tr")];
  rows.length && rows.every(row => row.cells[3].textContent !== "…") ? done(1) : setTimeout(look, 20); }; look(); })"""
ROWS = """[...document.querySelectorAll("#rates-table tbody tr")].map(row => ({
  rate: Number(row.querySelector("button").dataset.rate),
  open: row.querySelector("button").getAttribute("aria-pressed"),
  first: Number(row.cells[1].dataset.value), last: Number(row.cells[2].dataset.value), became: row.cells[3].textContent,
  shown: [row.cells[1].textContent, row.cells[2].textContent] }))"""


def compared(tab: Browser, rates: str = "") -> list[dict[str, Any]]:
    """The table of rates, when all of them are computed."""
    tab.run("document.getElementById('rates').open = true")
    tab.settle()
    if rates:
        tab.type("#rates-asked", rates)
        tab.key("Enter")
    tab.run(DONE)
    found: list[dict[str, Any]] = tab.run(ROWS)
    return found


def points(tab: Browser, rate: float) -> list[tuple[float, float]]:
    """The corners of a rate's curve, in the picture's units."""
    text = tab.run(f"document.querySelector('g[data-rate=\"{rate:g}\"] .line').getAttribute('points')")
    return [tuple(map(float, pair.split(","))) for pair in text.split()]  # type: ignore[misc]


def steadiness(net: Net, rate: float, iterations: int) -> float:
    """How far the last loss moves, relative to itself, where w1 moves by its last bit: above 1e-13 the run is chaotic
    (it throws its weights about) and no two machines agree on its last digits."""
    nudged = with_parameter(net, "w1", math.nextafter(net.parameters["w1"], 9.0))
    losses = [trace(each, iterations, "chain", rate).column("E_total") for each in (net, nudged)]
    return float(max(abs(losses[1] / losses[0] - 1)[-len(net.examples) :]))


@pytest.mark.parametrize("name", PRESETS)
def test_the_rates_of_the_course_end_where_the_trace_ends(opened: Opened, name: str) -> None:
    tab, net = opened(name, 60), preset(name)
    rows = compared(tab)
    assert [row["rate"] for row in rows] == list(COURSE_RATES)
    expected = sweep(net, COURSE_RATES, 60)
    steady = [steadiness(net, rate, 60) for rate in COURSE_RATES]
    assert sum(moved < 1e-13 for moved in steady) >= 4, "of all rates at most two may be compared less strictly"
    for k, row in enumerate(rows):
        table = trace(net, 60, "chain", row["rate"])
        assert math.isclose(row["first"], table.column("E_total")[: net.turns].mean(), rel_tol=1e-12)
        if table.diverged is None:
            assert math.isclose(row["last"], expected.final[k], rel_tol=max(1e-12, 100 * steady[k]), abs_tol=1e-25)
            assert row["became"] == expected.outcome(k)
        else:
            assert row["became"] in table.summary()
    assert tab.errors == []


def test_examples_in_turn_are_held_against_their_own_first_round(opened: Opened) -> None:
    """A first example that is nearly right from the start does not make every rate diverge; also where it is built."""
    layers = (Layer(((0.1, 0.2), (0.3, 0.4)), bias=(0.1, 0.2)), Layer(((0.5, -0.6),)))
    examples = (Example((0.0, 1.0), (0.6,)), Example((1.0, 1.0), (0.0,)), Example((1.0, 0.0), (1.0,)))
    net, rates = Net("turns", layers, examples, taken="one after the other"), (0.1, 0.5, 2.0, 5.0, 20.0)
    tab = opened(net, 99)
    expected = sweep(net, rates, 99)
    for _ in range(2):
        rows = compared(tab, "0.1, 0.5, 2, 5, 20")
        assert [row["became"] for row in rows] == [expected.outcome(k) for k in range(5)] == ["", "", "", "best", ""]
        assert tab.run("document.getElementById('rates-first').textContent") == "mean of 1 to 3"
        put(tab, "taken", "summed")
        put(tab, "taken", "one after the other")


@pytest.mark.parametrize("name", ["relu", "softmax"])
def test_where_a_rate_diverges_is_said_in_the_traces_words(opened: Opened, name: str) -> None:
    net, rates = preset(name), (0.05, 3.0, 40.0, 1e4, 1e300)
    tab = opened(name, 200)
    rows = compared(tab, ", ".join(f"{rate:g}" for rate in rates))
    tables = [trace(net, 200, "chain", rate) for rate in rates]
    overflowing = [table for table in tables if table.diverged is not None]
    assert overflowing, "or nothing is tried here"
    for row, table in zip(rows, tables, strict=True):
        assert (table.diverged is not None) == ("overflow" in row["became"])
        if table.diverged is not None:
            assert row["became"] in table.summary()
            assert len(points(tab, row["rate"])) == max(1, table.diverged - 1)
    said = tab.run("document.getElementById('rates-said').textContent")
    assert f"From {min(table.rate for table in overflowing):g} on the numbers overflow" in said
    assert tab.run("document.querySelectorAll('#rates-chart .cross').length") == len(overflowing)
    assert tab.errors == []


@pytest.mark.parametrize("name", ["course", "deep"])
def test_every_point_of_every_curve_is_a_loss_of_the_trace(opened: Opened, name: str) -> None:
    """Read back from the picture, in the linear scale and in the logarithmic one."""
    net, tab = preset(name), opened(name, 40)
    compared(tab)
    for logarithmic in (False, True):
        if logarithmic:
            tab.click("#rates-log")
        for rate in COURSE_RATES:
            losses = [math.log10(x) if logarithmic else x for x in trace(net, 40, "chain", rate).column("E_total")]
            heights = [y for _, y in points(tab, rate)]
            assert len(heights) == 40
            slope = (heights[-1] - heights[0]) / (losses[-1] - losses[0])
            for loss, height in zip(losses, heights, strict=True):
                assert abs(heights[0] + slope * (loss - losses[0]) - height) < 0.2
    assert tab.errors == []


def test_a_click_on_a_curve_and_enter_on_a_rate_open_that_run(opened: Opened) -> None:
    tab = opened("course", 40)
    compared(tab)
    tab.run("document.querySelector('#rates-table button[data-rate=\"0.8\"]').focus()")
    tab.key("Enter")
    assert tab.run("mine.learning_rate") == 0.8
    assert tab.run("document.querySelector('[data-given=learning_rate]').value") == "0.8"
    assert tab.run("yours.losses") == pytest.approx(trace("course", 40, rate=0.8).column("E_total"), rel=1e-12)
    assert tab.run("document.activeElement.dataset.rate") == "0.8", "the place is kept"
    assert [row["rate"] for row in compared(tab) if row["open"] == "true"] == [0.8]
    place = tab.run(
        "(g => { g.scrollIntoView({ block: 'center' }); const box = g.getBoundingClientRect();"
        " const [x, y] = g.querySelector('.line').getAttribute('points').split(' ')[30].split(',').map(Number);"
        " const svg = g.ownerSVGElement, p = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM()); return [p.x, p.y];"
        " })(document.querySelector('g[data-rate=\"0.1\"]'))"
    )
    for kind in ("mousePressed", "mouseReleased"):
        tab.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)
    tab.settle()
    assert tab.run("mine.learning_rate") == 0.1
    assert tab.errors == []


def test_a_span_of_rates_as_in_the_command_and_what_is_no_rate(opened: Opened) -> None:
    tab = opened("course", 10)
    assert [row["rate"] for row in compared(tab, "0.1:2:0.1")] == [round(0.1 * k, 1) for k in range(1, 21)]
    assert [row["rate"] for row in compared(tab, "0.01:10:*10; 0.5")] == [0.01, 0.1, 0.5, 1, 10]
    for typed, said in (
        ("0.1, abc", "“abc” is not allowed"),
        ("-1", "“-1” is not allowed"),
        ("0", "“0” is not allowed"),
        ("1:2", "“1:2” is not allowed"),
        ("0.1:2:0", "“0.1:2:0” is not allowed"),
        ("0.01:10:0.01", "are too many; allowed: at most 24"),
        (" , ", "give at least one number above 0"),
    ):
        rows = compared(tab, typed)
        assert said in tab.run("document.getElementById('rates-wrong').textContent")
        assert len(rows) == 5, "the last good ones stay"
    compared(tab, "0.3")
    assert tab.run("document.getElementById('rates-wrong').textContent") == ""
    assert tab.errors == []


def test_it_is_computed_when_it_is_opened_and_again_when_something_else_changes(opened: Opened) -> None:
    tab = opened("course", 20)
    tab.run("var count = 0; { const old = iterate; iterate = start => { count++; return old(start); }; }")
    tab.run("go(2)")
    tab.settle()
    assert tab.run("count") <= 2, "closed, it costs nothing"
    compared(tab)
    assert 6 * 20 <= tab.run("count") <= 6 * 20 + 10
    tab.run("count = 0; go(5)")
    tab.settle()
    assert tab.run("count") <= 2
    tab.type('[data-given="w1"]', "0.4")
    rows = compared(tab)
    assert tab.run("count") >= 7 * 20
    losses = tab.run("run({ ...mine, learning_rate: 2 }, 20).losses")
    assert rows[-1]["last"] == losses[-1]
    assert tab.errors == []


def test_the_largest_page_stays_at_work_meanwhile(opened: Opened) -> None:
    """At the page's own limit six rates are computed in pieces: no task lasts a second."""
    net = drawn([10, 10, 1], seed=3, output="tanh")
    per = 1
    while True:
        try:
            stepper(net, per * 2)
            per *= 2
        except InputError:
            break
    assert per >= 1024
    tab = opened(net, per, width=1280)
    tab.run(
        "var longest = 0, seen = performance.now(); { const beat = () => { const now = performance.now();"
        " longest = Math.max(longest, now - seen); seen = now; setTimeout(beat); }; beat(); }"
    )
    tab.run("document.getElementById('rates').open = true; longest = 0; seen = performance.now()")
    rows = compared(tab)
    assert len(rows) == 6
    assert tab.run("longest") < 1000
    assert tab.errors == []


def test_the_address_keeps_the_rates(opened: Opened) -> None:
    tab = opened("course", 10)
    compared(tab, "0.3, 7")
    link = tab.run("new Promise(done => setTimeout(() => done(location.hash), 700))")
    assert link == "#open=rates&rates=0.3+7"
    follow(tab, link[1:])
    assert [row["rate"] for row in compared(tab)] == [0.3, 7]
    follow(tab, "open=rates+nosuch+__proto__+constructor&rates=-1+abc")
    assert [row["rate"] for row in compared(tab)] == list(COURSE_RATES)
    assert tab.errors == []
