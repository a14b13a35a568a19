"""A report of a class under pseudonyms, and the key that leads back, in a file of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tinyproof.check.classes.class_changes import Told
from tinyproof.check.classes.pseudonyms import Anonymous, key_table, pseudonyms, read_key, tokens
from tinyproof.check.finding import FileReport, LeftOut, Report
from tinyproof.core.files import write_private

Named = tuple[Report, tuple[FileReport, ...], tuple[Told, ...]]


def check_key(path: Path | str) -> dict[str, str]:
    """The pseudonyms by name that a key holds already; none where there is no file. Raises InputError, DataError."""
    return read_key(Path(path)) if Path(path).exists() else {}


def anonymous(report: Report, judged: Sequence[FileReport], before: Sequence[Told], path: Path | str) -> Named:
    """The report, its files as they were `judged` before they were held against an assignment, and an earlier report,
    under pseudonyms and in their order; the key is written first. Those who are in the key already keep theirs.
    Raises InputError, OutputError."""
    held = check_key(path)
    known: list[FileReport | LeftOut | Told] = [*report.files, *report.left_out, *before]
    paths = [(each.submission or each.file, each.file) for each in known]
    own = set(held.values())
    names = pseudonyms((name for name, _ in paths if name not in own), held)
    if names:
        write_private(path, key_table(names).csv())
    other = Anonymous(names, ((name, file) for name, file in paths if name not in own), _common(report.files))
    left_out = sorted(map(other.left_out, report.left_out), key=lambda left: (left.submission, left.file))
    told = sorted(map(other.told, before), key=lambda each: (each.submission, each.file))
    return Report(_ordered(other, report.files), tuple(left_out)), _ordered(other, judged), tuple(told)


def _ordered(other: Anonymous, files: Sequence[FileReport]) -> tuple[FileReport, ...]:
    return tuple(sorted(map(other.file, files), key=lambda file: (file.submission, file.file)))


def _common(files: Sequence[FileReport]) -> set[str]:
    """The words of what the audit says of somebody else than those whose name they are in: no names, written small."""
    where: dict[str, set[str]] = {}
    for file in files:
        for word in {token for text in _texts(file) for token in _small(text)}:
            where.setdefault(word, set()).add(file.submission or file.file)
    return {word for word, held in where.items() if any(word not in tokens(name) for name in held)}


def _texts(file: FileReport) -> Iterator[str]:
    yield from (*file.checked, file.problem)
    for finding in file.findings:
        yield from (finding.message, finding.says, finding.should_say, finding.why, finding.fix, finding.effect)


def _small(text: str) -> set[str]:
    """The words of a text that are written in small letters."""
    return {word for word in re.findall(r"[^\W\d_]+", text) if word.islower()}
