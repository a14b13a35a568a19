"""Whether a table was understood wholly: only then may it be called right or wrong; else it is undecided, and why.

A table of the course's kind has one row for each step; its weights go on from the row before, and everything else is
computed in its own row. A sheet that learns in another way is no mistake, and is left to those who can read it.
"""

from __future__ import annotations

from tinyproof.backprop.expr import Expr, Num, names
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.rates import Update
from tinyproof.check.workbook.understand.meaning import same
from tinyproof.check.workbook.understand.patterns import InTable, column_of, current, elsewhere
from tinyproof.check.workbook.understand.roles import FORWARD
from tinyproof.core.arrays import np


def doubt(judge: Judge, updates: list[Update], found: list[Mistake]) -> str:
    """Why the table was not understood wholly; "" where it was."""
    reasons = (
        _optimiser(judge), _state(judge), _batch(judge), _flat(judge, updates), _scattered(judge, found),
        _unlike(judge, updates, found), _foreign(judge, found), _mixed(judge, found),
    )  # fmt: skip
    return next((reason for reason in reasons if reason), "")


def _optimiser(judge: Judge) -> str:
    """Columns called like an optimiser's states that do not go on as one's do."""
    cols = judge.roles.of("state")
    if not cols or judge.method is not None:
        return ""
    return f"{judge.roles.names[cols[0]]} is called a state, and most do not go on as those of an optimizer do"


def _state(judge: Judge) -> str:
    """A column that is no weight and goes on from another row, and that the training reads."""
    read = _read_by_the_training(judge)
    for col in judge.roles.of("helper", "derivative", "given", "input", "target"):
        main = judge.columns[col].main
        if current(col) not in read or main is None or main.expr is None or not _carries(main.expr, col):
            continue
        name = judge.roles.names[col]
        return (
            f"{name} takes its value from another row and is no weight that is updated in its own column "
            "(new weights beside the old ones, a momentum, a block of rows for each step)"
        )
    return ""


def _carries(expr: Expr, col: int) -> bool:
    """Whether a formula reads another row of another column; a copy from above and a counter do not."""
    other = [place for name in names(expr) if (place := column_of(name)) is not None and not place.here]
    if not other or isinstance(expr, Num):
        return False
    return any(place.col != col for place in other)


def _read_by_the_training(judge: Judge) -> set[str]:
    """The columns that forward formulas, gradients and updates read, directly or by way of others."""
    waiting = judge.roles.of(*FORWARD, "gradient", "weight", "bias")
    seen: set[int] = set()
    while waiting:
        col = waiting.pop()
        if col in seen or col not in judge.columns:
            continue
        seen.add(col)
        main = judge.columns[col].main
        used = names(main.expr) if main is not None and main.expr is not None else ()
        waiting += [place.col for name in used if (place := column_of(name)) is not None]
    return {current(col) for col in seen}


def _batch(judge: Judge) -> str:
    """Sums and losses over other rows: a step has several rows."""
    far = []
    cols = judge.roles.of("net", "loss", "total")
    for col in cols:
        main = judge.columns[col].main
        places = [column_of(name) for name in names(main.expr)] if main is not None and main.expr is not None else []
        if any(place is not None and _elsewhere(judge, place) for place in places):
            far.append(col)
    if far and 2 * len(far) >= len(cols):
        return f"{judge.roles.names[far[0]]} reads other rows: a step has several rows here (a batch of examples)"
    weights = judge.network.parameters
    sparse = [col for col in weights if not judge.columns[col].patterns and judge.columns[col].empty]
    if sparse and 2 * len(sparse) >= len(weights):
        return f"{judge.roles.names[sparse[0]]} does not stand in every row: a step has several rows here"
    return ""


def _elsewhere(judge: Judge, place: InTable) -> bool:
    """Whether a forward formula reads a row that is not its own; given numbers may stand once, and be read with `$`."""
    if place.fixed is not None:
        given = judge.roles.kinds.get(place.col) in ("input", "target", "given")
        return not given and bool(judge.columns[place.col].patterns)
    return not (place.here or place.above)


def _scattered(judge: Judge, found: list[Mistake]) -> str:
    """Forward formulas of which most do not fit the network that was read, or follow no common formula."""
    cols = judge.roles.of(*FORWARD)
    wrong = {m.col for m in found if m.severity == "error" or (m.undecided and m.col not in judge.network.unread)}
    odd = [col for col in cols if col in wrong]
    if len(odd) > 2 and 2 * len(odd) > len(cols):
        name = judge.roles.names[odd[0]]
        return f"most sums and activations ({name} for one) do not fit one network with one row a step"
    return ""


def _flat(judge: Judge, updates: list[Update]) -> str:
    """Weights that are on the way to a loss which has no slope there: a unit with a threshold."""
    reads = [(equation.name, set(names(equation.expr))) for equation in judge.network.equations]
    for col in sorted({update.col for update in updates} - set(judge.network.tainted)):
        reached = {current(col)}
        for name, used in reads:
            if reached & used:
                reached.add(name)
        if judge.network.loss in reached and not np.any(judge.slopes[col]):
            name = judge.roles.names[col]
            return f"the loss has no slope at {name} (a threshold, a step): its updates are no gradient descent"
    return ""


def _unlike(judge: Judge, updates: list[Update], found: list[Mistake]) -> str:
    """Updates of which most are no step of gradient descent, and no small change would make them one."""
    cols = {update.col for update in updates}
    plain = {u.col for u in updates if u.rate is not None or u.number is not None}
    mended = {m.col for m in found if m.kind in ("wrong-update", "circular", "inconsistent-rows") and m.mended}
    strange = cols - plain - mended
    if strange and 2 * len(strange) > len(cols):
        name = judge.roles.names[min(strange)]
        return (
            f"most weights ({name} for one) are not updated by plain gradient descent, w - rate*dE/dw of the row before"
        )
    return ""


def _foreign(judge: Judge, found: list[Mistake]) -> str:
    """Gradients none of which fits the loss, and no small change would make one fit."""
    judged = [
        col for col in judge.roles.of("gradient")
        if judge.columns[col].patterns and col not in judge.network.unread
    ]  # fmt: skip
    wrong = {m.col: m.mended for m in found if m.severity == "error"}
    if len(judged) > 1 and all(col in wrong and not wrong[col] for col in judged):
        name = judge.roles.names[judged[0]]
        return f"no gradient ({name} for one) fits the loss that was read: another network may be meant"
    return ""


def _mixed(judge: Judge, found: list[Mistake]) -> str:
    """A helper column that the training reads, of which no formula stands in most rows: none can be held against it."""
    read, told = _read_by_the_training(judge), {mistake.col for mistake in found}
    for col in judge.roles.of("helper", "derivative"):
        main = judge.columns[col].main
        if current(col) not in read or col in told or main is None or main.expr is None:
            continue
        right = judge.says(main.expr)
        starts = any(elsewhere(name) for name in names(main.expr))
        rest = [p for p in judge.columns[col].patterns if not (starts and p.first == judge.table.rows[0])]
        if any(p.expr is not None and not same(judge.says(p.expr), right) for p in rest):
            return f"the rows of {judge.roles.names[col]} follow no common formula"
    return ""
