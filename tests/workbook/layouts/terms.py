"""A formula as a tree over named quantities. Where they stand is decided later: `text` asks for their addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple


class Key(NamedTuple):
    """A quantity: its name, its step (-1: the same in every step), its example (-1: not one of an example)."""

    name: str
    step: int = -1
    example: int = -1


class Address(NamedTuple):
    """A cell: sheet, row and column, both from 0."""

    sheet: int
    row: int
    column: int


@dataclass(frozen=True)
class Num:
    text: str


@dataclass(frozen=True)
class Ref:
    key: Key


@dataclass(frozen=True)
class At:
    """A cell by its address: what a slip of the hand refers to."""

    address: Address


@dataclass(frozen=True)
class Op:
    sign: str
    left: Tree
    right: Tree


@dataclass(frozen=True)
class Neg:
    of: Tree


@dataclass(frozen=True)
class Call:
    name: str
    of: tuple[Tree, ...]


@dataclass(frozen=True)
class Many:
    """Several quantities as one argument: a range where they stand side by side, else one by one."""

    keys: tuple[Key, ...]


@dataclass(frozen=True)
class Dot:
    """The sum of products: SUMPRODUCT of two ranges where both are ranges of one shape, else written out."""

    left: tuple[Key, ...]
    right: tuple[Key, ...]


@dataclass(frozen=True)
class Span:
    """A range by its addresses: what a slip of the hand refers to."""

    first: Address
    last: Address


@dataclass(frozen=True)
class Line:
    """The row (or the column) of a matrix that a filled cell stands beside."""

    key: Key
    row: bool


Tree = Num | Ref | At | Op | Neg | Call | Many | Dot | Span | Line
Area = tuple[Address, Address]
Where = Callable[[Key], Address]

STRENGTH = {"=": 1, "<>": 1, ">": 1, "<": 1, ">=": 1, "<=": 1, "+": 2, "-": 2, "*": 3, "/": 3, "^": 5}


def children(tree: Tree) -> tuple[Tree, ...]:
    if isinstance(tree, Op):
        return tree.left, tree.right
    if isinstance(tree, Neg):
        return (tree.of,)
    if isinstance(tree, Call):
        return tree.of
    return ()


def with_children(tree: Tree, new: tuple[Tree, ...]) -> Tree:
    if isinstance(tree, Op):
        return Op(tree.sign, *new)
    if isinstance(tree, Neg):
        return Neg(*new)
    if isinstance(tree, Call):
        return Call(tree.name, new)
    return tree


Path = tuple[int, ...]


def walk(tree: Tree, path: Path = ()) -> Iterator[tuple[Path, Tree]]:
    """Every node with its path from the root, the root first."""
    yield path, tree
    for index, child in enumerate(children(tree)):
        yield from walk(child, (*path, index))


def at(tree: Tree, path: Path) -> Tree:
    for index in path:
        tree = children(tree)[index]
    return tree


def put(tree: Tree, path: Path, new: Tree) -> Tree:
    """The tree with the node at `path` replaced."""
    if not path:
        return new
    parts = list(children(tree))
    parts[path[0]] = put(parts[path[0]], path[1:], new)
    return with_children(tree, tuple(parts))


def mapped(tree: Tree, change: Callable[[Key], Tree | None]) -> Tree:
    """The tree with quantities replaced; `change` answers None where a quantity stays."""
    if isinstance(tree, Ref):
        return change(tree.key) or tree
    if isinstance(tree, Many) and any(change(key) for key in tree.keys):
        return Call("", tuple(change(key) or Ref(key) for key in tree.keys))
    if isinstance(tree, Dot) and any(change(key) for key in (*tree.left, *tree.right)):
        pairs = zip(tree.left, tree.right, strict=True)
        return total([Op("*", change(a) or Ref(a), change(b) or Ref(b)) for a, b in pairs])
    return with_children(tree, tuple(mapped(child, change) for child in children(tree)))


def keys_of(tree: Tree) -> set[Key]:
    found: set[Key] = set()
    for _, node in walk(tree):
        if isinstance(node, Ref):
            found.add(node.key)
        elif isinstance(node, Many):
            found.update(node.keys)
        elif isinstance(node, Dot):
            found.update(node.left, node.right)
        elif isinstance(node, Line):
            found.add(node.key)
    return found


def total(parts: list[Tree]) -> Tree:
    """a + b + ..."""
    whole = parts[0]
    for part in parts[1:]:
        whole = Op("+", whole, part)
    return whole


def product(parts: list[Tree]) -> Tree:
    whole = parts[0]
    for part in parts[1:]:
        whole = Op("*", whole, part)
    return whole


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
    home: int = 0
    offset: tuple[int, int] | None = None  # of the cell in the matrix that is filled cell by cell

    def text(self, tree: Tree) -> str:
        return "=" + self._text(tree, 0)

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
