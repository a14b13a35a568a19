"""Audit a hand-made back-propagation workbook: its formulas are read as mathematics, the wrong ones are named.

Reading order: read (cells, formulas), understand (headings, tables, roles of columns, the network that is trained),
rules (what is held against what), say (a mistake in words); audit_table puts them together.
"""

from __future__ import annotations

from pathlib import Path

from tinyproof.check.finding import FileReport, status_of
from tinyproof.check.workbook.audit_table import TableAudit, audit_table
from tinyproof.check.workbook.both_readers import Divided, divide
from tinyproof.check.workbook.graph.verdict import judge_graph
from tinyproof.check.workbook.read.cells import Book, read_book
from tinyproof.check.workbook.rules.charts import check_charts
from tinyproof.check.workbook.rules.effects import with_effects
from tinyproof.check.workbook.rules.labels import check_labels
from tinyproof.check.workbook.rules.loss_columns import check_loss_columns
from tinyproof.check.workbook.rules.stale import check_stale
from tinyproof.check.workbook.rules.typed_numbers import check_givens, check_pasted
from tinyproof.check.workbook.rules.typed_tables import audit_typed_tables
from tinyproof.check.workbook.say.mistake import KINDS, Mistake
from tinyproof.check.workbook.say.to_findings import fingerprint, to_findings, what_is_right
from tinyproof.check.workbook.say.views import sheet_views
from tinyproof.check.workbook.understand.grid import Grid
from tinyproof.check.workbook.understand.tables import find_tables
from tinyproof.core.errors import DataError, one_line

__all__ = ["KINDS", "audit_workbook"]


def audit_workbook(path: Path | str, name: str = "") -> FileReport:
    """Audit one workbook; `name` is what the report calls it (its file name otherwise). Never raises for a bad file."""
    shown = name or Path(path).name
    try:
        book = read_book(path)
    except DataError as error:
        return FileReport(shown, "workbook", "unreadable", problem=str(error))
    return audit_book(book, shown)


def audit_book(book: Book, shown: str) -> FileReport:
    """Audit a workbook that was read."""
    grid = Grid(book)
    audits = [audit_table(grid, table) for index in range(len(book.sheets)) for table in find_tables(grid, index)]
    for audit in audits:
        audit.mistakes += [*check_pasted(audit), *check_givens(audit), *check_stale(audit, book.recalculates)]
        audit.mistakes = with_effects(audit)
    audit_typed_tables(grid, audits)
    pasted, remarks = check_loss_columns(grid, audits)
    mistakes = [mistake for audit in audits for mistake in audit.mistakes]
    mistakes += [*pasted, *check_labels(grid, audits, shown), *check_charts(grid, audits)]
    divided = divide(audits, mistakes, judge_graph(grid))
    audits, mistakes = divided.audits, divided.mistakes
    problems = _problems(grid, audits, mistakes, divided)
    findings = to_findings(grid, mistakes)
    status = status_of(findings, undecided=bool(problems))
    graph_lines = [f'sheet "{one_line(grid.sheet(sheet).name, 60)}": {line}' for sheet, line in divided.checked]
    checked = (*what_is_right(grid, audits), *graph_lines, *remarks, *book.remarks)
    problem = "; ".join(problems)
    views = sheet_views(grid, audits, mistakes)
    return FileReport(shown, "workbook", status, findings, checked, problem, fingerprint(audits), views)


def _problems(grid: Grid, audits: list[TableAudit], mistakes: list[Mistake], divided: Divided) -> list[str]:
    """What could not be told, one line a reason."""
    if not audits and not divided.learns and not divided.problems:
        return ["no table of a training was found: no row of headings and no run of rows with formulas"]
    found: dict[str, None] = {}
    for sheet, text in divided.problems:
        found[f'sheet "{one_line(grid.sheet(sheet).name, 60)}": {one_line(text, 300)}'] = None
    for audit in audits:
        if audit.problem:
            found[f'sheet "{one_line(grid.sheet(audit.table.sheet).name, 60)}": {audit.problem}'] = None
    for mistake in mistakes:
        if mistake.undecided:
            found[f'sheet "{one_line(grid.sheet(mistake.sheet).name, 60)}": {one_line(mistake.message, 200)}'] = None
    return list(found)[:20]
