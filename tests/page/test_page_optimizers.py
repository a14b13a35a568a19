"""The page with an optimiser: its states go on as the trace's, and its settings can be changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from tinyproof.backprop.optimizer import Optimizer
from tinyproof.backprop.presets import preset
from tinyproof.backprop.random_net import drawn
from tinyproof.backprop.toml import from_toml, to_toml
from tinyproof.core.errors import InputError

from .browser import Browser
from .panel import put
from .test_page_link import follow
from .test_page_numbers import EVERY_NUMBER, wrong_numbers

Opened = Callable[..., Browser]
pytestmark = pytest.mark.oracle("chromium")
KINDS = ("momentum", "rmsprop", "adam")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["course", "xor", "relu", "worked-example"])
def test_every_number_is_the_traces(opened: Opened, name: str, kind: str) -> None:
    net = preset(name).with_rate(0.02).with_optimizer(kind)
    tab = opened(net, 60)
    for iteration in (1, 2, 3, 59):
        assert wrong_numbers(tab, net, iteration, 60) == []
    found = tab.run(EVERY_NUMBER)
    assert {f"update {state}" for state in net.states} <= set(found)
    assert tab.errors == []


def test_a_network_drawn_at_random(opened: Opened) -> None:
    net = drawn([3, 4, 2], 5, activation="tanh", biases="unit", examples=3, learning_rate=0.01).with_optimizer("adam")
    tab = opened(net, 20)
    for iteration in (1, 2, 19):
        assert wrong_numbers(tab, net, iteration, 20) == []
    assert tab.errors == []


@pytest.mark.parametrize(("kind", "taken"), [("sgd", "averaged"), ("momentum", "summed"), ("adam", "averaged")])
def test_examples_are_taken_so_many_at_a_time(opened: Opened, kind: str, taken: str) -> None:
    net = drawn([2, 3, 1], 8, biases="unit", examples=4, learning_rate=0.1, taken=taken)
    net = net.with_optimizer(kind).with_batch(2)
    tab = opened(net, 25)
    for iteration in (1, 2, 3, 24):
        assert wrong_numbers(tab, net, iteration, 25) == []
    tab.run("go(4, 0)")
    tab.settle()
    assert "Iteration 4, examples 3 to 4 of 4" in tab.run("document.getElementById('where-iteration').textContent")
    tab.type('[data-given="i2[3]"]', "0.75")
    changed = replace(net.examples[2], inputs=(net.examples[2].inputs[0], 0.75))
    other = replace(net, examples=(*net.examples[:2], changed, net.examples[3]))
    assert wrong_numbers(tab, other, 24, 25) == []
    assert wrong_numbers(tab, net, 24, 25), "the change must be seen in the numbers"
    assert from_toml(tab.run("builder.toml()")).batch == 2
    assert tab.errors == []


def test_how_many_a_step_takes_is_changed_there(opened: Opened) -> None:
    tab = opened("xor", 20)
    put(tab, "batch", 3)
    line = "batch: 3 is not allowed; allowed: a number that divides the 4 examples: 1, 2, 4"
    assert line in tab.run("document.getElementById('wrong-training').textContent")
    put(tab, "batch", 2)
    assert tab.run("[DATA.examples, DATA.turns]") == [2, 2]
    assert wrong_numbers(tab, preset("xor").with_batch(2), 19, 20) == []
    assert "4 examples, summed, 2 at a time" in tab.run("document.querySelector('header p').textContent")
    put(tab, "batch", 4)
    assert tab.run("[DATA.examples, DATA.turns]") == [4, 1]
    assert tab.errors == []


def test_settings_are_changed(opened: Opened) -> None:
    net = preset("course").with_rate(0.02).with_optimizer("adam")
    tab = opened(net, 30)
    settings = net.optimizer.values()
    for name, typed in (("beta1", "0.5"), ("beta2", "0.9"), ("eps", "0.01")):
        before = net
        tab.type(f'[data-given="{name}"]', typed)
        settings[name] = float(typed)
        net = net.with_optimizer(Optimizer("adam", tuple(settings.items())))
        assert wrong_numbers(tab, net, 29, 30) == []
        assert wrong_numbers(tab, before, 29, 30), "the change must be seen in the numbers"
    assert not tab.run("document.querySelector('[data-given=\"m_w1\"]')"), "a state is no given to change"
    assert tab.errors == []


def test_what_a_setting_cannot_be_is_told_as_the_command_tells_it(opened: Opened) -> None:
    """In the field and in the address; what is saved from the page is always read by the commands."""
    net = preset("course").with_optimizer("adam")
    tab = opened(net, 20)
    shown = "document.getElementById('wrong').textContent"
    for name, typed, label in (("beta1", "1", "beta1"), ("eps", "0", "eps"), ("learning_rate", "-3", "learning rate")):
        tab.type(f'[data-given="{name}"]', typed)
        with pytest.raises(InputError) as refused:
            from_toml(f"{name} = {typed}\n" + re.sub(rf"(?m)^{name} = .*\n", "", to_toml(net)))
        (line,) = (line for line in tab.run(shown).split("please.") if label in line)
        assert line.endswith(f": {refused.value.allowed}, ")
        assert tab.run(f"document.querySelector('[data-given=\"{name}\"]').getAttribute('aria-invalid')") == "true"
    assert from_toml(tab.run("builder.toml()")).optimizer == net.optimizer
    tab.type('[data-given="beta1"]', "0")
    assert "beta1" not in tab.run(shown)
    follow(tab, "beta1=1&eps=-1&learning_rate=-3&beta2=0.5")
    assert tab.run("[mine.beta1, mine.beta2, mine.eps, mine.learning_rate]") == [0.9, 0.5, 1e-8, net.learning_rate]
    assert tab.errors == []


def test_an_update_shows_the_new_states_and_words_for_them(opened: Opened) -> None:
    """The last steps of an iteration: m_w8 and then w8, whose formula is filled with the new m_w8."""
    net = preset("course").with_rate(0.5).with_optimizer("momentum")
    tab = opened(net, 20)
    tab.key("ArrowRight", shift=True)
    tab.key("End")
    said = tab.run("document.getElementById('said').textContent")
    assert "The new w8 is " in said
    assert "the old value less the learning rate times the new m" in said
    shown = tab.run("document.getElementById('mathematics').textContent")
    new = tab.run("iterate(yours.starts[1]).next.m_w8")
    assert f"{new:.6g}".rstrip("0") in shown
    tab.run("pick('w3')")
    chain = tab.run("[...document.querySelectorAll('#chain .step-down')].map(item => item.textContent)")
    assert len(chain) == 2


def test_a_page_that_forgets_its_state_is_caught(opened: Opened) -> None:
    net = preset("course").with_rate(0.02).with_optimizer("momentum")
    forgets = 'v["momentum"]*v["m_w3"]+'
    tab = opened(net, 20, edit=lambda html: html.replace(forgets, ""))
    assert wrong_numbers(tab, net, 1, 20) == []  # nothing to forget yet
    assert any(line.startswith("update m_w3") for line in wrong_numbers(tab, net, 2, 20))
