"""The slips of a network that is built in the page: those that Python knows of it, by the same words and numbers."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable

import pytest

from tinyproof.backprop.expr import evaluate
from tinyproof.backprop.presets import preset
from tinyproof.backprop.slips import UPDATED, slips
from tinyproof.backprop.trace import trace

from .browser import Browser
from .nets_at_random import one_network, spec_of
from .panel import press, put
from .test_understand_guess import ask, guess

Opened = Callable[..., Browser]
pytestmark = pytest.mark.oracle("chromium")
SLIPS = """((spec, v, n) => { const { net, equations } = network.generate(spec);
  return equations.later().map(([gradient, kind, old, belongs, place, f]) =>
    [gradient, kind, old, belongs, place, String(f(v, net.tags[0], n))]); })(%s, %s, %s)"""
NETWORKS = 60


def test_the_slips_of_networks_drawn_at_random_are_pythons(opened: Opened) -> None:
    tab, draw, compared, kinds = opened("course", 5), random.Random(26), 0, set[str]()
    for _ in range(NETWORKS):
        net = one_network(draw)
        table = trace(net, 2, "chain")
        row, after = table.row(1), table.row(2) if len(table) > 1 else table.row(1)
        new = {name: after[name] for name in net.trained}
        found = tab.run(SLIPS % tuple(json.dumps(part) for part in (spec_of(net, 5), row, new)))
        expected = slips(net)
        numbers: dict[str, int] = {}
        heads = [[s.gradient, s.kind, s.old, s.new, numbers.setdefault(s.place, len(numbers))] for s in expected]
        assert [one[:5] for one in found] == heads
        values = row | {UPDATED + name: value for name, value in new.items()}
        for slip, one in zip(expected, found, strict=True):
            assert math.isclose(float(evaluate(slip.wrong, values)), float(one[5]), rel_tol=1e-12, abs_tol=1e-15)
            compared += 1
            kinds.add(slip.kind)
    assert compared > 40 * NETWORKS
    assert len(kinds) == 8
    assert tab.errors == []


def test_a_slip_is_named_where_the_network_was_built(opened: Opened) -> None:
    """And those of the network given are there again after the way back."""
    tab = opened("course", 10)
    put(tab, "optimizer", "momentum")
    row = trace(preset("course").with_optimizer("momentum"), 1, "chain").row(1)
    wrong = repr(row["dE/dh2"] / row["a_h2"] / (1 - row["a_h2"]) * row["a_h1"] * (1 - row["a_h1"]) * row["i1"])
    for weight in ("w3", "w3"):
        ask(tab, weight)
        assert "In dE/dh2 ah1 stands where ah2 belongs." in guess(tab, wrong)
        press(tab, "given")
    assert tab.errors == []
