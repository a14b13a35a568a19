"""Updates that take off the derivative by a number that nothing moves, but start from another one.

The change is the right one of that number; only what it is taken off is wrong. So neither the gradient nor what it is
made of is called wrong for it.
"""

from __future__ import annotations

from collections.abc import Collection

from tinyproof.backprop.expr import Var
from tinyproof.check.workbook.graph.agree import match
from tinyproof.check.workbook.graph.edits import with_meanings
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.judged import Mend, judged
from tinyproof.check.workbook.graph.objectives import seeds_of
from tinyproof.check.workbook.graph.rate_sources import NEAR
from tinyproof.check.workbook.graph.sheetgraph import Meaning
from tinyproof.check.workbook.graph.suspects import Suspects
from tinyproof.core.arrays import np

MOST_TRIED = 4  # mends
MOST_NUMBERS = 1_000


def from_another(found: Study, updates: Collection[int]) -> dict[int, int]:
    """Wrong updates -> the one number that no update moves whose derivative they take off, at the rate of others."""
    starts: dict[int, int] = {}
    for training in {int(found.training[u]) for u in updates}:
        right = found.match.rate[(found.training == training) & found.match.ok]
        rates = right[np.isfinite(right)]
        if not len(rates) or found.forward is None or found.kinds[training] == "shown":
            continue
        slope = found.order.adjoints(found.values, seeds_of(found, found.chosen[training], found.kinds[training]))
        free = found.forward & np.any(np.nan_to_num(slope) != 0, axis=1)
        free[found.parameter] = False
        free[(found.net.form_of >= 0) & ~found.order.cut] = False
        numbers = np.flatnonzero(free)[:MOST_NUMBERS]
        for update in (u for u in updates if found.training[u] == training):
            new = match(np.broadcast_to(found.change[update], slope[numbers].shape), slope[numbers])
            fits = numbers[new.ok & (np.abs(new.rate[:, None] / rates - 1) < NEAR).any(axis=1)]
            if len(fits) == 1:
                starts[update] = int(fits[0])
    return starts


def moved_to_own(found: Study, suspects: Suspects, starts: dict[int, int]) -> list[Mend]:
    """A mend for each of the first: it starts from the number whose derivative it takes off, and then all is right that
    was."""
    graph, mends = found.net.graph, list[Mend]()
    for update, cell in list(starts.items())[:MOST_TRIED]:
        own = found.updates[update]
        meaning = graph.meaning[own.successor]
        refs = {name: ref for name, ref in meaning.refs.items() if name != own.bare} | {own.bare: cell}
        new = {own.successor: Meaning(meaning.expr, refs, ("mended", meaning.key), meaning.text_at)}
        again = judged(with_meanings(graph, new))
        if again is not None and len(again[1].wrong) < len(suspects.wrong) and not again[1].lost:
            old = meaning.refs[own.bare]
            parts = Var(graph.name(old)), Var(graph.name(cell))
            mends.append(Mend([own.successor], new, "start", *parts, updates=[update]))
    return mends
