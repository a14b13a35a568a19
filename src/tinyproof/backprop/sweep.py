"""The learning-rate experiment: the same network at many rates, their loss curves, and which rate was best.

>>> sweep("course", [0.1, 2.0], iterations=100).best
2.0
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import find_net
from tinyproof.backprop.program import Floats
from tinyproof.backprop.trace import Descent, check_size
from tinyproof.core.arrays import np
from tinyproof.core.errors import InputError
from tinyproof.core.table import Cell, Column, Table

COURSE_RATES = (0.1, 0.2, 0.5, 0.8, 1.0, 2.0)
MOST_RATES = 100_000


@dataclass(frozen=True)
class Sweep:
    """Loss curves of one network: `losses` float64 [iterations, rates], NaN from the iteration where a rate overflowed.

    `diverged`: for each rate the iteration (from 1) at which a number overflowed, or None.
    """

    net: Net
    rates: tuple[float, ...]
    losses: Floats
    diverged: tuple[int | None, ...]

    @property
    def iterations(self) -> int:
        return len(self.losses)

    @property
    def final(self) -> Floats:
        """The loss at the end, float64 [rates]: of the last iteration, or, with turns, of the last round."""
        result: Floats = self.losses[-self._turn :].mean(axis=0)
        return result

    @property
    def _turn(self) -> int:
        """How many rows a mean is of, so that losses of different examples are never held against each other."""
        return min(self.net.turns, self.iterations)

    @property
    def _first(self) -> Floats:
        """The loss at the start, float64 [rates]: of the first iteration, or, with turns, of the first round."""
        result: Floats = self.losses[: self._turn].mean(axis=0)
        return result

    def _halved(self, position: int) -> int | None:
        """The iteration (from 1) that ends the first round, of however many iterations, with half the first loss."""
        turn, curve, half = self._turn, self.losses[:, position], self._first[position] / 2
        count = len(curve) - turn + 1
        means = sum(curve[k : k + count] for k in range(turn)) / turn
        found = np.flatnonzero(means <= half)
        return int(found[0]) + turn if len(found) else None

    @property
    def best(self) -> float | None:
        """The rate with the smallest loss at the end; None where every rate overflowed."""
        final = self.final
        return None if np.isnan(final).all() else self.rates[int(np.nanargmin(final))]

    def outcome(self, position: int) -> str:
        """In words, what became of one rate."""
        if self.diverged[position] is not None:
            return f"diverges: overflow at iteration {self.diverged[position]}"
        first, last = self._first[position], self.final[position]
        if last > first:
            return "diverges: ends above its start"
        return "best" if self.rates[position] == self.best else ""

    def verdict(self) -> str:
        """One or two sentences: the best rate for this many iterations, and whether a larger one stops helping."""
        best = self.best
        if best is None:
            return f"Every rate diverges: the smallest, {min(self.rates):g}, is already too large."
        low = float(np.nanmin(self.final))
        text = f"After {self.iterations:,} iterations the best of these rates is {best:g} (E_total {low:.6g})."
        equal = max(rate for rate, loss in zip(self.rates, self.final, strict=True) if loss == low)
        text += f" Rates up to {equal:g} end there too." if equal > best else ""
        larger = sorted((rate, position) for position, rate in enumerate(self.rates) if rate > equal)
        if not larger:
            return text + " No larger rate was tried: one may help still more."
        rate, position = larger[0]
        if self.diverged[position] is not None:
            what = f"overflows at iteration {self.diverged[position]}"
        else:
            what = f"ends at {self.final[position]:.6g}"
        return text + f" Beyond that a larger rate stops helping: {rate:g} {what}."

    def table(self) -> Table:
        """One row a rate: loss at the start, at the end, its share, the iteration that halves it, the outcome."""
        ends = ("E_total at 1", f"E_total at {self.iterations}")
        if self._turn > 1:
            ends = (f"mean of 1 to {self._turn}", f"mean of the last {self._turn}")
        heads = ("learning rate", *ends, "share left", "halved at", "outcome")
        specs = ("g", ".6g", ".6g", ".3g", "d", "")
        columns = tuple(
            Column(head, "right" if spec else "left", spec) for head, spec in zip(heads, specs, strict=True)
        )
        rows = []
        for position, rate in enumerate(self.rates):
            first, last = float(self._first[position]), float(self.final[position])
            row: tuple[Cell, ...] = (
                rate,
                None if math.isnan(first) else first,
                None if math.isnan(last) else last,
                None if math.isnan(last) or first == 0 else last / first,
                self._halved(position),
                self.outcome(position),
            )
            rows.append(row)
        return Table(f"{self.net.name}: {self.iterations} iterations", columns, tuple(rows))

    def curves(self) -> Table:
        """One row an iteration, one column a rate: what the picture shows. Empty cells after an overflow."""
        columns = (Column("iteration", "right"), *(Column(f"{rate:.15g}", "right", ".10g") for rate in self.rates))
        rows = []
        for k, losses in enumerate(self.losses.tolist(), 1):
            rows.append((k, *(None if math.isnan(loss) else loss for loss in losses)))
        return Table("E_total at each learning rate", columns, tuple(rows))


def sweep(net: Net | Path | str, rates: Sequence[float] = COURSE_RATES, iterations: int = 100) -> Sweep:
    """Gradient descent at every rate, all side by side.

    `net`: a Net, a preset's name, a TOML file or `random:2-3-1:7`. Raises InputError for no rate, a rate that is not
    a finite number above 0, one given twice, or too many.
    """
    if len(rates) > MOST_RATES:
        raise InputError("rates", f"{len(rates):,} rates", f"at most {MOST_RATES:,}")
    if len(set(rates)) != len(rates):
        twice = next(rate for rate in rates if list(rates).count(rate) > 1)
        raise InputError("rates", twice, "each rate once")
    check_size(iterations, max(1, len(rates)), "rates")
    net = find_net(net)
    machine = Descent(net, rates)
    losses = np.empty((iterations, len(rates)))
    with np.errstate(all="ignore"):
        for k in range(iterations):
            machine.forward_and_backward(k)
            losses[k] = machine.program["E_total"]
            machine.update()
    diverged = []
    for position in range(len(rates)):
        bad = np.flatnonzero(~np.isfinite(losses[:, position]))
        diverged.append(int(bad[0]) + 1 if len(bad) else None)
        if len(bad):
            losses[bad[0] :, position] = np.nan
    return Sweep(net, tuple(map(float, rates)), losses, tuple(diverged))


def parse_rates(text: str) -> tuple[float, ...]:
    """`0.1,0.5,2` (a list), `0.1:2:0.1` (from, to, step) or `0.01:10:*2` (from, to, times); both ends belong to it.

    >>> parse_rates("0.5,1:2:0.5")
    (0.5, 1.0, 1.5, 2.0)
    """
    rates: list[float] = []
    for part in text.split(","):
        pieces = part.split(":")
        if len(pieces) == 3:
            rates += _span(text, *pieces)
        elif len(pieces) == 1:
            rates.append(_number(text, part))
        else:
            raise InputError("rates", text, "0.1,0.5,2 or 0.1:2:0.1 (from, to, step) or 0.01:10:*2 (from, to, times)")
    return tuple(rates)


def _span(text: str, first: str, last: str, step: str) -> list[float]:
    low, high = _number(text, first), _number(text, last)
    by = _number(text, step.removeprefix("*"))
    times = step.startswith("*")
    if high < low or (times and by <= 1):
        raise InputError("rates", text, "from <= to, a step above 0, a factor above 1")
    count = math.log(high / low) / math.log(by) if times else (high - low) / by
    if count >= MOST_RATES:
        raise InputError("rates", text, f"at most {MOST_RATES:,} rates")
    steps = range(math.floor(count + 1e-9) + 1)
    return [float(f"{low * by**k if times else low + by * k:.12g}") for k in steps]


def _number(text: str, part: str) -> float:
    try:
        value = float(part)
    except ValueError as error:
        raise InputError("rates", text, "numbers above 0, as in 0.1,0.5,2 or 0.1:2:0.1") from error
    if not math.isfinite(value) or value <= 0:
        raise InputError("rates", text, "finite numbers above 0")
    return value
