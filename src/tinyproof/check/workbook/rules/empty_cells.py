"""Empty cells where a number is read: a spreadsheet takes them for 0, and goes on without a word."""

from __future__ import annotations

from tinyproof.backprop.expr import Expr, names
from tinyproof.check.workbook.rules.forward import paste
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.table_audit import TableAudit
from tinyproof.check.workbook.rules.typed_numbers import right_formula
from tinyproof.check.workbook.understand.patterns import Pattern, column_of
from tinyproof.check.workbook.understand.roles import FORWARD


def check_empty(audit: TableAudit) -> list[Mistake]:
    """Cells without a number in computed columns, in the rows in which a formula of the table reads them.

    A weight's start value is left alone: who starts at 0 may leave it blank.
    """
    judge = audit.judge
    if judge is None:
        return []
    found = []
    for col in judge.roles.of(*FORWARD, "gradient", "helper", "derivative", "weight", "bias", "state"):
        held = judge.columns[col]
        starts = col in judge.network.parameters or judge.roles.kinds[col] == "state"
        start = judge.table.rows[0] if starts else None
        if not held.empty or not (held.patterns or held.typed or judge.roles.kinds[col] == "gradient"):
            continue
        read = _rows_read(judge, col)
        rows = tuple(row for row in held.empty if row in read and row != start)
        if rows:
            found.append(_mistake(judge, col, rows, right_formula(judge, audit, col)))
    return found


def _rows_read(judge: Judge, col: int) -> set[int]:
    """The rows of a column that some formula of the table reads."""
    rows, position = judge.table.rows, judge.table.position
    found: set[int] = set()
    for columns in judge.columns.values():
        for pattern in columns.patterns:
            for name in names(pattern.expr) if pattern.expr is not None else ():
                place = column_of(name)
                if place is None or place.col != col:
                    continue
                if place.fixed is not None:
                    found.add(place.fixed)
                    continue
                places = [position[row] + place.offset for row in pattern.rows]
                found |= {rows[at] for at in places if 0 <= at < len(rows)}
    return found


def _mistake(judge: Judge, col: int, rows: tuple[int, ...], right: Expr | None) -> Mistake:
    name = judge.roles.names[col]
    whole = len(rows) >= len(judge.table.rows) - 1
    message = (
        f"{name} has {'no numbers at all' if whole else 'cells without a number'}, and other formulas read them as 0"
    )
    return Mistake(
        kind="pasted-values",
        severity="error",
        sheet=judge.table.sheet,
        column=name,
        message=message,
        col=col,
        rows=rows,
        cells="",
        says="(empty)",
        should_say=judge.named(right) if right is not None else "",
        why="an empty cell counts as 0 in a formula",
        fix=paste(judge, right, Pattern(rows, right, {}), name) if right is not None else "",
    )
