"""What a workbook holds, to be held against what was asked: its trainings, rates, charts, and every number it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from tinyproof.check.facts import CellNumber, Numbers, Training, WorkbookFacts
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.loss_columns import rates_of_columns
from tinyproof.check.workbook.rules.table_audit import TableAudit
from tinyproof.check.workbook.understand.grid import Grid, Place, address
from tinyproof.check.workbook.understand.heading_words import rate_in
from tinyproof.check.workbook.understand.patterns import column_of, current, place_outside
from tinyproof.check.workbook.understand.structure import terms
from tinyproof.core.errors import one_line

_MOST_NUMBERS = 5_000
_MOST_EXAMPLES = 100
# A whole number behind a letter is that of a unit or a cell (`w2`, `$A$2`), one with a point is none of these.
_NUMBER = re.compile(r"\d+[.,]\d+|(?<![\w$.,])\d+(?![\w.,]*\d)")


def workbook_facts(grid: Grid, audits: Sequence[TableAudit], others: Sequence[Training], shown: str) -> WorkbookFacts:
    """`audits`: the tables that stand; `others`: trainings of other layouts; `shown`: the file's name; of its
    path the folders name nothing, they are not the student's words."""
    tables = [_training(grid, audit.judge, audit) for audit in audits if audit.judge is not None]
    return WorkbookFacts(
        trainings=(*tables, *others),
        losses_of=rates_of_columns(grid, audits),
        charts=None if grid.book.pictures is None else len(grid.book.charts),
        named=_named(grid, audits, shown),
        pictures=grid.book.pictures is not False,
    )


def _training(grid: Grid, judge: Judge, audit: TableAudit) -> Training:
    table, rate = audit.table, audit.rate
    first = table.rows[0]
    return Training(
        sheet=one_line(grid.sheet(table.sheet).name, 80),
        cells=f"{address(table.rows[0], table.cols[0])}:{address(table.rows[-1], table.cols[-1])}",
        rows=len(table.rows),
        rate=rate.value if rate is not None else None,
        weights=_in_row(judge, "weight", first),
        biases=_biases(judge),
        inputs=_in_row(judge, "input", first) or None,
        targets=_in_row(judge, "target", first) or None,
        later=_later(judge),
    )


def _in_row(judge: Judge, kind: str, row: int) -> Numbers | None:
    """The numbers of the columns of a kind in a row; None where one shows none."""
    held = []
    for col in judge.roles.of(kind):
        value = judge.grid.number(Place(judge.table.sheet, row, col))
        if value is None:
            return None
        held.append(CellNumber(one_line(judge.roles.names[col], 20), value, address(row, col)))
    return tuple(held)


def _later(judge: Judge) -> tuple[tuple[Numbers, Numbers], ...]:
    """The inputs and targets of rows that take others than all rows above them: examples in turn."""
    found: dict[tuple[float, ...], tuple[Numbers, Numbers]] = {}
    for row in judge.table.rows:
        inputs, targets = _in_row(judge, "input", row), _in_row(judge, "target", row)
        if inputs and targets and len(found) <= _MOST_EXAMPLES:
            found.setdefault(tuple(number.value for number in (*inputs, *targets)), (inputs, targets))
    return tuple(found.values())[1:]


def _biases(judge: Judge) -> Numbers | None:
    """The biases: columns of them, cells outside the table and numbers that the sums of the units add; None where a sum
    was not read."""
    held = _in_row(judge, "bias", judge.table.rows[0])
    if held is None:
        return None
    found = {each.cell: each for each in held}
    for col in judge.roles.of("net"):
        expr = judge.network.equation(current(col))
        sum_ = terms(expr) if expr is not None else None
        if sum_ is None:
            return None
        for number, names in sum_:
            if len(names) > 1 or (names and column_of(names[0]) is not None):
                continue
            place = place_outside(judge.grid, names[0]) if names else Place(judge.table.sheet, judge.table.rows[0], col)
            value = judge.grid.number(place) if names and place is not None else 1.0
            if place is None or value is None:
                return None
            cell = address(place.row, place.col)
            found[cell] = CellNumber("bias", number * value, cell)
    return tuple(found.values())


def _named(grid: Grid, audits: Sequence[TableAudit], shown: str) -> frozenset[float] | None:
    """The numbers of typed cells outside the tables, of texts, titles and names; None where they are too many."""
    inside = {(a.table.sheet, row, col) for a in audits for row in a.table.rows for col in a.table.cols}
    found: set[float] = set()
    for number in _numbers(grid, inside, shown):
        found.add(number)
        if len(found) > _MOST_NUMBERS:
            return None
    return frozenset(found)


def _numbers(grid: Grid, inside: set[tuple[int, int, int]], shown: str) -> Iterator[float]:
    texts = [PurePath(shown).name, *(chart.title for chart in grid.book.charts)]
    texts += [series.title for chart in grid.book.charts for series in chart.series]
    for index, sheet in enumerate(grid.book.sheets):
        texts.append(sheet.name)
        for (row, col), cell in sheet.cells.items():
            if isinstance(cell.value, str):
                texts.append(cell.value[:500])
            elif cell.value is not None and (cell.formula is None or cell.kind == "x"):
                if (index, row, col) not in inside:
                    yield round(cell.value, 9)
            if cell.formula is not None and (index, row, col) not in inside:
                texts.append(cell.formula[:500])
    for text in texts:
        stated = rate_in(text) if len(text) < 100 else None
        if stated is not None:
            yield round(stated, 9)
        for match in _NUMBER.finditer(text):
            yield round(float(match.group()[:30].replace(",", ".")), 9)
