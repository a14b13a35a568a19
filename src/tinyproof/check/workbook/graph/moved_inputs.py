"""Inputs that climb: what is moved up the error on purpose, as an adversarial example is.

An input is multiplied with what is trained elsewhere, or it is called one; a bias among what is moved says that weights
are. Whether a climb is meant, the sheet does not say: nothing is called wrong for it.
"""

from __future__ import annotations

import re

from tinyproof.check.workbook.graph.found_training import Study, grouped
from tinyproof.check.workbook.graph.multiplied import ALONE, Factors
from tinyproof.check.workbook.graph.wording import heading
from tinyproof.check.workbook.understand.heading_words import fold, understand
from tinyproof.core.arrays import np

MOST_LINEAGES = 40
CALLED = re.compile(r"(?:x|inputs?|pixels?|images?|adv|adversarial)(?:adv|new|next|start)?\d*(?:\.\d+)?")


def climbing_inputs(found: Study) -> set[int]:
    """The updates of inputs that go up the error in every step."""
    rate, up = found.match.rate, set[int]()
    if not (rate[found.match.ok] < 0).any() or found.forward is None:
        return up
    factors = Factors(found.net, found.forward & ~found.order.cut, found.depends)
    for training in found.trainings():
        mine = np.flatnonzero((found.training == training) & found.match.ok)
        lineages = [mine[own] for _, own in grouped(found.lineage[mine])]
        climbing = [own for own in lineages if (rate[own] < 0).all()]
        if not climbing or len(climbing) > MOST_LINEAGES or found.kinds[training] == "shown":
            continue
        weighed = [factors.of_leaf(int(found.parameter[own[0]])) for own in climbing]
        if any(not key or ALONE in key for key in weighed):
            continue
        moved = {int(cell) for own in climbing for cell in (*found.parameter[own], *found.successor[own])}
        trained = all(found.order.cut[cell] and cell not in moved for key in weighed for cell in key)
        whole = len(climbing) == len(lineages)
        if trained or (whole and all(_is_called_input(found, own) for own in climbing)):
            up.update(int(update) for own in climbing for update in own)
    return up


def _is_called_input(found: Study, updates: np.ndarray) -> bool:
    """Whether the heading of a parameter that is moved is that of an input."""
    cells = [int(found.successor[updates[0]]), int(found.parameter[updates[0]])]
    words = [heading(found.net.graph, cell) for cell in cells]
    known = [understand(word) for word in words]
    return any(one is not None and one.kind == "input" for one in known) or any(
        CALLED.fullmatch(fold(word)) for word in words
    )
