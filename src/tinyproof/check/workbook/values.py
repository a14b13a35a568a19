"""Numbers where formulas belong, and cached numbers that are not what the formulas give."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from tinyproof.backprop.diff import gradient_name, written_out
from tinyproof.backprop.expr import Expr, Var, evaluate, names, total
from tinyproof.check.workbook.audit_table import TableAudit
from tinyproof.check.workbook.forward import paste
from tinyproof.check.workbook.grid import Place
from tinyproof.check.workbook.judge import Judge
from tinyproof.check.workbook.meaning import order
from tinyproof.check.workbook.mistake import Mistake
from tinyproof.check.workbook.patterns import Pattern, before, column_of, current
from tinyproof.check.workbook.rates import place_of
from tinyproof.check.workbook.roles import FORWARD
from tinyproof.check.workbook.train import Compiled, Run, compiled, outside_numbers
from tinyproof.core.finding import Severity

Numbers = dict[int, np.ndarray]


def digits_of(number: float) -> float:
    """Half a unit in the last decimal place that a typed number shows: what rounding may have taken away.

    >>> digits_of(0.507), digits_of(12.0)
    (0.0005, 0.5)
    """
    text = format(float(number), ".15g")  # 0.19975300000000001 was typed as 0.199753
    mantissa, _, exponent = text.partition("e")
    places = len(mantissa.partition(".")[2].rstrip("0")) if "." in mantissa else 0
    return float(0.5 * 10.0 ** (-places + int(exponent or 0)))


def cached(judge: Judge) -> Numbers:
    """Every column's numbers as the file stores them, nan where it has none."""
    sheet = judge.table.sheet
    return {
        col: np.array([_or_nan(judge.grid.number(Place(sheet, row, col))) for row in judge.table.rows])
        for col in judge.table.cols
    }


def _or_nan(number: float | None) -> float:
    return math.nan if number is None else number


def on_rows(judge: Judge, expr: Expr, rows: list[int], numbers: Numbers) -> np.ndarray:
    """The expression in those rows, from the numbers given (row positions counted from 0)."""
    at = np.array(rows)
    values: dict[str, np.ndarray] = {name: _values(judge, name, at, numbers) for name in names(expr)}
    return np.broadcast_to(np.asarray(evaluate(expr, values), dtype=float), at.shape)


def _values(judge: Judge, name: str, at: np.ndarray, numbers: Numbers) -> np.ndarray:
    place = column_of(name)
    if place is None:
        cell = place_of(judge, name)
        number = judge.grid.number(cell) if cell is not None else None
        return np.full(at.shape, 0.0 if number is None else number)
    col, where = place
    column = numbers[col]
    if where.startswith("$"):
        index = judge.table.rows.index(int(where[1:]))
        return np.full(at.shape, column[index])
    shifted = at + int(where or 0)
    inside = (shifted >= 0) & (shifted < len(column))
    return np.where(inside, column[np.clip(shifted, 0, len(column) - 1)], math.nan)


# Typed numbers over formulas ------------------------------------------------------------------------------------------


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
        first = judge.table.rows[0]
        right = right_formula(judge, audit, col)
        start = right is not None and any((column_of(name) or (0, ""))[1] for name in names(right))
        rows = [row for row in typed if not (start and row == first)]
        if rows and right is not None:
            numbers = numbers or (stored, _anew(judge, stored))
            found += _pasted(judge, audit, col, rows, right, numbers)
    return found


def check_givens(audit: TableAudit) -> list[Mistake]:
    """A typed input or target that is another number in one row or two: a slip, unless it was meant."""
    judge = audit.judge
    found = []
    for col in judge.roles.of("input", "target") if judge is not None else ():
        assert judge is not None
        typed = judge.columns[col].typed
        if len(typed) < 6 or judge.columns[col].patterns:
            continue
        numbers = Counter(round(number, 9) for number in typed.values())
        usual, count = numbers.most_common(1)[0]
        rows = [row for row, number in typed.items() if abs(number - usual) > 1e-6 * max(1.0, abs(usual))]
        if rows and len(rows) <= 2 and count >= 0.75 * len(typed):
            name = judge.roles.names[col]
            message = f"{name} is {typed[rows[0]]:.10g} here and {usual:.10g} in all other rows"
            found.append(
                Mistake("inconsistent-rows", "warning", judge.table.sheet, name, message, col, tuple(rows),
                        says=f"{typed[rows[0]]:.10g}", should_say=f"{usual:.10g}")
            )  # fmt: skip
    return found


def _computed(judge: Judge) -> list[int]:
    """Columns that should hold formulas; a parameter that no row updates is a constant."""
    kinds = (*FORWARD, "gradient", "helper", "derivative")
    cols = [c for c in judge.roles.of(*kinds) if judge.columns[c].patterns or judge.roles.kinds[c] in FORWARD]
    updated = [
        c for c in judge.network.parameters
        if any(_reads_back(p, c) for p in judge.columns[c].patterns) or _gradient_column(judge, c) is not None
    ]  # fmt: skip
    return [*cols, *updated]


def _gradient_column(judge: Judge, parameter: int) -> int | None:
    return judge.roles.named(f"dE/d{judge.roles.names[parameter]}")


def _reads_back(pattern: Pattern, col: int) -> bool:
    return pattern.expr is not None and before(col) in names(pattern.expr)


def right_formula(judge: Judge, audit: TableAudit, col: int) -> Expr | None:
    """What the column should say: the network's equation, the chain rule, the update, or what most of its rows say."""
    kind = judge.roles.kinds[col]
    if kind in FORWARD:
        return judge.network.equation(current(col))
    if kind == "gradient":
        parameter = judge.roles.named(judge.roles.names[col].removeprefix("dE/d"))
        if parameter not in judge.network.parameters:
            return None
        return written_out(judge.network.gradients[""], [gradient_name(judge.network.loss, current(parameter))])[0].expr
    if col in judge.network.parameters:
        update = next((u for u in audit.updates if u.col == col and (u.rate or u.number)), None)
        gradient = _gradient_column(judge, col)
        if update is None and gradient is not None and audit.rate is not None:
            return Var(before(col)) - Var(audit.rate.name) * Var(before(gradient))
        return update.expr if update is not None else None
    main = judge.columns[col].main
    return main.expr if main is not None else None


def _pasted(
    judge: Judge, audit: TableAudit, col: int, rows: list[int], right: Expr, numbers: tuple[Numbers, ...]
) -> list[Mistake]:
    positions = [judge.table.rows.index(row) for row in rows]
    typed = np.array([judge.columns[col].typed[row] for row in rows])
    room = np.array([digits_of(number) for number in typed]) * 1.01
    fits = np.zeros(len(rows), dtype=bool)
    for known in numbers:
        computed = on_rows(judge, right, positions, known)
        allowed = np.minimum(room, 1e-3 * np.abs(computed))  # 0.5 for 0.507 is rounding too, and a wrong number
        fits |= np.abs(typed - computed) <= allowed + 1e-6 * np.abs(computed) + 1e-12
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
        kind, severity, judge.table.sheet, name, message, col, rows, "", says, judge.named(right),
        "a number does not change when the learning rate or a weight does", paste(judge, written, pattern, name),
    )  # fmt: skip


# Cached values -------------------------------------------------------------------------------------------------------


def _anew(judge: Judge, stored: Numbers) -> Numbers:
    """Every formula evaluated anew from the typed numbers, row by row."""
    table = judge.table
    outside = outside_numbers(judge)
    formulas: dict[int, dict[int, Compiled | None]] = {}
    for col, columns in judge.columns.items():
        by_row = formulas[col] = {}
        for pattern in columns.patterns:
            function = compiled(pattern.expr, outside) if pattern.expr is not None else None
            by_row.update(dict.fromkeys(pattern.rows, function))
    run = Run(table.rows[0])
    plan = _plan(judge)
    for position, row in enumerate(table.rows):
        line = {current(col): _or_nan(judge.columns[col].typed.get(row)) for col in table.cols}
        run.rows.append(line)
        for col in plan:
            if row in formulas[col]:
                function = formulas[col][row]
                line[current(col)] = function(run, position) if function else float(stored[col][position])
    return {col: np.array([line[current(col)] for line in run.rows]) for col in table.cols}


def _plan(judge: Judge) -> list[int]:
    """Columns in an order in which a row can be computed."""
    reads: dict[str, Expr] = {}
    for col, columns in judge.columns.items():
        used = {name for p in columns.patterns if p.expr is not None for name in names(p.expr)}
        own_row = [name for name in used if (column_of(name) or (0, "outside"))[1] == "" and name != current(col)]
        reads[current(col)] = total(Var(name) for name in sorted(own_row))
    ordered, looped = order(reads)
    return [(column_of(name) or (0, ""))[0] for name in (*[e.name for e in ordered], *looped)]


def check_stale(audit: TableAudit, recalculates: bool) -> list[Mistake]:
    """Formula cells whose stored number is not what the formula gives, neither from the stored numbers beside it nor
    anew: the file was not calculated after its last change."""
    judge = audit.judge
    if judge is None or any(m.kind == "circular" for m in audit.mistakes):
        return []
    stored = cached(judge)
    if recalculates and not _ever_calculated(judge, stored):
        return []  # never calculated: every program does so when it opens the file
    suspects = {
        col: rows
        for col in _with_formulas(judge)
        if (rows := [row for p in judge.columns[col].patterns for row in _unlike(judge, col, p, stored, stored)])
    }
    if not suspects:
        return []
    anew = _anew(judge, stored)
    found = []
    for col, rows in suspects.items():
        stale = sorted(row for row in rows if _apart(judge, col, row, stored, anew))
        if stale:
            found.append(_stale(judge, col, stale, stored, anew))
    return found


def _ever_calculated(judge: Judge, stored: Numbers) -> bool:
    positions = {row: position for position, row in enumerate(judge.table.rows)}
    return any(
        stored[col][positions[row]] not in (0.0, math.nan)
        for col, columns in judge.columns.items()
        for pattern in columns.patterns
        for row in pattern.rows
    )


def _with_formulas(judge: Judge) -> list[int]:
    return [col for col in judge.table.cols if judge.columns[col].patterns]


def _unlike(judge: Judge, col: int, pattern: Pattern, stored: Numbers, beside: Numbers) -> list[int]:
    """Rows whose stored number is not what the formula gives from the stored numbers beside it."""
    if pattern.expr is None:
        return []
    positions = [judge.table.rows.index(row) for row in pattern.rows]
    shown, given = stored[col][positions], on_rows(judge, pattern.expr, positions, beside)
    wrong = np.isfinite(shown) & np.isfinite(given) & (np.abs(shown - given) > _room(stored[col], given))
    return [row for row, bad in zip(pattern.rows, wrong, strict=True) if bad]


def _room(column: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """What rounding explains: some programs store ten digits, and a difference of two such numbers has fewer."""
    scale = float(np.nanmax(np.abs(column))) if np.any(np.isfinite(column)) else 0.0
    return np.asarray(1e-8 * scale + 1e-12 + 2e-6 * np.abs(numbers))


def _apart(judge: Judge, col: int, row: int, stored: Numbers, anew: Numbers) -> bool:
    position = judge.table.rows.index(row)
    shown, fresh = stored[col][position], anew[col][position]
    return bool(np.isfinite(fresh) and abs(shown - fresh) > _room(stored[col], np.array(fresh)))


def _stale(judge: Judge, col: int, rows: list[int], stored: Numbers, anew: Numbers) -> Mistake:
    name, position = judge.roles.names[col], judge.table.rows.index(rows[0])
    shows, gives = stored[col][position], anew[col][position]
    return Mistake(
        "stale-values", "warning", judge.table.sheet, name,
        f"{name} shows {shows:.10g}, and its formula gives {gives:.10g}", col, tuple(rows), "", f"{shows:.10g}",
        f"{gives:.10g}", "the file was not calculated again after its last change",
        "recalculate the workbook (Ctrl+Alt+F9 in Excel, Ctrl+Shift+F9 in LibreOffice) and save it",
    )  # fmt: skip
