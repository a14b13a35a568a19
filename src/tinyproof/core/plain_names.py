"""Names that a person can trust their eyes with: printable, in one script a word, and no double of a known name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# Letters of other scripts that look like Latin ones (after case folding): the common part of Unicode's confusables.
_LOOKS_LIKE = str.maketrans(
    "абвгеѕзікмнорстухԁјһԛԝѵӏαβεικνορτυχɑɡօոսց᎐０１２３４５６７８９‐‑‒–—−⁃",
    "a6breszikmhopctyxdjhqwvlabeiknoptuxagonug-0123456789-------",
)


def doubtful(name: str, known: Iterable[str] = ()) -> str:
    """Why a name deceives the eye, in words; empty for a plain one. `known`: the names it could be taken for.

    >>> doubtful("s7-8k", ["s7-8k"]), doubtful("Ольга/сеть.py:Net")
    ('', '')
    >>> doubtful("s7-8\\u043a", ["s7-8k"])
    'looks like s7-8k and is not it'
    """
    if not name.isprintable():
        return "holds characters that are not shown"
    if name != name.strip():
        return "begins or ends with a space"
    for one in known:
        if name != one and _skeleton(name) == _skeleton(one) and not name.isascii():
            return f"looks like {one} and is not it"
    mixed = [word for word in re.findall(r"[^\W\d_]+", name) if len(_scripts(word)) > 1]
    return f"mixes letters of {' and '.join(sorted(_scripts(mixed[0])))} in one word" if mixed else ""


def _skeleton(name: str) -> str:
    """What a name looks like: case, width, accents and script set aside."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_LOOKS_LIKE)
    return "".join(letter for letter in plain if not unicodedata.combining(letter) and letter.isprintable()).strip()


def _scripts(word: str) -> set[str]:
    """The scripts whose letters are mistaken for one another, of those that a word is written in."""
    names = {unicodedata.name(letter, "?").split()[0] for letter in word}
    return names & {"LATIN", "CYRILLIC", "ARMENIAN", "CHEROKEE"}
