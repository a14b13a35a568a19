"""The network that a reader built leaves the page and comes back: as a link, checked, and as TOML for the commands."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.backprop.toml import from_toml
from tinyproof.backprop.trace import trace

from .browser import Browser
from .nets_at_random import one_network, spec_of
from .panel import press, put
from .test_page_keyboard import where
from .test_page_link import LATER, follow
from .test_page_numbers import close, wrong_numbers

Opened = Callable[..., Browser]
Call = Callable[..., subprocess.CompletedProcess[str]]
pytestmark = pytest.mark.oracle("chromium")
LINE = "document.getElementById('link-wrong')?.textContent ?? ''"
GOOD = "net=2-2s-1s&loss=hse&taken=s&optimizer=sgd&rate=0.5&iterations=30&data=0_1_1&seed=7"
# Each spec goes into an address and comes back.
ROUND = """%s.map(spec => {
  const params = new URLSearchParams();
  specs.toLink(spec, params);
  return [specs.fromLink(new URLSearchParams(String(params))), String(params).length];
})"""


def at_random(count: int) -> list[tuple[Net, dict[str, Any]]]:
    nets = [one_network(random.Random(seed)) for seed in range(500, 500 + count)]
    kinds = ["sgd", "momentum", "rmsprop", "adam"]
    return [(net, spec_of(net, 30, kinds[k % 4])) for k, net in enumerate(nets)]


def test_a_built_network_is_in_the_address_and_opens_again(opened: Opened) -> None:
    tab = opened("course", 30)
    press(tab, "gate XOR")
    put(tab, "layers[2].units", 1)
    put(tab, "layers[1].units", 3)
    put(tab, "optimizer", "adam")
    tab.type('[data-given="w1"]', "0.125")
    tab.run("showExample(3); pick('w6'); go(4, 2)")
    link = tab.run(LATER)
    look = "JSON.stringify([DATA.givens, mine, yours.losses, document.querySelector('.drawing').textContent])"
    before = tab.run(look)
    assert len(link) < 250
    follow(tab, link[1:])
    assert tab.run(look) == before
    assert where(tab) == "4/2"
    assert tab.run("document.getElementById('example').value") == "3"
    assert tab.run("document.querySelector('[data-given=w1]').value") == "0.125"
    fields = "[...document.querySelectorAll('[data-field]')].filter(e => /units|optimizer|seed/.test(e.dataset.field))"
    assert tab.run(f"{fields}.map(e => e.value)") == ["3", "1", "adam", "1"]
    assert (tab.run(LATER), tab.run(LINE), tab.errors) == (link, "", [])
    press(tab, "given")
    tab.run("pick(state.picked)")
    assert "net=" not in tab.run(LATER)


def test_every_network_survives_its_address(opened: Opened) -> None:
    """Sixty at random, with their own weights: not a digit is lost."""
    specs = [spec for _, spec in at_random(60)]
    found = opened("course", 5).run(ROUND % json.dumps(specs))
    for spec, (back, length) in zip(specs, found, strict=True):
        assert back.get("spec") == spec, back
        assert length < 1500


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("2-2s-1s", "2-11s-1s"), "layers[1].units: 11 is not allowed; allowed: a whole number from 1 to 10"),
        (("2-2s-1s", "10-10s-9s"), "network: '190 weights and biases' is not allowed; allowed: at most 120 on a page"),
        (("2-2s-1s", "2-2z-1s"), "layers[1].activation: "),
        (("2-2s-1s", "2-" + "2s-" * 200 + "1s"), "layers: 201 is not allowed; allowed: 1 to 120"),
        (("2-2s-1s", "<img src=x onerror=alert(1)>"), "inputs: "),
        (("2-2s-1s", "2-<script>alert(1)</script>-1s"), "layers[1].units: "),
        (("2-2s-1s", ""), "inputs: "),
        (("hse", "<b>x</b>"), "loss: "),
        (("hse", "constructor"), "loss: "),
        (("sgd", "__proto__"), "optimizer: '' is not allowed; allowed: sgd, momentum, rmsprop, adam"),
        (("sgd", "<img src=x onerror=alert(1)>"), "optimizer: '<img src=x onerror=alert(1)>' is not allowed"),
        (("sgd", "adam_1_2_3"), "beta1: 1 is not allowed; allowed: a number from 0 to below 1"),
        (("sgd", "momentum"), "momentum: NaN is not allowed"),
        (("rate=0.5", "rate=-1"), "learning rate: -1 is not allowed; allowed: a finite number above 0"),
        (("rate=0.5", "rate=1e999"), "learning rate: Infinity is not allowed"),
        (("iterations=30", "iterations=999999999"), "iterations: 999999999 is not allowed"),
        (("iterations=30", "iterations="), "iterations: NaN is not allowed"),
        (("0_1_1", "0_1"), "examples[1].targets: '0 numbers' is not allowed; allowed: 1"),
        (("0_1_1", "0_x_1"), "examples[1].inputs: NaN is not allowed; allowed: a finite number"),
        (("0_1_1", "_".join(["1"] * 51)), "network: '17 examples' is not allowed; allowed: 1 to 16 on a page"),
        (("0_1_1", ""), "network: '0 examples' is not allowed"),
        (("seed=7", "seed=-7"), "seed: -7 is not allowed"),
        (("seed=7", "start=1_2_3"), "starting weights: '3 numbers' is not allowed; allowed: 6"),
        (("seed=7", "start=1_2_3_4_5_1e999"), "starting weights: Infinity is not allowed; allowed: a finite number"),
        (("seed=7", "start=" + "1_" * 9000), "the link: longer than 8000 characters"),
    ],
)  # fmt: skip
def test_a_hostile_network_in_a_link_gets_one_line_and_the_network_given(
    opened: Opened, change: tuple[str, str], line: str
) -> None:
    assert change[0] in GOOD
    tab = opened("course", 30)
    follow(tab, GOOD.replace(*change))
    said = tab.run(LINE)
    assert said.startswith(f"The network in this address cannot be shown: {line}")
    assert "\n" not in said
    assert len(said) < 400
    assert tab.errors == []
    assert tab.run("document.querySelectorAll('img, #link-wrong *').length") == 0
    assert wrong_numbers(tab, preset("course"), 2, 30) == []


def test_the_link_that_those_are_made_of_is_good(opened: Opened) -> None:
    tab = opened("course", 30)
    follow(tab, GOOD + "&iteration=3&w1=0.5")
    assert (tab.run(LINE), tab.run("DATA.weights.length"), where(tab)) == ("", 6, "3/0")
    assert tab.run("mine.w1") == 0.5
    assert tab.errors == []


def test_toml_reads_back_as_the_same_network(opened: Opened) -> None:
    """Of every preset and of networks at random; the trace of what Python reads is the page's."""
    pairs = [(net, spec) for net, spec in at_random(40) if spec["optimizer"]["kind"] == "sgd"]
    pairs += [(preset(name), spec_of(preset(name), 30)) for name in PRESETS]
    texts = opened("course", 5).run(f"{json.dumps([spec for _, spec in pairs])}.map(specs.toToml)")
    for (net, _), text in zip(pairs, texts, strict=True):
        read = from_toml(text)
        for field in ("examples", "loss", "taken", "learning_rate"):
            assert getattr(read, field) == getattr(net, field)
        for a, b in zip(read.layers, net.layers, strict=True):
            assert (a.weights, a.activation, a.bias) == (b.weights, b.activation, b.bias)
            assert a.bias is None or a.train_bias == b.train_bias
            assert a.activation != "leaky relu" or a.leak == b.leak
        assert trace(read, 5).values.tolist() == trace(net, 5).values.tolist()


def test_an_optimiser_stands_in_the_toml(opened: Opened) -> None:
    tab = opened("course", 5)
    put(tab, "optimizer", "adam")
    put(tab, "beta1", 0.8)
    lines = tab.run("builder.toml()").splitlines()
    assert lines[4:8] == ['optimizer = "adam"', "beta1 = 0.8", "beta2 = 0.999", "eps = 1e-8"]
    put(tab, "optimizer", "sgd")
    assert "optimizer" not in tab.run("builder.toml()")


def test_the_file_that_is_saved_makes_a_workbook_and_a_page(opened: Opened, cli: Call, tmp_path: Path) -> None:
    """The button saves mine.toml; the commands that stand beside it read it; its numbers are those of the page."""
    tab = opened("course", 5)
    tab.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    put(tab, "layers[1].activation", "leaky relu")
    put(tab, "layers[1].bias", "unit")
    tab.type('[data-given="w1"]', "0.375")
    press(tab, "toml")
    file = tmp_path / "mine.toml"
    for _ in range(50):
        if file.exists() and file.stat().st_size:
            break
        tab.run("new Promise(done => setTimeout(done, 100))")
    said = tab.run("document.querySelector('.actions').textContent")
    for command, out in (("workbook", "mine.xlsx"), ("page", "mine.html")):
        assert f"tinyproof {command} mine.toml" in said
        done = cli(command, file, "--out", tmp_path / out)
        assert (done.returncode, done.stderr) == (0, "")
        assert (tmp_path / out).stat().st_size > 5000
    row = trace(file, 5, "chain").row(3)
    values: dict[str, float] = tab.run("iterate(yours.starts[2]).v")
    assert trace(file, 1).row(1)["w1"] == 0.375
    assert all(close(values[name], value) for name, value in row.items())
