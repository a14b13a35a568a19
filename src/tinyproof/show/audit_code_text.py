"""What an audit found in notebooks, scripts and READMEs, in words: a line a finding, its evidence below it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePath

from tinyproof.check.finding import SEVERITIES, CodePlace, FileReport, Finding, Report
from tinyproof.core.table import Column, Table


def explain_file(file: FileReport, details: bool = False) -> str:
    """One file: its findings, what is open, what was checked and is right."""
    width = max([7, *(len(_short(finding, file)) for finding in file.findings)])
    warnings = sum(finding.severity == "warning" for finding in file.findings)
    besides = f", with {warnings} warning{'s' * (warnings > 1)}" if warnings and file.status == "right" else ""
    lines = [f"{file.file}: {file.status}{besides}"]
    for finding in file.findings:
        lines.extend(_finding(finding, file, width, details))
    if file.problem:
        word = "why" if file.status in ("unreadable", "nothing to judge") else "open"
        lines.append(f"{word:{width}}  {file.problem}")
    lines.extend(f"{'right':{width}}  {line}" for line in file.checked)
    return "\n".join(lines)


def _finding(finding: Finding, file: FileReport, width: int, details: bool) -> list[str]:
    """The message; below an error the line of code, what the log says to it and what it changes."""
    margin = " " * (width + 4)
    lines = [f"{_short(finding, file):{width}}  {finding.severity:7}  {finding.message}"]
    logged = next((text for text in finding.evidence if text.startswith("the log")), "")
    below = []
    if finding.severity == "error":
        says = finding.says if details else _abridged(finding.says)
        below = [f"{says}      {logged}" if says and logged else says or logged, finding.effect]
    if details:
        below = [*below, *(text for text in finding.evidence if text != logged or not below)]
        if finding.severity != "error":
            below = [finding.says, finding.effect, *below]
        below.append(f"{finding.rule} ({finding.place})")
        below.extend(f"{word}: {text}" for word, text in (("why", finding.why), ("mend", finding.fix)) if text)
    return [*lines, *(margin + text for text in below if text)]


def _abridged(line: str) -> str:
    """A call with its first argument only, where the rest says nothing about the data.

    >>> _abridged("test_loader = DataLoader(train_data, batch_size=64, shuffle=True)")
    'test_loader = DataLoader(train_data, ...)'
    """
    found = re.fullmatch(r"([^()]*\([^(),]*), [^()]*\)", line)
    return f"{found.group(1)}, ...)" if found and "Loader" in line else line


def _short(finding: Finding, file: FileReport) -> str:
    """`cell 9`, `README`, `utils.py 34`, or `line 34` of the script itself."""
    place = finding.place
    assert isinstance(place, CodePlace)
    if place.cell is not None:
        return f"cell {place.cell}"
    name = PurePath(place.file)
    if name.name == PurePath(file.file).name and place.line is not None:
        return f"line {place.line}"
    if name.stem.lower() == "readme":
        return name.stem
    return f"{place.file} {place.line}" if place.line is not None else place.file


def rules_table(report: Report) -> Table:
    """How many notebooks, scripts and texts each rule names, the most frequent first."""
    judged = [file for file in report.files if file.kind in ("notebook", "script", "text")]
    counts: Counter[tuple[str, str]] = Counter()
    for file in judged:
        worst: dict[str, int] = {}
        for finding in file.findings:
            rank = SEVERITIES.index(finding.severity)
            worst[finding.rule] = min(rank, worst.get(finding.rule, rank))
        counts.update((rule, SEVERITIES[rank]) for rule, rank in worst.items())
    rows = tuple((rule, severity, count) for (rule, severity), count in counts.most_common())
    title = f"rules broken in {len(judged)} notebooks"
    return Table(title, (Column("rule"), Column("severity"), Column("notebooks", "right")), rows)
