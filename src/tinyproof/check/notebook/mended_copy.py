"""The audit's own copy of a notebook, with lines replaced: read again, without its log and its texts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tinyproof.check.finding import CodePlace, Finding
from tinyproof.check.logs import Log
from tinyproof.check.notebook.read.document import Cell, Document
from tinyproof.check.notebook.study import Study, study


@dataclass(frozen=True)
class Edit:
    """A line of code, and what stands in its place; further lines of `after` carry their own margin."""

    place: CodePlace
    before: str
    after: str


def line_of(subject: Study, place: CodePlace) -> str:
    """A whole line of code, margin and all; empty where there is none."""
    lines = subject.sources.get((place.file, place.cell), [])
    return lines[place.line - 1] if place.line and 0 < place.line <= len(lines) else ""


def without_log(subject: Study) -> Study:
    """What the code alone says: the same reading without outputs, claims and texts."""
    cells = tuple(replace(cell, output="", count=None) for cell in subject.document.cells if cell.kind == "code")
    return replace(
        subject, document=replace(subject.document, cells=cells), log=Log(), claims=(), readmes=(), neighbours=()
    )


def mended(subject: Study, edits: Iterable[Edit], root: Path) -> Study | None:
    """The copy with its lines replaced; None where a line is not what the edit says."""
    by_source: dict[tuple[str, int | None], dict[int, str]] = {}
    for edit in edits:
        whole = line_of(subject, edit.place)
        if edit.place.line is None or whole.strip() != edit.before:
            return None
        margin = whole[: len(whole) - len(whole.lstrip())]
        by_source.setdefault((edit.place.file, edit.place.cell), {})[edit.place.line] = margin + edit.after
    sources = {key: _replaced(subject.sources[key], lines) for key, lines in by_source.items()}
    document = _document(subject.document, sources)
    modules = {file: text for (file, cell), text in sources.items() if cell is None and file != subject.document.name}
    return study(document, (), root, modules)


def _replaced(lines: list[str], changed: dict[int, str]) -> str:
    return "\n".join(changed.get(number, line) for number, line in enumerate(lines, start=1))


def _document(document: Document, sources: dict[tuple[str, int | None], str]) -> Document:
    cells = [
        Cell(cell.number, "code", sources.get((document.name, cell.number), cell.source))
        for cell in document.cells
        if cell.kind == "code"
    ]
    return replace(document, cells=tuple(cells))


def key_of(finding: Finding) -> tuple[str, str, int | None, str]:
    """What makes two findings of two readings the same: rule, file, cell and line of code, wherever it stands."""
    assert isinstance(finding.place, CodePlace)
    return finding.rule, finding.place.file, finding.place.cell, finding.says
