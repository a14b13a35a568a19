"""From suspects to wrong cells: a mend is looked for, made on a copy, and the copy is judged again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tinyproof.backprop.expr import Var
from tinyproof.check.workbook.graph.blame import Blame
from tinyproof.check.workbook.graph.edit_search import Budget
from tinyproof.check.workbook.graph.edits import with_meanings
from tinyproof.check.workbook.graph.forward_edits import by_forward
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.iterated import carried_wrongly
from tinyproof.check.workbook.graph.judged import Mend, judged
from tinyproof.check.workbook.graph.loss_mends import wrong_losses
from tinyproof.check.workbook.graph.not_moved import carries_older
from tinyproof.check.workbook.graph.odd_cells import moved_on, odd_cells, slips
from tinyproof.check.workbook.graph.other_start import from_another, moved_to_own
from tinyproof.check.workbook.graph.own_counts import by_own_count, uncounted
from tinyproof.check.workbook.graph.own_targets import Wrong, doubtful_targets, shifted_targets, with_targets
from tinyproof.check.workbook.graph.perhaps_meant import is_penalty
from tinyproof.check.workbook.graph.sheetgraph import SheetGraph
from tinyproof.check.workbook.graph.shown_loss import doubtful_losses
from tinyproof.check.workbook.graph.suspects import Suspects
from tinyproof.check.workbook.graph.targets_by_step import targets_by_step
from tinyproof.check.workbook.graph.turned_error import turned_errors
from tinyproof.check.workbook.graph.unread_weights import by_unread, unread
from tinyproof.check.workbook.graph.usual_targets import TARGET, unusual_targets
from tinyproof.check.workbook.graph.whole_groups import by_peers, by_search, trusted_by
from tinyproof.core.arrays import np

MOST_MENDS = 8
MOST_BLAMED = 60  # wrong updates that are put down to a cell


@dataclass
class Explained:
    """`mends`: found, made and judged. `open`: wrong updates without a mend; `blamed`: the cell that each is put down
    to. `doubts`: cells that may be wrong although every change follows."""

    mends: list[Mend]
    open: list[int]
    suspects: Suspects
    blamed: dict[int, int] = field(default_factory=dict)
    doubts: list[int] = field(default_factory=list)


def explain(found: Study, suspects: Suspects) -> Explained:
    """Mends for the wrong updates, as far as there are any; else what is wrong although every change follows."""
    round_about = carried_wrongly(found)
    counted, suspects = by_own_count(found, suspects)
    if not suspects.wrong and not suspects.lost:
        rest = _although_all_follow(found, suspects)
        rest = replace(rest, doubts=[*rest.doubts, *uncounted(found, counted)])
        mends, _ = _with_counted(counted, rest.mends, set())
        return replace(rest, mends=[*round_about, *mends, *turned_errors(found, suspects.ascends)])
    mends, left = odd_cells(found, suspects, set(suspects.wrong))
    mends, left = _with_counted(counted, mends, left)
    starts = from_another(found, left)
    mends += moved_to_own(found, suspects, starts)
    left -= set(starts)
    mend = by_forward(found, left & set(suspects.wrong), Budget(), suspects.beside["idle"]) if left else None
    nowhere = unread(found, left & set(suspects.wrong))
    mend = mend or by_unread(found, left & set(suspects.wrong), nowhere)
    if mend is not None or nowhere:  # what no unit reads may belong anywhere: no gradient is wrong for it
        return Explained([*round_about, *mends, *([mend] if mend else [])], [] if mend else sorted(left), suspects)
    blame = Blame(found, suspects)
    _search_on(found, suspects, blame, mends, left)
    blamed = {update: blame.of(update, trusted_by(found, update, left)) for update in sorted(left)[:MOST_BLAMED]}
    astray = {update: int(found.successor[update]) for update in starts}
    left |= {u for u in starts if not any(u in mend.updates for mend in mends)}
    return Explained(round_about + mends, sorted(left), suspects, astray | blamed)


def _with_counted(counted: list[Mend], mends: list[Mend], left: set[int]) -> tuple[list[Mend], set[int]]:
    """Means over their own count before what the cells around them say, which is the same."""
    cells = {cell for mend in counted for cell in mend.cells}
    healed = {update for mend in counted for update in mend.updates}
    return [*counted, *(mend for mend in mends if cells.isdisjoint(mend.cells))], left - healed


def of_the_sheet(explained: Explained, graph: SheetGraph) -> Explained:
    """Without what would be written into updates that the sheet does not have."""
    kept = [mend for mend in explained.mends if not any(cell in graph.imagined for cell in mend.cells)]
    gone = [update for mend in explained.mends if mend not in kept for update in mend.updates]
    return replace(explained, mends=kept, open=sorted({*explained.open, *gone}))


def _search_on(found: Study, suspects: Suspects, blame: Blame, mends: list[Mend], left: set[int]) -> None:
    """Look for mends parameter by parameter; those found go to `mends`, and their updates leave `left`."""
    budget = Budget()
    given_up: set[int] = set()
    while left and len(mends) < MOST_MENDS:
        todo = [update for update in sorted(left) if int(found.lineage[update]) not in given_up]
        if not todo:
            break
        lineages, counts = np.unique(found.lineage[todo], return_counts=True)
        lineage = int(lineages[np.argmax(counts)])
        own = [update for update in todo if found.lineage[update] == lineage]
        peers, mend = by_peers(found, suspects, own, left, blame), None
        if peers is None or _says_more(found, peers):
            mend = by_search(found, suspects, own, left, budget, blame)
        if peers is not None and (mend is None or not is_penalty(found.net.graph, found, mend)):
            mend = peers
        if mend is None:
            given_up.add(lineage)
            continue
        mends.append(mend)
        left -= set(mend.updates)


def _says_more(found: Study, peers: Mend) -> bool:
    """Whether a formula says more than its peers': a term of the parameter alone may be a penalty, which is meant."""
    graph = found.net.graph
    return any(len(repr(graph.meaning[cell].expr)) > len(repr(new.expr)) for cell, new in peers.new.items())


def _wrong_targets(found: Study, training: int, mended: set[int]) -> tuple[str, Wrong, list[int]]:
    """Outputs that are held against another target than their own: what such a mend is, the cells, and others in
    doubt."""
    steps, unlike = targets_by_step(found, training)
    wrong, doubt = doubtful_targets(found, training)
    if steps and not unlike:
        return "variable", {cell: pair for cell, pair in steps.items() if cell not in mended}, doubt
    kind = "variable" if wrong else TARGET
    wrong = wrong or unusual_targets(found, training)
    wrong = {cell: pair for cell, pair in wrong.items() if cell not in mended}
    alike = {found.net.graph.meaning[cell].key for cell in wrong}
    if any(held.key in alike and cell not in wrong for cell, held in found.net.graph.meaning.items()):
        return kind, {}, [*doubt, *unlike, *wrong]  # the others say the same, and are not wrong
    return kind, wrong, [*doubt, *(cell for cell in unlike if cell not in wrong)]


def _although_all_follow(found: Study, suspects: Suspects) -> Explained:
    """Slips in one row, and outputs that are held against another number than their target."""
    mends, doubts = slips(found)
    mends += moved_on(found, suspects, carries_older(found))
    for training in found.trainings():
        losses, open_ones = wrong_losses(found, training, doubtful_losses(found, training))
        mends += [mend for mend in losses if not any(c in m.cells for c in mend.cells for m in mends)]
        kind, wrong, doubt = _wrong_targets(found, training, {cell for mend in mends for cell in mend.cells})
        asked = (*doubt, *open_ones, *shifted_targets(found, training))
        doubts += [c for c in asked if not any(c in m.cells for m in mends)]
        new = with_targets(found, wrong)
        again = judged(with_meanings(found.net.graph, new)) if new else None
        if again is None or again[1].wrong:
            doubts += list(wrong)
            continue
        old, right = next(iter(wrong.values()))
        mend = Mend(list(new), new, kind, updates=[int(np.flatnonzero(found.training == training)[0])])
        mend.old_part, mend.new_part = (Var(found.net.graph.name(c)) for c in (old, right))
        mends.append(mend)
    return Explained(mends, [], suspects, doubts=doubts)
