"""What Adam's corrections count on: states that start at 0, and the number of the step, also where it is typed."""

from __future__ import annotations

from itertools import pairwise

from tinyproof.backprop.expr import Num, names
from tinyproof.backprop.optimizer import STEP
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.understand.meaning import same
from tinyproof.check.workbook.understand.optimizer_method import Method
from tinyproof.check.workbook.understand.patterns import before, current

_CORRECTIONS = "the corrections 1-beta1^n and 1-beta2^n"


def with_iterations(judge: Judge, method: Method) -> None:
    """Values for the column of iterations, where it counts on by 1: the number of the step may be read off it."""
    step = next((col for col, (letter, _) in method.states.items() if letter == STEP), None)
    for col in judge.roles.of("iteration") if step is not None else ():
        first = _counted_from(judge, col)
        if step is not None and first is not None:
            judge.values[before(col)] = judge.values[before(step)] + first
            judge.values[current(col)] = judge.values[before(col)] + 1


def _counted_from(judge: Judge, col: int) -> float | None:
    """The first number of a column whose numbers are each one more than the one above; None for any other."""
    rows, held = judge.table.rows, judge.columns[col]
    written = {row: p.expr.value for p in held.patterns if isinstance(p.expr, Num) for row in p.rows} | held.typed
    known, counted = written.get(rows[0]), set(written)
    for pattern in held.patterns:
        if pattern.expr is not None and before(col) in names(pattern.expr):
            counted |= set(pattern.rows) if same(judge.says(pattern.expr), judge.values[before(col)] + 1) else set()
    if known is None or counted < set(rows):
        return None
    return known if all(written.get(row, known + place) == known + place for place, row in enumerate(rows)) else None


def wrong_start(judge: Judge, method: Method, col: int) -> list[Mistake]:
    """A state of Adam that starts at another number than 0, which its corrections count on."""
    name, start = judge.roles.names[col], _start(judge, col)
    if method.kind != "adam" or start == 0 or _still(judge, method) == col:
        return []
    if continued(judge, method) or _nobody_reads(judge, method, col):
        return []
    why = f"it is 0 before the first step: {_CORRECTIONS} put that right"
    message, first = f"{name} starts at {start:.10g}, not at 0", judge.table.rows[:1]
    return [
        Mistake("wrong-update", "error", judge.table.sheet, name, message, col, first, says=f"{start:.10g}",
                should_say="0", why=why, wrong=Num(start))
    ]  # fmt: skip


def continued(judge: Judge, method: Method) -> bool:
    """Whether a table of Adam goes on from steps that stand elsewhere: all its states, and the number of the step, are
    those of a later step than the first."""
    starts = {col: _start(judge, col) for col in method.states}
    counts = [starts[col] for col, (letter, _) in method.states.items() if letter == STEP]
    begun = all(start > 0 for col, start in starts.items() if method.states[col][0] != "m")
    return bool(counts) and begun and all(starts.values()) and _still(judge, method) is None


def _start(judge: Judge, col: int) -> float:
    """The number that stands in the first row of a column; 0 where none is written there."""
    row, held = judge.table.rows[0], judge.columns[col]
    written = [p.expr.value for p in held.patterns if p.rows[:1] == (row,) and isinstance(p.expr, Num)]
    return float(next(iter(written), held.typed.get(row, 0.0)))


def wrong_count(judge: Judge, method: Method) -> list[Mistake]:
    """Typed numbers of steps that do not count on: each is one more than the one above. A right one may be typed."""
    rows = judge.table.rows
    col = _counter(judge, method)
    if col is None:
        return []
    typed = judge.columns[col].typed
    odd = [row for above, row in pairwise(rows) if typed[row] != typed[above] + 1]
    if not odd or _nobody_reads(judge, method, col):
        return []
    still = {typed[row] for row in odd}
    number = still.pop() if len(still) == 1 else None
    if _still(judge, method) == col:
        odd, message = list(rows), f"n is {number:.10g} in every row: it does not count the steps"
    elif number is not None and len(odd) > 1 and odd[-1] == rows[-1]:
        message = f"n stands still at {number:.10g} from here on: it does not count the steps"
    else:
        message = "n does not count the steps: each is one more than the one before"
    why = f"n <- n + 1, from 0: {_CORRECTIONS} move on with it"
    says, right = f"{typed[odd[0]]:.10g}", judge.named(method.state(col))
    wrong = Num(number) if number is not None else None
    return [
        Mistake("wrong-update", "error", judge.table.sheet, "n", message, col, tuple(odd), says=says, should_say=right,
                why=why, wrong=wrong)
    ]  # fmt: skip


def _counter(judge: Judge, method: Method) -> int | None:
    """The column of the number of the step, where all of it is typed."""
    col = next((col for col, (letter, _) in method.states.items() if letter == STEP), None)
    if col is None or judge.columns[col].patterns or set(judge.columns[col].typed) < set(judge.table.rows):
        return None
    return col


def _nobody_reads(judge: Judge, method: Method, col: int) -> bool:
    """Whether it is the number of the step, typed, right from the second row on, and no formula reads the first."""
    if _counter(judge, method) != col:
        return False
    typed, rows = judge.columns[col].typed, judge.table.rows
    written = [p.expr for one in judge.columns.values() for p in one.patterns if p.expr is not None]
    read = any(before(col) in names(expr) for expr in written)
    return not read and all(typed[row] == place for place, row in enumerate(rows[1:], 1))


def _still(judge: Judge, method: Method) -> int | None:
    """That column, where one number stands in every row of it."""
    col = _counter(judge, method)
    alike = col is not None and len(set(judge.columns[col].typed.values())) == 1
    return col if alike and len(judge.table.rows) > 1 else None
