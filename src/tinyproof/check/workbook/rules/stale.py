"""Stored numbers that are not what the formulas give: the file was not calculated after its last change."""

from __future__ import annotations

import math

from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.numbers import Numbers, anew, cached, on_rows
from tinyproof.check.workbook.rules.table_audit import TableAudit
from tinyproof.check.workbook.thresholds import STALE, STALE_OF_COLUMN
from tinyproof.check.workbook.understand.patterns import Pattern
from tinyproof.core.arrays import np


def check_stale(audit: TableAudit, recalculates: bool) -> list[Mistake]:
    """Formula cells whose stored number is not what the formula gives, neither from the stored numbers beside it nor
    anew: the file was not calculated after its last change."""
    judge = audit.judge
    if judge is None or any(m.kind == "circular" for m in audit.mistakes):
        return []
    stored = cached(judge)
    if recalculates and not _ever_calculated(judge, stored):
        return []  # never calculated: every program does so when it opens the file
    suspects = {
        col: rows
        for col in _with_formulas(judge)
        if (rows := [row for p in judge.columns[col].patterns for row in _unlike(judge, col, p, stored, stored)])
    }
    if not suspects:
        return []
    fresh = anew(judge, stored)
    found = []
    for col, rows in suspects.items():
        stale = sorted(row for row in rows if _apart(judge, col, row, stored, fresh))
        if stale:
            found.append(_stale(judge, col, stale, stored, fresh))
    return found


def _ever_calculated(judge: Judge, stored: Numbers) -> bool:
    positions = {row: position for position, row in enumerate(judge.table.rows)}
    return any(
        stored[col][positions[row]] not in (0.0, math.nan)
        for col, columns in judge.columns.items()
        for pattern in columns.patterns
        for row in pattern.rows
    )


def _with_formulas(judge: Judge) -> list[int]:
    return [col for col in judge.table.cols if judge.columns[col].patterns]


def _unlike(judge: Judge, col: int, pattern: Pattern, stored: Numbers, beside: Numbers) -> list[int]:
    """Rows whose stored number is not what the formula gives from the stored numbers beside it."""
    if pattern.expr is None:
        return []
    positions = [judge.table.position[row] for row in pattern.rows]
    shown, given = stored[col][positions], on_rows(judge, pattern.expr, positions, beside)
    wrong = np.isfinite(shown) & np.isfinite(given) & (np.abs(shown - given) > _room(stored[col], given))
    return [row for row, bad in zip(pattern.rows, wrong, strict=True) if bad]


def _room(column: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """What rounding explains: some programs store ten digits, and a difference of two such numbers has fewer."""
    scale = float(np.nanmax(np.abs(column))) if np.any(np.isfinite(column)) else 0.0
    return np.asarray(STALE_OF_COLUMN * scale + 1e-12 + STALE * np.abs(numbers))


def _apart(judge: Judge, col: int, row: int, stored: Numbers, fresh: Numbers) -> bool:
    position = judge.table.position[row]
    shown, given = stored[col][position], fresh[col][position]
    return bool(np.isfinite(given) and abs(shown - given) > _room(stored[col], np.array(given)))


def _stale(judge: Judge, col: int, rows: list[int], stored: Numbers, fresh: Numbers) -> Mistake:
    name, position = judge.roles.names[col], judge.table.position[rows[0]]
    shows, gives = stored[col][position], fresh[col][position]
    return Mistake(
        kind="stale-values",
        severity="warning",
        sheet=judge.table.sheet,
        column=name,
        message=f"{name} shows {shows:.10g}, and its formula gives {gives:.10g}",
        col=col,
        rows=tuple(rows),
        cells="",
        says=f"{shows:.10g}",
        should_say=f"{gives:.10g}",
        why="the file was not calculated again after its last change",
        fix="recalculate the workbook (Ctrl+Alt+F9 in Excel, Ctrl+Shift+F9 in LibreOffice) and save it",
    )
