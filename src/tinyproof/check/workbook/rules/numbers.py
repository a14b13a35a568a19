"""A table's numbers, as the file stores them and as its formulas give them anew, all rows of a column at once."""

from __future__ import annotations

import math

from tinyproof.backprop.expr import Expr, Var, evaluate, names, total
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.rates import place_of
from tinyproof.check.workbook.rules.retraining import Compiled, Run, compiled, outside_numbers
from tinyproof.check.workbook.understand.grid import Place
from tinyproof.check.workbook.understand.meaning import order
from tinyproof.check.workbook.understand.patterns import column_of, current
from tinyproof.core.arrays import np

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
    cells = judge.grid.sheet(sheet).cells

    def shown(row: int, col: int) -> float:
        cell = cells.get((row, col))
        if cell is not None and cell.kind == "n" and isinstance(cell.value, float):  # nearly all of them
            return cell.value
        return _or_nan(judge.grid.number(Place(sheet, row, col)))

    return {col: np.array([shown(row, col) for row in judge.table.rows]) for col in judge.table.cols}


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
    column = numbers[place.col]
    if place.fixed is not None:
        return np.full(at.shape, column[judge.table.position[place.fixed]])
    shifted = at + place.offset
    inside = (shifted >= 0) & (shifted < len(column))
    return np.where(inside, column[np.clip(shifted, 0, len(column) - 1)], math.nan)


def anew(judge: Judge, stored: Numbers) -> Numbers:
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
        own_row = [name for name in used if (place := column_of(name)) and place.here and place.col != col]
        reads[current(col)] = total(Var(name) for name in sorted(own_row))
    ordered, looped = order(reads)
    return [place.col for name in (*[e.name for e in ordered], *looped) if (place := column_of(name))]
