"""Formulas over whole ranges: MMULT, TRANSPOSE, array formulas, look-ups with constant places.

The reader of `read.formula` gives one expression a cell. This one gives a matrix of them, so that an array formula is
as many plain expressions as it fills cells, and everything after it knows scalars only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from tinyproof.backprop.expr import Call, Expr, Num, Var, total
from tinyproof.check.workbook.read.formula import Reader, refuse_deep
from tinyproof.check.workbook.read.references import Ref
from tinyproof.check.workbook.read.worksheet_functions import NotUnderstood, Range, Value, apply, operate, single
from tinyproof.core.errors import one_line

MAX_RANGE_CELLS = 20_000
MAX_PRODUCTS = 400_000  # multiplications that one MMULT is written out into

Matrix = tuple[tuple[Expr, ...], ...]


@dataclass(frozen=True)
class Sheetful:
    """What a formula says: a matrix of expressions (1 by 1 for a plain formula) over the cells of `refs`.

    `rounds`: it rounds, which is read as if it did not. `counts`: how many cells of a range are filled matters to it.
    """

    rows: Matrix
    refs: Mapping[str, Ref] = field(default_factory=dict)
    rounds: bool = False
    counts: bool = False


Blank = Callable[[Ref], bool]


def parse_matrix(
    text: str, defined: Mapping[str, str] | None = None, blank: Blank | None = None, grows: bool = False
) -> Sheetful:
    """Read a formula. `blank`: whether a cell holds no number (functions that count leave it out). Raises
    NotUnderstood.

    >>> len(parse_matrix("=MMULT(A1:B2,D1:E2)").rows)
    2
    """
    reader = _Reader(text, defined, blank, grows)
    rows = _rows(reader.value)
    for row in rows:
        refuse_deep(row[0])
    return Sheetful(rows, reader.refs, reader.rounds, reader.counts)


def _rows(value: Value) -> Matrix:
    if isinstance(value, Range):
        width = value.shape[1]
        return tuple(value.cells[i : i + width] for i in range(0, len(value.cells), width))
    return ((value,),)


def _range(rows: Sequence[Sequence[Expr]]) -> Value:
    cells = tuple(cell for row in rows for cell in row)
    return cells[0] if len(cells) == 1 else Range(cells, (len(rows), len(rows[0])))


def _each(function: Callable[..., Expr], values: Sequence[Value]) -> Value:
    """The function cell by cell; a row, a column or a single number is repeated, as a worksheet does."""
    if not any(isinstance(value, Range) for value in values):
        return function(*values)
    shapes = [value.shape if isinstance(value, Range) else (1, 1) for value in values]
    rows, cols = max(s[0] for s in shapes), max(s[1] for s in shapes)
    if any(s[0] not in (1, rows) or s[1] not in (1, cols) for s in shapes) or rows * cols > MAX_RANGE_CELLS:
        raise NotUnderstood("ranges of different shape are combined")

    def at(value: Value, shape: tuple[int, int], row: int, col: int) -> Expr:
        if not isinstance(value, Range):
            return value
        return value.cells[(row if shape[0] > 1 else 0) * shape[1] + (col if shape[1] > 1 else 0)]

    cells = tuple(
        function(*(at(value, shape, row, col) for value, shape in zip(values, shapes, strict=True)))
        for row, col in product(range(rows), range(cols))
    )
    return Range(cells, (rows, cols))


_COUNTING = {"AVERAGE", "COUNT", "MIN", "MAX", "PRODUCT", "MEDIAN", "AVERAGEA", "STDEV", "STDEVP", "STDEV.S", "STDEV.P",
             "VAR", "VAR.S", "VAR.P", "VARP"}  # fmt: skip
_WHOLE = _COUNTING | {"SUM", "SUMSQ", "SUMPRODUCT", "SUMXMY2", "AND", "OR"}
_ROUNDING = {"ROUND", "FIXED"}


class _Reader(Reader):
    """Ranges are values, and functions work on whole ranges."""

    most_cells = MAX_RANGE_CELLS

    def __init__(self, text: str, defined: Mapping[str, str] | None, blank: Blank | None, grows: bool) -> None:
        self.blank, self.grows = blank, grows
        self.rounds = self.counts = False
        super().__init__(text, defined)

    def each(self, function: Callable[[Expr], Expr], value: Value) -> Value:
        return _each(function, [value])

    def operate(self, operator: str, left: Value, right: Value) -> Value:
        return _each(lambda x, y: single(operate(operator, x, y)), [left, right])

    def function(self, name: str, args: list[Value]) -> Value:
        if name in _COUNTING:
            self.counts = self.counts or any(isinstance(arg, Range) for arg in args)
            args = [self.filled(arg) for arg in args]
        if name in _MATRICES:
            return _MATRICES[name](args)
        if name in _ROUNDING:
            self.rounds = True
            return args[0]
        if name in ("INDEX", "OFFSET"):
            return self.place(name, args)
        if name in _WHOLE:
            return _whole(name, args)
        return _each(lambda *cells: apply(name, cells), args)

    def filled(self, arg: Value) -> Value:
        """The cells of a range that hold numbers."""
        if not isinstance(arg, Range) or self.blank is None:
            return arg
        empty = {name for name, ref in self.refs.items() if self.blank(ref)}
        kept = tuple(cell for cell in arg.cells if not (isinstance(cell, Var) and cell.name in empty))
        if not kept:
            raise NotUnderstood("a function has only empty cells to work on")
        return Range(kept, (len(kept), 1)) if len(kept) > 1 else kept[0]

    def place(self, name: str, args: list[Value]) -> Value:
        """INDEX and OFFSET where the place is a plain number."""
        numbers = [_constant(arg) for arg in args[1:]]
        if any(number is None for number in numbers):
            raise NotUnderstood(f"{name} looks up a place that is calculated")
        places = [int(number) for number in numbers if number is not None]
        if name == "INDEX":
            rows = _rows(args[0])
            if len(places) == 1 and (len(rows) == 1 or len(rows[0]) == 1):
                flat = [cell for row in rows for cell in row]
                if not 1 <= places[0] <= len(flat):
                    raise NotUnderstood("INDEX looks outside its range")
                return flat[places[0] - 1]
            row, col = (*places, 0)[:2] if places else (0, 0)
            if not (0 <= row <= len(rows) and 0 <= col <= len(rows[0])):
                raise NotUnderstood("INDEX looks outside its range")
            chosen = rows[row - 1 : row] if row else rows
            return _range([line[col - 1 : col] if col else line for line in chosen])
        corner = _rows(args[0])[0][0]
        if not isinstance(corner, Var) or len(places) < 2:
            raise NotUnderstood("OFFSET does not start at a cell")
        start = self.refs[corner.name]
        shape = len(_rows(args[0])), len(_rows(args[0])[0])
        height, width = (places[2] if len(places) > 2 else shape[0]), (places[3] if len(places) > 3 else shape[1])
        if height < 1 or width < 1 or height * width > MAX_RANGE_CELLS:
            raise NotUnderstood("OFFSET has a size that is not read")
        return self.block(start, places[0], places[1], height, width)

    def block(self, start: Ref, down: int, across: int, height: int, width: int) -> Value:
        if start.row + down < 1 or start.col + across < 1:
            raise NotUnderstood("OFFSET leaves the sheet")
        row, col, fixed = start.row + down, start.col + across, (start.row_fixed, start.col_fixed)
        return _range(
            [[self.cell(Ref(start.sheet, row + i, col + j, *fixed)) for j in range(width)] for i in range(height)]
        )

    def range(self, start: Ref, end: Ref, text: str) -> Value:
        return _range(_rows(super().range(start, end, text)))

    def fixed(self, start: Ref, end: Ref, text: str) -> tuple[bool, bool]:
        if self.grows or (start.row_fixed == end.row_fixed and start.col_fixed == end.col_fixed):
            return start.row_fixed, start.col_fixed
        raise NotUnderstood(f"{one_line(text, 60)} grows from cell to cell")

    def cell(self, ref: Ref) -> Var:
        """A reference that is written with other `$` is another variable: it goes elsewhere when filled down."""
        name = ref.name + ("" if not (ref.row_fixed or ref.col_fixed) else f"${int(ref.row_fixed)}{int(ref.col_fixed)}")
        self.refs[name] = ref
        return Var(name)

    def inside(self, meaning: str) -> tuple[Value, Mapping[str, Ref]]:
        found = parse_matrix(meaning)
        return _range(found.rows), found.refs


def _constant(value: Value) -> float | None:
    """The number that an expression without cells is."""
    if isinstance(value, Range):
        return None
    if isinstance(value, Num):
        return value.value
    if isinstance(value, Call) and value.function in ("add", "sub", "mul", "neg"):
        parts = [_constant(arg) for arg in value.args]
        if any(part is None for part in parts):
            return None
        numbers = [part for part in parts if part is not None]
        if value.function == "add":
            return sum(numbers)
        if value.function == "neg":
            return -numbers[0]
        if value.function == "sub":
            return numbers[0] - numbers[1]
        result = 1.0
        for number in numbers:
            result *= number
        return result
    return None


def _whole(name: str, args: list[Value]) -> Expr:
    cells = [cell for arg in args for row in _rows(arg) for cell in row]
    if name == "COUNT":
        return Num(float(len(cells)))
    if name == "MEDIAN":
        return Call("median", tuple(cells))
    if name in ("STDEV", "STDEV.S", "STDEVP", "STDEV.P", "VAR", "VAR.S", "VARP", "VAR.P"):
        count = len(cells) - (0 if name.endswith("P") else 1)
        if count < 1:
            raise NotUnderstood(f"{name} has too few cells")
        mean = total(cells) / Num(float(len(cells)))
        variance = total((cell - mean) ** Num(2.0) for cell in cells) / Num(float(count))
        return Call("sqrt", (variance,)) if name.startswith("STDEV") else variance
    return apply("AVERAGE" if name == "AVERAGEA" else name, args)


def _mmult(args: list[Value]) -> Value:
    if len(args) != 2:
        raise NotUnderstood("MMULT has not two arguments")
    left, right = _rows(args[0]), _rows(args[1])
    if len(left[0]) != len(right) or len(left) * len(right) * len(right[0]) > MAX_PRODUCTS:
        raise NotUnderstood("MMULT has matrices that do not fit, or very large ones")
    columns = list(zip(*right, strict=True))
    return _range([[total(a * b for a, b in zip(row, col, strict=True)) for col in columns] for row in left])


def _transpose(args: list[Value]) -> Value:
    return _range(list(zip(*_rows(args[0]), strict=True)))


def _shape(axis: int) -> Callable[[list[Value]], Value]:
    def count(args: list[Value]) -> Value:
        rows = _rows(args[0])
        return Num(float(len(rows) if axis == 0 else len(rows[0])))

    return count


_MATRICES: dict[str, Callable[[list[Value]], Value]] = {
    "MMULT": _mmult,
    "TRANSPOSE": _transpose,
    "ROWS": _shape(0),
    "COLUMNS": _shape(1),
    "ARRAYFORMULA": lambda args: args[0],
    "VALUE": lambda args: args[0],
    "SINGLE": lambda args: args[0],
}
