"""A whole table of typed numbers (its formulas were replaced by values): judged by what the numbers obey.

The network is that of another table of the workbook with the same columns. Each number is compared with what the right
formula gives from the numbers beside it, within what their rounding allows; then with what a mistake found in the other
table gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tinyproof.backprop.diff import gradient_name, written_out
from tinyproof.backprop.expr import Equation, Expr, Var, names, substitute
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.numbers import Numbers, cached, digits_of, on_rows
from tinyproof.check.workbook.rules.rates import labelled_rates
from tinyproof.check.workbook.rules.table_audit import TableAudit
from tinyproof.check.workbook.thresholds import MOST_WRONG_TYPED
from tinyproof.check.workbook.understand.grid import Grid
from tinyproof.check.workbook.understand.network_values import Network
from tinyproof.check.workbook.understand.patterns import before, column_of, current, elsewhere
from tinyproof.check.workbook.understand.trained_network import gradient_of
from tinyproof.core.arrays import np

TRIALS = 12


def audit_typed_tables(grid: Grid, audits: Sequence[TableAudit]) -> None:
    """Judge every table without formulas by a table of the same columns that has them; the audits are completed."""
    models = [a for a in audits if a.judge is not None and not a.problem]
    for audit in audits:
        if not audit.problem or any(columns.patterns for columns in audit.network.columns.values()):
            continue
        own = set(audit.network.roles.names.values())
        model = next((m for m in models if set(m.network.roles.names.values()) == own), None)
        if model is not None:
            _judge_by(grid, audit, model)


def _judge_by(grid: Grid, audit: TableAudit, model: TableAudit) -> None:
    assert model.judge is not None
    table, roles = audit.table, audit.network.roles
    swap = {current(col): Var(current(roles.named(name) or 0)) for name, col in _columns(model)}
    network = Network(table, roles, audit.network.columns)
    network.equations = [
        Equation(swap[e.name].name if e.name in swap else e.name, _moved(e.expr, swap)) for e in model.network.equations
    ]
    if any(column_of(name) is None for e in network.equations for name in names(e.expr)):
        return  # something outside the table is part of it: too little is known
    judge = Judge(grid, network)
    rates = labelled_rates(judge)
    numbers = cached(judge)
    typed = _Typed.of(numbers)
    found: list[Mistake] = []
    checked: list[int] = []
    for col, right, wrong in _formulas(judge, model, swap, rates[0].name if rates else ""):
        start = 1 if any(elsewhere(name) for name in names(right)) else 0
        rows = list(range(start, len(table.rows)))
        bad = [row for row, fits in zip(rows, _fits(judge, col, right, rows, typed), strict=True) if not fits]
        checked.append(col)
        if bad:
            found.append(_mistake(judge, col, right, wrong, bad, typed))
    if not checked or len(found) > MOST_WRONG_TYPED * len(checked):
        return  # another network, or other numbers: nothing can be said
    found = _standing_still(judge, found, numbers)
    if not found:
        first = min(roles.of("net", "act", "gradient"), default=0)
        found.append(_all_typed(judge, first))
    audit.judge, audit.network, audit.rate, audit.problem = judge, network, rates[0] if rates else None, ""
    audit.mistakes, audit.wholly, audit.compared = found, True, frozenset(checked)


def _columns(model: TableAudit) -> Iterator[tuple[str, int]]:
    for col, name in model.network.roles.names.items():
        yield name, col


def _moved(expr: Expr, swap: dict[str, Var]) -> Expr:
    return substitute(expr, dict(swap))


def _formulas(
    judge: Judge, model: TableAudit, swap: dict[str, Var], rate: str
) -> Iterator[tuple[int, Expr, Expr | None]]:
    """Column, right formula, and the wrong one that the other table has there (None where it is right)."""
    wrong = {m.column: m.wrong for m in model.mistakes if m.severity == "error" and m.wrong is not None}
    for equation in judge.network.equations:
        place = column_of(equation.name)
        if place is not None:
            yield place.col, equation.expr, None
    chain = judge.network.backward
    for col in judge.roles.of("gradient"):
        parameter = gradient_of(judge.network, col)
        if parameter is None:
            continue
        right = written_out(chain, [gradient_name(judge.network.loss, current(parameter))])[0].expr
        written = wrong.get(judge.roles.names[col])
        yield col, right, _moved(written, swap) if written is not None else None
        if rate:
            yield parameter, Var(before(parameter)) - Var(rate) * Var(before(col)), None


@dataclass(frozen=True)
class _Typed:
    """A table's numbers, what rounding may have taken from each, and the table with that put back at random."""

    numbers: Numbers
    rounding: Numbers
    moved: tuple[Numbers, ...]

    @staticmethod
    def of(numbers: Numbers) -> _Typed:
        generator = np.random.default_rng(3)
        rounding = {c: np.array([digits_of(x) if np.isfinite(x) else 0.0 for x in own]) for c, own in numbers.items()}
        moved = tuple(
            {c: own + rounding[c] * generator.choice([-1.0, 1.0], len(own)) for c, own in numbers.items()}
            for _ in range(TRIALS)
        )
        return _Typed(numbers, rounding, moved)


def _fits(judge: Judge, col: int, expr: Expr, rows: list[int], table: _Typed) -> np.ndarray:
    """Where the typed number is what the formula gives, within what rounding in it and beside it allows."""
    given = on_rows(judge, expr, rows, table.numbers)
    room = np.zeros(len(rows))
    for moved in table.moved:
        room = np.maximum(room, np.abs(on_rows(judge, expr, rows, moved) - given))
    typed = table.numbers[col][rows]
    allowed = 1.5 * room + 1.01 * table.rounding[col][rows] + 1e-9 * np.abs(given) + 1e-12
    return np.asarray(~np.isfinite(typed) | ~np.isfinite(given) | (np.abs(typed - given) <= allowed))


def _mistake(judge: Judge, col: int, right: Expr, wrong: Expr | None, bad: list[int], table: _Typed) -> Mistake:
    name = judge.roles.names[col]
    rows = tuple(judge.table.rows[position] for position in bad)
    message = f"{name} has typed numbers that are not what the right formula gives from those beside them"
    if wrong is not None and np.all(_fits(judge, col, wrong, bad, table)):
        message = f"{name} has typed numbers, and they are those of the wrong formula in the workbook's other table"
    typed, given = table.numbers[col][bad[0]], on_rows(judge, right, bad[:1], table.numbers)[0]
    return Mistake(
        kind="pasted-values",
        severity="error",
        sheet=judge.table.sheet,
        column=name,
        message=message,
        col=col,
        rows=rows,
        cells="",
        says=f"{typed:.10g}",
        should_say=f"{given:.10g}",
        why="the table holds typed numbers only: nothing in it follows a change",
    )


def _standing_still(judge: Judge, found: list[Mistake], numbers: Numbers) -> list[Mistake]:
    """Rows in which no weight moves are one mistake, not one in every weight."""
    rows = judge.table.rows
    stuck = [
        row for position, row in enumerate(rows[1:], 1)
        if all(numbers[col][position] == numbers[col][position - 1] for col in judge.network.parameters)
        and sum(m.col in judge.network.parameters and row in m.rows for m in found) > 1
    ]  # fmt: skip
    if not stuck:
        return found
    kept = [replace(m, rows=left) for m in found if (left := tuple(r for r in m.rows if r not in stuck))]
    col = judge.network.parameters[0]
    message = "the row before is repeated: the training stands still, although the gradients are not 0"
    still = Mistake(
        "pasted-values", "error", judge.table.sheet, judge.roles.names[col], message, col, tuple(stuck),
        why="the table holds typed numbers only: it was filled up with copies of one row",
    )  # fmt: skip
    return [*kept, still]


def _all_typed(judge: Judge, col: int) -> Mistake:
    name = judge.roles.names.get(col, "")
    message = "the whole table holds typed numbers, not formulas; they are those of the right training"
    return Mistake(
        kind="pasted-values",
        severity="warning",
        sheet=judge.table.sheet,
        column=name,
        message=message,
        col=col,
        rows=judge.table.rows,
        cells="",
        why="nothing in it follows when the learning rate or a weight is changed",
    )
