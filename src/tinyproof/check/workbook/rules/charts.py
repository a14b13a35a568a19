"""Charts: a loss curve that leaves rows out, or that draws something else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tinyproof.check.workbook.read.references import parse_cell
from tinyproof.check.workbook.read.worksheet_functions import NotUnderstood
from tinyproof.check.workbook.read.xml_names import Chart, Series
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.table_audit import TableAudit
from tinyproof.check.workbook.understand.grid import Grid, address
from tinyproof.check.workbook.understand.heading_words import fold, understand
from tinyproof.core.errors import one_line


@dataclass(frozen=True)
class Drawn:
    """The cells of one column that a series draws."""

    sheet: int
    col: int
    first: int
    last: int


def check_charts(grid: Grid, audits: Sequence[TableAudit]) -> list[Mistake]:
    """Warnings for charts of a training's loss. A chart of anything else that says so is left alone.

    So is a chart that compares several runs: its curves are other trainings, and only one that is shorter than the
    rest leaves something out. Tables that were not understood have no loss that a chart could miss.
    """
    audits = [audit for audit in audits if audit.wholly]
    found = []
    drawn_losses = {
        id(audit) for audit in audits for chart in grid.book.charts for series in chart.series
        if (cells := drawn(grid, series)) is not None and _is_loss(audit, cells)
    }  # fmt: skip
    for chart in grid.book.charts:
        compares, alike = len(chart.series) > 1, len({_length(grid, series) for series in chart.series}) == 1
        for series in chart.series:
            cells = drawn(grid, series)
            audit = _table_of(audits, cells) if cells is not None else None
            if compares and (alike or cells is None or audit is None or not _is_loss(audit, cells)):
                continue
            if cells is None or audit is None:
                found += _beside(grid, audits, chart, series, cells, drawn_losses)
            elif _is_loss(audit, cells):
                found += _rows(grid, audit, chart, cells)
            elif _means_loss(grid, chart, series) or _alone(chart, audit, drawn_losses):
                found.append(_wrong_column(grid, audit, chart, cells))
    return found


def _length(grid: Grid, series: Series) -> int:
    cells = drawn(grid, series)
    return cells.last - cells.first + 1 if cells is not None else 0


def drawn(grid: Grid, series: Series) -> Drawn | None:
    """What a series draws, where it is one column of one sheet."""
    sheet, _, cells = series.values.rpartition("!")
    index = grid.find(sheet.strip("'").replace("''", "'"))
    first, _, last = cells.partition(":")
    try:
        start, end = parse_cell(first), parse_cell(last or first)
    except NotUnderstood:
        return None
    if index is None or start is None or end is None or start.col != end.col:
        return None
    return Drawn(index, start.col, min(start.row, end.row), max(start.row, end.row))


def _loss_cols(audit: TableAudit) -> list[int]:
    roles = audit.network.roles
    return roles.of("total") or roles.of("loss")


def _is_loss(audit: TableAudit, cells: Drawn) -> bool:
    overlaps = cells.first <= audit.table.rows[-1] and cells.last >= audit.table.rows[0]
    return cells.sheet == audit.table.sheet and cells.col in _loss_cols(audit) and overlaps


def _table_of(audits: Sequence[TableAudit], cells: Drawn) -> TableAudit | None:
    for audit in audits:
        table = audit.table
        if cells.sheet == table.sheet and cells.col in table.cols:
            if cells.first <= table.rows[-1] and cells.last >= table.rows[0]:
                return audit
    return None


def _rows(grid: Grid, audit: TableAudit, chart: Chart, cells: Drawn) -> list[Mistake]:
    first, last = audit.table.rows[0], audit.table.rows[-1]
    missing = max(0, cells.first - first) + max(0, last - cells.last)
    beyond = max(0, cells.last - last)
    if not missing and not (beyond and cells.last > last + 1):
        return []
    if not missing and _blank_below(grid, audit, cells):
        return []
    name = audit.network.roles.names[cells.col]
    right = f"{address(first, cells.col)}:{address(last, cells.col)}"
    what = f"leaves out {missing} of {len(audit.table.rows)} rows" if missing else "draws cells below the table"
    return [_mistake(grid, audit, chart, cells, f"the chart of {name} {what}", right)]


def _blank_below(grid: Grid, audit: TableAudit, cells: Drawn) -> bool:
    """Empty cells below the table are drawn as nothing: no mistake."""
    below = range(audit.table.rows[-1] + 1, cells.last + 1)
    stored = grid.sheet(cells.sheet).cells
    return all((row, cells.col) not in stored for row in below)


def _means_loss(grid: Grid, chart: Chart, series: Series) -> bool:
    """Whether the chart's or the series' title speaks of the loss."""
    title = f"{chart.title} {_title(grid, series)}"
    if re.search(r"\b(loss|error|cost)\b|e_?tot", title.lower()):
        return True
    word = understand(chart.title) if chart.title else None
    return word is not None and word.kind == "total"


def _title(grid: Grid, series: Series) -> str:
    """The title of a series; a reference to the heading of what it draws says nothing about what it should draw."""
    return "" if "!" in series.title else series.title


def _alone(chart: Chart, audit: TableAudit, drawn_losses: set[int]) -> bool:
    """A single untitled curve beside a table whose loss no chart draws: it was meant to be the loss."""
    return len(chart.series) == 1 and not fold(chart.title) and id(audit) not in drawn_losses


def _wrong_column(grid: Grid, audit: TableAudit, chart: Chart, cells: Drawn) -> Mistake:
    roles = audit.network.roles
    cols = _loss_cols(audit)
    loss = roles.names[cols[0]] if cols else "the loss"
    right = f"{address(audit.table.rows[0], cols[0])}:{address(audit.table.rows[-1], cols[0])}" if cols else ""
    message = f"the chart draws {roles.names[cells.col]}, not {loss}"
    return _mistake(grid, audit, chart, cells, message, right)


def _beside(
    grid: Grid, audits: Sequence[TableAudit], chart: Chart, series: Series, cells: Drawn | None, done: set[int]
) -> list[Mistake]:
    """A curve of empty cells, or of cells beside the table, where the loss is drawn nowhere."""
    here = [audit for audit in audits if cells is not None and audit.table.sheet == cells.sheet]
    if cells is None or len(here) != 1 or id(here[0]) in done or not _loss_cols(here[0]):
        return []
    stored = grid.sheet(cells.sheet).cells
    held = [row for row in range(cells.first, min(cells.last, cells.first + 5_000) + 1) if (row, cells.col) in stored]
    if held and not (_means_loss(grid, chart, series) and cells.col in here[0].table.cols):
        return []
    col = _loss_cols(here[0])[0]
    right = f"{address(here[0].table.rows[0], col)}:{address(here[0].table.rows[-1], col)}"
    what = "the chart draws empty cells" if not held else "the chart draws cells outside the table"
    return [_mistake(grid, here[0], chart, cells, what, right)]


def _mistake(grid: Grid, audit: TableAudit, chart: Chart, cells: Drawn, message: str, right: str) -> Mistake:
    cols = _loss_cols(audit)
    column = audit.network.roles.names[cols[0]] if cols else ""
    where = f"{address(cells.first, cells.col)}:{address(cells.last, cells.col)}"
    title = f' "{one_line(chart.title, 60)}"' if chart.title else ""
    return Mistake(
        "chart-range", "warning", audit.table.sheet, column, message, cells=where, says=where, should_say=right,
        why="the curve is not the training's whole loss curve",
        fix=f"let the chart{title} on sheet \"{one_line(chart.sheet, 60)}\" draw {right}" if right else "",
    )  # fmt: skip
