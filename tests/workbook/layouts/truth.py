"""What a step of a training is: torch autograd in float64, from the parameters that the sheet had before that step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
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


def outputs(spec: Spec, values: Mapping[str, Any], example: int) -> tuple[list[Any], list[Any]]:
    """The sums and the outputs of the last layer."""
    signals: list[Any] = [torch.tensor(v, dtype=torch.float64) for v in spec.inputs[example]]
    sums: list[Any] = []
    for layer in spec.layers:
        sums = []
        for to in spec.units(layer):
            terms = [values[weight(layer, to, i)] * signals[i - 1] for i in spec.units(layer - 1)]
            own = values.get(bias(layer, to), spec.constants.get(bias(layer, to), 0.0))
            sums.append(sum(terms) + own)
        signals = activate(spec.activations[layer - 1], sums)
    return sums, signals


def activate(kind: str, sums: list[Any]) -> list[Any]:
    z = torch.stack([torch.as_tensor(s, dtype=torch.float64) for s in sums])
    made = {
        "linear": lambda: z,
        "sigmoid": lambda: torch.sigmoid(z),
        "tanh": lambda: torch.tanh(z),
        "relu": lambda: torch.relu(z),
        "softmax": lambda: torch.softmax(z, 0),
        "step": lambda: (z >= 0).double(),
        "sign": lambda: (z >= 0).double() * 2 - 1,
    }[kind]()
    return list(made)


def objective(spec: Spec, sums: list[Any], made: list[Any], targets: tuple[float, ...] | list[Any]) -> Any:
    """The objective of one example; for threshold units the perceptron criterion, whose slope is the rule itself."""
    a, z = torch.stack(list(made)), torch.stack([torch.as_tensor(s, dtype=torch.float64) for s in sums])
    t = torch.stack([torch.as_tensor(v, dtype=torch.float64) for v in targets])
    if spec.objective == "perceptron":
        return -((t - a).detach() * z).sum()
    if spec.objective == "cross-entropy":
        whole = torch.special.xlogy(t, a)
        if spec.activations[-1] == "sigmoid":
            whole = whole + torch.special.xlogy(1 - t, 1 - a)
        return -whole.sum()
    return ((t - a) ** 2).sum() * (0.5 if spec.objective == "half" else 1.0)


def loss_and_gradient(spec: Spec, values: Values, step: int) -> tuple[float, dict[str, float]]:
    """The objective of a step and its derivatives, each parameter as given."""
    leaves = {name: torch.tensor(values[name], dtype=torch.float64, requires_grad=True) for name in spec.parameters}
    chosen = examples_of_step(spec, step)
    parts = []
    for example in chosen:
        sums, made = outputs(spec, leaves, example)
        parts.append(objective(spec, sums, made, spec.targets[example]))
    whole = sum(parts) / (len(parts) if spec.batch == "mean" else 1)
    slopes = torch.autograd.grad(whole, list(leaves.values()))
    return float(whole.detach()), {name: float(slope) for name, slope in zip(leaves, slopes, strict=True)}


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
        if spec.rule == "momentum":
            self.first[name] = spec.beta * self.first[name] + g
            return -spec.rate * self.first[name]
        if spec.rule == "averaged":
            self.first[name] = spec.beta * self.first[name] + (1 - spec.beta) * g
            return -spec.rate * self.first[name]
        if spec.rule == "rmsprop":
            self.second[name] = spec.beta * self.second[name] + (1 - spec.beta) * g * g
            return -spec.rate * g / (math.sqrt(self.second[name]) + spec.tiny)
        self.first[name] = spec.beta * self.first[name] + (1 - spec.beta) * g
        self.second[name] = spec.beta2 * self.second[name] + (1 - spec.beta2) * g * g
        first = self.first[name] / (1 - spec.beta**n)
        second = self.second[name] / (1 - spec.beta2**n)
        return -spec.rate * first / (math.sqrt(second) + spec.tiny)


Slopes = Callable[[int, Values], dict[str, float]]


def steps_taken(
    spec: Spec, before: list[dict[str, float]], after: list[dict[str, float]], slopes: Slopes
) -> list[Step]:
    """Each parameter's change in the sheet beside what the training makes of the sheet's own values before that step.

    `before`: each step's parameters in the sheet; `after`: what the sheet makes of them.
    """
    optimiser = Optimiser(spec)
    found = []
    for step, values in enumerate(before):
        if not all(math.isfinite(v) for v in values.values()):
            found.append(Step("not a number", step, math.nan, 0.0, 0.0))
            break
        changes = optimiser.change(slopes(step, values))
        if step >= len(after):
            break
        largest = max(1e-6, *(abs(change) for change in changes.values()))
        for name, change in changes.items():
            rounding = NEAR * largest + 1e-14 * max(abs(values[name]), abs(after[step][name]))
            found.append(Step(name, step, after[step][name] - values[name], change, rounding))
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
