"""What two workbooks must share to be called formula for formula the same: every formula, with all that it reads."""

from __future__ import annotations

import hashlib

from tinyproof.check.workbook.read.references import REFERENCE, column_number
from tinyproof.check.workbook.thresholds import LEAST_FORMULAS
from tinyproof.check.workbook.understand.grid import Grid, address
from tinyproof.core.errors import one_line

_MOST_SHEETS = 20  # that are told by name


def fingerprint(grid: Grid) -> str:
    """Equal for workbooks with the same formulas in the same columns, wherever the sheet begins; "" for a few formulas.

    A formula that was filled down counts once, so the number of rows does not matter; every other formula counts, and
    so does every cell that one reads, outside a table too.
    """
    sheets = [_formulas(grid, index) for index in range(len(grid.book.sheets))]
    if sum(len(found) for found in sheets) < LEAST_FORMULAS:
        return ""
    text = "\n\n".join("\n".join(sorted(found)) for found in sheets if found)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def where_formulas_stand(grid: Grid) -> tuple[str, ...]:
    """For each sheet with formulas the corners of what they fill: `Sheet1 G31 to AA133`."""
    found = []
    for sheet in grid.book.sheets:
        places = [place for place, cell in sheet.cells.items() if cell.formula is not None]
        if places:
            rows, cols = [row for row, _ in places], [col for _, col in places]
            corners = address(min(rows), min(cols)), address(max(rows), max(cols))
            found.append(f"{one_line(sheet.name, 30)} {' to '.join(dict.fromkeys(corners))}")
    return tuple(found[:_MOST_SHEETS])


def _formulas(grid: Grid, sheet: int) -> set[str]:
    cells = grid.sheet(sheet).cells
    formulas = [(place, cell) for place, cell in cells.items() if cell.formula is not None]
    if not formulas:
        return set()
    top, left = min(row for (row, _), _ in formulas), min(col for (_, col), _ in formulas)
    # One cell of those that say the same stands for them: their texts differ in nothing that is kept here.
    written = {(col - left, grid.key(cell, sheet)): cell for (_, col), cell in formulas}
    return {
        f"{col} {_relative(cell.formula or '', (cell.from_row, cell.from_col), top, left)}"
        for (col, _), cell in written.items()
    }


def _relative(text: str, at: tuple[int, int], top: int, left: int) -> str:
    """A formula written at a cell with relative references as offsets, and fixed ones counted from the first formula of
    the sheet."""
    pieces = REFERENCE.split("".join(text.split()))
    parts = [pieces[0]]
    for start in range(1, len(pieces), 5):
        col_fixed, letters, row_fixed, digits, after = pieces[start : start + 5]
        row, col = int(digits), column_number(letters)
        parts.append(f"R{row - top}" if row_fixed else f"R[{row - at[0]}]")
        parts.append(f"C{col - left}" if col_fixed else f"C[{col - at[1]}]")
        parts.append(after)
    return "".join(parts).upper()
