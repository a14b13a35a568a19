"""Names that a person can trust their eyes with: no double of a known name, and nothing that is not seen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# Letters that look like Latin ones (after case folding): the common part of Unicode's confusables.
_LOOKS_LIKE = str.maketrans(
    "абвгеѕзікмнорстухԁјһԛԝѵӏıαβεικνορτυχɑɡօոսց᎐０１２３４５６７８９‐‑‒–—−⁃",
    "a6breszikmhopctyxdjhqwvliabeiknoptuxagonug-0123456789-------",
)
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
_JOINERS = "\u200c\u200d"  # needed in the words of some scripts


def double(name: str, known: Iterable[str]) -> str:
    """The known name that this one looks like and is not; empty where there is none.

    >>> double("s7-8\\u043a", ["fast", "s7-8k"]), double("s7-8k", ["s7-8k"]), double("dígits", ["digits"])
    ('s7-8k', '', '')
    """
    if name.isascii() and name == name.strip():
        return ""
    return next((one for one in known if name != one and _skeleton(name) == _skeleton(one)), "")


def unusual(name: str) -> str:
    """What in a name is easily overlooked, in words; empty for a plain one, in whatever language.

    >>> unusual("Ольга/сеть.py:Net"), unusual("画像　一"), unusual("a\\u200bb")
    ('', '', 'holds characters that are not shown')
    """
    if any(unicodedata.category(letter) in _UNSEEN and letter not in _JOINERS for letter in name):
        return "holds characters that are not shown"
    if name != name.strip():
        return "begins or ends with a space"
    mixed = [scripts for word in re.findall(r"[^\W\d_]+", name) if len(scripts := _scripts(word)) > 1]
    return f"mixes letters of {' and '.join(sorted(mixed[0]))} in one word" if mixed else ""


def _skeleton(name: str) -> str:
    """What a name looks like: width, case, spaces and unseen characters set aside."""
    plain = unicodedata.normalize("NFKC", name).casefold().translate(_LOOKS_LIKE)
    return "".join(letter for letter in plain if letter.isprintable() and not letter.isspace())


def _scripts(word: str) -> set[str]:
    """The scripts whose letters are mistaken for one another, of those that a word is written in."""
    names = {unicodedata.name(letter, "?").split()[0] for letter in word}
    return names & {"LATIN", "CYRILLIC", "ARMENIAN", "CHEROKEE"}
