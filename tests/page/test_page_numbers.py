"""The numbers in the page are the trace's, to 1e-12, before and after the reader changes something."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.backprop.random_net import drawn
from tinyproof.backprop.trace import trace

from .browser import Browser

Opened = Callable[..., Browser]
pytestmark = pytest.mark.oracle("chromium")
EVERY_NUMBER = """Object.fromEntries([...document.querySelectorAll("#numbers [data-row]")].map(row => {
  const cell = row.querySelector("[data-value]");
  return [row.dataset.phase + " " + row.dataset.row, [cell.dataset.value, cell.textContent]];
}))"""
DRAWN = """Object.fromEntries([...document.querySelectorAll("#stage .net.across [data-v]")].map(
  place => [place.dataset.v, [place.dataset.value, place.textContent]]))"""


def close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-15)


def number(shown: str) -> float:
    return float(shown.replace("−", "-").replace("← ", ""))


def wrong_numbers(tab: Browser, net: Net, iteration: int, iterations: int) -> list[str]:
    """Every number of the page's table at that iteration that is not the trace's; at least one must be there."""
    tab.run("document.getElementById('numbers').open = true")
    tab.run(
        f"{{ const slider = document.getElementById('iteration'); slider.value = {iteration};"
        " slider.dispatchEvent(new Event('input')); }"
    )
    tab.settle()
    table = trace(net, iterations, "chain")
    row, after = table.row(iteration), table.row(iteration + 1)
    found: dict[str, list[str]] = tab.run(EVERY_NUMBER)
    wrong = []
    for key, (value, shown) in found.items():
        phase, name = key.split(" ", 1)
        expected = after[name] if phase == "update" else row[name]
        if not close(float(value), expected) or number(shown) != float(value):
            wrong.append(f"{key}: {value} ({shown}), trace {expected!r}")
    assert {f"update {name}" for name in net.trained} <= set(found)
    assert {f"backward dE/d{name}" for name in net.trained} <= set(found)
    assert "forward E_total" in found
    return wrong


@pytest.mark.parametrize("name", PRESETS)
def test_every_number_is_the_traces(opened: Opened, name: str) -> None:
    tab = opened(name, 60)
    for iteration in (1, 2, 3, 59):
        assert wrong_numbers(tab, preset(name), iteration, 60) == []
    assert tab.errors == []


KINDS: list[dict[str, Any]] = [
    {"shape": [3, 4, 2], "activation": "softplus", "loss": "binary cross-entropy", "biases": "unit"},
    {
        "shape": [2, 3, 2, 2], "activation": "tanh", "output": "identity", "loss": "mean squared error",
        "biases": "layer",
    },
    {
        "shape": [2, 5, 3], "activation": "leaky relu", "output": "softmax", "loss": "categorical cross-entropy",
        "examples": 3,
    },
    {"shape": [1, 1], "output": "tanh", "examples": 2, "taken": "one after the other", "biases": "unit"},
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=["softplus", "tanh", "softmax", "in-turn"])
def test_networks_drawn_at_random(opened: Opened, kind: dict[str, Any]) -> None:
    net = drawn(seed=5, learning_rate=0.1, **kind)
    tab = opened(net, 20)
    for iteration in (1, 2, 19):
        assert wrong_numbers(tab, net, iteration, 20) == []
    assert tab.errors == []


def with_parameter(net: Net, name: str, value: float) -> Net:
    """The network with one weight changed."""
    layers = list(net.layers)
    for number, rows in enumerate(net.weight_names):
        for unit, names in enumerate(rows):
            if name in names:
                row = list(layers[number].weights[unit])
                row[names.index(name)] = value
                weights = list(layers[number].weights)
                weights[unit] = tuple(row)
                layers[number] = replace(layers[number], weights=tuple(weights))
    return replace(net, layers=tuple(layers))


def with_target(net: Net, example: int, value: float) -> Net:
    examples = list(net.examples)
    examples[example] = replace(examples[example], targets=(value, *examples[example].targets[1:]))
    return replace(net, examples=tuple(examples))


@pytest.mark.parametrize("name", ["course", "worked-example", "xor", "relu", "deep"])
def test_what_the_reader_changes_is_computed_again(opened: Opened, name: str) -> None:
    net = preset(name)
    tab = opened(net, 30)
    target = "t1" if len(net.examples) == 1 else "t1[1]"
    for field, typed, changed in (
        ("w1", "-0.37", lambda n: with_parameter(n, "w1", -0.37)),
        (target, "0.25", lambda n: with_target(n, 0, 0.25)),
        ("learning_rate", "0.031", lambda n: n.with_rate(0.031)),
        (net.weight_names[-1][0][0], "1e-3", lambda n: with_parameter(n, n.weight_names[-1][0][0], 1e-3)),
    ):
        before = net
        tab.type(f'[data-given="{field}"]', typed)
        net = changed(net)
        assert wrong_numbers(tab, net, 1, 30) == []
        assert wrong_numbers(tab, net, 29, 30) == []
        assert wrong_numbers(tab, before, 29, 30), "the change must be seen in the numbers"
    tab.click("#reset")
    assert wrong_numbers(tab, preset(name), 29, 30) == []
    assert tab.errors == []


def test_an_input_is_changed(opened: Opened) -> None:
    net = preset("course")
    tab = opened(net, 20)
    tab.type('[data-given="i2"]', "-2.5")
    assert wrong_numbers(tab, replace(net, examples=(replace(net.examples[0], inputs=(0.05, -2.5)),)), 7, 20) == []


def test_a_page_that_computes_wrongly_is_caught(opened: Opened) -> None:
    """The comparison above can fail: the mistake is the one that hand-made sheets make, a_h1 where a_h2 belongs."""
    right = 'v["dE/da_h2"]*v["a_h2"]*(1-v["a_h2"])'
    assert right in opened("course", 20).run("document.documentElement.innerHTML")
    tab = opened("course", 20, edit=lambda html: html.replace(right, 'v["dE/da_h2"]*v["a_h1"]*(1-v["a_h1"])'))
    wrong = wrong_numbers(tab, preset("course"), 1, 20)
    assert any(line.startswith("backward dE/dw3") for line in wrong)
    assert not any(line.startswith("backward dE/dw5") for line in wrong)


def test_a_tiny_difference_is_caught(opened: Opened) -> None:
    tab = opened("course", 20, edit=lambda html: html.replace('"w1": 0.15,', '"w1": 0.1500000000003,'))
    assert wrong_numbers(tab, preset("course"), 1, 20)


@pytest.mark.parametrize("name", PRESETS)
def test_the_drawing_shows_the_same_numbers(opened: Opened, name: str) -> None:
    """At the end of the backward pass every box and every weight shows its number, and its gradient below it."""
    net = preset(name)
    tab = opened(net, 20)
    steps = tab.run("stepsOf(1).filter(step => step.phase !== 'update').length")
    tab.run("pick('w1')")
    tab.key("ArrowRight", steps)
    row = trace(net, 20, "chain").row(1)
    found: dict[str, list[str]] = tab.run(DRAWN)
    assert {*net.parameters, "E_total", *(f"dE/d{name}" for name in net.trained)} <= set(found)
    carried = tab.run(
        "[...document.querySelectorAll('#stage .gradient')].filter(e => e.textContent.startsWith('←'))"
        ".map(e => e.dataset.v)"
    )
    for slot, (value, shown) in found.items():
        if slot not in carried:
            assert close(float(value), row[slot]), slot
        assert math.isclose(number(shown), float(value), rel_tol=6e-3, abs_tol=1e-12), (slot, shown, value)


def test_examples_are_shown_one_at_a_time(opened: Opened) -> None:
    net = preset("xor")
    tab = opened(net, 20)
    row = trace(net, 20, "chain").row(1)
    tab.run("{ const s = document.getElementById('example'); s.value = '3'; s.dispatchEvent(new Event('change')); }")
    tab.key("End")
    found = tab.run(DRAWN)
    assert close(float(found["a_o1[1]"][0]), row["a_o1[3]"])
    assert [float(found[name][0]) for name in ("i1[1]", "i2[1]")] == [1, 0]
    assert close(float(found["dE/dh1[1]"][0]), row["dE/dh1[3]"])


def test_each_iteration_shows_its_own_example(opened: Opened) -> None:
    """Where examples are taken in turn, the second iteration shows the second example's inputs."""
    tab = opened("relu", 20)
    for iteration, inputs in ((1, (0.5, 1.0)), (2, (1.0, 0.25)), (3, (0.5, 1.0))):
        tab.run(f"go({iteration})")
        tab.settle()
        found = tab.run(DRAWN)
        assert (float(found["i1"][0]), float(found["i2"][0])) == inputs


def test_what_each_path_carries_adds_up(opened: Opened) -> None:
    """dE/da_h1 comes through w5 and w7: the parts written on the two lines are its terms."""
    tab = opened("course", 20)
    at = tab.run("stepsOf(1).findIndex(step => step.name === 'dE/da_h1')")
    tab.key("ArrowRight", at + 1)
    parts = tab.run(
        "Object.fromEntries([...document.querySelectorAll('.net.across .weight .gradient')]"
        ".filter(e => e.textContent.startsWith('←')).map(e => [e.dataset.v, Number(e.dataset.value)]))"
    )
    row = trace(preset("course"), 20, "chain").row(1)
    assert set(parts) == {"dE/dw5", "dE/dw7"}
    assert close(parts["dE/dw5"], row["dE/do1"] * row["w5"])
    assert close(parts["dE/dw7"], row["dE/do2"] * row["w7"])
    assert close(sum(parts.values()), row["dE/da_h1"])
    lines = tab.run("[...document.querySelectorAll('.net.across .link.now')].map(l => l.dataset.weight).sort()")
    assert lines == ["w5", "w7"]


def test_terms_add_up_to_every_gradient(opened: Opened) -> None:
    for name in PRESETS:
        tab = opened(name, 5)
        worst = tab.run(
            "(() => { const { v } = iterate(yours.starts[0]), steps = DATA.steps.filter(s => s.terms.length);"
            " const added = s => s.terms.reduce((sum, t) => sum + t.value(v), 0);"
            " return Math.max(...steps.map(s => Math.abs(added(s) - v[s.name]) / (Math.abs(v[s.name]) || 1))); })()"
        )
        assert worst < 1e-12, name


def test_a_rate_that_overflows_is_said_and_the_rest_kept(opened: Opened) -> None:
    net = preset("relu").with_rate(40.0)
    tab = opened(net, 300)
    table = trace(net, 300, "chain")
    assert table.diverged
    said = tab.run("document.getElementById('chart-said').textContent")
    assert f"At iteration {table.diverged} " in said
    assert tab.run("Number(document.getElementById('iteration').max)") == len(table)
    assert tab.errors == []


def test_a_worked_figure(opened: Opened) -> None:
    """The loss after one update of the well-known worked example is 0.29102777369359933."""
    tab = opened("worked-example", 5)
    tab.run("document.getElementById('numbers').open = true")
    tab.key("ArrowRight", shift=True)
    found: dict[str, list[str]] = tab.run(EVERY_NUMBER)
    assert math.isclose(float(found["forward E_total"][0]), 0.29102777369359933, rel_tol=1e-14)
    assert json.loads(json.dumps(found["forward E_total"][1])) == found["forward E_total"][0]
