"""Whether two formulas mean the same: compared on random, self-consistent values, never on the sheet's own numbers.

A sheet's own numbers can hide a mistake (where t1 = t2, a formula with the wrong target gives the right number).
"""

from __future__ import annotations

from collections.abc import Mapping

from tinyproof.backprop.expr import Call, Equation, Expr, evaluate, names
from tinyproof.check.workbook.thresholds import SAME, SAMPLES
from tinyproof.check.workbook.understand.remembered import remembered
from tinyproof.core.arrays import np

Values = dict[str, np.ndarray]
SEED = 20240229


class Random:
    """A value for every name that is asked for, the same whenever it is asked again; `seed` picks the set."""

    def __init__(self, seed: int = SEED) -> None:
        self.generator = np.random.default_rng(seed)
        self.values: Values = {}

    def __call__(self, name: str, low: float = -1.4, high: float = 1.4) -> np.ndarray:
        if name not in self.values:
            drawn = self.generator.uniform(low, high, SAMPLES)
            # Nothing near zero: a factor that happens to vanish would hide what it multiplies.
            self.values[name] = np.where(np.abs(drawn) < 0.15, drawn + 0.3, drawn)
        return self.values[name]


def value(expr: Expr, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """The expression on every sample."""
    found = evaluate(expr, values)
    if isinstance(found, np.ndarray) and found.shape == (SAMPLES,) and found.dtype == np.float64:
        return found
    return np.broadcast_to(np.asarray(found, dtype=float), (SAMPLES,))


def same(a: np.ndarray, b: np.ndarray, tolerance: float = SAME) -> bool:
    """Equal on every sample where both are finite, and finite on two at least."""
    usable = np.isfinite(a) & np.isfinite(b)
    if np.count_nonzero(usable) < 2 or np.any(np.isfinite(a) != np.isfinite(b)):
        return False
    scale = np.maximum(np.maximum(np.abs(a), np.abs(b)), 1e-6)
    return bool(np.all(np.abs(a - b)[usable] <= tolerance * scale[usable]))


@remembered
def equal(a: Expr, b: Expr) -> bool:
    """Whether two expressions mean the same whatever their names stand for."""
    random = Random(7)
    values = {name: random(name, 0.2, 1.6) for name in (*names(a), *names(b))}
    return same(value(a, values), value(b, values))


def order(equations: Mapping[str, Expr]) -> tuple[list[Equation], list[str]]:
    """The equations so that each comes after those it uses; and the names that a loop keeps from being ordered."""
    waiting = {name: {used for used in names(expr) if used in equations} for name, expr in equations.items()}
    done: list[Equation] = []
    placed: set[str] = set()
    while True:
        ready = [name for name, needs in waiting.items() if needs <= placed]
        if not ready:
            return done, list(waiting)
        for name in ready:
            done.append(Equation(name, equations[name]))
            placed.add(name)
            del waiting[name]


def replace(expr: Expr, old: Expr, new: Expr) -> Expr:
    """`expr` with every part equal to `old` replaced."""
    if expr == old:
        return new
    if isinstance(expr, Call):
        return Call(expr.function, tuple(replace(arg, old, new) for arg in expr.args))
    return expr
