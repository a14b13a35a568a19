"""What of a notebook makes a network: its cells with imports, definitions and constants only, as one Python file.

A cell that does anything else (loads data, trains, prints) is left out as a whole. An import that fails is passed over:
a notebook imports much that its network does not need.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from tinyproof.core.errors import DataError
from tinyproof.core.plain_data import parse_json

_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Pass)


@dataclass(frozen=True)
class Source:
    """The Python text of the cells that are run, and their numbers among the code cells, from 1."""

    text: str
    cells: tuple[int, ...]
    of: int

    def words(self, name: str) -> str:
        """What was run, for people."""
        listed = ", ".join(map(str, self.cells)) or "none"
        which = f"cells {listed} of {self.of}" if len(self.cells) != 1 else f"cell {listed} of {self.of}"
        return f"of {name}, {which} with code: those with imports, definitions and constants only; no other cell is run"


def source_of(content: bytes, where: str) -> Source:
    """The source of a notebook (nbformat 3 or 4). Raises DataError."""
    book = parse_json(content, where)
    cells = [cell for cell in _cells(book) if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    if not cells:
        raise DataError(where, "is no notebook with cells of code")
    parts, numbers = [], []
    for number, cell in enumerate(cells, 1):
        tree = _definitions(_text(cell))
        if tree is not None and tree.body:
            parts.append(f"# cell {number}\n{ast.unparse(_forgiving(tree))}\n")
            numbers.append(number)
    return Source("\n".join(parts), tuple(numbers), len(cells))


def _cells(book: object) -> list[object]:
    if not isinstance(book, dict):
        return []
    sheets = [book, *_list(book.get("worksheets"))]  # nbformat 3 kept its cells in worksheets
    return [cell for sheet in sheets if isinstance(sheet, dict) for cell in _list(sheet.get("cells"))]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(cell: dict[str, object]) -> str:
    text = cell.get("source", cell.get("input", ""))
    return "".join(map(str, text)) if isinstance(text, list) else str(text)


def _definitions(text: str) -> ast.Module | None:
    """The cell, where it only imports, defines and names constants; None for any other."""
    if text.lstrip().startswith("%%"):
        return None
    plain = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith(("%", "!")))
    try:
        tree = ast.parse(plain)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    return tree if all(map(_only_defines, tree.body)) else None


def _only_defines(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        return statement.value is None or _constant(statement.value)
    return isinstance(statement, _DEFINITIONS)


def _constant(value: ast.expr) -> bool:
    """Whether a value is written out: numbers, words, names, collections and arithmetic of them, no call."""
    allowed = (ast.Constant, ast.Name, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.UnaryOp, ast.BinOp)
    parts = (ast.expr_context, ast.operator, ast.unaryop)
    return all(isinstance(node, (*allowed, *parts)) for node in ast.walk(value))


def _forgiving(tree: ast.Module) -> ast.Module:
    """Each import of the cell in a `try` of its own."""
    passed = ast.ExceptHandler(ast.Name("ImportError", ast.Load()), None, [ast.Pass()])
    body: list[ast.stmt] = []
    for one in tree.body:
        imports = isinstance(one, ast.Import | ast.ImportFrom) and getattr(one, "module", "") != "__future__"
        body.append(ast.Try([one], [passed], [], []) if imports else one)
    return ast.fix_missing_locations(ast.Module(body, []))
