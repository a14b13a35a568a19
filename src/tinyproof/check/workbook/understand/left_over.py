"""Rows beside the tables that say what a table's rows say: the table goes on there, and what was read is a part."""

from __future__ import annotations

from collections.abc import Sequence

from tinyproof.check.workbook.understand.grid import Grid
from tinyproof.check.workbook.understand.tables import Table

LEAST_ALIKE = 3  # formulas of a row that stand in the last row of a table too


def row_left_over(grid: Grid, tables: Sequence[Table]) -> int | None:
    """The first row outside the tables of a sheet that has at least half of a table's formulas; None without one."""
    cells = grid.sheet(tables[0].sheet).cells
    inside = {(row, col) for table in tables for row in table.rows for col in table.cols}
    outside = [(place, cell) for place, cell in cells.items() if cell.formula is not None and place not in inside]
    for table in tables:
        last = [cells[place] for col in table.cols if (place := (table.rows[-1], col)) in cells]
        keys = {grid.key(cell, table.sheet) for cell in last if cell.formula is not None}
        alike: dict[int, int] = {}
        for (row, _), cell in outside:
            if grid.key(cell, table.sheet) in keys:
                alike[row] = alike.get(row, 0) + 1
        rows = [row for row, count in alike.items() if 2 * count >= len(keys) and count >= LEAST_ALIKE]
        if rows:
            return min(rows)
    return None
