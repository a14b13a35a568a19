"""Mends that would take a term of the parameter alone away: a penalty that is meant, perhaps; nothing to be told."""

from __future__ import annotations

from tinyproof.backprop.expr import names
from tinyproof.backprop.tape import Array, compute
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.judged import Mend
from tinyproof.check.workbook.graph.sheetgraph import Meaning, SheetGraph
from tinyproof.check.workbook.graph.wording import named, part
from tinyproof.core.arrays import np

SAME = 1e-9


def is_penalty(graph: SheetGraph, found: Study, mend: Mend) -> bool:
    """Whether what a mend would take away is a term of the parameter alone, as weight decay of any kind is (an absolute
    value's slope, say): meant, perhaps, and no mistake that could be told."""
    if mend.kind == "peers":
        return _takes_a_share_away(found, mend)
    if mend.kind != "extra term" or mend.old_part is None or not mend.updates:
        return False
    own = {int(found.parameter[update]) for update in mend.updates}
    reads = {graph.name(cell): cell for place in mend.cells for cell in _read_by(graph, place)}
    term = [reads.get(name) for name in names(mend.old_part)]
    mine = [cell for cell in term if cell is not None and graph.source(cell) in own]
    return bool(mine) and all(cell is not None and (cell in mine or cell not in graph.meaning) for cell in term)


def _takes_a_share_away(found: Study, mend: Mend) -> bool:
    """Whether a formula says what its peers say and a share of its own parameter besides, in every cell of a mend."""
    own = [found.values[int(found.parameter[update])] for update in mend.updates]
    for cell, new in mend.new.items():
        if cell not in found.net.graph.meaning:
            return False
        less = _worth(found, found.net.graph.meaning[cell]) - _worth(found, new)
        with np.errstate(all="ignore"):
            shares = [less / row for row in own]
        if not any(np.ptp(share) <= SAME * np.abs(share).max() and share[0] != 0 for share in shares):
            return False
    return bool(mend.new)


def _worth(found: Study, meaning: Meaning) -> Array:
    """What a formula gives on the samples."""
    read = {name: int(ref) for name, ref in meaning.refs.items()}
    if any(ref >= found.net.size for ref in read.values()):
        return np.full(found.values.shape[1], np.nan)
    values = {name: found.values[found.net.canon[ref]] for name, ref in read.items()}
    return np.asarray(np.broadcast_to(compute(meaning.expr, values), found.values.shape[1:]))


def _read_by(graph: SheetGraph, cell: int) -> list[int]:
    return [*graph.meaning[cell].refs.values()] if cell in graph.meaning else []


def perhaps_penalty(graph: SheetGraph, mend: Mend) -> str:
    where = min(mend.cells, key=lambda cell: graph.places[cell])
    term = part(graph, mend.old_part)
    what = (
        f"a term of the parameter alone, {term}" if term else "a share of the parameter itself, which others have not"
    )
    return f"{named(graph, where)} has {what}: a penalty, or one term too many"
