"""Why a formula should say something else, in words a student understands."""

from __future__ import annotations

from tinyproof.backprop.expr import Expr, Num, Var, names
from tinyproof.backprop.slips import WORDS, in_words
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.repair import Repair
from tinyproof.check.workbook.understand.patterns import column_of, current
from tinyproof.check.workbook.understand.structure import terms
from tinyproof.check.workbook.understand.template import unit


def describe(judge: Judge, repair: Repair) -> str:
    """What the repair changes: `a_h1 stands where a_h2 belongs`."""
    old, new = judge.named(repair.old), judge.named(repair.new)
    if repair.kind == "sign" and repair.new == Num(-1.0):
        return WORDS["whole sign"]
    after = f" (after {old})" if repair.kind == "lost factor" and len(old) <= 60 else ""
    return in_words(repair.kind, old, new) + after


def gradient_reason(judge: Judge, parameter: int, repair: Repair | None) -> str:
    """Why the chain rule wants it."""
    own = judge.roles.names[parameter]
    path = _path(judge, parameter)
    if path is None:
        return "the chain rule multiplies the slopes along every way from the weight to the loss"
    net, act, source = path
    if repair is not None and repair.kind == "variable":
        reason = _variable_reason(judge, own, net, act, source, repair)
        if reason:
            return reason
    through = f"its gradient passes through {act}" if act else "its gradient passes through it"
    last = f", and the last factor is {source}, what {own} multiplies" if source else ""
    return f"{own} leads to {net}, so {through}{last}"


def _variable_reason(judge: Judge, own: str, net: str, act: str, source: str, repair: Repair) -> str:
    old, new = judge.named(repair.old), judge.named(repair.new)
    kind = _kind(judge, repair.new)
    if new == source:
        return f"{net} = .. + {own}*{source}, so the last factor is {source}, not {old}"
    if new == act:
        return f"{own} leads to {net}, so its gradient passes through {act}, not {old}"
    if kind == "target":
        place = unit(new)
        return f"E{place[1]} compares a_o{place[1]} with {new}, not with {old}" if place else ""
    if kind in ("weight", "bias"):
        reached = _path(judge, judge.roles.named(new) or 0)
        return f"{act or net} reaches {reached[0]} through {new}, not through {old}" if reached else ""
    if kind in ("net", "act") and _kind(judge, repair.old) in ("net", "act"):
        return f"the way from {own} to the loss goes through {new}, not through {old}"
    return ""


def _kind(judge: Judge, expr: Expr) -> str:
    place = column_of(expr.name) if isinstance(expr, Var) else None
    return judge.roles.kinds.get(place.col, "") if place else ""


def _path(judge: Judge, parameter: int) -> tuple[str, str, str] | None:
    """The weighted sum that reads a parameter, its activation, and what the parameter multiplies there."""
    me = current(parameter)
    for equation in judge.network.equations:
        if me not in names(equation.expr):
            continue
        factors = next((f for _, f in terms(equation.expr) or [] if me in f), ())
        source = next((f for f in factors if f != me), "")
        act = next((e.name for e in judge.network.equations if names(e.expr) == (equation.name,)), "")
        return judge.spell(equation.name), judge.spell(act) if act else "", judge.spell(source) if source else ""
    return None
