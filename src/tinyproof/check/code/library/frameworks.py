"""Calls of the libraries that the facts speak of: what goes in, what comes out, and what is noted of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import replace

from tinyproof.check.code.interpreter import columns
from tinyproof.check.code.interpreter.attributes import library_bases
from tinyproof.check.code.interpreter.flows import Batch, Flow, Quantity
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.made_arrays import filled_with
from tinyproof.check.code.interpreter.pairs import note_features, note_pair
from tinyproof.check.code.interpreter.rows import Parts, Rows, Step, rows_in, union
from tinyproof.check.code.interpreter.uses import Saved
from tinyproof.check.code.interpreter.values import (
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
)
from tinyproof.check.code.library import facts
from tinyproof.check.code.library.bundles import bundle
from tinyproof.check.code.library.call import Call
from tinyproof.check.code.library.cuts import folds, splits
from tinyproof.check.code.library.facts.fact import (
    Bundles,
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
    Runs,
    Saves,
    Scores,
    Searches,
    Splits,
)
from tinyproof.check.code.library.fits_and_measures import compare, cross, fit, measure, predict
from tinyproof.check.code.library.hand_made_folds import all_but_a_fold
from tinyproof.check.code.library.loops_inside import run, score
from tinyproof.check.code.library.set_arrays import as_array
from tinyproof.check.code.library.setting_searches import search
from tinyproof.check.code.library.sources import generated, given, make, opaque, path_text, subset_of


def call_function(
    machine: Machine, path: str, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value | None:
    """What a function of a library gives; None where no fact speaks of it."""
    if path.partition(".")[0] not in facts.ROOTS:
        return None
    args = [as_array(machine, arg) for arg in args]
    call = Call(machine, None, path.rpartition(".")[2], args, kwargs, node, scope, path=path)
    return _first(facts.of_function(path), call)


def call_method(
    machine: Machine, owner: Value, name: str, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value | None:
    """What a method of something that a library made gives; None where no fact speaks of it."""
    if not facts.known_method(name):
        return None
    if isinstance(owner, Made):
        found = facts.of_method("pathlib.Path" if owner.path == "(path)" else owner.path, name)
    elif isinstance(owner, Object):
        found = tuple(fact for base in library_bases(owner.cls) for fact in facts.of_method(base, name))
    elif isinstance(owner, Parts):
        found = facts.of_method("fastai.DataLoaders", name) if name == "test_dl" else ()
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
    if fact.once and isinstance(call.owner, Made) and not _takes_once(call.owner, fact.once):
        return None
    listed = call.args[0].items if call.name == "splits" and call.args and isinstance(call.args[0], Seq) else call.args
    if fact.several and len(listed) > 1:
        kept = [rows_in(arg) for arg in listed]
        if not any(kept):
            return None
        return Seq([_stepped(fact, call, rows) if rows is not None else Unknown() for rows in kept])
    value = call.args[fact.argument] if len(call.args) > fact.argument else next(iter(call.kwargs.values()), None)
    if isinstance(value, Parts):
        return value
    beside_each_other = _columns(call, value)
    if beside_each_other is not None:
        return beside_each_other
    if isinstance(value, Map) and value.items and all(rows_in(item) for item in value.items.values()):
        return Parts(dict(value.items), whole=value.whole)
    if call.name == "TensorDataset":
        value = next((arg for arg in call.args if rows_in(arg) is not None), value)
    rows = rows_in(value) or _table(fact, call, value)
    if rows is None:
        return None
    beside = call.args[1:2] if call.name == "TensorDataset" else value.items[1:2] if isinstance(value, Seq) else []
    labels = rows_in(beside[0]) if beside else None
    note_pair(call.machine, rows, labels, call.place)
    note_features(call.machine, rows, labels, None, call.place)
    if isinstance(value, Seq) or fact.side == "both" or (call.name == "TensorDataset" and len(call.args) > 1):
        rows = replace(rows, side="both", columns=(), names=[])
    rows = generated(rows, call.owner, call.place)
    subset = given(call.args, call.kwargs, fact.subset)
    if subset is not None:
        return subset_of(rows, subset)
    if fact.labelled:
        rows = rows.turned("both" if constant(call.kwargs.get(fact.labelled)) is True else "x")
    return _stepped(fact, call, rows)


def _takes_once(owner: Made, name: str) -> bool:
    return not owner.open_kwargs and constant(owner.kwargs.get(name, Const(False))) is False


def _columns(call: Call, value: Value | None) -> Rows | None:
    """A table that is made of columns by name, which belong to the same rows."""
    if isinstance(value, Made) and value.path == "builtins.list" and value.args:
        value = value.args[0]  # list(zip(files, kinds))
    zipped = isinstance(value, Made) and value.path == "builtins.zip"
    listed = list(value.items.values()) if isinstance(value, Map) else value.args if zipped else []  # type: ignore[union-attr]
    found = [rows for rows in map(rows_in, listed) if rows is not None]
    if (
        call.name not in ("DataFrame", "from_dict")
        or not found
        or len(found) != len(listed)
        or any(rows.side in ("scores", "mask") for rows in found)
    ):
        return None
    same = all([path.cuts for path in rows.paths] == [path.cuts for path in found[0].paths] for rows in found)
    return columns.after(replace(found[0], side="both", names=[]), *columns.UNKNOWN) if same else None


def _table(fact: Keeps, call: Call, value: Value | None) -> Rows | None:
    """A table of things that were collected in lists: where they came from is not known, but each has one row."""
    if call.path.startswith("datasets.Dataset.from_") and value is not None:
        return call.rows(value)
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
    if fact.batched:
        rows = replace(rows, batch=int(number(given(call.args, call.kwargs, ("batch_size", 1))) or -1), names=[])
    if call.name in ("get_dummies", "DataFrame", "Series"):
        rows = columns.after(rows, *columns.UNKNOWN)
    return rows.after(Step(fact.step, call.name, place=call.place)) if fact.step else rows


def _joins(fact: Joins, call: Call) -> Value | None:
    if call.args and isinstance(call.args[0], Seq) and isinstance(call.args[0].rows, Rows) and not fact.columns:
        return call.args[0].rows  # what a loop over rows collected, one behind the other
    listed = call.args[0].items if call.args and isinstance(call.args[0], Seq) else call.args[:2]
    if isinstance(call.args[0] if call.args else None, Seq) and not call.args[0].whole:  # type: ignore[attr-defined]
        return None
    rows = [rows_in(item) or filled_with(item) for item in listed]
    known = [item for item in rows if item is not None]
    axis = constant(given(call.args, call.kwargs, fact.axis))
    beside = fact.columns or axis in (1, -1, "columns")
    if not known or any(isinstance(item, Flow | Batch) for item in listed):
        return None
    if len(known) != len(rows) and not (beside and all(_of_ones(item) for item in listed if rows_in(item) is None)):
        return None
    rest = all_but_a_fold(call.machine, known)
    if rest is not None:
        return rest
    if beside:
        return columns.after(known[0].turned("both"), *columns.UNKNOWN)
    if call.machine.loops and any(_ends_anywhere(item) for item in known):
        return Unknown()  # all parts but one, in a loop over the parts: which they are is not known
    joined = union(known)
    return None if joined is None else joined


def _of_ones(value: Value) -> bool:
    """Whether it is a column of ones or zeros: what stands for an intercept."""
    return isinstance(value, Made) and value.short in ("ones", "zeros", "ones_like", "zeros_like", "full")


def _ends_anywhere(rows: Rows) -> bool:
    """Whether rows were cut off at a place that is not known."""
    cuts = [path.cuts[-1] for path in rows.paths if path.cuts]
    return any(isinstance(bound, tuple) for cut in cuts if cut.kind == "slice" for bound in (cut.low, cut.high))


def _learns(fact: Learns, call: Call) -> Value | None:
    owner = call.owner
    if not isinstance(owner, Made) or not call.args:
        return None
    rows = rows_in(call.args[0])
    if call.name in ("fit", "fit_transform"):
        if rows is None:
            call.machine.keep.append(call.args[0])
        taught = rows if rows is not None else opaque(call.args[0], call.text(0), call.place)
        owner.attrs["(learned)"] = replace(taught, asked=call.place)
    if call.name == "fit":
        return owner
    if rows is None:
        return None
    learned = owner.attrs.get("(learned)")
    if fact.harmless or _encodes_only(owner) or constant(owner.kwargs.get("strategy")) == "constant":
        return columns.after(rows, *columns.UNKNOWN)
    if not re.search(r"Scaler|Normalizer|Imputer|PCA", owner.short):
        rows = columns.after(rows, *columns.UNKNOWN)
    by, at = (learned.paths, learned.asked) if isinstance(learned, Rows) else ((), None)
    return rows.after(Step("fitted", owner.short, by, id(owner), place=at or call.place))


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
    Bundles: bundle,
    Keeps: _keeps,
    Joins: _joins,
    Splits: splits,
    Folds: folds,
    Learns: _learns,
    Saves: _saves,
    Predicts: predict,
    Fits: fit,
    Measures: measure,
    Runs: run,
    Scores: score,
    Compares: compare,
    Crosses: cross,
    Searches: search,
}
