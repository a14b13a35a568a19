"""The one door for JSON and TOML of strangers: bounded, no more than data, and no key twice in one table."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from tinyproof.core.errors import DataError, InputError, one_line
from tinyproof.core.files import read_bounded

# A key of a hundred parts and more, `a.b.c`, as no person writes it.
_DOTTED = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){100}""")


def read_json(path: Path, max_bytes: int) -> Any:
    """Plain data from a file of at most `max_bytes`. Raises DataError."""
    return parse_json(read_bounded(path, max_bytes), str(path))


def parse_json(content: bytes, where: str) -> Any:
    """Plain data from UTF-8 JSON; `where` names the source. Raises DataError.

    A key that stands twice is refused: a person reads the first value, a program the last.

    >>> parse_json(b'{"target": 99.9, "target": 90.0}', "declared.json")
    Traceback (most recent call last):
    tinyproof.core.errors.DataError: declared.json: is not JSON: the key 'target' stands twice in one table
    """
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_table)
    except (ValueError, RecursionError) as error:
        raise DataError(where, f"is not JSON: {said_of(error)}") from error


def parse_toml(content: bytes, field: str, where: str) -> dict[str, Any]:
    """A table from TOML in UTF-8, with or without a byte-order mark. Raises InputError that names `field`.

    >>> parse_toml(b"\\xef\\xbb\\xbfepochs = 3", "recipe", "my.toml")
    {'epochs': 3}
    """
    try:
        return toml_table(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        # No TOML, no UTF-8, a number of thousands of digits, or tables in tables without end.
        raise InputError(field, where, "write it as TOML", problem=f"is not TOML: {said_of(error)}") from error


def toml_table(text: str) -> dict[str, Any]:
    """A table from TOML. Raises ValueError, and RecursionError where keys or values are nested without end.

    >>> toml_table("one.two = 3")
    {'one': {'two': 3}}
    """
    if _DOTTED.search(text):
        raise RecursionError  # the parser's memory grows with the square of the parts of a key
    return tomllib.loads(text)


def said_of(error: Exception) -> str:
    """What is wrong with the text, in words of its own where Python speaks of its settings."""
    text = str(error)
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "a number of thousands of digits" if "integer string conversion" in text else one_line(text, 120)


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not a JSON number")


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one table")
    return table
