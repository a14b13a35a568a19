"""What a name can stand for when a program is read without being run.

A value is what is known of an object: a constant, a call of a library (`Made`), a function, an object of a class of
the notebook's own, a batch of a loader, a figure in the making (`Quantity`). Anything else is `Unknown`, and a rule
must stay silent about it.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Literal

from tinyproof.check.finding import CodePlace


class Value:
    """The root of all values; compared by identity."""

    def same_as(self, other: Value) -> bool:
        """Whether a choice between the two is no choice."""
        return self is other


@dataclass(eq=False)
class Unknown(Value):
    """Nothing is known but, perhaps, the name under which it came (a parameter, a missing module's function)."""

    name: str = ""


@dataclass(eq=False)
class Const(Value):
    """A number, text, truth value or None."""

    value: int | float | complex | str | bytes | bool | None


# What a name stands for that a loop moves on in each of its turns, and whatever is reckoned from it.
STEPPED = "(stepped)"
# Places of one of the folds that a loop goes through, and that were made in a way that is not followed.
FOLD = "(fold)"
MAX_NAMES = 100  # of a value that are kept
MAX_ITEMS = 2_000  # of a list or tuple that are kept: what is longer is known only in part


@dataclass(eq=False)
class Seq(Value):
    """A list or tuple. `whole` is False when it may hold more than the MAX_ITEMS at most that are kept.

    `rows`: the rows for each of which a loop added something to it.
    """

    items: list[Value]
    whole: bool = True
    rows: Value | None = None

    def __post_init__(self) -> None:
        if len(self.items) > MAX_ITEMS:
            self.items, self.whole = self.items[:MAX_ITEMS], False

    def grow(self, more: list[Value], whole: bool = True) -> None:
        """Add to the end, as far as the bound allows."""
        room = MAX_ITEMS - len(self.items)
        self.items.extend(more[:room])
        self.whole = self.whole and whole and len(more) <= room


@dataclass(eq=False)
class Map(Value):
    """A dict with constant keys. `whole` is False when it may hold more; `others`: some of that."""

    items: dict[str | int, Value]
    whole: bool = True
    others: list[Value] = field(default_factory=list)


@dataclass(eq=False)
class Choice(Value):
    """One of several values; which one depends on something that is not known."""

    options: tuple[Value, ...]


@dataclass(eq=False)
class Name(Value):
    """Something of a library, by its dotted path: `torch.nn.Linear`."""

    path: str


@dataclass(eq=False)
class Made(Value):
    """The result of calling something of a library, with its arguments. `names`: the variables bound to it."""

    path: str
    args: list[Value]
    kwargs: dict[str, Value]
    place: CodePlace
    text: str = ""
    open_kwargs: bool = False
    names: list[str] = field(default_factory=list)
    attrs: dict[str, Value] = field(default_factory=dict)

    @property
    def short(self) -> str:
        return self.path.rpartition(".")[2]


@dataclass(eq=False)
class Scope:
    """Names and values of a module, a function call or a class body."""

    file: str
    cell: int | None = None
    parent: Scope | None = None
    names: dict[str, Value] = field(default_factory=dict)
    globals: set[str] = field(default_factory=set)
    stars: list[str] = field(default_factory=list)
    main: bool = False

    @property
    def module(self) -> Scope:
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


@dataclass(eq=False)
class Namespace(Value):
    """The names of a module as a dict or an object: globals(), `import __main__`."""

    scope: Scope


@dataclass(eq=False)
class Function(Value):
    """A function of the notebook's own; `owner` is its `self` once bound; `cell` is where its text stands."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    name: str
    cell: int | None
    owner: Value | None = None
    no_grad: bool = False
    kind: Literal["plain", "static", "class", "property"] = "plain"
    home: Class | None = None


@dataclass(eq=False)
class Class(Value):
    """A class of the notebook's own."""

    name: str
    node: ast.ClassDef
    bases: list[Value]
    members: dict[str, Value]
    cell: int | None
    file: str


@dataclass(eq=False)
class Object(Value):
    """An instance of a class of the notebook's own."""

    cls: Class
    args: list[Value]
    kwargs: dict[str, Value]
    place: CodePlace
    attrs: dict[str, Value] = field(default_factory=dict)
    attr_places: dict[str, CodePlace] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)


@dataclass(eq=False)
class ModuleValue(Value):
    """A module of the notebook's own."""

    name: str
    scope: Scope


@dataclass(eq=False)
class Method(Value):
    """A method of a value that is not an object of the notebook's own: `optimizer.step`, `loss.item`."""

    owner: Value
    name: str


PARTS_PATH = ".parts"  # what a loop over the weights or layers of a network goes through: no images
CHANGED = "(changed)"  # the mark of a list of batches to which others were added
THINNED = "(thinned)"  # the mark of a data set that was reduced to some of its own images


def call_it(value: Value, name: str) -> None:
    """Note that a name (a variable, an attribute, the key of a dict) stands for a value."""
    for option in options(value):
        names = getattr(option, "names", None)
        if isinstance(names, list) and len(names) < MAX_NAMES and name not in names:
            names.append(name)


def options(value: Value) -> list[Value]:
    """The values it may be, one unless it is a choice.

    >>> [option.value for option in options(Choice((Const(1), Choice((Const(2), Const(3))))))]
    [1, 2, 3]
    """
    if not isinstance(value, Choice):
        return [value]
    return [inner for option in value.options for inner in options(option)]


def join(values: list[Value]) -> Value:
    """One value for several possible ones; equal constants and identical values count once."""
    kept: list[Value] = []
    for value in values:
        for option in options(value):
            if not any(option.same_as(other) or same_constant(option, other) for other in kept):
                kept.append(option)
    if not kept:
        return Unknown()
    return kept[0] if len(kept) == 1 else Choice(tuple(kept[:12]))


def same_constant(one: Value, other: Value) -> bool:
    return (
        isinstance(one, Const)
        and isinstance(other, Const)
        and type(one.value) is type(other.value)
        and one.value == other.value
    )


def constant(value: Value | None) -> object:
    """The Python constant, or None where it is not known (or is None).

    >>> constant(Const(3)), constant(Unknown())
    (3, None)
    """
    return value.value if isinstance(value, Const) else None


def number(value: Value | None) -> float | None:
    """The number, or None where it is not known to be one (or is beyond all use)."""
    known = constant(value)
    if not isinstance(known, int | float) or isinstance(known, bool) or not -1e15 < known < 1e15:
        return None
    return float(known)
