"""Lines that measure on the right rows: proposals, which the audit tries on its own copy before it prints them."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from tinyproof.check.code.interpreter.rows import Rows
from tinyproof.check.code.interpreter.uses import Measured
from tinyproof.check.notebook.study import Study

_WORDS = re.compile(r"train(?:ing)?|valid(?:ation)?|val|dev", re.IGNORECASE)


def with_test_rows(study: Study, use: Measured) -> str:
    """The line of a measurement with the variables of the test rows; empty where there are none of like names."""
    line = study.line(use.at)
    if use.rows_at != use.at:
        return ""  # the labels stand on another line than the answers: one line cannot mend both
    if ".predict" not in line and use.name not in ("evaluate", "score", "evaluate_generator", "=="):
        return ""  # the guesses were made on another line

    def swapped(match: re.Match[str]) -> str:
        name = match[0]
        other = _WORDS.sub(_like("test"), name)
        value = study.scope.names.get(name)
        known = isinstance(value, Rows) or name in line.partition("(")[2]
        return other if known and other != name and isinstance(study.scope.names.get(other), Rows) else name

    changed = re.sub(r"(?<![\w.'\"])[A-Za-z_]\w*", swapped, line)
    return changed if changed != line else ""


def _like(word: str) -> Callable[[re.Match[str]], str]:
    """The word in the case of the one that it replaces."""

    def in_case(match: re.Match[str]) -> str:
        old = match[0]
        return word.upper() if old.isupper() and len(old) > 1 else word.title() if old[0].isupper() else word

    return in_case


def with_arguments_swapped(study: Study, use: Measured) -> str:
    """The line with the first two arguments of the measuring call in the other order."""
    line = study.line(use.at)
    try:
        tree = ast.parse(line)
    except SyntaxError:
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and len(node.args) >= 2:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name == use.name:
                node.args[0], node.args[1] = node.args[1], node.args[0]
                return ast.unparse(tree)
    return ""
