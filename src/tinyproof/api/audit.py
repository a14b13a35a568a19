"""Audit a folder of anything: find the files, judge each in a worker that can be killed, put the answers together.

What a file is, its content says: a zip with a workbook in it is a workbook whatever its name. One unreadable file
never stops the rest.
"""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tinyproof.check import notebook
from tinyproof.check.finding import FileReport, LeftOut, Report
from tinyproof.core.archives import opened
from tinyproof.core.errors import Stopped, one_line
from tinyproof.core.files import existing, reason
from tinyproof.core.listener import Listener, Progress
from tinyproof.core.printed import Part, Printed
from tinyproof.core.table import Table
from tinyproof.core.workers import Outcome, run_bounded
from tinyproof.show import audit_text
from tinyproof.show.audit_code_text import rules_table
from tinyproof.show.audit_page import audit_page
from tinyproof.show.terminal import terminal

Kind = Literal["workbook", "notebook", "script", "text", "other"]

SECONDS_PER_FILE = 60.0
BYTES_PER_WORKER = 4_000_000_000  # of address space: numpy alone reserves much of it without ever touching it
MAX_FILES = 50_000
_WORKBOOK_NAMES = (".xlsx", ".xlsm", ".xltx", ".xls", ".xlsb", ".ods", ".fods", ".numbers")
_TEXT_TABLES = (".csv", ".tsv", ".tab")
_ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".tar.gz", ".tgz")
_HEAD = 1_000_000
_SKIPPED_FOLDERS = {"__pycache__", "node_modules", "site-packages", "__MACOSX"}


@dataclass(frozen=True)
class Item:
    """A file to judge: where it is, what the report calls it, what kind it is.

    `root`: the folder of its submission, where a notebook's own modules and its README may be. `disabled_rules`:
    rules of the notebook audit that are switched off. `convert`: LibreOffice may convert an old or foreign workbook.
    """

    path: str
    shown: str
    kind: Kind
    root: str = ""
    disabled_rules: tuple[str, ...] = ()
    convert: bool = False


@dataclass(frozen=True, repr=False)
class AuditResult(Printed, Report):
    """What the audit says of each file: `files` with their status and findings, in the order of the paths.

    `exit_code`: 1 when a file is wrong, undecided or unreadable (undecided is not a pass), else 0.
    """

    def parts(self) -> Sequence[Part]:
        """Of one file its findings; of several a row a file, and what they have in common."""
        return [audit_text.explain(self)] if len(self.files) == 1 else audit_text.summary_parts(self)

    def text(self, *, details: bool = False) -> str:
        """Every finding of every file. `details`: in notebooks each with its reason and mend."""
        return audit_text.explain(self, details)

    def summary(self) -> str:
        """A row a file, and what the files have in common."""
        return audit_text.summary(self)

    def table(self) -> Table:
        """A row a finding (or a file without one), for a spreadsheet: `table().csv()`."""
        return audit_text.findings_table(self)

    def html(self) -> str:
        """The class report: one self-contained page, wrong cells marked in their sheets."""
        return audit_page(self, audit_text.in_common(self), rules_table(self))


def audit(
    *paths: Path | str,
    jobs: int | None = None,
    disable: Sequence[str] = (),
    convert: bool = False,
    quiet: bool = False,
) -> AuditResult:
    """Read hand-made workbooks as mathematics and training notebooks with their logs, and name what is wrong.

    `paths`: files, and whole folders of submissions. `jobs`: worker processes; None uses all cores. `disable`: rules of
    the notebook audit not to apply. `convert`: let LibreOffice, where it is installed, turn an old or foreign workbook
    (.xls, .xlsb, .numbers) into one that can be read. Nothing else is executed. Raises InputError where a path is not
    there or a rule has no such name; Stopped after Ctrl-C. What cannot be read or decided is said of its file, and
    stops no other.

    >>> import tinyproof
    >>> path = tinyproof.workbook("course", "handed-in.xlsx", iterations=20).path
    >>> found = tinyproof.audit(path, quiet=True)
    >>> found.files[0].status, found.exit_code
    ('right', 0)
    """
    if disable:
        notebook.check_rules(disable)
    found, left_out = survey(paths)
    items = [replace(item, disabled_rules=tuple(disable), convert=convert) for item in found]
    with terminal(quiet=quiet or not sys.stderr.isatty(), errors=True) as listener:
        return AuditResult(judged(items, jobs, listener), tuple(left_out))


def judged(items: Sequence[Item], jobs: int | None, listener: Listener) -> tuple[FileReport, ...]:
    """Each file judged in a worker of its own; in their order."""
    reports: dict[int, FileReport] = {}
    try:
        for outcome in run_bounded(
            audit_one, items, processes=jobs, seconds=SECONDS_PER_FILE, memory_bytes=BYTES_PER_WORKER
        ):
            reports[outcome.index] = _report(items[outcome.index], outcome)
            listener.progress([Progress(name="files", done=len(reports), of=len(items))])
    except KeyboardInterrupt:
        raise Stopped(f"stopped after {len(reports)} of {len(items)} files; no report was written") from None
    return tuple(reports[index] for index in range(len(items)))


def _report(item: Item, outcome: Outcome) -> FileReport:
    if isinstance(outcome.value, FileReport):
        return replace(outcome.value, file=item.shown)
    return FileReport(item.shown, item.kind, "unreadable", problem=outcome.problem or "gave no answer")


def audit_one(item: Item) -> FileReport:
    """Judge one file (in a worker)."""
    if item.kind == "workbook":
        from tinyproof.check.workbook import audit_workbook

        return audit_workbook(item.path, item.shown, item.convert)
    if item.kind in ("notebook", "script"):
        return notebook.audit_notebook(item.path, item.disabled_rules, item.root or None)
    if item.kind == "text":
        return notebook.audit_text(item.path, item.disabled_rules)
    what = "is no workbook and no notebook" if Path(item.path).is_file() else "is a device or a pipe, no plain file"
    return FileReport(item.shown, item.kind, "unreadable", problem=what)


def find_files(paths: Sequence[Path | str]) -> Iterator[Item]:
    """The files to judge: those named, and in folders (all the way down) those that something here can judge."""
    return iter(survey(paths)[0])


def survey(paths: Sequence[Path | str]) -> tuple[list[Item], list[LeftOut]]:
    """The files to judge, and those of the folders that train, measure or claim and are not judged, with the reason."""
    items: list[Item] = []
    left_out: list[LeftOut] = []
    seen: set[str] = set()
    for given in paths:
        path = existing(given)
        unread: list[LeftOut] = []
        files = list(_below(path, unread)) if path.is_dir() else [path]
        left_out += unread
        reasons = _reasons(files) if path.is_dir() else {}
        for file in files:
            real = os.path.realpath(file)
            kind = kind_of(file)
            if not path.is_dir() and kind == "other" and file.name.lower().endswith(_TEXT_TABLES):
                kind = "workbook"  # it was asked for, so it is told that it holds no formula
            if real in seen or (path.is_dir() and kind in ("text", "other") and file not in reasons):
                continue
            why = reasons.get(file, "")
            if not why and len(items) >= MAX_FILES:
                why = f"only the first {MAX_FILES:,} files are judged"
            if why == _ELSEWHERE:
                continue
            seen.add(real)
            shown = one_line(str(file), 300)
            if why and why != _JUDGED:
                left_out.append(LeftOut(shown, why, asked=why not in _BY_DESIGN))
            else:
                items.append(Item(str(file), shown, kind, _root(file, kind)))
    return items, left_out


_ARCHIVE = "an archive, which is not opened: unpack it"
_MODULE = "read with the scripts that import it"
_FUNCTIONS = "it only defines functions; read with the notebooks that import it"
_BY_DESIGN = (_MODULE, _FUNCTIONS)
_ELSEWHERE = "it neither trains nor measures"
_JUDGED = "judged"


def _reasons(files: list[Path]) -> dict[Path, str]:
    """For the scripts and READMEs of a folder: judged, or why not."""
    kinds = {file: kind_of(file) for file in files}
    works = notebook.works_of([file for file, kind in kinds.items() if kind == "script"])
    words = {
        "works": _JUDGED,
        "module": _MODULE,
        "functions": _FUNCTIONS,
        "other": _ELSEWHERE,
    }
    found = {file: words[work] for file, work in works.items()}
    judged = [file for file, kind in kinds.items() if kind == "notebook" or found.get(file) == _JUDGED]
    for file, kind in kinds.items():
        if kind == "text":
            alone = file.stem.lower() == "readme" and not any(other.is_relative_to(file.parent) for other in judged)
            found[file] = _JUDGED if alone and _claims_a_figure(file) else _ELSEWHERE
        elif kind == "other" and file.name.lower().endswith(_ARCHIVES):
            found[file] = _ARCHIVE
    return found


def _claims_a_figure(file: Path) -> bool:
    return notebook.audit_text(file).status not in ("nothing to judge", "unreadable")


def _root(file: Path, kind: Kind) -> str:
    if kind not in ("notebook", "script"):
        return ""
    return str(notebook.root_of(file))


def _below(folder: Path, unread: list[LeftOut]) -> Iterator[Path]:
    """Plain files under a folder, sorted; links are not followed, hidden and machine-made folders left out. A folder
    that may not be read goes to `unread`."""

    def refused(error: OSError) -> None:
        unread.append(LeftOut(one_line(str(error.filename), 300), f"it cannot be read: {reason(error)}"))

    for here, folders, files in os.walk(folder, onerror=refused):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED_FOLDERS)
        folders[:] = [name for name in folders if not (Path(here) / name / "pyvenv.cfg").is_file()]
        for name in sorted(files):
            path = Path(here) / name
            if not name.startswith((".", "~$")) and path.is_file() and not path.is_symlink():
                yield path


def kind_of(path: Path) -> Kind:
    """What a file is: by its content, and by its name where the content does not say."""
    name = path.name.lower()
    if not path.is_file():
        return "other"  # a pipe or a device: to open it could wait for ever
    try:
        with path.open("rb") as file:
            head = file.read(8)
        if head.startswith(b"PK\x03\x04") and _holds_workbook(path):
            return "workbook"
    except OSError:
        pass
    if name.endswith(_WORKBOOK_NAMES):
        return "workbook"
    if name.endswith(_TEXT_TABLES) and _holds_formulas(path):
        return "workbook"
    if name.endswith(".ipynb"):
        return "notebook"
    if name.endswith(".py"):
        return "script"
    return "text" if name.endswith((".md", ".txt", ".rst")) else "other"


def _holds_formulas(path: Path) -> bool:
    """Whether a text file has cells that begin with `=`; one with numbers only is data, and no submission."""
    from tinyproof.check.workbook import holds_formulas

    try:
        with path.open("rb") as file:
            return holds_formulas(file.read(_HEAD))
    except OSError:
        return False


def _holds_workbook(path: Path) -> bool:
    try:
        with opened(path) as archive:
            names = archive.namelist()[:5_000]
            if any(name.lstrip("/").lower().startswith("xl/") or name.endswith(".iwa") for name in names):
                return True
            return "mimetype" in names and b"opendocument.spreadsheet" in archive.open("mimetype").read(200)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return path.suffix.lower() in _WORKBOOK_NAMES
