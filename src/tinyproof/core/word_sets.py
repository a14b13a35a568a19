"""Sets of words, written as one text."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set.

    >>> sorted(words("to cuda cpu"))
    ['cpu', 'cuda', 'to']
    """
    return frozenset(text.split())
