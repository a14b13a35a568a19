"""Loops over rows, and gradients of losses on whole arrays: what a network learned from, what it was measured on."""

from __future__ import annotations

from tinyproof.check.code.interpreter.flows import Quantity
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.rows import Fit, Rows
from tinyproof.check.code.interpreter.turns import Pass
from tinyproof.check.code.interpreter.uses import Answered, Chosen, Measured
from tinyproof.check.code.interpreter.values import Map, Seq, Value
from tinyproof.check.code.library.loaders import rows_behind
from tinyproof.check.finding import CodePlace


def note_pass(machine: Machine, turn: Pass) -> None:
    """A loop over a loader has ended: where its rows are known, they were learned from or measured on."""
    rows = rows_behind(turn.loader)
    if rows is None or not turn.seen:
        return
    model = turn.seen[-1].model
    if turn.trains:
        learn(machine, model, rows, turn.place)
    elif turn.evaluates:
        name, text = ("step", turn.text) if turn.framework else ("loop", f"for ... in {turn.text}")
        done = Measured(name, model, rows, turn.place, text, learned(machine, model))
        done.repeated = bool(machine.loops or machine.passes)
        done.run = turn.frames[0].place if turn.frames else turn.place
        done.loader = turn.loader
        machine.events.uses.append(done)
    else:
        machine.events.uses.append(Answered(model, rows, turn.place, learned(machine, model)))


def note_backward(machine: Machine, loss: Value, place: CodePlace) -> None:
    """The gradient of a loss on rows that no loader gave."""
    if not isinstance(loss, Quantity) or not isinstance(loss.loader, Rows) or not machine.events.losses:
        return
    if isinstance(loss.turn, Measured):  # it learns by what looked like a measurement
        machine.events.uses = [use for use in machine.events.uses if use is not loss.turn]
    model = machine.events.losses[-1].scores.model
    if model is not None:
        learn(machine, model, loss.loader, place)


def learn(machine: Machine, model: Value, rows: Rows, place: CodePlace) -> None:
    before = learned(machine, model)
    if any(fit.place == place and fit.rows is not None and fit.rows.paths == rows.paths for fit in before):
        return
    done = Fit(model, rows, place, "the loop")
    machine.keep.append(model)
    machine.events.learned[id(model)] = (*before, done)[-8:]
    machine.events.uses.append(done)


def note_extreme(machine: Machine, listed: Value, place: CodePlace) -> None:
    """The best of several figures that a loop over settings measured: the rows measured on choose the setting."""
    figures = listed.items if isinstance(listed, Seq) and not listed.whole else []
    if isinstance(listed, Map):
        figures = [*listed.items.values(), *listed.others]
    done = [
        f.turn for f in figures if isinstance(f, Quantity) and f.kind == "accuracy" and isinstance(f.turn, Measured)
    ]
    if done and done[-1].repeated and not done[-1].crossed:
        machine.events.uses.append(Chosen("the best of several", done[-1].rows, None, place, "the best figure"))


def learned(machine: Machine, model: Value) -> tuple[Fit, ...]:
    return machine.events.learned.get(id(model), ())
