"""One given number that stands in two places: a cell outside the table, and a column that holds the same."""

from __future__ import annotations

from dataclasses import replace

from tinyproof.backprop.expr import Expr, Var, names, substitute
from tinyproof.check.workbook.understand.grid import Grid, Place
from tinyproof.check.workbook.understand.heading_words import is_rate_word, understand
from tinyproof.check.workbook.understand.patterns import ColumnPatterns, column_of, current, is_constant, place_outside
from tinyproof.check.workbook.understand.roles import FORWARD, Roles
from tinyproof.check.workbook.understand.tables import Table


def with_copies(
    grid: Grid, table: Table, roles: Roles, columns: dict[int, ColumnPatterns]
) -> dict[int, ColumnPatterns]:
    """The columns with such a cell read as the column, so that a sum over `$B$3` fits a gradient over `i1`."""
    swap: dict[str, Expr] = {}
    for name in _outside(roles, columns):
        col = _column_for(grid, table, roles, columns, name)
        if col is not None:
            swap[name] = Var(current(col))
    if not swap:
        return columns
    return {col: _swapped(held, swap) for col, held in columns.items()}


def _outside(roles: Roles, columns: dict[int, ColumnPatterns]) -> list[str]:
    """The cells outside the table that forward formulas read."""
    exprs = [p.expr for col in roles.of(*FORWARD) for p in columns[col].patterns if p.expr is not None]
    return list(dict.fromkeys(name for expr in exprs for name in names(expr) if column_of(name) is None))


def _column_for(grid: Grid, table: Table, roles: Roles, columns: dict[int, ColumnPatterns], name: str) -> int | None:
    place = place_outside(grid, name)
    number = grid.number(place) if place is not None else None
    cell = grid.cell(place) if place is not None else None
    if place is None or number is None or cell is None or cell.formula is not None:
        return None
    same = [col for col in roles.of("input", "target") if _holds(columns[col], number)]
    label = _label(grid, place)
    if is_rate_word(label):
        return None
    word = understand(label) if label else None
    if word is not None:
        return next((col for col in same if roles.names[col] == word.name), None)
    return same[0] if len(same) == 1 else None


def _holds(columns: ColumnPatterns, number: float) -> bool:
    """Whether a column is typed, and that number from top to bottom."""
    typed = columns.typed.values()
    return bool(typed) and not columns.patterns and is_constant(columns) and abs(next(iter(typed)) - number) < 1e-12


def _label(grid: Grid, place: Place) -> str:
    left = grid.text(Place(place.sheet, place.row, place.col - 1)) if place.col > 1 else ""
    return left or (grid.text(Place(place.sheet, place.row - 1, place.col)) if place.row > 1 else "")


def _swapped(held: ColumnPatterns, swap: dict[str, Expr]) -> ColumnPatterns:
    patterns = tuple(
        replace(p, expr=substitute(p.expr, swap)) if p.expr is not None and set(names(p.expr)) & set(swap) else p
        for p in held.patterns
    )
    return replace(held, patterns=patterns)
