"""Updates: the sign, the row, the weight, the gradient, and the cell that the learning rate is read from."""

from __future__ import annotations

from dataclasses import replace

from tinyproof.backprop.expr import Expr, Var, names, substitute
from tinyproof.check.workbook.rules.forward import not_understood, paste
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.optimizer_columns import check_states, find_method, words_of_updates
from tinyproof.check.workbook.rules.rate_cells import gradient_column, loose_dollars, rate_mistakes, typed_rate
from tinyproof.check.workbook.rules.rates import RateCell, Update, find_rate, read_updates, step
from tinyproof.check.workbook.rules.reasons import describe
from tinyproof.check.workbook.rules.repair import Repair, find_repair
from tinyproof.check.workbook.understand.meaning import same, value
from tinyproof.check.workbook.understand.patterns import InTable, before, column_of, current
from tinyproof.check.workbook.understand.trained_network import gradient_of
from tinyproof.core.arrays import np


def check_updates(judge: Judge) -> tuple[list[Mistake], RateCell | None, list[Update]]:
    """Mistakes in the updates; the rate's cell; and what every update was read as."""
    if not judge.network.equations:
        return [], None, []
    judge.method = find_method(judge)
    updates = read_updates(judge)
    rate = find_rate(judge, updates)
    found: list[Mistake] = check_states(judge)
    for col in judge.network.parameters:
        found += [not_understood(judge, col, p) for p in judge.columns[col].patterns if p.expr is None]
    others = {update.col for update in updates if _another_method(judge, update)}
    for update in updates:
        if _slope_unread(judge, update):
            found.append(_not_descent(judge, update))
        elif update.rate is not None:
            found += rate_mistakes(judge, update, rate)
        elif update.col in others or _unread(judge, update):
            found.append(_not_descent(judge, update))
        elif update.number is not None:
            typed = typed_rate(judge, update, rate)
            found += typed if typed is not None else [_wrong_update(judge, update, rate)]
        else:
            found.append(_wrong_update(judge, update, rate))
    return _one_each(found) + loose_dollars(judge, updates, rate, found), rate, updates


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
        if drift and len(mistake.rows) == 1 and mistake.rows[0] - 1 in drift.rows:
            merged["wrong-rate-cell", mistake.col] = replace(drift, rows=tuple(sorted((*drift.rows, *mistake.rows))))
            rest.remove(mistake)
    return [*rest, *(_filled_down(mistake) for mistake in merged.values())]


def _filled_down(mistake: Mistake) -> Mistake:
    """A mistake of several rows whose mend was told for the first of them."""
    down = " and fill down"
    short = len(mistake.rows) > 1 and mistake.fix and not mistake.fix.endswith(down)
    return replace(mistake, fix=mistake.fix + down) if short else mistake


def _wrong_update(judge: Judge, update: Update, rate: RateCell | None) -> Mistake:
    own, expr, rows = judge.roles.names[update.col], update.expr, update.pattern.rows
    repair, put = _repair(judge, update, rate)
    gradient = gradient_column(judge, update.col)
    rate_name = rate.name if rate is not None else "rate"
    simple = judge.update(update.col, rate_name, gradient if gradient else update.col)
    right = put if put is not None else simple
    if judge.method is None:
        message, why = f"{own} is not updated by gradient descent", "w <- w - learning_rate * dE/dw"
        why += ", all from the row before"
    else:
        message = f"{own} is not updated as {judge.method.kind} says"
        why = f"the step is taken from the row before, with the states of this row: {judge.named(simple)}"
    if repair is not None:
        why = f"{describe(judge, repair)}; {why}"
    if current(update.col) in names(expr):
        message = f"{own} reads itself: the formula goes round in a circle"
    can_paste = (gradient is not None and rate is not None) or put is not None
    kind = "circular" if current(update.col) in names(expr) else "wrong-update"
    return Mistake(
        kind=kind,
        severity="error",
        sheet=judge.table.sheet,
        column=own,
        message=message,
        col=update.col,
        rows=rows,
        cells="",
        says=judge.named(update.pattern.expr or expr),
        should_say=judge.named(right) if can_paste else f"{own} - learning_rate*dE/d{own}",
        why=why,
        fix=paste(judge, right, update.pattern, own) if can_paste else "",
        wrong=expr,
        mended=put is not None,
    )


def _another_method(judge: Judge, update: Update) -> bool:
    """Whether an update has parts that plain gradient descent has not: a velocity, a decay, a sum over rows."""
    if update.rate is not None or update.number is not None or judge.method is not None:
        return False
    outside, own, offsets = set[str](), gradient_column(judge, update.col), set[InTable]()
    for name in names(update.expr):
        place = column_of(name)
        if place is None:
            outside.add(name)
        elif judge.roles.kinds.get(place.col) in ("helper", "derivative", "given"):
            return True
        elif place.col == own:
            offsets.add(place)
    return len(outside) > 1 or len(offsets) > 1


def _unread(judge: Judge, update: Update) -> bool:
    """Whether an update depends on a formula that could not be read."""
    if judge.unread_in(update.pattern.expr or update.expr) is not None or _slope_unread(judge, update):
        return True
    return update.col in judge.network.tainted and gradient_column(judge, update.col) is None


def _slope_unread(judge: Judge, update: Update) -> bool:
    """Whether an update reads a column of slopes whose formula could not be read in most rows."""
    places = [place for name in names(update.expr) if (place := column_of(name)) is not None]
    slopes = {place.col for place in places if judge.roles.kinds.get(place.col) in ("gradient", "derivative", "helper")}
    mains = [judge.columns[col].main for col in slopes if judge.columns[col].patterns]
    return any(main is None or main.expr is None for main in mains)


def _not_descent(judge: Judge, update: Update) -> Mistake:
    own = judge.roles.names[update.col]
    reason = (
        "it depends on a formula that could not be read"
        if _unread(judge, update)
        else "it is not plain gradient descent"
    )
    message = f"{own} is updated in a way that could not be judged: {reason}"
    return Mistake(
        kind="not-understood",
        severity="note",
        sheet=judge.table.sheet,
        column=own,
        message=message,
        col=update.col,
        rows=update.pattern.rows,
        cells="",
        says=judge.named(update.pattern.expr or update.expr),
        undecided=True,
    )


def _repair(judge: Judge, update: Update, rate: RateCell | None) -> tuple[Repair | None, Expr | None]:
    """A small repair of an update, and the update put right with the rate's cell in it."""
    right, expr = step(judge, update.col), update.expr
    cols = [*judge.network.parameters, *judge.roles.of("gradient")]
    words = [*words_of_updates(judge), *(before(c) for c in cols if before(c) in judge.values)]
    candidates = [n for n in names(expr) if (place := column_of(n)) is None or not (place.here or place.above)]
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
        parameter = gradient_of(judge.network, col)
        main = judge.columns[col].main
        if parameter not in judge.network.parameters or main is None or main.expr is None:
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
