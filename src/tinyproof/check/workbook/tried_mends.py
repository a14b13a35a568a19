"""Every printed mend has been tried: on a copy of the sheet the finding is gone, and no other has come."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from tinyproof.check.workbook.audit_table import audit_table
from tinyproof.check.workbook.read.cells import Cell
from tinyproof.check.workbook.read.formula import parse_cell
from tinyproof.check.workbook.rules.empty_cells import check_empty
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.table_audit import TableAudit
from tinyproof.check.workbook.rules.typed_numbers import check_pasted
from tinyproof.check.workbook.say.to_findings import grouped
from tinyproof.check.workbook.understand.grid import Grid

_WRITE = re.compile(r"write in (?P<cell>[A-Z]+\d+): (?P<formula>=.*?)(?P<down> and fill down)?", re.DOTALL)


def with_tried_mends(grid: Grid, audits: Sequence[TableAudit]) -> None:
    """Take the mend away from every mistake that it does not take away, or that it exchanges for another.

    A mistake that several sheets share is tried on the first of them.
    """
    owner = {id(mistake): audit for audit in audits for mistake in audit.mistakes}
    for group in grouped([mistake for audit in audits for mistake in audit.mistakes]):
        audit = owner[id(group[0])]
        if _WRITE.fullmatch(group[0].fix) and not works(grid, audit, group[0]):
            for mistake in group:
                mine = owner[id(mistake)]
                mine.mistakes = [replace(m, fix="") if m is mistake else m for m in mine.mistakes]


def works(grid: Grid, audit: TableAudit, mistake: Mistake) -> bool:
    """Whether the table has lost a mistake, and got no other, once its mend is written and filled down as it says."""
    mended = _mended(grid, audit, mistake)
    if mended is None:
        return False
    after = audit_table(mended, audit.table)
    if not after.wholly:
        return False
    left = [*after.mistakes, *(m for m in (*check_pasted(after), *check_empty(after)) if m.col == mistake.col)]
    told = [m for m in left if m.severity != "note" or m.undecided]
    gone = not any(m.col == mistake.col and set(m.rows) & set(mistake.rows) for m in told)
    before = {(m.col, _family(m)) for m in audit.mistakes}
    return gone and all((m.col, _family(m)) in before for m in told)


def _family(mistake: Mistake) -> str:
    """The kind; typed numbers are one, whether some of a column's or all of them are typed."""
    return mistake.kind.partition("-")[0] if mistake.kind.startswith("pasted") else mistake.kind


def _mended(grid: Grid, audit: TableAudit, mistake: Mistake) -> Grid | None:
    """The workbook with the mend in it; None where it says no cell of the table."""
    match = _WRITE.fullmatch(mistake.fix)
    start = parse_cell(match["cell"]) if match else None
    if match is None or start is None or not mistake.rows:
        return None
    rows = mistake.rows if match["down"] else mistake.rows[:1]
    sheet = grid.sheet(audit.table.sheet)
    cell = Cell(None, "n", match["formula"], start.row, start.col)
    cells = {**sheet.cells, **{(row, start.col): cell for row in rows}}
    sheets = list(grid.book.sheets)
    sheets[audit.table.sheet] = replace(sheet, cells=cells)
    copy = Grid(replace(grid.book, sheets=tuple(sheets)))
    copy.templates, copy.repairs = grid.templates, grid.repairs  # what was read and tried is not read and tried again
    return copy
