"""The Excel text of a tree: addresses, dollars, names of sheets, brackets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.workbook.layouts.terms import (
    Address,
    Area,
    At,
    Call,
    Dot,
    Key,
    Line,
    Many,
    Neg,
    Num,
    Op,
    Ref,
    Span,
    Tree,
    Where,
    total,
)

STRENGTH = {"=": 1, "<>": 1, ">": 1, "<": 1, ">=": 1, "<=": 1, "+": 2, "-": 2, "*": 3, "/": 3, "^": 5}


def column_name(column: int) -> str:
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def cell_name(address: Address, dollars: str = "") -> str:
    """`A1`, or with dollars before the parts that `dollars` names: "c", "r", "cr"."""
    column, row = column_name(address.column), address.row + 1
    return f"{'$' if 'c' in dollars else ''}{column}{'$' if 'r' in dollars else ''}{row}"


@dataclass(frozen=True)
class Writer:
    """Excel text of a tree. `where`: addresses; `titles`: names of the sheets; `fixed`: which dollars a key gets."""

    where: Where
    titles: tuple[str, ...]
    fixed: Callable[[Key], str]
    areas: Callable[[Key], Area | None] = lambda key: None
    sign: str = "="
    names: tuple[tuple[Key, str], ...] = ()
    home: int = 0
    offset: tuple[int, int] | None = None  # of the cell in the matrix that is filled cell by cell

    def text(self, tree: Tree) -> str:
        return self.sign + self._text(tree, 0)

    def _text(self, tree: Tree, outer: int) -> str:
        match tree:
            case Num():
                return tree.text
            case Ref():
                return self._reference(tree.key)
            case Line():
                return self._line(tree)
            case At():
                return self._name(tree.address, "")
            case Span():
                return self._name(tree.first, "") + ":" + cell_name(tree.last)
            case Neg():
                inside = self._text(tree.of, 4)
                return f"(-{inside})" if outer > 2 else f"-{inside}"
            case Op():
                own = STRENGTH[tree.sign]
                right = own + (tree.sign in "-/^=<><=>=")
                if isinstance(tree.right, Neg) or (tree.sign == "+" and isinstance(tree.right, Op)):
                    right = max(right, 3 if isinstance(tree.right, Neg) else own)
                inside = f"{self._text(tree.left, own)}{tree.sign}{self._text(tree.right, right)}"
                return f"({inside})" if own < outer else inside
            case Call():
                inside = ",".join(self._text(part, 0) for part in tree.of)
                return f"{tree.name}({inside})" if tree.name else inside  # no name: several arguments of the one above
            case Many():
                return self._many(tree.keys)
            case Dot():
                return self._dot(tree, outer)

    def _name(self, address: Address, dollars: str) -> str:
        prefix = "" if address.sheet == self.home else self._title(address.sheet)
        return prefix + cell_name(address, dollars)

    def _reference(self, key: Key) -> str:
        for named, name in self.names:
            if named == key:
                return name
        area = self.areas(key)
        if area is None:
            return self._name(self.where(key), self.fixed(key))
        if self.offset is None:
            return self._range(area, key)
        (first, last), (row, column) = area, self.offset
        row, column = min(row, last.row - first.row), min(column, last.column - first.column)
        return self._name(first._replace(row=first.row + row, column=first.column + column), "")

    def _line(self, tree: Line) -> str:
        first, last = self.areas(tree.key) or (self.where(tree.key),) * 2
        row, column = self.offset or (0, 0)
        if tree.row:
            return self._range(tuple(a._replace(row=first.row + row) for a in (first, last)), tree.key)  # type: ignore[arg-type]
        return self._range(tuple(a._replace(column=first.column + column) for a in (first, last)), tree.key)  # type: ignore[arg-type]

    def _title(self, sheet: int) -> str:
        title = self.titles[sheet]
        return f"{title}!" if title.isascii() and title.isalnum() and not title[0].isdigit() else f"'{title}'!"

    def rectangle(self, keys: tuple[Key, ...]) -> tuple[Address, Address] | None:
        """The first and the last cell where the quantities fill a row or a column in their order."""
        places = [self.where(key) for key in keys]
        first, last = places[0], places[-1]
        down = [first._replace(row=first.row + i) for i in range(len(places))]
        across = [first._replace(column=first.column + i) for i in range(len(places))]
        return (first, last) if len(places) > 1 and places in (down, across) else None

    def _range(self, corners: tuple[Address, Address], key: Key) -> str:
        prefix = "" if corners[0].sheet == self.home else self._title(corners[0].sheet)
        return prefix + ":".join(cell_name(corner, self.fixed(key)) for corner in corners)

    def _many(self, keys: tuple[Key, ...]) -> str:
        corners = self.rectangle(keys)
        if corners:
            return self._range(corners, keys[0])
        return ",".join(self._text(Ref(key), 0) for key in keys)

    def _dot(self, tree: Dot, outer: int) -> str:
        left, right = self.rectangle(tree.left), self.rectangle(tree.right)
        if left and right and (left[0].row == left[1].row) == (right[0].row == right[1].row):
            return f"SUMPRODUCT({self._range(left, tree.left[0])},{self._range(right, tree.right[0])})"
        pairs = zip(tree.left, tree.right, strict=True)
        return self._text(total([Op("*", Ref(a), Ref(b)) for a, b in pairs]), outer)

    def at_home(self, sheet: int, offset: tuple[int, int] | None = None) -> Writer:
        if (sheet, offset) == (self.home, self.offset):
            return self
        return replace(self, home=sheet, offset=offset)
