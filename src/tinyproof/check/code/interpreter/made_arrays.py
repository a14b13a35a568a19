"""Arrays that are made of nothing but numbers (`np.arange`, `torch.linspace`): rows as soon as they are cut in parts.

Until then they may as well be places, or the ticks of an axis. Random numbers are none: they may be weights or noise.
"""

from __future__ import annotations

from dataclasses import replace

from tinyproof.check.code.interpreter.rows import Cut, Path, Root, Rows
from tinyproof.check.code.interpreter.values import Made, Value, number
from tinyproof.check.finding import CodePlace
from tinyproof.core.word_sets import words

ROWS = "(rows)"  # what an array was filled with
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


def drawn_mask(numbers: Value, bound: Value, place: CodePlace) -> Rows | None:
    """`np.random.rand(len(table)) < 0.8`: a mask that lets rows through by chance; None for any other comparison."""
    if not isinstance(numbers, Made) or numbers.path not in _DRAWN or number(bound) is None or not numbers.args:
        return None
    root = Root(("mask", id(numbers), place), "all", "a mask", "rows", place)
    return Rows((Path(root, (Cut("filter", ("mask", id(numbers), place), "yes"),)),), "mask")


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


def as_rows(value: Value, place: CodePlace) -> Rows | None:
    """The rows of such an array; those of two that were computed from one are the same."""
    known = places(value)
    if known is not None:
        return replace(known, names=[])
    found = base(value)
    filled = found.attrs.get(ROWS) if found is not None else None
    if isinstance(filled, Rows):
        return replace(filled, names=[])
    return Rows((Path(_root(found, place)),), "x") if found is not None else None


def fill(owner: Made, rows: Rows | None) -> None:
    """`table[i] = ...` in a loop over rows, one by one: an array of zeros gets an element for each."""
    if owner.path in _EMPTY and rows is not None:
        owner.attrs.setdefault(ROWS, replace(rows, side="x", names=[]))
