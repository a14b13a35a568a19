"""A workbook judged as a graph of cells: what is wrong, what could not be told, what was compared and is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tinyproof.backprop.expr import names
from tinyproof.check.workbook.graph.blame import together
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.judged import Mend, judged
from tinyproof.check.workbook.graph.mends import Explained, explain
from tinyproof.check.workbook.graph.sheetgraph import SheetGraph, read_graph
from tinyproof.check.workbook.graph.suspects import Suspects
from tinyproof.check.workbook.graph.wording import formula, heading, in_names, named, part, says, stretches_of
from tinyproof.check.workbook.read.worksheet_functions import NotUnderstood
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.understand.grid import Grid

OBJECTIVES = {
    "square": "the squared error",
    "logistic": "the cross-entropy",
    "softmax": "the cross-entropy (softmax)",
    "shown": "a value that the sheet shows",
}
LEAST = 0.25  # and where a tried mend makes all the rest follow
ENOUGH = 0.5  # of a training: more must follow its objective before anything in it is called wrong


@dataclass
class GraphVerdict:
    """`problems`, `checked`: what could not be told, what was compared and is right, one line each, by sheet.

    `right`: the sheets that a training stands on -> is everything there right. `follow`: those on which every change
    follows its gradient, whatever else is in doubt. `spread`: those whose training goes over
    several sheets. `unread`: those with a training of which no change could be read. `rounded`: those
    with a ROUND, which is read as if it were not there. `still`: there are formulas, and no cell is another cell plus a
    change that depends on it.
    """

    mistakes: list[Mistake] = field(default_factory=list)
    problems: dict[int, list[str]] = field(default_factory=dict)
    checked: dict[int, list[str]] = field(default_factory=dict)
    right: dict[int, bool] = field(default_factory=dict)
    follow: set[int] = field(default_factory=set)
    spread: set[int] = field(default_factory=set)
    unread: set[int] = field(default_factory=set)
    rounded: set[int] = field(default_factory=set)
    formulas: int = 0
    still: bool = False

    def problem(self, sheet: int, text: str) -> None:
        own = self.problems.setdefault(sheet, [])
        if text not in own:
            own.append(text)


def judge_graph(grid: Grid, sheets: Sequence[int] | None = None, mends: bool = True) -> GraphVerdict:
    """Judge every training of the workbook; of some sheets: what these read of the others is given. `mends`: look for
    the wrong cells too, not only whether something is wrong.
    """
    verdict = GraphVerdict()
    try:
        graph = read_graph(grid, sheets)
    except NotUnderstood as problem:
        verdict.problem(0, str(problem))
        return verdict
    verdict.formulas = graph.formulas
    verdict.rounded = {graph.places[cell].sheet for cell in graph.rounds}
    answer = judged(graph)
    if answer is None:
        verdict.still = graph.formulas > 0
        return verdict
    found, suspects = answer
    explained = Explained([], [], suspects)
    if mends or not (suspects.wrong or suspects.lost):
        explained = explain(found, suspects)
    for training in found.trainings():
        _training(verdict, graph, found, suspects, explained, training)
    return verdict


def _training(
    verdict: GraphVerdict, graph: SheetGraph, found: Study, suspects: Suspects, explained: Explained, training: int
) -> None:
    mine = np.flatnonzero(found.training == training)
    sheets = sorted({graph.places[found.successor[u]].sheet for u in mine})
    sheets = sorted({*sheets, *(graph.places[found.parameter[u]].sheet for u in mine)})
    home = sheets[0]
    follows = mine[found.match.ok[mine]]
    wrong = [u for u in mine if int(u) in suspects.wrong]
    mends = [mend for mend in explained.mends if any(found.training[u] == training for u in mend.updates)]
    healed = {u for mend in mends for u in mend.updates}
    opened = [int(u) for u in wrong if int(u) not in healed]
    right_ones = mine[[int(u) not in suspects.wrong for u in mine] & found.match.ok[mine]]
    strong = len(right_ones) > ENOUGH * len(mine)
    before = len(verdict.mistakes)
    if training in suspects.ascends and found.kinds[training] != "shown":
        verdict.mistakes.append(_ascent(graph, found, mine))
    single = sum(mend.kind != "odd" for mend in mends) <= 1 and not (mends and opened)  # one mistake explains all
    whole = single and len(right_ones) + len(healed) >= 0.9 * len(mine) and len(right_ones) >= LEAST * len(mine)
    if strong or whole:
        penalties = [mend for mend in mends if _is_penalty(graph, found, mend)]
        verdict.mistakes += [_mended(graph, found, mend) for mend in mends if mend not in penalties]
        if penalties:
            verdict.problem(home, _perhaps_penalty(graph, penalties[0]))
        if opened:
            _unexplained(verdict, graph, found, explained, opened, home, len(right_ones) / len(mine))
    elif wrong:
        verdict.problem(home, _no_objective(graph, found, mine))
    for cell, update in suspects.lost.items():
        if (strong or whole) and found.training[update] == training and not any(cell in m.cells for m in mends):
            verdict.mistakes.append(_lost(graph, found, cell))
    unread = [u for u in suspects.unread if found.training[u] == training]
    if len(unread) == len(mine):
        verdict.unread.add(home)
    if unread:
        verdict.problem(home, _not_read(graph, found, unread[0]))
    uneven = [u for u in suspects.uneven if found.training[u] == training]
    if uneven and not wrong:
        verdict.problem(home, _uneven(graph, found, uneven[0]))
    lost = [u for u in suspects.lost.values() if found.training[u] == training]
    if lost and not (strong or whole or wrong):
        verdict.problem(home, _no_objective(graph, found, mine))
    doubts = [c for c in explained.doubts if found.label[found.net.canon[c]] == training]
    if doubts:
        verdict.problem(home, _doubt(graph, doubts[0]))
    right = (
        not doubts
        and len(verdict.mistakes) == before
        and not wrong
        and not lost
        and not unread
        and not uneven
        and len(follows) > 0
    )
    if len(sheets) > 1:
        verdict.spread.update(sheets)
    if len(follows) == len(mine) and not (wrong or lost or unread or uneven):
        verdict.follow.update(set(sheets) - set(verdict.right))
    else:
        verdict.follow -= set(sheets)
    for sheet in sheets:
        verdict.right[sheet] = verdict.right.get(sheet, True) and right
    if len(follows):
        verdict.checked.setdefault(home, []).append(_line(graph, found, mine, follows, training, right))


def _line(graph: SheetGraph, found: Study, mine: np.ndarray, follows: np.ndarray, training: int, right: bool) -> str:
    parameters = len({int(found.lineage[u]) for u in mine})
    steps = max(1, len(mine) // max(1, parameters))
    what = f"{OBJECTIVES[found.kinds[training]]}" + (", through a state" if found.states else "")
    whose = f"{parameters} parameter{'s' if parameters > 1 else ''} over {steps} step{'s' if steps > 1 else ''}"
    if right:
        return f"{len(follows)} changes of {whose} follow the gradient of {what}: right"
    return f"{len(follows)} of {len(mine)} changes of {whose} follow the gradient of {what}"


def _kind(found: Study, cell: int) -> str:
    if int(cell) in {int(s) for s in found.successor}:
        return "wrong-update"
    if found.forward is not None and cell < found.net.size and found.forward[cell]:
        return "wrong-forward"
    return "wrong-gradient"


def _mended(graph: SheetGraph, found: Study, mend: Mend) -> Mistake:
    by_sheet: dict[int, list[int]] = {}
    for cell in sorted(mend.cells, key=lambda c: graph.places[c]):
        by_sheet.setdefault(graph.places[cell].sheet, []).append(cell)
    sheet, cells = next(iter(by_sheet.items()))
    cell = cells[0]
    typed = cell not in graph.meaning and cell not in graph.opaque
    kind = "pasted-values" if typed else "inconsistent-rows" if mend.kind in ("odd", "alone") else _kind(found, cell)
    swapped = (mend.old_part, mend.new_part) if mend.old_part is not None and mend.new_part is not None else None
    fix = formula(graph, cell, mend.new[cell], swapped)
    own = in_names(graph, mend.new[cell])
    where = stretches_of(graph, cells) + "".join(
        f", {graph.grid.sheet(other).name}!{stretches_of(graph, others)}"
        for other, others in list(by_sheet.items())[1:]
    )
    return Mistake(
        kind, "error", sheet, heading(graph, cell) or graph.name(cell), _message(graph, found, mend, cell, typed),
        rows=(graph.places[cell].row,), cells=where, says=says(graph, cell),
        should_say=(f"{own}, {fix}" if own and fix else fix or own), why=_why(graph, found, mend), fix=fix,
        effect=_effect(graph, found, mend),
    )  # fmt: skip


def _message(graph: SheetGraph, found: Study, mend: Mend, cell: int, typed: bool) -> str:
    what = named(graph, cell)
    if typed:
        return f"{what} is a typed number where the cells around it have a formula, and the training needs that formula"
    if mend.kind == "alone":
        return f"{what} says something else than the cells before and after it, which say the same: a slip in one row"
    if mend.kind == "odd":
        return f"{what} says something else than the cells around it, and only what they say is right"
    old, new = part(graph, mend.old_part), part(graph, mend.new_part)
    if old and new and mend.kind in ("variable", "number", "operator", "exchanged sides", "function"):
        return f"{what}: {old} stands where {new} belongs"
    if new and mend.kind == "lost factor":
        return f"{what}: the factor {new} is missing"
    if old and mend.kind in ("extra factor", "extra term"):
        return f"{what}: {old} is one too many"
    if new and mend.kind == "lost term":
        return f"{what}: {new} is missing"
    if mend.kind == "sign":
        return f"{what}: a sign is wrong"
    return f"{what} does not say what the training needs"


def _why(graph: SheetGraph, found: Study, mend: Mend) -> str:
    if not mend.updates or mend.kind == "alone":
        return ""
    update = mend.updates[0]
    what = OBJECTIVES[found.kinds[int(found.training[update])]]
    return (
        f"{named(graph, int(found.successor[update]))} must move by -k times the derivative of {what} by "
        f"{named(graph, int(found.parameter[update]))}, as the other parameters do; with this formula it does, as "
        "written it does not"
    )


def _effect(graph: SheetGraph, found: Study, mend: Mend) -> str:
    count = len(mend.updates)
    if mend.kind == "alone":
        return ""
    return (
        f"{count} change{'s' if count != 1 else ''} of a parameter {'are' if count != 1 else 'is'} wrong because of it"
    )


def _ascent(graph: SheetGraph, found: Study, mine: np.ndarray) -> Mistake:
    cell = int(found.successor[mine[0]])
    cells = stretches_of(
        graph, [int(c) for c in found.successor[mine] if graph.places[c].sheet == graph.places[cell].sheet]
    )
    return Mistake(
        "wrong-update", "error", graph.places[cell].sheet, heading(graph, cell) or graph.name(cell),
        "the updates climb the error in place of going down: the sign of the change is wrong",
        rows=(graph.places[cell].row,), cells=cells, says=says(graph, cell),
        why="a step against the gradient makes the error smaller; this one has the gradient's own sign",
    )  # fmt: skip


def _unexplained(
    verdict: GraphVerdict, graph: SheetGraph, found: Study, explained: Explained, opened: list[int], home: int,
    share: float,
) -> None:  # fmt: skip
    """Wrong updates for which no mend was found: an error where all around them is right."""
    first = int(found.successor[opened[0]])
    groups = together(found, {u: explained.blamed[u] for u in opened if u in explained.blamed})
    if share <= ENOUGH or found.kinds[int(found.training[opened[0]])] == "shown":  # which value is meant is a guess
        verdict.problem(home, f"the change of {named(graph, first)} follows no objective that the others follow")
        return
    for update, cells in groups[:12]:
        verdict.mistakes.append(_without_mend(graph, found, update, cells))


def _without_mend(graph: SheetGraph, found: Study, update: int, cells: list[int]) -> Mistake:
    cells = [c for c in cells if graph.places[c].sheet == graph.places[cells[0]].sheet]
    where = min(cells, key=lambda c: graph.places[c])
    what = OBJECTIVES[found.kinds[int(found.training[update])]]
    message = (
        f"{named(graph, where)}: {named(graph, int(found.successor[update]))} does not move by -k times the derivative "
        f"of {what}, as the other parameters do, and all that this formula reads is right"
    )
    return Mistake(
        _kind(found, where), "error", graph.places[where].sheet, heading(graph, where) or graph.name(where), message,
        rows=(graph.places[where].row,), cells=stretches_of(graph, cells), says=says(graph, where),
        why="on random numbers the change is no multiple of the derivative by its own parameter",
    )  # fmt: skip


def _is_penalty(graph: SheetGraph, found: Study, mend: Mend) -> bool:
    """Whether what a mend would take away is a term of the parameter alone, as weight decay of any kind is (an absolute
    value's slope, say): meant, perhaps, and no mistake that could be told."""
    if mend.kind != "extra term" or mend.old_part is None or not mend.updates:
        return False
    own = {graph.name(int(found.parameter[update])) for update in mend.updates}
    reads = {graph.name(cell): cell for place in mend.cells for cell in _read_by(graph, place)}
    term = {*names(mend.old_part)}
    return bool(term & own) and all(name in reads and reads[name] not in graph.meaning for name in term - own)


def _read_by(graph: SheetGraph, cell: int) -> list[int]:
    return [*graph.meaning[cell].refs.values()] if cell in graph.meaning else []


def _perhaps_penalty(graph: SheetGraph, mend: Mend) -> str:
    term = part(graph, mend.old_part)
    where = min(mend.cells, key=lambda cell: graph.places[cell])
    return f"{named(graph, where)} has a term of the parameter alone, {term}: a penalty, or one term too many"


def _no_objective(graph: SheetGraph, found: Study, mine: np.ndarray) -> str:
    some = [named(graph, int(found.successor[u])) for u in mine[:3]]
    return f"the changes of {', '.join(some)} follow no objective that the sheet shows"


def _doubt(graph: SheetGraph, cell: int) -> str:
    return (
        f"every change follows a gradient, but {named(graph, cell)} does not agree with the rest: it holds an output "
        "against another number, shows another loss, or leaves a part out; which is meant could not be told"
    )


def _uneven(graph: SheetGraph, found: Study, update: int) -> str:
    one = named(graph, int(found.successor[update]))
    return f"the change of {one} follows its gradient at another rate than others, and no majority says which is meant"


def _lost(graph: SheetGraph, found: Study, cell: int) -> Mistake:
    typed = cell not in graph.meaning
    message = (
        f"{named(graph, cell)} is {'a typed number' if typed else 'no update'} where the other parameters are updated"
    )
    return Mistake(
        "pasted-values" if typed else "wrong-update", "error", graph.places[cell].sheet,
        heading(graph, cell) or graph.name(cell), message, rows=(graph.places[cell].row,), cells=graph.name(cell),
        says=says(graph, cell), why="the step before moves every other parameter, and the step after reads this one",
    )  # fmt: skip


def _not_read(graph: SheetGraph, found: Study, update: int) -> str:
    net, me = found.net, int(found.successor[update])
    cone = found.order.reach(net.forms[net.form_of[me]].reads[net.row_of[me]], upwards=True)
    for cell, problem in graph.opaque.items():
        if cone[cell]:
            return f"{named(graph, me)} depends on {graph.name(cell)}, which could not be read: {problem}"
    return f"{named(graph, me)} gave no number on the values that it was tried on"
