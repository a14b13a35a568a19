"""What each column of a table says, row by row: rows whose formula has one meaning are one pattern.

Inside an expression the columns are variables: `@23` is column 23 in the same row, `@23[-1]` in the row before,
`@23[$33]` a fixed row; a cell outside the table is `Sheet1!G31`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from tinyproof.backprop.expr import Expr, Num, Var, substitute
from tinyproof.check.workbook.read.references import Ref, parse_cell
from tinyproof.check.workbook.understand.grid import Grid, Place, Template
from tinyproof.check.workbook.understand.tables import Table


class InTable(str):
    """The variable of a column: in the same row, `offset` rows on, or in the row `fixed` of the sheet.

    It is a string, as the name of every variable is, and it knows what it stands for.
    """

    __slots__ = ("col", "fixed", "offset")
    col: int
    offset: int
    fixed: int | None

    def __new__(cls, col: int, offset: int = 0, fixed: int | None = None) -> InTable:
        where = f"[${fixed}]" if fixed is not None else f"[{offset:+d}]" if offset else ""
        made = super().__new__(cls, f"@{col}{where}")
        made.col, made.offset, made.fixed = col, offset, fixed
        return made

    @property
    def here(self) -> bool:
        """Whether it looks at the same row."""
        return self.offset == 0 and self.fixed is None

    @property
    def above(self) -> bool:
        """Whether it looks at the row before."""
        return self.offset == -1


@dataclass(frozen=True)
class Pattern:
    """Rows of one column whose formulas mean the same.

    `expr` is None where the formula was not understood (`problem` says why). `reads`: for each variable the cell that
    it means in the first of the rows, and the reference as written there.
    """

    rows: tuple[int, ...]
    expr: Expr | None
    reads: dict[str, tuple[Place, Ref]]
    problem: str = ""

    @property
    def first(self) -> int:
        return self.rows[0]


@dataclass(frozen=True)
class ColumnPatterns:
    """A column: its formulas by meaning (the first row's first), its typed numbers by row, its empty rows."""

    col: int
    patterns: tuple[Pattern, ...]
    typed: dict[int, float] = field(default_factory=dict)
    empty: tuple[int, ...] = ()

    @property
    def main(self) -> Pattern | None:
        """The pattern of most rows (the earlier one of equals)."""
        return max(self.patterns, key=lambda pattern: len(pattern.rows), default=None)


@lru_cache(maxsize=20_000)
def current(col: int) -> str:
    """The variable of a column in the same row."""
    return InTable(col)


@lru_cache(maxsize=20_000)
def before(col: int, rows: int = 1) -> str:
    """The variable of a column some rows before.

    >>> before(23)
    '@23[-1]'
    """
    return InTable(col, -rows)


def column_of(name: str) -> InTable | None:
    """The column that a variable means and where it looks; None for a cell outside the table."""
    return name if isinstance(name, InTable) else None


def elsewhere(name: str) -> bool:
    """Whether a variable is a column's, and looks at another row."""
    return isinstance(name, InTable) and not name.here


def place_outside(grid: Grid, name: str) -> Place | None:
    """The cell that a variable outside the table means: `Sheet1!G31`."""
    sheet, _, cell = name.rpartition("!")
    index, ref = grid.find(sheet), parse_cell(cell)
    return Place(index, ref.row, ref.col) if index is not None and ref is not None else None


def read_columns(grid: Grid, table: Table, already: Mapping[int, ColumnPatterns]) -> dict[int, ColumnPatterns]:
    """Every column of the table; those that were read `already` as they are."""
    order = {row: position for position, row in enumerate(table.rows)}
    cols = frozenset(table.cols)
    cells = grid.sheet(table.sheet).cells
    result = {}
    for col in table.cols:
        if col in already:
            result[col] = already[col]
            continue
        groups: dict[object, tuple[Template, dict[str, str], list[int]]] = {}
        steady: dict[object, object] = {}
        typed, empty = dict[int, float](), list[int]()
        for row in table.rows:
            cell = cells.get((row, col))
            if cell is None or cell.formula is None:
                number = grid.number(Place(table.sheet, row, col))
                if number is None:
                    empty.append(row)
                else:
                    typed[row] = number
                continue
            key, template = grid.template(cell, table.sheet)
            known = steady.get(key) if row != table.rows[0] else None
            if known is None:
                names, fixed = _names(grid, template, Place(table.sheet, row, col), table, order, cols)
                known = (key, tuple(names.values()))
                groups.setdefault(known, (template, names, []))
                if fixed and row != table.rows[0]:
                    steady[key] = known
            groups[known][2].append(row)
        patterns = [_pattern(grid, template, names, rows, table, col) for template, names, rows in groups.values()]
        result[col] = ColumnPatterns(col, tuple(_merged(patterns)), typed, tuple(empty))
    return result


def _names(
    grid: Grid, template: Template, at: Place, table: Table, order: dict[int, int], cols: frozenset[int]
) -> tuple[dict[str, str], bool]:
    """What each of the template's variables means at a cell; and whether that is so in every later row too."""
    names, steady = {}, True
    for name, ref in template.refs.items():
        target = grid.target(ref, template, at)
        if target.sheet != table.sheet or target.row not in order or target.col not in cols:
            names[name] = grid.outside_name(target)
            steady = steady and ref.row_fixed
            continue
        distance = order[target.row] - order[at.row]
        if distance == 0:
            names[name] = current(target.col)
        elif ref.row_fixed and distance != -1:
            names[name] = InTable(target.col, fixed=target.row)
        else:
            names[name] = InTable(target.col, distance)
        # A relative reference that leaves the table somewhere, or a fixed one that is passed, changes its meaning.
        steady = steady and not ref.row_fixed and distance in (0, -1)
    return names, steady


def _pattern(grid: Grid, template: Template, names: dict[str, str], rows: list[int], table: Table, col: int) -> Pattern:
    at = Place(table.sheet, rows[0], col)
    reads = {new: (grid.target(template.refs[old], template, at), template.refs[old]) for old, new in names.items()}
    expr = None
    if template.expr is not None:
        expr = substitute(template.expr, {old: Var(new) for old, new in names.items()})
    return Pattern(tuple(rows), expr, reads, template.problem)


def _merged(patterns: list[Pattern]) -> list[Pattern]:
    """Patterns with equal expressions are one: only their `$` differ."""
    by_meaning: dict[object, Pattern] = {}
    for pattern in patterns:
        key: object = pattern.expr if pattern.expr is not None else ("?", pattern.problem)
        known = by_meaning.get(key)
        if known is None:
            by_meaning[key] = pattern
        else:
            most = max(known, pattern, key=lambda p: len(p.rows))  # its references stand for all of them
            rows = tuple(sorted({*known.rows, *pattern.rows}))
            by_meaning[key] = Pattern(rows, known.expr, most.reads, known.problem)
    return sorted(by_meaning.values(), key=lambda pattern: pattern.rows[0])


def is_constant(columns: ColumnPatterns) -> bool:
    """Whether the column holds one number from top to bottom (typed, `=0.5`, copied from above or from outside)."""
    numbers = set()
    for number in columns.typed.values():
        numbers.add(round(number, 9))
    for pattern in columns.patterns:
        if isinstance(pattern.expr, Num):
            numbers.add(round(pattern.expr.value, 9))
        elif not (isinstance(pattern.expr, Var)):
            return False
    return len(numbers) <= 1
