"""Every printed mend has been tried: on a copy of the sheet the finding is gone, and no other has come."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from tinyproof.check.workbook.audit_table import audit_table
from tinyproof.check.workbook.read.cells import Cell
from tinyproof.check.workbook.read.references import parse_cell
from tinyproof.check.workbook.rules.empty_cells import check_empty
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.table_audit import TableAudit
from tinyproof.check.workbook.rules.typed_numbers import check_pasted
from tinyproof.check.workbook.say.to_findings import grouped
from tinyproof.check.workbook.understand.grid import Grid

_WRITE = re.compile(r"write in (?P<cell>[A-Z]+\d+): (?P<formula>=.*?)(?P<down> and fill down)?", re.DOTALL)


def with_tried_mends(grid: Grid, audits: Sequence[TableAudit]) -> None:
    """Take the mend away from every mistake that it does not take away, or that it exchanges for another.

    All mends of a table are tried together, and only where the table is not clean then, one by one. A mistake that
    several sheets share is tried on the first of them.
    """
    owner = {id(mistake): audit for audit in audits for mistake in audit.mistakes}
    groups = grouped([mistake for audit in audits for mistake in audit.mistakes])
    first = [group[0] for group in groups if _WRITE.fullmatch(group[0].fix)]
    good: set[int] = set()
    for audit in audits:
        mine = [mistake for mistake in first if owner[id(mistake)] is audit]
        if len(mine) > 1 and works(grid, audit, mine):
            good |= {id(mistake) for mistake in mine}
        else:
            good |= {id(mistake) for mistake in mine if works(grid, audit, [mistake])}
    for group in groups:
        if _WRITE.fullmatch(group[0].fix) and id(group[0]) not in good:
            for mistake in group:
                held = owner[id(mistake)]
                held.mistakes = [replace(m, fix="") if m is mistake else m for m in held.mistakes]


def works(grid: Grid, audit: TableAudit, mistakes: Sequence[Mistake]) -> bool:
    """Whether the table has lost these mistakes, and got no other, once their mends are written and filled down."""
    cells = [_written(audit, mistake) for mistake in mistakes]
    if not all(cells):
        return False
    mended = {place: cell for part in cells for place, cell in part.items()}
    cols = {mistake.col for mistake in mistakes}
    kept = {col: held for col, held in audit.network.columns.items() if col not in {c for _, c in mended}}
    after = audit_table(_copy(grid, audit, mended), audit.table, kept)
    if not after.wholly:
        return False
    left = [*after.mistakes, *(m for m in (*check_pasted(after), *check_empty(after)) if m.col in cols)]
    told = [m for m in left if m.severity != "note" or m.undecided]
    gone = not any(m.col == n.col and set(m.rows) & set(n.rows) for m in told for n in mistakes)
    before = {(m.col, _family(m)) for m in audit.mistakes}
    return gone and all((m.col, _family(m)) in before for m in told)


def _family(mistake: Mistake) -> str:
    """The kind; typed numbers are one, whether some of a column's or all of them are typed."""
    return mistake.kind.partition("-")[0] if mistake.kind.startswith("pasted") else mistake.kind


def _written(audit: TableAudit, mistake: Mistake) -> dict[tuple[int, int], Cell]:
    """The cells that a mend writes; none where it says no cell of the table."""
    match = _WRITE.fullmatch(mistake.fix)
    start = parse_cell(match["cell"]) if match else None
    if match is None or start is None or start.col not in audit.table.cols:
        return {}
    cell = Cell(None, "n", match["formula"], start.row, start.col)
    return {(row, start.col): cell for row in (mistake.rows if match["down"] else mistake.rows[:1])}


def _copy(grid: Grid, audit: TableAudit, mended: dict[tuple[int, int], Cell]) -> Grid:
    """The workbook with other cells on the table's sheet."""
    sheet = grid.sheet(audit.table.sheet)
    sheets = list(grid.book.sheets)
    sheets[audit.table.sheet] = replace(sheet, cells={**sheet.cells, **mended})
    return grid.of(replace(grid.book, sheets=tuple(sheets)))
