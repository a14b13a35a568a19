"""What a script is for: whether it trains, measures or claims by itself when it is run, or serves others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from tinyproof.check.code.clean import parse_cell
from tinyproof.check.notebook.read.document import read_document
from tinyproof.core.errors import DataError
from tinyproof.core.files import is_plain

Work = Literal["works", "module", "functions", "other"]

# Calls that learn or measure, in whatever library.
_WORDS = re.compile(
    r"\.backward\(|\.fit(?:_generator|_one_cycle|_transform)?\(|\.fine_tune\(|\.evaluate\(|\.score\(|\.predict\("
    r"|\bTrainer\(|GradientTape\(|value_and_grad\(|accuracy_score\(|cross_val_score\(|train_on_batch\(|\.train_step\("
)
MAX_DEPTH = 4


def work_of(path: Path, beside: frozenset[str] = frozenset()) -> Work:
    """What a script does when it is run.

    works: it learns or measures, itself or through the modules it imports. module: it could, and another script
    imports it (`beside`: the names that are imported there). functions: it only defines what learns or measures.
    other: neither.
    """
    parsed = _parsed(path)
    if parsed is None:
        return "other"
    source, statements = parsed
    if not _learns(path, source, statements, 0):
        return "other"
    guarded = any(_is_main_guard(statement) for statement in statements)
    if path.stem in beside and not guarded:
        return "module"
    return "works" if guarded or any(map(_does, statements)) else "functions"


def imported_names(path: Path) -> frozenset[str]:
    """The last parts of the names of the modules that a script or notebook imports."""
    try:
        document = read_document(path)
    except DataError:
        return frozenset()
    found: set[str] = set()
    for cell in document.code:
        for node in _imports(parse_cell(cell.source).statements):
            found.update(name.rpartition(".")[2] for name in node)
    return frozenset(found)


def _parsed(path: Path) -> tuple[str, tuple[ast.stmt, ...]] | None:
    try:
        source = read_document(path).cells[0].source
    except DataError:
        return None
    return source, parse_cell(source).statements


def _imports(statements: tuple[ast.stmt, ...]) -> Iterator[list[str]]:
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Import):
                yield [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                yield [node.module or "", *(alias.name for alias in node.names)]


def _learns(path: Path, source: str, statements: tuple[ast.stmt, ...], depth: int) -> bool:
    """Whether a script, or a module beside it that it imports, holds a call that learns or measures."""
    if _WORDS.search(source):
        return True
    if depth >= MAX_DEPTH:
        return False
    for names in _imports(statements):
        for name in names:
            parts = [part for part in name.split(".") if part]
            module = path.parent / "/".join([*parts[:-1], f"{parts[-1]}.py"]) if parts else path
            if module == path or not is_plain(module) or module.is_symlink():
                continue
            parsed = _parsed(module)
            if parsed is not None and _learns(module, *parsed, depth + 1):
                return True
    return False


def _is_main_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__main__" in ast.unparse(statement.test)


# Statements of a module that only get things ready.
_READY = re.compile(r"seed|set_|sys\.path|environ|filterwarnings|basicConfig|backend|chdir|rcParams|print")


def _does(statement: ast.stmt) -> bool:
    """Whether a statement of a module does work: a loop, a call, a result that is kept of fit or evaluate."""
    if isinstance(statement, ast.For | ast.While):
        return True
    if isinstance(statement, ast.With | ast.Try):
        return any(_does(inner) for inner in statement.body)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return not _READY.search(ast.unparse(statement.value.func)) or bool(_WORDS.search(ast.unparse(statement)))
    return isinstance(statement, ast.Assign) and bool(_WORDS.search(ast.unparse(statement)))
