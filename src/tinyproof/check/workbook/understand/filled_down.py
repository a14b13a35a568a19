"""What formula cells that say the same have in common: the text with every relative reference written as an offset."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from tinyproof.check.workbook.read.references import MAX_ROW, REFERENCE, column_number

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def relative(text: str, row: int, col: int) -> object:
    """A formula's text with relative references as offsets: equal for the cells of a formula that was filled down.

    >>> relative("=E34-$G$31*X34", 35, 5) == relative("=E35-$G$31*X35", 36, 5)
    True
    """
    pieces = REFERENCE.split(text)  # text, then for each reference: $, letters, $, digits, text
    parts = [pieces[0]]
    for at in range(1, len(pieces), 5):
        col_fixed, letters, row_fixed, digits, after = pieces[at : at + 5]
        number = column_number(letters)
        if not row_fixed and not col_fixed:  # nearly all of them
            parts.append(f"R[{int(digits) - row}]C[{number - col}]{after}")
            continue
        parts.append(f"R{digits}" if row_fixed else f"R[{int(digits) - row}]")
        parts.append(f"C{number}" if col_fixed else f"C[{number - col}]")
        parts.append(after)
    shifted = "".join(parts)
    if "'" in text or '"' in text:
        return shifted, tuple(_QUOTED.findall(text))
    return shifted


class _Column(NamedTuple):
    """The formula that was read last in a column: its key, and how its text reads in any row (None: not known yet)."""

    key: object
    text: str | None = None
    offsets: tuple[int, ...] = ()

    def reads(self, text: str, row: int) -> bool:
        """Whether the formula reads so in that row."""
        rows = [row + offset for offset in self.offsets]
        inside = min(rows, default=1) > 0 and max(rows, default=1) <= MAX_ROW
        return self.text is not None and inside and self.text.format(*rows) == text


@dataclass
class FilledDown:
    """Keys of formulas, each found once. Of a formula that was filled down the third and later rows are only compared
    with what it has to read there, which is ten times quicker.

    >>> keys = FilledDown()
    >>> len({keys.key(f"=A{row}*$C$1", row, 2) for row in range(1, 9)})
    1
    """

    _found: dict[tuple[str, int, int], object] = field(default_factory=dict)
    _columns: dict[int, _Column] = field(default_factory=dict)

    def key(self, text: str, row: int, col: int) -> object:
        """What the formula, written at a cell, has in common with those that say the same."""
        written = text, row, col
        found = self._found.get(written)
        if found is None:
            found = self._found[written] = self._new(text, row, col)
        return found

    def _new(self, text: str, row: int, col: int) -> object:
        last = self._columns.get(col)
        if last is not None and last.reads(text, row):
            return last.key
        key = relative(text, row, col)
        again = last is not None and last.key == key and isinstance(key, str)  # a quoted text is not filled down
        self._columns[col] = _in_any_row(key, text, row) if again else _Column(key)
        return key


def _in_any_row(key: object, text: str, row: int) -> _Column:
    pieces = [piece.replace("{", "{{").replace("}", "}}") for piece in REFERENCE.split(text)]
    offsets: dict[int, int] = {}  # of rows, each with its place among the numbers that are filled in
    for at in range(3, len(pieces), 5):
        if not pieces[at]:
            offset = int(pieces[at + 1]) - row
            pieces[at + 1] = f"{{{offsets.setdefault(offset, len(offsets))}}}"
    return _Column(key, "".join(pieces), tuple(offsets))
