"""The class report: a submission a line, wrong ones first; in each its findings, and tables with wrong cells marked."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinyproof.check.classes.class_rows import class_row
from tinyproof.check.classes.grades import Points
from tinyproof.check.classes.in_common import rules_broken
from tinyproof.check.classes.submissions import GRAVEST_FIRST, Submission, submissions
from tinyproof.check.finding import FileReport, Finding, LeftOut, Report, SheetPlace, SheetView
from tinyproof.show.claims_picture import claims_picture
from tinyproof.show.class_table import FIGURES, figures, points_of
from tinyproof.show.html import render

MOST_CELLS = 20_000  # of all tables on one page; a cell takes some 100 bytes

_PAGE = "audit.html.j2"
WORDS = {"error": "wrong", "warning": "fragile", "note": "note"}
CLASSES = {
    "right": "good",
    "wrong": "bad",
    "unsupported": "bad",
    "undecided": "warn",
    "nothing to judge": "",
    "unreadable": "warn",
}


@dataclass(frozen=True)
class Cell:
    """A cell on the page: text, formula, the class of its mark, and the findings that it links to."""

    text: str
    formula: str
    kind: str = ""
    findings: tuple[int, ...] = ()


@dataclass(frozen=True)
class Line:
    """A row of a grid; `gap`: rows were left out before it."""

    number: int
    cells: tuple[Cell, ...]
    gap: bool


@dataclass(frozen=True)
class GridOnPage:
    """A table on the page."""

    sheet: str
    columns: tuple[str, ...]
    head: tuple[Cell, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class FileOnPage:
    """A file on the page: its number there, and the tables that the page has room for (`hidden`: it has not)."""

    number: int
    report: FileReport
    shown: str
    grids: tuple[GridOnPage, ...]
    hidden: bool


@dataclass(frozen=True)
class SubmissionOnPage:
    """A line of the class: whose it is, how it stands, its files."""

    name: str
    status: str
    files: tuple[FileOnPage, ...]
    errors: int
    first: str
    left_out: tuple[LeftOut, ...]
    mistakes: tuple[str, ...]
    figures: tuple[str, ...] = ()
    points: str = ""
    how: str = ""


def audit_page(
    report: Report,
    in_common: Sequence[str] = (),
    title: str = "Audit",
    intro: str = "",
    points: Points | None = None,
    changed: Sequence[str] | None = None,
) -> str:
    """One self-contained page; `in_common`: what submissions share, one sentence each; `points`: a rubric; `changed`:
    what is otherwise than before, in a word and then one line a file."""
    return render(_PAGE, **_values(report, in_common, title, intro, points) | {"changed": list(changed or ())})


def audit_body(report: Report) -> tuple[str, str]:
    """What stands on the page below its heading, as one <div>, and the style that it needs: for a page of somebody
    else's."""
    values = _values(report, (), "", "", None) | {"inside": True}
    return render(_PAGE, page="body_only.html.j2", **values), render(_PAGE, page="style_only.html.j2", **values)


def _values(report: Report, in_common: Sequence[str], title: str, intro: str, points: Points | None) -> dict[str, Any]:
    found = sorted(submissions(report.files, report.left_out), key=lambda one: GRAVEST_FIRST.index(one.status))
    prefix = shared_folder([file.file for file in report.files] + [left.file for left in report.left_out])
    return {
        "title": title,
        "intro": intro,
        "submissions": _on_page(found, prefix, points),
        "alone": len(report.files) == 1,
        "top": 2 if len(found) == 1 else 3,
        "files": len(report.files),
        "counts": Counter(one.status for one in found),
        "in_common": list(in_common),
        "changed": [],
        "broken": rules_broken(found) if len(found) > 1 else [],
        "at": {one.name: number for number, one in enumerate(found, 1)},
        "words": WORDS,
        "classes": CLASSES,
        "also": _also,
        "heads": FIGURES,
        "rubric": points,
        "inside": False,
        "picture": claims_picture(found),
    }


def _on_page(found: Sequence[Submission], prefix: str, points: Points | None) -> list[SubmissionOnPage]:
    """The submissions with their files numbered through, and tables as long as there is room for them."""
    room, number, held = MOST_CELLS, 0, []
    for one in found:
        files = []
        for file in one.files:
            number += 1
            cells = sum(len(view.rows) * len(view.columns) for view in file.views)
            fits = cells <= room
            room -= cells if fits else 0
            grids = tuple(_grids(file)) if fits else ()
            files.append(FileOnPage(number, file, _below(file.file, prefix), grids, not fits))
        held.append(_line(one, tuple(files), prefix, points))
    return held


def shared_folder(paths: Sequence[str]) -> str:
    """The folder that all paths lie in; "" where there is none."""
    try:
        return os.path.commonpath(paths)
    except ValueError:  # none at all, or on different drives
        return ""


def _below(path: str, prefix: str) -> str:
    """A path without the part that all of them share."""
    if path == prefix:
        return Path(path).name
    return os.path.relpath(path, prefix) if prefix else path


def _line(one: Submission, files: tuple[FileOnPage, ...], prefix: str, points: Points | None) -> SubmissionOnPage:
    errors = one.count("error")
    left_out = tuple(replace(left, file=_below(left.file, prefix)) for left in one.left_out)
    row = class_row(one, points)
    given = points_of(row)
    return SubmissionOnPage(
        one.name,
        one.status,
        files,
        errors,
        one.first,
        left_out,
        tuple(dict.fromkeys(f.rule for file in one.files for f in file.findings if f.severity != "note")),
        figures=figures(row),
        points=f"{given:g} of {points.full:g}" if points is not None and isinstance(given, int | float) else "",
        how=row.grade.words() if row.grade is not None else "",
    )


def _also(finding: Finding) -> str:
    place = finding.place
    if not isinstance(place, SheetPlace) or not place.also:
        return ""
    return ", ".join(f'"{sheet}" ({cells})' for sheet, cells in place.also)


def _grids(file: FileReport) -> list[GridOnPage]:
    return [_grid(view, file.findings) for view in file.views]


def _grid(view: SheetView, findings: Sequence[Finding]) -> GridOnPage:
    marked: dict[tuple[int, int], list[int]] = {}
    for row, position, finding in view.marks:
        marked.setdefault((row, position), []).append(finding)
    numbers = {row for row, _ in view.rows}
    head_marks = {position: found for (row, position), found in marked.items() if row not in numbers}
    lines, last = [], None
    for row, cells in view.rows:
        shown = [_cell(text, formula, marked.get((row, i), []), findings) for i, (text, formula) in enumerate(cells)]
        lines.append(Line(row, tuple(shown), last is not None and row != last + 1))
        last = row
    head = tuple(_cell(text, "", head_marks.get(i, []), findings) for i, text in enumerate(view.head))
    return GridOnPage(view.sheet, view.columns, head, tuple(lines))


def _cell(text: str, formula: str, found: list[int], findings: Sequence[Finding]) -> Cell:
    kinds = [findings[number].severity for number in found]
    kind = next((severity for severity in ("error", "warning", "note") if severity in kinds), "")
    return Cell(text, formula, kind, tuple(number + 1 for number in found))
