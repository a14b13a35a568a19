"""Which cell a wrong update is put down to, before any mend is looked for."""

from __future__ import annotations

from collections.abc import Mapping

from tinyproof.check.workbook.graph.cells_around import far
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.known import Known, first_wrong, known_of
from tinyproof.check.workbook.graph.suspects import Suspects
from tinyproof.check.workbook.graph.transfer import odd_in_rule
from tinyproof.check.workbook.graph.way_back import on_the_way, reads_back
from tinyproof.core.arrays import np

MOST_PEERS = 12
MOST_LEVELS = 6  # formulas between a change and its gradient


class Blame:
    """The cells to blame, with what was found out on the way."""

    def __init__(self, found: Study, suspects: Suspects) -> None:
        self.found, self.suspects = found, suspects
        self.known: dict[int, Known] = {}
        self.told: dict[int, int] = {}
        self.by_rule: set[int] = set()

    def of(self, update: int, trusted: np.ndarray) -> int:
        """The cell to blame for one wrong update. `trusted`: cells that right updates of the same step use."""
        if update not in self.told:
            self.told[update] = self._find(update, trusted)
        cell = self.told[update]
        return cell if update in self.by_rule else self._shared(update, cell, trusted)

    def _shared(self, update: int, cell: int, trusted: np.ndarray) -> int:
        """What the blamed formulas of several parameters read in common, and no right one: they are wrong by it."""
        found = self.found
        others = [u for u in self.suspects.wrong if found.step[u] == found.step[update]]
        others = [u for u in others if found.lineage[u] != found.lineage[update]][:MOST_PEERS]
        read: dict[int, int] = {}
        for other in others:
            if other not in self.told:
                self.told[other] = self._find(other, trusted)
            if self.told[other] != cell:
                for below in reads_back(found, self.told[other]):
                    read[below] = read.get(below, 0) + 1
        common = [c for c in reads_back(found, cell) if read.get(c) and not trusted[c]]
        return common[0] if common else cell

    def _find(self, update: int, trusted: np.ndarray) -> int:
        found, own = self.found, self.found.updates[update]
        if found.net.canon[found.net.graph.meaning[own.successor].refs[own.bare]] != own.parameter:
            self.by_rule.add(update)  # it starts from another parameter than the one that it stands for
            return own.successor
        if update in self.suspects.scaled or update in found.sources:
            peers = self._peers(update)
            other = self._other_form(update, peers) if update in self.suspects.scaled else None
            if other is not None:
                self.by_rule.add(update)
                return other
            cell = odd_in_rule(found, update, peers)
            if cell is not None:
                self.by_rule.add(update)
                return cell
        training = int(found.training[update])
        if training not in self.known:
            self.known[training] = known_of(found, training)
        return first_wrong(found, self.known[training], update, trusted, self._usual(self._peers(update)))

    def _usual(self, peers: list[int]) -> list[set[int]]:
        """The forms of right changes' formulas by their distance from the parameter."""
        found, usual = self.found, list[set[int]]()
        front = [int(found.successor[u]) for u in peers]
        while front and len(usual) < MOST_LEVELS:
            usual.append({int(found.net.form_of[c]) for c in front})
            front = list(dict.fromkeys(c for cell in front for c in reads_back(found, cell)))
        return usual

    def _other_form(self, update: int, peers: list[int]) -> int | None:
        """The first formula between a change at another rate and its gradient that is built otherwise than those of
        right changes at the same distance."""
        found, net = self.found, self.found.net
        here, there = [int(found.successor[update])], [int(found.successor[u]) for u in peers]
        for _ in range(MOST_LEVELS):
            forms = {int(net.form_of[c]) for c in there}
            if len(here) != 1 or not forms:
                return None
            if int(net.form_of[here[0]]) not in forms:
                return here[0]
            here, there = ([c for cell in cells for c in reads_back(found, cell)] for cells in (here, there))
        return None

    def _peers(self, update: int) -> list[int]:
        """Right updates of other parameters in the same step, else those of any step; the nearest."""
        found = self.found
        right = [int(u) for u in np.flatnonzero(found.match.ok & (found.training == found.training[update]))]
        right = [u for u in right if u not in self.suspects.wrong]
        here = [u for u in right if found.step[u] == found.step[update] and found.lineage[u] != found.lineage[update]]
        place, places = found.net.graph.places, found.successor
        return sorted(here or right, key=lambda u: far(place[places[u]], place[places[update]]))[:MOST_PEERS]


def together(found: Study, blamed: Mapping[int, int]) -> list[tuple[int, list[int]]]:
    """Groups of blamed cells that say the same, each with one of the wrong updates; as few as account for all of them.

    A wrong update is accounted for by any blamed cell on its way.
    """
    groups: dict[object, list[int]] = {}
    for cell in dict.fromkeys(blamed.values()):
        meaning = found.net.graph.meaning.get(cell)
        groups.setdefault(meaning.key if meaning else cell, []).append(cell)
    ways = {update: on_the_way(found, update) | {cell} for update, cell in blamed.items()}
    open_ones, chosen = set(blamed), []
    while open_ones:
        counts = {key: sum(not ways[u].isdisjoint(cells) for u in open_ones) for key, cells in groups.items()}
        best = max(counts, key=lambda key: counts[key])
        cells = groups.pop(best)
        settled = {u for u in open_ones if not ways[u].isdisjoint(cells)}
        if settled:
            chosen.append((next(u for u in sorted(settled)), cells))
        open_ones -= settled
    return chosen
