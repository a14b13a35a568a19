"""One edit for a whole group of cells: looked for at one update, made at all, kept where the copy is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tinyproof.backprop.expr import Expr, Var, names, substitute
from tinyproof.check.workbook.graph.as_peers_say import as_peers_say
from tinyproof.check.workbook.graph.blame import Blame
from tinyproof.check.workbook.graph.cells_around import same_formula
from tinyproof.check.workbook.graph.edit_search import Budget, Found, Search
from tinyproof.check.workbook.graph.edits import FIXED, MOVING, TURNED, along, with_meanings
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.judged import Mend, recheck
from tinyproof.check.workbook.graph.odd_cells import wrong_after
from tinyproof.check.workbook.graph.rate_sources import NEAR
from tinyproof.check.workbook.graph.sheetgraph import Meaning, says_alike
from tinyproof.check.workbook.graph.suspects import Suspects, usual_change
from tinyproof.check.workbook.graph.transfer import gradient_places
from tinyproof.check.workbook.graph.way_back import on_the_way
from tinyproof.core.arrays import np

MOST_CHECKED, MOST_JUDGED = 24, 6  # mends of one parameter taken from others, without and with states
MOST_LOOKED_AT = 12  # cells of a group that another cell is compared with


def by_search(
    found: Study, suspects: Suspects, own: list[int], left: set[int], budget: Budget, blame: Blame
) -> Mend | None:
    """A mend for a parameter, looked for at one of its steps and then made at all of them."""
    rep = own[len(own) // 2]
    trusted = trusted_by(found, rep, left)
    guilty = blame.of(rep, trusted)
    if guilty not in found.net.graph.meaning:
        return None  # a number that somebody typed: what the formulas say is right
    shared = _shared(found, rep, left)
    for search in _searches(found, suspects, rep, trusted, budget):
        groups = search.groups(trusted)
        # the cell to blame first, then what several wrong updates use
        passed = _passed_on(found, guilty) if found.net.graph.imagined else set()
        groups.sort(key=lambda cells: (passed.isdisjoint(cells), guilty not in cells, -int(shared[cells].max())))
        for natural in (True, False):
            for cells in groups:
                edit = search.edit(cells, natural and not (rep in suspects.scaled and guilty in cells))
                if edit is not None:
                    mend = _everywhere(found, edit, own, left, suspects)
                    if mend is not None:
                        return mend
        if rep not in suspects.scaled and not found.states:
            for cells in groups:
                edit = search.edit(cells, free=True)
                mend = _everywhere(found, edit, own, left, suspects) if edit is not None else None
                if mend is not None and len({int(found.lineage[u]) for u in mend.updates}) > 1:
                    return mend  # several parameters are right with it, at a rate of their own
    return None


def _passed_on(found: Study, cell: int) -> set[int]:
    """The cells that only read this one, if nothing else does: it may be right, and they lack a factor."""
    net = found.net
    readers = np.unique(net.dst[net.src == cell]).tolist()
    alone = all(len(net.forms[net.form_of[r]].tape.steps) == 1 for r in readers if net.form_of[r] >= 0)
    return set(readers) if alone else set()


def _searches(found: Study, suspects: Suspects, rep: int, trusted: np.ndarray, budget: Budget) -> Iterator[Search]:
    """What could be put right: the change at a rate; with states, what holds the gradient, as others hold theirs."""
    if rep in suspects.scaled or int(found.training[rep]) not in {int(found.training[s]) for s in found.states}:
        for rate in suspects.wrong[rep]:
            if rate:
                yield Search(found, rep, usual_change(found, rep, rate), budget)
        return
    for cell, step, scale in gradient_places(found, rep, trusted):
        yield Search(found, rep, scale * found.gradient[rep], budget, (cell, step))


def _shared(found: Study, rep: int, left: set[int]) -> np.ndarray:
    """How many wrong updates of the same step use a cell."""
    count = np.zeros(found.net.size, dtype=int)
    for update in left:
        if found.step[update] == found.step[rep]:
            count[[*on_the_way(found, update)]] += 1
    return count


def trusted_by(found: Study, update: int, left: set[int]) -> np.ndarray:
    """Cells that the right updates of the same step use."""
    right = [u for u in np.flatnonzero(found.step == found.step[update]) if u not in left and found.match.ok[u]]
    mask = np.zeros(found.net.size, dtype=bool)
    if right:
        mask = found.order.cone(found.successor[right])
    if found.forward is not None:
        mask |= found.forward
    return mask


def _everywhere(found: Study, edit: Found, own: list[int], left: set[int], suspects: Suspects) -> Mend | None:
    """The edit made at every step that has the mistake; kept if the copy is right there and wrong nowhere else."""
    graph = found.net.graph
    key, some = graph.meaning[edit.cells[0]].key, edit.cells[:MOST_LOOKED_AT]
    form = found.net.form_of[edit.cells[0]]
    cells: dict[int, None] = dict.fromkeys(edit.cells)
    right = [u for u in np.flatnonzero(found.match.ok) if int(u) not in left]
    used = found.order.cone(found.successor[right]) & ~found.order.cut
    for update in left:
        for cell in sorted(on_the_way(found, update)):
            if found.net.form_of[cell] == form and cell not in cells and not used[cell]:
                if graph.meaning[cell].key == key or any(says_alike(graph, one, cell) for one in some):
                    cells.setdefault(cell)
    best: Mend | None = None
    for group in (list(cells), list(edit.cells)):
        for moving in (True, False):
            new = {cell: meaning for cell in group if (meaning := edited(found, edit, cell, moving)) is not None}
            if len(new) < len(group):
                continue
            new = {
                cell: meaning for cell, meaning in new.items() if not same_formula(graph, graph.meaning[cell], meaning)
            }
            mend = _confirm(found, edit, new, left, suspects) if new else None
            if mend is not None and (best is None or len(mend.updates) > len(best.updates)):
                best = mend
            if mend is not None and set(own) <= set(mend.updates):
                return mend
        if best is not None:
            return best
    return best


def _confirm(found: Study, edit: Found, new: dict[int, Meaning], left: set[int], suspects: Suspects) -> Mend | None:
    healed = _healed(found, new, left, suspects)
    if not healed:
        return None
    mend = Mend(list(new), new, edit.repair.kind, updates=healed)
    first = min(new, key=lambda cell: found.net.graph.places[cell])
    mend.old_part, mend.new_part = (named_part(found, edit, side, first) for side in (edit.repair.old, edit.repair.new))
    return mend


def _healed(found: Study, new: dict[int, Meaning], left: set[int], suspects: Suspects) -> list[int]:
    """The wrong updates that are right on the copy; none where a right one is wrong there."""
    if found.states:  # what a change should be hangs on the steps before: all is judged again
        after = wrong_after(found, new, set(suspects.wrong), suspects)
        return [] if after is None else sorted(left - after)
    again = recheck(found, with_meanings(found.net.graph, new))
    before = found.match.ok.copy()
    before[sorted(set(suspects.wrong))] = False
    if (before & ~again.ok).any():
        return []
    return [u for u in sorted(left) if again.ok[u] and _at_rate(suspects, u, float(again.rate[u]))]


def by_peers(found: Study, suspects: Suspects, own: list[int], left: set[int], blame: Blame) -> Mend | None:
    """A mend for a parameter that says what another parameter says at the same place; it must heal all its steps."""
    rep = own[len(own) // 2]
    trusted = trusted_by(found, rep, left)
    guilty = blame.of(rep, trusted)
    if guilty not in found.net.graph.meaning:
        return None
    for tried, new in enumerate(as_peers_say(found, own, guilty, trusted)):
        if tried >= (MOST_JUDGED if found.states else MOST_CHECKED):
            break
        healed = _healed(found, new, left, suspects)
        if set(own) <= set(healed):
            return Mend(list(new), new, "peers", updates=healed)
    return None


def _at_rate(suspects: Suspects, update: int, rate: float) -> bool:
    """Whether an update that went at another rate than it should goes at the right one now."""
    return update not in suspects.scaled or any(abs(rate / one - 1) < NEAR for one in suspects.wrong[update])


def edited(found: Study, edit: Found, cell: int, moving: bool) -> Meaning | None:
    """The meaning of a cell after the edit."""
    graph = found.net.graph
    meaning = graph.meaning[cell]
    own = list(meaning.refs)
    swap: dict[str, Expr] = {f"s{i}": Var(name) for i, name in enumerate(own)}
    refs = dict(meaning.refs)
    first, here = graph.places[edit.cells[0]], graph.places[cell]
    for word, (target, way) in edit.words.items():
        place = graph.places[target]
        single = len(edit.cells) == 1
        stays = way == FIXED and not (single and moving)
        if not stays:
            sheet = here.sheet if place.sheet == first.sheet else place.sheet
            place = along(place._replace(sheet=sheet), first, here, way if way == TURNED else MOVING)
        number = graph.number.get(place)
        if number is None and graph.grid.number(place) is not None:
            number = graph.cell(place)  # a number that nothing reads yet
        if number is None or (number >= found.net.size and np.isnan(graph.typed[number])):
            return None
        name = f"{word}:{graph.name(number)}" + (
            "$11" if stays and len(edit.cells) + (cell != edit.cells[0]) > 1 else ""
        )
        refs[name] = number
        swap[word] = Var(name)
    whole = substitute(edit.repair.whole, swap)
    used = names(whole)
    return replace(meaning, expr=whole, refs={name: refs[name] for name in used}, key=("mended", meaning.key))


def named_part(found: Study, edit: Found, part: Expr, cell: int) -> Expr:
    """A part of the edit over the cells' own addresses."""
    graph = found.net.graph
    own = list(graph.meaning[cell].refs.values())
    swap: dict[str, Expr] = {f"s{i}": Var(graph.name(number)) for i, number in enumerate(own)}
    there, here = graph.places[edit.cells[0]], graph.places[cell]
    for word, (target, way) in edit.words.items():
        place = graph.places[target]
        if way != FIXED or len(edit.cells) == 1:
            place = along(place, there, here, way if way == TURNED else MOVING)
        number = graph.number.get(place, target)
        swap[word] = Var(graph.name(number))
    return substitute(part, swap)
