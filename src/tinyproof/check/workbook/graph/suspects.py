"""Which updates are suspects, and the rate that each should have: what most of the others agree on."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinyproof.backprop.expr import Call, Num, walk
from tinyproof.backprop.tape import Array
from tinyproof.check.workbook.graph.beside_training import moved_by_numbers, moved_for_nothing, not_taken, starts_anew
from tinyproof.check.workbook.graph.carried import usual_shift
from tinyproof.check.workbook.graph.found_training import Study, grouped
from tinyproof.check.workbook.graph.held_at_first import held_at_first, rate_in_its_step
from tinyproof.check.workbook.graph.moved_inputs import climbing_inputs
from tinyproof.check.workbook.graph.not_moved import (
    broken_off,
    joins_in,
    most_start_anew,
    not_carried,
    started_late,
    typed_in,
)
from tinyproof.check.workbook.graph.rate_sources import NEAR, TYPED, Rates, find_rates, numbers_read
from tinyproof.check.workbook.graph.rests import resting
from tinyproof.check.workbook.graph.transfer import other_rules
from tinyproof.core.arrays import np

MOST_ASKED = 40  # other updates whose formulas are looked at for a rate
APART = 1e-4  # two rates, of which one was fitted


@dataclass
class Suspects:
    """`wrong`: update -> the rates that it may be expected to have (none known: any). `unread`: updates that depend on
    something not read. `ascends`: trainings that go uphill. `lost`: cells that a step reads as a parameter and that no
    update fills, although their neighbours are filled by one: cell -> the update that reads it.
    `scaled`: updates among the wrong that follow their gradient, at another rate than the rest. `uneven`: updates whose
    rate is another one than that of others, where no majority says which is meant. `rests`: updates that follow their
    gradient where they move, and rest while an error is small. `loose`: updates from whose
    parameter nobody goes on, although others of their step are gone on from. `typed`: numbers where updates stand."""

    wrong: dict[int, list[float]] = field(default_factory=dict)
    unread: list[int] = field(default_factory=list)
    ascends: list[int] = field(default_factory=list)
    lost: dict[int, int] = field(default_factory=dict)
    scaled: set[int] = field(default_factory=set)
    uneven: list[int] = field(default_factory=list)
    rests: list[int] = field(default_factory=list)
    loose: list[int] = field(default_factory=list)
    typed: list[int] = field(default_factory=list)
    beside: dict[str, list[int]] = field(default_factory=dict)  # what goes on beside a training, by what it may be


def find_suspects(found: Study) -> Suspects:
    """The updates that do not follow what their training follows."""
    result = Suspects()
    rates, result.typed = find_rates(found), typed_in(found)
    result.beside = {
        "moved": moved_by_numbers(found), "idle": moved_for_nothing(found), "anew": starts_anew(found),
        "untaken": not_taken(found), "most": most_start_anew(found),
        "held": [],
    }  # fmt: skip
    for training in found.trainings():
        mine = np.flatnonzero(found.training == training)
        ok = mine[found.match.ok[mine]]
        _unread(found, mine, result)
        known = found.match.rate[ok][np.isfinite(found.match.rate[ok])]
        if training in found.climbs or (2 * len(known) > len(mine) and (known < 0).all()):
            result.ascends.append(training)
        astray = [int(u) for u in mine[found.match.seen[mine] & ~found.match.ok[mine]]]
        rests, held = resting(found, astray), held_at_first(found, astray)
        result.rests += rests
        result.beside["held"] += [int(found.parameter[update]) for update in held]
        for update in astray:
            if update not in (*rests, *held):
                result.wrong[update] = _expected(found, update, ok)
        _other_rates(found, ok, rates, result)
        _beside_decay(found, ok, rates, result)
        odd, split = other_rules(found, mine)
        result.wrong.update({update: [] for update in odd})
        if split:
            result.uneven.append(int(mine[0]))
        _lost(found, mine, result)
        result.lost.update(broken_off(found, mine))
        result.lost.update(started_late(found, mine))
        result.loose += not_carried(found, mine)
    _without_inputs(found, result)
    for cell in result.beside["most"]:
        result.lost.pop(cell, None)
    return result


def _without_inputs(found: Study, result: Suspects) -> None:
    """Inputs that climb are no suspects: that may be meant."""
    inputs = climbing_inputs(found)
    some = {int(found.lineage[update]) for update in inputs}
    also = [update for update in result.wrong if int(found.lineage[update]) in some and update not in inputs]
    inputs |= {update for update in also if rate_in_its_step(found, update) < 0}
    result.beside["inputs"] = [int(found.successor[update]) for update in sorted(inputs)]
    result.scaled -= inputs
    result.wrong = {update: rates for update, rates in result.wrong.items() if update not in inputs}
    ups = {int(found.training[update]) for update in inputs}
    result.ascends = [training for training in result.ascends if training not in ups]


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
    peers = _Peers(found, downhill, rates)
    for update in known:
        share, typed = float(rates.share[update]), rates.cell[update] == TYPED
        if share < 0:
            result.wrong[int(update)] = [abs(float(found.match.rate[update]))]
        elif abs(share / peers.usual - 1) > NEAR or (typed and peers.cells):
            _further(found, int(update), peers, result)
        elif not typed:
            _from_elsewhere(found, int(update), peers, result)
        if int(update) in result.wrong:
            result.scaled.add(int(update))


def _without_rate(found: Study, update: int, others: np.ndarray, numbers: np.ndarray) -> bool:
    """Whether an update takes off its whole gradient where all others go at one rate that is another, or lacks one of
    the `numbers` that these read or have in their formulas (a rate)."""
    if not len(others) or (np.abs(others / others[0] - 1) >= APART).any() or abs(float(others[0]) - 1) <= APART:
        return False
    rate = float(found.match.rate[update])
    share = float(others[0]) / rate
    return abs(abs(rate) - 1) < NEAR or bool((np.abs(numbers / share - 1) < NEAR).any())


def _typed_in(found: Study, updates: np.ndarray) -> np.ndarray:
    """The numbers that stand in the formulas of some updates."""
    meaning = found.net.graph.meaning
    exprs = (meaning[int(found.successor[u])].expr for u in updates.tolist())
    return np.array([node.value for expr in exprs for node in walk(expr) if isinstance(node, Num)])


def _beside_decay(found: Study, ok: np.ndarray, rates: Rates, result: Suspects) -> None:
    """Updates that go at another rate than all those of their step that have weight decay besides."""
    rate, decayed = found.match.rate, np.array(found.decayed, dtype=int)
    numbers = found.values[numbers_read(found), 0] if len(decayed) else decayed
    for update in ok[np.isfinite(rate[ok]) & ~np.isin(ok, decayed)].tolist() if len(decayed) else []:
        here = decayed[found.step[decayed] == found.step[update]]
        if not len(here) or not (np.abs(rate[here] / rate[update] - 1) > APART).all():
            continue
        if rates.cell[update] == TYPED and _without_rate(found, update, rate[here], numbers):
            result.wrong[update] = [float(rate[here[0]])]
            result.scaled.add(update)
        else:
            result.uneven.append(update)


class _Peers:
    """The updates of a training whose rate is known, by step and by parameter, and the usual rate."""

    def __init__(self, found: Study, known: np.ndarray, rates: Rates) -> None:
        self.known, self.rates = known, rates
        self.usual = _most(rates.share[known])
        self.cells = bool((rates.cell[known] != TYPED).any())
        self.by_step = {step: known[own] for step, own in grouped(found.step[known])}
        self.by_lineage = {lineage: known[own] for lineage, own in grouped(found.lineage[known])}
        self.agree = known[np.abs(rates.share[known] / self.usual - 1) < NEAR]

        self.rated = known[rates.cell[known] != TYPED]

    def lost(self, found: Study, update: int) -> bool:
        """Whether an update lacks only the rate of those that take theirs from a cell, not few and all alike."""
        share = self.rates.share[self.rated]
        if 4 * len(share) < len(self.known) or not len(share):
            return False
        alike = np.abs(share / share[0] - 1) < NEAR
        return bool(alike.all() and abs(found.match.rate[update] / share[0] - 1) < NEAR)

    def bare(self, found: Study, update: int) -> bool:
        """Whether an update takes off its whole gradient, without any rate, and all that are not of its parameter go at
        one rate that is another."""
        others = self.known[found.lineage[self.known] != found.lineage[update]]
        numbers = _typed_in(found, others[:MOST_ASKED])
        return _without_rate(found, update, found.match.rate[others], numbers)

    def step(self, found: Study, update: int) -> np.ndarray:
        """Those of its step."""
        return np.asarray(self.by_step.get(int(found.step[update]), self.known[:0]))


def _further(found: Study, update: int, peers: _Peers, result: Suspects) -> None:
    """An update whose rate is not the usual one: a mistake where most agree on another, and none was chosen for it."""
    rates, rate = peers.rates, found.match.rate
    typed = rates.cell[update] == TYPED
    step = peers.step(found, update)
    if typed and peers.lost(found, update):
        result.wrong[update] = [float(rate[peers.rated[0]])]
        return
    if _scheduled(found, update, peers):
        return
    same = np.abs(rate[step] / rate[update] - 1) < NEAR
    if typed and 2 * int(same.sum()) > len(step) > 1:
        return  # the step has a rate of its own, written in its formulas
    agree = peers.agree
    if typed and abs(peers.usual / rates.share[update] - 1) <= NEAR:
        agree = agree[rates.cell[agree] != TYPED]
    others = agree[np.abs(rate[agree] / rate[update] - 1) > NEAR]
    here = others[found.step[others] == found.step[update]]
    if not len(others):
        return
    first = int(here[0] if len(here) else others[0])
    if 2 * len(agree) <= len(peers.known):
        if typed and peers.bare(found, update):
            result.wrong[update] = [float(rate[first])]
        else:
            result.uneven.append(update)
        return
    chosen = typed and not _plain(float(rate[update]) / float(rate[first])) and not _plain(float(rate[update]))
    if not chosen:
        result.wrong[update] = [float(rate[first])]


def _scheduled(found: Study, update: int, peers: _Peers) -> bool:
    """Whether one formula, which hangs on the place that it stands in or has an IF, gives its parameter another rate in
    some steps: it was filled down, so the rate is meant to change."""
    meaning = found.net.graph.meaning
    own = meaning.get(int(found.successor[update]))
    if peers.cells and peers.rates.cell[update] == TYPED:
        return False  # the rate's cell went missing in a branch
    if own is None or not (own.own or any(isinstance(n, Call) and n.function == "if" for n in walk(own.expr))):
        return False
    others = [meaning.get(int(found.successor[u])) for u in peers.by_lineage.get(int(found.lineage[update]), [])]
    return len(others) > 1 and all(other is not None and other.key == own.key for other in others)


def _plain(ratio: float) -> bool:
    """A whole number, or one over it: what a lost 2, a lost mean or a lost rate leaves."""
    size = abs(ratio)
    size = size if size >= 1 else 1 / size
    return size < 1000 and abs(size - round(size)) < NEAR


def _from_elsewhere(found: Study, update: int, peers: _Peers, result: Suspects) -> None:
    """An update that takes its rate from another cell than the others of its step, and from another one every step."""
    cell, step = peers.rates.cell, peers.step(found, update)
    others = cell[step[step != update]]
    if not len(others) or cell[update] in others:
        return
    own = np.unique(cell[peers.by_lineage.get(int(found.lineage[update]), peers.known[:0])])
    usual, count = np.unique(others, return_counts=True)
    if len(own) >= 2 and 2 * int(count.max()) > len(others):
        like = step[(step != update) & (cell[step] == usual[np.argmax(count)])]
        result.wrong[update] = [float(found.match.rate[like[0]])]


def _most(values: np.ndarray) -> float:
    """The most frequent of the values, among equals the first."""
    digits = np.round(values, 8 - int(np.floor(np.log10(np.median(values)))))
    _, first, count = np.unique(digits, return_index=True, return_counts=True)
    return float(values[first[count == count.max()].min()])


def _lost(found: Study, mine: np.ndarray, result: Suspects) -> None:
    """A parameter in the middle of a training that no update fills, and that was there before."""
    filled = {int(s) for s in found.successor[mine]}
    shift = usual_shift(found.net, found.updates, made=True)
    for _, own in grouped(found.step[mine]):
        here = mine[own]
        if len(np.unique(found.lineage[here])) < len(here):
            continue  # states join the steps: each parameter begins somewhere in here
        parameters = found.parameter[here]
        inside = np.array([int(p) in filled for p in parameters])
        if inside.sum() >= 2 * (~inside).sum() > 0:
            for update in here[~inside]:
                if not joins_in(found, int(found.parameter[update]), shift):
                    result.lost[int(found.parameter[update])] = int(update)


def usual_change(found: Study, update: int, rate: float) -> Array:
    """What an update should change by."""
    return np.asarray(-rate * found.gradient[update])
