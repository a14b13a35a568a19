"""Whose file is whose: a folder or an archive is one submission, a loose file one by itself or by a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from tinyproof.check.classes.platform_names import composed, number_of
from tinyproof.check.finding import SEVERITIES, FileReport, LeftOut, Severity, Status
from tinyproof.core.errors import InputError

_NAME = "{name}"
_HERE = ("", "..")  # of a path that ends in a folder without saying its name


@dataclass(frozen=True)
class Submission:
    """What one student handed in: the reports of its files, and what of it was left out."""

    name: str
    files: tuple[FileReport, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def status(self) -> Status:
        """The gravest of its files, undecided where some of it was left out; unreadable where all of it was."""
        held: set[Status] = {file.status for file in self.files}
        if any(left.asked for left in self.left_out):
            held.add("undecided" if self.files else "unreadable")
        return next((status for status in GRAVEST_FIRST if status in held), "nothing to judge")

    @property
    def first(self) -> str:
        """What to look at first: an error, else why something is open, else a warning."""
        found = {severity: self._messages(severity) for severity in SEVERITIES}
        left = [left.why for left in self.left_out if left.asked or not self.files]
        open_ = [file.problem for file in self.files if file.problem]
        return next(iter([*found["error"], *open_, *left, *found["warning"]]), "")

    def _messages(self, severity: Severity) -> list[str]:
        return [f.message for file in self.files for f in file.findings if f.severity == severity]

    def count(self, severity: Severity) -> int:
        """How many findings of that severity its files have."""
        return sum(file.count(severity) for file in self.files)


GRAVEST_FIRST: tuple[Status, ...] = ("wrong", "unsupported", "unreadable", "undecided", "right", "nothing to judge")


def submissions(files: Iterable[FileReport], left_out: Iterable[LeftOut] = ()) -> list[Submission]:
    """The submissions in the order of their first file; a file without one is a submission by itself."""
    held: dict[str, tuple[list[FileReport], list[LeftOut]]] = {}
    for file in files:
        held.setdefault(file.submission or file.file, ([], []))[0].append(file)
    for left in left_out:
        held.setdefault(left.submission or left.file, ([], []))[1].append(left)
    return [Submission(name, tuple(judged), tuple(left)) for name, (judged, left) in held.items()]


def top_of(submission: str, path: str) -> str:
    """The part of a file's path that bears the submission's name: the name itself, else what holds it; "" for none.

    >>> top_of("ada", "class of adam/ada/s.xlsx"), top_of("Ada L", "class/Ada L_12_file/s.xlsx")
    ('ada', 'Ada L_12_file')
    """
    parts, whole = {composed(part): part for part in PurePath(path).parts}, composed(PurePath(submission).name)
    if whole in parts:
        return parts[whole]
    name, number = number_of(whole)
    beside = f"_{number.split()[-1]}_" if number else ""
    return next((part for known, part in parts.items() if name and name in known and beside in part), "")


@dataclass(frozen=True)
class Names:
    """Gives each file the name of its submission. `pattern`: how the name stands in that of a file or folder, as
    `{name}_*.xlsx`, or in a path, as `{name}/ps1`; raises InputError where it does not hold `{name}` once. `known`:
    without a pattern, the names of entries of the class's folder that are known otherwise."""

    pattern: str = ""
    known: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.pattern and self.pattern.count(_NAME) != 1:
            raise InputError("student", self.pattern, "a pattern that holds {name} once, as '{name}_*.xlsx'")
        if any(part in ("", ".", "..") for part in self.pattern.split("/")) and self.pattern:
            raise InputError("student", self.pattern, "folders below the one that is named, as '{name}/ps1'")

    def of(self, given: Path, file: Path, alone: bool) -> str:
        """`given`: the path of the command; `alone`: it is one submission, not a folder of them."""
        if alone or file == given:
            return self._named(given.name) or (str(given) if given.name not in _HERE else given.resolve().name)
        return self._named(self._beginning(given, file)) or file.relative_to(given).parts[0]

    def passes_over(self, given: Path, file: Path) -> bool:
        """Whether a file lies in a folder that the pattern does not speak of: another assignment's."""
        deep = len(file.relative_to(given).parts) > 1 and "/" in self.pattern
        return deep and not self._named(self._beginning(given, file))

    def _beginning(self, given: Path, file: Path) -> str:
        """As much of a file's path as the pattern speaks of."""
        return "/".join(file.relative_to(given).parts[: self.pattern.count("/") + 1])

    def _named(self, name: str) -> str:
        """The name that the pattern finds or that is known, composed; "" where there is none."""
        if not self.pattern:
            return self.known.get(name, "")
        before, after = (_as_regex(composed(part)) for part in self.pattern.split(_NAME))
        found = re.fullmatch(f"{before}([^/]+?){after}", composed(name), re.IGNORECASE | re.DOTALL)
        return found.group(1).strip() if found else ""


def _as_regex(pattern: str) -> str:
    """`*` is anything, `?` any one letter, the rest itself."""
    return "".join({"*": "[^/]*", "?": "[^/]"}.get(letter, re.escape(letter)) for letter in pattern)
