"""Names that a loop moves on in each of its turns: what they were before the first is not what they are."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tinyproof.check.code.interpreter.flows import Batch
from tinyproof.check.code.interpreter.rows import Rows
from tinyproof.check.code.interpreter.values import FOLD, STEPPED, Scope, Unknown, Value, constant

_BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try)
_KEPT = "_stepped"  # the attribute of a loop's node in which the names that it moves on are kept


def forget_stepped(node: ast.For | ast.AsyncFor | ast.While, scope: Scope) -> None:
    """The places by which a loop cuts something in its turns, `start` with `start += width`, are not known in it."""
    moved = [name for name in _moved(node.body) if isinstance(constant(scope.names.get(name)), int)]
    if not moved:
        return
    names: frozenset[str] | None = getattr(node, _KEPT, None)
    if names is None:  # looked for once, however often the loop is walked
        names = _places(node.body)
        setattr(node, _KEPT, names)
    for name in moved:
        if name in names:
            scope.names[name] = Unknown(STEPPED)


def mark_folds(node: ast.For | ast.AsyncFor, scope: Scope) -> None:
    """`for known, asked in folds:` where both pick rows, `x[known]` and `x[asked]`: each picks a part of its own."""
    if not isinstance(node.target, ast.Tuple):
        return
    names = {part.id for part in ast.walk(node.target) if isinstance(part, ast.Name)}
    unread = {name for name in names if _is_open(scope.names.get(name))}
    if len(names) < 2 or not unread:
        return
    parts = [part for statement in node.body for part in ast.walk(statement) if isinstance(part, ast.Subscript)]
    picks = names & {part.slice.id for part in parts if isinstance(part.slice, ast.Name)}
    for name in picks & unread if len(picks) > 1 else ():
        scope.names[name] = Unknown(FOLD)


def _is_open(value: Value | None) -> bool:
    """Whether it is not known which places these are: nothing is, or only that they are those of a loop's turns."""
    if isinstance(value, Batch):
        return isinstance(value.loader, Unknown)
    if isinstance(value, Rows):
        return value.side == "index" and value.turn != ("", "")
    return isinstance(value, Unknown) and value.name != "index"


def is_stepped(*values: Value | None) -> bool:
    """Whether one of them is such a place, or was reckoned from one."""
    return any(isinstance(value, Unknown) and value.name == STEPPED for value in values)


def _moved(body: list[ast.stmt]) -> Iterator[str]:
    """The names that statements move on: `a += n`, `a = a + n`."""
    for part in body:
        if isinstance(part, ast.AugAssign):
            if isinstance(part.target, ast.Name):
                yield part.target.id
        elif isinstance(part, ast.Assign):
            if isinstance(part.value, ast.BinOp):
                read = {inner.id for inner in ast.walk(part.value) if isinstance(inner, ast.Name)}
                yield from (target.id for target in part.targets if isinstance(target, ast.Name) and target.id in read)
        elif isinstance(part, _BLOCKS):
            yield from _moved(part.body)
            yield from _moved(getattr(part, "orelse", []))


def _places(body: list[ast.stmt]) -> frozenset[str]:
    """The names that stand between brackets: `rows[a:a + n]`, `rows[a]`."""
    parts = [part.slice for statement in body for part in ast.walk(statement) if isinstance(part, ast.Subscript)]
    return frozenset(inner.id for part in parts for inner in ast.walk(part) if isinstance(inner, ast.Name))
