"""Calls of the libraries that the facts speak of: what goes in, what comes out, and what is noted of it."""

from __future__ import annotations

import ast
from collections.abc import Callable

from tinyproof.check.notebook.interpreter.attributes import library_bases
from tinyproof.check.notebook.interpreter.flows import Batch, Flow, Quantity
from tinyproof.check.notebook.interpreter.machine import Machine
from tinyproof.check.notebook.interpreter.rows import Cut, Parts, Rows, Step, rows_in, union
from tinyproof.check.notebook.interpreter.uses import Saved
from tinyproof.check.notebook.interpreter.values import Const, Made, Map, Object, Scope, Seq, Unknown, Value, constant
from tinyproof.check.notebook.library import facts
from tinyproof.check.notebook.library.facts.fact import (
    Compares,
    Crosses,
    Fact,
    Fits,
    Folds,
    Joins,
    Keeps,
    Learns,
    Makes,
    Measures,
    Predicts,
    Saves,
    Splits,
)
from tinyproof.check.notebook.library.fits_and_measures import Call, compare, cross, fit, measure, predict
from tinyproof.check.notebook.library.hand_made_folds import all_but_a_fold
from tinyproof.check.notebook.library.sources import generated, given, make, opaque, path_text, subset_of


def call_function(
    machine: Machine, path: str, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value | None:
    """What a function of a library gives; None where no fact speaks of it."""
    if path.partition(".")[0] not in facts.ROOTS:
        return None
    call = Call(machine, None, path.rpartition(".")[2], args, kwargs, node, scope, path=path)
    return _first(facts.of_function(path), call)


def call_method(
    machine: Machine, owner: Value, name: str, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value | None:
    """What a method of something that a library made gives; None where no fact speaks of it."""
    if not facts.known_method(name):
        return None
    if isinstance(owner, Made):
        found = facts.of_method(owner.path, name)
    elif isinstance(owner, Object):
        found = tuple(fact for base in library_bases(owner.cls) for fact in facts.of_method(base, name))
    elif isinstance(owner, Rows):
        found = facts.of_method("datasets.Dataset", name)
    elif isinstance(owner, Unknown):
        found = facts.of_method("", name) if any(rows_in(value) for value in (*args, *kwargs.values())) else ()
        found = tuple(fact for fact in found if isinstance(fact, Fits | Predicts | Measures))
    else:
        return None
    return _first(found, Call(machine, owner, name, args, kwargs, node, scope, path=""))


def _first(found: tuple[Fact, ...], call: Call) -> Value | None:
    for fact in found:
        value = _APPLY[type(fact)](fact, call) if type(fact) in _APPLY else None
        if value is not None:
            return value
    return None


def _makes(fact: Makes, call: Call) -> Value | None:
    calls = tuple(frame.place for frame in call.machine.frames)
    path = call.path or (call.owner.path if isinstance(call.owner, Made) else "")
    return make(fact, path, call.args, call.kwargs, call.place, call.owner, calls)


def _keeps(fact: Keeps, call: Call) -> Value | None:
    if fact.several and len(call.args) > 1:
        kept = [rows_in(arg) for arg in call.args]
        if not any(kept):
            return None
        return Seq([_stepped(fact, call, rows) if rows is not None else Unknown() for rows in kept])
    value = call.args[fact.argument] if len(call.args) > fact.argument else next(iter(call.kwargs.values()), None)
    if isinstance(value, Parts):
        return value
    rows = rows_in(value) or _table(fact, call, value)
    if rows is None:
        return None
    if isinstance(value, Seq) or fact.side == "both" or (call.name == "TensorDataset" and len(call.args) > 1):
        rows = rows.turned("both")
    rows = generated(rows, call.owner)
    subset = given(call.args, call.kwargs, fact.subset)
    if subset is not None:
        return subset_of(rows, subset)
    return _stepped(fact, call, rows)


def _table(fact: Keeps, call: Call, value: Value | None) -> Rows | None:
    """A table of things that were collected in lists: where they came from is not known, but each has one row."""
    if call.name != "DataFrame" or value is None or isinstance(value, Const):
        return None
    listed = value.items.values() if isinstance(value, Map) else value.args if isinstance(value, Made) else [value]
    if any(rows_in(item) is not None or isinstance(item, Flow | Quantity) for item in listed):
        return None
    if isinstance(value, Made) and value.path != "builtins.zip":
        return None
    call.machine.keep.append(value)
    return opaque(value, "the table that is made here", call.place)


def _stepped(fact: Keeps, call: Call, rows: Rows) -> Rows:
    return rows.after(Step(fact.step, call.name, place=call.place)) if fact.step else rows


def _joins(fact: Joins, call: Call) -> Value | None:
    listed = call.args[0].items if call.args and isinstance(call.args[0], Seq) else call.args[:2]
    if isinstance(call.args[0] if call.args else None, Seq) and not call.args[0].whole:  # type: ignore[attr-defined]
        return None
    rows = [rows_in(item) for item in listed]
    known = [item for item in rows if item is not None]
    if not known or len(known) != len(rows) or any(isinstance(item, Flow | Batch) for item in listed):
        return None
    rest = all_but_a_fold(call.machine, known)
    if rest is not None:
        return rest
    axis = constant(given(call.args, call.kwargs, fact.axis))
    if fact.columns or axis in (1, -1, "columns"):
        return known[0].turned("both")
    if call.machine.loops and any(_ends_anywhere(item) for item in known):
        return Unknown()  # all parts but one, in a loop over the parts: which they are is not known
    joined = union(known)
    return None if joined is None else joined


def _ends_anywhere(rows: Rows) -> bool:
    """Whether rows were cut off at a place that is not known."""
    cuts = [path.cuts[-1] for path in rows.paths if path.cuts]
    return any(isinstance(bound, tuple) for cut in cuts if cut.kind == "slice" for bound in (cut.low, cut.high))


def _splits(fact: Splits, call: Call) -> Value | None:
    if isinstance(call.owner, Rows):
        halves = [call.owner.cut(_cut(call, part)) for part in fact.parts]
        return Parts(dict(zip(fact.keys, halves, strict=True)), whole=True)
    if not call.args:
        return None
    if fact.counted:
        return _by_lengths(fact, call)
    parts: list[Value] = []
    for index, arg in enumerate(call.args):
        rows = rows_in(arg)
        if rows is None:
            call.machine.keep.append(arg)
            rows = opaque(arg, call.text(index), call.place)
        if len(call.args) > 1 and rows.side == "both":
            rows = rows.turned("x" if index == 0 else "y")
        parts.extend(rows.cut(_cut(call, part)) for part in fact.parts)
    return Seq(parts)


def _by_lengths(fact: Splits, call: Call) -> Value | None:
    """random_split(rows, [lengths]), the first part for training; numpy.split(rows, [places])."""
    rows = call.args[0] if isinstance(call.args[0], Rows) else None
    lengths = given(call.args, call.kwargs, ("lengths", 1))
    if rows is None or not isinstance(lengths, Seq):
        return None
    count = len(lengths.items) + ("numpy" in call.path)
    names = [*fact.parts, *(f"held out {n}" for n in range(2, count))]
    return Seq([rows.cut(_cut(call, name)) for name in names[:count]])


def _cut(call: Call, part: str) -> Cut:
    """A cut that two calls share where both say with which seed they draw."""
    seed = constant(call.kwargs.get("random_state", call.kwargs.get("seed")))
    if isinstance(seed, int) and not isinstance(seed, bool):
        size = constant(call.kwargs.get("test_size", call.kwargs.get("train_size")))
        return Cut("split", ("seed", seed, size), part)
    return Cut("split", (call.place, *(frame.place for frame in call.machine.frames)), part)


def _folds(fact: Folds, call: Call) -> Value | None:
    key = ("fold", call.place, *(frame.place for frame in call.machine.frames))
    base = opaque(Const(None), "the places", call.place).turned("index")
    pair = [base.cut(Cut("split", key, part)) for part in ("train", "held out")]
    return Seq([Seq(list(pair))], whole=False)


def _learns(fact: Learns, call: Call) -> Value | None:
    owner = call.owner
    if not isinstance(owner, Made) or not call.args:
        return None
    rows = rows_in(call.args[0])
    if call.name in ("fit", "fit_transform"):
        if rows is None:
            call.machine.keep.append(call.args[0])
        owner.attrs["(learned)"] = rows if rows is not None else opaque(call.args[0], call.text(0), call.place)
    if call.name == "fit":
        return owner
    if rows is None:
        return None
    learned = owner.attrs.get("(learned)")
    if fact.harmless or _encodes_only(owner):
        return rows
    by = learned.paths if isinstance(learned, Rows) else ()
    return rows.after(Step("fitted", owner.short, by, id(owner), place=call.place))


def _encodes_only(owner: Made) -> bool:
    """Whether a transformer of columns holds nothing but encoders of names, which learn nothing that helps."""
    if owner.short not in ("ColumnTransformer", "make_column_transformer"):
        return False
    given = owner.args[0] if owner.short == "ColumnTransformer" and owner.args else Seq(owner.args)
    steps = owner.kwargs.get("transformers", given)
    parts = (
        [part for step in steps.items if isinstance(step, Seq) for part in step.items] if isinstance(steps, Seq) else []
    )
    makers = [part for part in parts if isinstance(part, Made)]
    known = [fact for maker in makers for fact in facts.of_method(maker.path, "fit")[:1] if isinstance(fact, Learns)]
    return bool(known) and len(known) == len(makers) and all(fact.harmless for fact in known)


def _saves(fact: Saves, call: Call) -> Value | None:
    file = path_text(given(call.args, call.kwargs, fact.file))
    events = call.machine.events
    if fact.reads:
        kept = [use for use in events.uses if isinstance(use, Saved) and use.file == file and file is not None]
        return kept[-1].model if kept else None
    model = call.owner if call.owner is not None else (call.args[0] if call.args else None)
    if file is None or not isinstance(model, Made | Object):
        return None
    events.uses.append(Saved(model, file, call.place))
    return Const(None)


_APPLY: dict[type[Fact], Callable[..., Value | None]] = {
    Makes: _makes,
    Keeps: _keeps,
    Joins: _joins,
    Splits: _splits,
    Folds: _folds,
    Learns: _learns,
    Saves: _saves,
    Predicts: predict,
    Fits: fit,
    Measures: measure,
    Compares: compare,
    Crosses: cross,
}
