"""The panel: what the reader chooses becomes the page, in every part; what is wrong gets its line, beside its field."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from tinyproof.backprop.layer import Example, Layer
from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import preset

from .browser import Browser
from .panel import press, put
from .test_page_keyboard import where
from .test_page_numbers import DRAWN, close, number, wrong_numbers

Opened = Callable[..., Browser]
pytestmark = pytest.mark.oracle("chromium")
LINES = "[...document.querySelectorAll('#build-form .line-wrong')].map(e => e.textContent).filter(Boolean)"
INVALID = "[...document.querySelectorAll('#build-form [aria-invalid]')].map(e => e.dataset.field)"


def weights(tab: Browser) -> dict[str, float]:
    return dict(tab.run("Object.fromEntries(Object.keys(given).filter(n => /^[wb]/.test(n)).map(n => [n, given[n]]))"))


def test_a_network_is_built_field_by_field(opened: Opened) -> None:
    """From the course's network to a 2-3-1 that learns XOR; then every number of the page is the trace's."""
    tab = opened("course", 30)
    press(tab, "gate XOR")
    put(tab, "layers[2].units", 1)
    put(tab, "layers[1].units", 3)
    put(tab, "layers[1].activation", "tanh")
    put(tab, "layers[1].bias", "unit")
    put(tab, "layers[2].bias", "layer")
    put(tab, "loss", "binary cross-entropy")
    put(tab, "taken", "averaged")
    put(tab, "rate", 0.25)
    assert tab.run(LINES) == []
    w = weights(tab)
    assert len(w) == 6 + 3 + 3 + 1
    assert all(-1 <= value <= 1 and round(value, 2) == value for value in w.values())
    hidden = Layer(((w["w1"], w["w2"]), (w["w3"], w["w4"]), (w["w5"], w["w6"])), "tanh", (w["b1"], w["b2"], w["b3"]))
    output = Layer(((w["w7"], w["w8"], w["w9"]),), "sigmoid", w["b4"])
    table = tuple(Example((float(a), float(b)), (float(a != b),)) for a in (0, 1) for b in (0, 1))
    net = Net("built", (hidden, output), table, "binary cross-entropy", "averaged", 0.25)
    for iteration in (1, 2, 29):
        assert wrong_numbers(tab, net, iteration, 30) == []
    assert tab.errors == []
    assert tab.run("[...document.getElementById('example').options].map(o => o.text)") == [
        f"{k} of 4" for k in range(1, 5)
    ]
    assert tab.run("document.getElementById('example').closest('label').hidden") is False
    assert tab.run("[...document.getElementById('picked').options].map(o => o.value)") == list(net.trained)
    assert "2-3-1 (tanh, sigmoid), binary cross-entropy, 4 examples" in tab.run(
        "document.querySelector('header p').textContent"
    )


def test_the_page_works_on_after_that(opened: Opened) -> None:
    """Steps, words, drawing, a weight clicked, its derivation, the fields, the curve: all of the new network."""
    tab = opened("softmax", 20)
    put(tab, "loss", "half squared error")
    put(tab, "layers[2].activation", "tanh")
    put(tab, "layers[2].units", 1)
    steps = tab.run("stepsOf(1).filter(step => step.phase !== 'update').length")
    tab.run("go(1)")
    tab.key("ArrowRight", steps)
    values: dict[str, float] = tab.run("iterate(yours.starts[0]).v")
    found: dict[str, list[str]] = tab.run(DRAWN)
    assert {"w1", "a_o1[1]", "dE/dw1", "E_total"} <= set(found)
    assert "a_o2[1]" not in found
    for slot, (value, shown) in found.items():
        if shown and not shown.startswith("←"):
            assert close(float(value), values[slot])
            assert abs(number(shown) - float(value)) <= 6e-3 * abs(float(value)) + 1e-12
    last = tab.run("DATA.trained.at(-1)")
    tab.click(f".weight[data-pick={last}]")
    assert tab.run("document.getElementById('picked').value") == last
    assert tab.run("document.querySelectorAll('#chain li').length") >= 3
    assert "Backward, step" in tab.run("document.getElementById('said').textContent")
    before = tab.run("yours.losses.at(-1)")
    tab.type('[data-given="w1"]', "0.75")
    assert tab.run("yours.losses.at(-1)") != before
    assert tab.run("document.querySelectorAll('#chart .given').length") == 1
    assert tab.errors == []


def test_an_optimiser_is_stepped_and_derived(opened: Opened) -> None:
    """Its states are steps of the update, in order, and stand in the derivation with the numbers they hold then."""
    tab = opened("course", 20)
    put(tab, "optimizer", "adam")
    put(tab, "beta1", 0.8)
    names = tab.run("DATA.steps.filter(step => step.phase === 'update').map(step => step.name)")
    each = [f"w{k}" for k in range(1, 9)]
    assert names == ["n", *(f"m_{w}" for w in each), *(f"v_{w}" for w in each), *each]
    tab.run("go(3)")
    tab.settle()
    last = tab.run("[...document.querySelectorAll('#chain li')].slice(-4).map(li => li.textContent)")
    assert [line.split("←")[0] for line in last] == ["n", "mw1", "vw1", "w1"]
    gradient = tab.run("iterate(yours.starts[2]).v['dE/dw1']")
    held = tab.run("yours.starts[2].m_w1")
    shown = float(last[1].split("=")[-1].replace("−", "-").replace("·10", "e"))
    assert abs(shown - (0.8 * held + 0.2 * gradient)) < 1e-9
    assert "=2+1=3" in last[0]
    assert tab.errors == []


def test_a_button_pressed_right_after_typing_counts(opened: Opened) -> None:
    """With a real mouse: the field changes while the button is down, and both are heard."""
    tab = opened("course", 20)
    tab.run("document.getElementById('build').open = true")
    tab.type('[data-field="layers[1].units"]', "3")
    tab.click("[data-act=add-layer]")
    tab.run("new Promise(done => setTimeout(done, 100))")
    assert tab.run("[DATA.weights.length, document.querySelectorAll('[data-act^=remove-layer]').length]") == [16, 2]
    tab.type('[data-field="examples[1].inputs[1]"]', "abc")
    tab.type('[data-field="examples[1].inputs[1]"]', "0.25")
    tab.click("[data-act=add-example]")
    tab.run("new Promise(done => setTimeout(done, 100))")
    assert tab.run("[given['i1[1]'], DATA.examples]") == [0.25, 2]
    assert tab.errors == []


def test_weights_stay_while_the_layers_do(opened: Opened) -> None:
    tab = opened("course", 20)
    given = preset("course").parameters
    put(tab, "layers[1].activation", "tanh")
    put(tab, "optimizer", "momentum")
    assert weights(tab) == given
    tab.type('[data-given="w1"]', "0.5")
    put(tab, "layers[2].activation", "identity")
    assert weights(tab) == given | {"w1": 0.5}, "what the reader changed is kept as well"
    put(tab, "layers[1].bias", "unit")
    drawn = weights(tab)
    assert drawn["w1"] != 0.5
    press(tab, "redraw")
    assert weights(tab) != drawn
    put(tab, "seed", 1)
    assert weights(tab) == drawn, "the same seed, the same weights"


def test_layers_and_examples_are_added_and_removed(opened: Opened) -> None:
    tab = opened("course", 20)
    press(tab, "add-layer")
    press(tab, "add-layer")
    assert tab.run("DATA.weights.length") == 16
    press(tab, "remove-layer 0")
    assert tab.run("DATA.weights.length") == 12
    press(tab, "add-example")
    put(tab, "examples[2].inputs[1]", 0.75)
    put(tab, "taken", "one after the other")
    assert tab.run("[given['i1[2]'], DATA.turns]") == [0.75, 2]
    press(tab, "remove-example 0")
    assert tab.run("[given.i1, DATA.turns]") == [0.75, 1]
    assert tab.run(LINES) == []
    assert tab.errors == []


@pytest.mark.parametrize(
    ("field", "value", "line"),
    [
        ("inputs", 11, "inputs: 11 is not allowed; allowed: a whole number from 1 to 10"),
        ("inputs", "", "inputs: '' is not allowed; allowed: a whole number from 1 to 10"),
        ("layers[1].units", 0, "layers[1].units: 0 is not allowed; allowed: a whole number from 1 to 10"),
        ("layers[2].units", 2.5, "layers[2].units: 2.5 is not allowed"),
        ("layers[1].activation", "softmax", "layers[1].activation: 'softmax' is not allowed; allowed: softmax"),
        ("loss", "binary cross-entropy", "loss: 'binary cross-entropy' is not allowed; allowed: binary"),
        ("loss", "categorical cross-entropy", "loss: 'categorical cross-entropy' is not allowed; allowed: cat"),
        ("rate", 0, "learning rate: 0 is not allowed; allowed: a finite number above 0"),
        ("rate", -1, "learning rate: -1 is not allowed; allowed: a finite number above 0"),
        ("iterations", 10_001, "iterations: 10001 is not allowed; allowed: a whole number from 1 to 10,000"),
        ("momentum", 1, "momentum: 1 is not allowed; allowed: a number from 0 to below 1"),
        ("momentum", "", "momentum: '' is not allowed; allowed: a number from 0 to below 1"),
        ("examples[1].inputs[2]", "", "examples[1].inputs: '' is not allowed; allowed: a finite number"),
        ("seed", -3, "seed: -3 is not allowed; allowed: a whole number from 0 to 4294967295"),
    ],
)  # fmt: skip
def test_a_wrong_value_gets_its_line_and_the_last_good_network_stays(
    opened: Opened, field: str, value: object, line: str
) -> None:
    tab = opened(replace(preset("relu"), loss="half squared error"), 20)
    put(tab, "optimizer", "momentum")
    before = tab.run("[yours.losses.join(), DATA.weights.length]")
    good = tab.run(f"[...document.querySelectorAll('[data-field]')].find(e => e.dataset.field === {field!r}).value")
    put(tab, field, value)
    lines = tab.run(LINES)
    assert len(lines) == 1
    assert lines[0].startswith(line)
    assert "\n" not in lines[0]
    assert tab.run(INVALID) == [field]
    described = "document.querySelector('[aria-invalid=true]').getAttribute('aria-describedby')"
    assert tab.run(f"document.getElementById({described}).textContent") == lines[0]
    assert tab.run("[yours.losses.join(), DATA.weights.length]") == before
    put(tab, field, good)
    assert (tab.run(LINES), tab.run(INVALID), tab.errors) == ([], [], [])


def test_the_limits_of_a_page_hold(opened: Opened) -> None:
    """120 weights and biases, 16 examples, as many iterations as a browser can: the command's sentences."""
    tab = opened("course", 20)
    put(tab, "inputs", 10)
    put(tab, "layers[1].units", 10)
    put(tab, "layers[2].units", 2)
    assert tab.run(LINES) == []
    put(tab, "layers[2].bias", "layer")
    assert tab.run(LINES)[0].startswith(
        "network: '121 weights and biases' is not allowed; allowed: at most 120 on a page"
    )
    put(tab, "layers[2].bias", "none")
    for _ in range(15):
        press(tab, "add-example")
    assert tab.run(LINES) == []
    press(tab, "add-example")
    assert tab.run(LINES)[0].startswith("network: '17 examples' is not allowed; allowed: 1 to 16 on a page")
    press(tab, "remove-example 16")
    put(tab, "iterations", 10_000)
    most = 2_000_000 // tab.run("EQUATIONS.forward.length + EQUATIONS.backward.length")
    assert tab.run(LINES)[0].startswith(
        f"iterations: 10000 is not allowed; allowed: at most {most:,} for a network of this size"
    )
    assert tab.run("DATA.iterations") == 20
    assert tab.errors == []


def test_targets_that_do_not_fit_the_loss(opened: Opened) -> None:
    tab = opened("softmax", 20)
    put(tab, "examples[1].targets[1]", 0.5)
    assert tab.run(LINES)[0].startswith(
        "examples[1].targets: [0.5, 0, 0] is not allowed; allowed: numbers that add up to 1"
    )
    put(tab, "examples[1].targets[1]", 2)
    assert "allowed: numbers from 0 to 1 with categorical cross-entropy" in tab.run(LINES)[0]


def test_back_to_the_network_given(opened: Opened) -> None:
    """Everything is as it was when the page was opened, the drawing included."""
    look = (
        "JSON.stringify([DATA.steps.map(s => [s.name, s.symbols]), DATA.givens, yours.losses,"
        " document.querySelector('.drawing').textContent, [...document.querySelectorAll('[data-given]')].map("
        "e => [e.closest('fieldset').textContent.replace(/\\s+/g, ''), e.dataset.given, e.value]),"
        " document.querySelector('header p').textContent,"
        " [...document.getElementById('picked').options].map(o => o.value)])"
    )
    tab = opened("xor", 20)
    before = json.loads(tab.run(look))
    press(tab, "add-layer")
    put(tab, "optimizer", "rmsprop")
    assert json.loads(tab.run(look))[0] != before[0]
    press(tab, "given")
    assert json.loads(tab.run(look)) == before
    assert wrong_numbers(tab, preset("xor"), 2, 20) == []
    assert where(tab) == "2/0"
    assert tab.errors == []


def test_the_teaching_parts_are_told_of_a_new_network(opened: Opened) -> None:
    tab = opened("course", 5)
    tab.run(
        "globalThis.timesRebuilt = 0;"
        "{ const own = teach.rebuilt; teach.rebuilt = function () { timesRebuilt++; return own.call(this); }; } 0"
    )
    put(tab, "layers[1].units", 3)
    assert "w10" in tab.run("[...document.getElementById('nudge-weight').options].map(one => one.value)")
    press(tab, "given")
    assert "w10" not in tab.run("[...document.getElementById('nudge-weight').options].map(one => one.value)")
    assert tab.run("timesRebuilt") == 2
    assert tab.errors == []
