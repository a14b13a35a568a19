"""What cannot be read taints what depends on it, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from tinyproof.backprop.expr import Equation, Expr, names
from tinyproof.check.workbook.understand.patterns import ColumnPatterns, column_of, current
from tinyproof.check.workbook.understand.roles import FORWARD, Roles, forward_pattern


def unread_columns(columns: Mapping[int, ColumnPatterns]) -> frozenset[int]:
    """Columns most of whose formulas could not be read."""
    return frozenset(col for col, held in columns.items() if held.main is not None and held.main.expr is None)


def tainted_parameters(
    roles: Roles, columns: Mapping[int, ColumnPatterns], equations: list[Equation], unread: frozenset[int]
) -> dict[int, int]:
    """Parameters whose way to the loss may lead through a column that could not be read: parameter -> that column.

    Their gradient is not known. The numbers of such a column are no trouble: on random values one number is as good as
    another.
    """
    reads = {equation.name: set(names(equation.expr)) for equation in equations}
    found: dict[int, int] = {}
    for col in unread:
        if roles.kinds.get(col) not in FORWARD and not _feeds(reads, columns, roles, col):
            continue
        below = _below(_mentioned(columns[col]), reads, columns)
        for parameter in roles.of("weight", "bias"):
            if current(parameter) in below:
                found.setdefault(parameter, col)
    return found


def _feeds(reads: Mapping[str, set[str]], columns: Mapping[int, ColumnPatterns], roles: Roles, col: int) -> bool:
    """Whether a forward formula reads a column (a helper, say, that holds a part of a sum)."""
    forward = [p.expr for c in roles.of(*FORWARD) for p in columns[c].patterns if p.expr is not None]
    read = {name for used in reads.values() for name in used} | {name for expr in forward for name in names(expr)}
    return current(col) in read


def _mentioned(held: ColumnPatterns) -> set[str]:
    return {name for pattern in held.patterns for name in pattern.reads}


def _below(start: set[str], reads: Mapping[str, set[str]], columns: Mapping[int, ColumnPatterns]) -> set[str]:
    """Everything that the names depend on, as far as formulas of the same row say so."""
    seen: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        place = column_of(name)
        if name in reads:
            waiting += reads[name]
        elif place is not None and place.here and place.col in columns:
            reads_of = [n for p in columns[place.col].patterns for n in p.reads]
            waiting += [n for n in reads_of if (there := column_of(n)) and there.here]
    return seen


def unknown_through(
    expr: Expr, roles: Roles, columns: Mapping[int, ColumnPatterns], unread: frozenset[int]
) -> int | None:
    """The unread column that an expression's value depends on by way of helper columns; None where it is known."""
    seen: set[str] = set()
    waiting = list(names(expr))
    while waiting:
        name = waiting.pop()
        place = column_of(name)
        if name in seen or place is None or roles.kinds.get(place.col) not in ("helper", "derivative"):
            continue
        seen.add(name)
        if place.col in unread:
            return place.col
        pattern = forward_pattern(columns[place.col])
        if pattern is not None and pattern.expr is not None:
            waiting += names(pattern.expr)
    return None
