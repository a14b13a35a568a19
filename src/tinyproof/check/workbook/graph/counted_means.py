"""A sum divided by the COUNT of other cells than it adds: no mean of anything.

COUNT is read as the number that it gives, so a count of three under a sum of four would pass for another rate. Where
the counted range holds some of what is added, it was meant to hold all of it; where it runs beside that and is longer
or shorter, one of the two is wrong, and the sheet does not say which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tinyproof.backprop.expr import Call, Expr, Num, Var, names
from tinyproof.check.workbook.graph.edit_kinds import put
from tinyproof.check.workbook.read.references import Ref
from tinyproof.check.workbook.read.worksheet_functions import Range


@dataclass(frozen=True)
class OddMean:
    """`node`: the quotient as written; `mended`: over as many as are added. `sure`: what is counted is added too."""

    node: Expr
    mended: Expr
    sure: bool

    def within(self, expr: Expr) -> Expr:
        """A formula with the sum over as many as it adds."""
        return put(expr, self.node, self.mended)


def odd_mean(
    summed: Expr, node: Expr, counted: tuple[Num, Range], refs: Mapping[str, Ref], blank: Callable[[Ref], bool] | None
) -> OddMean | None:
    """Whether a sum over cells is divided by the number of other cells, more or fewer; None where it is not."""
    number, cells = counted
    parts = list(_terms(_sum(summed)))
    terms = [names(term) for term in parts]
    if len(terms) < 2 or not all(isinstance(cell, Var) for cell in cells.cells):
        return None
    filled = [term for term in terms if blank is None or not all(blank(refs[name]) for name in term)]
    alike = len({_shape(term) for term in parts if names(term)}) == 1  # no penalty beside the errors
    if len(filled) < 2 or number.value == len(filled) or not alike:
        return None
    over = {_place(refs[cell.name]) for cell in cells.cells if isinstance(cell, Var)}
    along = _along(over, [{_place(refs[name]) for name in term} for term in filled], int(number.value))
    return None if along is None else OddMean(node, summed / Num(float(len(filled))), sure=along)


def _sum(expr: Expr) -> Expr:
    """The one sum in a product: `-rate*SUM(...)` before it is divided."""
    if isinstance(expr, Call) and expr.function in ("mul", "neg"):
        sums = [own for own in map(_sum, expr.args) if isinstance(own, Call) and own.function == "add"]
        return sums[0] if len(sums) == 1 else expr
    return expr


def _terms(expr: Expr) -> Iterator[Expr]:
    if isinstance(expr, Call) and expr.function == "add":
        for arg in expr.args:
            yield from _terms(arg)
    else:
        yield expr


def _shape(expr: Expr) -> object:
    """A term, whatever cells it reads."""
    if isinstance(expr, Call):
        return (expr.function, *map(_shape, expr.args))
    return expr.value if isinstance(expr, Num) else ""


def _place(ref: Ref) -> tuple[str, int, int]:
    return ref.sheet or "", ref.row, ref.col


def _along(over: set[tuple[str, int, int]], added: list[set[tuple[str, int, int]]], number: int) -> bool | None:
    """Whether a row or column is counted that holds one number of each term of a sum (True), or one that stands beside
    such a row or column, or goes on behind it (False); None where the two have nothing to do with each other: a mean
    over the examples of a block, say, which adds several outputs of each. It is None too where all that is added is
    counted and some of it is empty, a mask, or several times as much is: a batch beside all examples.
    """
    beside = None
    for line in (1, 2):
        across = 3 - line
        if len(over) < 2 or len({(place[0], place[across]) for place in over}) > 1:
            continue
        here = next(iter(over))
        counted = {place[line] for place in over}
        for at in {(place[0], place[across]) for term in added for place in term}:
            own = [[place[line] for place in term if (place[0], place[across]) == at] for term in added]
            summed = {place for term in own for place in term}
            if any(len(term) != 1 for term in own) or len(summed) < len(added) or not summed & counted:
                continue
            whole = summed <= counted
            if whole and (number < len(added) or number % len(added) == 0):
                return None
            if at == (here[0], here[across]) and not whole:
                return True
            beside = False
    return beside
