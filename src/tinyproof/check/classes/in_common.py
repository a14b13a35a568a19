"""What submissions have in common: the same formulas, the same logs, the same mistake; said, and nobody accused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from tinyproof.check.classes.same_code import SameCode, same_code
from tinyproof.check.classes.submissions import Submission, submissions
from tinyproof.check.finding import ASKED, SEVERITIES, FileReport, Finding, Report, Severity, SheetPlace

# A mistake of fewer is one that learners make; of this many it is likely that something shown to them holds it.
MODEL_ANSWER_SUBMISSIONS, MODEL_ANSWER_SHARE = 4, 0.1
_MOST_NAMES, _MOST_PLACES, _MOST_MISTAKES = 6, 2, 10


@dataclass(frozen=True)
class Same:
    """Files of one kind whose formulas (workbooks) or logs (notebooks) are the same. `across`: the submissions that
    hold them; one only where all lie inside it. `where`: the cells of each file's formulas."""

    kind: str
    files: tuple[str, ...]
    across: tuple[str, ...]
    where: tuple[tuple[str, ...], ...] = ()

    def named(self) -> str:
        """The submissions, those whose formulas fill the same cells together, with these cells."""
        groups: dict[tuple[str, ...], list[str]] = {}
        for name, cells in zip(self.across, self.where or [()] * len(self.across), strict=True):
            groups.setdefault(cells, []).append(name)
        ends = {cells: f" ({_names(cells, _MOST_PLACES)})" if cells else "" for cells in groups}
        return "; ".join(f"{_names(tuple(names))}{ends[cells]}" for cells, names in groups.items())


@dataclass(frozen=True)
class SameMistake:
    """A mistake of workbooks (rule, column, what is wrong) and the submissions that make it."""

    rule: str
    column: str
    says: str
    across: tuple[str, ...]

    def in_the_model_answer(self, total: int) -> bool:
        """Whether it is worth a look there: at least four submissions, and a tenth of the class."""
        return len(self.across) >= max(MODEL_ANSWER_SUBMISSIONS, MODEL_ANSWER_SHARE * total)


@dataclass(frozen=True)
class RuleBroken:
    """A rule, how grave it is at its worst, and the submissions that break it."""

    rule: str
    severity: Severity
    across: tuple[str, ...]


def rules_broken(found: Iterable[Submission]) -> list[RuleBroken]:
    """Errors before warnings, then the most frequent first; notes are no mistakes."""
    held: dict[str, dict[str, Severity]] = {}
    for submission in found:
        for finding in (finding for file in submission.files for finding in file.findings):
            worst = held.setdefault(finding.rule, {}).get(submission.name, "note")
            held[finding.rule][submission.name] = min(worst, finding.severity, key=SEVERITIES.index)
    broken = []
    for rule, by in held.items():
        worst = min(by.values(), key=SEVERITIES.index)
        if worst != "note":
            broken.append(RuleBroken(rule, worst, tuple(name for name, how in by.items() if how != "note")))
    return sorted(broken, key=lambda each: (SEVERITIES.index(each.severity), -len(each.across), each.rule))


def same_content(found: Iterable[Submission]) -> list[Same]:
    """Groups of files with the same content, the largest first."""
    held: dict[tuple[str, str], list[tuple[str, FileReport]]] = {}
    for submission in found:
        for file in submission.files:
            if file.fingerprint:
                held.setdefault((file.kind, file.fingerprint), []).append((submission.name, file))
    groups = [_same(kind, group) for (kind, _), group in held.items() if len(group) > 1]
    return sorted(groups, key=lambda group: len(group.across), reverse=True)


def _same(kind: str, group: list[tuple[str, FileReport]]) -> Same:
    first = {name: file.formulas for name, file in reversed(group)}
    across = tuple(dict.fromkeys(name for name, _ in group))
    return Same(kind, tuple(file.file for _, file in group), across, tuple(first[name] for name in across))


def same_mistakes(found: Iterable[Submission]) -> list[SameMistake]:
    """Mistakes in the workbooks of at least two submissions, the most frequent first; each counted once in each."""
    held: dict[tuple[str, str, str], list[str]] = {}
    for submission in found:
        for mistake in dict.fromkeys(key for file in submission.files for key in _mistakes(file)):
            held.setdefault(mistake, []).append(submission.name)
    shared = [SameMistake(*mistake, tuple(names)) for mistake, names in held.items() if len(names) > 1]
    return sorted(shared, key=lambda mistake: len(mistake.across), reverse=True)


def _mistakes(file: FileReport) -> list[tuple[str, str, str]]:
    wrong = [finding for finding in file.findings if finding.severity == "error" and not finding.rule.startswith(ASKED)]
    return [_mistake(finding) for finding in wrong] * (file.kind == "workbook")


def _mistake(finding: Finding) -> tuple[str, str, str]:
    column = finding.place.column if isinstance(finding.place, SheetPlace) else ""
    return finding.rule, column, finding.why or finding.message


def in_common(report: Report) -> list[str]:
    """A sentence each, over all files; what was left out counts among the submissions."""
    found = submissions(report.files, report.left_out)
    word = "files" if all(len(one.files) == 1 for one in found) else "submissions"
    lines = [_content(same, len(found), word) for same in same_content(found)]
    code = same_code(found, report.given_code)
    lines += [_code(same, len(found), word) for same in code.groups]
    if code.groups and code.given:
        blocks = f"{code.given} block{'s' * (code.given > 1)}"
        which = "that half of the submissions have" + " or that the release holds" * bool(report.given_code)
        lines.append(f"code {which} was given to them, and is left out: {blocks}")
    return lines + [_shared(mistake, len(found), word) for mistake in same_mistakes(found)[:_MOST_MISTAKES]]


def shared(report: Report) -> list[dict[str, Any]]:
    """The formulas, logs and code that submissions share, as plain data: in which files, and where there."""
    found = submissions(report.files, report.left_out)
    owner = {file.file: one.name for one in found for file in one.files}
    groups: list[tuple[str, list[tuple[str, str, str]]]] = []
    for same in same_content(found):
        held = dict(zip(same.across, same.where, strict=True))
        told = [(owner[file], file, ", ".join(held[owner[file]])) for file in same.files]
        groups.append(("formulas" if same.kind == "workbook" else "logs", told))
    for code in same_code(found, report.given_code).groups:
        groups.append(("code", [(place.submission, place.file, place.where()) for place in code.places]))
    return [
        {
            "kind": kind,
            "places": [{"submission": name, "file": file, "where": where} for name, file, where in told],
        }
        for kind, told in groups
    ]


def _content(same: Same, total: int, word: str) -> str:
    alike = "formula for formula the same" if same.kind == "workbook" else "identical in their logs"
    if len(same.across) == 1:
        return f"inside {same.across[0]}, {len(same.files)} files are {alike}: {_names(same.files)}"
    if same.kind != "workbook":
        return f"{len(same.across)} of {total} {word} have identical logs: {_names(same.across)}"
    held = "are" if word == "files" else "hold a workbook that is"
    return f"{len(same.across)} of {total} {word} {held} {alike}: {same.named()}"


def _code(same: SameCode, total: int, word: str) -> str:
    lines = max(sum(place.lines for place in same.places if place.submission == name) for name in same.across)
    told = tuple(f"{place.submission} ({PurePath(place.file).name}: {place.where()})" for place in same.places)
    return (
        f"{len(same.across)} of {total} {word} have code that is the same but for names and comments, {lines} lines: "
        f"{_names(told)}"
    )


def _shared(mistake: SameMistake, total: int, word: str) -> str:
    place = f"{mistake.rule}, {mistake.column}" if mistake.column else mistake.rule
    look = "; look at the model answer" if mistake.in_the_model_answer(total) else ""
    return f"{len(mistake.across)} of {total} {word} have the same mistake ({place}){look}: {mistake.says}"


def _names(names: tuple[str, ...], most: int = _MOST_NAMES) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
