"""A class on one screen: how many stand how, the gravest submissions, the mistakes, what is shared."""

from __future__ import annotations

import os
import textwrap

from rich.cells import cell_len, set_cell_size

from tinyproof.check.classes.class_rows import ClassRow, class_row
from tinyproof.check.classes.grades import Points
from tinyproof.check.classes.in_common import in_common, rules_broken
from tinyproof.check.classes.submissions import GRAVEST_FIRST, Submission, submissions
from tinyproof.check.finding import Report
from tinyproof.core.table import Cell, Column, Table
from tinyproof.show.audit_page import shared_folder
from tinyproof.show.class_table import FIGURES, figures, points_of

MANY_FILES = 20  # from here on a scroll of every finding helps nobody
_ROWS, _FIGURES, _MISTAKES, _SHARED, _WIDTH = 12, 6, 6, 3, 80


def class_text(report: Report, points: Points | None = None) -> str:
    """At most a screen of 80 columns; the page and `--details` have the rest. `points`: a rubric."""
    found = sorted(_rows(report), key=lambda one: GRAVEST_FIRST.index(one.status))
    told = _figures(found, points)
    gravest = _gravest(found, _ROWS - 4 if told else _ROWS)
    blocks = [_counts(report, found), gravest, told, _mistakes(found), _shared(report)]
    more = "--details prints every finding, --html FILE writes the page of the class"
    return "\n\n".join([*(block for block in blocks if block), more])


def _rows(report: Report) -> list[Submission]:
    """The submissions; of one alone its files, each by its name there."""
    found = submissions(report.files, report.left_out)
    if len(found) > 1:
        return found
    prefix = shared_folder([file.file for file in report.files])
    return [Submission(os.path.relpath(file.file, prefix), (file,)) for file in report.files]


def _counts(report: Report, found: list[Submission]) -> str:
    held = [one.status for one in found]
    counts = ", ".join(f"{held.count(status)} {status}" for status in GRAVEST_FIRST if status in held)
    left = f", {len(report.left_out)} left out" if report.left_out else ""
    alone = len(submissions(report.files, report.left_out)) == 1
    told = f"{len(report.files)} files" if alone else f"{len(found)} submissions, {len(report.files)} files"
    return textwrap.fill(f"{told}{left}: {counts}", _WIDTH)


def _gravest(found: list[Submission], most: int) -> str:
    """A row for each submission that is not right or without work; the right ones are counted above."""
    asking = [one for one in found if one.status not in ("right", "nothing to judge") or not one.files]
    if not asking:
        return ""
    name_width = min(24, max(cell_len(one.name) for one in asking))
    room = _WIDTH - name_width - 24
    rows = [(_short(one.name, name_width), one.status, one.count("error"), _short(one.first, room)) for one in asking]
    table = Table("submissions", (Column("name"), Column("status"), Column("errors", "right"), Column("first")), ())
    shown = Table(table.title, table.columns, tuple(rows[:most])).text()
    return shown + (f"\nand {len(rows) - most} more that are not right" if len(rows) > most else "")


def _figures(found: list[Submission], points: Points | None) -> str:
    """What the notebooks say of themselves, and the points; the gravest first."""
    rows = [class_row(one, points) for one in found]
    told = [row for row in rows if any(figures(row)[2:]) or row.grade is not None]
    if not told:
        return ""
    for heads in (FIGURES, FIGURES[2:]):
        columns = [Column(head, "right" if head in FIGURES[2:] else "left") for head in heads]
        columns = [Column("name"), *columns, *([Column("points", "right")] if points is not None else [])]
        cells = [_figure_cells(row, len(heads), points is not None) for row in told[:_FIGURES]]
        shown = Table("figures", tuple(columns), tuple(cells)).text()
        if max(map(cell_len, shown.splitlines())) <= _WIDTH:
            break
    more = f"\nand {len(told) - _FIGURES} more: --grades FILE writes them all" if len(told) > _FIGURES else ""
    return shown + more


def _figure_cells(row: ClassRow, count: int, graded: bool) -> tuple[Cell, ...]:
    cells = [cell.replace("nothing to judge", "nothing") for cell in figures(row)[-count:]]
    given = points_of(row)
    return (_short(row.name, 16), *cells, *([f"{given:g}" if isinstance(given, int | float) else "open"] * graded))


def _mistakes(found: list[Submission]) -> str:
    broken = rules_broken(found)
    if not broken:
        return ""
    rows = tuple((each.rule, each.severity, len(each.across)) for each in broken[:_MISTAKES])
    table = Table("mistakes", (Column("mistake"), Column("severity"), Column("submissions", "right")), rows)
    return table.text() + (f"\nand {len(broken) - _MISTAKES} more kinds" if len(broken) > _MISTAKES else "")


def _shared(report: Report) -> str:
    lines = in_common(report)
    told = [textwrap.fill(line, _WIDTH, subsequent_indent="  ") for line in lines[:_SHARED]]
    more = [f"and {len(lines) - _SHARED} more that submissions share"] if len(lines) > _SHARED else []
    return "\n".join([*told, *more])


def _short(text: str, width: int) -> str:
    """At most so many columns of a terminal; a wide letter takes two."""
    return text if cell_len(text) <= width else set_cell_size(text, width - 3).rstrip() + "..."
