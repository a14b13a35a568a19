"""Whom a successor carries on, by where it stands: most updates say how far a parameter is from its successor.

A slip makes an update start from another weight, or from an older value of its own. By its formula it then belongs to
that other cell; by its place it belongs to the cell that nobody carries on. The place decides, so that the slip shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from tinyproof.check.workbook.graph.cell_net import Net
from tinyproof.check.workbook.graph.cell_roles import Roles
from tinyproof.check.workbook.graph.steps import Update, plus_terms
from tinyproof.check.workbook.understand.grid import Place
from tinyproof.core.arrays import np

Shift = tuple[int, int, int]


def usual_shift(net: Net, updates: Iterable[Update], made: bool = False) -> Shift | None:
    """Sheets, rows and columns from the cell that an update reads to its own, where more than half of them agree;
    `made`: from the cell where its parameter is made, whatever copies stand between.

    Of formulas that say exactly the same the nearest one counts: the others were copied without being moved.
    """
    nearest = _nearest(net, updates, lambda u: (int(net.form_of[u.successor]), *net.reads(u.successor)), made)
    if not nearest:
        return None
    shift, number = Counter(nearest.values()).most_common(1)[0]
    return shift if 2 * number > len(nearest) and any(shift) else None


def _nearest(
    net: Net, updates: Iterable[Update], key: Callable[[Update], object], made: bool = False
) -> dict[object, Shift]:
    """The shortest shift of the updates that have a key in common."""
    nearest: dict[object, Shift] = {}
    for update in updates:
        start = update.parameter if made else net.graph.meaning[update.successor].refs[update.bare]
        a = net.graph.places[start]
        b = net.graph.places[update.successor]
        shift = b.sheet - a.sheet, b.row - a.row, b.col - a.col
        known = nearest.get(key(update))
        if known is None or sum(map(abs, shift)) < sum(map(abs, known)):
            nearest[key(update)] = shift
    return nearest


def stands_for(net: Net, successor: int, shift: Shift) -> int | None:
    """The cell that a successor carries on by its place."""
    place = net.graph.places[successor]
    there = Place(place.sheet - shift[0], place.row - shift[1], place.col - shift[2])
    cell = net.graph.number.get(there)
    return None if cell is None or cell >= net.size else int(net.canon[cell])


def by_place(net: Net, roles: Roles, updates: list[Update], dropped: list[Update]) -> list[Update]:
    """The updates with those that start from the wrong cell given to the one that they stand for: of several that start
    from one parameter, and of those that stand for one which another `dropped` one makes.

    `dropped`: candidates whose successor is read in other places than what it starts from.
    """
    places = _Places(net, roles, updates, dropped)
    settled = places.forks(places.trails(updates))
    trained = {cell for update in settled for cell in (update.parameter, update.successor)}
    settled += places.others([update for update in dropped if update.parameter in trained], last=True)
    return [*settled, *places.others(places.alike(settled))]


class _Places:
    """Which parameters nobody carries on yet, and who stands where somebody should."""

    def __init__(self, net: Net, roles: Roles, updates: list[Update], dropped: list[Update]) -> None:
        self.net, self.roles = net, roles
        self.usual = usual_shift(net, updates) or usual_shift(net, updates, made=True)
        sheets: dict[int, list[Update]] = {}
        for update in updates:
            sheets.setdefault(net.graph.places[update.successor].sheet, []).append(update)
        self.by_sheet = {sheet: usual_shift(net, own) or self.usual for sheet, own in sheets.items()}
        self.starts = Counter(update.parameter for update in updates)
        self.filled = {update.successor for update in updates}
        self.waiting = {update.successor for update in dropped if roles.of(update.successor)} - self.filled

    def shift(self, update: Update) -> Shift | None:
        """How far an update usually is from what it reads, on its sheet."""
        return self.by_sheet.get(self.net.graph.places[update.successor].sheet, self.usual)

    def own(self, update: Update, shift: Shift | None, last: bool = False) -> int | None:
        """The parameter that a successor stands for, where nobody carries it on: no formula that is no update. `last`:
        nothing need read the successor, if that parameter is read like the one that it starts from, or beside it."""
        successor = update.successor
        cell = None if shift is None else stands_for(self.net, successor, shift)
        if cell is None or cell == successor or self.starts[cell]:
            return None
        if self.net.form_of[cell] >= 0 and cell not in self.filled and cell not in self.waiting:
            return None
        known = self.roles.of(successor) or (self.roles.of(update.parameter) if last else set())
        beside = last and not self.roles.of(successor) and self.read_together(cell, update.parameter)
        return cell if beside or self.roles.of(cell) & known else None

    def read_together(self, one: int, other: int) -> bool:
        """Whether some formula reads both."""
        src, dst = self.net.src, self.net.dst
        return bool(np.intersect1d(dst[src == one], dst[src == other]).size)

    def forks(self, updates: list[Update]) -> list[Update]:
        """Of several updates that start from one parameter those that stand for another are given to that."""
        nearest = _nearest(self.net, updates, lambda update: update.parameter)
        settled = []
        for update in updates:
            usual = self.shift(update)
            home = usual is not None and stands_for(self.net, update.successor, usual) == update.parameter
            shifts = () if home else (usual, nearest[update.parameter])
            own = next((cell for s in shifts if (cell := self.own(update, s, last=True)) is not None), None)
            if self.starts[update.parameter] < 2 and own not in self.waiting:
                own = None
            if own is not None:
                self.starts[update.parameter] -= 1
                self.starts[own] += 1
            settled.append(update if own is None else replace(update, parameter=own))
        return settled

    def trails(self, updates: list[Update]) -> list[Update]:
        """Of two updates that start from one parameter one stands for another, from which the next one starts, which
        stands for another again, and so on to one that nobody carries on: each was left behind by as much."""
        nearest = _nearest(self.net, updates, lambda update: update.parameter)
        by_start: dict[int, list[Update]] = {}
        for update in updates:
            by_start.setdefault(update.parameter, []).append(update)
        homes: dict[Update, int] = {}
        for forked in [own for own in by_start.values() if len(own) > 1]:
            shifts = dict.fromkeys(s for s in (self.shift(forked[0]), nearest[forked[0].parameter]) if s is not None)
            for shift in shifts:
                trail = self._trail(forked, shift, by_start)
                if trail:
                    homes |= trail
                    break
        for update, home in homes.items():
            self.starts[update.parameter] -= 1
            self.starts[home] += 1
        return [replace(update, parameter=homes.get(update, update.parameter)) for update in updates]

    def _trail(self, forked: list[Update], shift: Shift, by_start: dict[int, list[Update]]) -> dict[Update, int]:
        """The updates left behind from a fork on, each with the parameter that it stands for; none where they lead
        nowhere."""
        off = [u for u in forked if stands_for(self.net, u.successor, shift) != u.parameter]
        if len(off) != 1 or len(off) == len(forked):
            return {}
        trail: dict[Update, int] = {}
        update: Update | None = off[0]
        while update is not None:
            home = stands_for(self.net, update.successor, shift)
            if home is None or home == update.parameter or update in trail or not self._is_alike(home, update):
                return {}
            trail[update] = home
            following = by_start.get(home, [])
            if len(following) > 1:
                return {}
            update = following[0] if following else None
        return trail if len(trail) > 1 else {}

    def _is_alike(self, home: int, update: Update) -> bool:
        """Whether a cell is a parameter as the one is that an update starts from."""
        return home in self.filled and bool(self.roles.of(home) & self.roles.of(update.parameter))

    def others(self, candidates: Iterable[Update], last: bool = False) -> list[Update]:
        """Candidates that stand for a parameter that nobody carries on."""
        found = []
        for update in candidates:
            own = self.own(update, self.shift(update), last) if update.successor not in self.filled else None
            if own is not None:
                self.filled.add(update.successor)
                self.starts[own] += 1
                found.append(replace(update, parameter=own))
        return found

    def alike(self, updates: list[Update]) -> Iterator[Update]:
        """Formulas like those of the updates that start from some parameter, whatever their change depends on."""
        net = self.net
        trained = {cell for update in updates for cell in (update.parameter, update.successor)}
        for form in dict.fromkeys(int(net.form_of[update.successor]) for update in updates):
            for cell in net.forms[form].cells.tolist():
                meaning = net.graph.meaning[cell]
                bares = plus_terms(meaning.expr) if cell not in trained else []
                bare = next((b for b in bares if int(net.canon[meaning.refs[b]]) in trained), None)
                if bare is not None:
                    yield Update(int(net.canon[meaning.refs[bare]]), cell, bare)
