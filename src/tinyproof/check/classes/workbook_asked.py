"""What was asked of a workbook, held against all workbooks of a submission together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinyproof.backprop.net import Net
from tinyproof.check.classes.asked_answers import Answer, listed
from tinyproof.check.classes.requirements import AskedWorkbook
from tinyproof.check.facts import Numbers, Training, WorkbookFacts
from tinyproof.check.finding import FileReport, SheetPlace

_KINDS = ("inputs", "weights", "biases", "targets")
_MOST_SHEETS = 6


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
        yield from _network(held, asked)
    if asked.all_rates:
        yield _rates(held, asked.all_rates)
    if asked.rows_at_least:
        yield _rows(held, asked.rows_at_least)
    if asked.charts_at_least:
        yield _charts(held, asked.charts_at_least)


# The network ------------------------------------------------------------------------------------------------------


def _network(held: _Held, asked: AskedWorkbook) -> Iterator[Answer]:
    """Met where trainings begin with what was asked, each number in its place, and no other one counts; not met where
    every training is known not to."""
    nets = asked.nets
    words = f"the network {nets[0].name}"
    apart = [(file, each, _apart(each, nets)) for file, each in held.trainings]
    whole = [(file, each) for file, each, unlike in apart if not unlike and _in_place(each, nets)]
    others = [each for _, each, unlike in apart if unlike]
    if whole:
        rest = [each for _, each in held.trainings if not any(each is fits for _, fits in whole)]
        open_ = [each for each in rest if _counts(each, [fits.rate for _, fits in whole], asked.all_rates)]
        if open_:
            why = f"not every training of it is known to begin so: {_sheets(open_)}"
            yield Answer(whole[0][0], "asked-network", words, why, None)
            return
        told = "its inputs, weights and targets" + (f"; begun otherwise: {_sheets(others)}" if others else "")
        yield Answer(whole[0][0], "asked-network", words, told, True)
        return
    if held.open or not apart or len(others) < len(apart):
        yield Answer(held.first, "asked-network", words, held.open or _untold(held, nets), None)
        return
    file, training, unlike = min(apart, key=lambda each: (not _known(each[1]), len(each[2])))
    for kind in unlike:
        yield _unlike(file, training, kind, [[*numbers.values()] for numbers in _wanted(nets, kind)])


def _counts(training: Training, rates: Sequence[float | None], asked: tuple[float, ...]) -> bool:
    """Whether it has to begin as asked: not where one of its rate does, nor where its rate is not asked, nor a single
    step for show."""
    rate = training.rate
    if rate is None:
        return training.rows > 2
    return not any(each is not None and _near(rate, each) for each in rates) and (
        not asked or any(_near(rate, each) for each in asked)
    )


def _sheets(trainings: Sequence[Training]) -> str:
    names = list(dict.fromkeys(f'sheet "{each.sheet}"' for each in trainings))
    return ", ".join(names[:_MOST_SHEETS]) + (f" and {len(names) - _MOST_SHEETS} more" * (len(names) > _MOST_SHEETS))


def _untold(held: _Held, nets: list[Net]) -> str:
    """Why nobody can say whether it is the network: its numbers stand in another order, or were not read."""
    for _, each in held.trainings:
        kinds = [kind for kind in _KINDS if _known(each) and not _right(each, kind, nets)]
        if kinds and not _apart(each, nets):
            return f'in sheet "{each.sheet}" the {" and ".join(kinds)} are these numbers in another order'
    return "which numbers are its inputs, weights and targets could not be read"


def _known(training: Training) -> bool:
    return all(getattr(training, kind) is not None for kind in _KINDS)


def _apart(training: Training, nets: list[Net]) -> list[str]:
    """The kinds of numbers that are surely not those of the network. Where not all kinds are known, its parameters may
    not all be either: then only a number that the network has nowhere counts. Their order is no proof, because who
    numbers otherwise has the same network."""
    if not _known(training):
        every = [number for kind in ("weights", "biases") for number in _wanted(nets, kind)[0].values()]
        strange = any(not any(_near(each.value, number) for number in every) for each in training.weights or ())
        return ["weights"] * strange
    found = {kind: [number.value for number in getattr(training, kind)] for kind in _KINDS}
    return [kind for kind in _KINDS if not any(_same(found[kind], some) for some in _wanted(nets, kind))]


def _in_place(training: Training, nets: list[Net]) -> bool:
    return _known(training) and all(_right(training, kind, nets) for kind in _KINDS)


def _right(training: Training, kind: str, nets: list[Net]) -> bool:
    """Whether each number is the one of its name; without a name of the network, the one of its position."""
    found: Numbers = getattr(training, kind)
    return any(
        _same([each.value for each in found], some)
        and all(_near(each.value, some.get(each.name, own)) for each, own in zip(found, some.values(), strict=True))
        for some in _wanted(nets, kind)
    )


def _wanted(nets: list[Net], kind: str) -> list[dict[str, float]]:
    """The sets of numbers of a kind that are right, by their names."""
    net = nets[0]
    if kind in ("weights", "biases"):
        return [{name: value for name, value in net.parameters.items() if name[0] == kind[0]}]
    right = []
    for some in nets if kind == "targets" else nets[:1]:
        sets = [{f"{kind[0]}{k}": value for k, value in enumerate(getattr(each, kind), 1)} for each in some.examples]
        right += sets
        if len(sets) > 1:
            right.append({f"{name}[{n}]": value for n, one in enumerate(sets, 1) for name, value in one.items()})
    return right


def _same(found: list[float], wanted: dict[str, float]) -> bool:
    """Whether they are the same numbers, in whatever order."""
    return len(found) == len(wanted) and all(map(_near, sorted(found), sorted(wanted.values())))


def _near(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)


def _unlike(file: FileReport, training: Training, kind: str, wanted: list[list[float]]) -> Answer:
    found: Numbers = getattr(training, kind)
    strange = [each for each in found if not any(_near(each.value, number) for number in wanted[0])]
    place = next(iter([*strange, *found]), None)
    where = SheetPlace(training.sheet, place.name if place else "", place.cell if place else "")
    told = listed([number.value for number in found]) if found else "none"
    right = " or ".join(dict.fromkeys(listed(numbers) for numbers in wanted if numbers))
    return Answer(file, "asked-network", f"the {kind} {right}" if right else f"no {kind}", told, False, where)


# Rates, rows, charts ----------------------------------------------------------------------------------------------


def _rates(held: _Held, rates: tuple[float, ...]) -> Answer:
    """Not met only where nothing in the workbook so much as names a rate that is missing."""
    words = f"the learning rate{'s' if len(rates) > 1 else ''} {listed(rates)}"
    found = [each.rate for _, each in held.trainings if each.rate is not None]
    found += [rate for facts in held.facts for rate in facts.losses_of]
    told = listed(sorted(set(found))) if found else "none"
    missing = [rate for rate in rates if not any(_near(rate, each) for each in found)]
    if not missing:
        return Answer(held.first, "asked-rates", words, told, True)
    named = [facts.named for facts in held.facts]
    gone = [r for r in missing if all(some is not None and not any(_near(r, n) for n in some) for some in named)]
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
