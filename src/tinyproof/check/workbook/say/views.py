"""Excerpts of the tables for a page: the first rows, the last one, and those around each wrong cell."""

from __future__ import annotations

from collections.abc import Sequence

from openpyxl.utils import get_column_letter

from tinyproof.check.finding import SheetView
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.table_audit import TableAudit
from tinyproof.check.workbook.say.to_findings import grouped
from tinyproof.check.workbook.understand.grid import Grid, Place, formula_at
from tinyproof.core.errors import one_line

FIRST_ROWS = 3
MOST_ROWS = 14
MOST_COLUMNS = 80
MOST_VIEWS = 12


def sheet_views(grid: Grid, audits: Sequence[TableAudit], mistakes: Sequence[Mistake]) -> tuple[SheetView, ...]:
    """One excerpt for each table (at most twelve); the findings are numbered as in the report."""
    number = {id(mistake): index for index, group in enumerate(grouped(mistakes)) for mistake in group}
    views = []
    for audit in audits[:MOST_VIEWS]:
        table = audit.table
        own = [m for m in mistakes if m.sheet == table.sheet and m.col in table.cols and set(m.rows) & _span(audit)]
        views.append(_view(grid, audit, own, number))
    return tuple(views)


def _span(audit: TableAudit) -> set[int]:
    return {*audit.table.rows, audit.table.header or 0}


def _view(grid: Grid, audit: TableAudit, mistakes: list[Mistake], number: dict[int, int]) -> SheetView:
    table = audit.table
    cols = table.cols[:MOST_COLUMNS]
    shown = set(table.rows[:FIRST_ROWS]) | {table.rows[-1]}
    for mistake in mistakes:
        if len(shown) < MOST_ROWS and mistake.rows[0] in table.rows:
            shown |= {mistake.rows[0], min(mistake.rows[0] + 1, table.rows[-1])}
    rows = tuple((row, tuple(_cell(grid, Place(table.sheet, row, col)) for col in cols)) for row in sorted(shown))
    marks = tuple(
        (row, cols.index(mistake.col), number[id(mistake)])
        for mistake in mistakes
        if mistake.col in cols
        for row in sorted(shown & set(mistake.rows)) or ([table.header] if table.header in mistake.rows else [])
        if row is not None
    )
    head = tuple(one_line(table.texts.get(col, ""), 30) for col in cols)
    name = one_line(grid.sheet(table.sheet).name, 80)
    return SheetView(name, tuple(get_column_letter(col) for col in cols), head, rows, marks)


def _cell(grid: Grid, place: Place) -> tuple[str, str]:
    """What the sheet shows, and the formula in the cell's own references."""
    cell = grid.cell(place)
    if cell is None:
        return "", ""
    shown = f"{cell.value:.6g}" if isinstance(cell.value, float) else one_line(str(cell.value or ""), 30)
    if cell.formula is None:
        return shown, ""
    return shown, one_line(formula_at(cell, place.row, place.col), 500)
