"""Cells that stand alone: they say something else than those around them, and saying the same makes updates right."""

from __future__ import annotations

from tinyproof.check.workbook.graph.cells_around import (
    MOST_ODD,
    between_two,
    displacements,
    far,
    holds_numbers,
    neighbours_say,
    other_steps,
    same_number,
    upstream,
)
from tinyproof.check.workbook.graph.edits import with_meanings
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.judged import Mend, judged
from tinyproof.check.workbook.graph.not_moved import copies_not_moved, holes
from tinyproof.check.workbook.graph.sheetgraph import Meaning
from tinyproof.check.workbook.graph.suspects import Suspects
from tinyproof.core.arrays import np

MOST_CELLS_JUDGED = 60_000  # cells judged again in trials, all trials together


def odd_cells(found: Study, suspects: Suspects, wrong: set[int]) -> tuple[list[Mend], set[int]]:
    """Cells that say something else than the cells around them, where saying the same makes updates right."""
    left = set(wrong) | set(suspects.lost.values())
    for every in (False, True):
        moved = moved_on(found, suspects, copies_not_moved(found, every))
        if moved:
            return moved, set()
    if len(suspects.lost) > MOST_ODD:
        return [], set(wrong)
    odd = _odd(found, left, suspects)
    beside = _odd(found, left, suspects, steps=False)
    if beside and len(beside) < len(odd) and wrong_after(found, beside, wrong, suspects) == set():
        odd = beside
    if not odd:
        return [], set(wrong)
    everything = dict(odd)
    mends: list[Mend] = []
    after = wrong_after(found, everything, wrong, suspects)
    if after is None or len(after) >= len(left):
        singles = list(odd.items())[: max(1, min(10, MOST_CELLS_JUDGED // found.net.size))]
        for cell, meaning in singles:
            after = wrong_after(found, {cell: meaning}, wrong, suspects)
            if after is not None and len(after) < len(left) and after <= left:
                mends.append(Mend([cell], {cell: meaning}, "odd", updates=sorted(left - after)))
                left = after
        return mends, left & wrong
    solved = left - after
    needed = dict(everything)
    few = found.net.size * len(everything) <= 10 * MOST_CELLS_JUDGED
    for cell in list(everything) if few else []:  # only those without which it is not right
        rest = {c: m for c, m in needed.items() if c != cell}
        without = wrong_after(found, rest, wrong, suspects) if rest else left
        if without is not None and without <= after:
            needed = rest
    for cell, meaning in needed.items():
        mends.append(Mend([cell], {cell: meaning}, "odd", updates=sorted(solved)))
    return mends, after & wrong


def moved_on(found: Study, suspects: Suspects, copies: dict[int, Meaning]) -> list[Mend]:
    """Copies that read an older parameter as mends, those that say the same together, where all is right with them."""
    wrong = set(suspects.wrong)
    if not copies or wrong_after(found, copies, wrong, suspects) != set():
        return []
    updates = sorted(wrong | set(suspects.lost.values())) or [0]
    groups: dict[object, dict[int, Meaning]] = {}
    for cell, meaning in copies.items():
        groups.setdefault(found.net.graph.meaning[cell].key, {})[cell] = meaning
    return [Mend(list(own), own, "odd", updates=updates) for own in groups.values()]


def wrong_after(found: Study, changed: dict[int, Meaning], wrong: set[int], suspects: Suspects) -> set[int] | None:
    """The updates that are still wrong on the copy (by their number in `found`); None where the copy is worse."""
    graph = with_meanings(found.net.graph, changed)
    again = judged(graph)
    if again is None:
        return None
    fresh, new = again
    if any(c < found.net.size and found.order.level[c] >= 0 > fresh.order.level[c] for c in changed):
        return None  # it goes round in a circle
    if len(new.uneven) > len(suspects.uneven) or len(new.unread) > len(suspects.unread):
        return None  # nothing is called wrong where nothing could be told
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


def _odd(found: Study, left: set[int], suspects: Suspects, steps: bool = True) -> dict[int, Meaning]:
    """Cells of the steps concerned whose neighbours, or (`steps`) the same cells of right steps, say something else."""
    graph = found.net.graph
    moves = [*displacements(found), (1, 0), (0, 1)]
    cells: dict[int, None] = dict.fromkeys(suspects.lost)
    for update in left:
        cells.update(dict.fromkeys(upstream(found, int(found.successor[update]))))
    odd: dict[int, Meaning] = dict(other_steps(found, left, suspects.lost)) if steps else {}
    odd |= {cell: meaning for cell, meaning in holes(found).items() if cell not in odd}
    for cell in cells:
        if len(odd) >= MOST_ODD:
            break
        if cell in odd:
            continue
        meaning = neighbours_say(graph, cell, moves)
        if meaning is not None and any(
            c < found.net.size and found.depends[found.net.canon[c]] for c in meaning.refs.values()
        ):
            odd[cell] = meaning
    return {
        cell: meaning
        for cell, meaning in odd.items()
        if holds_numbers(graph, meaning) and not same_number(found, cell, meaning) and not _leaves(found, cell, meaning)
    }


def _leaves(found: Study, cell: int, meaning: Meaning) -> bool:
    """Whether an update that starts from the parameter that it stands for would no longer read it."""
    number = next((i for i, update in enumerate(found.updates) if update.successor == cell), None)
    if number is None:
        return False
    own, canon = int(found.parameter[number]), found.net.canon
    update = found.updates[number]
    starts = int(canon[found.net.graph.meaning[cell].refs[update.bare]]) == own
    return starts and all(ref >= len(canon) or int(canon[ref]) != own for ref in meaning.refs.values())


def standing_alone(found: Study) -> dict[int, Meaning]:
    """Cells between two that say the same thing and say another themselves, although every change follows a gradient:
    the objective of that step is then another one. Each with what it would say."""
    graph = found.net.graph
    moves = displacements(found)[:1] if np.isin(found.successor, found.parameter).any() else []  # a step after another
    alone: dict[int, Meaning] = {}
    for cell in graph.meaning:
        if cell >= found.net.size or not found.depends[found.net.canon[cell]]:
            continue
        filled = between_two(graph, cell, moves[0]) if moves else None
        if filled is not None and holds_numbers(graph, filled) and not same_number(found, cell, filled):
            alone[cell] = filled
            if len(alone) > MOST_ODD:
                return {}
    for cell, filled in holes(found).items():
        if holds_numbers(graph, filled) and not same_number(found, cell, filled):
            alone[cell] = filled
    return alone if len(alone) <= MOST_ODD else {}


def part_of(found: Study, cell: int) -> int:
    """The training that a cell is part of; of a number or an empty cell that which reads it."""
    if cell >= found.net.size:  # an empty cell that nothing reads
        places, here = found.net.graph.places, found.net.graph.places[cell]
        return int(found.training[min(range(len(found.updates)), key=lambda u: far(places[found.successor[u]], here))])
    me = int(found.net.canon[cell])
    readers = found.net.dst[found.net.src == me]
    read = [int(reader) for reader in readers if found.depends[reader]]
    return int(found.label[me if found.depends[me] or not read else read[0]])


def slips(found: Study) -> tuple[list[Mend], list[int]]:
    """Such cells, where the copy that says the same everywhere is right too; and those where it is
    not, or that hold a 0."""
    alone = standing_alone(found)
    if not alone:
        return [], []
    again = judged(with_meanings(found.net.graph, alone))
    if again is None or again[1].wrong or again[1].lost or len(again[0].updates) < len(found.updates):
        return [], list(alone)
    mends = []
    masked = [cell for cell in alone if cell not in found.net.graph.meaning and found.net.graph.typed[cell] == 0]
    for cell, meaning in alone.items():
        if cell in masked:
            continue  # a 0 may leave an example or a weight out of this step
        own = np.flatnonzero(found.training == part_of(found, cell)).tolist()
        mends.append(Mend([cell], {cell: meaning}, "alone", updates=own[:1]))
    return mends, masked
