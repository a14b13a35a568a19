"""What a step of a training is: torch autograd in float64, from the parameters that the sheet had before that step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from tests.workbook.layouts.spec import Spec, bias, weight

Values = Mapping[str, float]
NEAR = 1e-9


class Step(NamedTuple):
    """A parameter's change in one step: in the sheet, and by the training; and how much is rounding."""

    name: str
    number: int
    change: float
    right: float
    rounding: float


def examples_of_step(spec: Spec, step: int) -> list[int]:
    """The examples that a step reads."""
    if spec.batch == "online":
        return [step % spec.examples]
    return list(range(spec.examples))


def outputs(spec: Spec, values: Mapping[str, Any]) -> tuple[Any, Any]:
    """The sums and the outputs of the last layer: (units, steps, examples). `values`: a column of each parameter."""

    def held(name: str) -> Any:
        return values[name] if name in values else spec.constants[name]

    data = torch.tensor(spec.inputs, dtype=torch.float64)
    signals = [data[:, i].unsqueeze(0) for i in range(spec.sizes[0])]
    sums: Any = None
    for layer in spec.layers:
        made = []
        for to in spec.units(layer):
            own = held(bias(layer, to)) if spec.bias != "none" else 0.0
            made.append(sum((held(weight(layer, to, i)) * signals[i - 1] for i in spec.units(layer - 1)), own))
        sums = torch.stack(made)
        signals = list(activate(spec.activations[layer - 1], sums))
    return sums, torch.stack(signals)


def activate(kind: str, z: Any) -> Any:
    """The activation of the sums of a layer, units first."""
    made = {
        "linear": lambda: z,
        "sigmoid": lambda: torch.sigmoid(z),
        "tanh": lambda: torch.tanh(z),
        "relu": lambda: torch.relu(z),
        "softmax": lambda: torch.softmax(z, 0),
        "step": lambda: (z >= 0).double(),
        "sign": lambda: (z >= 0).double() * 2 - 1,
    }
    return made[kind]()


def objective(spec: Spec, z: Any, a: Any, t: Any) -> Any:
    """The objective of each example; for threshold units the perceptron criterion, whose slope is the rule itself."""
    if spec.objective == "perceptron":
        return -((t - a).detach() * z).sum(0)
    if spec.objective == "cross-entropy":
        whole = torch.special.xlogy(t, a)
        if spec.activations[-1] == "sigmoid":
            whole = whole + torch.special.xlogy(1 - t, 1 - a)
        return -whole.sum(0)
    return ((t - a) ** 2).sum(0) * (0.5 if spec.objective == "half" else 1.0)


def losses_and_gradients(spec: Spec, before: list[dict[str, float]]) -> tuple[list[float], list[dict[str, float]]]:
    """The objective of each step and its derivatives, each at the parameters given for that step."""
    leaves = {
        name: torch.tensor([[values[name]] for values in before], dtype=torch.float64, requires_grad=True)
        for name in spec.parameters
    }
    if spec.objective == "function":
        return _descended(spec, leaves)
    sums, made = outputs(spec, leaves)
    targets = torch.tensor(spec.targets, dtype=torch.float64).T.unsqueeze(1)
    read = torch.zeros(len(before), spec.examples, dtype=torch.float64)
    for step in range(len(before)):
        read[step, examples_of_step(spec, step)] = 1.0 / (spec.examples if spec.batch == "mean" else 1)
    whole = (objective(spec, sums, made, targets) * read).sum(1)
    slopes = torch.autograd.grad(whole.sum(), list(leaves.values()))
    columns = {name: slope[:, 0].tolist() for name, slope in zip(leaves, slopes, strict=True)}
    for name in leaves if spec.decay else ():
        if name.startswith("w"):
            columns[name] = [s + spec.decay * v[name] for s, v in zip(columns[name], before, strict=True)]
    return whole.tolist(), [{name: columns[name][step] for name in leaves} for step in range(len(before))]


def _descended(spec: Spec, leaves: dict[str, Any]) -> tuple[list[float], list[dict[str, float]]]:
    k, x, y = spec.constants, leaves["w.x"], leaves.get("w.y", torch.zeros(()))
    whole = k["a"] * (x - k["p"]) ** 2 + k["b"] * (y - k["q"]) ** 2 + k["c"] * x * y
    slopes = torch.autograd.grad(whole.sum(), list(leaves.values()))
    columns = {name: slope[:, 0].tolist() for name, slope in zip(leaves, slopes, strict=True)}
    return whole[:, 0].tolist(), [{n: columns[n][step] for n in leaves} for step in range(len(whole))]


class Optimiser:
    """The next parameters, from gradients given step by step."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.first: dict[str, float] = dict.fromkeys(spec.parameters, 0.0)
        self.second: dict[str, float] = dict.fromkeys(spec.parameters, 0.0)
        self.count = 0

    def change(self, gradient: Values) -> dict[str, float]:
        """What is added to each parameter."""
        self.count += 1
        return {name: self._one(name, gradient[name]) for name in self.spec.parameters}

    def _one(self, name: str, g: float) -> float:
        spec, n = self.spec, self.count
        if spec.rule == "plain":
            return -spec.rate * g
        if spec.rule in ("momentum", "classic"):
            self.first[name] = spec.beta * self.first[name] + g
            return -spec.rate * self.first[name]
        if spec.rule == "averaged":
            self.first[name] = spec.beta * self.first[name] + (1 - spec.beta) * g
            return -spec.rate * self.first[name]
        if spec.rule == "rmsprop":
            self.second[name] = spec.beta * self.second[name] + (1 - spec.beta) * g * g
            return -spec.rate * g / self._root(self.second[name])
        self.first[name] = spec.beta * self.first[name] + (1 - spec.beta) * g
        self.second[name] = spec.beta2 * self.second[name] + (1 - spec.beta2) * g * g
        first = self.first[name] / (1 - spec.beta**n)
        second = self.second[name] / (1 - spec.beta2**n)
        return -spec.rate * first / self._root(second)

    def _root(self, square: float) -> float:
        if self.spec.tiny_inside:
            return math.sqrt(square + self.spec.tiny)
        return math.sqrt(square) + self.spec.tiny


def steps_taken(
    spec: Spec, before: list[dict[str, float]], after: list[dict[str, float]], slopes: list[dict[str, float]]
) -> list[Step]:
    """Each parameter's change in the sheet beside what the training makes of the sheet's own values before that step.

    `before`: each step's parameters in the sheet; `after`: what the sheet makes of them; `slopes`: the derivatives.
    """
    optimiser = Optimiser(spec)
    found = []
    for step, (values, new) in enumerate(zip(before, after, strict=False)):
        changes = optimiser.change(slopes[step])
        largest = max(1e-6, *(abs(change) for change in changes.values()))
        for name, change in changes.items():
            rounding = NEAR * largest + 1e-14 * max(abs(values[name]), abs(new[name]))
            found.append(Step(name, step, new[name] - values[name], change, rounding))
    return found


def wrong_steps(taken: list[Step], share: float = 1.0) -> list[str]:
    """The parameters whose change is not `share` times the one of the training: `name @ step`."""
    return [
        f"{s.name} @ {s.number}" for s in taken if not abs(s.change - share * s.right) <= s.rounding * max(1.0, share)
    ]


def only_another_rate(taken: list[Step]) -> bool:
    """Whether one positive factor for all steps makes all of them right: a scaled objective, no mistake."""
    power = sum(s.right**2 for s in taken)
    share = sum(s.change * s.right for s in taken) / power if power else 1.0
    return share > 0 and not wrong_steps(taken, share)


def readings(spec: Spec) -> list[Spec]:
    """The same outputs trained on another objective that people use: right as well, whatever loss the sheet shows."""
    last = spec.activations[-1]
    if last == "sigmoid":
        return [spec, *(replace(spec, objective=objective) for objective in ("half", "cross-entropy"))]
    if spec.objective == "perceptron":
        return [spec, replace(spec, objective="half", activations=("linear",))]
    return [spec]
