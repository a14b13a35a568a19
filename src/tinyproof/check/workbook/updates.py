"""Updates: the sign, the row, the weight, the gradient, and the cell that the learning rate is read from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyproof.backprop.diff import gradient_name
from tinyproof.backprop.expr import Expr, Num, Var, names, substitute, walk
from tinyproof.check.workbook.forward import not_understood, paste
from tinyproof.check.workbook.grid import Place, address
from tinyproof.check.workbook.judge import Judge
from tinyproof.check.workbook.meaning import same, value
from tinyproof.check.workbook.mistake import Mistake
from tinyproof.check.workbook.patterns import Pattern, before, column_of, current
from tinyproof.check.workbook.rates import RateCell, Update, find_rate, place_of, read_updates, step
from tinyproof.check.workbook.reasons import describe
from tinyproof.check.workbook.repair import Repair, find_repair


def check_updates(judge: Judge) -> tuple[list[Mistake], RateCell | None, list[Update]]:
    """Mistakes in the updates; the rate's cell; and what every update was read as."""
    if not judge.network.equations:
        return [], None, []
    updates = read_updates(judge)
    rate = find_rate(judge, updates)
    found: list[Mistake] = []
    for col in judge.network.parameters:
        found += [not_understood(judge, col, p) for p in judge.columns[col].patterns if p.expr is None]
    others = {update.col for update in updates if _another_method(judge, update)}
    for update in updates:
        if update.rate is not None:
            found += _rate_mistake(judge, update, rate)
        elif update.col in others:
            found.append(_not_descent(judge, update))
        elif update.number is not None:
            found += _typed_mistake(judge, update, rate)
        else:
            found.append(_wrong_update(judge, update, rate))
    return _one_each(found) + _loose_dollars(judge, updates, rate, found), rate, updates


def _one_each(found: list[Mistake]) -> list[Mistake]:
    """Rate-cell mistakes of one column are one: the drift has another cell in every row."""
    merged: dict[tuple[str, int], Mistake] = {}
    rest = []
    for mistake in sorted(found, key=lambda m: m.rows[:1]):
        key = mistake.kind, mistake.col
        if mistake.kind != "wrong-rate-cell":
            rest.append(mistake)
        elif key not in merged:
            merged[key] = mistake
        else:
            first = merged[key]
            severity = "error" if "error" in (first.severity, mistake.severity) else first.severity
            told = first if first.severity == severity else mistake
            rows = first.rows + mistake.rows if first.severity == mistake.severity else told.rows
            merged[key] = replace(told, severity=severity, rows=tuple(sorted(set(rows))))
    for mistake in rest[:]:
        # A fixed cell of the column itself: in the row after it, start value and rate are one and the same cell.
        drift = merged.get(("wrong-rate-cell", mistake.col))
        if drift and len(mistake.rows) == 1 and {mistake.rows[0] - 1, mistake.rows[0] + 1} <= set(drift.rows):
            merged["wrong-rate-cell", mistake.col] = replace(drift, rows=tuple(sorted((*drift.rows, *mistake.rows))))
            rest.remove(mistake)
    return [*rest, *merged.values()]


# The rate's cell -------------------------------------------------------------------------------------------------


def _rate_mistake(judge: Judge, update: Update, rate: RateCell | None) -> list[Mistake]:
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
    what = f"a cell of {judge.roles.names.get(inside[0], 'the table')}" if inside else "another cell"
    message = f"{own} takes {cell} ({what}) for the learning rate, not {judge._outside(rate.name)}"
    if wrong_rows:
        message += f": {'it is empty' if worth is None else f'{worth:.6g}'} instead of {_shown(rate.value)}"
    else:
        message += "; both hold the same number today"
    return [_rate_finding(judge, update, rate, rows, message, "error" if wrong_rows else "warning", cell)]


def _rate_finding(
    judge: Judge, update: Update, rate: RateCell, rows: tuple[int, ...], message: str, severity: str, cell: str
) -> Mistake:
    own = judge.roles.names[update.col]
    right = substitute(update.expr, {update.rate or "": Var(rate.name)})
    pattern = Pattern(rows, right, {})
    drifts = update.rate is not None and not update.pattern.reads.get(update.rate, (None, _FIXED))[1].row_fixed
    why = (
        "without $ the reference moves down with every row"
        if drifts
        else f"the learning rate stands in {judge._outside(rate.name)}"
    )
    return Mistake(
        "wrong-rate-cell", severity, judge.table.sheet, own, message, update.col, rows, "",  # type: ignore[arg-type]
        judge.named(update.pattern.expr or update.expr), judge.named(right), why, paste(judge, right, pattern, own),
        wrong=update.expr,
    )  # fmt: skip


class _Fixed:
    row_fixed = True


_FIXED = _Fixed()


def _same_column(a: str, b: str) -> bool:
    first, second = column_of(a), column_of(b)
    return first is not None and second is not None and first[0] == second[0]


def _blank_rate(judge: Judge, update: Update, name: str) -> Mistake:
    own, cell = judge.roles.names[update.col], _cell_read(judge, update, name, update.pattern.first)
    return Mistake(
        "wrong-rate-cell", "error", judge.table.sheet, own,
        f"{own} takes {cell}, a cell of the table, for the learning rate; no cell is labelled as the learning rate",
        update.col, update.pattern.rows, "", judge.named(update.expr), wrong=update.expr,
    )  # fmt: skip


def _place(judge: Judge, update: Update, name: str, row: int) -> Place | None:
    """The cell that the rate is read from in that row."""
    inside = column_of(name)
    if inside is None:
        return place_of(judge, name)
    col, where = inside
    rows = judge.table.rows
    if where.startswith("$"):
        return Place(judge.table.sheet, int(where[1:]), col)
    position = rows.index(row) + int(where or 0)
    return Place(judge.table.sheet, rows[position], col) if 0 <= position < len(rows) else None


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


def _typed_mistake(judge: Judge, update: Update, rate: RateCell | None) -> list[Mistake]:
    """A rate typed into the update; 0 is no update at all, a negative one climbs."""
    number, own = update.number, judge.roles.names[update.col]
    assert number is not None
    if abs(number - 1) < 1e-9 and not any(isinstance(node, Num) for node in walk(update.expr)):
        return [_wrong_update(judge, update, rate)]
    if abs(number) < 1e-12:
        trained = any(gradient_name("E_total", own) == judge.roles.names[c] for c in judge.roles.of("gradient"))
        if not trained and judge.roles.kinds[update.col] == "bias":
            return []
        return [_wrong_update(judge, update, rate)]
    if number < 0 or rate is None or rate.value is None:
        return [] if number > 0 else [_wrong_update(judge, update, rate)]
    equal = _equal(number, rate.value)
    message = f"{own} has the learning rate {number:.6g} typed into the formula"
    message += (
        "; the labelled cell is not read" if equal else f", but {judge._outside(rate.name)} says {rate.value:.6g}"
    )
    right = Var(before(update.col)) - Var(rate.name) * Var(before(_gradient_column(judge, update.col) or update.col))
    pattern = update.pattern
    return [
        Mistake(
            "wrong-rate-cell",
            "warning" if equal else "error",
            judge.table.sheet,
            own,
            message,
            update.col,
            pattern.rows,
            "",
            judge.named(pattern.expr or update.expr),
            judge.named(right),
            "a change of the labelled rate would change nothing",
            paste(judge, right, pattern, own) if _gradient_column(judge, update.col) else "",
            wrong=update.expr,
        )
    ]


def _loose_dollars(judge: Judge, updates: list[Update], rate: RateCell | None, found: list[Mistake]) -> list[Mistake]:
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
    return [_rate_finding(judge, first, rate, first.pattern.rows, message, "warning", rate.name)]


# Everything else ---------------------------------------------------------------------------------------------------


def _gradient_column(judge: Judge, parameter: int) -> int | None:
    return judge.roles.named(f"dE/d{judge.roles.names[parameter]}")


def _wrong_update(judge: Judge, update: Update, rate: RateCell | None) -> Mistake:
    own, expr, rows = judge.roles.names[update.col], update.expr, update.pattern.rows
    repair, put = _repair(judge, update, rate)
    gradient = _gradient_column(judge, update.col)
    rate_name = rate.name if rate is not None else "rate"
    simple = Var(before(update.col)) - Var(rate_name) * Var(before(gradient if gradient else update.col))
    right = put if put is not None else simple
    message, why = (
        f"{own} is not updated by gradient descent",
        "w <- w - learning_rate * dE/dw, all from the row before",
    )
    if repair is not None:
        why = f"{describe(judge, repair)}; {why}"
    if current(update.col) in names(expr):
        message = f"{own} reads itself: the formula goes round in a circle"
    can_paste = (gradient is not None and rate is not None) or put is not None
    kind = "circular" if current(update.col) in names(expr) else "wrong-update"
    return Mistake(
        kind, "error", judge.table.sheet, own, message, update.col, rows, "", judge.named(update.pattern.expr or expr),
        judge.named(right) if can_paste else f"{own} - learning_rate*dE/d{own}", why,
        paste(judge, right, update.pattern, own) if can_paste else "", wrong=expr,
    )  # fmt: skip


def _another_method(judge: Judge, update: Update) -> bool:
    """Whether an update has parts that plain gradient descent has not: a velocity, a decay, a sum over rows."""
    if update.rate is not None or update.number is not None:
        return False
    outside, own, offsets = set[str](), _gradient_column(judge, update.col), set[str]()
    for name in names(update.expr):
        place = column_of(name)
        if place is None:
            outside.add(name)
        elif judge.roles.kinds.get(place[0]) in ("helper", "derivative", "given"):
            return True
        elif place[0] == own:
            offsets.add(place[1])
    return len(outside) > 1 or len(offsets) > 1


def _not_descent(judge: Judge, update: Update) -> Mistake:
    own = judge.roles.names[update.col]
    message = f"{own} is updated in a way that could not be judged: it is not plain gradient descent"
    return Mistake(
        "not-understood", "note", judge.table.sheet, own, message, update.col, update.pattern.rows, "",
        judge.named(update.pattern.expr or update.expr), undecided=True,
    )  # fmt: skip


def _repair(judge: Judge, update: Update, rate: RateCell | None) -> tuple[Repair | None, Expr | None]:
    """A small repair of an update, and the update put right with the rate's cell in it."""
    right, expr = step(judge, update.col), update.expr
    cols = [*judge.network.parameters, *judge.roles.of("gradient")]
    words = [before(c) for c in cols if before(c) in judge.values]
    candidates = [n for n in names(expr) if column_of(n) is None or (column_of(n) or (0, ""))[1] not in ("-1", "")]
    wanted = rate.name if rate is not None else None
    for name in dict.fromkeys([*([wanted] if wanted else []), *candidates, "rate"]):
        trial = substitute(expr, {name: Var("rate")})
        values = judge.complete(trial)
        if same(value(trial, values), right):
            return None, None
        found = find_repair(trial, right, values, words, [Var("rate"), *(Var(w) for w in words[:60])])
        if found is not None:
            back: dict[str, Expr] = {"rate": Var(wanted or name)}
            return _with_rate(found, back), substitute(found.whole, back)
    return None, None


def _with_rate(repair: Repair, back: dict[str, Expr]) -> Repair:
    return Repair(
        repair.kind, substitute(repair.old, back), substitute(repair.new, back), substitute(repair.whole, back)
    )


def ascends(judge: Judge, updates: list[Update]) -> bool:
    """Whether every gradient column holds -dE/dw and every update adds it: an unusual sign, but a right training."""
    gradients = judge.roles.of("gradient")
    if not gradients or not updates:
        return False
    for col in gradients:
        parameter = judge.roles.named(judge.roles.names[col].removeprefix("dE/d"))
        main = judge.columns[col].main
        if parameter is None or main is None or main.expr is None:
            return False
        if not same(judge.says(main.expr), -judge.gradient(parameter)):
            return False
    return all(_adds(judge, update) for update in updates)


def _adds(judge: Judge, update: Update) -> bool:
    values = judge.complete(update.expr)
    right = judge.values[before(update.col)] + judge.values["rate"] * judge.slopes[update.col]
    return any(
        same(np.asarray(value(update.expr, {**values, name: values["rate"]})), right) for name in names(update.expr)
    )
