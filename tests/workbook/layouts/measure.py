"""The audit on right and on broken workbooks of a layout, counted."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.workbook.layouts.catalogue import make
from tests.workbook.layouts.excel_text import cell_name
from tests.workbook.layouts.made import Made
from tests.workbook.layouts.mistakes import broken
from tests.workbook.layouts.mutate import Mutant
from tests.workbook.layouts.terms import Address

import tinyproof

CELLS = re.compile(r"\$?([A-Z]{1,3})\$?(\d+)(?::\$?([A-Z]{1,3})\$?(\d+))?")
RIGHT = "right ones"
TRIES = 16  # seeds looked at per mutant wanted: not every workbook has a place for every mistake


@dataclass
class Count:
    """How many of what; `mended`: located ones with a formula to write there; `told`: one line for each that was not as
    it should be."""

    layout: str
    kind: str
    outcomes: Counter[str] = field(default_factory=Counter)
    mended: int = 0
    told: list[str] = field(default_factory=list)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def named(titles: tuple[str, ...], findings: Iterable[Any]) -> Iterator[tuple[int, int, int, int, int]]:
    """The cells that errors name: sheet, first row, first column, last row, last column."""
    for finding in findings:
        if finding.severity != "error":
            continue
        for sheet, cells in ((finding.place.sheet, finding.place.cells), *finding.place.also):
            for match in CELLS.finditer(cells):
                first = int(match[2]) - 1, _column(match[1])
                last = (int(match[4]) - 1, _column(match[3])) if match[4] else first
                yield (titles.index(sheet) if sheet in titles else -1, *first, *last)


def located(titles: tuple[str, ...], changed: Iterable[Address], findings: Iterable[Any]) -> bool:
    """Whether an error names a cell that was changed."""
    places = list(named(titles, findings))
    return any(
        s == at.sheet and r <= at.row <= lr and c <= at.column <= lc for at in changed for s, r, c, lr, lc in places
    )


def mended(mutant: Mutant, report: Any) -> bool:
    """Whether an error that names a changed cell says what to write there."""
    with_fix = [finding for finding in report.findings if finding.fix]
    return located(mutant.made.book.titles, mutant.changed, with_fix)


def judged(books: list[Made]) -> list[Any]:
    """What the audit says of each workbook, in order."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [made.book.write(Path(folder) / f"{index:04d}.xlsx") for index, made in enumerate(books)]
        return list(tinyproof.audit(*paths, jobs=1).files) if paths else []


def errors(report: Any) -> str:
    """Its errors in one line, or why there is no answer."""
    found = [f"{f.place.cells}: {f.message[:80]}" for f in report.findings if f.severity == "error"]
    return "; ".join(found) or report.problem


def right_ones(layout: str, seeds: range) -> Count:
    """Right workbooks: called right, undecided or accused."""
    count = Count(layout, RIGHT)
    books = [make(layout, seed) for seed in seeds]
    for made in books:
        assert not made.wrong(), made.seed
    for made, report in zip(books, judged(books), strict=True):
        outcome = {"right": "right", "wrong": "accused"}.get(report.status, "undecided")
        count.outcomes[outcome] += 1
        if outcome != "right":
            count.told.append(f"{layout} {made.seed} right, {outcome}: {errors(report)}")
    return count


def mutants(layout: str, kind: str, seeds: range, wanted: int) -> list[Mutant]:
    """Broken workbooks of a kind, from as many seeds as it takes."""
    found: list[Mutant] = []
    for seed in seeds[: wanted * TRIES]:
        mutant = broken(make(layout, seed), kind, seed)
        if mutant is not None:
            found.append(mutant)
        if len(found) == wanted:
            break
    return found


def outcome(mutant: Mutant, report: Any) -> str:
    """located, elsewhere, undecided or called right."""
    found = {"right": "called right", "wrong": "elsewhere"}.get(report.status, "undecided")
    if found == "elsewhere" and located(mutant.made.book.titles, mutant.changed, report.findings):
        return "located"
    return found


def broken_ones(layout: str, kind: str, seeds: range, wanted: int) -> Count:
    """Mutants of a kind: found and located, found elsewhere, undecided, called right."""
    return counted(Count(layout, kind), mutants(layout, kind, seeds, wanted))


def counted(count: Count, made: list[Mutant]) -> Count:
    """The audit on these mutants."""
    for mutant, report in zip(made, judged([mutant.made for mutant in made]), strict=True):
        found = outcome(mutant, report)
        count.outcomes[found] += 1
        count.mended += found == "located" and mended(mutant, report)
        if found != "located":
            spots = ",".join(sorted(cell_name(at) for at in mutant.changed)[:3])
            name = f"{mutant.made.layout} {mutant.made.seed} {mutant.kind}"
            count.told.append(f"{name} ({mutant.scope}, {mutant.words}, {spots}): {found}: {errors(report)}")
    return count


def _one(task: tuple[str, str, range, int]) -> Count:
    layout, kind, seeds, wanted = task
    return right_ones(layout, seeds[:wanted]) if kind == RIGHT else broken_ones(layout, kind, seeds, wanted)


def measured(tasks: list[tuple[str, str, range, int]], jobs: int) -> Iterator[Count]:
    """All tasks: layout, kind, seeds, how many; in their order, `jobs` at a time."""
    if jobs == 1:
        yield from map(_one, tasks)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(_one, tasks)
