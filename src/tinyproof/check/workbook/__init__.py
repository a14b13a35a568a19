"""Audit a hand-made back-propagation workbook: its formulas are read as mathematics, the wrong ones are named.

Reading order: read (cells, formulas), understand (headings, tables, roles of columns, the network that is trained),
rules (what is held against what), say (a mistake in words); audit_table puts them together. graph reads every other
layout as a graph of cells; both_readers divides the work.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tinyproof.check.finding import FileReport, status_of
from tinyproof.check.workbook.audit_table import audit_table, refuse_parts
from tinyproof.check.workbook.both_readers import (
    Divided,
    accused_sheets,
    course_sheets,
    divide,
    refuse_contradicted,
)
from tinyproof.check.workbook.exercise_report import KINDS_OF_EXERCISES, audit_exercise
from tinyproof.check.workbook.graph.verdict import GraphVerdict, judge_graph
from tinyproof.check.workbook.read.cells import Book
from tinyproof.check.workbook.read.convert import open_converted
from tinyproof.check.workbook.read.delimited import holds_formulas
from tinyproof.check.workbook.read.open_book import open_book
from tinyproof.check.workbook.rules.charts import check_charts
from tinyproof.check.workbook.rules.effects import with_effects
from tinyproof.check.workbook.rules.empty_cells import check_empty
from tinyproof.check.workbook.rules.labels import check_labels
from tinyproof.check.workbook.rules.loss_columns import check_loss_columns
from tinyproof.check.workbook.rules.mistake import KINDS, Mistake
from tinyproof.check.workbook.rules.stale import check_stale
from tinyproof.check.workbook.rules.table_audit import TableAudit
from tinyproof.check.workbook.rules.typed_numbers import check_givens, check_pasted
from tinyproof.check.workbook.rules.typed_tables import audit_typed_tables
from tinyproof.check.workbook.say.fingerprint import fingerprint, where_formulas_stand
from tinyproof.check.workbook.say.to_findings import to_findings, what_is_right
from tinyproof.check.workbook.say.views import sheet_views
from tinyproof.check.workbook.say.workbook_facts import workbook_facts
from tinyproof.check.workbook.tried_mends import with_tried_mends
from tinyproof.check.workbook.understand.grid import Grid
from tinyproof.check.workbook.understand.tables import find_tables
from tinyproof.core.arrays import np
from tinyproof.core.errors import DataError, one_line

__all__ = ["KINDS", "KINDS_OF_EXERCISES", "audit_workbook", "holds_formulas"]


def audit_workbook(path: Path | str, name: str = "", convert: bool = False) -> FileReport:
    """Audit one workbook; `name` is what the report calls it (its file name otherwise). Never raises for a bad file.

    `convert`: LibreOffice may convert an old or foreign one (.xls, .numbers, .xlsb) first.
    """
    shown = name or Path(path).name
    try:
        book = open_converted(path) if convert else open_book(path)
    except DataError as error:
        return FileReport(shown, "workbook", "unreadable", problem=str(error))
    return audit_read(book, shown)


@np.errstate(all="ignore")  # a stranger's numbers may be infinite; what is not finite is no evidence
def audit_read(book: Book, shown: str) -> FileReport:
    """Audit a workbook that was read, an exercise by what was asked for."""
    found = audit_exercise(book, lambda state: audit_book(state, shown))
    return audit_book(book, shown) if found is None else replace(found, file=shown)


@np.errstate(all="ignore")  # a stranger's numbers may be infinite; what is not finite is no evidence
def audit_book(book: Book, shown: str) -> FileReport:
    """Audit a workbook that was read."""
    grid = Grid(book)
    audits = [audit_table(grid, table) for index in range(len(book.sheets)) for table in find_tables(grid, index)]
    refuse_parts(grid, audits)
    for audit in audits:
        audit.mistakes += [*check_pasted(audit), *check_empty(audit), *check_givens(audit)]
        audit.mistakes += check_stale(audit, book.recalculates)
        audit.mistakes = with_effects(audit)
    with_tried_mends(grid, audits)
    audit_typed_tables(grid, audits)
    pasted, remarks = check_loss_columns(grid, audits)
    mistakes = [mistake for audit in audits for mistake in audit.mistakes]
    mistakes += [*pasted, *check_labels(grid, audits, shown), *check_charts(grid, audits)]
    divided = _divided(grid, audits, mistakes)
    audits, mistakes = divided.audits, divided.mistakes
    problems = _problems(grid, audits, mistakes, divided)
    findings = to_findings(grid, mistakes)
    graph_lines = [f'sheet "{one_line(grid.sheet(sheet).name, 60)}": {line}' for sheet, line in divided.checked]
    right = (*what_is_right(grid, audits), *graph_lines)
    if not (problems or right or any(finding.severity == "error" for finding in findings)):
        problems = [
            "nothing in it could be compared: no change that follows a gradient was found, and none that does not"
        ]
    status = status_of(findings, undecided=bool(problems))
    checked = (*right, *remarks, *book.remarks)
    problem = "; ".join(problems)
    views = sheet_views(grid, audits, mistakes)
    return FileReport(
        shown,
        "workbook",
        status=status,
        findings=findings,
        checked=checked,
        problem=problem,
        fingerprint=fingerprint(grid),
        formulas=where_formulas_stand(grid),
        views=views,
        facts=workbook_facts(grid, audits, divided.trainings, shown),
    )


def _divided(grid: Grid, audits: list[TableAudit], mistakes: list[Mistake]) -> Divided:
    """What stands after both readers have read."""
    doubted = sorted(course_sheets(audits) & accused_sheets(audits, mistakes))
    second = judge_graph(grid, doubted, mends=False, alone=False) if doubted else GraphVerdict()
    refuse_contradicted(audits, mistakes, second)
    others = sorted(set(range(len(grid.book.sheets))) - course_sheets(audits))
    # Where a table trains, derivatives beside it are its check sheet, or what somebody tried: no training of their own.
    return divide(audits, mistakes, judge_graph(grid, others, alone=all(audit.problem for audit in audits)), second)


def _problems(grid: Grid, audits: list[TableAudit], mistakes: list[Mistake], divided: Divided) -> list[str]:
    """What could not be told, one line a reason."""
    if not audits and not divided.learns and not divided.problems:
        reason = _no_table(grid)
        still = "nothing is trained: no cell is another cell plus a change that depends on it"
        return [f"{reason}; {still}" if divided.still else reason]
    found: dict[str, None] = {}
    for sheet, text in divided.problems:
        found[f'sheet "{one_line(grid.sheet(sheet).name, 60)}": {one_line(text, 300)}'] = None
    for audit in audits:
        if audit.problem:
            found[f'sheet "{one_line(grid.sheet(audit.table.sheet).name, 60)}": {audit.problem}'] = None
    for mistake in mistakes:
        if mistake.undecided:
            found[f'sheet "{one_line(grid.sheet(mistake.sheet).name, 60)}": {one_line(mistake.message, 200)}'] = None
    lines = list(found)
    return lines[:20] + ([f"and {len(lines) - 20} more"] if len(lines) > 20 else [])


def _no_table(grid: Grid) -> str:
    """Why a workbook has no table that could be judged; what is there is said."""
    cells = [(index, row, c) for index, s in enumerate(grid.book.sheets) for (row, _), c in s.cells.items()]
    if not cells:
        return "its sheets are empty"
    formulas = [(index, row) for index, row, cell in cells if cell.formula is not None]
    if not formulas:
        return f"its {len(cells):,} filled cells hold typed numbers and texts only, no formula"
    rows = len(set(formulas))
    return (
        f"it has {len(formulas):,} formulas in {rows:,} rows, but no table with one row a step: that takes a row of "
        "headings such as w1, h1, a_h1, E_total, dE/dw1, or three rows with 8 formulas in the same columns"
    )
