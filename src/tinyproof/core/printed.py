"""A result that prints itself: as text in a terminal, as HTML in a notebook, both from the same words and tables."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

from tinyproof.core.table import Table

Part = str | Table
T = TypeVar("T")


class Printed:
    """For results to inherit: they say in `parts()` what there is to say, words and tables in their order.

    `str()` and the echo of a terminal give what the command prints; `_repr_html_` is what a notebook shows. A frozen
    dataclass that inherits this is declared with `repr=False`, or its own long form would be echoed.
    """

    def parts(self) -> Sequence[Part]:
        """Words (of one line or more) and tables."""
        raise NotImplementedError

    def __str__(self) -> str:
        return visible("\n\n".join(part if isinstance(part, str) else part.text() for part in self.parts()))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return "\n".join(part.html() if isinstance(part, Table) else _words(part) for part in self.parts())


def visible(text: str) -> str:
    """Text for a terminal: what would move its cursor, colour it or turn its lines round becomes a question mark.

    >>> visible("a\\x1b[2Jb\\n\\u202ec")
    'a?[2Jb\\n?c'
    """
    return "".join(letter if letter in "\n\t" or not _moves(letter) else "?" for letter in text)


def _moves(letter: str) -> bool:
    return letter < " " or "\x7f" <= letter <= "\x9f" or letter in "\u2028\u2029" or "\u202a" <= letter <= "\u202e"


def _words(text: str) -> str:
    """Text whose lines stay lines, everything escaped."""
    return f'<p style="white-space: pre-wrap">{html.escape(text)}</p>'


def printed(kind: type[T], record: Any, **more: object) -> T:
    """The record of an inner room as the result `kind`, which inherits the record's class and says how it is printed.

    `more`: fields that the result has besides.
    """
    return kind(**{field.name: getattr(record, field.name) for field in fields(record)}, **more)
