"""Places that a formula computes: INDEX, OFFSET, ROW and COLUMN, where what they hang on is plain numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tinyproof.backprop.expr import Call, Expr, Num, Var
from tinyproof.check.workbook.read.references import MAX_ROW, Ref
from tinyproof.check.workbook.read.worksheet_functions import NotUnderstood, Range, Value

MAX_RANGE_CELLS = 20_000

Matrix = tuple[tuple[Expr, ...], ...]


class OwnPlace(NotUnderstood):
    """The formula says another thing in every cell: it must be read for each by itself."""


@dataclass(frozen=True)
class WholeColumn(Range):
    """`B:B`, of which only INDEX takes a cell."""

    sheet: str = ""
    col: int = 1
    col_fixed: bool = False


class Cells(Protocol):
    """A reader of formulas: its cells by their variables."""

    refs: dict[str, Ref]

    def cell(self, ref: Ref) -> Var:
        """The variable of a cell."""
        ...


def rows_of(value: Value) -> Matrix:
    """A value as rows of expressions."""
    if isinstance(value, Range):
        width = value.shape[1]
        return tuple(value.cells[i : i + width] for i in range(0, len(value.cells), width))
    return ((value,),)


def range_of(rows: Sequence[Sequence[Expr]]) -> Value:
    """Rows of expressions as a value."""
    cells = tuple(cell for row in rows for cell in row)
    return cells[0] if len(cells) == 1 else Range(cells, (len(rows), len(rows[0])))


def index(reader: Cells, args: list[Value]) -> Value:
    """INDEX with plain numbers for its places. Raises NotUnderstood."""
    places = _places("INDEX", args)
    if isinstance(args[0], WholeColumn):
        column = args[0]
        if len(places) not in (1, 2) or (*places, 1)[1] not in (0, 1) or not 1 <= places[0] <= MAX_ROW:
            raise NotUnderstood("INDEX looks outside its range")
        return reader.cell(Ref(column.sheet, places[0], column.col, True, column.col_fixed))
    rows = rows_of(args[0])
    if len(places) == 1 and (len(rows) == 1 or len(rows[0]) == 1):
        flat = [cell for row in rows for cell in row]
        if not 1 <= places[0] <= len(flat):
            raise NotUnderstood("INDEX looks outside its range")
        return flat[places[0] - 1]
    row, col = (*places, 0)[:2] if places else (0, 0)
    if not (0 <= row <= len(rows) and 0 <= col <= len(rows[0])):
        raise NotUnderstood("INDEX looks outside its range")
    chosen = rows[row - 1 : row] if row else rows
    return range_of([line[col - 1 : col] if col else line for line in chosen])


def offset(reader: Cells, args: list[Value]) -> Value:
    """OFFSET by plain numbers. Raises NotUnderstood."""
    places = _places("OFFSET", args)
    rows = rows_of(args[0])
    corner = rows[0][0]
    if not isinstance(corner, Var) or len(places) < 2:
        raise NotUnderstood("OFFSET does not start at a cell")
    start = reader.refs[corner.name]
    height, width = (places[2] if len(places) > 2 else len(rows)), (places[3] if len(places) > 3 else len(rows[0]))
    if height < 1 or width < 1 or height * width > MAX_RANGE_CELLS:
        raise NotUnderstood("OFFSET has a size that is not read")
    row, col, fixed = start.row + places[0], start.col + places[1], (start.row_fixed, start.col_fixed)
    if row < 1 or col < 1:
        raise NotUnderstood("OFFSET leaves the sheet")
    return range_of(
        [[reader.cell(Ref(start.sheet, row + i, col + j, *fixed)) for j in range(width)] for i in range(height)]
    )


def whole_number(name: str, args: list[Value]) -> float | None:
    """A function that makes whole numbers, of plain numbers; None for any other."""
    if name not in _WHOLE_NUMBERS:
        return None
    numbers = [constant(arg) for arg in args]
    known = [number for number in numbers if number is not None]
    count, function = _WHOLE_NUMBERS[name]
    if len(known) != len(args) or len(known) != count:
        return None
    try:
        return float(function(*known))
    except (ZeroDivisionError, OverflowError, ValueError):
        return None


def constant(value: Value) -> float | None:
    """The number that an expression without cells is."""
    if isinstance(value, Num):
        return value.value
    if not isinstance(value, Call) or value.function not in _ARITHMETIC:
        return None
    parts = [constant(arg) for arg in value.args]
    numbers = [part for part in parts if part is not None]
    if len(numbers) != len(parts):
        return None
    try:
        return float(_ARITHMETIC[value.function](numbers))
    except (ZeroDivisionError, OverflowError):
        return None


def _places(name: str, args: list[Value]) -> list[int]:
    numbers = [constant(arg) for arg in args[1:]]
    known = [number for number in numbers if number is not None]
    if not args or len(known) != len(numbers):
        raise NotUnderstood(f"{name} looks up a place that is calculated")
    return [int(number) for number in known]


_ARITHMETIC: dict[str, Callable[[list[float]], float]] = {
    "add": sum,
    "neg": lambda x: -x[0],
    "sub": lambda x: x[0] - x[1],
    "mul": math.prod,
    "div": lambda x: x[0] / x[1],
    "gt": lambda x: x[0] > x[1],
    "ge": lambda x: x[0] >= x[1],
    "eq": lambda x: x[0] == x[1],
}
# How many arguments, and what of them: as a worksheet does it (MOD has the sign of the divisor, QUOTIENT cuts off).
_WHOLE_NUMBERS: dict[str, tuple[int, Callable[..., float]]] = {
    "INT": (1, math.floor),
    "TRUNC": (1, math.trunc),
    "MOD": (2, lambda x, y: x - y * math.floor(x / y)),
    "QUOTIENT": (2, lambda x, y: math.trunc(x / y)),
    "ROUNDUP": (2, lambda x, places: math.copysign(math.ceil(abs(x) * 10**places), x) / 10**places),
    "ROUNDDOWN": (2, lambda x, places: math.trunc(x * 10**places) / 10**places),
}
