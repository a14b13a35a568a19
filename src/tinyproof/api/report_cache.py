"""What was said of a file is kept by what it was said of: the same class again costs its reading only.

The key is the digest of the file, of what is read with it, of the code that judges and of what was asked. An entry is
plain JSON with a digest of its own; what is half-written, was changed, or is of another shape is judged anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tinyproof.api.judge_file import Item
from tinyproof.check.finding import FileReport
from tinyproof.check.notebook.read.repository import walk
from tinyproof.core.errors import TinyproofError
from tinyproof.core.files import read_bounded, reason, sha256
from tinyproof.core.plain_data import parse_json
from tinyproof.core.plain_records import from_plain, to_plain
from tinyproof.core.user_folders import open_to_others, user_cache

FORMAT = 1
MOST_BYTES = 500_000_000  # of all entries; the ones that were not used for longest go first
MOST_ENTRY_BYTES = 5_000_000
MOST_READ_BYTES = 64_000_000  # no reader takes a larger file
_MOST_NEIGHBOURS = 2_000  # files of a submission; one of more is judged anew
_READ_WHOLE = 1_000_000  # bytes: of a larger neighbour that is no code, size and time stand for the content
_JUDGING = ("check", "backprop", "core", "api/judge_file.py", "api/file_kinds.py")
_PACKAGE = Path(__file__).resolve().parent.parent


def cache_folder(named: Path | str | None) -> Path | None:
    """The folder of the entries: the one that is named, else $TINYPROOF_CACHE, else the user's; None where there is
    none."""
    if named is not None:
        return Path(named)
    home = os.environ.get("TINYPROOF_CACHE") or user_cache()
    return Path(home) / "audits" if home else None


@dataclass
class ReportCache:
    """Reports by content. `folder` None: nothing is kept. `problem`: why nothing is kept though it was asked for."""

    folder: Path | None
    problem: str = ""
    _roots: dict[str, str] = field(default_factory=dict)

    def open(self) -> ReportCache:
        """Make the folder, for this user alone. Where that fails, or others can write there, nothing is kept."""
        if self.folder is None:
            return self
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            why = open_to_others(self.folder)
        except OSError as error:
            why = f"cannot be used: {reason(error)}"
        if why:
            self.problem, self.folder = why, None
        return self

    def key(self, item: Item) -> str:
        """What the report of a file is kept under; "" where it is not kept."""
        if self.folder is None or item.convert or item.kind == "other":
            return ""
        try:
            large = Path(item.path).stat().st_size > MOST_READ_BYTES  # it will be refused
            content = "" if large else sha256(Path(item.path))
        except OSError:
            return ""
        around = self._around(item) if content else None
        if around is None:
            return ""
        asked = [FORMAT, code_digest(), item.kind, Path(item.shown).name, sorted(item.disabled_rules)]
        return sha256(json.dumps([asked, content, around]).encode())

    def find(self, key: str) -> FileReport | None:
        """The report that is kept under a key; None where there is none that can be trusted."""
        if not key or self.folder is None:
            return None
        path = self.folder / f"{key}.json"
        with contextlib.suppress(TinyproofError, ValueError, TypeError, KeyError, OSError):
            entry = parse_json(read_bounded(path, MOST_ENTRY_BYTES), str(path))
            if entry["sha256"] == _digest(key, entry["report"]):
                found = from_plain(FileReport, entry["report"])
                os.utime(path)
                return found
        return None

    def keep(self, key: str, report: FileReport) -> None:
        """Keep a report; a disk that is full costs no more than that."""
        if not key or self.folder is None:
            return
        plain = to_plain(replace(report, file="", submission=""))
        text = json.dumps({"sha256": _digest(key, plain), "report": plain})
        if len(text) > MOST_ENTRY_BYTES // 4:
            return
        beside = ""
        try:
            handle, beside = tempfile.mkstemp(suffix=".partial", dir=self.folder)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(text)
            Path(beside).replace(self.folder / f"{key}.json")
        except OSError:
            with contextlib.suppress(OSError):
                Path(beside).unlink(missing_ok=True)

    def prune(self) -> None:
        """Take away the entries that were not used for longest, as far as all together are too large."""
        if self.folder is None:
            return
        with contextlib.suppress(OSError):
            found = [(entry.stat(), Path(entry.path)) for entry in os.scandir(self.folder) if _is_entry(entry.name)]
            left = sum(facts.st_size for facts, _ in found) - MOST_BYTES
            for facts, path in sorted(found, key=lambda each: each[0].st_mtime):
                if left <= 0:
                    break
                path.unlink(missing_ok=True)
                left -= facts.st_size

    def _around(self, item: Item) -> str | None:
        """What is read with a file: of a workbook nothing, of the others the whole submission; None: too much."""
        if item.kind == "workbook":
            return ""
        root = Path(item.root or Path(item.path).parent)
        if str(root) not in self._roots:
            self._roots[str(root)] = _digest_of_folder(root)
        held = self._roots[str(root)]
        return json.dumps([held, os.path.relpath(item.path, root)]) if held else None


def _is_entry(name: str) -> bool:
    return name.endswith((".json", ".partial"))


def _digest(key: str, report: object) -> str:
    return sha256(json.dumps([key, report]).encode())


def _digest_of_folder(root: Path) -> str:
    """Names and contents of the files below a folder; "" where they are too many, or cannot be read."""
    held: list[tuple[str, str]] = []
    try:
        for path in walk(root):
            if len(held) >= _MOST_NEIGHBOURS:
                return ""
            held.append((str(path.relative_to(root)), _content(path)))
    except OSError:
        return ""
    return sha256(json.dumps(held).encode())


def _content(path: Path) -> str:
    facts = path.stat()
    if facts.st_size <= (MOST_READ_BYTES if path.suffix in (".ipynb", ".py") else _READ_WHOLE):
        return sha256(path) if path.is_file() else "no file"
    return f"{facts.st_size} {facts.st_mtime_ns}"


@cache
def code_digest() -> str:
    """The digest of the code that judges, with what it reads and the versions of what it stands on."""
    held = [(str(path.relative_to(_PACKAGE)), sha256(path)) for path in judging_files()]
    stands_on = [_version(name) for name in ("numpy", "openpyxl", "defusedxml")]
    return sha256(json.dumps([held, stands_on, sys.version_info[:2]]).encode())


def _version(package: str) -> str:
    """Of an installed package; "" of one that is not installed, as numpy need not be."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def judging_files() -> list[Path]:
    """All that a report of one file can depend on."""
    places = [_PACKAGE / room for room in _JUDGING]
    return sorted(path for place in places for path in (place, *place.rglob("*")) if _takes_part(path))


def _takes_part(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts
