"""Loops over rows, and gradients of losses on whole arrays: what a network learned from, what it was measured on."""

from __future__ import annotations

from tinyproof.check.code.interpreter.changed_figures import note_preferred
from tinyproof.check.code.interpreter.flows import Batch, Quantity
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.rows import Fit, Rows
from tinyproof.check.code.interpreter.turns import Pass
from tinyproof.check.code.interpreter.uses import Answered, Chosen, Measured
from tinyproof.check.code.interpreter.values import Made, Map, Object, Seq, Value
from tinyproof.check.code.library.loaders import rows_behind
from tinyproof.check.code.library.set_arrays import learned_from
from tinyproof.check.finding import CodePlace


def note_pass(machine: Machine, turn: Pass) -> None:
    """A loop over a loader has ended: where its rows are known, they were learned from or measured on."""
    rows = rows_behind(turn.loader)
    if rows is None and turn.seen and turn.trains:
        _learn_quietly(machine, turn)
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


def _learn_quietly(machine: Machine, turn: Pass) -> None:
    """The loop itself is judged by its loader; what is measured on whole arrays of the set asks what was learned."""
    model, rows = turn.seen[-1].model, learned_from(machine, turn.loader)
    if rows is not None and isinstance(model, Object | Made):
        machine.keep.append(model)
        before = learned(machine, model)
        machine.events.learned[id(model)] = (*before, Fit(model, rows, turn.place, "the loop"))[-8:]


def note_backward(machine: Machine, loss: Value, place: CodePlace) -> None:
    """The gradient of a loss on rows that no loader gave, or of a sum of several."""
    if not isinstance(loss, Quantity) or not machine.events.losses:
        return
    for figure in (loss, *loss.more):
        if not isinstance(figure.loader, Rows):
            continue
        if isinstance(figure.turn, Measured):  # it learns by what looked like a measurement
            machine.events.uses = [use for use in machine.events.uses if use is not figure.turn]
        model = _asked(machine, figure.loader) if loss.more else machine.events.losses[-1].scores.model
        if model is not None:
            learn(machine, model, figure.loader, place)


def _asked(machine: Machine, rows: Rows) -> Value | None:
    """The network of whose answers for these rows a loss was taken last."""
    taken = (call.scores for call in reversed(machine.events.losses))
    return next((f.model for f in taken if isinstance(f.source, Batch) and f.source.loader is rows), None)


def learn(machine: Machine, model: Value, rows: Rows, place: CodePlace) -> None:
    before = learned(machine, model)
    if any(fit.place == place and fit.rows is not None and fit.rows.paths == rows.paths for fit in before):
        return
    done = Fit(model, rows, place, "the loop")
    machine.keep.append(model)
    machine.events.learned[id(model)] = (*before, done)[-8:]
    machine.events.uses.append(done)


# What prefers one of several figures, and which kind of them: of losses the least, of right answers the most.
BEST = {
    **dict.fromkeys(("min", "amin", "nanmin", "argmin"), ("loss", "accuracy")),
    **dict.fromkeys(("max", "amax", "nanmax", "argmax"), ("hits", "accuracy")),
    "sorted": ("loss", "hits", "accuracy"),
}


def note_best(machine: Machine, name: str, args: list[Value], place: CodePlace) -> None:
    """`min(losses)` of what a loop measured on whole arrays."""
    listed: list[Value] = []
    for value in args[:4]:
        listed += value.items if isinstance(value, Seq) else value.items.values() if isinstance(value, Map) else [value]
    figures = [value for value in listed if isinstance(value, Quantity) and value.kind in BEST[name]]
    for figure in figures[-1:]:
        note_preferred(machine, figure, place, alone=not name.startswith(("arg", "sorted")))


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
