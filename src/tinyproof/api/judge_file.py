"""One file judged, by what kind it is: all that its report depends on is imported here (the cache goes by that)."""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace
from pathlib import Path

from tinyproof.api.file_kinds import TEXT_TABLES, Kind, kind_of
from tinyproof.check import notebook
from tinyproof.check.finding import FileReport

# Objects that are made between two searches for circles among them: what a file leaves is small, the search is a tenth
# of the work.
_SELDOM = 100_000


@dataclass(frozen=True)
class Item:
    """A file to judge: where it is, what the report calls it, what kind it is.

    `root`: the folder of its submission, where a notebook's own modules and its README may be. `disabled_rules`:
    rules of the notebook audit that are switched off. `convert`: LibreOffice may convert an old or foreign workbook.
    `submission`: whose it is.
    """

    path: str
    shown: str
    kind: Kind
    root: str = ""
    disabled_rules: tuple[str, ...] = ()
    convert: bool = False
    submission: str = ""


def audit_one(item: Item) -> FileReport:
    """Judge one file (in a worker)."""
    gc.set_threshold(_SELDOM)
    if item.kind == "workbook":
        from tinyproof.check.workbook import audit_workbook

        found = audit_workbook(item.path, item.shown, item.convert)
        return _data_or(found, Path(item.path))
    if item.kind in ("notebook", "script"):
        return notebook.audit_notebook(item.path, item.disabled_rules, item.root or None)
    if item.kind == "text":
        return notebook.audit_text(item.path, item.disabled_rules)
    what = "is no workbook and no notebook" if Path(item.path).is_file() else "is a device or a pipe, no plain file"
    return FileReport(item.shown, item.kind, "unreadable", problem=what)


def _data_or(found: FileReport, path: Path) -> FileReport:
    """Of a text file in which no formula stands that it is data, where nothing in it could be compared."""
    data = found.status == "undecided" and path.name.lower().endswith(TEXT_TABLES) and kind_of(path) == "other"
    return replace(found, status="nothing to judge") if data else found
