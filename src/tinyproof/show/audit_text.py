"""What an audit found, in words: one block a finding, a table of the files, and what files have in common."""

from __future__ import annotations

from tinyproof.check.classes.grades import Points
from tinyproof.check.classes.in_common import in_common
from tinyproof.check.finding import ASKED, FileReport, Finding, Report, SheetPlace
from tinyproof.core.table import Column, Table
from tinyproof.show import audit_code_text as code_text
from tinyproof.show.class_text import MANY_FILES, class_text

_WRONG = {"error": "wrong", "warning": "fragile", "note": "note"}


def explain(report: Report, details: bool = False, points: Points | None = None) -> str:
    """Every file with its findings; below them, for several files, the table and what they have in common.

    Of a class (more than 20 files) one screen, unless `details` are asked for. `details`: with the reason and the mend
    of each finding in a notebook (a workbook's are always shown). `points`: a rubric, for the points of a class.
    """
    if len(report.files) > MANY_FILES and not details:
        return class_text(report, points)
    blocks = [explain_file(file, details) for file in report.files]
    if len(report.files) != 1 or report.left_out:
        blocks.append(summary(report))
    return "\n\n".join(blocks)


def explain_file(file: FileReport, details: bool = False) -> str:
    """One file: its status, its findings, what could not be told, what is right."""
    if file.kind not in ("workbook", "other"):
        return code_text.explain_file(file, details)
    lines = [f"{file.file}: {file.status}"]
    lines += [f"  {line}" for finding in file.findings for line in explain_finding(finding).splitlines()]
    if file.problem:
        lines += [f"  {'could not be told' if file.status != 'unreadable' else 'why'}: {file.problem}"]
    lines += [f"  {line}" for line in file.checked]
    return "\n".join(lines)


def explain_finding(finding: Finding) -> str:
    """A finding as a person reads it."""
    how = "not as asked" if finding.rule.startswith(ASKED) else _WRONG[finding.severity]
    lines = [f"{finding.place}: {how}", f"  {finding.message}"]
    right = "the chain rule gives" if finding.rule == "wrong-gradient" else "it should say"
    width = len(right) + 1
    if finding.says:
        lines.append(f"  {'it says':{width}}{finding.says}")
    if finding.should_say:
        lines.append(f"  {right:{width}}{finding.should_say}")
    lines += [f"  {text}" for text in (finding.why, finding.fix) if text]
    if finding.effect:
        lines.append(f"  effect: {finding.effect}")
    if isinstance(finding.place, SheetPlace) and finding.place.also:
        lines.append("  also in " + ", ".join(f'"{sheet}" ({cells})' for sheet, cells in finding.place.also))
    return "\n".join(lines)


def files_table(report: Report) -> Table:
    """One row a file."""
    rows = []
    for file in report.files:
        first = next((f for f in file.findings if f.severity == "error"), None)
        what = f"{first.rule}: {first.message}" if first else file.problem
        errors, warnings = file.count("error"), file.count("warning")
        rows.append((file.file, file.status, errors, warnings, what if len(what) < 100 else what[:97] + "..."))
    columns = Column("file"), Column("status"), Column("errors", "right"), Column("warnings", "right"), Column("first")
    return Table("files", columns, tuple(rows))


def findings_table(report: Report) -> Table:
    """One row a finding (or a file without one): for a spreadsheet."""
    names = (
        "file",
        "status",
        "severity",
        "kind",
        "place",
        "message",
        "says",
        "should say",
        "why",
        "fix",
        "effect",
        "submission",
    )
    rows: list[tuple[str, ...]] = []
    for file in report.files:
        for f in file.findings:
            texts: tuple[str, ...] = (
                f.severity,
                f.rule,
                str(f.place),
                f.message,
                f.says,
                f.should_say,
                f.why,
                f.fix,
                f.effect,
            )
            rows.append((file.file, file.status, *texts, file.submission))
        if not file.findings:
            rows.append((file.file, file.status, "", "", "", file.problem, "", "", "", "", "", file.submission))
    rows.extend(
        (left.file, "left out", "", "", "", left.why, "", "", "", "", "", left.submission) for left in report.left_out
    )
    return Table("findings", tuple(Column(name) for name in names), tuple(rows))


def left_out_table(report: Report) -> Table:
    """One row a file that was left out, with the reason."""
    rows = tuple((left.file, left.why) for left in report.left_out)
    return Table("left out", (Column("file"), Column("why")), rows)


def summary(report: Report) -> str:
    """The table of files, how many are what, and what they have in common."""
    return "\n\n".join(part if isinstance(part, str) else part.text() for part in summary_parts(report))


def summary_parts(report: Report) -> list[str | Table]:
    """The parts of `summary`."""
    counts = ", ".join(f"{count} {status}" for status, count in report.counts().items() if count)
    told = f"{len(report.files)} files: {counts}" if counts else "no file to judge"
    left_out: list[str | Table] = (
        [f"left out: {len(report.left_out)}", left_out_table(report)] if report.left_out else []
    )
    rules = code_text.rules_table(report)
    return [
        *([files_table(report)] if report.files else []),
        told,
        *left_out,
        *([rules] if rules.rows else []),
        *in_common(report),
    ]
