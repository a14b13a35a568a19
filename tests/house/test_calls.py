"""No call has more than seven positional arguments: nobody can tell by reading which is which."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST = 7
# Lists in the form of calls: the layers of a network, the words of a command line.
LISTS = {"Sequential", "super().__init__", "cli", "call", "tinyproof"}
# What is still to be named: room -> callees. Nothing is added here; what is named is taken out.
NOT_YET: dict[str, set[str]] = {}


def long_calls(text: str) -> Iterator[tuple[int, str]]:
    """Line and callee of every call in a source with too many positional arguments."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and len(node.args) > MOST:
            name = ast.unparse(node.func)
            if name not in LISTS and name.rpartition(".")[2] not in LISTS:
                yield node.lineno, name


def found() -> list[tuple[str, int, str]]:
    paths = [path for top in ("src", "tests", "tools", "benchmarks") for path in sorted((ROOT / top).rglob("*.py"))]
    return [
        (path.relative_to(ROOT).as_posix(), *call)
        for path in paths
        for call in long_calls(path.read_text(encoding="utf-8"))
    ]


def test_no_call_has_more_than_seven_positional_arguments() -> None:
    known = [(room, name) for room, names in NOT_YET.items() for name in names]
    calls = found()
    new = [
        f"{path}:{line} {name}"
        for path, line, name in calls
        if not any(path.startswith(r) and name == n for r, n in known)
    ]
    assert new == []
    gone = [one for one in known if not any(path.startswith(one[0]) and name == one[1] for path, _, name in calls)]
    assert gone == [], "to be taken out of NOT_YET"


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("f(1, 2, 3, 4, 5, 6, 7)", 0),
        ("f(1, 2, 3, 4, 5, 6, 7, 8)", 1),
        ("f(1, 2, 3, 4, 5, 6, 7, x=8, y=9)", 0),
        ("a.f(1, 2, 3, 4, 5, 6, 7, *rest)", 1),
        ("nn.Sequential(1, 2, 3, 4, 5, 6, 7, 8)", 0),
        ("class A(B):\n    def __init__(self): super().__init__(1, 2, 3, 4, 5, 6, 7, 8)", 0),
    ],
)
def test_the_check_counts(text: str, calls: int) -> None:
    assert len(list(long_calls(text))) == calls
