"""What two workbooks must share to be called formula for formula the same: every formula, with all that it reads."""

from __future__ import annotations

import hashlib
import re

from tinyproof.check.workbook.read.cells import Cell, ReadSheet
from tinyproof.check.workbook.read.formula import REFERENCE, column_number
from tinyproof.check.workbook.thresholds import LEAST_FORMULAS
from tinyproof.check.workbook.understand.grid import Grid


def fingerprint(grid: Grid) -> str:
    """Equal for workbooks with the same formulas in the same columns, wherever the sheet begins; "" for a few formulas.

    A formula that was filled down counts once, so the number of rows does not matter; every other formula counts, and
    so does every cell that one reads, outside a table too.
    """
    sheets = [_formulas(sheet) for sheet in grid.book.sheets]
    if sum(len(found) for found in sheets) < LEAST_FORMULAS:
        return ""
    text = "\n\n".join("\n".join(sorted(found)) for found in sheets if found)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _formulas(sheet: ReadSheet) -> set[str]:
    places = [place for place, cell in sheet.cells.items() if cell.formula is not None]
    if not places:
        return set()
    top, left = min(row for row, _ in places), min(col for _, col in places)
    return {f"{col - left} {_relative(sheet.cells[row, col], top, left)}" for row, col in places}


def _relative(cell: Cell, top: int, left: int) -> str:
    """The formula with relative references as offsets, and fixed ones counted from the first formula of the sheet."""

    def offset(match: re.Match[str]) -> str:
        col_fixed, letters, row_fixed, digits = match.groups()
        row, col = int(digits), column_number(letters)
        down = f"R{row - top}" if row_fixed else f"R[{row - cell.from_row}]"
        return down + (f"C{col - left}" if col_fixed else f"C[{col - cell.from_col}]")

    return REFERENCE.sub(offset, "".join((cell.formula or "").split())).upper()
