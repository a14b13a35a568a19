"""Gradient columns: each compared with the derivative of the sheet's own loss; a wrong helper column is blamed once."""

from __future__ import annotations

from tinyproof.backprop.diff import backward, gradient_name
from tinyproof.backprop.expr import Expr, evaluate_all, names
from tinyproof.check.workbook.rules.forward import (
    irregular,
    minority,
    no_common_formula,
    not_understood,
    paste,
    typed_mistake,
)
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.rules.reasons import describe, gradient_reason
from tinyproof.check.workbook.thresholds import MOST_ROWS, SAME_THROUGH_HELPERS
from tinyproof.check.workbook.understand.meaning import same, value
from tinyproof.check.workbook.understand.patterns import Pattern, column_of, current, elsewhere
from tinyproof.check.workbook.understand.roles import forward_pattern
from tinyproof.check.workbook.understand.trained_network import gradient_of
from tinyproof.core.arrays import np


def check_gradients(judge: Judge) -> list[Mistake]:
    """Every pattern of every gradient column."""
    if not judge.network.equations:
        return []
    wrong: list[tuple[int, int, Pattern, Expr]] = []
    found: list[Mistake] = []
    for col in judge.roles.of("gradient"):
        parameter = gradient_of(judge.network, col)
        before = len(wrong)
        for pattern in judge.columns[col].patterns:
            if pattern.expr is None:
                found.append(not_understood(judge, col, pattern))
            elif parameter is None:
                found.append(_whose(judge, col, pattern))
            elif parameter in judge.network.tainted or judge.unread_in(pattern.expr) is not None:
                continue  # it depends on what could not be read, and the note there says so
            elif not same(judge.says(pattern.expr), judge.gradient(parameter)):
                wrong.append((col, parameter, pattern, pattern.expr))
        if irregular(judge, col, len(wrong) - before):
            found.append(no_common_formula(judge, col, [pattern for _, _, pattern, _ in wrong[before:]]))
            del wrong[before:]
    helpers = blamed_helpers(judge, wrong)
    for col, parameter, pattern, expr in wrong:
        if not any(_fits_with(judge, expr, judge.gradient(parameter), helpers)):
            found.append(_mistake(judge, col, parameter, pattern, expr))
    found += [_helper_mistake(judge, col, right) for col, right in helpers.items()]
    return found + _odd_helpers(judge, helpers) + _unread_helpers(judge)


def check_ascending(judge: Judge) -> list[Mistake]:
    """Gradient columns that hold -dE/dw in most rows: what says something else in the others."""
    found: list[Mistake] = []
    for col in judge.roles.of("gradient"):
        main, parameter = judge.columns[col].main, gradient_of(judge.network, col)
        assert main is not None
        assert main.expr is not None
        assert parameter is not None
        odd: list[tuple[Pattern, Expr]] = []
        for pattern in judge.columns[col].patterns:
            if pattern.expr is None:
                found.append(not_understood(judge, col, pattern))
            elif not same(judge.says(pattern.expr), -judge.gradient(parameter)):
                odd.append((pattern, pattern.expr))
        if 2 * sum(len(pattern.rows) for pattern, _ in odd) >= len(judge.table.rows):
            found.append(no_common_formula(judge, col, [pattern for pattern, _ in odd]))
        else:
            found += [_odd_rows(judge, col, pattern, expr, main.expr) for pattern, expr in odd]
    return found


def _unread_helpers(judge: Judge) -> list[Mistake]:
    """Helper columns that could not be read and that another column reads."""
    return [
        not_understood(judge, helper, pattern)
        for helper in judge.roles.of("helper", "derivative")
        for pattern in judge.columns[helper].patterns
        if pattern.expr is None and any(_reads(judge, c, helper) for c in judge.columns if c != helper)
    ]


def _whose(judge: Judge, col: int, pattern: Pattern) -> Mistake:
    name = judge.roles.names[col]
    return Mistake(
        "not-understood", "note", judge.table.sheet, name,
        f"{name} names no weight of this table, so it could not be judged", col, pattern.rows, undecided=True,
    )  # fmt: skip


def _mistake(judge: Judge, col: int, parameter: int, pattern: Pattern, expr: Expr) -> Mistake:
    right, name = judge.gradient(parameter), judge.roles.names[col]
    typed = judge.typed_for(expr, right)
    if typed is not None:
        return typed_mistake(judge, col, pattern, typed)
    chain = judge.chain_rule(parameter)
    if current(col) in names(expr):
        kind, message = "circular", f"{name} reads itself: the formula goes round in a circle"
    elif minority(judge, col, pattern):
        kind, message = "inconsistent-rows", f"{name} says something else here than in most rows"
    else:
        kind, message = "wrong-gradient", f"{name} is not the gradient"
    repair = judge.repair(expr, right)
    why = gradient_reason(judge, parameter, repair)
    if repair is not None:
        why = f"{describe(judge, repair)}: {why}"
    best = repair.whole if repair is not None else judge.rows_right(col)[1] or chain
    return Mistake(
        kind=kind,
        severity="error",
        sheet=judge.table.sheet,
        column=name,
        message=message,
        col=col,
        rows=pattern.rows,
        cells="",
        says=judge.named(expr),
        should_say=judge.named(repair.whole if repair is not None else chain),
        why=why,
        fix=paste(judge, best, pattern, name),
        wrong=expr,
        mended=repair is not None,
    )


# Helper columns ------------------------------------------------------------------------------------------------------


def blamed_helpers(judge: Judge, wrong: list[tuple[int, int, Pattern, Expr]]) -> dict[int, np.ndarray]:
    """Helper columns that make every gradient that reads them wrong: column -> what it should be worth."""
    blamed: dict[int, np.ndarray] = {}
    waiting = [(expr, judge.gradient(parameter)) for _, parameter, _, expr in wrong]
    for _ in range(6):  # a helper of a helper of ..: the first wrong one is looked for
        deeper: list[tuple[Expr, np.ndarray]] = []
        for helper in {h for expr, _ in waiting for h in _helpers_of(judge, expr)}:
            needed = _needed(judge, helper, [(e, r) for e, r in waiting if current(helper) in names(e)])
            pattern = forward_pattern(judge.columns[helper])
            if needed is None or pattern is None or pattern.expr is None:
                continue
            blamed[helper] = needed
            deeper.append((pattern.expr, needed))
        if not deeper:
            break
        waiting = deeper
    return _first_wrong(judge, blamed)


def _first_wrong(judge: Judge, blamed: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """Those whose own formula is wrong once the helpers that they read are right."""
    kept = {}
    for helper, needed in blamed.items():
        pattern = forward_pattern(judge.columns[helper])
        assert pattern is not None
        assert pattern.expr is not None
        others = {h: v for h, v in blamed.items() if h != helper and current(h) in names(pattern.expr)}
        if not any(_fits_with(judge, pattern.expr, needed, others)):
            kept[helper] = needed
    return kept


def _helpers_of(judge: Judge, expr: Expr) -> list[int]:
    places = [column_of(name) for name in names(expr)]
    return [p.col for p in places if p and p.here and judge.roles.kinds.get(p.col) in ("helper", "derivative")]


def _needed(judge: Judge, helper: int, users: list[tuple[Expr, np.ndarray]]) -> np.ndarray | None:
    """The value of the helper that makes all its wrong users right; None where there is none, or nothing is gained."""
    candidates: list[np.ndarray] = []
    for expr, right in users:
        values = dict(judge.complete(expr))
        at = []
        for trial in (0.0, 1.0, 2.0):
            values[current(helper)] = np.full_like(right, trial)
            at.append(np.asarray(_value(expr, values)))
        slope = at[1] - at[0]
        if np.any(np.abs(slope) < 1e-12) or not same(at[2] - at[1], slope, SAME_THROUGH_HELPERS):
            return None
        candidates.append((right - at[0]) / slope)
    if not candidates or not all(same(c, candidates[0], SAME_THROUGH_HELPERS) for c in candidates):
        return None
    meaning = _meaning(judge, helper)
    if meaning is not None:
        return candidates[0] if same(candidates[0], meaning, SAME_THROUGH_HELPERS) else None
    pattern = forward_pattern(judge.columns[helper])
    if len(users) >= 2 and len(users) == _readers(judge, helper):
        return candidates[0]
    known = pattern is not None and pattern.expr is not None and judge.repair(pattern.expr, candidates[0]) is not None
    return candidates[0] if known and all(judge.repair(e, r) is None for e, r in users) else None


def _readers(judge: Judge, helper: int) -> int:
    return sum(
        any(p.expr is not None and current(helper) in names(p.expr) for p in columns.patterns)
        for columns in judge.columns.values()
    )


def _value(expr: Expr, values: dict[str, np.ndarray]) -> np.ndarray:
    return value(expr, values)


def _meaning(judge: Judge, helper: int) -> np.ndarray | None:
    """What a heading like `∂E1/∂a_h1` says the column is, as numbers."""
    name = judge.roles.names[helper]
    if judge.roles.kinds[helper] != "derivative" or "/d" not in name:
        return None
    top, _, bottom = name[1:].partition("/d")
    over = judge.roles.named(bottom)
    above = judge.network.loss if top == "E" else current(judge.roles.named(top) or -1)
    if over is None or above not in {e.name for e in judge.network.equations}:
        return None
    position = next(i for i, e in enumerate(judge.network.equations) if e.name == above)
    chain = backward(judge.network.equations[: position + 1], [current(over)])
    return np.asarray(evaluate_all(chain, judge.values)[gradient_name(above, current(over))])


def _fits_with(judge: Judge, expr: Expr, right: np.ndarray, helpers: dict[int, np.ndarray]) -> list[bool]:
    """[True] where the formula is right once the helpers have their right values; [] where it reads none of them."""
    used = {h: v for h, v in helpers.items() if current(h) in names(expr)}
    if not used:
        return []
    values = {**judge.complete(expr), **{current(h): v for h, v in used.items()}}
    return [same(_value(expr, values), right, SAME_THROUGH_HELPERS)]


def _helper_mistake(judge: Judge, helper: int, needed: np.ndarray) -> Mistake:
    pattern = forward_pattern(judge.columns[helper])
    assert pattern is not None
    assert pattern.expr is not None
    name = judge.roles.names[helper]
    repair = judge.repair(pattern.expr, needed)
    why = f"{describe(judge, repair)}; " if repair is not None else ""
    users = [judge.roles.names[c] for c in judge.columns if _reads(judge, c, helper)]
    return Mistake(
        kind="wrong-gradient",
        severity="error",
        sheet=judge.table.sheet,
        column=name,
        message=f"{name} is wrong, and every gradient that reads it",
        col=helper,
        rows=pattern.rows,
        cells="",
        says=judge.named(pattern.expr),
        should_say=judge.named(repair.whole) if repair is not None else "",
        why=why + f"it is read by {', '.join(users[:8])}",
        fix=paste(judge, repair.whole, pattern, name) if repair is not None else "",
        wrong=pattern.expr,
    )


def _reads(judge: Judge, col: int, helper: int) -> bool:
    return any(p.expr is not None and current(helper) in names(p.expr) for p in judge.columns[col].patterns)


def _odd_helpers(judge: Judge, blamed: dict[int, np.ndarray]) -> list[Mistake]:
    """Rows of a helper column that say something else than most of its rows; nothing where no formula is in most."""
    found = []
    for helper in judge.roles.of("helper", "derivative"):
        main = judge.columns[helper].main
        read = any(_reads(judge, c, helper) for c in judge.columns if c != helper)
        if helper in blamed or main is None or main.expr is None or not read or not _in_most_rows(judge, helper, main):
            continue
        right = judge.says(main.expr)
        starts = any(elsewhere(name) for name in names(main.expr))
        for pattern in judge.columns[helper].patterns:
            if pattern is main or pattern.expr is None or (starts and pattern.first == judge.table.rows[0]):
                continue  # the first row starts what the others go on with
            if judge.unread_in(pattern.expr) is None and not same(judge.says(pattern.expr), right):
                found.append(_odd_rows(judge, helper, pattern, pattern.expr, main.expr))
    return found


def _in_most_rows(judge: Judge, col: int, main: Pattern) -> bool:
    """Whether one formula stands in most rows of the table, and the others stand in few."""
    return len(main.rows) > MOST_ROWS * len(judge.table.rows)


def _odd_rows(judge: Judge, helper: int, pattern: Pattern, expr: Expr, right: Expr) -> Mistake:
    name = judge.roles.names[helper]
    return Mistake(
        kind="inconsistent-rows",
        severity="error",
        sheet=judge.table.sheet,
        column=name,
        message=f"{name} says something else here than in most rows",
        col=helper,
        rows=pattern.rows,
        cells="",
        says=judge.named(expr),
        should_say=judge.named(right),
        why="",
        fix=paste(judge, right, pattern, name),
    )
