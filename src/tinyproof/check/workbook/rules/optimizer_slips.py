"""Slips that all states of one letter share: then no other column says what they should, but the updates do.

Only slips that make no other method are known here. A running sum in place of an average, a state that reads another
one, or a momentum in another convention may be meant.
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.backprop.expr import Expr, Var, names
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.understand.meaning import same
from tinyproof.check.workbook.understand.optimizer_method import Method
from tinyproof.check.workbook.understand.patterns import before, column_of, current

_MOST_OUTSIDE = 6  # cells outside that one formula reads


def outside(expr: Expr) -> list[str]:
    """The cells outside the table that a formula reads, without the rate."""
    return [name for name in names(expr) if column_of(name) is None and name != "rate"][:_MOST_OUTSIDE]


def shared_slip(judge: Judge, method: Method, letter: str) -> Method | None:
    """The method, where every state of that letter has one and the same slip; None where that cannot be told."""
    cols = [col for col, (own, _) in method.states.items() if own == letter]
    mains = [judge.columns[col].main for col in cols]
    written = [main.expr for main in mains if main is not None and main.expr is not None]
    if len(written) < len(cols):
        return None
    for whole in _with_setting(method, cols[0], written[0]):
        kinds = [_slip(judge, whole, col, expr) for col, expr in zip(cols, written, strict=True)]
        if kinds[0] and len(set(kinds)) == 1:
            for col in cols:
                judge.values[current(col)] = judge.says(whole.state(col))
            return whole
    return None


def _with_setting(method: Method, col: int, written: Expr) -> Iterator[Method]:
    """With the setting of these states: Adam's stand in the corrections too, RMSprop's in the states alone."""
    wanted = method.open(method.state(col))
    if not wanted:
        yield method
    elif method.kind == "rmsprop":
        for name in outside(written):
            yield method.with_settings({wanted[0]: Var(name)})


def _slip(judge: Judge, method: Method, col: int, written: Expr) -> str:
    says = judge.says(written)
    return next((kind for kind, wrong in _slips(method, col) if same(says, judge.says(wrong))), "")


def _slips(method: Method, col: int) -> Iterator[tuple[str, Expr]]:
    letter, parameter = method.states[col]
    state, gradient = Var(before(col)), Var(before(method.gradients[parameter]))
    kept = method.settings["alpha" if method.kind == "rmsprop" else "beta1" if letter == "m" else "beta2"]
    taken, other_power = (gradient, gradient**2) if letter == "m" else (gradient**2, gradient)
    yield "square", kept * state + (1 - kept) * other_power
    yield "sign", kept * state - (1 - kept) * taken
    if method.kind != "adam":
        return
    other = method.settings["beta2" if letter == "m" else "beta1"]
    yield "other setting", other * state + (1 - other) * taken
    yield "other setting of the state", other * state + (1 - kept) * taken
    yield "other setting of the gradient", kept * state + (1 - other) * taken
    yield "lost setting", state + (1 - kept) * taken
    yield "lost rest", kept * state + taken
    yield "exchanged", (1 - kept) * state + kept * taken
