"""The class report: every file with its tables as grids, wrong cells marked, the explanation beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyproof.check.finding import FileReport, Finding, Report, SheetPlace, SheetView
from tinyproof.core.table import Table
from tinyproof.show.html import render, safe

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


def audit_page(report: Report, in_common: Sequence[str] = (), rules: Table | None = None) -> str:
    """One self-contained page; `in_common`: what files share, one sentence each; `rules`: how often each is broken."""
    files = [(number, file, _grids(file)) for number, file in enumerate(report.files, 1)]
    return render(
        "audit.html.j2",
        title="Audit",
        files=files,
        counts={status: count for status, count in report.counts().items() if count},
        left_out=report.left_out,
        in_common=list(in_common),
        rules=safe(rules.html()) if rules is not None and rules.rows and len(report.files) > 1 else "",
        words=WORDS,
        classes=CLASSES,
        also=_also,
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
