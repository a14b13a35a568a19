"""Comprehensions: over a short list they are written out, over a loader they are a pass."""

from __future__ import annotations

import ast

from tinyproof.check.notebook.interpreter.events import Pass
from tinyproof.check.notebook.interpreter.flows import Quantity
from tinyproof.check.notebook.interpreter.loops import element, loader_of, turns
from tinyproof.check.notebook.interpreter.machine import Machine
from tinyproof.check.notebook.interpreter.values import Map, Scope, Seq, Value, call_it, constant


def comprehension(
    machine: Machine, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, scope: Scope
) -> Value:
    rows = _rows(machine, node, scope)
    if rows is not None:
        return _written_out(machine, node, rows)
    inner = Scope(scope.file, scope.cell, scope)
    entered = 0
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
    for _ in range(entered):
        turn = machine.passes.pop()
        turn.counted = turn.counted or isinstance(value, Quantity)
        machine.meaning.passed(machine, turn)
    return Map({}, whole=False) if isinstance(node, ast.DictComp) else Seq([value], whole=False)


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
