"""Arrays that are made of nothing but numbers (`np.arange`, `torch.linspace`): rows as soon as they are cut in parts.

Until then they may as well be places, or the ticks of an axis. Random numbers are none: they may be weights or noise.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from tinyproof.check.code.interpreter.relations import relation
from tinyproof.check.code.interpreter.rows import Cut, Path, Root, Rows
from tinyproof.check.code.interpreter.values import Const, Made, Value, number
from tinyproof.check.finding import CodePlace
from tinyproof.core.word_sets import words

ROWS = "(rows)"  # what an array was filled with
FILLED = "filled"  # of an array of several parts of rows: the start of the key of its root
_MIXED = "(mixed)"  # the mark of an array that was filled in a way that is not followed
_COMPUTED = "(array)"  # computed from an array that was made so, element by element
_LIBRARIES = ("numpy.", "torch.", "tensorflow.", "math.")
_MAKERS = frozenset(("arange", "linspace", "logspace"))
_PLACES = frozenset(("numpy.arange", "torch.arange", "builtins.range", "tensorflow.range"))
_DRAWN = frozenset(("numpy.random.rand", "numpy.random.random", "numpy.random.uniform", "torch.rand"))
_EMPTY = frozenset(("numpy.zeros", "numpy.empty", "numpy.ones", "torch.zeros", "torch.empty"))
_EACH = words(
    """
    sin cos tan exp log sqrt square abs tanh power pow round sign array asarray tensor from_numpy Tensor FloatTensor
    reshape expand_dims unsqueeze squeeze constant cast convert_to_tensor float32 float64 as_tensor
    """
)
_METHODS = words(
    """
    reshape view unsqueeze squeeze astype float double to cuda cpu numpy clone copy pow sin cos exp type flatten ravel
    """
)


def base(value: Value) -> Made | None:
    """The array that a value is, or was computed from element by element; None for any other value."""
    if not isinstance(value, Made):
        return None
    if value.path == _COMPUTED:
        return value.args[0] if isinstance(value.args[0], Made) else None
    if _counts(value) or ROWS in value.attrs:
        return value
    if not value.path.startswith(_LIBRARIES):
        return None
    if value.short in _MAKERS and value.args:
        return value
    return base(value.args[0]) if value.short in _EACH and value.args else None


def _counts(value: Value) -> bool:
    """Whether it is the places of rows in their order: `np.arange(n)`, `list(range(n))`."""
    if isinstance(value, Made) and value.path == "builtins.list" and len(value.args) == 1:
        value = value.args[0]
    return isinstance(value, Made) and value.path in _PLACES and len(value.args) == 1


def places(value: Value) -> Rows | None:
    """The places of rows, which may be put in another order where they lie; None for any other value."""
    if not isinstance(value, Made) or not _counts(value):
        return None
    kept = value.attrs.setdefault("(places)", Rows((Path(_root(value, value.place)),), "index"))
    return kept if isinstance(kept, Rows) else None


def drawn_mask(numbers: Value, op: ast.cmpop, bound: Value, place: CodePlace) -> Rows | None:
    """`np.random.rand(len(table)) < 0.8`: a mask that lets rows through by chance; None for any other comparison.

    What the same numbers are not below a bound is the rest; how masks by two bounds lie is not told.
    """
    if not isinstance(numbers, Made) or numbers.path not in _DRAWN or number(bound) is None or not numbers.args:
        return None
    part = "yes" if isinstance(op, ast.Lt | ast.LtE) else "no" if isinstance(op, ast.Gt | ast.GtE) else ""
    key = ("mask", id(numbers), number(bound), *numbers.attrs)
    root = Root(key, "all", "a mask", "rows", place)
    return Rows((Path(root, (Cut("filter", key, part),)),), "mask") if part else None


def reorder(numbers: Made) -> None:
    """Random numbers are put in another order where they lie: masks by them are others from now on."""
    if numbers.path in _DRAWN:
        numbers.attrs[f"(order {len(numbers.attrs)})"] = Const(True)


def _root(found: Made, place: CodePlace) -> Root:
    name = f"the array {found.names[0]}" if found.names else "the array that is made here"
    return Root(("value", id(found)), "all", name, "rows", place)


def computed(left: Value, right: Value, place: CodePlace) -> Made | None:
    """What arithmetic with such an array gives."""
    found = base(left) or base(right)
    return Made(_COMPUTED, [found], {}, place) if found is not None else None


def changed(owner: Value, name: str, place: CodePlace) -> Made | None:
    """What a method of such an array gives that leaves its rows."""
    found = base(owner) if name in _METHODS else None
    return Made(_COMPUTED, [found], {}, place) if found is not None else None


def filled_with(value: Value) -> Rows | None:
    """The rows that an array of zeros was filled with in a loop over them; None where it was not."""
    found = base(value)
    filled = found.attrs.get(ROWS) if found is not None else None
    return replace(filled, names=[]) if isinstance(filled, Rows) else None


def as_rows(value: Value, place: CodePlace) -> Rows | None:
    """The rows of such an array; those of two that were computed from one are the same."""
    known = places(value)
    if known is not None:
        return replace(known, names=[])
    filled = filled_with(value)
    if filled is not None:
        return filled
    found = base(value)
    return Rows((Path(_root(found, place)),), "x") if found is not None else None


def fill(owner: Made, rows: Rows | None, in_turn: bool, value: Rows | None, place: CodePlace) -> None:
    """`table[i] = ...` in a loop over rows, one by one: an array of zeros gets an element for each.

    `in_turn`: by the counter of the loop; `value`: the rows that are put there. Where other rows come behind the first
    (`table[80 + i]`) it is only known that no two elements are one row; where they may lie over them, nothing is.
    """
    if owner.path not in _EMPTY or _MIXED in owner.attrs:
        return
    filled, source = owner.attrs.get(ROWS), rows or value
    if source is None or (isinstance(filled, Rows) and filled.paths == source.paths and (in_turn or rows is None)):
        return
    if filled is None and rows is not None and in_turn and not (value is not None and _apart(rows.paths, value.paths)):
        owner.attrs[ROWS] = replace(rows, side="x", names=[])
    elif isinstance(filled, Rows) and rows is not None and not in_turn and _apart(sources(filled.paths), rows.paths):
        key = (FILLED, id(owner), (*sources(filled.paths), *rows.paths))
        owner.attrs[ROWS] = Rows((Path(replace(_root(owner, place), key=key)),), "x")
    else:
        owner.attrs.pop(ROWS, None)
        owner.attrs[_MIXED] = Const(True)


def sources(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """The paths, with those of the parts for an array into which one was put behind the other."""
    kept: list[Path] = []
    for path in paths:
        parts = path.root.key[2] if path.root.key[0] == FILLED else ()
        kept.extend(parts if isinstance(parts, tuple) and parts else (path,))
    return tuple(kept)


def _apart(one: tuple[Path, ...], other: tuple[Path, ...]) -> bool:
    return relation(one, other) == "apart"
