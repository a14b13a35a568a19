"""The code of a notebook without what never runs: functions nobody calls, names that are made and never looked at."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from tinyproof.check.code.clean import parse_cell
from tinyproof.core.trees import nodes

_DEFINED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_Key = tuple[str, int | None]  # the file and the cell
_ROUNDS = 8
_BY_TEXT = re.compile(r"globals\(\)|locals\(\)|\bexec\(|(?<!\.)\beval\(|%run")


def live_text(cells: Sequence[tuple[_Key, str]]) -> dict[_Key, list[str]]:
    """The lines of each cell, those of dead code empty.

    Dead is a function, a class, or what is given to a single name at the top of a cell, where nothing else reads the
    name. Where a cell is not read whole, or names are reached by text, everything is kept.
    """
    lines = {key: source.split("\n") for key, source in cells}
    parsed = [(key, parse_cell(source)) for key, source in cells]
    if any(cell.unread or cell.too_long for _, cell in parsed) or any(_BY_TEXT.search(text) for _, text in cells):
        return lines
    left = [(key, statement, set(_read(statement))) for key, cell in parsed for statement in cell.statements]
    for _ in range(_ROUNDS):
        times = Counter(name for _, _, names in left for name in names)
        dead = [(k, s, names) for k, s, names in left if (name := _only_name(s)) and times[name] == (name in names)]
        for key, statement, _names in dead:
            first = min([statement.lineno, *(part.lineno for part in getattr(statement, "decorator_list", []))])
            for line in range(first, (statement.end_lineno or statement.lineno) + 1):
                lines[key][line - 1] = ""
        if not dead:
            break
        gone = {id(statement) for _, statement, _ in dead}
        left = [entry for entry in left if id(entry[1]) not in gone]
    return lines


def _only_name(statement: ast.stmt) -> str:
    """The one name that a statement binds and does nothing beside; empty for any other statement."""
    if isinstance(statement, _DEFINED):
        return statement.name
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        return target.id if isinstance(target, ast.Name) and not _measures(statement.value) else ""
    return ""


def _measures(value: ast.expr) -> bool:
    """Whether a call may print or do more than give something: any but one of a class or a maker of data."""
    calls = [node.func for node in nodes(value) if isinstance(node, ast.Call)]
    names = [getattr(func, "attr", getattr(func, "id", "")) for func in calls]
    return any(not (name[:1].isupper() or name.endswith(("loader", "loaders"))) for name in names)


def _read(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement reads: of variables, of attributes, of imports, in texts that are one word."""
    for node in nodes(statement):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield node.value
        elif isinstance(node, ast.ImportFrom | ast.Import):
            yield from (alias.name for alias in node.names)
