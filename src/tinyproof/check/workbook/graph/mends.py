"""From suspects to wrong cells: a mend is looked for, made on a copy, and the copy is judged again."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tinyproof.check.workbook.graph.blame import Blame
from tinyproof.check.workbook.graph.found_training import Study
from tinyproof.check.workbook.graph.judged import Mend
from tinyproof.check.workbook.graph.odd_cells import odd_cells
from tinyproof.check.workbook.graph.search import Budget
from tinyproof.check.workbook.graph.suspects import Suspects
from tinyproof.check.workbook.graph.whole_groups import by_search, trusted_by

MOST_MENDS = 8
MOST_BLAMED = 60  # wrong updates that are put down to a cell


@dataclass
class Explained:
    """`mends`: found, made and judged. `open`: wrong updates without a mend; `blamed`: the cell that each is put down
    to."""

    mends: list[Mend]
    open: list[int]
    suspects: Suspects
    blamed: dict[int, int] = field(default_factory=dict)


def explain(found: Study, suspects: Suspects) -> Explained:
    """Mends for the wrong updates, as far as there are any."""
    wrong = set(suspects.wrong)
    mends, left = odd_cells(found, suspects, wrong)
    budget = Budget()
    blame = Blame(found, suspects)
    given_up: set[int] = set()
    while left and len(mends) < MOST_MENDS:
        todo = [update for update in sorted(left) if int(found.lineage[update]) not in given_up]
        if not todo:
            break
        lineages, counts = np.unique(found.lineage[todo], return_counts=True)
        lineage = int(lineages[np.argmax(counts)])
        own = [update for update in todo if found.lineage[update] == lineage]
        mend = by_search(found, suspects, own, left, budget, blame)
        if mend is None:
            given_up.add(lineage)
            continue
        mends.append(mend)
        left -= set(mend.updates)
    blamed = {update: blame.of(update, trusted_by(found, update, left)) for update in sorted(left)[:MOST_BLAMED]}
    return Explained(mends, sorted(left), suspects, blamed)
