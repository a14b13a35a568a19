"""Formulas over whole ranges: MMULT, TRANSPOSE, array formulas, look-ups with constant places.

The reader of `read.formula` gives one expression a cell. This one gives a matrix of them, so that an array formula is
as many plain expressions as it fills cells, and everything after it knows scalars only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from tinyproof.backprop.expr import Call, Expr, Num, Var, total
from tinyproof.check.workbook.graph.counted_means import OddMean, odd_mean
from tinyproof.check.workbook.graph.lookups import (
    MAX_RANGE_CELLS,
    Matrix,
    OwnPlace,
    WholeColumn,
    constant,
    index,
    offset,
    range_of,
    rows_of,
    whole_number,
)
from tinyproof.check.workbook.read.formula import Reader, refuse_deep
from tinyproof.check.workbook.read.references import MAX_ROW, Ref, column_number
from tinyproof.check.workbook.read.worksheet_functions import NotUnderstood, Range, Value, apply, operate, single
from tinyproof.core.errors import one_line

MAX_PRODUCTS = 400_000  # multiplications that one MMULT is written out into


@dataclass(frozen=True)
class Sheetful:
    """What a formula says: a matrix of expressions (1 by 1 for a plain formula) over the cells of `refs`.

    `rounds`: it rounds, which is read as if it did not. `counts`: how many cells of a range are filled matters to it.
    `means`: sums that are divided by the COUNT of other cells than they add.
    """

    rows: Matrix
    refs: Mapping[str, Ref] = field(default_factory=dict)
    rounds: bool = False
    counts: bool = False
    means: tuple[OddMean, ...] = ()


Blank = Callable[[Ref], bool]
_COLUMN = re.compile(r"(\$?)([A-Za-z]{1,3}):(\$?)([A-Za-z]{1,3})")  # B:B


def parse_matrix(
    text: str,
    defined: Mapping[str, str] | None = None,
    blank: Blank | None = None,
    at: tuple[int, int] | None = None,
) -> Sheetful:
    """Read a formula. `blank`: whether a cell holds no number (functions that count leave it out). `at`: the row and
    column where the text stands, for what is another thing in every cell. Raises NotUnderstood: OwnPlace where that is
    so and `at` was not given.

    >>> len(parse_matrix("=MMULT(A1:B2,D1:E2)").rows)
    2
    """
    reader = _Reader(text, defined, blank, at)
    rows = rows_of(reader.value)
    for row in rows:
        refuse_deep(row[0])
    return Sheetful(rows, reader.refs, reader.rounds, reader.counts, tuple(reader.means))


def _each(function: Callable[..., Expr], values: Sequence[Value]) -> Value:
    """The function cell by cell; a row, a column or a single number is repeated, as a worksheet does."""
    if not any(isinstance(value, Range) for value in values):
        return function(*values)
    if any(isinstance(value, WholeColumn) for value in values):
        raise NotUnderstood("a whole column stands where one number should be")
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

    def __init__(
        self, text: str, defined: Mapping[str, str] | None, blank: Blank | None, at: tuple[int, int] | None
    ) -> None:
        self.blank, self.at = blank, at
        self.rounds = self.counts = False
        self.counted: dict[int, tuple[Num, Range]] = {}
        self.means: list[OddMean] = []
        super().__init__(text, defined)

    def each(self, function: Callable[[Expr], Expr], value: Value) -> Value:
        return _each(function, [value])

    def operate(self, operator: str, left: Value, right: Value) -> Value:
        made = _each(lambda x, y: single(operate(operator, x, y)), [left, right])
        if operator == "/" and id(right) in self.counted and not isinstance(left, Range):
            odd = odd_mean(single(left), single(made), self.counted[id(right)], self.refs, self.blank)
            self.means += [] if odd is None else [odd]
        return made

    def function(self, name: str, args: list[Value]) -> Value:
        if name == "INDEX":
            return index(self, args)
        if any(isinstance(arg, WholeColumn) for arg in args):
            raise NotUnderstood(f"{name} reads a whole column")
        if name in _COUNTING:
            self.counts = self.counts or any(isinstance(arg, Range) for arg in args)
            whole, args = args, [self.filled(arg) for arg in args]
            if name == "COUNT" and len(whole) == 1 and isinstance(whole[0], Range):
                count = Num(float(len(rows_of(args[0])) * len(rows_of(args[0])[0])))
                self.counted[id(count)] = count, whole[0]
                return count
        if name in _MATRICES:
            return _MATRICES[name](args)
        if name in _ROUNDING:
            self.rounds = True
            return args[0]
        if name == "OFFSET":
            return offset(self, args)
        if name in ("ROW", "COLUMN"):
            return self.own_place(name, args)
        if (number := whole_number(name, args)) is not None:
            return Num(number)
        if name == "IF" and len(args) == 3 and (holds := constant(args[0])) is not None:
            return args[1] if holds else args[2]
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

    def own_place(self, name: str, args: list[Value]) -> Value:
        """ROW and COLUMN of the formula's own cell, or of another."""
        if self.at is None:
            raise OwnPlace(f"{name} is another number in every cell")
        row, col = self.at
        if args:
            if not isinstance(args[0], Var):
                raise NotUnderstood(f"{name} does not say of which cell")
            ref = self.refs[args[0].name]
            row, col = ref.row, ref.col
        return Num(float(row if name == "ROW" else col))

    def reference(self, text: str) -> Value:
        sheet, mark, cells = text.rpartition("!")
        letters = _COLUMN.fullmatch(cells)
        if letters is None or letters[2].upper() != letters[4].upper():
            return super().reference(text)
        if self.at is None:
            raise OwnPlace(f"{one_line(text, 60)} is a whole column")
        name = sheet[1:-1].replace("''", "'") if mark and sheet.startswith("'") else sheet
        return WholeColumn((), (MAX_ROW, 1), name, column_number(letters[2]), bool(letters[1]))

    def range(self, start: Ref, end: Ref, text: str) -> Value:
        return range_of(rows_of(super().range(start, end, text)))

    def fixed(self, start: Ref, end: Ref, text: str) -> tuple[bool, bool]:
        if self.at is not None or (start.row_fixed == end.row_fixed and start.col_fixed == end.col_fixed):
            return start.row_fixed, start.col_fixed
        raise OwnPlace(f"{one_line(text, 60)} grows from cell to cell")

    def cell(self, ref: Ref) -> Var:
        """A reference that is written with other `$` is another variable: it goes elsewhere when filled down."""
        name = ref.name + ("" if not (ref.row_fixed or ref.col_fixed) else f"${int(ref.row_fixed)}{int(ref.col_fixed)}")
        self.refs[name] = ref
        return Var(name)

    def inside(self, meaning: str) -> tuple[Value, Mapping[str, Ref]]:
        found = parse_matrix(meaning)
        return range_of(found.rows), found.refs


def _whole(name: str, args: list[Value]) -> Expr:
    cells = [cell for arg in args for row in rows_of(arg) for cell in row]
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
    left, right = rows_of(args[0]), rows_of(args[1])
    if len(left[0]) != len(right) or len(left) * len(right) * len(right[0]) > MAX_PRODUCTS:
        raise NotUnderstood("MMULT has matrices that do not fit, or very large ones")
    columns = list(zip(*right, strict=True))
    return range_of([[total(a * b for a, b in zip(row, col, strict=True)) for col in columns] for row in left])


def _transpose(args: list[Value]) -> Value:
    return range_of(list(zip(*rows_of(args[0]), strict=True)))


def _shape(axis: int) -> Callable[[list[Value]], Value]:
    def count(args: list[Value]) -> Value:
        rows = rows_of(args[0])
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
