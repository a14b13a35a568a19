"""The cells between a change and the forward pass: what each reads, and all that a change depends on."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.core.arrays import np

MOST_ON_WAY = 1_000
MOST_WAYS_KEPT, MOST_KEPT, MOST_KEPT_OF_ONE = 500, 50_000, 100  # of answers that are asked for again: a bounded memory


def reads_back(found: Study, cell: int) -> list[int]:
    """The cells of the way back that a formula reads."""
    known = found.read_back.get(cell)
    if known is not None:
        return known
    net = found.net
    assert found.forward is not None
    reads = dict.fromkeys(net.reads(cell))
    back = [
        c for c in reads
        if found.depends[c] and net.form_of[c] >= 0 and not found.order.cut[c] and not found.forward[c]
    ]  # fmt: skip
    if len(found.read_back) < MOST_KEPT and len(back) < MOST_KEPT_OF_ONE:
        found.read_back[cell] = back
    return back


def earlier(found: Study, update: int) -> AbstractSet[int]:
    """The cells of the way back that the change before it of the same parameter depends on: its own affair."""
    before = [int(u) for u in np.flatnonzero(found.successor == found.parameter[update])]
    return on_the_way(found, before[0]) if before else set()


def on_the_way(found: Study, update: int) -> AbstractSet[int]:
    """The cells of the way back that an update depends on."""
    known = found.ways_back.get(update)
    if known is not None:
        return known
    front = [int(found.successor[update])]
    seen = set(front)
    while front and len(seen) < MOST_ON_WAY:
        front = [c for cell in front for c in reads_back(found, cell) if c not in seen]
        seen.update(front)
    if len(found.ways_back) < MOST_WAYS_KEPT:
        found.ways_back[update] = seen
    return seen
