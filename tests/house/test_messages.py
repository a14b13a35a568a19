"""What every message to a user has: field or file, value, what is allowed or what is the matter, in plain words.
The sentences themselves are read by people; what can be held mechanically is held here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import tinyproof
from tinyproof.core import errors

PACKAGE = Path(tinyproof.__file__).parent
KINDS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
PARTS = {"InputError": ("field", "value", "allowed", "where"), "DataError": ("what", "problem", "remedy")}


def calls() -> Iterator[tuple[str, str, dict[str, ast.expr]]]:
    """Every message that is made: where, of which kind, its parts by their names."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
                named = dict(zip(PARTS.get(node.func.id, ("path", "reason")), node.args, strict=False))
                named |= {word.arg: word.value for word in node.keywords if word.arg}
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node.func.id, named


CALLS = list(calls())
STATE = re.compile(r"\b(exists?|in it|yourself|without another|or --force)\b")
PYTHON = re.compile(r"\b(NoneType|dict|tuple|str|ndarray|Exception|Traceback)\b")


def constants(part: ast.expr) -> str:
    """The fixed words of a part; what is filled in is a space."""
    if isinstance(part, ast.JoinedStr):
        return "".join(constants(value) if isinstance(value, ast.Constant) else " " for value in part.values)
    return str(part.value) if isinstance(part, ast.Constant) and part.value is not None else ""


def test_there_are_messages() -> None:
    assert len([kind for _, kind, _ in CALLS if kind in PARTS]) > 200


@pytest.mark.parametrize("kind", PARTS)
def test_every_message_names_a_field_or_file_and_says_what_is_the_matter(kind: str) -> None:
    needed = ("field", "value", "allowed") if kind == "InputError" else ("what", "problem")
    for where, its, parts in CALLS:
        if its != kind:
            continue
        for name in needed:
            assert name in parts, (where, name)
            given = parts[name]
            if not (isinstance(given, ast.Constant) and name == "value"):
                assert not isinstance(given, ast.Constant) or given.value, (where, name)


def test_a_value_that_is_missing_is_not_quoted_as_if_it_had_been_typed() -> None:
    for where, kind, parts in CALLS:
        if kind == "InputError" and isinstance(parts["value"], ast.Constant):
            assert parts["value"].value not in ("none", "nothing", "missing"), where
            assert parts["value"].value is not None or "problem" in parts, where


def test_what_is_allowed_is_a_value_and_no_state_of_the_world() -> None:
    """Not "allowed: a file that exists", nor "allowed: as declared": such a message has a problem and a remedy."""
    for where, kind, parts in CALLS:
        if kind == "InputError" and "problem" not in parts:
            assert not re.search(
                r"\b(exists?|in it|yourself|without another|or --force)\b", constants(parts["allowed"])
            ), where


def test_a_message_is_one_line_without_a_full_stop() -> None:
    for where, _, parts in CALLS:
        for name, part in parts.items():
            words = constants(part)
            assert "\n" not in words, (where, name)
            assert not words.endswith((".", "!")) or words.endswith("..."), (where, name)


def test_no_message_speaks_of_python() -> None:
    for where, _, parts in CALLS:
        for name, part in parts.items():
            assert not re.search(r"\b(NoneType|dict|tuple|str|ndarray|Exception|Traceback)\b", constants(part)), (
                where,
                name,
            )


@pytest.mark.parametrize("problem", ["", "is not there"])
def test_a_value_of_any_kind_can_be_shown(problem: str) -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for value in ("a\nb", "x" * 10_000, 10**5000, deep, {"a": deep}, None, float("nan"), b"\xff"):
        said = str(errors.InputError("field", value, "this", "there", problem=problem))
        assert said.startswith("field")
        assert "\n" not in said
        assert len(said) < 300
