"""The code of a cell in blocks, each with a print that is equal wherever the same is written under other names.

Comments, docstrings, layout and annotations are left out, names go by the order of their first use; numbers, texts, and
what belongs to a library stay. Imports are no block.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from tinyproof.check.finding import CodeBlock
from tinyproof.core import syntax

_KEPT = frozenset(dir(builtins))
_NAMES = re.compile(
    r"(?P<kept>\(alias[^()]*\))"
    r'|(?P<own>\(Attribute attr=)"(?P<attribute>[^"]*)"(?= value=\(Name id="self"\))'
    r'|(?P<before>\(Name id=|\(arg arg=|(?<!\(keyword arg=)(?<= )name=)"(?P<name>[^"]*)"'
)


def code_blocks(statements: Sequence[ast.stmt], cell: int | None) -> Iterator[CodeBlock]:
    """The blocks of a cell: each definition, loop and condition is one, and so are plain statements in a row."""
    doing = [statement for statement in statements if not isinstance(statement, ast.Import | ast.ImportFrom)]
    for compound, group in groupby(doing, key=lambda statement: hasattr(statement, "body")):
        together = list(group)
        for part in [[one] for one in together] if compound else [together]:
            text = _text(part)
            if text:
                first, last = part[0].lineno, part[-1].end_lineno or part[-1].lineno
                yield CodeBlock(_print(text), text.count("("), cell, first, last)


def _text(statements: Sequence[ast.stmt]) -> str:
    try:
        return " ".join(syntax.statements(statements))
    except RecursionError:  # a sum of a thousand terms: no block is told of it
        return ""


def _print(text: str) -> str:
    """The digest of a block's text with names by the order of their first use."""
    found: dict[str, str] = {}

    def word(match: re.Match[str]) -> str:
        if match["kept"]:
            return match["kept"]
        if match["own"]:
            return match["own"] + found.setdefault("self." + match["attribute"], f"s{len(found)}")
        name = match["name"]
        return match["before"] + (name if name in _KEPT else found.setdefault(name, f"v{len(found)}"))

    return hashlib.sha256(_NAMES.sub(word, text).encode()).hexdigest()[:16]
