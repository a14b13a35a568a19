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
TRIES = 6  # seeds looked at per mutant wanted: not every workbook has a place for every mistake


@dataclass
class Count:
    """How many of what; `told`: one line for each that was not as it should be."""

    layout: str
    kind: str
    outcomes: Counter[str] = field(default_factory=Counter)
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


def judged(books: list[tuple[str, Made]], folder: Path) -> list[Any]:
    """What the audit says of each workbook, in order."""
    paths = [made.book.write(folder / f"{index:04d}.xlsx") for index, (_, made) in enumerate(books)]
    return list(tinyproof.audit(*paths, jobs=1).files) if paths else []


def right_ones(layout: str, seeds: range) -> Count:
    """Right workbooks: called right, undecided or accused."""
    count = Count(layout, RIGHT)
    books = [(f"{layout} {seed}", make(layout, seed)) for seed in seeds]
    for name, made in books:
        assert not made.wrong(), name
    with tempfile.TemporaryDirectory() as folder:
        for (name, _), report in zip(books, judged(books, Path(folder)), strict=True):
            outcome = {"right": "right", "wrong": "accused"}.get(report.status, "undecided")
            count.outcomes[outcome] += 1
            if outcome != "right":
                errors = [f"{f.place.cells}: {f.message}" for f in report.findings if f.severity == "error"]
                count.told.append(f"{name} right, {outcome}: {'; '.join(errors) or report.problem}")
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


def broken_ones(layout: str, kind: str, seeds: range, wanted: int) -> Count:
    """Mutants of a kind: found and located, found elsewhere, undecided, called right."""
    count = Count(layout, kind)
    made = mutants(layout, kind, seeds, wanted)
    with tempfile.TemporaryDirectory() as folder:
        reports = judged([(kind, mutant.made) for mutant in made], Path(folder))
        for mutant, report in zip(made, reports, strict=True):
            outcome = {"right": "called right", "wrong": "elsewhere"}.get(report.status, "undecided")
            if outcome == "elsewhere" and located(mutant.made.book.titles, mutant.changed, report.findings):
                outcome = "located"
            count.outcomes[outcome] += 1
            if outcome != "located":
                spots = ",".join(sorted(cell_name(at) for at in mutant.changed)[:3])
                errors = [f"{f.place.cells}: {f.message[:80]}" for f in report.findings if f.severity == "error"]
                told = "; ".join(errors) or report.problem
                seed = mutant.made.seed
                count.told.append(
                    f"{layout} {seed} {kind} ({mutant.scope}, {mutant.words}, {spots}): {outcome}: {told}"
                )
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
