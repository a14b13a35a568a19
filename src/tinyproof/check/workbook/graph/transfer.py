"""Optimisers with a memory compared with each other: the same gradients in, the same changes out.

Every parameter of a training has the same rule. So the gradient of each parameter is taken to be one and the same row
of numbers, step by step; a change that differs from those of the other parameters in its step has another rule.
"""

from __future__ import annotations

from collections.abc import Mapping

from tinyproof.backprop.expr import Var, walk
from tinyproof.backprop.tape import Array, forward
from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.found_training import Source, Study
from tinyproof.check.workbook.graph.gradient_sources import WHOLE, gradient_sources
from tinyproof.check.workbook.graph.order import order
from tinyproof.check.workbook.graph.way_back import reads_back
from tinyproof.core.arrays import np

NEAR = 1e-6
FAINT, LARGE = 1e-6, 1e-2  # of the usual gradients; of the usual changes
MOST_WALKED = 500
MOST_HELD = 40  # right updates that are asked where their gradient is
MOST_PLACES = 6  # where a wrong one may hold it


def other_rules(found: Study, mine: np.ndarray) -> tuple[list[int], bool]:
    """The updates through a state whose rule is another one than that of most in their step, and whether some step has
    no majority."""
    known = [int(u) for u in mine if int(u) in found.sources and found.match.ok[u]]
    if not any(u in found.states for u in known):
        return [], False
    if len({int(found.lineage[u]) for u in known}) < 2:
        return [], _says_otherwise_later(found, known)
    if any(found.order.level[cell] < 0 for u in known for cell in _way(found, u, found.sources[u])):
        return [], False  # a state that is carried round from the last step to the first
    number = numbers_of(found)
    change = _evened(found, number, found.sources)[1]
    faint = _evened(found, number, found.sources, times=FAINT)[1]  # beside these what keeps a root from 0 counts
    if any(_reads_itself(found, update) for update in known):
        if _decays_unevenly(found, known, change - _evened(found, number, found.sources, size=1.0)[1]):
            return [], True
    odd, split = [], list[list[int]]()
    for step in sorted({number[u] for u in known}):
        here = [u for u in known if number[u] == step]
        groups = _alike(change[here])
        if len(groups) < 2 and np.isfinite(faint[here]).all():
            if np.abs(faint[here]).max() > LARGE * np.abs(change[here]).max():  # the size of a gradient is divided out
                groups = _alike(faint[here])
        if len(groups) < 2 or not np.isfinite(change[here]).all():
            continue
        most = max(groups, key=len)
        if 2 * len(most) <= len(here):
            split.append(here)
        else:
            odd += [int(here[i]) for group in groups if group is not most for i in group]
    strange = [_unlike_before(found, known, here, number, [u for some in split for u in some]) for here in split]
    return [*odd, *(u for some in strange for u in some)], not all(strange)


def _reads_itself(found: Study, update: int) -> bool:
    """Whether an update reads its parameter once more than to start from it."""
    own, meaning = found.updates[update], found.net.graph.meaning[int(found.successor[update])]
    canon, parameter = found.net.canon, int(found.parameter[update])
    mine = {name for name, ref in meaning.refs.items() if int(canon[ref]) == parameter}
    return len(mine) > 1 or sum(node == Var(own.bare) for node in walk(meaning.expr)) > 1


def _decays_unevenly(found: Study, known: list[int], taken: Array) -> bool:
    """Whether weight decay beside the states is not the same share of every parameter that has it, in all its steps.

    `taken`: what each change takes off besides for a parameter of 1.
    """
    shares = {update: float(taken[update].max()) for update in known}
    having = {int(found.lineage[update]) for update, share in shares.items() if abs(share) > NEAR}
    here = [share for update, share in shares.items() if int(found.lineage[update]) in having]
    return bool(here) and not (0 < min(here) < 1 and max(here) / min(here) - 1 < NEAR)


def _unlike_before(
    found: Study, known: list[int], here: list[int], number: Mapping[int, int], split: list[int]
) -> list[int]:
    """The updates of a step without a majority that are built otherwise than those of the same parameter in the steps
    where all agree, if the others of the step are not."""
    strange = []
    for update in here:
        same = [u for u in known if found.lineage[u] == found.lineage[update] and number[u] and u not in split]
        ways = {_built(found, u) for u in same}
        if ways and _built(found, update) not in ways:
            strange.append(update)
        elif not ways:
            return []
    return strange if len(strange) < len(here) else []


def _built(found: Study, update: int) -> frozenset[tuple[object, ...]]:
    """The formulas between a gradient and a change, numbers aside."""
    net = found.net
    cells = [int(found.successor[update]), *_way(found, update, found.sources[update])]
    forms = {int(net.form_of[cell]) for cell in cells}
    return frozenset(tuple(s for s in net.forms[f].tape.steps if s[0] != "num") for f in forms)


def _says_otherwise_later(found: Study, known: list[int]) -> bool:
    """Whether the only parameter of a training has other formulas between gradient and change in some steps than in
    others, numbers aside; its first step starts the states."""
    number = numbers_of(found)
    return len({_built(found, update) for update in known if number[update]}) > 1


def numbers_of(found: Study) -> dict[int, int]:
    """The number of each update in the chain of its parameter."""
    filled = {int(s): u for u, s in enumerate(found.successor)}
    number: dict[int, int] = {}
    for update in range(len(found.updates)):
        chain = [update]
        while chain[-1] not in number:
            before = filled.get(int(found.parameter[chain[-1]]))
            if before is None or before in chain:
                number[chain[-1]] = 0
                break
            chain.append(before)
        base = number[chain[-1]]
        for distance, one in enumerate(reversed(chain)):
            number[one] = base + distance
    return number


def _evened(
    found: Study, number: Mapping[int, int], sources: Mapping[int, list[Source]], size: float = 0.0, times: float = 1.0
) -> tuple[Array, Array]:
    """All values, and each change, with the same gradients for all parameters, `times` as large as they mostly are, and
    parameters of one size."""
    samples = found.values.shape[1]
    rng = np.random.default_rng(5)
    rows = {step: times * rng.uniform(0.3, 1.4, samples) for step in sorted(set(number.values()))}
    cut, values = found.order.cut.copy(), found.values.copy()
    parts: dict[int, dict[int, Array]] = {}
    for update, own in sources.items():
        for cell, step, _ in own:
            scale = _scale(found, update, cell, step)
            if step == WHOLE:
                cut[cell], values[cell] = True, scale * rows[number[update]]
            else:
                parts[cell] = {step: np.asarray(scale * rows[number[update]])}
    values[_beginnings(found)] = 0.5 * times**2
    values[found.parameter] = size
    held = values.copy()
    final = order(found.net, cut).compute(values, parts)
    values[cut] = held[cut]
    return values, np.asarray(final[found.successor] - values[found.parameter])


def _beginnings(found: Study) -> np.ndarray:
    """Numbers other than 0 that stand where most formulas alike read a state: where the state of a parameter begins."""
    begins = np.zeros(found.net.size, dtype=bool)
    for form in found.net.forms:
        depends = found.depends[form.reads]
        for slot in range(form.tape.slots):
            column = depends[:, slot]
            if 0.5 < column.mean() < 1:
                begins[form.reads[~column, slot]] = True
    return np.asarray(begins & np.any(found.values != 0, axis=1))


def odd_in_rule(found: Study, update: int, peers: list[int]) -> int | None:
    """The cell between the gradient and the change whose number no right update of the same step has; None where the
    gradient is in none of them."""
    sources = {u: found.sources.get(u) or gradient_sources(found, u, found.gradient[u]) for u in [update, *peers]}
    peers = [peer for peer in peers if sources[peer]]
    if not peers:
        return None
    number = dict.fromkeys(sources, 0) if not found.sources else numbers_of(found)
    mine = {u: s for u, s in found.sources.items() if found.lineage[u] == found.lineage[update]}
    others = {u: s for u, s in {**found.sources, **sources}.items() if u not in mine and u != update}
    values, change = _evened(found, number, others)
    right, used = {_name(change[peer]) for peer in peers}, set[int]()
    for peer in peers:
        used.update(way := _way(found, peer, sources[peer]))
        right.update(_name(values[c]) for c in way)
    values = _evened(found, number, {**mine, update: sources[update]})[0]  # a source of both is either's
    stop = {c for c, step, _ in sources[update] if step == WHOLE}
    cell = int(found.successor[update])
    while True:
        below = [] if cell in stop else [c for c in reads_back(found, cell) if c != found.parameter[update]]
        fresh = [c for c in below if _name(values[c]) not in right and c not in used]
        if not fresh:
            return cell
        cell = fresh[0]


def _name(row: Array) -> bytes:
    size = float(np.abs(row).max())
    digits = 8 - int(np.floor(np.log10(size))) if size > 0 and np.isfinite(size) else 8
    return bytes((np.round(row, digits) + 0.0).tobytes())


def _way(found: Study, update: int, sources: list[Source]) -> list[int]:
    """The cells between a change and its gradient."""
    stop = {cell for cell, step, _ in sources if step == WHOLE}
    seen = dict.fromkeys(reads_back(found, int(found.successor[update])))
    front = list(seen)
    while front and len(seen) < MOST_WALKED:
        front = [c for cell in front if cell not in stop for c in reads_back(found, cell) if c not in seen]
        seen.update(dict.fromkeys(front))
    return list(seen)


def _scale(found: Study, update: int, cell: int, step: int) -> float:
    """How many times the gradient a source is."""
    value = found.values[cell]
    if step != WHOLE:
        form = found.net.forms[found.net.form_of[cell]]
        inputs = found.values[form.reads[found.net.row_of[cell]]]
        value = np.broadcast_to(forward(form.tape, inputs[:, None])[step], (1, len(value)))[0]
    return float(f"{-match(value[None], found.gradient[update][None]).rate[0]:.9g}")


def gradient_places(found: Study, update: int, trusted: np.ndarray) -> list[tuple[int, int, float]]:
    """Where a wrong update should hold its gradient, since others of its kind hold theirs in such formulas: cell, step
    of its formula, and how many times the gradient that should be."""
    net = found.net
    way = [c for c in (int(found.successor[update]), *_way_to(found, update)) if not trusted[c]]
    places: dict[tuple[int, int, float], None] = {}
    right = [u for u in found.sources if found.match.ok[u] and found.training[u] == found.training[update]]
    for peer in sorted(right, key=lambda u: found.step[u] != found.step[update])[:MOST_HELD]:
        for cell, step, _ in found.sources[peer]:
            form, scale = int(net.form_of[cell]), round(_scale(found, peer, cell, step), 9)
            top = net.forms[form].tape.top if step == WHOLE else step
            places.update(dict.fromkeys((c, top, scale) for c in way if net.form_of[c] == form))
    return list(places)[:MOST_PLACES]


def _way_to(found: Study, update: int) -> list[int]:
    seen = dict.fromkeys(reads_back(found, int(found.successor[update])))
    front = list(seen)
    while front and len(seen) < MOST_WALKED:
        front = [c for cell in front for c in reads_back(found, cell) if c not in seen]
        seen.update(dict.fromkeys(front))
    return list(seen)


def _alike(change: Array) -> list[list[int]]:
    """Rows that are the same numbers."""
    groups: list[list[int]] = []
    for i, row in enumerate(change):
        size = np.abs(row).max()
        for group in groups:
            with np.errstate(all="ignore"):
                off = np.abs(change[group[0]] - row).max()
            if off <= NEAR * max(size, np.abs(change[group[0]]).max()):
                group.append(i)
                break
        else:
            groups.append([i])
    return groups
