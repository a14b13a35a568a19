"""The learning rate: which cell it stands in, what it is worth, and what every update really reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tinyproof.backprop.expr import Expr, Var, names, substitute
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.understand.grid import Place
from tinyproof.check.workbook.understand.heading_words import is_rate_word, rate_in
from tinyproof.check.workbook.understand.meaning import same, value
from tinyproof.check.workbook.understand.patterns import Pattern, before, column_of, place_outside
from tinyproof.check.workbook.understand.roles import forward_pattern
from tinyproof.core.arrays import np


@dataclass(frozen=True)
class Update:
    """How one pattern updates its parameter: with the rate read from the variable `rate`, or the typed `number`.

    Both None: it is no gradient-descent step as it stands. `expr`: helper columns written out where that was needed.
    """

    col: int
    pattern: Pattern
    expr: Expr
    rate: str | None = None
    number: float | None = None


@dataclass(frozen=True)
class RateCell:
    """The cell (or column) that holds the rate; `label`: the text beside it."""

    name: str
    value: float | None
    label: str = ""
    place: Place | None = None


def read_updates(judge: Judge) -> list[Update]:
    """Every formula of every parameter that reads its table (typed start values and copies of them are none)."""
    found = []
    for col in judge.network.parameters:
        for pattern in judge.columns[col].patterns:
            expr = pattern.expr
            inside = expr is not None and any(column_of(name) is not None for name in names(expr))
            if expr is None or not inside:
                continue
            found.append(_read(judge, col, pattern, expr))
    return found


def step(judge: Judge, col: int) -> np.ndarray:
    """What a parameter should be at each of the drawn values, [samples]: its value in the row before, less the rate
    times what its step takes (`judge.taken`): the gradient there, or what the optimiser makes of it."""
    return np.asarray(judge.values[before(col)] - judge.values["rate"] * judge.taken(col))


def _read(judge: Judge, col: int, pattern: Pattern, written: Expr) -> Update:
    for expr in (written, written_out(judge, written)):
        name = rate_variable(judge, col, expr)
        if name is not None:
            return Update(col, pattern, expr, name)
        number = _typed_rate(judge, col, expr)
        if number is not None:
            return Update(col, pattern, expr, None, number)
    return Update(col, pattern, written_out(judge, written))


def rate_variable(judge: Judge, col: int, expr: Expr) -> str | None:
    """The variable in whose place the learning rate makes the formula a right update."""
    right, values = step(judge, col), judge.complete(expr)
    for name in names(expr):
        if name != before(col) and same(value(expr, {**values, name: values["rate"]}), right):
            return name
    return None


def _typed_rate(judge: Judge, col: int, expr: Expr) -> float | None:
    """c where the formula is w - c*gradient with a typed c."""
    change = judge.values[before(col)] - judge.says(expr)
    slope = judge.taken(col)
    alive = np.abs(slope) > 1e-12
    if np.count_nonzero(alive) < 2 or np.any(np.abs(change[~alive]) > 1e-12):
        return None
    largest = int(np.argmax(np.abs(slope)))
    number = float(change[largest] / slope[largest])
    fits = np.isfinite(number) and same(judge.says(expr), judge.values[before(col)] - number * slope)
    return number if fits else None


def written_out(judge: Judge, expr: Expr) -> Expr:
    """The expression with helper columns of the same row or the row before replaced by what they say."""
    for _ in range(6):
        swap: dict[str, Expr] = {}
        for name in names(expr):
            place = column_of(name)
            if place is None or judge.roles.kinds.get(place.col) not in ("helper", "derivative"):
                continue
            pattern = forward_pattern(judge.columns[place.col])
            if pattern is None or pattern.expr is None or not (place.here or place.above):
                continue
            meaning = pattern.expr if place.here else _one_row_up(pattern.expr)
            if meaning is not None:
                swap[name] = meaning
        if not swap:
            break
        expr = substitute(expr, swap)
    return expr


def _one_row_up(expr: Expr) -> Expr | None:
    moved: dict[str, Expr] = {}
    for name in names(expr):
        place = column_of(name)
        if place is not None:
            if not (place.here or place.above):
                return None
            moved[name] = Var(before(place.col, 1 - place.offset))
    return substitute(expr, moved)


def find_rate(judge: Judge, updates: list[Update]) -> RateCell | None:
    """The rate's cell: the labelled one that most updates read, else the labelled one nearest above, else the one read.

    A variable that reads another column of the table (a weight's cell) is never taken for the rate.
    """
    read: Counter[str] = Counter()
    for update in updates:
        if update.rate is not None and _may_be_rate(judge, update.rate):
            read[update.rate] += len(update.pattern.rows)
    labelled = {cell.name: cell for cell in labelled_rates(judge)}
    for name, _ in read.most_common():
        if name in labelled:
            return labelled[name]
    if labelled and not any(_number_of(judge, name) is not None for name in read):
        return next(iter(labelled.values()))
    if read:
        name = read.most_common(1)[0][0]
        return RateCell(name, _number_of(judge, name))
    return next(iter(labelled.values()), None)


def _may_be_rate(judge: Judge, name: str) -> bool:
    place = column_of(name)
    return place is None or judge.roles.kinds.get(place.col) in ("rate", "given", "helper")


def _number_of(judge: Judge, name: str) -> float | None:
    place = place_of(judge, name)
    return judge.grid.number(place) if place is not None else None


def place_of(judge: Judge, name: str) -> Place | None:
    """The cell of an outside variable, or the first cell of a column's."""
    inside = column_of(name)
    if inside is not None:
        return Place(judge.table.sheet, judge.table.rows[0], inside.col)
    return place_outside(judge.grid, name)


def labelled_rates(judge: Judge) -> list[RateCell]:
    """Cells with a number beside or below a text that names the learning rate; the nearest above the table first."""
    sheet, top = judge.table.sheet, judge.table.header or judge.table.rows[0]
    found = []
    for row, col, text in judge.grid.texts_that(sheet, is_rate_word):
        if row in judge.table.rows or (row == judge.table.header and col in judge.table.cols):
            continue
        for place in (*(Place(sheet, row, col + k) for k in (1, 2, 3)), Place(sheet, row + 1, col)):
            if place.row in judge.table.rows and place.col in judge.table.cols:
                continue
            number = judge.grid.number(place)
            if number is not None:
                distance = abs(top - row) + (1000 if row > top else 0)
                found.append((distance, RateCell(judge.grid.outside_name(place), number, text, place)))
                break
            if judge.grid.text(place) and not is_rate_word(judge.grid.text(place)):
                break
    return [cell for _, cell in sorted(found, key=lambda item: item[0])]


def stated_rate(label: str) -> float | None:
    """The rate that a label itself states (`η = 0.5`)."""
    return rate_in(label)
