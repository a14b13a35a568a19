"""Labels: a sheet's or a file's name, or a text beside the rate, that states another rate than the one used."""

from __future__ import annotations

from collections.abc import Sequence

from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.rates import stated_rate
from tinyproof.check.workbook.rules.table_audit import TableAudit
from tinyproof.check.workbook.understand.grid import Grid, address
from tinyproof.core.errors import one_line


def check_labels(grid: Grid, audits: Sequence[TableAudit], file: str) -> list[Mistake]:
    """Notes, one for each name that says another rate."""
    rated = [audit for audit in audits if audit.rate is not None and audit.rate.value is not None]
    by_sheet: dict[int, list[TableAudit]] = {}
    for audit in rated:
        by_sheet.setdefault(audit.table.sheet, []).append(audit)
    found = []
    for sheet, of_sheet in by_sheet.items():
        name = grid.sheet(sheet).name
        if len(of_sheet) == 1:
            found += _compare(of_sheet[0], f'the sheet is called "{one_line(name, 60)}"', stated_rate(name))
        for audit in of_sheet:
            if audit.rate is not None and audit.rate.label:
                label = f'the label "{one_line(audit.rate.label.strip(), 60)}" stands beside it'
                found += _compare(audit, label, stated_rate(audit.rate.label))
    base = file.replace("\\", "/").rpartition("/")[2]
    values = {audit.rate.value for audit in rated if audit.rate is not None}
    if len(values) == 1:
        found += _compare(rated[0], f'the file is called "{one_line(base, 80)}"', stated_rate(base))
    return found


def _compare(audit: TableAudit, where: str, stated: float | None) -> list[Mistake]:
    rate = audit.rate
    if rate is None or rate.value is None or stated is None or abs(stated - rate.value) <= 1e-9 * max(1.0, stated):
        return []
    cell = address(rate.place.row, rate.place.col) if rate.place is not None else rate.name.rpartition("!")[2]
    message = f"the learning rate is {rate.value:g}, but {where}"
    return [
        Mistake(
            "rate-label", "note", audit.table.sheet, "learning_rate", message, cells=cell, says=f"{stated:g}",
            should_say=f"{rate.value:g}", why="a reader takes the curve for that of another rate",
        )
    ]  # fmt: skip
