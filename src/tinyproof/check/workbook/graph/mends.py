"""From suspects to wrong cells: a mend is looked for, made on a copy, and the copy is judged again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from tinyproof.backprop.expr import Expr, Var, names, substitute
from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.blame import Blame
from tinyproof.check.workbook.graph.edits import filled_into, with_meanings
from tinyproof.check.workbook.graph.found_training import Study, study
from tinyproof.check.workbook.graph.order import order
from tinyproof.check.workbook.graph.search import Budget, Found, Search
from tinyproof.check.workbook.graph.sheetgraph import Meaning, Net, SheetGraph, build
from tinyproof.check.workbook.graph.states import follow_states
from tinyproof.check.workbook.graph.suspects import Suspects, find_suspects, usual_change
from tinyproof.check.workbook.graph.tape import compute, record
from tinyproof.check.workbook.understand.grid import Place

MOST_MENDS = 8
MOST_ODD = 40
MOST_BLAMED = 60  # wrong updates that are put down to a cell
MOST_CELLS_JUDGED = 60_000  # cells judged again in trials, all trials together


@dataclass
class Mend:
    """Cells that say something wrong and what they should say. `tried`: the copy with it was judged, and is right
    there. `kind`: what the edit is (`odd` for a cell that differs from its neighbours)."""

    cells: list[int]
    new: dict[int, Meaning]
    kind: str
    old_part: Expr | None = None
    new_part: Expr | None = None
    updates: list[int] = field(default_factory=list)


@dataclass
class Explained:
    """`mends`: found, made and judged. `open`: wrong updates without a mend; `blamed`: the cell that each is put down
    to."""

    mends: list[Mend]
    open: list[int]
    suspects: Suspects
    blamed: dict[int, int] = field(default_factory=dict)


def judged(graph: SheetGraph) -> tuple[Study, Suspects] | None:
    """A graph judged from the start."""
    found = study(build(graph))
    if found is None:
        return None
    follow_states(found)
    return found, find_suspects(found)


def explain(found: Study, suspects: Suspects) -> Explained:
    """Mends for the wrong updates, as far as there are any."""
    wrong = set(suspects.wrong)
    mends, left = _odd_cells(found, suspects, wrong)
    budget = Budget()
    blame = Blame(found, suspects)
    given_up: set[int] = set()
    while left and len(mends) < MOST_MENDS:
        todo = [update for update in sorted(left) if int(found.lineage[update]) not in given_up]
        if not todo:
            break
        lineages, counts = np.unique(found.lineage[todo], return_counts=True)
        lineage = int(lineages[np.argmax(counts)])
        own = [update for update in todo if found.lineage[update] == lineage]
        mend = _by_search(found, suspects, own, left, budget, blame)
        if mend is None:
            given_up.add(lineage)
            continue
        mends.append(mend)
        left -= set(mend.updates)
    blamed = {update: blame.of(update, _trusted(found, update, left)) for update in sorted(left)[:MOST_BLAMED]}
    return Explained(mends, sorted(left), suspects, blamed)


def recheck(found: Study, graph: SheetGraph) -> tuple[np.ndarray, Net] | None:
    """Which updates follow the same objective when the copy is computed on the same numbers (nothing before the
    objective was changed)."""
    net = build(graph)
    if net.size > found.net.size:
        values = np.zeros((net.size, found.values.shape[1]))
        values[: found.net.size] = found.values
        cut = np.zeros(net.size, dtype=bool)
        cut[: found.net.size] = found.order.cut
        typed = np.array(graph.typed)[found.net.size :]
        values[found.net.size :] = np.nan_to_num(typed)[:, None]
    else:
        values, cut = found.values.copy(), found.order.cut
    again = order(net, cut)
    keep = values.copy()
    final = again.compute(values)
    values[cut] = keep[cut]
    change = final[found.successor] - values[found.parameter]
    return match(change, found.gradient).ok, net


def _rate_ok(found: Study, graph: SheetGraph, update: int) -> bool:
    return bool(graph and found.match.ok[update])


# Cells that stand alone ----------------------------------------------------------------------------------------------


def _odd_cells(found: Study, suspects: Suspects, wrong: set[int]) -> tuple[list[Mend], set[int]]:
    """Cells that say something else than the cells around them, where saying the same makes updates right."""
    left = set(wrong) | set(suspects.lost.values())
    odd = _odd(found, left, suspects) if len(suspects.lost) <= MOST_ODD else {}
    if not odd:
        return [], set(wrong)
    everything = dict(odd)
    mends: list[Mend] = []
    after = _wrong_after(found, everything, wrong, suspects)
    if after is None or len(after) >= len(left):
        singles = list(odd.items())[: max(1, min(10, MOST_CELLS_JUDGED // found.net.size))]
        for cell, meaning in singles:
            after = _wrong_after(found, {cell: meaning}, wrong, suspects)
            if after is not None and len(after) < len(left) and after <= left:
                mends.append(Mend([cell], {cell: meaning}, "odd", updates=sorted(left - after)))
                left = after
        return mends, left & wrong
    solved = left - after
    needed = dict(everything)
    few = found.net.size * len(everything) <= 10 * MOST_CELLS_JUDGED
    for cell in list(everything) if few else []:  # only those without which it is not right
        rest = {c: m for c, m in needed.items() if c != cell}
        without = _wrong_after(found, rest, wrong, suspects) if rest else left
        if without is not None and without <= after:
            needed = rest
    for cell, meaning in needed.items():
        mends.append(Mend([cell], {cell: meaning}, "odd", updates=sorted(solved)))
    return mends, after & wrong


def _wrong_after(found: Study, changed: dict[int, Meaning], wrong: set[int], suspects: Suspects) -> set[int] | None:
    """The updates that are still wrong on the copy (by their number in `found`); None where the copy is worse."""
    graph = with_meanings(found.net.graph, changed)
    again = judged(graph)
    if again is None:
        return None
    fresh, new = again
    number = {int(cell): i for i, cell in enumerate(found.successor)}
    left: set[int] = set()
    for update in new.wrong:
        cell = int(fresh.successor[update])
        if cell not in number:
            return None
        left.add(number[cell])
    for cell in new.lost:
        if cell in suspects.lost:
            left.add(suspects.lost[cell])
        else:
            return None
    return left if len(fresh.updates) >= len(found.updates) and left <= wrong | set(suspects.lost.values()) else None


def _odd(found: Study, left: set[int], suspects: Suspects) -> dict[int, Meaning]:
    """Cells of the steps concerned whose neighbours agree on another formula."""
    graph = found.net.graph
    moves = _displacements(found)
    cells: dict[int, None] = dict.fromkeys(suspects.lost)
    for update in left:
        cells.update(dict.fromkeys(_upstream(found, int(found.successor[update]))))
    odd: dict[int, Meaning] = dict(_other_steps(found, left))
    for cell in cells:
        if len(odd) >= MOST_ODD:
            break
        if cell in odd:
            continue
        meaning = _neighbours_say(graph, cell, moves)
        if meaning is not None and any(
            c < found.net.size and found.depends[found.net.canon[c]] for c in meaning.refs.values()
        ):
            odd[cell] = meaning
    return {
        cell: meaning
        for cell, meaning in odd.items()
        if _holds_numbers(graph, meaning) and not _same_number(found, cell, meaning)
    }


def _holds_numbers(graph: SheetGraph, meaning: Meaning) -> bool:
    """Whether all that a formula would read holds a number: not the headings above a first row."""
    return all(ref in graph.meaning or not np.isnan(graph.typed[ref]) for ref in meaning.refs.values())


def _same_number(found: Study, cell: int, meaning: Meaning) -> bool:
    """Whether a cell would hold what it holds: the first row of a column, written without the row before."""
    if cell >= found.net.size or any(ref >= found.net.size for ref in meaning.refs.values()):
        return False
    values = {name: found.values[found.net.canon[ref]] for name, ref in meaning.refs.items()}
    held = found.final[cell] if found.order.cut[cell] and found.net.form_of[cell] >= 0 else found.values[cell]
    if cell in found.net.graph.copies:
        held = found.values[found.net.canon[cell]]
    with np.errstate(all="ignore"):
        new = np.broadcast_to(compute(meaning.expr, values), held.shape)
    return bool(np.all(np.isfinite(new)) and np.abs(new - held).max() <= 1e-9 * np.abs(held).max())


def _other_steps(found: Study, left: set[int]) -> dict[int, Meaning]:
    """Cells that say something else than at the same place of a step that is right."""
    graph, net = found.net.graph, found.net
    right: dict[int, list[int]] = {}
    for one in np.flatnonzero(found.match.ok):
        if int(one) not in left:
            right.setdefault(int(found.lineage[one]), []).append(int(one))
    odd: dict[int, Meaning] = {}
    for update in sorted(left):
        here = graph.places[found.successor[update]]
        options = right.get(int(found.lineage[update]), [])
        near = sorted(options, key=lambda u: _far(graph.places[found.successor[u]], here))[:1]
        for other in near:
            there = graph.places[found.successor[other]]
            shift = here.sheet - there.sheet, here.row - there.row, here.col - there.col
            for cell in _upstream(found, int(found.successor[update]), 1_000):
                place = graph.places[cell]
                peer = graph.number.get(Place(place.sheet - shift[0], place.row - shift[1], place.col - shift[2]))
                if peer is None or peer not in graph.meaning or cell in odd or not found.depends[net.canon[peer]]:
                    continue
                filled = filled_into(graph, peer, cell)
                if filled is not None and not _same(graph, graph.meaning.get(cell), filled):
                    odd[cell] = filled
        if len(odd) >= MOST_ODD:
            break
    return odd


def _far(a: Place, b: Place) -> int:
    return 10_000 * abs(a.sheet - b.sheet) + abs(a.row - b.row) + abs(a.col - b.col)


def _same(graph: SheetGraph, own: Meaning | None, other: Meaning) -> bool:
    """Whether two formulas are one: the same steps over the same cells."""
    if own is None:
        return False
    if own.key == other.key and own.refs.values() == other.refs.values():
        return True
    a = record(own.expr, {name: i for i, name in enumerate(own.refs)})
    b = record(other.expr, {name: i for i, name in enumerate(other.refs)})
    return a.steps == b.steps and list(own.refs.values()) == list(other.refs.values())


def _upstream(found: Study, cell: int, most: int = 3_000) -> list[int]:
    """The cells on the way back to the parameters, this one first; leaves too."""
    net = found.net
    seen, front = dict.fromkeys([cell]), [cell]
    while front and len(seen) < most:
        following: dict[int, None] = {}
        for one in front:
            form = net.form_of[one]
            if form >= 0 and (one == cell or not found.order.cut[one]):
                raw = net.graph.meaning[one].refs.values()
                following.update(dict.fromkeys(int(c) for c in raw if c < net.size))
            elif one in net.graph.copies and not found.order.cut[one]:
                following[net.graph.copies[one]] = None
        front = [one for one in following if one not in seen]
        seen.update(dict.fromkeys(front))
    return list(seen)


def _displacements(found: Study) -> list[tuple[int, int]]:
    """How far a step is from the next: from a successor to the next of the same parameter, the usual ones."""
    places = found.net.graph.places
    count: dict[tuple[int, int], int] = {}
    for parameter, successor in zip(found.parameter, found.successor, strict=True):
        a, b = places[parameter], places[successor]
        if a.sheet == b.sheet:
            count[b.row - a.row, b.col - a.col] = count.get((b.row - a.row, b.col - a.col), 0) + 1
    usual = sorted(count, key=lambda move: -count[move])[:2]
    return [*usual, (1, 0), (0, 1)]


def _say(graph: SheetGraph, place: Place, down: int, across: int) -> int | None:
    """The formula cell at that distance."""
    if (down, across) == (0, 0):
        return None
    cell = graph.number.get(Place(place.sheet, place.row + down, place.col + across))
    return cell if cell in graph.meaning else None


def _neighbours_say(graph: SheetGraph, cell: int, moves: Iterable[tuple[int, int]]) -> Meaning | None:
    """What the cells around a cell say, filled into it, where they agree and it says something else."""
    place = graph.places[cell]
    own = graph.meaning.get(cell)
    if own is not None and isinstance(own.key, tuple) and own.key[:1] == ("array",):
        return None
    for down, across in dict.fromkeys(moves):
        if (down, across) == (0, 0):
            continue
        sides = [_say(graph, place, far * down, far * across) for far in (-1, 1, -2, 2)]
        if sides[0] is not None and sides[1] is not None:
            agreed = sides[0] if graph.meaning[sides[0]].key == graph.meaning[sides[1]].key else None
        elif own is None:
            continue  # a typed number at the end of a column is where it begins
        else:
            one, two = (sides[0], sides[2]) if sides[0] is not None else (sides[1], sides[3])
            agreed = one
            if one is None or two is None or graph.meaning[one].key != graph.meaning[two].key:
                agreed = None
        if agreed is None:
            continue
        if own is not None and own.key == graph.meaning[agreed].key:
            return None
        if own is None and graph.opaque.get(cell) is None and np.isnan(graph.typed[cell]):
            continue  # a blank or a heading
        filled = filled_into(graph, agreed, cell)
        if filled is not None:
            return filled
    return None


# One edit for a whole group -------------------------------------------------------------------------------------------


def _by_search(
    found: Study, suspects: Suspects, own: list[int], left: set[int], budget: Budget, blame: Blame
) -> Mend | None:
    """A mend for a parameter, looked for at one of its steps and then made at all of them."""
    rep = own[len(own) // 2]
    trusted = _trusted(found, rep, left)
    for rate in suspects.wrong[rep] or [0.0]:
        if not rate:
            continue
        search = Search(found, rep, usual_change(found, rep, rate), budget)
        groups = search.groups(trusted)
        shared = _shared(found, rep, left)
        guilty = blame.of(rep, trusted)
        # the cell to blame first, then what several wrong updates use
        groups.sort(key=lambda cells: (guilty not in cells, -int(shared[cells].max())))
        for natural in (True, False):
            for cells in groups:
                edit = search.edit(cells, natural)
                if edit is not None:
                    mend = _everywhere(found, edit, own, left, suspects)
                    if mend is not None:
                        return mend
    return None


def _shared(found: Study, rep: int, left: set[int]) -> np.ndarray:
    """How many wrong updates of the same step use a cell."""
    count = np.zeros(found.net.size, dtype=int)
    for update in left:
        if found.step[update] == found.step[rep]:
            count[_cone_of(found, int(found.successor[update]))] += 1
    return count


def _trusted(found: Study, update: int, left: set[int]) -> np.ndarray:
    """Cells that the right updates of the same step use."""
    right = [u for u in np.flatnonzero(found.step == found.step[update]) if u not in left and found.match.ok[u]]
    mask = np.zeros(found.net.size, dtype=bool)
    if right:
        reads = [found.net.forms[found.net.form_of[s]].reads[found.net.row_of[s]] for s in found.successor[right]]
        mask = found.order.reach(np.concatenate(reads), upwards=True)
    if found.forward is not None:
        mask |= found.forward
    return mask


def _everywhere(found: Study, edit: Found, own: list[int], left: set[int], suspects: Suspects) -> Mend | None:
    """The edit made at every step that has the mistake; kept if the copy is right there and wrong nowhere else."""
    graph = found.net.graph
    key = graph.meaning[edit.cells[0]].key
    form = found.net.form_of[edit.cells[0]]
    cells: dict[int, None] = dict.fromkeys(edit.cells)
    for update in left:
        for cell in [int(found.successor[update]), *_cone_of(found, int(found.successor[update]))]:
            if found.net.form_of[cell] == form and graph.meaning[cell].key == key:
                cells.setdefault(cell)
    best: Mend | None = None
    for group in (list(cells), list(edit.cells)):
        for moving in (True, False):
            new = {cell: meaning for cell in group if (meaning := _edited(found, edit, cell, moving)) is not None}
            if len(new) < len(group):
                continue
            mend = _confirm(found, edit, new, left, suspects)
            if mend is not None and (best is None or len(mend.updates) > len(best.updates)):
                best = mend
            if mend is not None and set(own) <= set(mend.updates):
                return mend
        if best is not None:
            return best
    return best


def _confirm(found: Study, edit: Found, new: dict[int, Meaning], left: set[int], suspects: Suspects) -> Mend | None:
    checked = recheck(found, with_meanings(found.net.graph, new))
    if checked is None:
        return None
    ok, _ = checked
    before = found.match.ok.copy()
    before[sorted(set(suspects.wrong))] = False
    spoiled = before & ~ok
    healed = [u for u in sorted(left) if ok[u]]
    if spoiled.any() or not healed:
        return None
    mend = Mend(list(new), new, edit.repair.kind, updates=healed)
    first = min(new, key=lambda cell: found.net.graph.places[cell])
    mend.old_part, mend.new_part = (_named(found, edit, side, first) for side in (edit.repair.old, edit.repair.new))
    return mend


def _cone_of(found: Study, cell: int) -> list[int]:
    net = found.net
    seen, front = {cell}, [cell]
    while front and len(seen) < 4_000:
        following = []
        for one in front:
            form = net.form_of[one]
            if form >= 0 and (one == cell or not found.order.cut[one]):
                for read in net.forms[form].reads[net.row_of[one]]:
                    if int(read) not in seen and found.depends[read]:
                        seen.add(int(read))
                        following.append(int(read))
        front = following
    return [one for one in seen if net.form_of[one] >= 0 and not found.order.cut[one]]


def _edited(found: Study, edit: Found, cell: int, moving: bool) -> Meaning | None:
    """The meaning of a cell after the edit."""
    graph = found.net.graph
    meaning = graph.meaning[cell]
    own = list(meaning.refs)
    swap: dict[str, Expr] = {f"s{i}": Var(name) for i, name in enumerate(own)}
    refs = dict(meaning.refs)
    first, here = graph.places[edit.cells[0]], graph.places[cell]
    for word, (target, is_fixed) in edit.words.items():
        place = graph.places[target]
        single = len(edit.cells) == 1
        stays = is_fixed and not (single and moving)
        if not stays:
            sheet = here.sheet if place.sheet == first.sheet else place.sheet
            place = Place(sheet, place.row + here.row - first.row, place.col + here.col - first.col)
        number = graph.number.get(place)
        if number is None or number >= found.net.size:
            return None
        name = f"{word}:{graph.name(number)}" + (
            "$11" if stays and len(edit.cells) + (cell != edit.cells[0]) > 1 else ""
        )
        refs[name] = number
        swap[word] = Var(name)
    whole = substitute(edit.repair.whole, swap)
    used = names(whole)
    return replace(meaning, expr=whole, refs={name: refs[name] for name in used}, key=("mended", meaning.key))


def _named(found: Study, edit: Found, part: Expr, cell: int) -> Expr:
    """A part of the edit over the cells' own addresses."""
    graph = found.net.graph
    own = list(graph.meaning[cell].refs.values())
    swap: dict[str, Expr] = {f"s{i}": Var(graph.name(number)) for i, number in enumerate(own)}
    there, here = graph.places[edit.cells[0]], graph.places[cell]
    for word, (target, is_fixed) in edit.words.items():
        place = graph.places[target]
        if not is_fixed or len(edit.cells) == 1:
            place = Place(place.sheet, place.row + here.row - there.row, place.col + here.col - there.col)
        number = graph.number.get(place, target)
        swap[word] = Var(graph.name(number))
    return substitute(part, swap)
