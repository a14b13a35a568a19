"""The table of numbers: every quantity at every iteration, in float64.

Row 1 holds the starting weights and what they give; row 2 the weights after one update, and so on.

>>> float(trace("course", iterations=2, rate=0.5).column("E_total")[1].round(12))
0.013777062126
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.backprop.equations import RATE, Style, columns, forward, gradients, next_values
from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import find_net
from tinyproof.backprop.program import Floats, Program
from tinyproof.core.arrays import np
from tinyproof.core.errors import InputError
from tinyproof.core.table import Column, Table

MOST_VALUES = 400_000_000  # of one table or sweep: 3.2 GB
MOST_ITERATIONS = 100_000_000


OVERFLOWS = "has numbers that overflow in the first iteration"


@dataclass(frozen=True)
class Trace:
    """One network at one learning rate.

    `values`: float64 [iterations, columns]. `diverged`: the iteration (from 1) at which a number overflowed, or None;
    the rows before it are kept.
    """

    net: Net
    rate: float
    columns: tuple[str, ...]
    values: Floats
    diverged: int | None = None
    style: Style = "course"

    def __len__(self) -> int:
        return len(self.values)

    def column(self, name: str) -> Floats:
        """One quantity at every iteration: float64 [iterations]. Raises InputError for a name without a column."""
        if name not in self.columns:
            raise InputError("column", name, ", ".join(self.columns))
        values: Floats = self.values[:, self.columns.index(name)]
        return values

    def row(self, iteration: int) -> dict[str, float]:
        """Every quantity at one iteration (from 1). Raises InputError for an iteration that is not there."""
        if not 1 <= iteration <= len(self):
            raise InputError("iteration", iteration, f"a whole number from 1 to {len(self)}")
        return dict(zip(self.columns, map(float, self.values[iteration - 1]), strict=True))

    def table(self, names: Sequence[str] = (), iterations: Sequence[int] = (), digits: int = 15) -> Table:
        """The rows asked for (all of them where `iterations` is empty), as text, Markdown, HTML, CSV or records."""
        chosen = tuple(names) or self.columns
        picked = [self.column(name) for name in chosen]
        rows = [k - 1 for k in iterations] or range(len(self))
        body = tuple((self.rate, k + 1, *(float(values[k]) for values in picked)) for k in rows)
        heads = [Column("learning_rate", "right"), Column("iteration", "right")]
        heads += [Column(name, "right", f".{digits}g") for name in chosen]
        return Table(self.net.title or self.net.name, tuple(heads), body)

    def summary(self) -> str:
        """One line: where the loss begins and ends, or where it diverged."""
        if self.diverged is not None:
            where = f"the numbers overflow at iteration {self.diverged}"
            return f"learning rate {self.rate:g}: diverges, {where}; {len(self)} rows are kept"
        loss = self.column("E_total")
        return f"learning rate {self.rate:g}: E_total {loss[0]:.6g} at iteration 1, {loss[-1]:.6g} at {len(loss)}"


def trace(net: Net | Path | str, iterations: int = 100, style: Style = "course", rate: float | None = None) -> Trace:
    """Run gradient descent, by the network's optimiser, and keep every number.

    `net`: a Net, a preset's name, a TOML file or `random:2-3-1:7`. `style`: `course` (gradients written out) or
    `chain` (each gradient on the way has a column). `rate`: another learning rate than the network's. Raises
    InputError for a number of iterations that cannot be.
    """
    chosen = find_net(net)
    return traces(chosen, [chosen.learning_rate if rate is None else rate], iterations, style)[0]


def traces(net: Net, rates: Sequence[float], iterations: int = 100, style: Style = "course") -> list[Trace]:
    """The same for several learning rates, side by side."""
    names = columns(net, style)
    check_size(iterations, len(names) * max(1, len(rates)), "columns")
    machine = Descent(net, rates, style)
    values = np.empty((iterations, len(names), len(rates)))
    slots = [machine.program.slots[name] for name in names]
    with np.errstate(all="ignore"):
        for k in range(iterations):
            machine.forward_and_backward(k)
            held = machine.program.values
            for position, slot in enumerate(slots):
                values[k, position] = held[slot]
            machine.update()
    finite = np.atleast_2d(np.isfinite(values).all(axis=1))  # [iterations, rates]
    result = []
    for position, rate in enumerate(rates):
        whole = bool(finite[:, position].all())
        kept = iterations if whole else int(np.argmin(finite[:, position]))
        table = np.ascontiguousarray(values[:kept, :, position])
        result.append(Trace(net, float(rate), names, table, None if whole else kept + 1, style))
    return result


class Descent:
    """Gradient descent, one iteration at a time, at several learning rates side by side."""

    def __init__(self, net: Net, rates: Sequence[float], style: Style = "chain") -> None:
        for rate in rates:
            check_rate(rate)
        if not rates:
            raise InputError("rates", None, "give at least one learning rate", problem="are missing")
        self.net, self.count = net, len(rates)
        given = net.givens() | dict.fromkeys(net.states, 0.0) | net.optimizer.values()
        self.program = Program([*given, RATE], [*forward(net), *gradients(net, style)])
        self._next = {name: self.program.compute(expr) for name, expr in next_values(net).items()}
        self.program[RATE] = np.array(rates, dtype=np.float64)
        for name, value in given.items():
            self.program[name] = self._wide(value)
        self._cycle = [self._turn(k) for k in range(net.turns)]

    def _wide(self, value: float) -> Floats:
        return np.full(self.count, value)

    def _turn(self, step: int) -> dict[str, Floats]:
        return {name: self._wide(value) for name, value in self.net.turn(step).items()}

    def forward_and_backward(self, iteration: int) -> None:
        """Compute everything from the weights at hand; `iteration` (from 0) says whose turn it is."""
        if len(self._cycle) > 1:
            for name, value in self._cycle[iteration % len(self._cycle)].items():
                self.program[name] = value
        self.program.run()

    def update(self) -> None:
        """Take the step: every trained parameter and every state gets its next value."""
        fresh = {name: self.program.values[slot] for name, slot in self._next.items()}
        for name, value in fresh.items():
            self.program[name] = value


def check_rate(rate: float) -> None:
    """A learning rate is a finite number above 0. Raises InputError."""
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not np.isfinite(rate) or rate <= 0:
        raise InputError("learning rate", rate, "a finite number above 0")


def check_size(iterations: int, width: int, what: str) -> None:
    """Refuse what does not fit in memory, before it is tried. Raises InputError."""
    if isinstance(iterations, bool) or not isinstance(iterations, int) or not 1 <= iterations <= MOST_ITERATIONS:
        raise InputError("iterations", iterations, f"a whole number from 1 to {MOST_ITERATIONS:,}")
    if iterations * width > MOST_VALUES:
        raise InputError("iterations", iterations, f"at most {MOST_VALUES // width:,} with {width:,} {what}")
