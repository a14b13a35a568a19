"""The one door for JSON of strangers: bounded, no more than data, and no key twice in one table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tinyproof.core.errors import DataError, one_line
from tinyproof.core.files import read_bounded


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
        raise DataError(where, f"is not JSON: {one_line(str(error), 120)}") from error


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not a JSON number")


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one table")
    return table
