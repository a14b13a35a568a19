"""Comprehensions: over a short list they are written out, over a loader they are a pass."""

from __future__ import annotations

import ast
from dataclasses import replace

from tinyproof.check.code.interpreter import columns
from tinyproof.check.code.interpreter.flows import Batch, Quantity
from tinyproof.check.code.interpreter.loops import element, loader_of, one_by_one, turns
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.rows import Cut, Fit, Rows, Step, rows_in, some_of
from tinyproof.check.code.interpreter.turns import Pass
from tinyproof.check.code.interpreter.values import (
    Choice,
    Const,
    Made,
    Map,
    Scope,
    Seq,
    Unknown,
    Value,
    call_it,
    constant,
)
from tinyproof.check.finding import CodePlace


def comprehension(
    machine: Machine, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, scope: Scope
) -> Value:
    rows = _rows(machine, node, scope)
    if rows is not None:
        return _written_out(machine, node, rows)
    inner = Scope(scope.file, scope.cell, scope)
    entered, before = 0, len(machine.looked_up)
    iterable: Value = Const(None)
    for part in node.generators:
        iterable = machine.evaluate(part.iter, inner)
        loader = loader_of(iterable)
        if loader is not None:
            text = ast.unparse(part.iter)[:200]
            turn = Pass(loader, machine.place(node, scope), text, tuple(machine.frames), tuple(machine.loops))
            machine.passes.append(turn)
            machine.events.passes.append(turn)
            entered += 1
        machine.bind(part.target, element(iterable), inner)
        for condition in part.ifs:
            machine.evaluate(condition, inner)
    value = machine.evaluate(node.value if isinstance(node, ast.DictComp) else node.elt, inner)
    value = some_of(value, _let_through(machine, node, inner))
    asked = False
    for _ in range(entered):
        turn = machine.passes.pop()
        asked = asked or bool(turn.seen)
        turn.counted = turn.counted or _holds_figures(value)
        machine.meaning.passed(machine, turn)
    if isinstance(node, ast.ListComp):
        iterable = _rows_gone_through(iterable)
        if isinstance(value, Rows) and isinstance(iterable, Rows) and value.paths[0].root.form == "folder":
            return replace(value, names=[])  # files of a folder, all or some
        answers = looked_up(machine, node, iterable, value, before, machine.place(node, scope))
        if answers is not None:
            return answers
        if not asked and _one_for_each(node, iterable, value):
            return columns.after(iterable.after(Step("opaque", ast.unparse(node.elt)[:60])), *columns.UNKNOWN)  # type: ignore[attr-defined]
    if isinstance(value, Batch) and (isinstance(node, ast.DictComp) or isinstance(iterable, Batch)):
        return Batch(value.loader)  # the parts of a batch, each on its device
    return Map({}, whole=False) if isinstance(node, ast.DictComp) else Seq([value], whole=False)


def _let_through(
    machine: Machine, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, scope: Scope
) -> list[Cut]:
    """The cuts that the conditions of a comprehension make: what other rows have not, or some that are picked."""
    cuts = []
    frames = tuple(frame.place for frame in machine.frames)
    for test in [test for part in node.generators for test in part.ifs]:
        other = machine.evaluate(test.comparators[0], scope) if isinstance(test, ast.Compare) else None
        told = other.paths[0].cuts[-1:] if isinstance(other, Rows) else ()
        if told and isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.NotIn) and told[0].part == "yes":
            cuts.append(replace(told[0], part="no"))
            continue
        loops = tuple(id(loop) for loop in machine.loops)
        cuts.append(Cut("filter", ("if", ast.unparse(test)[:80], machine.place(node, scope), frames, loops), "yes"))
    return cuts


def _rows_gone_through(iterable: Value) -> Value:
    """The rows that a comprehension goes through one by one, of whichever of several ways to the same rows."""
    found = rows_in(iterable) if isinstance(iterable, Choice) else one_by_one(iterable)
    return iterable if found is None or isinstance(iterable, Rows | Seq) else found


def _one_for_each(node: ast.ListComp, iterable: Value, value: Value) -> bool:
    """Whether a list holds something for each row, in order, of which nothing is known: `[clean(t) for t in x]`."""
    if not isinstance(iterable, Rows) or iterable.side not in ("x", "both", "y") or iterable.batch:
        return False
    if not isinstance(value, Unknown | Made | Choice | Const | Seq | Batch):
        return False
    target = node.generators[0].target
    whole = loader_of(iterable) is None or isinstance(target, ast.Name)  # else the images and labels of a data set
    return whole and len(node.generators) == 1 and not node.generators[0].ifs


def _holds_figures(value: Value) -> bool:
    """Whether it is a figure, or a dict or tuple of some, or may be: `{'loss': ..., 'accuracy': ...}` of a batch."""
    if isinstance(value, Choice):
        return any(map(_holds_figures, value.options))
    inside = value.items.values() if isinstance(value, Map) else value.items if isinstance(value, Seq) else [value]
    return any(isinstance(item, Quantity) for item in inside)


def _rows(
    machine: Machine, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, scope: Scope
) -> list[Scope] | None:
    """The scopes of each turn of a comprehension over a short list; None where it goes over something else."""
    if len(node.generators) != 1 or node.generators[0].ifs:
        return None
    part = node.generators[0]
    iterable = machine.evaluate(part.iter, scope)
    if loader_of(iterable) is not None:
        return None
    found = list(turns(machine, iterable, part.iter, scope))
    if not found or found[0].count != len(found):
        return None
    rows = []
    for turn in found:
        inner = Scope(scope.file, scope.cell, scope)
        machine.bind(part.target, turn.value, inner)
        rows.append(inner)
    return rows


def looked_up(
    machine: Machine, node: ast.ListComp, iterable: Value, value: Value, before: int, place: CodePlace
) -> Value | None:
    """`[predict(x) for x in rows]`, where labels of other rows are looked up on the way: by nearest neighbours."""
    found = machine.looked_up[before:]
    if not isinstance(iterable, Rows) or not isinstance(value, Unknown) or not found or node.generators[0].ifs:
        return None
    if not isinstance(node.elt, ast.Call) or len(node.generators) != 1:
        return None
    machine.keep.append(value)
    taught = Fit(value, replace(found[0], names=[]), place)
    asked = None if machine.frames else place
    return replace(iterable, side="scores", model=value, fits=(taught,), names=[], asked=asked)


def _written_out(
    machine: Machine, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, rows: list[Scope]
) -> Value:
    if not isinstance(node, ast.DictComp):
        return Seq([machine.evaluate(node.elt, row) for row in rows])
    made = Map({})
    for row in rows:
        key, value = constant(machine.evaluate(node.key, row)), machine.evaluate(node.value, row)
        if isinstance(key, str | int):
            made.items[key] = value
            call_it(value, str(key))
        else:
            made.whole = False
    return made
