"""Optimisers with a memory: momentum, RMSprop, Adam. The change follows the gradient through cells that carry on.

A change that is no multiple of the gradient may still be a function of it: some cell on the way holds the gradient of
this very parameter, and everything else that the change reads comes from such cells, earlier ones of the same
parameter, or from numbers that are not trained.
"""

from __future__ import annotations

from dataclasses import replace

from tinyproof.backprop.tape import Array, forward
from tinyproof.backprop.tape_back import backward_steps
from tinyproof.check.workbook.graph.agree import Match, match
from tinyproof.check.workbook.graph.found_training import Atom, Source, Study
from tinyproof.check.workbook.graph.gradient_sources import WHOLE, gradient_sources
from tinyproof.check.workbook.graph.objectives import follow, options
from tinyproof.check.workbook.graph.order import order
from tinyproof.check.workbook.graph.penalised_states import shares_of, take_up, taken_up
from tinyproof.check.workbook.graph.penalties import PENALTIES, beside_unlike
from tinyproof.core.arrays import np

MOST_LINEAGES = 80
MOST_WITHOUT = 2_000  # changes looked at of which none has a gradient in it
CLEAR = 5  # samples on which a change hangs on its gradient, before they say which way it goes
UPHILL = 0.8  # share of the changes of a parameter that go where the gradient points, from which on it climbs


SAMPLED = 6  # updates looked at to find out which objective a training with states follows


def follow_states(found: Study) -> None:
    """Accept the updates whose change follows their gradient through states; marks them as matched.

    For a training that few changes follow directly, the objective is the one whose gradient most changes are made of.
    """
    for training in found.trainings():
        mine = np.flatnonzero(found.training == training)
        direct = int(found.match.ok[mine].sum())
        if direct == len(mine) or not carries(found, mine):
            continue
        before = found.kinds[training], found.chosen[training]
        if 2 * direct <= len(mine):
            _choose_by_state(found, training, mine)
        _accept(found, mine)
        _with_penalties(found, mine)
        if int(found.match.ok[mine].sum()) <= direct and before != (found.kinds[training], found.chosen[training]):
            if before[1]:
                follow(found, training, *before)


def _with_penalties(found: Study, mine: np.ndarray) -> None:
    """The same for parameters that have weight decay; where no more changes follow with it, all is as before."""
    shares = shares_of(found, mine)
    if not shares:
        return
    match_before = Match(found.match.ok.copy(), found.match.seen.copy(), found.match.rate.copy())
    before = replace(found, gradient=found.gradient.copy(), taken=found.taken.copy(), match=match_before)
    before = replace(before, states=dict(found.states), sources=dict(found.sources), climbs=set(found.climbs))
    take_up(found, shares)
    _accept(found, mine)
    if int(found.match.ok[mine].sum()) <= int(before.match.ok[mine].sum()):
        found.gradient, found.taken, found.match = before.gradient, before.taken, before.match
        found.decayed, found.climbs = before.decayed, before.climbs
        found.states, found.sources = before.states, before.sources
    elif beside_unlike(found, set(shares), mine[found.match.ok[mine]]):
        found.disputed.setdefault(int(found.training[mine[0]]), PENALTIES)


def carries(found: Study, mine: np.ndarray) -> bool:
    """Whether something besides the parameters goes from step to step: such steps hang together."""
    pairs = {(int(found.step[update]), int(found.lineage[update])) for update in mine}
    return len(pairs) < len(mine)


def _choose_by_state(found: Study, training: int, mine: np.ndarray) -> None:
    some = mine[:: max(1, len(mine) // SAMPLED)][:SAMPLED]
    best: tuple[int, str, list[Atom]] = (0, found.kinds[training], found.chosen[training])
    for kind, atoms in options(found, training):
        if kind == "shown" and 2 * best[0] >= len(some):
            break  # what a sheet computes on the way back is made of gradients too, wrong ones included
        follow(found, training, kind, atoms)
        held = sum(_is_made_of(found, int(update)) for update in some)
        if held > best[0]:
            best = held, kind, atoms
        if held == len(some):
            break
    if best[2]:
        follow(found, training, best[1], best[2])


def _is_made_of(found: Study, update: int) -> bool:
    """Whether a change has its gradient in it, or what weight decay makes of it."""
    return bool(gradient_sources(found, update, found.gradient[update]) or taken_up(found, update))


def _accept(found: Study, mine: np.ndarray) -> None:
    held: dict[int, list[Source]] = {}
    plain = match(found.change[mine], found.gradient[mine]).ok  # a multiple of the gradient needs no state
    for tried, update in enumerate(mine[found.match.seen[mine] & ~found.match.ok[mine] & ~plain]):
        if tried >= MOST_WITHOUT and not held:
            break
        sources = gradient_sources(found, int(update), found.gradient[update])
        if sources:
            held[int(update)] = sources
    if not held:
        return
    for update in mine[found.match.ok[mine]]:
        sources = gradient_sources(found, int(update), found.gradient[update])  # the first step: its state is a number
        if sources:
            held[int(update)] = sources
    found.sources.update(held)
    pure = _pure(found, held)
    sign = _descends(found, held, pure)
    if _all_climb(found, mine, sign):
        found.climbs.add(int(found.training[mine[0]]))
        sign = {}
    for update in pure:
        if sign.get(update, True) and not found.match.ok[update]:
            found.match.ok[update] = True
            found.match.rate[update] = np.nan
            found.states[update] = held[update][0][0]


def _pure(found: Study, held: dict[int, list[Source]]) -> list[int]:
    """Updates that read the parameters through gradients of their own parameter only."""
    net = found.net
    ends = {int(found.successor[update]) for update in held}
    cells = np.unique([cell for sources in held.values() for cell, _, _ in sources if cell not in ends]).astype(int)
    cut = found.order.cut.copy()
    cut[cells] = True
    shorter = order(net, cut)
    trained = found.order.cut.copy()
    trained[cells] = False
    tainted = shorter.reach(np.flatnonzero(trained))
    lineage_of = {update: int(found.lineage[update]) for update in held}
    reached: dict[int, np.ndarray] = {}
    for lineage in list(dict.fromkeys(lineage_of.values()))[:MOST_LINEAGES]:
        own = [cell for update in held if lineage_of[update] == lineage for cell, _, _ in held[update]]
        own = [cell for cell in own if cell not in ends]
        reached[lineage] = shorter.reach(own)
    good = []
    for update, sources in held.items():
        bare = int(found.parameter[update])
        end = int(found.successor[update])
        within = [besides for cell, _, besides in sources if cell == end]
        reads = [c for c in (within[0] if within else found.net.reads(end)) if c != bare]
        rest = [c for cell, _, besides in sources for c in besides if cell != end]
        others = [mask for lineage, mask in reached.items() if lineage != lineage_of[update]]
        own_mask = reached.get(lineage_of[update])
        inside = bool(within) and not found.match.ok[update]  # the gradient itself, with decay beside it
        if own_mask is None or not (inside or own_mask[reads].any()):
            continue
        if tainted[[*reads, *rest]].any() or any(mask[[*reads, *rest]].any() for mask in others):
            continue
        good.append(update)
    return good


def _descends(found: Study, held: dict[int, list[Source]], updates: list[int]) -> dict[int, bool]:
    """Whether each goes down: the change falls where the gradient grows."""
    net = found.net
    seeds: dict[int, dict[int, tuple[np.ndarray, Array]]] = {}
    cells = found.successor[updates] if updates else np.zeros(0, dtype=int)
    for form in np.unique(net.form_of[cells]):
        rows = np.unique(net.row_of[cells[net.form_of[cells] == form]])
        seeds[int(form)] = {net.forms[form].tape.top: (rows, np.ones((len(rows), found.values.shape[1])))}
    slope = found.order.adjoints(found.values, seeds)
    answer = {}
    for update in updates:
        value, through = _moved_by(found, slope, held[update][0])
        with np.errstate(all="ignore"):
            ratio = value / found.gradient[update]
            share = through * value / found.change[update]
            uphill = through * ratio > 0
        clear = np.isfinite(share) & (np.abs(share) > 1e-3)
        enough = clear.sum() >= min(CLEAR, len(clear) // 2 + 1)  # a gate may be closed on most samples
        answer[update] = not (enough and uphill[clear].mean() > UPHILL)
    for lineage in {int(found.lineage[update]) for update in answer}:  # later steps blur what one step shows
        own = [update for update in answer if found.lineage[update] == lineage]
        down = 2 * sum(answer[update] for update in own) >= len(own)
        answer.update(dict.fromkeys(own, down and not _climbs(found, own)))
    return answer


def _moved_by(found: Study, slope: Array, source: Source) -> tuple[Array, Array]:
    """What a source is worth, a cell or a step of its formula, and by how much the changes move when it does. `slope`:
    the same of every cell."""
    cell, step, _ = source
    if step == WHOLE:
        return found.values[cell], slope[cell]
    net = found.net
    form = net.forms[net.form_of[cell]]
    inputs = found.values[form.reads[net.row_of[cell]]][:, None, :]
    steps = forward(form.tape, inputs)
    own = 1.0 if found.order.cut[cell] else slope[cell][None]
    top = np.broadcast_to(own, inputs.shape[1:])
    back = backward_steps(form.tape, steps, {form.tape.top: top}, inputs)[1][step]
    return np.broadcast_to(steps[step], top.shape)[0], np.nan_to_num(
        np.broadcast_to(0.0 if back is None else back, top.shape)[0]
    )


def _all_climb(found: Study, mine: np.ndarray, sign: dict[int, bool]) -> bool:
    """Whether every change of a training goes up, those that need no state included, of which there are some: then the
    sign is wrong once, for all of them."""
    rates = found.match.rate[mine[found.match.ok[mine]]]
    rates = rates[np.isfinite(rates)]
    if not sign or any(sign.values()) or not len(rates) or (rates > 0).any():
        return False
    updates = list(sign)
    with np.errstate(all="ignore"):
        along = found.change[updates] * found.gradient[updates]
    along = along[np.isfinite(along) & (along != 0)]
    return found.kinds[int(found.training[mine[0]])] != "shown" and len(along) > 0 and bool((along > 0).mean() > 0.5)


def _climbs(found: Study, updates: list[int]) -> bool:
    """Whether nearly every change goes where the gradient points: a memory that is right carries one only on and over
    a minimum, and a root that divides it turns no sign."""
    if found.kinds[int(found.training[updates[0]])] == "shown":
        return False  # a value that the sheet shows may be one that should grow
    with np.errstate(all="ignore"):
        along = found.change[updates] * found.gradient[updates]
    along = along[np.isfinite(along) & (along != 0)]
    return len(along) > 0 and (along > 0).mean() > UPHILL
