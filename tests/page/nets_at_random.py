"""Networks drawn at random for the page: every activation, loss, way of taking examples, kind of bias, optimiser."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

from tinyproof.backprop.layer import ACTIVATIONS
from tinyproof.backprop.net import LOSSES, TAKEN, Example, Layer, Net
from tinyproof.show.stepper.given_spec import given_spec

OPTIMIZERS: dict[str, dict[str, float]] = {
    "sgd": {},
    "momentum": {"momentum": 0.9},
    "rmsprop": {"alpha": 0.99, "eps": 1e-8},
    "adam": {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
}


def one_network(draw: random.Random) -> Net:
    """1 to 3 layers of 1 to 4 units; everything that Net allows, and all of it within the limits of a page."""
    shape = [draw.randint(1, 4) for _ in range(draw.randint(2, 4))]
    loss = draw.choice(LOSSES)
    last = {"binary cross-entropy": "sigmoid", "categorical cross-entropy": "softmax"}.get(loss)
    last = last or draw.choice(ACTIVATIONS)
    if last == "softmax":
        shape[-1] = max(2, shape[-1])
    inner = [name for name in ACTIVATIONS if name != "softmax"]
    layers = []
    for number, (before, units) in enumerate(pairwise(shape), 2):
        biases = [None, _number(draw), tuple(_number(draw) for _ in range(units))]
        rows = tuple(tuple(_number(draw) for _ in range(before)) for _ in range(units))
        kind: Any = last if number == len(shape) else draw.choice(inner)
        leak = draw.choice([0.01, 0.2, 0.25])
        layers.append(Layer(rows, kind, draw.choice(biases), draw.random() < 0.7, leak))
    examples = tuple(_example(draw, shape, loss) for _ in range(draw.choice([1, 1, 2, 3, 4])))
    rate, taken = draw.choice([0.05, 0.1, 0.3]), draw.choice(TAKEN)
    batches = [None, *(k for k in (1, 2) if taken != "one after the other" and len(examples) % k == 0)]
    net = Net("at random", tuple(layers), examples, loss, taken, rate)  # type: ignore[arg-type]
    return net.with_batch(draw.choice(batches))


def _number(draw: random.Random) -> float:
    return round(draw.uniform(-1, 1), 3)


def _example(draw: random.Random, shape: list[int], loss: str) -> Example:
    hot = draw.randrange(shape[-1])
    targets = tuple(float(k == hot) for k in range(shape[-1]))
    if loss != "categorical cross-entropy":
        targets = tuple(round(draw.random(), 3) for _ in targets)
    return Example(tuple(_number(draw) for _ in range(shape[0])), targets)


def spec_of(net: Net, iterations: int, kind: str = "sgd", **settings: float) -> dict[str, Any]:
    """The network as the page's panel holds it."""
    return {**given_spec(net, iterations), "optimizer": {"kind": kind, **OPTIMIZERS[kind], **settings}}
