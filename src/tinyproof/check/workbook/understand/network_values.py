"""The network of a table as it was understood, and random values that agree with it: rows after one right update."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from tinyproof.backprop.diff import backward, gradient_name, written_out
from tinyproof.backprop.expr import Equation, Expr, evaluate_all, names
from tinyproof.check.workbook.thresholds import AWAKE, SAMPLES, STEPS
from tinyproof.check.workbook.understand.meaning import SEED, Random, Values
from tinyproof.check.workbook.understand.patterns import (
    ColumnPatterns,
    before,
    column_of,
    current,
    is_constant,
)
from tinyproof.check.workbook.understand.roles import Roles
from tinyproof.check.workbook.understand.tables import Table
from tinyproof.core.arrays import np

LOSS = "E_total"  # the loss where no column holds the total


@dataclass
class Network:
    """What was understood: the forward equations from the leaves to the loss, and how well the gradients fit them.

    `equations` are over column variables, in order, the loss last. `fixed`: columns whose formula as written is not
    its equation. `loops`: columns whose formulas go round in a circle. `unread`: columns that could not be read;
    `tainted`: parameters whose gradient depends on one of those, and on which.
    """

    table: Table
    roles: Roles
    columns: dict[int, ColumnPatterns]
    equations: list[Equation] = field(default_factory=list)
    fixed: set[str] = field(default_factory=set)
    loops: list[str] = field(default_factory=list)
    misfits: int = 0
    unread: frozenset[int] = frozenset()
    tainted: dict[int, int] = field(default_factory=dict)

    @cached_property
    def backward(self) -> list[Equation]:
        """The gradient of every quantity on the way from the parameters to the loss."""
        return backward(self.equations, [current(col) for col in self.parameters])

    @cached_property
    def _whole(self) -> dict[str, Expr]:
        found = written_out(self.backward, [equation.name for equation in self.backward])
        return {equation.name: equation.expr for equation in found}

    def chain_rule(self, parameter: int) -> Expr:
        """The right gradient of a parameter's column, written out in variables of the row."""
        return self._whole[gradient_name(self.loss, current(parameter))]

    @property
    def loss(self) -> str:
        return self.equations[-1].name if self.equations else ""

    @property
    def parameters(self) -> list[int]:
        return self.roles.of("weight", "bias")

    def equation(self, name: str) -> Expr | None:
        return next((e.expr for e in self.equations if e.name == name), None)


def sample(network: Network) -> tuple[Values, dict[int, np.ndarray]]:
    """Random self-consistent values: of the row before, and of this row after one right update; the gradients too.

    Names: `@c`, `@c[-1]`, outside cells, `rate`. The second value: the right gradient of each parameter's column, in
    the row before. A step that puts a unit to sleep would hide what stands behind it; then another is drawn.
    """
    for attempt, rates in enumerate(STEPS):
        values, gradients = _one_step(network, Random(SEED + attempt), *rates)
        if not _asleep(network, values):
            break
    return values, gradients


def _one_step(network: Network, random: Random, low: float, high: float) -> tuple[Values, dict[int, np.ndarray]]:
    """`sample` with learning rates between `low` and `high`."""
    forward = {e.name for e in network.equations}
    back = network.backward
    past = _leaves(network, random, forward, "[-1]", {})
    past = _unknown_slopes(network, random, "[-1]", evaluate_all([*network.equations, *back], past))
    gradients = {col: column_values(past, gradient_name(network.loss, current(col))) for col in network.parameters}
    rate = random("rate", low, high)
    now = _leaves(network, random, forward, "", past)
    for col in network.parameters:
        now[current(col)] = past[current(col)] - rate * gradients[col]
    now = _unknown_slopes(network, random, "", evaluate_all([*network.equations, *back], now))
    values: Values = {name: column_values(now, name) for name in now}
    for name, drawn in past.items():
        place = column_of(name)
        values[before(place.col) if place and place.here else f"{name}@past"] = np.asarray(drawn)
    values["rate"] = rate
    return values, gradients


def _asleep(network: Network, values: Values) -> bool:
    """Whether something of the forward pass is 0 on nearly all samples, as a ReLU that one step has switched off is."""
    return any(np.count_nonzero(values[equation.name]) < AWAKE for equation in network.equations)


def _unknown_slopes(network: Network, random: Random, tag: str, values: Values) -> Values:
    """The values with a random gradient for every parameter whose own is not known: its update can still be judged."""
    found = dict(values)
    for col in network.tainted:
        name = gradient_name(network.loss, current(col))
        found[name] = random(f"{name}{tag}")
    return found


def column_values(values: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    return np.broadcast_to(np.asarray(values[name], dtype=float), (SAMPLES,))


def _leaves(network: Network, random: Random, forward: set[str], tag: str, past: Values) -> Values:
    """Values for everything that no equation gives; what does not change between rows keeps its value."""
    drawn: Values = {}
    needed = {name for equation in network.equations for name in names(equation.expr)} - forward
    needed |= {current(col) for col in network.roles.of("input", "target", "given", "weight", "bias")}
    for name in sorted(needed):
        place = column_of(name)
        steady = place is None or (
            network.roles.kinds.get(place.col) not in ("weight", "bias") and _steady(network, place.col)
        )
        if steady and name in past:
            drawn[name] = past[name]
            continue
        kind = network.roles.kinds.get(place.col, "") if place else ""
        low, high = (0.1, 0.9) if kind == "target" else (-1.4, 1.4)
        drawn[name] = random(name + ("" if steady else tag), low, high)
    return drawn


def _steady(network: Network, col: int) -> bool:
    return col in network.columns and is_constant(network.columns[col])
