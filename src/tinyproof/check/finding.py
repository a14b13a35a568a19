"""What a check found: rule, severity, place, what it says, what it should say, what it costs.

Workbook and notebook audits give the same values, so one class report shows both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from tinyproof.check.facts import Facts
from tinyproof.core.errors import InputError

Severity = Literal["error", "warning", "note"]
Status = Literal["right", "wrong", "unsupported", "undecided", "nothing to judge", "unreadable"]

ASKED = "asked-"  # how the rules begin that say what was asked and is not there
NOT_CHECKED = "not checked whether it is as asked"  # what a problem says where something that was asked stays open
BESIDE = "beside the work, and not read"  # how it begins why such files were left out
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
# The number of the shape of `--json`, which check/result.schema.json describes.
RESULT_SCHEMA = 1
STATUSES: tuple[Status, ...] = ("right", "wrong", "unsupported", "undecided", "nothing to judge", "unreadable")


@dataclass(frozen=True)
class SheetPlace:
    """A place in a workbook: sheet name, column in textbook words (`dE/dw3`), cells (`AA33:AA100`).

    `also`: the same thing in other sheets, as (sheet name, cells).
    """

    sheet: str
    column: str = ""
    cells: str = ""
    also: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        column = f", column {self.column}" if self.column else ""
        return f'sheet "{self.sheet}"{column}' + (f" ({self.cells.replace(':', ' to ')})" if self.cells else "")


@dataclass(frozen=True)
class CodePlace:
    """A place in a notebook, script or text: the file, the cell (counted from 1) and the line in it (from 1)."""

    file: str
    cell: int | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = self.file if self.cell is None else f"cell {self.cell}"
        return where if self.line is None else f"{where}, line {self.line}"


@dataclass(frozen=True)
class Finding:
    """One mistake, however many cells or epochs show it.

    `rule`: its name, from the catalogue of its audit (`wrong-gradient`, `evaluates-on-training-data`).
    `message`: one sentence for a person. `says` and `should_say`: the thing found and the thing right. `why`: the
    reason, in words of the field. `fix`: ready to paste. `effect`: what it changes, by how much. `evidence`: the
    lines that show it (log and code).
    """

    rule: str
    severity: Severity
    place: SheetPlace | CodePlace
    message: str
    says: str = ""
    should_say: str = ""
    why: str = ""
    fix: str = ""
    effect: str = ""
    evidence: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise InputError("severity", self.severity, ", ".join(SEVERITIES))

    def to_json(self) -> dict[str, Any]:
        """A flat dict; `kind` is the rule's name for workbooks, `rule` for notebooks."""
        if isinstance(self.place, SheetPlace):
            where: dict[str, Any] = {
                "sheet": self.place.sheet,
                "column": self.place.column,
                "cells": self.place.cells,
                "also": [{"sheet": sheet, "cells": cells} for sheet, cells in self.place.also],
                "severity": self.severity,
                "kind": self.rule,
            }
        else:
            where = {
                "file": self.place.file,
                "cell": self.place.cell,
                "line": self.place.line,
                "severity": self.severity,
                "rule": self.rule,
            }
        return where | {
            "message": self.message,
            "says": self.says,
            "should_say": self.should_say,
            "why": self.why,
            "fix": self.fix,
            "effect": self.effect,
            "evidence": list(self.evidence),
        }


@dataclass(frozen=True)
class SheetView:
    """An excerpt of a table for people: some rows of it, as the sheet shows them.

    `columns`: the sheet's letters; `head`: the headings; `rows`: (row number, cells), each cell its shown text and its
    formula ("" for a typed one). `marks`: (row number, position of the column, position of the finding in the report).
    """

    sheet: str
    columns: tuple[str, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[int, tuple[tuple[str, str], ...]], ...]
    marks: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True)
class CodeBlock:
    """Some statements of a notebook or script: `same` is equal where the same is written under other names; `size`
    counts the parts of its syntax; `cell` (from 1; None in a script), first and last line in it (from 1)."""

    same: str
    size: int
    cell: int | None
    first: int
    last: int


@dataclass(frozen=True)
class FileReport:
    """What the audit says of one file.

    `status`: right (checked and nothing wrong), wrong (at least one error), unsupported (a claim that no log here
    supports), undecided (something could not be decided, and no error), nothing to judge (nothing is claimed or
    measured), unreadable. `checked`: what was checked and found right, one line each. `fingerprint`:
    equal for files whose content (formulas, logs) is the same, so that copies can be grouped; empty where there is
    none.
    `problem`: why it is undecided or unreadable, in one line. `views`: excerpts of its tables, for the page.
    `submission`: whose it is, in a class. `facts`: what it holds, for what was asked; None where it was not read.
    `formulas`: where a workbook's formulas stand; `blocks`: a notebook's code.
    """

    file: str
    kind: Literal["workbook", "notebook", "script", "text", "other"]
    status: Status
    findings: tuple[Finding, ...] = ()
    checked: tuple[str, ...] = ()
    problem: str = ""
    fingerprint: str = ""
    views: tuple[SheetView, ...] = ()
    submission: str = ""
    facts: Facts | None = None
    formulas: tuple[str, ...] = ()
    blocks: tuple[CodeBlock, ...] = ()

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise InputError("status", self.status, ", ".join(STATUSES))

    def count(self, severity: Severity) -> int:
        """How many findings of that severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "submission": self.submission,
            "type": self.kind,
            "status": self.status,
            "findings": [finding.to_json() for finding in self.findings],
            "checked": list(self.checked),
            "problem": self.problem,
            "fingerprint": self.fingerprint,
        }


def status_of(findings: Iterable[Finding], undecided: bool = False) -> Status:
    """wrong where there is an error; else undecided where something could not be decided; else right.

    >>> status_of([])
    'right'
    """
    if any(finding.severity == "error" for finding in findings):
        return "wrong"
    return "undecided" if undecided else "right"


@dataclass(frozen=True)
class LeftOut:
    """A file (or folder) that is not judged by itself, with the reason. `asked`: it was asked for, and nothing else
    judges it: the audit is not whole. `submission`: whose it is, in a class."""

    file: str
    why: str
    asked: bool = True
    submission: str = ""


@dataclass(frozen=True)
class Report:
    """What the audit says of many files; `left_out`: those of its folders that it did not judge, and why.

    `given_code`: blocks of code (as in `CodeBlock.same`) that were handed out to the class.
    """

    files: tuple[FileReport, ...]
    left_out: tuple[LeftOut, ...] = ()
    given_code: frozenset[str] = frozenset()

    @property
    def exit_code(self) -> int:
        """1 when a file is wrong, unsupported, undecided or unreadable (undecided is not a pass), or was asked for and
        left out; else 0."""
        judged = all(file.status in ("right", "nothing to judge") for file in self.files)
        return int(not judged or any(left.asked for left in self.left_out))

    def counts(self) -> dict[str, int]:
        """How many files of each status."""
        return {status: sum(file.status == status for file in self.files) for status in STATUSES}

    def to_json(self) -> dict[str, Any]:
        left_out = [{"file": left.file, "submission": left.submission, "why": left.why} for left in self.left_out]
        return {
            "schema": RESULT_SCHEMA,
            "files": [file.to_json() for file in self.files],
            "counts": self.counts(),
            "left_out": left_out,
        }
