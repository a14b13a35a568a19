"""A workbook judged as a graph of cells: what is wrong, what could not be told, what was compared and is right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tinyproof.check.facts import Training
from tinyproof.check.workbook.graph.blame import together
from tinyproof.check.workbook.graph.forward_edits import ACTIVATED
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.gradients_alone import with_updates
from tinyproof.check.workbook.graph.iterated import opened
from tinyproof.check.workbook.graph.judged import copies_apart, judged
from tinyproof.check.workbook.graph.mends import Explained, explain, of_the_sheet
from tinyproof.check.workbook.graph.odd_cells import part_of
from tinyproof.check.workbook.graph.perhaps_meant import is_penalty, perhaps_penalty
from tinyproof.check.workbook.graph.sheetgraph import SheetGraph, read_graph
from tinyproof.check.workbook.graph.states import carries
from tinyproof.check.workbook.graph.suspects import Suspects
from tinyproof.check.workbook.graph.told import (
    ascent,
    astray_told,
    beside_told,
    doubt_told,
    line_told,
    loose_told,
    lost_told,
    mended_told,
    no_objective,
    not_read,
    rests_told,
    strange_told,
    typed_told,
    uneven_told,
    without_mend,
)
from tinyproof.check.workbook.graph.training_facts import training_found
from tinyproof.check.workbook.graph.turned_error import ASCENT
from tinyproof.check.workbook.graph.wording import named
from tinyproof.check.workbook.read.worksheet_functions import NotUnderstood
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.understand.grid import Grid, Place
from tinyproof.core.arrays import np

LEAST = 0.25  # and where a tried mend makes all the rest follow
FEW = 2  # updates, beside which gradients that nothing takes off are looked for
ENOUGH = 0.5  # of a training: more must follow its objective before anything in it is called wrong


@dataclass
class GraphVerdict:
    """`problems`, `checked`: what could not be told, what was compared and is right, one line each, by sheet.

    `right`: the sheets that a training stands on -> is everything there right. `follow`: those on which every change
    follows its gradient, whatever else is in doubt. `spread`: those whose training goes over
    several sheets. `unread`: those with a training of which no change could be read. `rounded`: those
    with a ROUND, which is read as if it were not there. `used`: the cells of the way back that changes use which follow
    their gradient. `trainings`: what each holds, with the sheet it stands on. `still`: there are formulas, and no cell
    is another cell plus a change that depends on it.
    """

    mistakes: list[Mistake] = field(default_factory=list)
    problems: dict[int, list[str]] = field(default_factory=dict)
    checked: dict[int, list[str]] = field(default_factory=dict)
    right: dict[int, bool] = field(default_factory=dict)
    follow: set[int] = field(default_factory=set)
    spread: set[int] = field(default_factory=set)
    unread: set[int] = field(default_factory=set)
    rounded: set[int] = field(default_factory=set)
    used: set[Place] = field(default_factory=set)
    trainings: list[tuple[int, Training]] = field(default_factory=list)
    formulas: int = 0
    still: bool = False

    def problem(self, sheet: int, text: str) -> None:
        own = self.problems.setdefault(sheet, [])
        if text not in own:
            own.append(text)


def judge_graph(
    grid: Grid, sheets: Sequence[int] | None = None, mends: bool = True, alone: bool = True
) -> GraphVerdict:
    """Judge every training of the workbook; of some sheets: what these read of the others is given. `mends`: look for
    the wrong cells too, not only whether something is wrong. `alone`: derivatives that nothing takes off count too.
    """
    verdict = GraphVerdict()
    try:
        graph = opened(read_graph(grid, sheets))
    except NotUnderstood as problem:
        verdict.problem(0, str(problem))
        return verdict
    verdict.formulas = graph.formulas
    verdict.rounded = {graph.places[cell].sheet for cell in graph.rounds}
    graph, answer, left = _answered(graph) if alone else (graph, judged(graph), [])
    for cell in left[:1]:
        verdict.problem(graph.places[cell].sheet, astray_told(graph, cell))
    if answer is None:
        verdict.still = graph.formulas > 0
        return verdict
    found, suspects = answer
    if mends and (suspects.wrong or suspects.lost):
        found, suspects = copies_apart(found, suspects)
    explained = Explained([], [], suspects)
    if mends or not (suspects.wrong or suspects.lost):
        explained = explain(found, suspects)
    explained, suspects = of_the_sheet(explained, graph), explained.suspects
    verdict.used = _used(found, suspects)
    for training in found.trainings():
        _training(verdict, graph, found, suspects, explained, training)
    return verdict


def _answered(graph: SheetGraph) -> tuple[SheetGraph, tuple[Study, Suspects] | None, list[int]]:
    """The graph judged; where fewer updates follow anything than there are gradients that nothing takes off, with the
    updates that these lack, and the sheet's own updates that follow nothing."""
    answer = judged(graph)
    follow = 0 if answer is None else int(answer[0].match.ok.sum())
    imagined = with_updates(graph) if follow <= FEW else None
    if imagined is not None and len(imagined.imagined) > 2 * follow:
        again = judged(imagined)
        if again is not None and int(again[0].match.ok.sum()) > follow:
            left = [] if answer is None else sorted({*answer[1].wrong, *answer[1].unread})
            return imagined, again, [int(answer[0].successor[u]) for u in left] if answer is not None else []
    return graph, answer, []


def _used(found: Study, suspects: Suspects) -> set[Place]:
    """The cells of the way back that right changes use, and their successors."""
    right = np.flatnonzero(found.match.ok)
    ends = found.successor[[u for u in right if int(u) not in suspects.wrong]]
    if not len(ends) or found.forward is None:
        return set()
    net = found.net
    used = found.order.cone(ends) & found.depends & ~found.order.cut & ~found.forward
    return {net.graph.places[cell] for cell in [*np.flatnonzero(used), *ends]}


def _training(
    verdict: GraphVerdict, graph: SheetGraph, found: Study, suspects: Suspects, explained: Explained, training: int
) -> None:
    mine = np.flatnonzero(found.training == training)
    own = _Own(graph, found, suspects, explained, training, mine)
    if not graph.imagined:
        verdict.trainings.append((own.home, training_found(graph, found, mine)))
    before = len(verdict.mistakes)
    own.accuse(verdict)
    open_questions = own.ask(verdict)
    follows = mine[found.match.ok[mine]]
    told = len(verdict.mistakes) > before or bool(own.wrong or own.lost) or open_questions
    right = not told and not own.doubts and len(follows) > 0
    _stand(verdict, own, right, len(follows) == len(mine) and not (own.wrong or own.lost or own.unread or own.uneven))
    if len(follows):
        line = line_told(graph, found, mine, follows, training, right)
        verdict.checked.setdefault(own.home, []).append(line)


def _stand(verdict: GraphVerdict, own: _Own, right: bool, follow: bool) -> None:
    """What is said of the sheets that a training stands on."""
    if len(own.sheets) > 1:
        verdict.spread.update(own.sheets)
    if follow:
        verdict.follow.update(set(own.sheets) - set(verdict.right))
    else:
        verdict.follow -= set(own.sheets)
    for sheet in own.sheets:
        verdict.right[sheet] = verdict.right.get(sheet, True) and right


class _Own:
    """What was found of one training: its sheets, its wrong updates and their mends, what could not be told."""

    def __init__(
        self, graph: SheetGraph, found: Study, suspects: Suspects, explained: Explained, training: int, mine: np.ndarray
    ) -> None:
        self.graph, self.found, self.suspects, self.explained = graph, found, suspects, explained
        self.training, self.mine = training, mine
        ends = [*found.successor[mine], *found.parameter[mine]]
        self.home = min(graph.places[cell].sheet for cell in found.successor[mine])
        self.sheets = sorted({graph.places[cell].sheet for cell in ends})
        self.wrong = [int(u) for u in mine if int(u) in suspects.wrong]
        self.mends = [mend for mend in explained.mends if self._mine(mend.updates)]
        self.unread, self.uneven, self.loose = map(self._mine, (suspects.unread, suspects.uneven, suspects.loose))
        self.rests = self._mine(suspects.rests)
        self.typed = [cell for cell in suspects.typed if graph.places[cell].sheet in self.sheets]
        self.beside = {
            way: own for way, cells in suspects.beside.items()
            if (own := [cell for cell in cells if graph.places[cell].sheet in self.sheets])
        }  # fmt: skip
        if self.beside.get("untaken"):  # an update may start from another number than its own
            starts = {int(cell) for cell in found.successor} | graph.copies.keys()
            self.mends = [mend for mend in self.mends if mend.kind in ("odd", "peers") or starts.issuperset(mend.cells)]
        self.lost = {cell: u for cell, u in suspects.lost.items() if found.training[u] == training}
        self.doubts = [cell for cell in explained.doubts if part_of(found, cell) == training]

    def _mine(self, updates: Iterable[int]) -> list[int]:
        return [u for u in updates if self.found.training[u] == self.training]

    def sure(self, opened: list[int]) -> bool:
        """Whether so much follows the objective, or does with one mend, that what does not is wrong."""
        mine, mends = self.mine, self.mends
        if self._only_begins():
            return False
        right = sum(int(u) not in self.suspects.wrong for u in mine[self.found.match.ok[mine]])
        healed = len({u for mend in mends for u in mend.updates})
        single = sum(mend.kind != "odd" for mend in mends) <= 1 and not (mends and opened)  # one mistake explains all
        few = bool(mends) and all(mend.kind == "odd" for mend in mends) and 4 * len(mends) <= healed
        whole = len(mends) == 1 and mends[0].kind == ACTIVATED and healed == len(mine) > 2
        formulas = all(cell in self.graph.meaning for mend in mends for cell in mend.cells)
        whole = whole or (few and formulas and healed == len(mine))  # the others say it, and without it nothing follows
        enough = whole or right >= (1 if few else LEAST * len(mine))
        return right > ENOUGH * len(mine) or (single and right + healed >= 0.9 * len(mine) and enough)

    def _only_begins(self) -> bool:
        """Whether only first steps are right, and all later ones have something carried into them that is not read."""
        found, mine = self.found, self.mine
        later = np.isin(found.parameter[mine], found.successor[mine])
        wrong = np.isin(mine, self.wrong)
        return bool(carries(found, mine) and np.array_equal(later, wrong) and len(set(found.lineage[self.wrong])) > 1)

    def accuse(self, verdict: GraphVerdict) -> None:
        """The mistakes; where too little follows the objective, that is said in their place."""
        graph, found = self.graph, self.found
        healed = {u for mend in self.mends for u in mend.updates}
        opened = [u for u in self.wrong if u not in healed]
        sure = self.sure(opened)
        if any(graph.places[cell].sheet in self.sheets for cell in graph.strange):
            return  # which cell is whose derivative is not known: `ask` says so
        if self.training in found.disputed:
            return  # as above
        turned = any(mend.kind == ASCENT for mend in self.mends)  # says so itself
        if self.training in self.suspects.ascends and found.kinds[self.training] != "shown" and not turned:
            verdict.mistakes.append(ascent(graph, found, self.mine))
        if sure:
            self._accuse_surely(verdict, opened)
        elif self.wrong or self.lost:
            verdict.problem(self.home, no_objective(graph, found, self.mine))

    def _accuse_surely(self, verdict: GraphVerdict, opened: list[int]) -> None:
        graph, found = self.graph, self.found
        penalties = [mend for mend in self.mends if is_penalty(graph, found, mend)]
        verdict.mistakes += [mended_told(graph, found, mend) for mend in self.mends if mend not in penalties]
        if penalties:
            verdict.problem(self.home, perhaps_penalty(graph, penalties[0]))
        if opened:
            right = [u for u in self.mine if found.match.ok[u] and int(u) not in self.suspects.wrong]
            _unexplained(verdict, graph, found, self.explained, opened, self.home, len(right) / len(self.mine))
        lost = [cell for cell in self.lost if not any(cell in mend.cells for mend in self.mends)]
        verdict.mistakes += [lost_told(graph, found, cell) for cell in lost]

    def ask(self, verdict: GraphVerdict) -> bool:
        """What could not be told; whether there is anything."""
        graph, found = self.graph, self.found
        if len(self.unread) == len(self.mine):
            verdict.unread.add(self.home)
        if self.unread:
            verdict.problem(self.home, not_read(graph, found, self.unread[0]))
        if self.uneven and not self.wrong:
            verdict.problem(self.home, uneven_told(graph, found, self.uneven[0]))
        if self.rests and not self.wrong:
            verdict.problem(self.home, rests_told(graph, found, self.rests[0]))
        if self.loose and not self.wrong:
            verdict.problem(self.home, loose_told(graph, found, self.loose[0]))
        if self.typed:
            verdict.problem(self.home, typed_told(graph, self.typed[0]))
        for way, cells in self.beside.items():
            verdict.problem(self.home, beside_told(graph, way, cells[0]))
        strange = [cell for cell in graph.strange if graph.places[cell].sheet in self.sheets]
        if strange:
            verdict.problem(self.home, strange_told(graph, strange[0]))
        if self.training in found.disputed:
            verdict.problem(self.home, found.disputed[self.training])
        if self.doubts:
            verdict.problem(self.home, doubt_told(graph, self.doubts[0]))
        told = self.unread or self.uneven or self.rests or self.loose or self.typed or self.beside or strange
        return bool(told) or self.training in found.disputed


def _unexplained(
    verdict: GraphVerdict, graph: SheetGraph, found: Study, explained: Explained, opened: list[int], home: int,
    share: float,
) -> None:  # fmt: skip
    """Wrong updates for which no mend was found: an error where all around them is right and one formula explains them;
    a mistake of the forward pass shows in several at once."""
    first = int(found.successor[opened[0]])
    groups = together(found, {u: explained.blamed[u] for u in opened if u in explained.blamed})
    guess = found.kinds[int(found.training[opened[0]])] == "shown"  # which value is meant
    if share <= ENOUGH or guess or graph.imagined or len(groups) > 1 or found.states:
        verdict.problem(home, f"the change of {named(graph, first)} follows no objective that the others follow")
        return
    for update, cells in groups:
        verdict.mistakes.append(without_mend(graph, found, update, cells))
