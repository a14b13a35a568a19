"""References to cells: `$G$31` as a row, a column and which of them a `$` fixes; those that a formula mentions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from openpyxl.utils import get_column_letter

MAX_CHARACTERS = 8192  # of a formula
MAX_RANGE_CELLS = 4096
MAX_ROW, MAX_COLUMN = 1_048_576, 16_384
_EVERYWHERE_ROW, _EVERYWHERE_COLUMN = 65_536, 256  # the last ones that every program has

_CELL = re.compile(r"(\$?)([A-Za-z]{1,3})(\$?)([0-9]{1,7})")
# What a column and a row can be: XYZ1, A1048577 and A0 are names that somebody may have defined.
_COLUMN = "[A-Za-z]{1,2}|[A-Wa-w][A-Za-z]{2}|[Xx](?:[A-Ea-e][A-Za-z]|[Ff][A-Da-d])"
_ROW = "0*(?:[1-9][0-9]{0,5}|10(?:[0-3][0-9]{4}|4(?:[0-7][0-9]{3}|8(?:[0-4][0-9]{2}|5(?:[0-6][0-9]|7[0-6])))))"
_IN_NAMES = r"\w.?\\\x80-\U0010ffff"  # what may stand in a name, in any script, accents that stand apart too
# A reference anywhere in a formula: not inside a name or a number, not a function (LOG10 and a bracket).
REFERENCE = re.compile(rf"(?<![{_IN_NAMES}$\[])(\$?)({_COLUMN})(\$?)({_ROW})(?![{_IN_NAMES}(!])")

_ONE = rf"\$?(?:{_COLUMN})\$?(?:{_ROW})"
_MENTIONED = re.compile(
    rf"(?:(?:'(?P<quoted>(?:[^']|'')+)'|(?P<plain>[^\W\d][{_IN_NAMES}]*))!)?"
    rf"(?<![{_IN_NAMES}$\[])(?P<first>{_ONE})(?::(?P<last>{_ONE}))?(?![{_IN_NAMES}(!])"
)


@dataclass(frozen=True, slots=True)
class Ref:
    """A cell that a formula reads: `sheet` ("" for its own), row and column from 1, and which of them a `$` fixes."""

    sheet: str
    row: int
    col: int
    row_fixed: bool = False
    col_fixed: bool = False

    @property
    def name(self) -> str:
        """The name its variable has in the expression: `G31`, `Sheet1!G31` (without `$`)."""
        cell = f"{get_column_letter(self.col)}{self.row}"
        return f"{self.sheet}!{cell}" if self.sheet else cell


def rough_references(text: str) -> dict[str, Ref]:
    """The cells that a formula mentions, also where it cannot be read; a range gives its cells, a long one its ends."""
    found: dict[str, Ref] = {}
    for match in _MENTIONED.finditer(text[:MAX_CHARACTERS]):
        sheet = (match["quoted"] or "").replace("''", "'") or match["plain"] or ""
        start, end = parse_cell(match["first"]), parse_cell(match["last"] or match["first"])
        if start is None or end is None:
            continue
        rows = range(min(start.row, end.row), max(start.row, end.row) + 1)
        cols = range(min(start.col, end.col), max(start.col, end.col) + 1)
        if len(rows) * len(cols) > MAX_RANGE_CELLS:
            rows, cols = rows[:: max(1, len(rows) - 1)], cols[:: max(1, len(cols) - 1)]
        fixed = (start.row_fixed and end.row_fixed, start.col_fixed and end.col_fixed)
        for ref in (Ref(sheet, row, col, *fixed) for row in rows for col in cols):
            found.setdefault(ref.name, ref)
    return found


def parse_cell(text: str) -> Ref | None:
    """`$G$31` as a Ref; None where it is no cell."""
    match = _CELL.fullmatch(text)
    if not match:
        return None
    col_fixed, letters, row_fixed, digits = match.groups()
    row, col = int(digits), column_number(letters)
    if not (1 <= row <= MAX_ROW and 1 <= col <= MAX_COLUMN):
        return None
    return Ref("", row, col, bool(row_fixed), bool(col_fixed))


def may_be_a_name(cell: str) -> bool:
    """Whether it is a cell that some programs do not have, so that they allow names which read like it.

    >>> may_be_a_name("TAX1"), may_be_a_name("D2")
    (True, False)
    """
    ref = parse_cell(cell)
    return ref is not None and (ref.row > _EVERYWHERE_ROW or ref.col > _EVERYWHERE_COLUMN)


@lru_cache(maxsize=20_000)
def column_number(letters: str) -> int:
    """`AA` is 27.

    >>> column_number("AA")
    27
    """
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number
