"""What a loop gives in each turn: a batch of a loader, a number, the elements of a list."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tinyproof.check.code.interpreter.columns import is_one
from tinyproof.check.code.interpreter.flows import Batch, Flow, Quantity
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.rows import Cut, Rows, rows_in
from tinyproof.check.code.interpreter.turns import Loop, Pass, counter_of
from tinyproof.check.code.interpreter.values import (
    CHANGED,
    Choice,
    Const,
    Made,
    Map,
    Object,
    Scope,
    Seq,
    Unknown,
    Value,
    constant,
    number,
    options,
)
from tinyproof.core.trees import nodes
from tinyproof.core.word_sets import words

WRAPPERS = words(
    """
    tqdm tqdm_notebook trange tnrange notebook_tqdm progress_bar track iter list tuple islice prefetch reversed
    sorted Bar progressbar master_bar auto Progbar
    """
)
_FEW = 8
EACH_ROW = "(each row)"  # what goes through the rows of a table one by one: `itertuples`, the second of `iterrows`


@dataclass(frozen=True)
class Turn:
    """One turn: the value of the loop's variable, the loader it comes from (or None), the number of turns."""

    value: Value
    loader: Value | None
    count: int | None
    text: str = ""
    listed: bool = False
    rows: Rows | None = None


def turns(machine: Machine, iterable: Value, node: ast.expr, scope: Scope) -> Iterator[Turn]:
    """The turns worth walking: each element of a short list, else one for all."""
    text = ast.unparse(node)[:200]
    known = _listed(machine, iterable)
    if known is not None:
        for item in known:
            yield Turn(item, None, len(known), text, listed=True)
        return
    loader = loader_of(iterable)
    count = None if loader is not None else turn_count(iterable)
    yield Turn(element(iterable), loader, count, text, rows=one_by_one(iterable) if loader is None else None)


def one_by_one(value: Value) -> Rows | None:
    """The rows that a loop goes over one by one: those of a column, or of several side by side."""
    if isinstance(value, Made) and value.path == EACH_ROW:
        return rows_in(value.args[0])
    if isinstance(value, Choice) and all(isinstance(option, Rows) for option in value.options):
        same = rows_in(value)
        return one_by_one(same) if same is not None else None
    if isinstance(value, Rows):
        return value if value.side in ("x", "y") or is_one(value) else None
    if isinstance(value, Seq) and not value.whole:
        filled = rows_in(value)
        return filled if filled is not None and filled.side in ("x", "y", "both") else None
    if isinstance(value, Made) and (value.path in ("builtins.enumerate", "builtins.zip") or _wraps(value)):
        found = [one_by_one(arg) for arg in value.args]
        rows = next((rows for rows in found if rows is not None), None)
        return _first_rows(rows, value.args[1:]) if rows is not None and value.short == "islice" else rows
    return None


def _listed(machine: Machine, value: Value) -> list[Value] | None:
    if isinstance(value, Seq) and value.whole and 0 < len(value.items) <= _FEW:
        return value.items
    if isinstance(value, Map) and value.whole and 0 < len(value.items) <= _FEW:
        return [Const(key) for key in value.items]
    if isinstance(value, Made) and value.path == "builtins.enumerate" and value.args:
        inner = _listed(machine, value.args[0])
        return None if inner is None else [Seq([Const(i), item]) for i, item in enumerate(inner)]
    if isinstance(value, Made) and value.path == "builtins.zip" and value.args:
        parts = [_listed(machine, arg) for arg in value.args]
        known = [part for part in parts if part is not None]
        return [Seq(list(row)) for row in zip(*known, strict=False)] if len(known) == len(parts) else None
    if isinstance(value, Made) and value.path == "torch.nn.ModuleList" and value.args:
        return _layers(value)
    if isinstance(value, Made) and value.path == "builtins.range" and machine.building:
        bounds = [number(arg) for arg in value.args]
        if all(bound is not None for bound in bounds) and 0 < len(bounds) <= 3:
            whole = [int(bound or 0) for bound in bounds]
            if len(whole) < 3 or whole[2] != 0:
                numbers = range(*whole)
                return [Const(i) for i in numbers] if 0 < len(numbers) <= 64 else None
    if isinstance(value, Made) and _wraps(value) and value.args:
        return _listed(machine, value.args[0]) if value.short in ("list", "tuple", "tqdm", "tqdm_notebook") else None
    return None


def _first_rows(rows: Rows, bounds: list[Value]) -> Rows | None:
    """Those that `islice` lets through; None where their number is not known, or they are others than the first."""
    high = constant(bounds[0]) if len(bounds) == 1 else None
    return rows.cut(Cut("slice", ("slice",), high=high)) if isinstance(high, int) else None


def _layers(value: Made) -> list[Value] | None:
    """The layers of a ModuleList, those it was made with and those added to it; None where there may be more."""
    found: list[Value] = []
    for arg in value.args:
        if isinstance(arg, Unknown) or (isinstance(arg, Seq) and not arg.whole):
            return None
        found += arg.items if isinstance(arg, Seq) else [arg]
    return found if 0 < len(found) <= _FEW else None


def _wraps(value: Made) -> bool:
    return value.short in WRAPPERS or value.path.endswith((".tqdm.auto", "tqdm.notebook"))


def wrapped(value: Made) -> Value | None:
    """What a progress bar or `iter` goes over."""
    if not _wraps(value):
        return None
    return value.args[0] if value.args else value.kwargs.get("iterable", value.kwargs.get("gen"))


def loader_of(value: Value) -> Value | None:
    """The loader that a loop over `value` goes through; None when it goes through something else.

    An unknown value counts as a loader of which nothing is known.
    """
    found = [_loader(option) for option in options(value)]
    kept = [loader for loader in found if loader is not None]
    if not kept or len(kept) != len(found):
        return None
    return kept[0] if len(kept) == 1 else Choice(tuple(kept))


def _loader(value: Value) -> Value | None:
    if isinstance(value, Made):
        if value.path in ("builtins.enumerate", "builtins.zip"):
            return next((loader for loader in map(loader_of, value.args) if loader is not None), None)
        if value.path == "builtins.range":
            return None
        inner = wrapped(value)
        if CHANGED in value.attrs or (value.path == "itertools.islice" and len(value.args) > 2):
            return Unknown()  # other batches, or those between two places
        if inner is not None:
            return loader_of(inner)
        if value.path == "itertools.chain":
            return value if all(loader_of(arg) is not None for arg in value.args) else Unknown()
        return value if value.short.endswith("DataLoader") or value.short == "DataLoaderX" else None
    if isinstance(value, Object):
        inside = [loader for loader in map(_kept_loader, value.attrs.values()) if loader is not None]
        return inside[0] if len(inside) == 1 else Unknown()
    if isinstance(value, Rows) and value.side == "both" and (value.batch or not is_one(value)):
        return value
    return value if isinstance(value, Unknown) else None


def _kept_loader(value: Value, depth: int = 0) -> Value | None:
    """The loader that an object keeps, to hand on its batches: itself, or within one more of these objects."""
    if isinstance(value, Made):
        return value if value.short.endswith("DataLoader") else None
    if isinstance(value, Rows):
        return value if value.batch and value.side == "both" else None
    if not isinstance(value, Object) or "__iter__" not in value.cls.members or depth > 4:
        return None
    inside = [loader for kept in value.attrs.values() if (loader := _kept_loader(kept, depth + 1)) is not None]
    return inside[0] if len(inside) == 1 else None


def element(value: Value) -> Value:
    """What one turn of a loop over `value` gives."""
    if isinstance(value, Made):
        if value.path == "builtins.enumerate" and value.args:
            return Seq([Unknown("index"), element(value.args[0])])
        if value.path == "builtins.zip":
            return Seq([element(arg) for arg in value.args])
        if value.path == "builtins.range":
            return Unknown("index")
        inner = wrapped(value)
        if inner is not None:
            return element(inner)
        if value.path == EACH_ROW:
            return value.args[0]
        if value.path == "items" and value.args and isinstance(value.args[0], Map):
            return Seq([Unknown(), Unknown()])
    loader = loader_of(value)
    if loader is not None:
        return Batch(loader)
    if isinstance(value, Batch):
        return Batch(value.loader, "part")
    if isinstance(value, Seq) and value.items:
        return value.items[0]
    if isinstance(value, Flow | Quantity | Rows):
        return value
    return Unknown()


def turn_count(value: Value) -> int | None:
    """How many turns `range` (also behind a progress bar) gives, where its bounds are known."""
    if isinstance(value, Choice):
        counts = {turn_count(option) for option in value.options}
        return counts.pop() if len(counts) == 1 else None
    if not isinstance(value, Made):
        return None
    if value.path == "builtins.range" or value.short in ("trange", "tnrange"):
        bounds = [number(arg) for arg in value.args]
        if not bounds or len(bounds) > 3 or any(bound is None for bound in bounds):
            return None
        whole = [int(bound or 0) for bound in bounds]
        return None if len(whole) == 3 and whole[2] == 0 else len(range(*whole))
    inner = wrapped(value)
    if inner is not None:
        return turn_count(inner)
    return turn_count(value.args[0]) if value.path == "builtins.enumerate" and value.args else None


def in_each_turn(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that every turn of a loop comes to once."""
    for statement in body:
        if isinstance(statement, ast.With):
            yield from in_each_turn(statement.body)
        elif any(isinstance(part, ast.Continue | ast.Break) for part in nodes(statement)):
            return
        else:
            yield statement


class entered:
    """The pass or loop of one turn, on the machine's stack while its body is walked."""

    def __init__(self, machine: Machine, turn: Turn, node: ast.For | ast.AsyncFor | ast.While, scope: Scope) -> None:
        self.machine, self.turn = machine, turn
        self.place = machine.place(node, scope)
        self.text, self.counter = turn.text, counter_of(node)
        self.body = tuple(node.body)
        self.each = tuple(in_each_turn(node.body))

    def __enter__(self) -> None:
        machine = self.machine
        self.sides = len(machine.sides)
        if self.turn.loader is not None:
            turn = Pass(self.turn.loader, self.place, self.text, tuple(machine.frames), tuple(machine.loops))
            turn.each = self.each
            machine.passes.append(turn)
            machine.events.passes.append(turn)
        else:
            machine.loops.append(Loop(self.place, self.turn.count, self.turn.listed, tuple(machine.loops)))
            machine.loops[-1].doubt = machine.doubt
            machine.loops[-1].body, machine.loops[-1].made_before = self.body, len(machine.events.made)
            machine.loops[-1].rows, machine.loops[-1].counter = self.turn.rows, self.counter
            machine.loops[-1].sides = len(machine.sides)
            machine.loops[-1].networks_before = len(machine.events.networks)
            machine.events.loops.append(machine.loops[-1])

    def __exit__(self, *_: object) -> None:
        del self.machine.sides[self.sides :]
        if self.turn.loader is not None:
            self.machine.meaning.passed(self.machine, self.machine.passes.pop())
        else:
            self.machine.loops.pop()
            if not self.machine.loops:
                settle(self.machine)


def settle(machine: Machine) -> None:
    """What a loop measured above the lines that learn is known when it has ended; what never learned is no measure."""
    for use in machine.before_learning:
        model = use.model if use.model is not None else machine.events.weights
        use.fits = machine.events.learned.get(id(model), ())
        if not use.fits and use.name == "loss":
            machine.events.uses = [other for other in machine.events.uses if other is not use]
    machine.before_learning.clear()
