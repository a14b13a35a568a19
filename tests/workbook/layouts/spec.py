"""What a workbook trains: a small net or a line, its objective, its optimiser and its data, drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Literal

Activation = Literal["linear", "sigmoid", "tanh", "relu", "softmax", "step", "sign"]
Objective = Literal["half", "square", "cross-entropy", "perceptron", "function"]
Bias = Literal["trained", "none", "constant"]
Batch = Literal["one", "online", "sum", "mean"]
Rule = Literal["plain", "momentum", "averaged", "classic", "rmsprop", "adam"]

MODELS = ("line", "plane", "logistic", "softmax", "two-layer", "perceptron")


@dataclass(frozen=True)
class Spec:
    """A training. `sizes`: inputs, units of each layer; `data`: inputs and targets of each example.

    `batch`: one example for ever, one after the other, or the sum or the mean over all. `constants`: biases that are
    not trained. `rule`: momentum as v = beta v + g, averaged with (1 - beta) g, classic with the rate inside v.
    """

    model: str
    sizes: tuple[int, ...]
    activations: tuple[Activation, ...]
    objective: Objective
    bias: Bias
    batch: Batch
    rule: Rule
    inputs: tuple[tuple[float, ...], ...]
    targets: tuple[tuple[float, ...], ...]
    start: dict[str, float] = field(hash=False)
    constants: dict[str, float] = field(hash=False)
    steps: int = 6
    rate: float = 0.1
    beta: float = 0.9
    beta2: float = 0.99
    tiny: float = 1e-6
    tiny_inside: bool = False  # of the root
    decay: float = 0.0
    one_bias: bool = False  # a constant one, the same for all units of a layer

    @property
    def layers(self) -> range:
        return range(1, len(self.sizes))

    @property
    def examples(self) -> int:
        return len(self.inputs)

    def units(self, layer: int) -> range:
        return range(1, self.sizes[layer] + 1)

    @property
    def parameters(self) -> list[str]:
        return list(self.start)


def weight(layer: int, to: int, source: int) -> str:
    return f"w.{layer}.{to}.{source}"


def bias(layer: int, to: int) -> str:
    return f"b.{layer}.{to}"


def draw(
    rng: random.Random,
    model: str | None = None,
    batch: Batch | None = None,
    rule: Rule = "plain",
    steps: int | None = None,
) -> Spec:
    """A training at random, the rest as given."""
    model = model or rng.choice(MODELS)
    batch = batch or rng.choice(["one", "online", "sum", "mean"])
    sizes, activations, objective = _shape(rng, model)
    own_bias: Bias = rng.choice(["trained", "trained", "none", "constant"])
    if model in ("line", "perceptron"):
        own_bias = "trained"
    elif model != "two-layer" and own_bias == "constant":
        own_bias = "none"
    start, constants = _start(rng, sizes, own_bias, model)
    one_bias = own_bias == "constant" and rng.random() < 0.5
    if one_bias:
        constants = {name: constants[bias(int(name.split(".")[1]), 1)] for name in constants}
    if model == "two-layer" and rng.random() < 0.08:
        frozen = rng.choice([1, 2])  # a layer that is not trained
        constants |= {name: value for name, value in start.items() if name.startswith(f"w.{frozen}.")}
        start = {name: value for name, value in start.items() if name not in constants}
    count = 1 if batch == "one" else rng.randint(3, 6)
    inputs, targets = _data(rng, model, sizes, activations, count)
    return Spec(
        model=model,
        sizes=sizes,
        activations=activations,
        objective=objective,
        bias=own_bias,
        batch=batch,
        rule=rule,
        inputs=inputs,
        targets=targets,
        start=start,
        constants=constants,
        steps=steps or rng.randint(4, 9),
        rate=_rate(rng, model, rule),
        beta=rng.choice([0.9, 0.8, 0.5]),
        beta2=rng.choice([0.99, 0.999, 0.9]),
        tiny=rng.choice([1e-8, 1e-6]),
        one_bias=one_bias,
        tiny_inside=rng.random() < 0.3,
    )


def _rate(rng: random.Random, model: str, rule: Rule) -> float:
    if rule in ("rmsprop", "adam"):
        return rng.choice([0.01, 0.05, 0.1])
    if model in ("line", "plane"):
        return rng.choice([0.01, 0.02, 0.05])
    return rng.choice([0.1, 0.2, 0.3, 0.5, 0.7])


def _shape(rng: random.Random, model: str) -> tuple[tuple[int, ...], tuple[Activation, ...], Objective]:
    if model == "line":
        return (1, 1), ("linear",), rng.choice(["half", "square"])
    if model == "plane":
        return (rng.randint(2, 3), 1), ("linear",), rng.choice(["half", "square"])
    if model == "logistic":
        return (rng.randint(1, 3), 1), ("sigmoid",), rng.choice(["cross-entropy", "half", "square"])
    if model == "softmax":
        return (rng.randint(2, 3), rng.randint(2, 3)), ("softmax",), "cross-entropy"
    if model == "perceptron":
        return (rng.randint(2, 3), 1), (rng.choice(["step", "sign"]),), "perceptron"
    hidden: Activation = rng.choice(["sigmoid", "sigmoid", "tanh", "relu", "relu"])
    last: Activation = rng.choice(["sigmoid", "sigmoid", "linear", "softmax"])
    outputs = 2 if last == "softmax" else rng.randint(1, 2)
    if last == "softmax":
        objective: Objective = "cross-entropy"
    else:
        objective = "half" if last == "linear" else rng.choice(["half", "half", "square", "cross-entropy"])
    return (2, rng.randint(2, 3), outputs), (hidden, last), objective


def _start(
    rng: random.Random, sizes: tuple[int, ...], own_bias: Bias, model: str
) -> tuple[dict[str, float], dict[str, float]]:
    """Start values; no two the same, so that a mistaken neighbour shows."""
    start: dict[str, float] = {}
    constants: dict[str, float] = {}
    pool = [i / 100 for i in range(-90, 91) if abs(i) > 7]
    if model == "perceptron":
        pool = [i / 10 for i in range(-9, 10) if i]
    rng.shuffle(pool)
    for layer in range(1, len(sizes)):
        for to in range(1, sizes[layer] + 1):
            for source in range(1, sizes[layer - 1] + 1):
                start[weight(layer, to, source)] = pool.pop()
            if own_bias == "trained":
                start[bias(layer, to)] = pool.pop()
            elif own_bias == "constant":
                constants[bias(layer, to)] = pool.pop()
    return start, constants


def _data(
    rng: random.Random, model: str, sizes: tuple[int, ...], activations: tuple[Activation, ...], count: int
) -> tuple[tuple[tuple[float, ...], ...], tuple[tuple[float, ...], ...]]:
    used: set[float] = {0.0}

    def number(low: float, high: float, places: int = 2) -> float:
        while True:
            made = round(rng.uniform(low, high), places)
            if made not in used or len(used) > 150:
                used.add(made)
                return made

    inputs = tuple(tuple(number(-2, 2) for _ in range(sizes[0])) for _ in range(count))
    if model == "two-layer" and rng.random() < 0.25:
        inputs = tuple(tuple(round(abs(x), 2) for x in row) for row in inputs)
    targets = tuple(_target(rng, activations[-1], sizes[-1], number) for _ in range(count))
    return inputs, targets


def _target(rng: random.Random, last: Activation, size: int, number: object) -> tuple[float, ...]:
    if last == "softmax":
        chosen = rng.randrange(size)
        return tuple(float(i == chosen) for i in range(size))
    if last == "sign":
        return tuple(float(rng.choice([-1, 1])) for _ in range(size))
    if last == "step":
        return tuple(float(rng.choice([0, 1])) for _ in range(size))
    if last == "sigmoid":
        if rng.random() < 0.5:
            return tuple(float(rng.choice([0, 1])) for _ in range(size))
        return tuple(number(0.05, 0.95) for _ in range(size))  # type: ignore[operator]
    return tuple(number(-2, 3) for _ in range(size))  # type: ignore[operator]
