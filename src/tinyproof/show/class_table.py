"""The rows of a class as a table."""

from __future__ import annotations

from collections.abc import Sequence

from tinyproof.check.classes.class_rows import ClassRow
from tinyproof.core.table import Cell, Column, Table

FIGURES = ("workbook", "notebook", "claimed", "logged", "parameters", "epochs")


def figures(row: ClassRow) -> tuple[str, ...]:
    """The cells of FIGURES: a number, or the least and the greatest of several; "" where none is known."""
    numbers = span(row.claimed, ".2f"), span(row.logged, ".2f"), span(row.parameters, ","), span(row.epochs, "")
    return row.workbook, row.notebook, *numbers


def plain_figures(row: ClassRow) -> tuple[Cell, ...]:
    """The same for a spreadsheet: one number is a number there."""
    numbers = row.claimed, row.logged, row.parameters, row.epochs
    specs = ".10g", ".10g", "d", "d"
    each = [some[0] if len(some) == 1 else span(some, spec) or None for some, spec in zip(numbers, specs, strict=True)]
    return row.workbook, row.notebook, *each


def span(numbers: tuple[float, ...], spec: str) -> str:
    """A number, or from where to where several go.

    >>> span([99.4], ".2f"), span([4000, 8000], ","), span([], "")
    ('99.40', '4,000-8,000', '')
    """
    ends = [format(number, spec) for number in numbers[:1] + numbers[-1:]]
    return "-".join(dict.fromkeys(ends))


def points_of(row: ClassRow) -> Cell:
    return row.grade.points if row.grade is not None else None


def class_table(rows: Sequence[ClassRow], title: str = "points") -> Table:
    """A row a submission; with the points, and how they come about, where there is a rubric."""
    graded = any(row.grade is not None for row in rows)
    columns = [Column("name"), *(Column(name, "right" if name in FIGURES[2:] else "left") for name in FIGURES)]
    columns += [Column("status"), *([Column(title, "right"), Column("how")] if graded else [])]
    cells = [
        (row.name, *plain_figures(row), row.status, *([points_of(row), row.grade.words()] if row.grade else []))
        for row in rows
    ]
    return Table("class", tuple(columns), tuple(cells))
