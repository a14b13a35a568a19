"""A weight that is moved by the error and that no unit reads, in a training with a memory.

With a memory a change is no multiple of the gradient, so a mistake of the forward pass cannot be found by computing a
step alone. What is seen is the weight that nobody reads: it belongs where a unit reads another one in its place.
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.check.workbook.graph.edit_search import Found
from tinyproof.check.workbook.graph.edits import FIXED, expression
from tinyproof.check.workbook.graph.forward_edits import everywhere, once
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.judged import Mend
from tinyproof.check.workbook.graph.transfer import numbers_of
from tinyproof.check.workbook.rules.repair import repairs
from tinyproof.core.arrays import np

MOST_CELLS = 3_000  # of a workbook in which edits are tried, each on a copy that is judged from the start
MOST_TRIED = 16


def unread(found: Study, left: set[int]) -> list[int]:
    """The wrong updates of a training with states whose parameter nothing that is trained depends on."""
    with_states = {int(found.training[u]) for u in found.states}
    own = [u for u in sorted(left) if int(found.training[u]) in with_states]
    return [u for u in own if not np.any(np.nan_to_num(found.gradient[u]))]


def by_unread(found: Study, left: set[int], idle: list[int]) -> Mend | None:
    """The forward formula that is right, and all changes with it, once it reads such a weight; None where there is
    none."""
    if not idle or found.net.size > MOST_CELLS:
        return None
    for tried, edit in enumerate(_edits(found, idle[len(idle) // 2])):
        mend = everywhere(found, edit, left) if tried < MOST_TRIED else None
        if mend is not None or tried >= MOST_TRIED:
            return mend
    return None


def _edits(found: Study, update: int) -> Iterator[Found]:
    """One reference to a parameter of the same step exchanged for this one; formulas that read a cell twice first."""
    net, number, own = found.net, numbers_of(found), int(found.parameter[update])
    beside = {int(found.parameter[u]) for u in range(len(found.updates)) if number[u] == number[update]} - {own}
    assert found.forward is not None
    cells = np.flatnonzero(found.forward & ~found.order.cut & (net.form_of >= 0)).tolist()
    tapes = {cell: net.forms[net.form_of[cell]].tape for cell in cells if beside.intersection(net.reads(cell))}
    for cell in sorted(tapes, key=lambda c: once(expression(tapes[c]))):
        reads = net.reads(cell)
        for repair in repairs(expression(tapes[cell]), ["w0"], []):
            old = getattr(repair.old, "name", "")
            if repair.kind == "variable" and old.startswith("s") and int(reads[int(old[1:])]) in beside:
                yield Found((cell,), repair, {"w0": (own, FIXED)})
