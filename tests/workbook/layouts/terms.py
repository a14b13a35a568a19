"""A formula as a tree over named quantities. Where they stand, and so its text, is decided later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
