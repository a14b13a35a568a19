"""Cells that do not parse and never ran: left out, but where a name that they would define is used."""

from __future__ import annotations

import ast
import re

from tinyproof.check.code.clean import parse_cell
from tinyproof.check.notebook.read.document import Cell, Document

# Python reads a cell to its end before it runs a line of it: after such an error none was run.
NEVER_RUN = ("SyntaxError", "IndentationError", "TabError")
_DEFINED = re.compile(r"^[ \t]*(?:async +)?(?:def|class) +([A-Za-z_]\w*)", re.MULTILINE)
_GIVEN = re.compile(
    r"(?:^|;[ \t]*)\(?([A-Za-z_]\w*(?:[ \t]*,[ \t]*[A-Za-z_]\w*)*)\)?[ \t]*(?:[-+*/%|&@]|//|\*\*)?=(?!=)", re.MULTILINE
)


def never_ran(cell: Cell, document: Document) -> bool:
    """Whether a cell does not parse and did nothing: by its error, or without a number where others have one."""
    if not parse_cell(cell.source).unread:
        return False
    numbered = any(other.count is not None for other in document.code)
    return cell.error in NEVER_RUN or (numbered and cell.count is None and not cell.output)


def missed(cell: Cell, document: Document) -> tuple[str, ...]:
    """The names that a cell which never ran in this form would define, where those that ran need one of them.

    Behind an error in its syntax only those that nothing else defines: it may have had another form before. Without a
    number it may have run after all.
    """
    names = defined(cell.source)
    rest = [other for other in document.code if other is not cell and not never_ran(other, document)]
    used = set().union(*(_read(other) for other in rest)) & set(names)
    if cell.error in NEVER_RUN:
        used -= set().union(*(_bound(other) for other in rest))
    return names if used else ()


def defined(source: str) -> tuple[str, ...]:
    """The names that a text defines at the beginnings of its lines, as far as that shows without parsing it.

    >>> defined("def ev(m:\\n    z = 1\\na, b = f(; c += 1\\nif a == 1")
    ('ev', 'a', 'b', 'c')
    """
    given = [name.strip() for found in _GIVEN.findall(source) for name in found.split(",")]
    return tuple(dict.fromkeys((*_DEFINED.findall(source), *given)))


def _read(cell: Cell) -> set[str]:
    """The names that the statements of a cell look up."""
    parts = [part for statement in parse_cell(cell.source).statements for part in ast.walk(statement)]
    return {part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}


def _bound(cell: Cell) -> set[str]:
    parts = [part for statement in parse_cell(cell.source).statements for part in ast.walk(statement)]
    stored = {part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    made = {part.name for part in parts if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    brought = {
        alias.asname or alias.name.partition(".")[0]
        for part in parts
        for alias in getattr(part, "names", [])
        if isinstance(alias, ast.alias)
    }
    given = {part.arg for part in parts if isinstance(part, ast.arg)}
    return stored | made | brought | given
