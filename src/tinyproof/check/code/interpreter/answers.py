"""What networks answer, compared with labels: of a batch, of lists that a loop filled, of whole arrays."""

from __future__ import annotations

from tinyproof.check.code.interpreter import row_answers, row_expressions
from tinyproof.check.code.interpreter.events import Stale
from tinyproof.check.code.interpreter.flows import Batch, Flow, Quantity
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.pairs import note_pair
from tinyproof.check.code.interpreter.relations import relation
from tinyproof.check.code.interpreter.rows import Rows
from tinyproof.check.code.interpreter.turns import Pass, narrow
from tinyproof.check.code.interpreter.values import Const, Made, Seq, Unknown, Value, constant, options
from tinyproof.check.finding import CodePlace


def collected(machine: Machine, values: list[Value]) -> Pass | None:
    """The loop that collected the answers which are compared with labels now: it is there that was measured."""
    for flow in filter(None, map(answers_in, values)):
        loader = flow.source.loader if isinstance(flow.source, Batch) else None
        for turn in reversed(machine.events.passes):
            if loader is None or turn.loader is not loader or turn.trains or not turn.seen:
                continue
            turn.hits = True
            if turn not in machine.passes and not turn.counted:
                turn.counted = True
                machine.meaning.passed(machine, turn)
            return turn
    return _filled_in(machine, values)


def _filled_in(machine: Machine, values: list[Value]) -> Pass | None:
    """The loop in whose turns both lists that are compared were filled, whatever a network said there."""
    turns = [machine.filled.get(id(value)) for value in values if isinstance(value, Seq) and not value.whole]
    turn = turns[0] if len(turns) == 2 and turns[0] is turns[1] else None
    if turn is None or turn in machine.passes or turn.trains or not turn.seen:
        return None
    turn.hits = True
    if not turn.counted:
        turn.counted = True
        machine.meaning.passed(machine, turn)
    return turn


def answers_in(value: Value) -> Flow | None:
    """What a network gave, or the last of such that a list was filled with in a loop."""
    if isinstance(value, Seq) and not value.whole:
        return next((item for item in reversed(value.items) if isinstance(item, Flow)), None)
    return value if isinstance(value, Flow) else None


def hits(machine: Machine, left: Value, right: Value, place: CodePlace) -> Value:
    """The comparison of predictions with labels."""
    if not machine.passes and (of_last_batch(machine, left) or of_last_batch(machine, right)):
        return Unknown()
    flow = answers_in(left) or answers_in(right)
    source = flow.source if isinstance(flow, Flow) else None
    if machine.passes:
        machine.passes[-1].hits = True
        _stale(machine, flow, right if flow is answers_in(left) else left, place)
    loader = source.loader if isinstance(source, Batch) else None
    if isinstance(loader, Rows) and isinstance(flow, Flow) and flow.model is not None and not machine.passes:
        loader = row_answers.guesses(machine, flow.model, loader, machine.events.asked_at.get(id(flow.model)))
        labels = right if flow is answers_in(left) else left
        if isinstance(labels, Rows) and relation(loader.paths, labels.paths) == "apart":
            row_expressions.note_mismatch(machine, loader, labels, place)
            return Unknown()
        if isinstance(labels, Rows) and note_pair(machine, loader, labels, place):
            return Unknown()
        return Quantity("hits", "each", "final", loader)
    if machine.passes:
        narrow(machine.passes[-1], loader)
    elif isinstance(loader, Made) and (
        _of_another_order(machine, loader, right if flow is answers_in(left) else left)
        or _of_two_loops(machine, loader, left, right)
    ):
        return Unknown()
    turn = machine.passes[-1] if machine.passes else collected(machine, [left, right])
    if turn is not None and not machine.passes:
        turn.compared = machine.frames[0].place if machine.frames else place
        turn.compared_in = machine.frames[0].function.name if machine.frames else ""
    return Quantity("hits", "each", "batch" if machine.passes else "total", loader, None, turn)


def _of_another_order(machine: Machine, loader: Made, labels: Value) -> bool:
    """Whether answers for a loader's batches stand beside labels that are kept apart from it: those of another set, or
    of the same in another order.
    """
    labels = machine.meaning.array(machine, labels)
    if not isinstance(labels, Rows):
        return False
    data = loader.args[0] if loader.args else loader.kwargs.get("dataset", Unknown())
    own = machine.meaning.behind(loader) or machine.meaning.array(machine, Made(".targets", [data], {}, loader.place))
    return _is_mixed(loader) or not isinstance(own, Rows) or own.paths != labels.paths


def _is_mixed(loader: Made) -> bool:
    """Whether a loader may give its set in another order each time."""
    told = loader.kwargs.get("shuffle", loader.args[2] if len(loader.args) > 2 else Const(False))
    drawn = bool({"sampler", "batch_sampler"} & set(loader.kwargs))
    return constant(told) is not False or drawn or loader.open_kwargs


def _of_two_loops(machine: Machine, loader: Made, left: Value, right: Value) -> bool:
    """Whether answers and labels were collected in two loops, over two sets or over one in another order."""
    if any(isinstance(value, Batch) and value.loader is not loader for value in (left, right)):
        return True
    one, other = machine.filled.get(id(left)), machine.filled.get(id(right))
    if one is None or other is None or one is other:
        return False
    return one.loader is not other.loader or _is_mixed(loader)


def of_last_batch(machine: Machine, value: Value) -> bool:
    """Whether a list was emptied in each turn of the loop over batches that filled it."""
    turn = machine.emptied.get(id(value))
    return turn is not None and turn is machine.filled.get(id(value), turn)


def _stale(machine: Machine, answers: Flow | None, labels: Value, place: object) -> None:
    """Answers for a batch of a loop that has ended, beside labels of the batch that was answered just now."""
    turn, labels = machine.passes[-1], options(labels)[0]
    source = answers.source if answers is not None else None
    if answers is None or not isinstance(source, Batch) or not isinstance(labels, Batch) or not turn.seen:
        return
    if labels.loader is not turn.loader or source.loader is turn.loader or not isinstance(place, CodePlace):
        return
    of_it = [other for other in machine.events.passes if other.loader is source.loader]
    if of_it and not any(other in machine.passes for other in of_it):
        machine.events.stale.append(Stale(place, turn, answers))
