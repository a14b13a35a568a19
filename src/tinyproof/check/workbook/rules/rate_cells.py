"""The cell that each update takes the learning rate from: another one, a drifting one, a typed number, a lost `$`."""

from __future__ import annotations

from tinyproof.backprop.diff import gradient_name
from tinyproof.backprop.expr import Num, Var, substitute, walk
from tinyproof.check.finding import Severity
from tinyproof.check.workbook.rules.forward import paste
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.rates import RateCell, Update, place_of
from tinyproof.check.workbook.understand.grid import Place, address
from tinyproof.check.workbook.understand.patterns import Pattern, column_of


def gradient_column(judge: Judge, parameter: int) -> int | None:
    """The column that is called the gradient of a parameter."""
    return judge.roles.named(f"dE/d{judge.roles.names[parameter]}")


def rate_mistakes(judge: Judge, update: Update, rate: RateCell | None) -> list[Mistake]:
    name = update.rate
    assert name is not None
    if rate is None or name == rate.name or _same_column(name, rate.name):
        return [] if rate is not None else [_blank_rate(judge, update, name)]
    wrong_rows = [row for row in update.pattern.rows if not _equal(_worth(judge, update, name, row), rate.value)]
    rows = tuple(wrong_rows) or update.pattern.rows
    cell = _cell_read(judge, update, name, rows[0])
    worth = _worth(judge, update, name, rows[0])
    own = judge.roles.names[update.col]
    inside = column_of(name)
    what = f"a cell of {judge.roles.names.get(inside.col, 'the table')}" if inside else "another cell"
    message = f"{own} takes {cell} ({what}) for the learning rate, not {judge.outside(rate.name)}"
    if wrong_rows:
        message += f": {'it is empty' if worth is None else f'{worth:.6g}'} instead of {_shown(rate.value)}"
    else:
        message += "; both hold the same number today"
    return [_rate_finding(judge, update, rate, rows, message, "error" if wrong_rows else "warning")]


def _rate_finding(
    judge: Judge, update: Update, rate: RateCell, rows: tuple[int, ...], message: str, severity: Severity
) -> Mistake:
    own = judge.roles.names[update.col]
    right = substitute(update.expr, {update.rate or "": Var(rate.name)})
    pattern = Pattern(rows, right, {})
    drifts = update.rate is not None and not update.pattern.reads.get(update.rate, (None, _FIXED))[1].row_fixed
    why = (
        "without $ the reference moves down with every row"
        if drifts
        else f"the learning rate stands in {judge.outside(rate.name)}"
    )
    says, should_say = judge.named(update.pattern.expr or update.expr), judge.named(right)
    if says == should_say:  # only the `$` differs
        says, should_say = judge.outside(rate.name), judge.reference(rate.name, rows[0])
    return Mistake(
        kind="wrong-rate-cell",
        severity=severity,
        sheet=judge.table.sheet,
        column=own,
        message=message,
        col=update.col,
        rows=rows,
        cells="",
        says=says,
        should_say=should_say,
        why=why,
        fix=paste(judge, right, pattern, own),
        wrong=update.expr,
    )


class _Fixed:
    row_fixed = True


_FIXED = _Fixed()


def _same_column(a: str, b: str) -> bool:
    first, second = column_of(a), column_of(b)
    return first is not None and second is not None and first.col == second.col


def _blank_rate(judge: Judge, update: Update, name: str) -> Mistake:
    own, cell = judge.roles.names[update.col], _cell_read(judge, update, name, update.pattern.first)
    return Mistake(
        kind="wrong-rate-cell",
        severity="error",
        sheet=judge.table.sheet,
        column=own,
        message=f"{own} takes {cell}, a cell of the table, for the learning rate; "
        "no cell is labelled as the learning rate",
        col=update.col,
        rows=update.pattern.rows,
        cells="",
        says=judge.named(update.expr),
        wrong=update.expr,
    )


def _place(judge: Judge, update: Update, name: str, row: int) -> Place | None:
    """The cell that the rate is read from in that row."""
    inside = column_of(name)
    if inside is None:
        return place_of(judge, name)
    rows = judge.table.rows
    if inside.fixed is not None:
        return Place(judge.table.sheet, inside.fixed, inside.col)
    position = rows.index(row) + inside.offset
    return Place(judge.table.sheet, rows[position], inside.col) if 0 <= position < len(rows) else None


def _worth(judge: Judge, update: Update, name: str, row: int) -> float | None:
    place = _place(judge, update, name, row)
    return judge.grid.number(place) if place is not None else None


def _cell_read(judge: Judge, update: Update, name: str, row: int) -> str:
    place = _place(judge, update, name, row)
    if place is None:
        return name
    cell = address(place.row, place.col)
    return cell if place.sheet == judge.table.sheet else f"{judge.grid.sheet(place.sheet).name}!{cell}"


def _equal(a: float | None, b: float | None) -> bool:
    return a is not None and b is not None and abs(a - b) <= 1e-9 * max(1.0, abs(b))


def _shown(number: float | None) -> str:
    return "an empty cell" if number is None else f"{number:.6g}"


def typed_rate(judge: Judge, update: Update, rate: RateCell | None) -> list[Mistake] | None:
    """A rate typed into the update; None where that is no step of gradient descent (1 without a number, 0, a climb)."""
    number, own = update.number, judge.roles.names[update.col]
    assert number is not None
    if abs(number - 1) < 1e-9 and not any(isinstance(node, Num) for node in walk(update.expr)):
        return None
    if abs(number) < 1e-12:
        trained = any(gradient_name("E_total", own) == judge.roles.names[c] for c in judge.roles.of("gradient"))
        if not trained and judge.roles.kinds[update.col] == "bias":
            return []
        return None
    if number < 0 or rate is None or rate.value is None:
        return [] if number > 0 else None
    equal = _equal(number, rate.value)
    message = f"{own} has the learning rate {number:.6g} typed into the formula"
    message += "; the labelled cell is not read" if equal else f", but {judge.outside(rate.name)} says {rate.value:.6g}"
    right = judge.update(update.col, rate.name, gradient_column(judge, update.col) or update.col)
    pattern = update.pattern
    return [
        Mistake(
            kind="wrong-rate-cell",
            severity="warning" if equal else "error",
            sheet=judge.table.sheet,
            column=own,
            message=message,
            col=update.col,
            rows=pattern.rows,
            cells="",
            says=judge.named(pattern.expr or update.expr),
            should_say=judge.named(right),
            why="a change of the labelled rate would change nothing",
            fix=paste(judge, right, pattern, own) if gradient_column(judge, update.col) else "",
            wrong=update.expr,
        )
    ]


def loose_dollars(judge: Judge, updates: list[Update], rate: RateCell | None, found: list[Mistake]) -> list[Mistake]:
    """One warning where the rate's cell is read without `$` in more than one row and still the right one."""
    bad = {m.col for m in found}
    loose = [
        u for u in updates
        if rate is not None and u.rate == rate.name and column_of(rate.name) is None and u.col not in bad
        and not u.pattern.reads.get(u.rate, (None, _FIXED))[1].row_fixed and len(judge.table.rows) > 2
    ]  # fmt: skip
    cols = list(dict.fromkeys(u.col for u in loose))
    if not cols or rate is None:
        return []
    first = loose[0]
    own = judge.roles.names[first.col]
    others = f" ({len(cols)} columns)" if len(cols) > 1 else ""
    message = f"{own} reads the learning rate without $: right today, wrong as soon as it is filled down{others}"
    return [_rate_finding(judge, first, rate, first.pattern.rows, message, "warning")]
