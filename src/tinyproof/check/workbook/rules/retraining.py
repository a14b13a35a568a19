"""The sheet's training run again, row by row, as it should be or with one formula as the author wrote it."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from tinyproof.backprop.diff import gradient_name
from tinyproof.backprop.expr import Call, Expr, Num, Var, names
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.optimizer_starts import continued
from tinyproof.check.workbook.rules.rates import place_of
from tinyproof.check.workbook.understand.grid import Place
from tinyproof.check.workbook.understand.patterns import InTable, before, column_of, current
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


def prepare(
    judge: Judge, wrong: Mapping[str, Expr] | None = None, positions: Collection[int] | None = None
) -> Training:
    """The right training; `wrong`: formulas, by column variable or gradient name, that replace the right ones (in the
    rows at these `positions`, counted from 0; in every row where there are none)."""
    swap = dict(wrong or {})
    network, outside = judge.network, outside_numbers(judge)

    def function(name: str, expr: Expr) -> Compiled:
        right = compiled(expr, outside)
        return _instead(right, compiled(swap[name], outside), positions) if name in swap else right

    forward = tuple((e.name, function(e.name, e.expr)) for e in network.equations)
    gradients = tuple((e.name, function(e.name, e.expr)) for e in network.backward)
    leaves = tuple(judge.roles.of("input", "target", "given"))
    return Training(forward, gradients, network.loss, leaves, tuple(network.parameters))


def _instead(right: Compiled, wrong: Compiled, positions: Collection[int] | None) -> Compiled:
    if positions is None:
        return wrong
    return lambda run, now: (wrong if now in positions else right)(run, now)


def train(
    judge: Judge,
    rate: float,
    steps: int,
    training: Training,
    updates: Mapping[int, Compiled] | None = None,
    positions: Collection[int] | None = None,
) -> Run | None:
    """Run `steps` rows from the sheet's own start values; None where those are not all numbers.

    `updates`: formulas that replace the right ones of a parameter's column or of an optimiser's state (in the rows at
    these `positions`, counted from 0; in every row but the first where there are none).
    """
    table = judge.table
    run = Run(table.rows[0])
    columns = _gradient_columns(judge, training.loss)
    moves, start = _moves(judge, rate, training), _starts(judge, training)
    if start is None or steps > MAX_STEPS:
        return None
    for col, wrong in (updates or {}).items():
        moves[col] = _instead(moves[col], wrong, positions) if col in moves else wrong
    for now in range(steps):
        row: Row = {}
        for col in training.leaves:
            value = _number(judge, col, min(now, len(table.rows) - 1))
            row[current(col)] = value if value is not None else run.rows[0].get(current(col), 0.0) if run.rows else 0.0
        run.rows.append(row)
        for col, function in moves.items():
            begun = now == 0 and not (col in (updates or {}) and 0 in (positions or ()))
            row[current(col)] = start[col] if begun else function(run, now)
        for name, function in (*training.forward, *training.gradients):
            row[name] = function(run, now)
        for column, gradient in columns:
            row[column] = row.get(gradient, math.nan)
    return run


def _moves(judge: Judge, rate: float, training: Training) -> dict[int, Compiled]:
    """What every state of an optimiser and then every parameter is in each row but the first."""
    method, outside = judge.method, outside_numbers(judge)
    if method is None:
        return {col: _descends(col, rate, training.loss) for col in training.parameters}
    states = {col: compiled(method.state(col), outside) for col in sorted(method.states)}
    steps = {
        col: method.update(col, Num(rate)) if col in method.gradients else Var(before(col))
        for col in training.parameters
    }
    return states | {col: compiled(expr, outside) for col, expr in steps.items()}


def _descends(col: int, rate: float, loss: str) -> Compiled:
    name = current(col)
    gradient = gradient_name(loss, name)
    return lambda run, now: run.rows[now - 1][name] - rate * run.rows[now - 1][gradient]


def _starts(judge: Judge, training: Training) -> dict[int, float] | None:
    """What states and parameters are in the first row; a state of Adam is 0 there where no
    table goes before it. None where a number is missing."""
    method = judge.method
    fresh = method is not None and method.kind == "adam" and not continued(judge, method)
    begun = dict.fromkeys(method.states, 0.0) if method is not None and fresh else {}
    cols = (*(method.states if method is not None else ()), *training.parameters)
    found = {col: begun[col] if col in begun else _number(judge, col, 0) for col in cols}
    start = {col: value for col, value in found.items() if value is not None}
    return start if len(start) == len(found) and _settings_known(judge) else None


def _settings_known(judge: Judge) -> bool:
    settings = judge.method.settings.values() if judge.method is not None else ()
    cells = [place_of(judge, name) for setting in settings for name in names(setting)]
    return all(cell is not None and judge.grid.held(cell) is not None for cell in cells)


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
                    found[name] = (judge.grid.held(place) if place else None) or 0.0
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
                return judge.grid.held(place) if place else None
    return number
