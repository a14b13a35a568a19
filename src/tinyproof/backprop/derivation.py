"""The chain rule written out for one network, step by step, in symbols and with the numbers of one iteration.

For the course network these are its six steps: from E_total to w5; to every weight of the outputs; back to a_h1 and
a_h2; through their activation; to w1..w4; and those written out in full. A deeper network repeats the middle three.

>>> from tinyproof.backprop.notation import unicode
>>> step = derive("course").steps[3]
>>> print(step.title + ":", unicode(step.lines[0].symbols))
Back to the hidden activations: ∂E/∂o1·w5 + ∂E/∂o2·w7
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.backprop.descriptions import UPDATES
from tinyproof.backprop.diff import gradient_name, partials
from tinyproof.backprop.equations import RATE, can_be_written_out, forward, gradients, updates
from tinyproof.backprop.expr import Equation, Expr, Num, Var, evaluate, names, substitute, total
from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import find_net
from tinyproof.backprop.tidy import product
from tinyproof.backprop.trace import trace
from tinyproof.core.errors import InputError

DIGITS = 6  # of the numbers filled in
MOST_LINES = 5_000
LONGEST = 400  # names in a gradient that is still worth writing out


@dataclass(frozen=True)
class Line:
    """`name = chain = symbols = numbers = value`; `chain` and `numbers` where they say something new.

    `becomes`: the line is an update, `name <- symbols`.
    """

    name: str
    symbols: Expr
    value: float
    chain: Expr | None = None
    numbers: Expr | None = None
    becomes: bool = False


@dataclass(frozen=True)
class Step:
    """One step: `number` is None for the forward pass and the update, which frame the way back."""

    number: int | None
    title: str
    words: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Derivation:
    """All steps for one network, learning rate and iteration. `values`: every quantity of that iteration."""

    net: Net
    rate: float
    iteration: int
    steps: tuple[Step, ...]
    values: Mapping[str, float]


def derive(
    net: Net | Path | str = "course", iteration: int = 1, rate: float | None = None, weight: str | None = None
) -> Derivation:
    """Work the gradients of one iteration (from 1) out; of one weight or bias alone where it is named.

    Raises InputError for an iteration that cannot be reached, a weight that is not trained, or a network too large to
    be written down.
    """
    net = find_net(net)
    rate = net.learning_rate if rate is None else rate
    _check_size(net)
    values = trace(net, iteration, "chain", rate).row(iteration)
    writer = _Writer(net, values | net.optimizer.values() | {RATE: rate})
    steps = [writer.forward(), *writer.first_weight()]
    last = len(net.layers) - 1
    steps.append(writer.layer_weights(last, first=True))
    for layer in range(last - 1, -1, -1):
        steps += [writer.activations(layer), writer.sums(layer), writer.layer_weights(layer)]
    steps += [*writer.written_out(), writer.update()]
    if weight is not None:
        steps = _of_one(net, steps, weight)
    numbers = iter(range(1, len(steps)))
    numbered = [
        Step(None if k in (0, len(steps) - 1) else next(numbers), s.title, s.words, s.lines)
        for k, s in enumerate(steps)
    ]
    return Derivation(net, rate, iteration, tuple(numbered), values)


def _of_one(net: Net, steps: list[Step], weight: str) -> list[Step]:
    """The steps that lead to one weight, with the lines that its gradient and its update stand on."""
    if weight not in net.trained:
        raise InputError("weight", weight, ", ".join(net.trained[:20]) + (", .." if len(net.trained) > 20 else ""))
    gradient = gradient_name("E_total", weight)
    needed, found = {weight, gradient}, list[Step]()
    for step in reversed(steps[1:]):
        slow = step.title.startswith("From ")  # one weight in slow motion: that weight, or none
        if slow and step.lines[-1].name != gradient:
            continue
        kept: list[Line] = []
        for line in reversed(step.lines):
            if slow or line.name in needed:
                kept.append(line)
                needed |= {name for side in (line.symbols, line.chain) if side is not None for name in names(side)}
        if kept:
            own = any(line.name == gradient for line in kept)
            title = step.title if slow else _NAMES.sub(weight, step.title) if own else _NAMES.sub("", step.title)
            found.append(Step(step.number, title.removesuffix(": "), step.words, tuple(reversed(kept))))
    return [steps[0], *found[::-1]]


_NAMES = re.compile(r"\b[wb]\d*(\.\.[wb]\d+)?(, b\d*(\.\.b\d+)?)?(?![a-z])")  # `w1..w4, b1` in a heading


def lines_of(net: Net) -> int:
    """About how many lines the derivation of a network has."""
    return len(net.tags) * 4 * sum(net.shape[1:]) + 3 * len(net.trained) + len(net.states)


def _check_size(net: Net) -> None:
    lines = lines_of(net)
    if lines > MOST_LINES:
        raise InputError("network", f"about {lines:,} lines", f"at most {MOST_LINES:,}: a smaller network", net.source)


class _Writer:
    """Makes the lines; holds the network's equations and the numbers of the iteration."""

    def __init__(self, net: Net, values: Mapping[str, float]) -> None:
        self.net, self.values = net, dict(values)
        self.equations = forward(net)
        self.known = {e.expr: e.name for e in reversed(self.equations)}
        self.back = {e.name: e.expr for e in gradients(net, "chain")}
        self.users: dict[str, list[Equation]] = {}
        for equation in self.equations:
            for name in names(equation.expr):
                self.users.setdefault(name, []).append(equation)

    def line(self, name: str, symbols: Expr, chain: Expr | None = None, becomes: bool = False) -> Line:
        value = float(evaluate(symbols, self.values))
        rounded = {n: Num(float(f"{self.values[n]:.{DIGITS}g}")) for n in names(symbols)}
        numbers = substitute(symbols, rounded) if rounded and not isinstance(symbols, Var) else None
        return Line(name, symbols, value, chain if chain != symbols else None, numbers, becomes)

    def gradient(self, quantity: str) -> Line:
        """dE/dq: over what uses q, the sum of (gradient of the user) x (its derivative with respect to q)."""
        paths = [Var(gradient_name("E_total", u.name)) * Var(f"d{u.name}/d{quantity}") for u in self.users[quantity]]
        name = gradient_name("E_total", quantity)
        return self.line(name, self.back[name], total(paths))

    def errors(self) -> tuple[Line, ...]:
        """dE/dE1 and the like: numbers, which the gradients below have already multiplied in."""
        found: dict[str, Expr] = {"E_total": Num(1.0)}
        for equation in reversed([e for e in self.equations if e.name.startswith("E")]):
            for name, inner in partials(equation.expr, [e.name for e in self.equations], self.known).items():
                if name.startswith("E"):
                    found[name] = product(found[equation.name], inner)
        return tuple(self.line(f"dE/d{name}", expr) for name, expr in found.items() if name != "E_total")

    def gradients(self, quantities: Iterable[str]) -> tuple[Line, ...]:
        return tuple(self.gradient(quantity) for quantity in quantities)

    def local(self, top: str, bottom: str) -> Line:
        """The derivative of one equation: da_o1/do1."""
        expr = next(e.expr for e in self.equations if e.name == top)
        return self.line(f"d{top}/d{bottom}", partials(expr, {bottom}, self.known)[bottom])

    def units(self, layer: int, prefix: str = "") -> list[str]:
        units = [self.net.unit(layer, k) for k in range(self.net.layers[layer].units)]
        return [f"{prefix}{unit}{tag}" for tag in self.net.tags for unit in units]

    def trained(self, layer: int) -> list[str]:
        found = [name for row in self.net.weight_names[layer] for name in row]
        return found + [name for name in self.net.bias_names[layer] if name in self.net.trained]

    def forward(self) -> Step:
        words = "From the inputs to the loss, with the weights of this iteration."
        used = {layer.activation for layer in self.net.layers}
        words += " σ is the sigmoid, σ(x) = 1/(1 + exp(−x))." if used & {"sigmoid", "softplus"} else ""
        words += " softplus(x) = ln(1 + exp(x)); its slope is σ." if "softplus" in used else ""
        return Step(None, "Forward", words, tuple(self.line(e.name, e.expr) for e in self.equations))

    def first_weight(self) -> list[Step]:
        """One weight in slow motion. Left out where several paths lead to it (softmax, several examples)."""
        layer = len(self.net.layers) - 1
        weight, unit = self.net.weight_names[layer][0][0], self.net.unit(layer, 0)
        alone = all(len(self.users[name]) == 1 for name in (weight, unit, f"a_{unit}") if name in self.users)
        if self.net.together or not alone:
            return []
        a, error = f"a_{unit}", self.users[f"a_{unit}"][0].name
        chain = product(Var(f"dE/d{a}"), Var(f"d{a}/d{unit}"), Var(f"d{unit}/d{weight}"))
        whole = product(self.back[f"dE/d{a}"], *(self.local(*pair).symbols for pair in ((a, unit), (unit, weight))))
        lines = [
            next(line for line in self.errors() if line.name == f"dE/d{error}"),
            self.line(f"dE/d{a}", self.back[f"dE/d{a}"], product(Var(f"dE/d{error}"), Var(f"d{error}/d{a}"))),
            self.local(a, unit),
            self.local(unit, weight),
            self.line(f"dE/d{weight}", whole, chain),
        ]
        words = f"{weight} reaches the loss along one path: through {unit}, {a} and {error}. One factor for each part."
        return [Step(0, f"From E_total to {weight}", words, tuple(lines))]

    def layer_weights(self, layer: int, first: bool = False) -> Step:
        names = self.trained(layer)
        what = _span(names)
        if first:
            words = "The gradient of each output's weighted sum is shared by all weights that lead into it."
            lines = [*self.errors(), *self.gradients(self.units(layer, "a_")), *self.gradients(self.units(layer))]
            return Step(0, f"To the output layer: {what}", words, (*lines, *self.gradients(names)))
        words = "The gradient of a unit's weighted sum times what comes in over the weight."
        return Step(0, f"To {what}", words, self.gradients(names))

    def activations(self, layer: int) -> Step:
        words = "An activation reaches the loss through every unit it feeds: the paths are added up."
        return Step(0, f"Back to the {self.place(layer)}", words, self.gradients(self.units(layer, "a_")))

    def sums(self, layer: int) -> Step:
        activation = self.net.layers[layer].activation
        words = f"Times the slope of {activation}"
        words += ", written with the activation itself." if activation in ("sigmoid", "tanh") else "."
        return Step(0, f"Through the {self.place(layer)}", words, self.gradients(self.units(layer)))

    def place(self, layer: int) -> str:
        return "hidden activations" if len(self.net.layers) == 2 else f"activations of hidden layer {layer + 1}"

    def written_out(self) -> list[Step]:
        """The hidden layers' gradients in quantities of the forward pass alone, where they are short enough."""
        hidden = [name for layer in range(len(self.net.layers) - 1) for name in self.trained(layer)]
        if not hidden or len(self.net.layers) > 3 or self.net.together or not can_be_written_out(self.net):
            return []
        whole = {e.name: e.expr for e in gradients(self.net, "course")}
        chosen = [name for name in hidden if len(list(names(whole[f"dE/d{name}"]))) <= LONGEST]
        words = "The same gradients with everything put in: what one cell of a sheet computes."
        lines = tuple(self.line(f"dE/d{name}", whole[f"dE/d{name}"]) for name in chosen)
        return [Step(0, f"{_span(chosen)} written out", words, lines)]

    def update(self) -> Step:
        lines, before = list[Line](), dict(self.values)
        for equation in updates(self.net):
            lines.append(self.line(equation.name, equation.expr, becomes=True))
            if equation.name in self.net.states:  # what follows reads the new one
                self.values[equation.name] = lines[-1].value
        self.values = before
        return Step(None, "Update", UPDATES[self.net.optimizer.kind], tuple(lines))


def _span(names: Sequence[str]) -> str:
    """`w5..w8`, `w1..w4, b1`."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name[0], []).append(name)
    return ", ".join(group[0] if len(group) == 1 else f"{group[0]}..{group[-1]}" for group in groups.values())
