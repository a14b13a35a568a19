"""Typed numbers where formulas belong: harmless today where they are what the formula gives, else wrong."""

from __future__ import annotations

from collections import Counter

from tinyproof.backprop.expr import Expr, names
from tinyproof.check.finding import Severity
from tinyproof.check.workbook.rules.forward import paste
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.numbers import Numbers, anew, cached, digits_of, on_rows
from tinyproof.check.workbook.rules.rate_cells import gradient_column
from tinyproof.check.workbook.rules.table_audit import TableAudit
from tinyproof.check.workbook.thresholds import FEWEST_GIVENS, MOST_ROUNDING, MOST_SLIPS, PASTED, USUAL_PART
from tinyproof.check.workbook.understand.patterns import Pattern, before, current, elsewhere
from tinyproof.check.workbook.understand.roles import FORWARD
from tinyproof.check.workbook.understand.trained_network import gradient_of
from tinyproof.core.arrays import np


def check_pasted(audit: TableAudit) -> list[Mistake]:
    """Typed numbers in columns that are computed: harmless today where they are what the formula gives, else wrong."""
    judge = audit.judge
    if judge is None:
        return []
    stored = cached(judge)
    numbers: tuple[Numbers, ...] = ()
    found = []
    for col in _computed(judge):
        typed = judge.columns[col].typed
        if not typed:
            continue
        first = judge.table.rows[0]
        right = right_formula(judge, audit, col)
        start = right is not None and any(elsewhere(name) for name in names(right))
        rows = [row for row in typed if not (start and row == first)]
        if rows and right is not None:
            numbers = numbers or (stored, anew(judge, stored))
            found += _pasted(judge, audit, col, rows, right, numbers)
    return found


def check_givens(audit: TableAudit) -> list[Mistake]:
    """A typed input or target that is another number in one row or two: a slip, unless it was meant."""
    judge = audit.judge
    found = []
    for col in judge.roles.of("input", "target") if judge is not None else ():
        assert judge is not None
        typed = judge.columns[col].typed
        if len(typed) < FEWEST_GIVENS or judge.columns[col].patterns:
            continue
        numbers = Counter(round(number, 9) for number in typed.values())
        usual, count = numbers.most_common(1)[0]
        rows = [row for row, number in typed.items() if abs(number - usual) > 1e-6 * max(1.0, abs(usual))]
        if rows and len(rows) <= MOST_SLIPS and count >= USUAL_PART * len(typed):
            name = judge.roles.names[col]
            message = f"{name} is {typed[rows[0]]:.10g} here and {usual:.10g} in all other rows"
            found.append(
                Mistake("inconsistent-rows", "warning", judge.table.sheet, name, message, col, tuple(rows),
                        says=f"{typed[rows[0]]:.10g}", should_say=f"{usual:.10g}")
            )  # fmt: skip
    return found


def _computed(judge: Judge) -> list[int]:
    """Columns that should hold formulas; a parameter that no row updates is a constant."""
    kinds = (*FORWARD, "gradient", "helper", "derivative", "state")
    always = (*FORWARD, "gradient")
    cols = [c for c in judge.roles.of(*kinds) if judge.columns[c].patterns or judge.roles.kinds[c] in always]
    updated = [
        c for c in judge.network.parameters
        if any(_reads_back(p, c) for p in judge.columns[c].patterns) or gradient_column(judge, c) is not None
    ]  # fmt: skip
    return [*cols, *updated]


def _reads_back(pattern: Pattern, col: int) -> bool:
    return pattern.expr is not None and before(col) in names(pattern.expr)


def right_formula(judge: Judge, audit: TableAudit, col: int) -> Expr | None:
    """What the column should say: the network's equation, the chain rule, the update, or what most of its rows say."""
    kind = judge.roles.kinds[col]
    if kind in FORWARD:
        return judge.network.equation(current(col))
    if kind == "gradient":
        parameter = gradient_of(judge.network, col)
        if parameter is None or parameter in judge.network.tainted:
            return None
        return judge.network.chain_rule(parameter)
    if col in judge.network.parameters:
        update = next((u for u in audit.updates if u.col == col and (u.rate or u.number)), None)
        gradient = gradient_column(judge, col)
        if update is None and gradient is not None and audit.rate is not None:
            return judge.update(col, audit.rate.name, gradient)
        return update.expr if update is not None else None
    if judge.method is not None and col in judge.method.states:
        return judge.method.state(col)
    main = judge.columns[col].main
    return main.expr if main is not None else None


def _pasted(
    judge: Judge, audit: TableAudit, col: int, rows: list[int], right: Expr, numbers: tuple[Numbers, ...]
) -> list[Mistake]:
    positions = [judge.table.position[row] for row in rows]
    typed = np.array([judge.columns[col].typed[row] for row in rows])
    room = np.array([digits_of(number) for number in typed]) * 1.01
    fits = np.zeros(len(rows), dtype=bool)
    for known in numbers:
        computed = on_rows(judge, right, positions, known)
        allowed = np.minimum(room, MOST_ROUNDING * np.abs(computed))  # 0.5 for 0.507 is rounding too, and wrong
        if col in judge.network.parameters:  # a number so short that it cannot show the step stands still
            step = np.abs(computed - known[col][np.maximum(np.array(positions) - 1, 0)])
            allowed = np.minimum(allowed, 0.5 * np.where(np.isfinite(step), step, np.inf))
        fits |= np.abs(typed - computed) <= allowed + PASTED * np.abs(computed) + 1e-12
    good = [row for row, fit in zip(rows, fits, strict=True) if fit]
    bad = [row for row, fit in zip(rows, fits, strict=True) if not fit]
    loss = judge.roles.kinds[col] in ("loss", "total") and not judge.columns[col].patterns
    kind = "pasted-loss" if loss else "pasted-values"
    name = judge.roles.names[col]
    found = []
    told = (
        (bad, "error", f"{name} has typed numbers that are not what the formula gives"),
        (
            good,
            "warning",
            f"{name} has typed numbers instead of formulas: right today, and they do not follow a change",
        ),
    )
    for which, severity, message in told:
        if which:
            found.append(_pasted_mistake(judge, col, kind, severity, tuple(which), message, right))  # type: ignore[arg-type]
    return found


def _pasted_mistake(
    judge: Judge, col: int, kind: str, severity: Severity, rows: tuple[int, ...], message: str, right: Expr
) -> Mistake:
    name = judge.roles.names[col]
    pattern = Pattern(rows, right, {})
    number = judge.columns[col].typed[rows[0]]
    main = judge.columns[col].main
    written = main.expr if main is not None and main.expr is not None and severity == "warning" else right
    says = f"{number:.12g}" + (" .." if len(rows) > 1 else "")
    return Mistake(
        kind=kind,
        severity=severity,
        sheet=judge.table.sheet,
        column=name,
        message=message,
        col=col,
        rows=rows,
        cells="",
        says=says,
        should_say=judge.named(right),
        why="a number does not change when the learning rate or a weight does",
        fix=paste(judge, written, pattern, name),
    )
