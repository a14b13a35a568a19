"""One edit for a whole group of cells: looked for at one update, made at all, kept where the copy is right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyproof.backprop.expr import Expr, Var, names, substitute
from tinyproof.check.workbook.graph.blame import Blame
from tinyproof.check.workbook.graph.edits import with_meanings
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.judged import Mend, recheck
from tinyproof.check.workbook.graph.search import Budget, Found, Search
from tinyproof.check.workbook.graph.sheetgraph import Meaning
from tinyproof.check.workbook.graph.suspects import Suspects, usual_change
from tinyproof.check.workbook.understand.grid import Place


def by_search(
    found: Study, suspects: Suspects, own: list[int], left: set[int], budget: Budget, blame: Blame
) -> Mend | None:
    """A mend for a parameter, looked for at one of its steps and then made at all of them."""
    rep = own[len(own) // 2]
    trusted = trusted_by(found, rep, left)
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


def trusted_by(found: Study, update: int, left: set[int]) -> np.ndarray:
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
