"""Draw small changes of Python source at random: a comparison, an `and`, a number, a condition, a statement."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.In: "not in", ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is",
}  # fmt: skip
_LEAST = 16
_OPERATORS: dict[type[ast.operator], str] = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*"}


@dataclass(frozen=True)
class Drawn:
    """A change of one file: a text that stands in it exactly once, and what takes its place."""

    name: str
    file: str
    old: str
    new: str


def draw(sources: Mapping[str, str], count: int, seed: int) -> list[Drawn]:
    """`count` changes (or all there are), each possible change of all files as likely as any other.

    >>> [d.new for d in draw({"a.py": "def f(a):\\n    return a < 3\\n"}, 9, 1)]
    ['a <= 3', '4']
    """
    every = [found for file in sorted(sources) for found in changes(file, sources[file])]
    return random.Random(seed).sample(every, min(count, len(every)))


def changes(file: str, text: str) -> Iterator[Drawn]:
    """Every change of one file that this module knows."""
    for start, end, new in _edits(ast.parse(text), text):
        first, last = _unique(text, start, end)
        if text.count(text[first:last]) == 1:
            line = text.count("\n", 0, start) + 1
            yield Drawn(f"line {line}: {text[start:end]!r} to {new!r}", file, text[first:last],
                        text[first:start] + new + text[end:last])  # fmt: skip


def _unique(text: str, start: int, end: int) -> tuple[int, int]:
    """The bounds of a text around a place that stands only once: whole words, as few as do; then lines above."""
    top, bottom = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    bottom = len(text) if bottom < 0 else bottom
    words = [match.start() + top for match in re.finditer(r"\S+", text[top:bottom])]
    ends = [match.end() + top for match in re.finditer(r"\S+", text[top:bottom])]
    first = max((word for word in words if word <= start), default=top)
    last = min((word for word in ends if word >= end), default=bottom)
    while _slight(text, first, last) and (first > words[0] or last < ends[-1]):
        first = max((word for word in words if word < first), default=first)
        last = min((word for word in ends if word > last), default=last)
    while text.count(text[first:last]) > 1 and first > 0:
        first = text.rfind("\n", 0, max(0, first - 1)) + 1
    return first, last


def _slight(text: str, first: int, last: int) -> bool:
    """A text that stands more than once, or soon will: it is short."""
    return last - first < _LEAST or text.count(text[first:last]) > 1


def _edits(tree: ast.Module, text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, new text) of every change, as positions in the text."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    lines = text.splitlines()

    def at(line: int, column: int) -> int:
        # The tree counts columns in bytes of UTF-8.
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    def span(node: ast.expr | ast.stmt) -> tuple[int, int]:
        return at(node.lineno, node.col_offset), at(node.end_lineno or 0, node.end_col_offset or 0)

    for node in _walk(tree):
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            begin, end = span(node.left)[1], span(node.comparators[0])[0]
            between = text[begin:end]
            if between.strip() and "\n" not in between and between.strip("() ") == between.strip():
                yield begin, end, f" {_COMPARISONS[type(node.ops[0])]} "
        elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            begin, end = span(node.left)[1], span(node.right)[0]
            if text[begin:end].strip() in "+-*/" and not isinstance(node.left, ast.Constant):
                yield begin, end, f" {_OPERATORS[type(node.op)]} "
        elif isinstance(node, ast.BoolOp):
            begin, end = span(node.values[0])[1], span(node.values[1])[0]
            word = "and" if isinstance(node.op, ast.And) else "or"
            if text[begin:end].strip() == word and "\n" not in text[begin:end] and len(node.values) == 2:
                yield begin, end, " or " if word == "and" else " and "
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield span(node)[0], span(node)[0] + 4, ""
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
            yield (*span(node), _other(node.value))
        elif isinstance(node, ast.If | ast.IfExp):
            begin, end = span(node.test)
            yield begin, end, f"not ({text[begin:end]})"
        elif isinstance(node, ast.Continue | ast.Break | ast.AugAssign) or _is_call(node):
            assert isinstance(node, ast.stmt)
            yield (*span(node), "pass")


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but assertions, `strict=` and those inside f-strings, whose places older Pythons do not tell."""
    yield node
    if not isinstance(node, ast.JoinedStr | ast.Assert) and not (
        isinstance(node, ast.keyword) and node.arg == "strict"
    ):
        for child in ast.iter_child_nodes(node):
            yield from _walk(child)


def _is_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def _other(value: object) -> str:
    if isinstance(value, bool):
        return str(not value)
    return str(value + 1) if isinstance(value, int) else repr(2 * float(value)) if value else "1.0"  # type: ignore[arg-type]
