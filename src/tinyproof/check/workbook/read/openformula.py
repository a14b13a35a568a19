"""OpenFormula, as LibreOffice writes it into .ods files, as the formula that Excel would have.

Only the writing differs: references in square brackets with a dot for `!`, `;` between arguments, a prefix that names
the grammar. What a function means is the same.

Source: OASIS OpenDocument 1.3 part 4, 5 "OpenFormula syntax".
"""

from __future__ import annotations

import re

_PREFIX = re.compile(r"(?:of|oooc|msoxl|com\.sun\.star[\w.]*):=?|=", re.IGNORECASE)
_TOKEN = re.compile(r"""(?P<text>"(?:[^"]|"")*")|\[(?P<reference>(?:'(?:[^']|'')*'|[^\]'])*)\]|(?P<sign>[;|])""")
_SHEET = re.compile(r"\$?(?P<sheet>'(?:[^']|'')*'|[^.'!]*)\.(?P<cell>.*)", re.DOTALL)


def as_excel(formula: str) -> str:
    """The formula with its leading `=`; a reference to another file becomes one that no reader follows.

    >>> as_excel("of:=[.A1]*EXP(-[$Data.$B$2])+SUM([.C1:.C3];1)")
    '=A1*EXP(-Data!$B$2)+SUM(C1:C3,1)'
    """
    body = _PREFIX.sub("", formula, count=1) if _PREFIX.match(formula) else formula
    in_array = 0

    def token(match: re.Match[str]) -> str:
        if match["text"] is not None:
            return match["text"]
        if match["reference"] is not None:
            return _reference(match["reference"])
        return "," if match["sign"] == ";" else "|"

    parts = []
    for piece in re.split(r"([{}])", body):
        in_array += (piece == "{") - (piece == "}")
        parts.append(piece if in_array else _TOKEN.sub(token, piece))
    return "=" + "".join(parts)


def _reference(text: str) -> str:
    if "#" in text and "'" in text.partition("#")[0]:
        return "'[1]'!A1"  # 'file:///..'#$Sheet1.A1
    first, last = _split(text)
    start = _cell(first)
    if not last:
        return start
    return f"{start}:{_cell(last).rpartition('!')[2]}"


def _split(text: str) -> tuple[str, str]:
    """The two ends of a range; a colon inside a quoted sheet's name is none of its own."""
    quoted = False
    for position, letter in enumerate(text):
        quoted ^= letter == "'"
        if letter == ":" and not quoted:
            return text[:position], text[position + 1 :]
    return text, ""


def _cell(text: str) -> str:
    match = _SHEET.fullmatch(text)
    if match is None:
        return text
    sheet = match["sheet"]
    return f"{sheet}!{match['cell']}" if sheet else match["cell"]
