"""What the graph found of one training in words: mistakes with their mends, what could not be told, what is right."""

from __future__ import annotations

from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.judged import Mend
from tinyproof.check.workbook.graph.sheetgraph import SheetGraph
from tinyproof.check.workbook.graph.wording import formula, heading, in_names, named, part, says, stretches_of
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.core.arrays import np

OBJECTIVES = {
    "square": "the squared error",
    "logistic": "the cross-entropy",
    "softmax": "the cross-entropy (softmax)",
    "misread": "the perceptron's criterion (what is misread moves by its target)",
    "hinge": "the hinge loss (what lies within the margin moves by its target)",
    "shown": "a value that the sheet shows",
}


def strange_told(graph: SheetGraph, cell: int) -> str:
    if cell not in graph.meaning:
        return f"{named(graph, cell)} is read as the parameters are, and has no derivative"
    return f"{named(graph, cell)} is made of the error, and is no derivative by a number that the sheet has"


def _imagined_line(
    graph: SheetGraph, found: Study, mine: np.ndarray, follows: np.ndarray, what: str, right: bool
) -> str:
    """What is said where the sheet stops before the update."""
    still = "nothing is updated"
    if right:
        return f"{len(mine)} derivatives are those of {what} by {len(mine)} numbers ({still}): right"
    return f"{len(follows)} of {len(mine)} derivatives are those of {what} ({still})"


def line_told(
    graph: SheetGraph, found: Study, mine: np.ndarray, follows: np.ndarray, training: int, right: bool
) -> str:
    parameters = len({int(found.lineage[u]) for u in mine})
    steps = max(1, len(mine) // max(1, parameters))
    what = f"{OBJECTIVES[found.kinds[training]]}" + (", through a state" if found.states else "")
    if graph.imagined:
        return _imagined_line(graph, found, mine, follows, what, right)
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


def mended_told(graph: SheetGraph, found: Study, mend: Mend) -> Mistake:
    by_sheet: dict[int, list[int]] = {}
    for cell in sorted(mend.cells, key=lambda c: graph.places[c]):
        by_sheet.setdefault(graph.places[cell].sheet, []).append(cell)
    sheet, cells = next(iter(by_sheet.items()))
    cell = cells[0]
    typed = cell not in graph.meaning and cell not in graph.opaque and cell not in graph.carried
    kind = (
        "pasted-values"
        if typed
        else "wrong-loss"
        if mend.kind == "loss" or (mend.kind == "counted" and not _moves(found, mend))
        else "inconsistent-rows"
        if mend.kind in ("odd", "alone")
        else _kind(found, cell)
    )
    swapped = (mend.old_part, mend.new_part) if mend.old_part is not None and mend.new_part is not None else None
    fix = formula(graph, cell, mend.new[cell], swapped)
    own = in_names(graph, mend.new[cell])
    where = stretches_of(graph, cells) + "".join(
        f", {graph.grid.sheet(other).name}!{stretches_of(graph, others)}"
        for other, others in list(by_sheet.items())[1:]
    )
    if mend.kind == "ascent":
        where += f", {_updates_of(graph, found, mend, sheet)}"
    return Mistake(
        kind, "error", sheet, heading(graph, cell) or graph.name(cell), _message(graph, found, mend, cell, typed),
        rows=(graph.places[cell].row,), cells=where, says=says(graph, cell),
        should_say=(f"{own}, {fix}" if own and fix else fix or own), why=_why(graph, found, mend), fix=fix,
        effect=_effect(graph, found, mend),
    )  # fmt: skip


def _updates_of(graph: SheetGraph, found: Study, mend: Mend, sheet: int) -> str:
    """The updates of one sheet that a mend makes right."""
    ends = [int(found.successor[u]) for u in mend.updates]
    return stretches_of(graph, [end for end in ends if graph.places[end].sheet == sheet])


def _message(graph: SheetGraph, found: Study, mend: Mend, cell: int, typed: bool) -> str:
    what = named(graph, cell)
    if typed:
        held = "empty" if graph.grid.cell(graph.places[cell]) is None else "a typed number"
        return f"{what} is {held} where the cells around it have a formula, and the training needs that formula"
    if mend.kind == "alone":
        return f"{what} says something else than the cells before and after it, which say the same: a slip in one row"
    if mend.kind == "odd":
        return f"{what} says something else than the cells around it, and only what they say is right"
    if mend.kind == "counted":
        return f"{what} divides a sum by the COUNT of other cells than it adds: no mean of anything"
    if mend.kind == "activated":
        return f"{what} weighs sums where their activations belong, which no other unit reads"
    if mend.kind == "loss":
        return (
            f"{what} is not the loss that is trained; every change follows the one that this formula shows once mended"
        )
    if mend.kind == "ascent":
        first = named(graph, int(found.successor[mend.updates[0]]))
        return (
            "the updates climb the error in place of going down: one sign is wrong for all of them, that of "
            f"{what}, which is one formula, or that of every update, {first} and so on"
        )
    if mend.kind == "peers":
        return f"{what} does not say of its parameter what the same cell of another parameter says of that one"
    old, new = part(graph, mend.old_part), part(graph, mend.new_part)
    if (
        old
        and new
        and mend.kind in ("variable", "target", "start", "number", "operator", "exchanged sides", "function")
    ):
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
    if not mend.updates or mend.kind in ("alone", "loss", "counted"):
        return ""
    if mend.kind == "target":
        old, new = part(graph, mend.old_part), part(graph, mend.new_part)
        return (
            f"another output is held against {old} too, and {new}, where the targets of most stand, is read by nothing"
        )
    update = mend.updates[0]
    what = OBJECTIVES[found.kinds[int(found.training[update])]]
    if mend.kind == "start" and mend.new_part is not None:
        own = part(graph, mend.new_part)
        return f"it takes off the derivative by {own}, which nothing else moves, from another number"
    if graph.imagined:
        return (
            f"{named(graph, int(found.successor[update]))} must be k times the derivative of {what} by "
            f"{named(graph, int(found.parameter[update]))}, as the other derivatives are; with this formula it is, as "
            "written it is not"
        )
    return (
        f"{named(graph, int(found.successor[update]))} must move by -k times the derivative of {what} by "
        f"{named(graph, int(found.parameter[update]))}, as the other parameters do; with this formula it does, as "
        "written it does not"
    )


def _effect(graph: SheetGraph, found: Study, mend: Mend) -> str:
    count = len(mend.updates)
    if mend.kind in ("alone", "loss", "target") or (mend.kind == "counted" and not _moves(found, mend)):
        return ""
    if graph.imagined:
        return f"{count} derivative{'s' if count != 1 else ''} {'are' if count != 1 else 'is'} wrong because of it"
    return (
        f"{count} change{'s' if count != 1 else ''} of a parameter {'are' if count != 1 else 'is'} wrong because of it"
    )


def _moves(found: Study, mend: Mend) -> bool:
    """Whether changes hang on what a mend puts right."""
    return bool(found.order.reach(mend.cells)[found.successor].any())


def ascent(graph: SheetGraph, found: Study, mine: np.ndarray) -> Mistake:
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


def without_mend(graph: SheetGraph, found: Study, update: int, cells: list[int]) -> Mistake:
    cells = [c for c in cells if graph.places[c].sheet == graph.places[cells[0]].sheet]
    where = min(cells, key=lambda c: graph.places[c])
    what = OBJECTIVES[found.kinds[int(found.training[update])]]
    one, by = named(graph, int(found.successor[update])), named(graph, int(found.parameter[update]))
    short = (
        f"is not k times the derivative of {what} by {by}, as the other derivatives are,"
        if graph.imagined
        else f"does not move by -k times the derivative of {what}, as the other parameters do,"
    )
    message = f"{named(graph, where)}: {one} {short} and all that this formula reads is right"
    return Mistake(
        _kind(found, where), "error", graph.places[where].sheet, heading(graph, where) or graph.name(where), message,
        rows=(graph.places[where].row,), cells=stretches_of(graph, cells), says=says(graph, where),
        why="on random numbers the change is no multiple of the derivative by its own parameter",
    )  # fmt: skip


def no_objective(graph: SheetGraph, found: Study, mine: np.ndarray) -> str:
    some = [named(graph, int(found.successor[u])) for u in mine[:3]]
    if graph.imagined:
        return f"{', '.join(some)} are the derivative of no objective that the sheet shows"
    return f"the changes of {', '.join(some)} follow no objective that the sheet shows"


def astray_told(graph: SheetGraph, cell: int) -> str:
    return f"{named(graph, cell)} moves a number, and not by its derivative, although derivatives stand beside it"


def doubt_told(graph: SheetGraph, cell: int) -> str:
    if cell in graph.means:
        return (
            f"{named(graph, cell)} divides a sum by the COUNT of other cells than it adds; which is meant is not told"
        )
    return (
        f"every change follows a gradient, but {named(graph, cell)} does not agree with the rest: it holds an output "
        "against another number, shows another loss, or leaves a part out; which is meant could not be told"
    )


def uneven_told(graph: SheetGraph, found: Study, update: int) -> str:
    one = named(graph, int(found.successor[update]))
    return f"the change of {one} follows its gradient at another rate than others, and no majority says which is meant"


def rests_told(graph: SheetGraph, found: Study, update: int) -> str:
    one = named(graph, int(found.successor[update]))
    return f"{one} follows the gradient where it moves, and rests where an IF says so"


def loose_told(graph: SheetGraph, found: Study, update: int) -> str:
    one = named(graph, int(found.successor[update]))
    return f"nobody goes on from {one}, although other parameters of the same step are gone on from"


def beside_told(graph: SheetGraph, way: str, cell: int) -> str:
    """What goes on beside a training: a bias moved by a number, one that nobody reads, a start in the middle."""
    text = {
        "moved": "is read by a unit like a parameter, and what moves it in every step is the same, whatever the "
        "error is: meant, or a gradient that was lost",
        "held": "is held in some steps, while others are moved: by choice, or changes that were lost",
        "inputs": "is moved up the error, and may be an input: an example that is meant to mislead, or a wrong sign",
        "idle": "is moved by the error, at the rate of the parameters, and no unit reads it: a bias that the sum "
        "lacks, or one that is kept for show",
        "anew": "is a typed number in the middle of the training of the only parameter: a start anew, or a formula "
        "that was lost",
        "most": "is a typed number in the middle of the training, like most parameters of this step, and the others go "
        "on: a start anew, or formulas that were lost",
        "untaken": "is the derivative by a number that no step moves, and nothing takes it off, although other "
        "derivatives are taken off: not trained by choice, or a change that was lost",
    }[way]
    return f"{named(graph, cell)} {text}"


def typed_told(graph: SheetGraph, cell: int) -> str:
    held = "empty" if graph.grid.cell(graph.places[cell]) is None else "a typed number"
    return (
        f"{named(graph, cell)} is {held} where other parameters are updated, in several steps, and the step "
        "after goes on from it: not trained by choice, or a formula that was lost"
    )


def lost_told(graph: SheetGraph, found: Study, cell: int) -> Mistake:
    typed = cell not in graph.meaning
    what = "empty" if graph.grid.cell(graph.places[cell]) is None else "a typed number" if typed else "no update"
    message = f"{named(graph, cell)} is {what} where parameters are updated"
    return Mistake(
        "pasted-values" if typed else "wrong-update", "error", graph.places[cell].sheet,
        heading(graph, cell) or graph.name(cell), message, rows=(graph.places[cell].row,), cells=graph.name(cell),
        says=says(graph, cell), why="the step before moves what it trains, and the step after reads this cell",
    )  # fmt: skip


def not_read(graph: SheetGraph, found: Study, update: int) -> str:
    net, me = found.net, int(found.successor[update])
    cone = found.order.reach(net.reads(me), upwards=True)
    for cell, problem in graph.opaque.items():
        if cone[cell]:
            return f"{named(graph, me)} depends on {graph.name(cell)}, which could not be read: {problem}"
    return f"{named(graph, me)} gave no number on the values that it was tried on"
