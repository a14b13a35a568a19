"""Forward formulas: weighted sums, activations, losses, and their total."""

from __future__ import annotations

from tinyproof.backprop.expr import Expr, Num, Var, names
from tinyproof.check.finding import Severity
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.reasons import describe
from tinyproof.check.workbook.thresholds import MOST_DIFFERENT
from tinyproof.check.workbook.understand.meaning import same
from tinyproof.check.workbook.understand.patterns import Pattern, before, column_of, current
from tinyproof.check.workbook.understand.roles import FORWARD


def check_forward(judge: Judge) -> list[Mistake]:
    """Every pattern of every forward column, compared with the network's equation for it."""
    found = []
    for col in judge.roles.of(*FORWARD):
        right = judge.right(col)
        equation = judge.network.equation(current(col))
        wrong = []
        for pattern in judge.columns[col].patterns:
            if pattern.expr is None:
                found.append(not_understood(judge, col, pattern))
            elif right is not None and equation is not None and judge.unread_in(pattern.expr) is None:
                if not same(judge.says(pattern.expr), right):
                    wrong.append((pattern, pattern.expr))
        if irregular(judge, col, len(wrong)):
            found.append(no_common_formula(judge, col, [pattern for pattern, _ in wrong]))
        elif equation is not None:
            found += [_mistake(judge, col, pattern, expr, equation) for pattern, expr in wrong]
    return found


def irregular(judge: Judge, col: int, wrong: int) -> bool:
    """Whether so many formulas of a column differ, and so few are right, that none of them can be held against it."""
    return wrong > MOST_DIFFERENT and 2 * judge.rows_right(col)[0] <= len(judge.table.rows)


def no_common_formula(judge: Judge, col: int, patterns: list[Pattern]) -> Mistake:
    """Rows that all say something else: said, not guessed."""
    name = judge.roles.names[col]
    rows = tuple(sorted(row for pattern in patterns for row in pattern.rows))
    message = f"{name} could not be judged: its rows follow no common formula ({len(patterns)} different ones)"
    return Mistake("not-understood", "note", judge.table.sheet, name, message, col, rows, undecided=True)


def not_understood(judge: Judge, col: int, pattern: Pattern) -> Mistake:
    """A formula that the audit cannot read: said, not guessed."""
    name = judge.roles.names[col]
    return Mistake(
        "not-understood", "note", judge.table.sheet, name, f"{name} could not be judged: {pattern.problem}",
        col, pattern.rows, undecided=True,
    )  # fmt: skip


def _mistake(judge: Judge, col: int, pattern: Pattern, expr: Expr, equation: Expr) -> Mistake:
    right = judge.right(col)
    assert right is not None
    name = judge.roles.names[col]
    typed = judge.typed_for(expr, right)
    if typed is not None:
        return typed_mistake(judge, col, pattern, typed)
    loss = judge.roles.kinds[col] in ("loss", "total")
    kind, severity, message, why = _class_of(judge, col, pattern, expr, loss)
    neighbour = _neighbour(judge, col)
    repair = judge.repair(expr, right) if neighbour is None and kind not in ("circular", "overwritten") else None
    if repair is not None:
        why = f"{describe(judge, repair)}; {why}" if why else describe(judge, repair)
    elif loss and kind == "wrong-loss" and not why:
        why = "the gradients beside it are those of the loss given here"
    best = repair.whole if repair is not None else neighbour or equation
    return Mistake(
        kind=kind,
        severity=severity,
        sheet=judge.table.sheet,
        column=name,
        message=message,
        col=col,
        rows=pattern.rows,
        cells="",
        says=judge.named(expr),
        should_say=judge.named(equation),
        why=why,
        fix=_paste(judge, best, pattern, name),
        wrong=expr,
    )


def _neighbour(judge: Judge, col: int) -> Expr | None:
    """The right formula as the author writes it in other rows."""
    return judge.rows_right(col)[1]


def _paste(judge: Judge, expr: Expr, pattern: Pattern, name: str) -> str:
    place = judge.reference(current(judge.roles.named(name) or 0), pattern.first)
    down = " and fill down" if len(pattern.rows) > 1 else ""
    return f"write in {place}: {judge.in_cells(expr, pattern.first, pattern)}{down}"


def paste(judge: Judge, expr: Expr, pattern: Pattern, name: str) -> str:
    """`write in AA33: =.. and fill down`."""
    return _paste(judge, expr, pattern, name)


def minority(judge: Judge, col: int, pattern: Pattern) -> bool:
    """Whether most rows of the column are right and these are not."""
    return judge.rows_right(col)[0] > len(pattern.rows)


def _class_of(judge: Judge, col: int, pattern: Pattern, expr: Expr, loss: bool) -> tuple[str, Severity, str, str]:
    name = judge.roles.names[col]
    if current(col) in names(expr):
        return "circular", "error", f"{name} reads itself: the formula goes round in a circle", ""
    if not loss and _is_update(judge, col, expr):
        what = "an update formula stands over the forward formula"
        return "overwritten", "error", f"{name} is overwritten: {what}", "it was probably filled too far to the side"
    other = _copy_of(judge, col, expr)
    if other:
        message = f"{name} is overwritten with the formula of {other}"
        if minority(judge, col, pattern) and not loss:
            return "overwritten", "error", message, f"it computes {other}, not {name}"
    if minority(judge, col, pattern):
        return "inconsistent-rows", "error", f"{name} says something else here than in most rows", ""
    if loss:
        return "wrong-loss", "error", f"{name} is wrong: loss and gradients disagree", ""
    return "wrong-forward", "error", f"{name} is wrong", ""


def _is_update(judge: Judge, col: int, expr: Expr) -> bool:
    """Whether a forward cell starts from its own (or a weight's) value in the row before and takes something away."""
    previous = {before(c) for c in judge.network.parameters} | {before(col)}
    looks_back = [n for n in names(expr) if n in previous]
    steps = [n for n in names(expr) if _is_gradient(judge, n)]
    return bool(looks_back) and bool(steps)


def _is_gradient(judge: Judge, name: str) -> bool:
    place = column_of(name)
    return place is not None and judge.roles.kinds.get(place.col) == "gradient"


def _copy_of(judge: Judge, col: int, expr: Expr) -> str:
    says = judge.says(expr)
    for other in judge.roles.of(*FORWARD, "gradient", "weight", "bias"):
        theirs = judge.right(other)
        if other != col and theirs is not None and not isinstance(expr, Var | Num) and same(says, theirs):
            return judge.roles.names[other]
    return ""


def typed_mistake(judge: Judge, col: int, pattern: Pattern, typed: tuple[dict[float, str], Expr]) -> Mistake:
    """A number typed where a target (or input) belongs: fragile while it is the same number, wrong when it is not."""
    numbers, whole = typed
    name = judge.roles.names[col]
    shown = ", ".join(f"{number:.12g} for {judge.spell(leaf)}" for number, leaf in numbers.items())
    differs = [
        f"{judge.spell(leaf)} is {given:.12g}"
        for number, leaf in numbers.items()
        if (given := judge.given_value(leaf)) is not None and abs(given - number) > 1e-9 * max(1.0, abs(given))
    ]
    severity: Severity = "error" if differs else "warning"
    message = f"{name} has {shown} typed into the formula"
    message += f", but {', '.join(differs)}" if differs else ": right today, wrong as soon as the cell is changed"
    return Mistake(
        kind="typed-target",
        severity=severity,
        sheet=judge.table.sheet,
        column=name,
        message=message,
        col=col,
        rows=pattern.rows,
        cells="",
        says=judge.named(pattern.expr) if pattern.expr is not None else "",
        should_say=judge.named(whole),
        why="a formula should read its targets and inputs from their cells",
        fix=paste(judge, whole, pattern, name),
        wrong=pattern.expr if differs else None,
    )
