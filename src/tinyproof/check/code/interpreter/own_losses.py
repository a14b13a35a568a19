"""The loss that a network of transformers takes by itself, where it is given the labels as well."""

from __future__ import annotations

from dataclasses import replace

from tinyproof.check.code.interpreter.flows import BATCH, Batch, Flow, Op, Quantity
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.values import Made, Value
from tinyproof.check.finding import CodePlace

_LABELLED = "labelled"  # the mark of what a network answers to rows with their labels: the loss comes first
_PERHAPS = "perhaps labelled"  # the batch was handed on whole


def marked(function: Value, kwargs: dict[str, Value], answer: Flow, place: CodePlace) -> Flow:
    """The answer, with the mark where labels were given with the batch: `net(**inputs, labels=y)`, `net(**batch)`."""
    if not isinstance(function, Made) or not function.path.startswith("transformers."):
        return answer
    mark = _LABELLED if "labels" in kwargs else _PERHAPS if BATCH in kwargs else ""
    return replace(answer, ops=(*answer.ops, Op(mark, place))) if mark else answer


def own_loss(machine: Machine, answer: Flow, place: CodePlace, by_name: bool = False) -> Quantity | None:
    """`answer[0]`, or `answer.loss` (`by_name`), where that is the loss."""
    mark = answer.ops[-1].name if answer.ops else ""
    if mark != _LABELLED and not (by_name and mark == _PERHAPS):
        return None
    turn = machine.passes[-1] if machine.passes else None
    if turn is not None:
        turn.loss = True
    loader = answer.source.loader if isinstance(answer.source, Batch) else None
    return Quantity("loss", "mean", "batch", loader, place, turn)


def scores(answer: Flow) -> Flow:
    """The scores beside the loss."""
    last = answer.ops[-1].name if answer.ops else ""
    return replace(answer, ops=answer.ops[:-1]) if last in (_LABELLED, _PERHAPS) else answer
