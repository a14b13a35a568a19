"""Which updates are suspects, and the rate that each should have: what most of the others agree on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tinyproof.check.workbook.graph.found_training import Study, grouped
from tinyproof.check.workbook.graph.rate_sources import NEAR, TYPED, Rates, find_rates
from tinyproof.check.workbook.graph.tape import Array
from tinyproof.check.workbook.graph.transfer import other_rules


@dataclass
class Suspects:
    """`wrong`: update -> the rates that it may be expected to have (none known: any). `unread`: updates that depend on
    something not read. `ascends`: trainings that go uphill. `lost`: cells that a step reads as a parameter and that no
    update fills, although their neighbours are filled by one: cell -> the update that reads it.
    `scaled`: updates among the wrong that follow their gradient, at another rate than the rest. `uneven`: updates whose
    rate is another one than that of others, where no majority says which is meant."""

    wrong: dict[int, list[float]] = field(default_factory=dict)
    unread: list[int] = field(default_factory=list)
    ascends: list[int] = field(default_factory=list)
    lost: dict[int, int] = field(default_factory=dict)
    scaled: set[int] = field(default_factory=set)
    uneven: list[int] = field(default_factory=list)


def find_suspects(found: Study) -> Suspects:
    """The updates that do not follow what their training follows."""
    result = Suspects()
    rates = find_rates(found)
    for training in found.trainings():
        mine = np.flatnonzero(found.training == training)
        ok = mine[found.match.ok[mine]]
        _unread(found, mine, result)
        known = found.match.rate[ok][np.isfinite(found.match.rate[ok])]
        if len(known) and (known < 0).all():
            result.ascends.append(training)
        for update in mine:
            if found.match.seen[update] and not found.match.ok[update]:
                result.wrong[int(update)] = _expected(found, int(update), ok)
        _other_rates(found, ok, rates, result)
        odd, split = other_rules(found, mine)
        result.wrong.update({update: [] for update in odd})
        if split:
            result.uneven.append(int(mine[0]))
        _lost(found, mine, result)
    return result


def _unread(found: Study, mine: np.ndarray, result: Suspects) -> None:
    finite = np.isfinite(found.change[mine]) & np.isfinite(found.gradient[mine])
    result.unread += [int(u) for u in mine[finite.sum(axis=1) < max(3, found.change.shape[1] // 2)]]


def _expected(found: Study, update: int, ok: np.ndarray) -> list[float]:
    """The rates of the same parameter in other steps, else of the others in this step, else in this training."""
    for same in (found.lineage, found.step, found.training):
        some = ok[same[ok] == same[update]]
        rates = found.match.rate[some]
        rates = rates[np.isfinite(rates)]
        if len(rates):
            values, counts = np.unique(np.round(rates, 12), return_counts=True)
            return [float(v) for v in values[np.argsort(-counts)][:3]]
    return []


def _other_rates(found: Study, ok: np.ndarray, rates: Rates, result: Suspects) -> None:
    """Updates that follow their gradient, but uphill, further than the rest, or at a rate from another cell."""
    known = ok[np.isfinite(rates.share[ok])]
    downhill = known[rates.share[known] > 0]
    if len(known) < 2 or not len(downhill):
        return
    usual = _most(rates.share[downhill])
    beside = rates.cell[downhill] != TYPED
    from_cells = 2 * int(beside.sum()) >= len(downhill)
    for update in known:
        share, typed = float(rates.share[update]), rates.cell[update] == TYPED
        if share < 0:
            result.wrong[int(update)] = [abs(float(found.match.rate[update]))]
        elif abs(share / usual - 1) > NEAR or (typed and from_cells):
            _further(found, int(update), downhill, rates, usual, result)
        elif not typed:
            _from_elsewhere(found, int(update), downhill, rates, result)
        if int(update) in result.wrong:
            result.scaled.add(int(update))


def _further(found: Study, update: int, known: np.ndarray, rates: Rates, usual: float, result: Suspects) -> None:
    """An update whose rate is not the usual one: a mistake where most agree on another, and none was chosen for it."""
    rate, typed = found.match.rate, rates.cell[update] == TYPED
    step = known[found.step[known] == found.step[update]]
    same = np.abs(rate[step] / rate[update] - 1) < NEAR
    if typed and 2 * int(same.sum()) > len(step):
        return  # the step has a rate of its own, written in its formulas
    agree = known[np.abs(rates.share[known] / usual - 1) < NEAR]
    agree = agree[(rates.cell[agree] != TYPED) | (not typed) | (abs(usual / rates.share[update] - 1) > NEAR)]
    near = agree[np.argsort(found.step[agree] != found.step[update], kind="stable")]
    expected = [float(r) for r in rate[near] if abs(r / rate[update] - 1) > NEAR]
    if not expected:
        return
    if 2 * len(agree) <= len(known):
        result.uneven.append(update)
        return
    chosen = typed and not _plain(float(rate[update]) / expected[0]) and not _plain(float(rate[update]))
    if not chosen:
        result.wrong[update] = expected[:1]


def _plain(ratio: float) -> bool:
    """A whole number, or one over it: what a lost 2, a lost mean or a lost rate leaves."""
    size = abs(ratio)
    size = size if size >= 1 else 1 / size
    return size < 1000 and abs(size - round(size)) < NEAR


def _from_elsewhere(found: Study, update: int, known: np.ndarray, rates: Rates, result: Suspects) -> None:
    """An update that takes its rate from another cell than the others of its step, and from another one every step."""
    step = known[(found.step[known] == found.step[update]) & (known != update)]
    others = rates.cell[step]
    if not len(others) or rates.cell[update] in others:
        return
    own = np.unique(rates.cell[known[found.lineage[known] == found.lineage[update]]])
    usual, count = np.unique(others, return_counts=True)
    if len(own) >= 2 and 2 * int(count.max()) > len(others):
        like = step[others == usual[np.argmax(count)]]
        result.wrong[update] = [float(found.match.rate[like[0]])]


def _most(values: np.ndarray) -> float:
    """The most frequent of the values, among equals the first."""
    digits = np.round(values, 8 - int(np.floor(np.log10(np.median(values)))))
    _, first, count = np.unique(digits, return_index=True, return_counts=True)
    return float(values[first[count == count.max()].min()])


def _lost(found: Study, mine: np.ndarray, result: Suspects) -> None:
    """A parameter in the middle of a training that no update fills."""
    filled = {int(s) for s in found.successor[mine]}
    for _, own in grouped(found.step[mine]):
        here = mine[own]
        if len(np.unique(found.lineage[here])) < len(here):
            continue  # states join the steps: each parameter begins somewhere in here
        parameters = found.parameter[here]
        inside = np.array([int(p) in filled for p in parameters])
        if inside.sum() >= 2 * (~inside).sum() > 0:
            for update in here[~inside]:
                result.lost[int(found.parameter[update])] = int(update)


def usual_change(found: Study, update: int, rate: float) -> Array:
    """What an update should change by."""
    return np.asarray(-rate * found.gradient[update])
