"""Two hundred networks drawn at random, computed in the page: every quantity of every iteration is Python's or torch's.

One page is opened and told one network after the other; plain descent is held against the trace, the other optimisers
against torch.optim in float64 (where examples are taken so many at a time against the trace, which is tested so).
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tinyproof.backprop.net import Net
from tinyproof.backprop.optimizer import Optimizer
from tinyproof.backprop.trace import trace

from .browser import Browser
from .nets_at_random import OPTIMIZERS, one_network, spec_of
from .test_page_numbers import close

Opened = Callable[..., Browser]
Row = dict[str, float]  # every quantity at one iteration
pytestmark = pytest.mark.oracle("chromium")
COUNT, ITERATIONS = 200, 5
# The page's own run over each network: what each iteration starts from and computes.
COMPUTED = """%s.map(spec => {
  const problem = specs.check(spec);
  if (problem) return problem.line;
  const { data, equations } = network.generate(spec);
  Object.assign(DATA, data);
  Object.assign(EQUATIONS, equations);
  prepare();
  return run(DATA.givens, DATA.iterations).starts.map(start => iterate(start).v);
})"""


def drawn_specs() -> Iterator[tuple[Net, dict[str, Any]]]:
    kinds = list(OPTIMIZERS)
    for seed in range(COUNT):
        net, draw = one_network(random.Random(seed)), random.Random(1000 + seed)
        kind = kinds[seed % 4]
        net = net if kind in ("sgd", "momentum") else untrained_where_flat(net)
        own = {name: round(draw.uniform(0.5, 0.999), 3) for name in OPTIMIZERS[kind] if name != "eps"}
        yield net, spec_of(net, ITERATIONS, kind, **(own if draw.random() < 0.5 else {}))


def untrained_where_flat(net: Net) -> Net:
    """A bias that all units of a softmax share moves nothing: its gradient is 0 but for rounding, and an optimiser that
    divides by the gradient's size makes a step of that rounding. Such a bias is held still."""
    last = net.layers[-1]
    flat = last.activation == "softmax" and isinstance(last.bias, float)
    return replace(net, layers=(*net.layers[:-1], replace(last, train_bias=False))) if flat else net


def by_torch(net: Net, optimizer: dict[str, Any]) -> list[Row]:
    """Parameters, the optimiser's states, gradients and loss of every iteration."""
    torch = pytest.importorskip("torch")
    from tests.backprop.oracles import torch_answer

    tensors = {name: torch.tensor(x, dtype=torch.float64) for name, x in net.parameters.items()}
    trained = [tensors[name] for name in net.trained]
    settings = {key: x for key, x in optimizer.items() if key in ("momentum", "alpha", "eps")}
    if optimizer["kind"] == "adam":
        betas = (optimizer["beta1"], optimizer["beta2"])
        machine = torch.optim.Adam(trained, net.learning_rate, betas, optimizer["eps"])
    else:
        kind = torch.optim.RMSprop if optimizer["kind"] == "rmsprop" else torch.optim.SGD
        machine = kind(trained, net.learning_rate, **settings)
    states = {"momentum_buffer": "m", "square_avg": "v", "exp_avg": "m", "exp_avg_sq": "v"}
    rows = []
    for k in range(ITERATIONS):
        now = {name: float(x) for name, x in tensors.items()}
        answer = torch_answer(net, now, None if net.together else k % len(net.examples))
        row = now | {"E_total": answer.loss} | {f"dE/d{name}": answer.gradients[name] for name in net.trained}
        for name, x in zip(net.trained, trained, strict=True):
            held = machine.state.get(x, {})
            row |= {f"{states[key]}_{name}": float(held[key]) for key in states if held.get(key) is not None}
            x.grad = torch.tensor(answer.gradients[name], dtype=torch.float64)
        rows.append(row)
        machine.step()
    return rows


def wrong(net: Net, spec: dict[str, Any], computed: list[Row]) -> list[str]:
    """What the page computed otherwise than the oracle."""
    kind, *settings = spec["optimizer"].items()
    if kind[1] == "sgd" or net.batch:
        table = trace(net.with_optimizer(Optimizer(kind[1], tuple(settings))), ITERATIONS, "chain")
        expected = [table.row(k) for k in range(1, len(table) + 1)]
    else:
        expected = by_torch(net, spec["optimizer"])
    if len(computed) != len(expected):
        return [f"{len(computed)} iterations, expected {len(expected)}"]
    return [
        f"iteration {k}, {name}: {row.get(name)}, expected {value!r}"
        for k, (row, right) in enumerate(zip(computed, expected, strict=True), 1)
        for name, value in right.items()
        if name not in row or not close(row[name], value)
    ]


def test_every_quantity_of_two_hundred_networks(opened: Opened) -> None:
    nets = list(drawn_specs())
    computed = opened("course", 5).run(COMPUTED % json.dumps([spec for _, spec in nets]))
    found = {seed: wrong(net, spec, rows) for seed, ((net, spec), rows) in enumerate(zip(nets, computed, strict=True))}
    assert {seed: lines[:3] for seed, lines in found.items() if lines} == {}
    seen = Counter(layer["activation"] for _, spec in nets for layer in spec["layers"])
    seen += Counter(spec[key] for _, spec in nets for key in ("loss", "taken"))
    seen += Counter(f"batch {spec['batch']}" for _, spec in nets if spec["batch"])
    seen += Counter(f"{layer['bias']} {layer['constant']}" for _, spec in nets for layer in spec["layers"])
    assert min(seen.values()) >= 15, "every kind is tried often"
    assert len(seen) == 7 + 4 + 3 + 2 + 5


@pytest.mark.parametrize(
    ("right", "planted", "kind"),
    [
        ('add(mul("momentum", state), g)', 'add(mul("momentum", state), mul(sub(1, "momentum"), g))', "momentum"),
        ('kind === "rmsprop" ? "alpha"', 'kind === "rmsprop" ? "eps"', "rmsprop"),
        ('add(["sqrt", corrected(v, "beta2")]', 'add(["sqrt", v]', "adam"),
        ("sub(1, pow(value, 2))", "sub(1, value)", "sgd"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_seen(opened: Opened, right: str, planted: str, kind: str) -> None:
    def edit(html: str) -> str:
        assert html.count(right) == 1
        return html.replace(right, planted)

    nets = list(drawn_specs())[:60]
    computed = opened("course", 5, edit=edit).run(COMPUTED % json.dumps([spec for _, spec in nets]))
    pairs = zip(nets, computed, strict=True)
    kinds = {spec["optimizer"]["kind"] for (net, spec), rows in pairs if wrong(net, spec, rows)}
    assert kinds == ({kind} if kind != "sgd" else set(OPTIMIZERS)), "the slope of tanh is everybody's"
