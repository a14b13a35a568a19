"""What was asked of a workbook, held against all workbooks of a submission together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinyproof.check.classes.asked_answers import Answer, listed
from tinyproof.check.classes.network_asked import near, network_answers
from tinyproof.check.classes.requirements import AskedWorkbook
from tinyproof.check.facts import Training, WorkbookFacts
from tinyproof.check.finding import FileReport, SheetPlace


@dataclass(frozen=True)
class _Held:
    """The workbooks of a submission: each training with its file; `open`: why there may be more than was read,
    `unread`: why there may be more files."""

    files: tuple[FileReport, ...]
    trainings: tuple[tuple[FileReport, Training], ...]
    facts: tuple[WorkbookFacts, ...]
    open: str
    unread: str

    @property
    def first(self) -> FileReport:
        return self.trainings[0][0] if self.trainings else self.files[0]


def workbook_answers(files: Sequence[FileReport], asked: AskedWorkbook, unread: str) -> Iterator[Answer]:
    """`files`: the workbooks, at least one; `unread`: why a part of the submission was not read, "" where all was."""
    facts = tuple(file.facts for file in files if isinstance(file.facts, WorkbookFacts))
    trainings = [
        (file, each) for file in files if isinstance(file.facts, WorkbookFacts) for each in file.facts.trainings
    ]
    open_ = "a part of it could not be read" if any(file.problem or file.facts is None for file in files) else unread
    held = _Held(tuple(files), tuple(trainings), facts, open_, unread)
    if asked.network:
        yield from network_answers(held.first, held.trainings, held.open, asked)
    if asked.all_rates:
        yield _rates(held, asked.all_rates)
    if asked.rows_at_least:
        yield _rows(held, asked.rows_at_least)
    if asked.charts_at_least:
        yield _charts(held, asked.charts_at_least)


def _rates(held: _Held, rates: tuple[float, ...]) -> Answer:
    """Not met only where nothing in the workbook so much as names a rate that is missing."""
    words = f"the learning rate{'s' if len(rates) > 1 else ''} {listed(rates)}"
    found = [each.rate for _, each in held.trainings if each.rate is not None]
    found += [rate for facts in held.facts for rate in facts.losses_of]
    told = listed(sorted(set(found))) if found else "none"
    missing = [rate for rate in rates if not any(near(rate, each) for each in found)]
    if not missing:
        return Answer(held.first, "asked-rates", words, told, True)
    named = [facts.named for facts in held.facts]
    gone = [r for r in missing if all(some is not None and not any(near(r, n) for n in some) for some in named)]
    unknown = any(each.rate is None and each.rows > 2 for _, each in held.trainings) or not found
    pictures = "a picture may show the others" if any(facts.pictures for facts in held.facts) else ""
    why = held.open or pictures or ("the rate of a training could not be read" if unknown else "")
    if not why and not gone:
        why = f"{listed(missing)} {_stand(missing)} in it, and no training that was read takes {_them(missing)}"
    if why:
        return Answer(held.first, "asked-rates", words, why, None)
    return Answer(held.first, "asked-rates", words, f"{told}, and nothing of {listed(gone)}", False)


def _stand(numbers: list[float]) -> str:
    return "stand" if len(numbers) > 1 else "stands"


def _them(numbers: list[float]) -> str:
    return "them" if len(numbers) > 1 else "it"


def _rows(held: _Held, least: int) -> Answer:
    words = f"at least {least:,} rows of training"
    if not held.trainings:
        return Answer(held.first, "asked-rows", words, held.open or "no training was read", None)
    file, longest = max(held.trainings, key=lambda each: each[1].rows)
    if longest.rows >= least:
        return Answer(file, "asked-rows", words, f"{longest.rows:,}", True)
    if held.open:
        return Answer(file, "asked-rows", words, held.open, None)
    place = SheetPlace(longest.sheet, "", longest.cells)
    return Answer(file, "asked-rows", words, f"{longest.rows:,}", False, place)


def _charts(held: _Held, least: int) -> Answer:
    words = f"at least {least:,} chart{'s' if least > 1 else ''}"
    charts = [facts.charts for facts in held.facts]
    count = sum(number for number in charts if number is not None)
    if count >= least:
        return Answer(held.first, "asked-charts", words, f"{count:,}", True)
    unread = held.open if any(file.facts is None for file in held.files) else held.unread
    unread = unread or ("charts are not read in a file of this kind" if None in charts else "")
    if unread or any(facts.pictures for facts in held.facts):
        return Answer(held.first, "asked-charts", words, unread or "a picture may be one", None)
    return Answer(held.first, "asked-charts", words, f"{count:,}" if count else "none", False)
