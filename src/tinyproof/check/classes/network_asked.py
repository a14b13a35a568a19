"""Whether the trainings of a submission begin with the network that was asked: each number in its place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tinyproof.backprop.net import Example, Net
from tinyproof.check.classes.asked_answers import Answer, listed
from tinyproof.check.classes.requirements import AskedWorkbook
from tinyproof.check.facts import Numbers, Training
from tinyproof.check.finding import FileReport, SheetPlace

Wanted = dict[str, float]  # numbers by their names


class Case(NamedTuple):
    """What a training may begin with: inputs and targets, and which of the network's examples these are."""

    examples: frozenset[int]
    inputs: Wanted
    targets: Wanted


_KINDS = ("inputs", "weights", "biases", "targets")
_MOST_SHEETS = 6


def network_answers(
    first: FileReport, trainings: Sequence[tuple[FileReport, Training]], open_: str, asked: AskedWorkbook
) -> Iterator[Answer]:
    """Met where trainings begin with what was asked, each number in its place, every example is among them, and no
    other training counts; not met where every training is known not to. `open_`: why there may be more trainings than
    these, "" where that is all."""
    nets = asked.nets
    words = f"the network {nets[0].name}"
    apart = [(file, each, _apart(each, nets)) for file, each in trainings]
    whole = [(file, each) for file, each, unlike in apart if not unlike and _in_place(each, nets)]
    others = [each for _, each, unlike in apart if unlike]
    if whole:
        rest = [each for _, each in trainings if not any(each is fits for _, fits in whole)]
        unknown = [each for each in rest if _counts(each, [fits.rate for _, fits in whole], asked.all_rates)]
        why = f"not every training of it is known to begin so: {_sheets(unknown)}" if unknown else ""
        if why or (why := _untrained([each for _, each in whole], nets)):
            yield Answer(whole[0][0], "asked-network", words, why, None)
            return
        told = "its inputs, weights and targets" + (f"; begun otherwise: {_sheets(others)}" if others else "")
        yield Answer(whole[0][0], "asked-network", words, told, True)
        return
    if open_ or not apart or len(others) < len(apart):
        yield Answer(first, "asked-network", words, open_ or _untold(trainings, nets), None)
        return
    file, training, unlike = min(apart, key=lambda each: (not _known(each[1]), len(each[2])))
    for kind in unlike:
        yield _unlike(file, training, kind, nets)


def near(a: float, b: float) -> bool:
    """Whether two numbers are the same but for what rounding changes."""
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)


def _counts(training: Training, rates: Sequence[float | None], asked: tuple[float, ...]) -> bool:
    """Whether it has to begin as asked: not where one of its rate does, nor where its rate is not asked, nor a single
    step for show."""
    rate = training.rate
    if rate is None:
        return training.rows > 2
    return not any(each is not None and near(rate, each) for each in rates) and (
        not asked or any(near(rate, each) for each in asked)
    )


def _sheets(trainings: Sequence[Training]) -> str:
    names = list(dict.fromkeys(f'sheet "{each.sheet}"' for each in trainings))
    return ", ".join(names[:_MOST_SHEETS]) + (f" and {len(names) - _MOST_SHEETS} more" * (len(names) > _MOST_SHEETS))


def _untold(trainings: Sequence[tuple[FileReport, Training]], nets: list[Net]) -> str:
    """Why nobody can say whether it is the network: its numbers stand in another order, or were not read."""
    for _, each in trainings:
        kinds = [kind for kind in _KINDS if _known(each) and not _right(each, kind, nets)]
        if kinds and not _apart(each, nets):
            return f'in sheet "{each.sheet}" the {" and ".join(kinds)} are these numbers in another order'
        if _known(each) and not _apart(each, nets) and not _in_place(each, nets):
            return f'in sheet "{each.sheet}" the inputs and targets of the examples stand in another order'
    return "which numbers are its inputs, weights and targets could not be read"


def _known(training: Training) -> bool:
    return all(getattr(training, kind) is not None for kind in _KINDS)


def _apart(training: Training, nets: list[Net]) -> list[str]:
    """The kinds of numbers that are surely not those of the network. Where not all kinds are known, its parameters may
    not all be either: then only a number that the network has nowhere counts. Their order is no proof, because who
    numbers otherwise has the same network; that targets are those of another example is one."""
    if not _known(training):
        every = [number for kind in ("weights", "biases") for number in _wanted(nets, kind)[0].values()]
        strange = any(not any(near(each.value, number) for number in every) for each in training.weights or ())
        return ["weights"] * strange
    unlike = [kind for kind in _KINDS if not any(_same(_values(training, kind), some) for some in _wanted(nets, kind))]
    if not unlike and not any(_same(_values(training, "targets"), some) for some in _targets_beside(training, nets)):
        return ["targets"]
    return unlike


def _in_place(training: Training, nets: list[Net]) -> bool:
    parameters = all(_right(training, kind, nets) for kind in ("weights", "biases"))
    return parameters and bool(_trained(training, nets))


def _trained(training: Training, nets: list[Net]) -> frozenset[int]:
    """The examples that a training takes, by their numbers; none where it begins with another."""
    rows = [(training.inputs or (), training.targets or ()), *training.later]
    fit = [[c.examples for c in _cases(nets) if _is(one, c.inputs) and _is(other, c.targets)] for one, other in rows]
    return frozenset[int]().union(*(examples for each in fit for examples in each)) if fit[0] else frozenset()


def _untrained(whole: Sequence[Training], nets: list[Net]) -> str:
    """Which examples of the network no training is known to take, in a sentence; "" where there is none."""
    trained = frozenset[int]().union(*(_trained(each, nets) for each in whole))
    rest = [number for number in range(1, len(nets[0].examples) + 1) if number not in trained]
    many = f"s {listed([float(number) for number in rest])}" if len(rest) > 1 else "".join(f" {n}" for n in rest)
    return f"no training is known to take example{many} of {len(nets[0].examples)}" if rest else ""


def _right(training: Training, kind: str, nets: list[Net]) -> bool:
    """Whether each number of a kind is the one of its name."""
    found: Numbers = getattr(training, kind) or ()
    return any(_is(found, some) for some in _wanted(nets, kind))


def _is(found: Numbers, wanted: Wanted) -> bool:
    """Whether each number is the one of its name; without a name of the network, the one of its position."""
    return _same([each.value for each in found], wanted) and all(
        near(each.value, wanted.get(each.name, own)) for each, own in zip(found, wanted.values(), strict=True)
    )


def _wanted(nets: list[Net], kind: str) -> list[Wanted]:
    """The sets of numbers of a kind that are right, by their names."""
    if kind in ("weights", "biases"):
        return [{name: value for name, value in nets[0].parameters.items() if name[0] == kind[0]}]
    return [case.inputs if kind == "inputs" else case.targets for case in _cases(nets)]


def _cases(nets: list[Net]) -> list[Case]:
    """Inputs with the targets that belong to them: of one example, and where there are several of all in turn. Another
    network's targets belong to the example of the same number, where it has as many."""
    own, right = nets[0].examples, list[Case]()
    for some in nets:
        alike = len(some.examples) == len(own)
        found = [
            Case(frozenset({n}), _numbered(a, "inputs"), _numbered(b, "targets"))
            for n, a in enumerate(own, 1)
            for b in ([some.examples[n - 1]] if alike else some.examples)
        ]
        right += found
        if alike and len(own) > 1:
            every = frozenset(range(1, len(own) + 1))
            right.append(Case(every, _in_turn([c.inputs for c in found]), _in_turn([c.targets for c in found])))
    return right


def _numbered(example: Example, kind: str) -> Wanted:
    return {f"{kind[0]}{k}": value for k, value in enumerate(getattr(example, kind), 1)}


def _in_turn(sets: list[Wanted]) -> Wanted:
    return {f"{name}[{n}]": value for n, one in enumerate(sets, 1) for name, value in one.items()}


def _targets_beside(training: Training, nets: list[Net]) -> list[Wanted]:
    """The targets that belong to the inputs of a training, in whatever order these stand."""
    found = _values(training, "inputs")
    return [case.targets for case in _cases(nets) if _same(found, case.inputs)]


def _values(training: Training, kind: str) -> list[float]:
    return [number.value for number in getattr(training, kind)]


def _same(found: list[float], wanted: Wanted) -> bool:
    """Whether they are the same numbers, in whatever order."""
    return len(found) == len(wanted) and all(map(near, sorted(found), sorted(wanted.values())))


def _unlike(file: FileReport, training: Training, kind: str, nets: list[Net]) -> Answer:
    found: Numbers = getattr(training, kind)
    beside = _targets_beside(training, nets) if kind == "targets" and training.inputs is not None else []
    wanted = [[*numbers.values()] for numbers in beside or _wanted(nets, kind)]
    strange = [each for each in found if not any(near(each.value, number) for number in wanted[0])]
    place = next(iter([*strange, *found]), None)
    where = SheetPlace(training.sheet, place.name if place else "", place.cell if place else "")
    told = listed([number.value for number in found]) if found else "none"
    right = " or ".join(dict.fromkeys(listed(numbers) for numbers in wanted if numbers))
    return Answer(file, "asked-network", f"the {kind} {right}" if right else f"no {kind}", told, False, where)
