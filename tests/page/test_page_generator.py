"""The page's own generator, given a network, makes what Python prints of it: so the two cannot drift apart."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.show.stepper.page_data import page_data

from .browser import Browser
from .nets_at_random import one_network

Opened = Callable[..., Browser]
pytestmark = pytest.mark.oracle("chromium")
PLAIN = "JSON.stringify({}, (key, value) => typeof value === 'function' ? undefined : value)"
GENERATED = PLAIN.format("network.generate(DATA.spec).data")
# Every element of both drawings in order: its tag, its attributes, its own text; without what the page puts in later.
ELEMENTS = """(() => {
  const later = ["style", "aria-label", "aria-pressed", "data-value"];
  const live = ["now", "used", "changed", "picked", "path"];
  const value = ({ name, value }) => name === "class" ? value.split(" ").filter(word => !live.includes(word)).join(" ")
    : value.replace(/-?[0-9]+[.]?[0-9]*/g, number => Math.round(Number(number) * 10) / 10);
  const own = node => node.dataset.v ? "" : [...node.childNodes].filter(one => one.nodeType === 3)
    .map(one => one.textContent.trim()).join("");
  const flat = node => [[node.tagName, own(node), ...[...node.attributes].filter(one => !later.includes(one.name))
    .map(one => one.name + "=" + value(one)).sort()].join(" "), ...[...node.children].flatMap(flat)];
  const made = network.generate(DATA.spec), { net } = made;
  return [...document.querySelectorAll(".net")].map(given => [flat(given),
    flat(drawnNetwork(net, layout.draw(net, made.ahead, given.classList[1]), made.data))]);
})()"""
AT_RANDOM = [one_network(random.Random(seed)) for seed in range(300, 312)]
OPTIMIZED = [preset("deep").with_optimizer(kind) for kind in ("momentum", "rmsprop", "adam")]
NETS = [*map(preset, PRESETS), *OPTIMIZED, preset("xor").with_batch(2).with_optimizer("adam"), *AT_RANDOM]
IDS = [*PRESETS, "momentum", "rmsprop", "adam", "batches", *(f"random-{k}" for k in range(len(AT_RANDOM)))]


@pytest.mark.parametrize("net", NETS, ids=IDS)
def test_the_same_names_steps_words_and_mathematics(opened: Opened, net: Net) -> None:
    """Every key of every step: its place, its symbols, its paths, its sentence. And what is packed comes out whole."""
    expected = page_data(net, 5)
    tab = opened(net, 5)
    made: dict[str, Any] = json.loads(tab.run(GENERATED))
    unpacked: dict[str, Any] = json.loads(tab.run(PLAIN.format("DATA")))
    assert made["steps"] == expected["steps"]
    assert made == expected
    assert {key: unpacked[key] for key in expected} == expected
    assert list(made["givens"]) == list(expected["givens"])


@pytest.mark.parametrize("net", NETS, ids=IDS)
def test_the_same_drawing(opened: Opened, net: Net) -> None:
    drawings: list[list[list[str]]] = opened(net, 5).run(ELEMENTS)
    assert len(drawings) == 2
    for given, made in drawings:
        assert made == given


@pytest.mark.parametrize(
    ("where", "drifted", "seen"),
    [
        ('["sub", a, b]', '["sub", b, a]', "symbols"),
        ("what arrived at ${unit} times", "what came to ${unit} times", "meaning"),
        ("-column.get(name), place", "column.get(name), place", "name"),
    ],
)
def test_a_drift_is_seen(opened: Opened, where: str, drifted: str, seen: str) -> None:
    def edit(html: str) -> str:
        assert html.count(where) == 1
        return html.replace(where, drifted)

    made = json.loads(opened("course", 5, edit=edit).run(GENERATED))["steps"]
    assert any(a[seen] != b[seen] for a, b in zip(made, page_data(preset("course"), 5)["steps"], strict=True))
