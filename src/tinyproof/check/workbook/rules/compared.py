"""Which columns were compared with something. Only those can be called checked."""

from __future__ import annotations

from tinyproof.backprop.expr import names
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.rates import RateCell, Update
from tinyproof.check.workbook.understand.patterns import column_of, current
from tinyproof.check.workbook.understand.trained_network import gradient_of


def compared_columns(judge: Judge, updates: list[Update], rate: RateCell | None) -> set[int]:
    """Gradients and updates that were judged, the forward formulas whose derivative they are, and what all these read.

    A forward formula is held against the gradients, so one on the way of no judged gradient was compared with nothing.
    """
    slopes = {col for col in judge.roles.of("gradient") if _judged_gradient(judge, col)}
    known = {gradient_of(judge.network, col) for col in slopes}
    steps = {u.col for u in updates if u.rate is not None or u.number is not None or judge.unread_in(u.expr) is None}
    inline = {col for col in steps if not any(gradient_of(judge.network, c) == col for c in judge.roles.of("gradient"))}
    trained = {col for col in known if col is not None} | (inline - set(judge.network.tainted))
    found = slopes | steps | set(judge.method.states if judge.method is not None else ()) | _forward(judge, trained)
    found |= _read_by(judge, found)
    inside = column_of(rate.name) if rate is not None else None
    return found | ({inside.col} if inside is not None else set())


def _judged_gradient(judge: Judge, col: int) -> bool:
    parameter, held = gradient_of(judge.network, col), judge.columns[col]
    if parameter is None or parameter in judge.network.tainted or col in judge.network.unread:
        return False
    exprs = [pattern.expr for pattern in held.patterns if pattern.expr is not None]
    return bool(held.typed or exprs) and all(judge.unread_in(expr) is None for expr in exprs)


def _forward(judge: Judge, trained: set[int]) -> set[int]:
    """The forward columns between a trained weight and the loss, and those that their formulas read."""
    reads = {equation.name: names(equation.expr) for equation in judge.network.equations}
    on_the_way = {current(col) for col in trained}
    for name, used in reads.items():  # in the order in which they are computed
        if on_the_way & set(used):
            on_the_way.add(name)
    needed = set(on_the_way)
    waiting = [name for name in on_the_way if name in reads]
    while waiting:
        for name in reads.get(waiting.pop(), ()):
            if name not in needed:
                needed.add(name)
                waiting.append(name)
    places = [place for name in needed if name in reads and (place := column_of(name)) is not None]
    return {place.col for place in places} - judge.network.unread


def _read_by(judge: Judge, cols: set[int]) -> set[int]:
    """Given numbers and helpers that these columns' formulas read."""
    seen, waiting = set[int](), list(cols)
    while waiting:
        main = judge.columns[waiting.pop()].main
        for name in names(main.expr) if main is not None and main.expr is not None else ():
            place = column_of(name)
            if place is None or place.col in seen or place.col in judge.network.unread:
                continue
            if judge.roles.kinds.get(place.col) in ("input", "target", "given", "rate", "helper", "derivative"):
                seen.add(place.col)
                waiting.append(place.col)
    return seen
