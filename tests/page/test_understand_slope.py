"""Nudged weights and the factors of a gradient: each number is the trace's, or follows from its equations."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tinyproof.backprop.diff import partial
from tinyproof.backprop.equations import forward
from tinyproof.backprop.expr import Number, evaluate, evaluate_all
from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.backprop.random_net import drawn
from tinyproof.backprop.trace import trace

from .browser import Browser
from .test_page_link import follow
from .test_page_numbers import KINDS, close, with_parameter

Opened = Callable[..., Browser]
pytestmark = pytest.mark.oracle("chromium")
NUDGED = """[...document.querySelectorAll("#nudge-table tr")].map(row => Number(row.cells[1].dataset.value))"""
FACTORS = """[...document.querySelectorAll("#slope-table tbody tr")].map(row => [row.dataset.weight,
  ...[...row.querySelectorAll("[data-value]")].map(cell => Number(cell.dataset.value)),
  row.cells[row.cells.length - 1].textContent])"""
LEAD = "[...document.querySelectorAll('#slope-lead [data-value]')].map(e => Number(e.dataset.value))"


def text(tab: Browser, name: str) -> str:
    return str(tab.run(f"document.getElementById({name!r}).textContent"))


def put(tab: Browser, name: str, value: str, event: str) -> None:
    tab.run(
        f"{{ const e = document.getElementById({name!r}); e.value = {value!r};"
        f" e.dispatchEvent(new Event({event!r})); }}"
    )
    tab.settle()


def nudged(tab: Browser, weight: str, step: str, iteration: int) -> list[float]:
    """What the loss did, what the gradient said, the remainder, what curvature says."""
    tab.run(f"document.getElementById('nudge').open = true; choose({weight!r}); go({iteration})")
    tab.type("#nudge-step", step)
    return list(tab.run(NUDGED))


@pytest.mark.parametrize("name", PRESETS)
def test_a_nudged_weight_moves_the_loss_as_in_a_trace_that_starts_there(opened: Opened, name: str) -> None:
    net, tab = preset(name), opened(name, 30)
    for weight in (net.weight_names[0][0][0], net.weight_names[-1][-1][-1]):
        for step in (0.01, -0.5):
            moved = with_parameter(net, weight, net.parameters[weight] + step)
            here, there = (trace(each, 1, "chain").row(1) for each in (net, moved))
            rise, said, rest, _ = nudged(tab, weight, f"{step}", 1)
            assert abs(rise - (there["E_total"] - here["E_total"])) <= 1e-12 * here["E_total"]
            assert close(said, here[f"dE/d{weight}"] * step)
            assert abs(rest - (rise - said)) <= 1e-18
            shown = tab.run("Number(document.querySelector('#nudge-chart .moved').dataset.value)")
            assert close(shown, there["E_total"])
    assert tab.errors == []


@pytest.mark.parametrize("name", PRESETS)
def test_a_later_iteration_and_the_curvature(opened: Opened, name: str) -> None:
    """The curvature is held against a second difference of the loss in steps that float64 bears."""
    net, tab, equations = preset(name), opened(name, 30), forward(preset(name))
    row = trace(net, 30, "chain").row(20)
    for weight in (net.weight_names[0][0][0], net.weight_names[-1][-1][-1]):

        def loss(by: float, weight: str = weight) -> Number:
            return evaluate_all(equations, {**row, weight: row[weight] + by})["E_total"]

        rise, said, _, curvature = nudged(tab, weight, "0.25", 20)
        assert abs(rise - (loss(0.25) - loss(0))) <= 1e-12 * row["E_total"]
        assert close(said, row[f"dE/d{weight}"] * 0.25)
        h = 1e-3
        bend = (loss(h) - 2 * loss(0) + loss(-h)) / h**2
        assert math.isclose(curvature, bend * 0.25**2 / 2, rel_tol=1e-3, abs_tol=1e-9)
    assert tab.errors == []


def test_the_remainder_is_explained(opened: Opened) -> None:
    tab = opened("course", 10)
    rise, said, rest, curvature = nudged(tab, "w5", "0.01", 1)
    assert math.isclose(rest, curvature, rel_tol=1e-2)
    assert f"the loss moves by {rise:.6g}, the gradient said {said:.6g}" in text(tab, "nudge-lead")
    assert "bends upwards" in text(tab, "nudge-why")
    assert "half the step leaves a quarter of it" in text(tab, "nudge-why")
    half = nudged(tab, "w5", "0.005", 1)[2]
    assert math.isclose(half, rest / 4, rel_tol=1e-2)


def test_a_step_over_the_corner_of_a_relu_is_said(opened: Opened) -> None:
    net = preset("relu")
    tab, row = opened(net, 10), trace(net, 1, "chain").row(1)
    unit = next(h for h in ("h1", "h2", "h3") if row[h] > 0)
    weight = net.weight_names[0][int(unit[1]) - 1][0]
    nudged(tab, weight, f"{-2 * row[unit] / row['i1']}", 1)
    assert f"On the way {unit} passes 0" in text(tab, "nudge-why")
    nudged(tab, weight, "1e-6", 1)
    assert "passes 0" not in text(tab, "nudge-why")


@pytest.mark.parametrize("typed", ["", "abc", "0", "1e999", "--1"])
def test_a_step_that_is_none_is_refused_in_one_line(opened: Opened, typed: str) -> None:
    tab = opened("course", 5)
    before = nudged(tab, "w5", "0.01", 1)
    put(tab, "nudge-step", typed, "input")
    assert tab.run(NUDGED) == before
    assert text(tab, "nudge-wrong") == "step: a number other than 0, please. Until then the last good one counts."
    tab.type("#nudge-step", "−0,02")
    assert text(tab, "nudge-wrong") == ""
    assert tab.run(NUDGED)[1] == pytest.approx(-2 * before[1])
    assert tab.errors == []


def factors(tab: Browser, unit: str) -> tuple[list[float], list[list[Any]]]:
    """The unit's sum, output and slope; of each of its weights the factors, the product and which is the smallest."""
    tab.run("document.getElementById('slope').open = true")
    put(tab, "slope-unit", unit, "change")
    return tab.run(LEAD), tab.run(FACTORS)


def wrong_factors(tab: Browser, net: Net, iteration: int) -> list[str]:
    """Every unit of every example: what is not the trace's, or not its equations' slope."""
    row, wrong = trace(net, iteration, "chain").row(iteration), []
    equations = {equation.name: equation.expr for equation in forward(net)}
    added: dict[str, float] = {}
    for number, tag in enumerate(net.tags, 1):
        tab.run(f"go({iteration}); showExample({number})")
        for place, layer in enumerate(net.layers):
            for k in range(layer.units):
                unit = net.unit(place, k)
                (sum_, out, slope), rows = factors(tab, unit)
                name = unit + tag
                right = evaluate(partial(equations[f"a_{name}"], name), row)
                if not (close(sum_, row[name]) and close(out, row[f"a_{name}"]) and close(slope, right)):
                    wrong.append(f"{name}: {sum_}, {out}, {slope}")
                for weight, *parts, product, _ in rows:
                    added[weight] = added.get(weight, 0.0) + product
                    if not close(math.prod(parts), product):
                        wrong.append(f"{weight}: {parts} is not {product}")
                    if len(parts) == 3 and not (close(parts[0], row[f"dE/da_{name}"]) and close(parts[1], right)):
                        wrong.append(f"{weight}: {parts}")
                    if len(parts) == 2 and not close(parts[0], row[f"dE/d{name}"]):
                        wrong.append(f"{weight}: {parts}")
    assert set(added) == set(net.trained)
    return wrong + [
        f"{name}: {value}"
        for name, value in added.items()
        if not math.isclose(value, row[f"dE/d{name}"], rel_tol=1e-11)
    ]


@pytest.mark.parametrize("name", PRESETS)
def test_the_factors_multiply_to_the_gradient(opened: Opened, name: str) -> None:
    tab = opened(name, 10)
    for iteration in (1, 7):
        assert wrong_factors(tab, preset(name), iteration) == []
    assert tab.errors == []


@pytest.mark.parametrize("kind", KINDS, ids=["softplus", "tanh", "softmax", "in-turn"])
def test_the_factors_of_networks_drawn_at_random(opened: Opened, kind: dict[str, Any]) -> None:
    net = drawn(seed=6, learning_rate=0.1, **kind)
    assert wrong_factors(opened(net, 5), net, 3) == []


def test_a_wrong_slope_would_be_found(opened: Opened) -> None:
    tab = opened("course", 5, edit=lambda html: html.replace(
        'v["dE/da_h2"]*v["a_h2"]*(1-v["a_h2"])', 'v["dE/da_h2"]*v["a_h1"]*(1-v["a_h1"])'))  # fmt: skip
    assert any(line.startswith("h2:") for line in wrong_factors(tab, preset("course"), 1))


@pytest.mark.parametrize(
    ("activation", "sum_", "look", "words"),
    [
        ("sigmoid", 0.1, "good", "steep"),
        ("sigmoid", 2.6, "warn", "flattening"),
        ("sigmoid", -7.0, "bad", "saturated"),
        ("tanh", 3.0, "bad", "saturated"),
        ("relu", 1.0, "good", "steep"),
        ("relu", -1.0, "bad", "shut: the slope is 0, nothing that arrives passes"),
        ("leaky relu", -1.0, "bad", "saturated: 1 % of the steepest slope"),
        ("softplus", -6.0, "bad", "saturated"),
        ("softplus", 4.0, "good", "steep"),
        ("identity", 50.0, "good", "a straight line, which never saturates"),
    ],
)
def test_saturation_is_said_in_colour_and_in_words(
    opened: Opened, activation: str, sum_: float, look: str, words: str
) -> None:
    net = drawn([1, 1, 1], seed=1, activation=activation, biases="unit")
    layers = (replace(net.layers[0], weights=((0.0,),), bias=(sum_,)), net.layers[1])
    tab = opened(replace(net, layers=layers), 5)
    (shown, _, _), rows = factors(tab, "h1")
    assert close(shown, sum_)
    assert words in text(tab, "slope-lead")
    assert (
        tab.run("document.querySelector('#slope-lead b.good, #slope-lead b.warn, #slope-lead b.bad').className") == look
    )
    assert tab.run(f"document.querySelectorAll('#slope-chart .{look}').length") == 2
    assert [row[0] for row in rows] == ["w1", "b1"]
    assert tab.errors == []


def test_softmax_is_said_honestly(opened: Opened) -> None:
    tab = opened("softmax", 5)
    factors(tab, "o2")
    assert "With softmax there is no single slope" in text(tab, "slope-softmax")
    factors(tab, "h1")
    assert text(tab, "slope-softmax") == ""


def test_the_unit_follows_the_weight_until_one_is_chosen(opened: Opened) -> None:
    tab = opened("course", 5)
    tab.run("document.getElementById('slope').open = true")
    for weight, unit in (("w3", "h2"), ("w8", "o2")):
        tab.run(f"choose({weight!r})")
        tab.settle()
        assert tab.run("document.getElementById('slope-unit').value") == unit
    factors(tab, "h1")
    tab.run("choose('w8')")
    tab.settle()
    assert tab.run("document.getElementById('slope-unit').value") == "h1"
    link = tab.run("new Promise(done => setTimeout(() => done(location.hash), 700))")
    assert link == "#weight=w8&open=slope&unit=h1"
    follow(tab, link[1:] + "&nudge=0.5")
    tab.run("document.getElementById('nudge').open = true")
    tab.settle()
    assert tab.run("document.getElementById('slope-unit').value") == "h1"
    assert tab.run("document.getElementById('nudge-step').value") == "0.5"
    assert tab.errors == []
