"""Whom a successor carries on, by where it stands: most updates say how far a parameter is from its successor.

A slip makes an update start from another weight, or from an older value of its own. By its formula it then belongs to
that other cell; by its place it belongs to the cell that nobody carries on. The place decides, so that the slip shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from tinyproof.check.workbook.graph.sheetgraph import Net
from tinyproof.check.workbook.graph.steps import Roles, Update
from tinyproof.check.workbook.understand.grid import Place

Shift = tuple[int, int, int]


def usual_shift(net: Net, updates: Iterable[Update]) -> Shift | None:
    """Sheets, rows and columns from a parameter to its successor, where more than half of the updates agree."""
    count: Counter[Shift] = Counter()
    for update in updates:
        a, b = net.graph.places[update.parameter], net.graph.places[update.successor]
        count[b.sheet - a.sheet, b.row - a.row, b.col - a.col] += 1
    if not count:
        return None
    shift, number = count.most_common(1)[0]
    return shift if 2 * number > count.total() and any(shift) else None


def stands_for(net: Net, successor: int, shift: Shift) -> int | None:
    """The cell that a successor carries on by its place."""
    place = net.graph.places[successor]
    there = Place(place.sheet - shift[0], place.row - shift[1], place.col - shift[2])
    cell = net.graph.number.get(there)
    return None if cell is None or cell >= net.size else int(net.canon[cell])


def by_place(net: Net, roles: Roles, updates: list[Update], dropped: list[Update]) -> list[Update]:
    """The updates with those that start from the wrong cell given to the one that they stand for.

    `dropped`: candidates whose successor is read in other places than what it starts from.
    """
    shift = usual_shift(net, updates)
    if shift is None:
        return updates
    starts = Counter(update.parameter for update in updates)
    settled = list(updates)
    for index, update in enumerate(updates):
        own = stands_for(net, update.successor, shift)
        if own is None or own == update.parameter or starts[update.parameter] < 2 or starts[own]:
            continue
        if _alike(roles, own, update.successor):
            starts[update.parameter] -= 1
            starts[own] += 1
            settled[index] = replace(update, parameter=own)
    known = {update.successor for update in settled}
    trained = known | {update.parameter for update in settled}
    for update in dropped:
        if update.parameter not in trained:
            continue  # a sum that begins with a constant
        own = stands_for(net, update.successor, shift)
        if update.successor in known or own is None or own == update.successor or starts[own]:
            continue
        if _alike(roles, own, update.successor):
            known.add(update.successor)
            starts[own] += 1
            settled.append(replace(update, parameter=own))
    return settled


def _alike(roles: Roles, one: int, other: int) -> bool:
    """Whether two cells are read in the same way by some formula."""
    return bool(roles.of(one) & roles.of(other))
