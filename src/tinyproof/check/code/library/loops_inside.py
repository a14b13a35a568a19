"""Functions of libraries that go through batches by themselves: a network learns from them, or is measured on them."""

from __future__ import annotations

from tinyproof.check.code.interpreter.answers import hits
from tinyproof.check.code.interpreter.flows import Quantity
from tinyproof.check.code.interpreter.turns import Pass, Seen
from tinyproof.check.code.interpreter.values import Const, Value
from tinyproof.check.code.library.call import Call
from tinyproof.check.code.library.facts.fact import Runs, Scores
from tinyproof.check.code.library.sources import given


def run(fact: Runs, call: Call) -> Value | None:
    """The loops over batches that the function has in it, noted as if they stood here."""
    model = given(call.args, call.kwargs, fact.model)
    if model is None:
        return None
    learning = given(call.args, call.kwargs, fact.learns)
    asking = given(call.args, call.kwargs, fact.measures)
    if learning is not None:
        _turn(call, model, learning, True)
    if asking is None or (isinstance(asking, Const) and asking.value is None):
        return Const(None)
    turn = _turn(call, model, asking, False)
    return Quantity("accuracy", "mean", "final", asking, call.place, turn)


def _turn(call: Call, model: Value, loader: Value, learns: bool) -> Pass:
    machine = call.machine
    turn = Pass(loader, call.place, call.written, tuple(machine.frames), tuple(machine.loops), framework=True)
    turn.seen = [Seen(model, "train" if learns else "eval", learns, call.place)]
    turn.counted = turn.hits = True
    if learns:
        turn.backward, turn.zeroed = call.place, True
    machine.keep.append(model)
    machine.events.passes.append(turn)
    machine.meaning.passed(machine, turn)
    return turn


def score(fact: Scores, call: Call) -> Value | None:
    """How many answers of a batch are right."""
    if len(call.args) < 2:
        return None
    found = hits(call.machine, call.args[0], call.args[1], call.place)
    if isinstance(found, Quantity):
        found.scale = "sum"
        if call.machine.passes:
            call.machine.passes[-1].counted = True
    return found
