"""From a path to a report: read, study, apply the rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Literal

from tinyproof.check.notebook.document import Document, read_document
from tinyproof.check.notebook.repository import readmes_beside, walk
from tinyproof.check.notebook.rules import CATALOGUE
from tinyproof.check.notebook.rules.rule import percent
from tinyproof.check.notebook.study import Study, study
from tinyproof.core.errors import DataError, InputError
from tinyproof.core.finding import SEVERITIES, CodePlace, FileReport, Finding, status_of


def audit_notebook(
    path: Path | str, disabled_rules: Collection[str] = (), root: Path | str | None = None
) -> FileReport:
    """Audit one notebook or script, with the modules it imports and the README files beside it.

    `root`: the folder that its modules may be looked for in (default: its own). Raises InputError for an unknown rule
    name; a file that cannot be read gives a report that says so.
    """
    check_rules(disabled_rules)
    path = Path(path)
    kind: Literal["notebook", "script"] = "notebook" if path.suffix.lower() == ".ipynb" else "script"
    try:
        document = read_document(path)
    except DataError as error:
        return FileReport(str(path), kind, "unreadable", problem=f"{error.problem}")
    readmes = _read_all(readmes_beside(path))
    return report_on(study(document, readmes, Path(root) if root is not None else None), str(path), disabled_rules)


def _read_all(paths: Iterable[Path]) -> tuple[Document, ...]:
    documents = []
    for path in paths:
        try:
            documents.append(read_document(path))
        except DataError:
            continue
    return tuple(documents)


def check_rules(names: Collection[str]) -> None:
    """Raise InputError where a name is no rule's."""
    for name in names:
        if name not in CATALOGUE:
            raise InputError("rule", name, ", ".join(CATALOGUE))


def report_on(subject: Study, file: str, disabled_rules: Collection[str] = ()) -> FileReport:
    """Apply every rule that is not switched off."""
    findings: list[Finding] = []
    for name, rule in CATALOGUE.items():
        if name not in disabled_rules:
            findings.extend(rule.check(subject))
    findings = _without_doubles(findings)
    findings.sort(key=_order)
    problem = _undecided(subject)
    kind: Literal["notebook", "script"] = "notebook" if subject.document.kind == "notebook" else "script"
    return FileReport(
        file,
        kind,
        status_of(findings, bool(problem)),
        tuple(findings),
        tuple(_checked(subject, findings)),
        problem,
        subject.log.fingerprint,
    )


def _without_doubles(findings: list[Finding]) -> list[Finding]:
    """What one finding already tells as evidence is not told again."""
    rules = {finding.rule for finding in findings}
    scores = [
        f for f in findings if f.rule == "activation-on-class-scores" and any("log shows" in e for e in f.evidence)
    ]
    dropped = {"accuracy-plateau"} if scores else set()
    if "number-in-no-log" in rules and "target-not-met" in rules:
        told = {f.place for f in findings if f.rule == "target-not-met"}
        return [f for f in findings if not (f.rule == "number-in-no-log" and f.place in told) and f.rule not in dropped]
    return [finding for finding in findings if finding.rule not in dropped]


def _order(finding: Finding) -> tuple[int, int, int, int]:
    place = finding.place
    assert isinstance(place, CodePlace)
    cell = place.cell if place.cell is not None else 10_000
    return (SEVERITIES.index(finding.severity), cell, place.line or 0, 0)


def _undecided(subject: Study) -> str:
    """Why the main question could not be decided; empty when it could."""
    if not subject.events.passes and not subject.runs:
        return "nothing that trains or measures was found in it"
    known = [turn for turn in subject.evaluations if subject.split(turn.loader).kind != "unknown"]
    if known:
        return ""
    missing = sorted(set(subject.events.missing_modules))
    if missing:
        return f"what it measures on is in a module that is not here: {', '.join(missing[:3])}"
    if subject.events.unread:
        return f"a piece of code could not be read ({subject.events.unread[0]}), and what it measures on stays open"
    if not subject.evaluations:
        return "no loop that measures an accuracy was found in the code"
    return "which images the accuracy is measured on could not be read from the code"


def _checked(subject: Study, findings: list[Finding]) -> list[str]:
    """What was checked and found right, one line each."""
    lines = []
    named = {finding.rule for finding in findings}
    if "evaluates-on-training-data" not in named:
        for turn in subject.evaluations:
            split = subject.split(turn.loader)
            if split.kind == "test":
                lines.append(f"the accuracy is measured on the test set ({turn.place})")
                break
    for claim in subject.claims:
        if claim.kind == "accuracy" and not claim.is_target and claim.decimals >= 2:
            if any(run.last is not None and abs(run.last - claim.value) < 0.005 for run in subject.runs):
                lines.append(f"{percent(claim.value)} is the last epoch's figure, quoted correctly ({claim.place})")
    return list(dict.fromkeys(lines))


def audit_repository(folder: Path | str, disabled_rules: Collection[str] = ()) -> list[FileReport]:
    """Audit every notebook below a folder, and every script that trains a network and that no notebook imports."""
    folder = Path(folder)
    return [audit_notebook(path, disabled_rules, folder) for path in audited_files(folder)]


def audited_files(folder: Path | str) -> list[Path]:
    """The notebooks below a folder, and the scripts that could train something."""
    folder = Path(folder)
    paths = list(walk(folder))
    notebooks = [path for path in paths if path.suffix.lower() == ".ipynb"]
    scripts = [path for path in paths if path.suffix == ".py" and _trains(path)]
    return [*notebooks, *scripts]


def _trains(path: Path) -> bool:
    """Whether a script runs by itself: it makes a loader or an optimiser and has a main part or loops at top level."""
    try:
        source = read_document(path).cells[0].source
    except DataError:
        return False
    return ".backward()" in source and ("__main__" in source or "\nfor " in source)


def copies(reports: Iterable[FileReport]) -> list[list[FileReport]]:
    """Groups of files whose logs are identical, the largest first."""
    groups: dict[str, list[FileReport]] = {}
    for report in reports:
        if report.fingerprint and report.kind in ("notebook", "script"):
            groups.setdefault(report.fingerprint, []).append(report)
    return sorted((group for group in groups.values() if len(group) > 1), key=len, reverse=True)
