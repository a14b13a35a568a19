"""The sheet's training run again, row by row, as it should be or with one formula as the author wrote it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tinyproof.backprop.diff import gradient_name
from tinyproof.backprop.expr import Call, Expr, Num, Var, names
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.rates import place_of
from tinyproof.check.workbook.understand.grid import Place
from tinyproof.check.workbook.understand.patterns import InTable, column_of, current
from tinyproof.check.workbook.understand.trained_network import gradient_of

MAX_STEPS = 2_000
Row = dict[str, float]
Compiled = Callable[["Run", int], float]


@dataclass
class Run:
    """The rows computed so far; `first_row` is the sheet's number of the first one."""

    first_row: int
    rows: list[Row] = field(default_factory=list)

    def get(self, place: InTable, now: int) -> float:
        """A column's number, seen from the row `now`; nan where there is none (yet)."""
        at = now + place.offset if place.fixed is None else place.fixed - self.first_row
        if not 0 <= at < len(self.rows):
            return math.nan
        return self.rows[at].get(current(place.col), math.nan)


def compiled(expr: Expr, outside: Mapping[str, float]) -> Compiled:
    """The expression as a chain of plain Python functions: some hundred times quicker for one number than arrays.

    `outside`: the numbers of cells outside the table.
    """
    if isinstance(expr, Num):
        number = expr.value
        return lambda run, now: number
    if isinstance(expr, Var):
        return _variable(expr.name, outside)
    assert isinstance(expr, Call)
    args = [compiled(arg, outside) for arg in expr.args]
    return _function(expr.function, args)


def _variable(name: str, outside: Mapping[str, float]) -> Compiled:
    place = column_of(name)
    if place is None and name in outside:
        number = outside[name]
        return lambda run, now: number
    if place is None:  # a gradient on the way, or the loss where no column holds it
        return lambda run, now: run.rows[now].get(name, math.nan)
    if place.here:
        return lambda run, now: run.rows[now].get(name, math.nan)
    return lambda run, now: run.get(place, now)


def _function(f: str, args: list[Compiled]) -> Compiled:
    a = args[0]
    b = args[1] if len(args) > 1 else a
    if f == "add" and len(args) == 2:
        return lambda run, now: 0 + a(run, now) + b(run, now)
    if f == "mul" and len(args) == 2:
        return lambda run, now: a(run, now) * b(run, now)
    if f == "add":
        return lambda run, now: sum(arg(run, now) for arg in args)
    if f == "mul":
        return lambda run, now: math.prod(arg(run, now) for arg in args)
    if f == "sub":
        return lambda run, now: a(run, now) - b(run, now)
    if f == "neg":
        return lambda run, now: -a(run, now)
    plain = _PLAIN[f]
    return lambda run, now: _safely(plain, [arg(run, now) for arg in args])


def _safely(function: Callable[..., float], values: list[float]) -> float:
    try:
        result = function(*values)
    except (ArithmeticError, ValueError):
        return math.nan
    return result if isinstance(result, float) else math.nan


def _sigmoid(x: float) -> float:
    e = math.exp(-abs(x))
    return 1 / (1 + e) if x >= 0 else e / (1 + e)


_PLAIN: dict[str, Callable[..., float]] = {
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
    "exp": math.exp,
    "ln": math.log,
    "sqrt": math.sqrt,
    "abs": abs,
    "sigmoid": _sigmoid,
    "tanh": math.tanh,
    "softplus": lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
    "max": lambda *a: max(a),
    "min": lambda *a: min(a),
    "gt": lambda a, b: float(a > b),
    "ge": lambda a, b: float(a >= b),
    "eq": lambda a, b: float(a == b),
    "if": lambda c, a, b: a if c != 0 else b,
}


@dataclass(frozen=True)
class Training:
    """Everything that a run needs: compiled equations, gradients and updates by column variable, and the leaves."""

    forward: tuple[tuple[str, Compiled], ...]
    gradients: tuple[tuple[str, Compiled], ...]
    loss: str
    leaves: tuple[int, ...]
    parameters: tuple[int, ...]


def prepare(judge: Judge, wrong: Mapping[str, Expr] | None = None) -> Training:
    """The right training; `wrong`: formulas, by column variable or gradient name, that replace the right ones."""
    swap = dict(wrong or {})
    network, outside = judge.network, outside_numbers(judge)
    forward = tuple((e.name, compiled(swap.get(e.name, e.expr), outside)) for e in network.equations)
    gradients = tuple((e.name, compiled(swap.get(e.name, e.expr), outside)) for e in network.backward)
    leaves = tuple(judge.roles.of("input", "target", "given"))
    return Training(forward, gradients, network.loss, leaves, tuple(network.parameters))


def train(
    judge: Judge,
    rate: float,
    steps: int,
    training: Training,
    updates: Mapping[int, Compiled] | None = None,
) -> Run | None:
    """Run `steps` rows from the sheet's own start values; None where those are not all numbers.

    `updates`: formulas that replace the right update of a parameter's column.
    """
    table = judge.table
    run = Run(table.rows[0])
    columns = _gradient_columns(judge, training.loss)
    start = {current(c): _number(judge, c, 0) for c in training.parameters}
    if any(value is None for value in start.values()) or steps > MAX_STEPS:
        return None
    for now in range(steps):
        row: Row = {}
        for col in training.leaves:
            value = _number(judge, col, min(now, len(table.rows) - 1))
            row[current(col)] = value if value is not None else run.rows[0].get(current(col), 0.0) if run.rows else 0.0
        run.rows.append(row)
        for col in training.parameters:
            name = current(col)
            replaced = (updates or {}).get(col)
            if now == 0:
                row[name] = start[name] or 0.0
            elif replaced is not None:
                row[name] = replaced(run, now)
            else:
                before = run.rows[now - 1]
                row[name] = before[name] - rate * before[gradient_name(training.loss, name)]
        for name, function in (*training.forward, *training.gradients):
            row[name] = function(run, now)
        for column, gradient in columns:
            row[column] = row.get(gradient, math.nan)
    return run


def _gradient_columns(judge: Judge, loss: str) -> list[tuple[str, str]]:
    """Each column that holds a gradient, with the gradient's own name."""
    held = [(col, gradient_of(judge.network, col)) for col in judge.roles.of("gradient")]
    return [(current(col), gradient_name(loss, current(own))) for col, own in held if own is not None]


def losses(run: Run, training: Training) -> list[float]:
    """The loss in every row of a run."""
    return [row[training.loss] for row in run.rows]


def outside_numbers(judge: Judge) -> dict[str, float]:
    """The numbers of every outside cell that the forward formulas or updates read. Looked up once a table."""
    if judge.outside_cells is not None:
        return judge.outside_cells
    found: dict[str, float] = {}
    for columns in judge.columns.values():
        for pattern in columns.patterns:
            for name in names(pattern.expr) if pattern.expr is not None else ():
                if column_of(name) is None and name not in found:
                    place = place_of(judge, name)
                    found[name] = (judge.grid.number(place) if place else None) or 0.0
    judge.outside_cells = found
    return found


def _number(judge: Judge, col: int, position: int) -> float | None:
    row = judge.table.rows[position]
    number = judge.grid.number(Place(judge.table.sheet, row, col))
    if number is None and position > 0:
        return None
    if number is None:  # no cached value: a copy of a cell outside, or of nothing
        for pattern in judge.columns[col].patterns:
            if row in pattern.rows and isinstance(pattern.expr, Num):
                return pattern.expr.value
            if row in pattern.rows and isinstance(pattern.expr, Var) and column_of(pattern.expr.name) is None:
                place = place_of(judge, pattern.expr.name)
                return judge.grid.number(place) if place else None
    return number
