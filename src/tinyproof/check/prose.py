"""Read claims out of prose: accuracies, parameter counts and targets in Markdown cells and README files.

A claim is a number with what its sentence says about it. Code blocks, links and pictures are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from tinyproof.check import prose_words as words
from tinyproof.check.finding import CodePlace

MAX_LINES = 20_000
MAX_LINE_CHARACTERS = 4_000

_ALIKE_LINES = 3  # so many lines that differ only in their numbers are a log


_WANTED = ("target", "goal", "objective", "require")  # sections of what should be, not of what is

Phase = Literal["train", "test", ""]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A number that a text gives.

    `kind`: accuracy (percent), parameters or epochs. `decimals`: as written. `phase`: train or test, where it says so.
    `is_target`: the number is wanted, not reported. `best`, `last`, `epoch`: which epoch the text says it is of.
    `reached`: the sentence says that it was reached. `elsewhere`: it may be somebody else's or another run's figure.
    `owned`: the section of the README that it stands in is about this notebook alone.
    """

    kind: Literal["accuracy", "parameters", "epochs"]
    value: float
    decimals: int
    place: CodePlace
    text: str
    phase: Phase = ""
    is_target: bool = False
    best: bool = False
    last: bool = False
    epoch: int | None = None
    reached: bool = False
    elsewhere: bool = False
    named: bool = False
    owned: bool = False


def read_claims(file: str, cells: Iterable[tuple[int | None, str]]) -> Iterator[Claim]:
    """Read the claims of a text's cells, as (cell number, Markdown).

    >>> claim, = read_claims("README.md", [(None, "Best test accuracy: **99.43 %** (epoch 12)")])
    >>> claim.value, claim.phase, claim.best, claim.epoch
    (99.43, 'test', True, 12)
    """
    for cell, text in cells:
        section = ""
        fenced = ""
        inline = False
        header: list[str] = []
        lines = text.split("\n")[:MAX_LINES]
        printed = _printed(lines)
        for number, raw in enumerate(lines, start=1):
            if raw.lstrip().startswith(("```", "~~~")):
                fenced = "" if fenced else raw.strip()
                continue
            if (fenced and (len(fenced) > 3 or words.CODE_OR_LOG.search(raw))) or (
                not fenced
                and raw.startswith("    ")
                and cell is None
                and not raw.lstrip().startswith(("-", "*", "+", "1"))
            ):
                continue
            if number in printed:
                continue
            line = words.LINK.sub(" ", raw[:MAX_LINE_CHARACTERS])
            heading = words.SECTION.match(line)
            if inline and not line.strip():
                section, inline = "", False  # "Target: 99.4 %" and a blank line: the section is over
            if heading:
                section = heading.group(1).lower()
                inline = bool(re.search(r"\w", line[heading.end() :]))
            elif line.lstrip().startswith("#"):
                section = ""
            is_row = line.lstrip().startswith("|")
            header = (header or line.split("|")) if is_row else []
            place = CodePlace(file, cell, number)
            for claim, start in _accuracies(line, section, place):
                yield _with_header(claim, header, line[:start].count("|")) if is_row else claim
            yield from _parameters(line, section, place)
            if is_row:
                yield from _parameter_cells(line, header, place)
            yield from _epochs(line, section, place)


def _printed(lines: list[str]) -> set[int]:
    """The numbers of the lines (from 1) that are pasted from a log."""
    found = set()
    shapes: list[tuple[str, int]] = []
    for number, raw in enumerate(lines, start=1):
        line = raw[:MAX_LINE_CHARACTERS].strip()
        if line.startswith("|"):
            continue
        if line and words.PRINTED.search(line):
            found.add(number)
        shape = re.sub(r"\d+(?:\.\d+)?", "0", line)
        if not line or "0" not in shape:
            continue
        shapes = [*shapes, (shape, number)] if not shapes or shapes[-1][0] == shape else [(shape, number)]
        if len(shapes) >= _ALIKE_LINES:
            found.update(at for _, at in shapes)
    return found


def _with_header(claim: Claim, header: list[str], column: int) -> Claim:
    """What the head of a table's column says of the figures below it."""
    head = header[column] if column < len(header) else ""
    return replace(
        claim,
        named=claim.named or bool(words.ACCURACY.search(head)),
        phase=claim.phase or _phase(head, ""),
        is_target=claim.is_target or bool(re.search(r"target|goal", head, re.IGNORECASE)),
        best=claim.best or bool(words.BEST.search(head)),
        last=claim.last or bool(words.LAST.search(head)),
    )


def _accuracies(line: str, section: str, place: CodePlace) -> Iterator[tuple[Claim, int]]:
    named = bool(words.ACCURACY.search(line))
    found = list(words.PERCENT.finditer(line))
    if named:
        found += words.BARE.finditer(line)
    for match in found:
        for claim in _accuracy(line, match, float(match.group(1)), section, place, named):
            yield claim, match.start()
    if (named or words.RESULT.search(line)) and not found:
        for match in words.FRACTION.finditer(line):
            for claim in _accuracy(line, match, 100 * float(_number(match)), section, place, named):
                yield claim, match.start(match.lastindex or 0)


def _number(match: re.Match[str]) -> str:
    """The digits of a match: its only group that took part."""
    return match.group(match.lastindex or 0)


def _accuracy(
    line: str, match: re.Match[str], value: float, section: str, place: CodePlace, named: bool
) -> Iterator[Claim]:
    if not 50 <= value <= 100:
        return
    share = value != float(_number(match))
    at, behind = match.span(match.lastindex or 0) if share else match.span()
    start, end = _clause(line, at, behind)
    before, after = line[start:at], line[behind:end]
    decimals = len(_number(match).partition(".")[2])
    if share:
        decimals = max(0, decimals - 2)
    epochs = words.EPOCH.search(before[-60:] + " " + after[:60])
    yield Claim(
        kind="accuracy",
        value=round(value, 4),
        decimals=decimals,
        place=place,
        text=line.strip()[:200],
        phase=_phase(before, after),
        is_target=bool(words.TARGET.search(before[-45:])) or section.startswith(_WANTED),
        best=bool(words.BEST.search(before[-60:]) or words.BEST.search(after[:30])),
        last=bool(words.LAST.search(before[-60:]) or words.LAST.search(after[:30])),
        epoch=int(epochs.group(1) or epochs.group(2)) if epochs else None,
        reached=not section.startswith(_WANTED) and _says_reached(before, after[:40]),
        elsewhere=bool(words.ELSEWHERE.search(before[-80:]))
        or bool(words.ELSEWHERE.search(after[:40].partition("(")[0])),
        named=named,
    )


def _says_reached(before: str, after: str) -> bool:
    """Whether the sentence says that it happened: not that it should, could or did not."""
    if words.NOT.search(before + after):
        return False
    text = f"{before} {after}"
    return any(not words.WISH.search(text[: match.start()][-60:]) for match in words.REACHED.finditer(text))


def _clause(line: str, start: int, end: int) -> tuple[int, int]:
    """The bounds of the sentence or table cell around a number."""
    left = max((line.rfind(stop, 0, start) + len(stop) for stop in (". ", "|", ";") if stop in line[:start]), default=0)
    rights = [line.find(stop, end) for stop in (". ", "|", ";")]
    right = min((r for r in rights if r >= 0), default=len(line))
    return max(left, start - 160), min(right, end + 80)


def _phase(before: str, after: str) -> Phase:
    found = list(re.finditer(r"\b(train(?:ing)?|test(?:ing)?|val(?:id(?:ation)?)?)\b", before[-90:], re.IGNORECASE))
    word = found[-1].group(1) if found else ""
    if not word:
        behind = re.match(r"[\s*_)]*(?:of\s+|on\s+)?(?:the\s+)?(train|test|val)", after, re.IGNORECASE)
        word = behind.group(1) if behind else ""
    if not word:
        return ""
    return "train" if word.lower().startswith("train") else "test"


def _epochs(line: str, section: str, place: CodePlace) -> Iterator[Claim]:
    for match in words.EPOCHS.finditer(line):
        before = line[max(0, match.start() - 30) : match.start()]
        wanted = bool(words.TARGET.search(before)) or section.startswith(_WANTED)
        yield Claim(
            kind="epochs",
            value=float(match.group(1)),
            decimals=0,
            place=place,
            text=line.strip()[:200],
            is_target=wanted,
        )


def _parameters(line: str, section: str, place: CodePlace) -> Iterator[Claim]:
    for match in words.PARAMETERS.finditer(line):
        text = match.group(1) or match.group(2) or match.group(3)
        start, end = _clause(line, match.start(), match.end())
        before = line[start : match.start()]
        yield Claim(
            kind="parameters",
            value=float(text.replace(",", "")),
            decimals=0,
            place=place,
            text=line.strip()[:200],
            phase="",
            is_target=bool(words.TARGET.search(before[-45:] + match.group()))
            or section.startswith(("target", "goal", "objective")),
            elsewhere=bool(
                words.ELSEWHERE.search(line[start:end])
                or words.PART.search(before)
                or re.match(
                    r"[^.,;]{0,20}\b(?:layer|alone|each|less|fewer|more)\b", line[match.end() : end], re.IGNORECASE
                )
            ),
            named=True,
        )


def _parameter_cells(line: str, header: list[str], place: CodePlace) -> Iterator[Claim]:
    """Plain counts of a table's row that stand below a head such as "Params" or "Total parameters".

    In a table of layers ("Layer" among its heads) they are the layers' own.
    """
    for column, cell in enumerate(line.split("|")):
        head = header[column] if column < len(header) else ""
        found = words.COUNT_CELL.fullmatch(cell)
        if not found or not re.search(r"\bparam(?:eter)?s?\b", head, re.IGNORECASE):
            continue
        wanted = bool(words.TARGET.search(head))
        count = float(found.group(1).replace(",", ""))
        other = bool(words.ELSEWHERE.search(line) or words.PART.search(line) or words.PART.search(" ".join(header)))
        yield Claim(
            kind="parameters",
            value=count,
            decimals=0,
            place=place,
            text=line.strip()[:200],
            phase="",
            is_target=wanted,
            elsewhere=other,
            named=True,
        )
