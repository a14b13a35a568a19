"""The journal for the terminal and as a page: an overview, and Target, Result and Analysis of each entry."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from tinyproof.core.errors import one_line
from tinyproof.core.table import Column, Table
from tinyproof.prove.journal.entries import Entry
from tinyproof.show import commands
from tinyproof.show.html import render, safe

_INDENT, _SHORTEST = 16, 10
LINES = "Lines"  # the label of what changed in a file, line by line


def journal_parts(entries: Sequence[Entry], width: int = 120) -> list[str | Table]:
    """Every entry as a block of lines, then the overview; no line is wider than `width`."""
    blocks = [_block(number, entry, width) for number, entry in enumerate(entries, 1)]
    rest = max(map(len, overview(entries, _SHORTEST).text().splitlines())) - _SHORTEST
    return [*blocks, overview(entries, max(_SHORTEST, width - rest))]


def overview(entries: Sequence[Entry], name_limit: int = 200) -> Table:
    """One row an entry; the middle of a name longer than `name_limit` is cut."""
    columns = (
        Column("", "right"), Column("entry"), Column("target"), Column("accuracy, %", "right", ".2f"),
        Column("answer"), Column("difference", "right", "+.2f"), Column("more than chance"),
    )  # fmt: skip
    rows = tuple(
        (number, one_line(e.name, name_limit), e.aim, e.percent, e.answer, e.effect.difference, e.effect.beyond)
        for number, e in enumerate(entries, 1)
    )
    return Table("", columns, rows)


def facts(entry: Entry) -> list[tuple[str, str]]:
    """What there is to say of an entry, in order: a label, and the words to it."""
    found = [("Target", entry.target), ("Result", entry.result), ("Analysis", entry.analysis or "not written yet")]
    if entry.kind == "unreadable":
        return found[1:]
    if not entry.changed:
        return found
    changed = "; ".join(entry.changed)
    if entry.kind == "comparison":
        return [("Sides", changed), *_lines_changed(entry), *found]
    did = [("What it did", entry.effect.words)] if entry.effect.words else []
    return [("Changed", f"{changed} (since {entry.since})"), *did, *_lines_changed(entry), *found]


def _lines_changed(entry: Entry) -> list[tuple[str, str]]:
    return [(LINES, entry.diff)] if entry.diff else []


def page(entries: Sequence[Entry], title: str, folder: Path | None = None) -> str:
    """One self-contained HTML page of what lies in a folder; without one no analysis is asked for."""
    return render(
        "journal.html.j2",
        title=f"Journal: {title}",
        analyse="" if folder is None else commands.analyse(folder, entries),
        overview=safe(overview(entries).html()),
        entries=[(entry, facts(entry)) for entry in entries],
    )


def _block(number: int, entry: Entry, width: int) -> str:
    head = f"{number}. {one_line(entry.name, width - 40)}" + (f"  ({entry.started})" if entry.started else "")
    return "\n".join([head, *(line for label, words in facts(entry) for line in _lines(label, words, width))])


def _lines(label: str, words: str, width: int) -> list[str]:
    """The words wrapped beside their label; the user's own line breaks stay."""
    lines = [
        line for part in words.splitlines() for line in _wrapped(one_line(part, len(part)), width - _INDENT, label)
    ]
    heads = [f"   {label}".ljust(_INDENT), *[" " * _INDENT] * (len(lines) - 1)]
    return [(head + line).rstrip() for head, line in zip(heads, lines, strict=True)]


def _wrapped(line: str, width: int, label: str) -> list[str]:
    """A line of a program keeps the spaces that it begins with."""
    if label != LINES:
        return textwrap.wrap(line, width) or [""]
    return [line[start : start + width] for start in range(0, len(line), width)] or [""]
