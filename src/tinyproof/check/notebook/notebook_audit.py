"""From a path to a report: read, study, apply the rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from tinyproof.check.code.blocks_alike import code_blocks
from tinyproof.check.code.clean import parse_cell
from tinyproof.check.finding import SEVERITIES, CodePlace, FileReport, Finding, status_of
from tinyproof.check.logs import Log, read_log
from tinyproof.check.notebook.mend import with_mends
from tinyproof.check.notebook.notebook_facts import notebook_facts
from tinyproof.check.notebook.read.document import Document, is_notebook, read_document
from tinyproof.check.notebook.read.repository import notebooks_below, readmes_for, root_of, walk
from tinyproof.check.notebook.read.scripts import Work, imported_names, work_of
from tinyproof.check.notebook.read.sections import owners
from tinyproof.check.notebook.rules import CATALOGUE, claims, targets
from tinyproof.check.notebook.rules.rule import percent
from tinyproof.check.notebook.study import Study, study, study_text
from tinyproof.check.notebook.verdict import confirmed, judge, unsupported
from tinyproof.check.prose import Claim
from tinyproof.core.errors import DataError, InputError


def audit_notebook(
    path: Path | str, disabled_rules: Collection[str] = (), root: Path | str | None = None
) -> FileReport:
    """Audit one notebook or script, with the modules it imports and the README files that speak of it.

    `root`: the folder of the whole submission (default: the repository, else the nearest folder with a README, else the
    file's own). Raises InputError for an unknown rule name; a file that cannot be read gives a report that says so.
    """
    check_rules(disabled_rules)
    path = Path(path)
    root = Path(root) if root is not None else root_of(path)
    kind: Literal["notebook", "script"] = "notebook" if is_notebook(path) else "script"
    try:
        document = read_document(path)
    except DataError as error:
        return FileReport(str(path), kind, "unreadable", problem=f"{error.problem}")
    readmes = _read_all(readmes_for(path, root)) if kind == "notebook" else ()
    others = [other for readme in readmes for other in notebooks_below(readme.path.parent) if other != path]
    subject = study(document, readmes, root)
    if readmes:
        names = tuple(sorted({document.name, *(other.name for other in others)}))
        subject.claims = _of_its_sections(subject, names)
    if any(claim.place.file != document.name for claim in subject.claims):
        subject.neighbours = tuple(_log_of(other) for other in others)
        subject.speaks_for_all = not others or path < min(others)
    return report_on(subject, str(path), disabled_rules, root)


def _of_its_sections(subject: Study, names: tuple[str, ...]) -> tuple[Claim, ...]:
    """The claims without those of README sections that are about other notebooks."""
    own = subject.document.name
    sections = {readme.name: owners(readme.cells[0].source, names) for readme in subject.readmes}
    kept = []
    for claim in subject.claims:
        lines = sections.get(claim.place.file, [])
        about = lines[claim.place.line - 1] if claim.place.line and claim.place.line <= len(lines) else frozenset()
        if not about or own in about:
            kept.append(replace(claim, owned=about == {own}))
    return tuple(kept)


def audit_text(path: Path | str, disabled_rules: Collection[str] = ()) -> FileReport:
    """Audit the claims of a README against the logs of all notebooks in its folder and below."""
    check_rules(disabled_rules)
    path = Path(path)
    try:
        document = read_document(path)
    except DataError as error:
        return FileReport(str(path), "text", "unreadable", problem=error.problem)
    logs = [_log_of(other) for other in notebooks_below(path.parent)]
    subject = study_text(document, logs)
    rules = {**claims.RULES, **targets.RULES}
    findings = [f for name, rule in rules.items() if name not in disabled_rules for f in rule.check(subject)]
    if "evaluates-on-training-data" not in disabled_rules:
        findings.extend(_counted_on_training_images(subject))
    claimed = any(claim.kind in ("accuracy", "parameters") and not claim.is_target for claim in subject.claims)
    problem = "" if subject.runs else "no notebook with a log stands in its folder or below"
    status = status_of(findings, bool(problem))
    if status != "wrong" and unsupported(subject, findings):
        status = "unsupported"
    elif not claimed:
        status, problem = "nothing to judge", "it claims no figure"
    return FileReport(
        str(path), "text", status, tuple(sorted(findings, key=_order)), tuple(confirmed(subject)), problem
    )


def _counted_on_training_images(subject: Study) -> list[Finding]:
    """Figures of a README whose log counts as many test images as MNIST has training images."""
    found: dict[CodePlace, Finding] = {}
    for claim in subject.claims:
        for run in subject.runs:
            epoch = next((e for e in run.epochs if e.total == 60_000 and (e.correct or 0) > 10_000), None)
            if claim.kind == "accuracy" and epoch and run.last is not None and claims.matches(claim, run.last):
                found[claim.place] = CATALOGUE["evaluates-on-training-data"].finding(
                    claim.place,
                    f"{percent(claim.value)} was counted over 60,000 images, as many as MNIST has for training",
                    severity="note",
                    says=claim.text,
                    evidence=(f"the log: {epoch.line}",),
                )
    return list(found.values())


@lru_cache(maxsize=256)
def _log_of(path: Path) -> Log:
    try:
        return read_log((cell.number, cell.output) for cell in read_document(path).code)
    except DataError:
        return Log()


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


def _found(subject: Study, disabled_rules: Collection[str]) -> list[Finding]:
    """What every rule that is not switched off finds."""
    return [f for name, rule in CATALOGUE.items() if name not in disabled_rules for f in rule.check(subject)]


def report_on(subject: Study, file: str, disabled_rules: Collection[str] = (), root: Path | None = None) -> FileReport:
    """Apply every rule that is not switched off, and try the mends."""
    findings = sorted(_without_doubles(_found(subject, disabled_rules)), key=_order)
    words = {name: rule.mend for name, rule in CATALOGUE.items()}
    where = root or subject.document.path.parent
    findings = with_mends(subject, findings, where, lambda copy: _found(copy, disabled_rules), words)
    findings.extend(_quoted_correctly(subject, findings))
    status, problem, checked = judge(subject, findings)
    kind: Literal["notebook", "script"] = "notebook" if subject.document.kind == "notebook" else "script"
    blocks = tuple(
        block for c in subject.document.code for block in code_blocks(parse_cell(c.source).statements, c.number)
    )
    return FileReport(
        file, kind, status, tuple(findings), checked, problem, subject.log.fingerprint, facts=notebook_facts(subject),
        blocks=blocks,
    )  # fmt: skip


def _without_doubles(findings: list[Finding]) -> list[Finding]:
    """What one finding already tells as evidence is not told again."""
    dead = [f for f in findings if f.rule == "activation-on-class-scores" and any("log shows" in e for e in f.evidence)]
    told = {f.place for f in findings if f.rule in ("target-not-met", "evaluation-disagrees")}
    return [
        f
        for f in findings
        if not (dead and f.rule == "accuracy-plateau") and not (f.rule == "number-in-no-log" and f.place in told)
    ]


def _order(finding: Finding) -> tuple[int, int, str, int]:
    place = finding.place
    assert isinstance(place, CodePlace)
    cell = place.cell if place.cell is not None else 10_000
    return (SEVERITIES.index(finding.severity), cell, place.file, place.line or 0)


def _quoted_correctly(subject: Study, findings: list[Finding]) -> list[Finding]:
    """Where the figure is not what it is called, a claim that quotes the log correctly is said to do only that."""
    wrong = next((f for f in findings if f.rule == "evaluates-on-training-data"), None)
    if wrong is None or any(f.rule == "log-not-from-this-code" for f in findings):
        return []  # nothing is said of the figure of a log that is another code's
    notes: dict[CodePlace, Finding] = {}
    for claim in subject.claims:
        last = any(run.last is not None and claims.matches(claim, run.last) for run in subject.runs)
        if claim.kind == "accuracy" and claim.decimals >= 2 and not claim.is_target and last:
            notes[claim.place] = CATALOGUE[wrong.rule].finding(
                claim.place,
                f"{percent(claim.value)} is the last epoch's figure, quoted correctly; see {_cell(wrong)} for what it "
                "measures",
                severity="note",
                says=claim.text,
            )
    return list(notes.values())


def _cell(finding: Finding) -> str:
    assert isinstance(finding.place, CodePlace)
    return str(CodePlace(finding.place.file, finding.place.cell)) if finding.place.cell else str(finding.place)


def audit_repository(folder: Path | str, disabled_rules: Collection[str] = ()) -> list[FileReport]:
    """Audit every notebook below a folder, and every script that trains a network by itself."""
    folder = Path(folder)
    return [audit_notebook(path, disabled_rules) for path in audited_files(folder)]


def audited_files(folder: Path | str) -> list[Path]:
    """The notebooks below a folder, and the scripts that train or measure something."""
    paths = list(walk(Path(folder)))
    notebooks = [path for path in paths if is_notebook(path)]
    scripts = works_of([path for path in paths if path.suffix == ".py"])
    return [*notebooks, *(path for path, work in scripts.items() if work == "works")]


def works_of(scripts: list[Path]) -> dict[Path, Work]:
    """What each of the scripts of a folder does when it is run; those beside each other may import one another."""
    used: dict[Path, frozenset[str]] = {}
    for path in scripts:
        used[path.parent] = used.get(path.parent, frozenset()) | imported_names(path)
    return {path: work_of(path, used[path.parent]) for path in scripts}


def copies(reports: Iterable[FileReport]) -> list[list[FileReport]]:
    """Groups of files whose logs are identical, the largest first."""
    groups: dict[str, list[FileReport]] = {}
    for report in reports:
        if report.fingerprint and report.kind in ("notebook", "script"):
            groups.setdefault(report.fingerprint, []).append(report)
    return sorted((group for group in groups.values() if len(group) > 1), key=len, reverse=True)
