"""Searches for the best settings: the function that is tried is walked once, and what it gives chooses."""

from __future__ import annotations

from tinyproof.check.code.interpreter.flows import Quantity
from tinyproof.check.code.interpreter.loops import settle
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.rows import Rows
from tinyproof.check.code.interpreter.turns import Loop
from tinyproof.check.code.interpreter.uses import Chosen
from tinyproof.check.code.interpreter.values import Function, Map, Seq, Unknown, Value, options
from tinyproof.check.code.library.call import Call
from tinyproof.check.code.library.facts.fact import Searches
from tinyproof.check.code.library.loaders import split_of_loader
from tinyproof.check.code.library.set_arrays import learned_from
from tinyproof.check.code.library.sources import given

SETTINGS = "the settings"


def search(fact: Searches, call: Call) -> Value | None:
    """One turn stands for all: each setting is tried on the same rows, and the best figure decides."""
    function = given(call.args, call.kwargs, fact.function)
    if not isinstance(function, Function):
        return None
    machine = call.machine
    turn = Loop(call.place, None, listed=True, around=tuple(machine.loops), doubt=machine.doubt)
    turn.made_before, turn.networks_before = len(machine.events.made), len(machine.events.networks)
    turn.sides = len(machine.sides)
    machine.loops.append(turn)
    figure = machine.call_value(function, [Unknown("setting")], {}, call.node, call.scope)
    machine.loops.pop()
    if not machine.loops:
        settle(machine)
    for one in _figures(figure)[:1]:
        rows = _rows(machine, one.loader) if one.loader is not None else None
        if rows is not None:
            machine.events.uses.append(Chosen(SETTINGS, rows, None, call.place, call.name))
    return Unknown()


def _rows(machine: Machine, loader: Value) -> Rows | None:
    """The rows of a loader, or the whole test set that a library has."""
    of_test = split_of_loader(loader, machine.events.altered).kind == "test"
    return machine.meaning.behind(loader) or (learned_from(machine, loader) if of_test else None)


def _figures(value: Value) -> list[Quantity]:
    """The figures in what the function gives: alone, one of several, in a tuple, in a dict."""
    found: list[Quantity] = []
    for option in options(value):
        inside = option.items.values() if isinstance(option, Map) else option.items if isinstance(option, Seq) else []
        found += [figure for figure in (option, *inside) if isinstance(figure, Quantity)]
    return found
