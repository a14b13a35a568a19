"""Which updates are suspects, and the rate that each should have: what most of the others agree on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.tape import Array

NEAR = 1e-6
STEEP = 1e-6


@dataclass
class Suspects:
    """`wrong`: update -> the rates that it may be expected to have (none known: any). `unread`: updates that depend on
    something not read. `ascends`: trainings that go uphill. `lost`: cells that a step reads as a parameter and that no
    update fills, although their neighbours are filled by one: cell -> the update that reads it.
    `scaled`: updates among the wrong that follow their gradient, at another rate than the rest."""

    wrong: dict[int, list[float]] = field(default_factory=dict)
    unread: list[int] = field(default_factory=list)
    ascends: list[int] = field(default_factory=list)
    lost: dict[int, int] = field(default_factory=dict)
    scaled: set[int] = field(default_factory=set)


def find_suspects(found: Study) -> Suspects:
    """The updates that do not follow what their training follows."""
    result = Suspects()
    for training in found.trainings():
        mine = np.flatnonzero(found.training == training)
        ok = mine[found.match.ok[mine]]
        _unread(found, mine, result)
        rates = found.match.rate[ok]
        known = rates[np.isfinite(rates)]
        if len(known) and (known < 0).mean() > 0.5:
            result.ascends.append(training)
        for update in mine:
            if found.match.seen[update] and not found.match.ok[update]:
                result.wrong[int(update)] = _expected(found, int(update), ok)
        _other_rates(found, ok, result)
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


def _other_rates(found: Study, ok: np.ndarray, result: Suspects) -> None:
    """Updates that follow their gradient at a rate of their own."""
    ok = ok[np.isfinite(found.match.rate[ok])]
    if len(ok) < 3:
        return
    rate = found.match.rate[ok]
    usual = {int(one): float(np.median(rate[found.lineage[ok] == one])) for one in np.unique(found.lineage[ok])}
    relative = rate / np.array([usual[int(one)] for one in found.lineage[ok]])
    for step in np.unique(found.step[ok]):
        here = found.step[ok] == step
        relative[here] /= np.median(relative[here])
    for place in np.flatnonzero(np.abs(relative - 1) > NEAR):
        update = int(ok[place])
        peers = found.lineage[ok] == found.lineage[update]
        if peers.sum() >= 3 and (np.abs(relative[peers] - 1) > NEAR).mean() < 0.5:
            result.wrong[update] = [float(found.match.rate[update] / relative[place])]
            result.scaled.add(update)
    _between(found, ok, usual, result)


def _between(found: Study, ok: np.ndarray, usual: dict[int, float], result: Suspects) -> None:
    """Parameters that share the rate cell of the others and move faster or slower than they."""
    if len(usual) < 3:
        return
    cells = {one: rate_cells(found, int(ok[found.lineage[ok] == one][0])) for one in list(usual)[:60]}
    sets: dict[frozenset[int], list[int]] = {}
    for lineage, own in cells.items():
        sets.setdefault(own, []).append(lineage)
    shared = max(sets, key=lambda own: len(sets[own]))
    values = [usual[one] for one in sets[shared]]
    common = float(np.median(values))
    agree = [one for one in sets[shared] if abs(usual[one] - common) < NEAR * abs(common)]
    if not shared or 2 * len(agree) <= len(cells):
        return
    typed = np.array(found.net.graph.typed)[sorted(shared)]
    for lineage, own in cells.items():
        forgets = not own and abs(usual[lineage] * float(np.prod(typed)) / common - 1) < NEAR
        if (own == shared or forgets) and abs(usual[lineage] / common - 1) > NEAR:
            for update in ok[found.lineage[ok] == lineage]:
                result.wrong[int(update)] = [common]
                result.scaled.add(int(update))


def rate_cells(found: Study, update: int) -> frozenset[int]:
    """The typed numbers that a change is proportional to: its learning rate, wherever it stands."""
    net, order = found.net, found.order
    cell = int(found.successor[update])
    form = int(net.form_of[cell])
    ones = np.ones((1, found.values.shape[1]))
    slope = order.adjoints(found.values, {form: {net.forms[form].tape.top: (net.row_of[[cell]], ones)}})
    cone = order.reach(net.forms[form].reads[net.row_of[cell]], upwards=True)
    leaves = np.flatnonzero(cone & (net.form_of < 0) & ~order.cut)
    if found.forward is not None:
        leaves = leaves[~found.forward[leaves]]
    change = found.change[update]
    good = np.isfinite(change) & (np.abs(change) > 0)
    if not good.any():
        return frozenset()
    with np.errstate(all="ignore"):
        share = slope[leaves][:, good] * found.values[leaves][:, good] / change[good]
    return frozenset(int(c) for c, s in zip(leaves, share, strict=True) if np.all(np.abs(s - 1) < STEEP))


def _lost(found: Study, mine: np.ndarray, result: Suspects) -> None:
    """A parameter in the middle of a training that no update fills."""
    filled = {int(s) for s in found.successor[mine]}
    for step in np.unique(found.step[mine]):
        here = mine[found.step[mine] == step]
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
