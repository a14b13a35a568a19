"""What an audit found, in words: one block a finding, a table of the files, and what files have in common."""

from __future__ import annotations

from collections import Counter

from tinyproof.check.finding import FileReport, Finding, Report, SheetPlace
from tinyproof.core.table import Column, Table
from tinyproof.show import audit_code_text as code_text

_WRONG = {"error": "wrong", "warning": "fragile", "note": "note"}


def explain(report: Report, details: bool = False) -> str:
    """Every file with its findings; below them, for several files, the table and what they have in common.

    `details`: with the reason and the mend of each finding in a notebook (a workbook's are always shown).
    """
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
    lines = [f"{finding.place}: {_WRONG[finding.severity]}", f"  {finding.message}"]
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
    names = ("file", "status", "severity", "kind", "place", "message", "says", "should say", "why", "fix", "effect")
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
            rows.append((file.file, file.status, *texts))
        if not file.findings:
            rows.append((file.file, file.status, "", "", "", file.problem, "", "", "", "", ""))
    rows.extend((left.file, "left out", "", "", "", left.why, "", "", "", "", "") for left in report.left_out)
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
    return [files_table(report), told, *left_out, *([rules] if rules.rows else []), *in_common(report)]


def in_common(report: Report) -> list[str]:
    """Identical formula sets and identical mistakes, one sentence each, where at least two files share them."""
    lines = []
    total = len(report.files)
    groups: dict[str, list[FileReport]] = {}
    for file in report.files:
        if file.fingerprint:
            groups.setdefault(file.fingerprint, []).append(file)
    for files in sorted(groups.values(), key=len, reverse=True):
        if len(files) < 2:
            continue
        if files[0].kind != "workbook":
            lines.append(f"{len(files)} of {total} files have identical logs: " + _names(files))
            continue
        line = f"{len(files)} of {total} files are formula for formula the same"
        shared = sorted(
            {f.place.column for f in files[0].findings if f.severity == "error" and isinstance(f.place, SheetPlace)}
        )
        if shared:
            line += f"; the mistake in {', '.join(shared)} is in all of them: look at the model answer"
        lines.append(line + ": " + _names(files))
    mistakes: Counter[tuple[str, str, str]] = Counter()
    for file in report.files:
        if file.kind != "workbook":
            continue
        mistakes.update({_same(f) for f in file.findings if f.severity == "error"})
    for (kind, column, says), count in mistakes.most_common(10):
        if count > 1:
            lines.append(f"{count} of {total} files have the same mistake ({kind}, {column}): {says}")
    return lines


def _same(finding: Finding) -> tuple[str, str, str]:
    column = finding.place.column if isinstance(finding.place, SheetPlace) else ""
    return finding.rule, column, finding.why or finding.message


def _names(files: list[FileReport]) -> str:
    shown = [file.file for file in files[:6]]
    return ", ".join(shown) + (f" and {len(files) - 6} more" if len(files) > 6 else "")
