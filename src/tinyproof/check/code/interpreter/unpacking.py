"""The parts of a value that is unpacked."""

from __future__ import annotations

from tinyproof.check.code.interpreter.flows import Batch, Flow, Quantity
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.own_losses import own_loss, scores
from tinyproof.check.code.interpreter.rows import Rows
from tinyproof.check.code.interpreter.values import Choice, Const, Made, Seq, Unknown, Value, join
from tinyproof.check.finding import CodePlace

_NOWHERE = CodePlace("")


def items_of(machine: Machine, value: Value, count: int) -> list[Value]:
    """The parts of a value that is unpacked into `count` targets."""
    if isinstance(value, Choice):
        rows = [items_of(machine, option, count) for option in value.options]
        return [join([row[i] for row in rows]) for i in range(count)]
    if isinstance(value, Seq) and len(value.items) == count:
        return value.items
    if isinstance(value, Batch):
        return [Batch(value.loader, "part") for _ in range(count)]
    if isinstance(value, Made) and value.path == ".shape":
        return [Quantity("images", "unknown", "batch"), *(Unknown() for _ in range(count - 1))]
    if isinstance(value, Made) and value.path == "torch.utils.data.random_split":
        return [Made(value.path, [*value.args, Const(i)], value.kwargs, value.place) for i in range(count)]
    if isinstance(value, Rows) and value.side == "both" and count == 2:
        return [value.turned("x"), value.turned("y")]
    loss = own_loss(machine, value, _NOWHERE) if isinstance(value, Flow) else None
    if loss is not None and isinstance(value, Flow):
        return [loss, *[scores(value)] * (count - 1)]
    if isinstance(value, Flow) or (isinstance(value, Made) and value.path == "keras.(tensor)"):
        return [value] * count  # of a recurrent layer of Keras: what it gives, and its states
    return [Unknown() for _ in range(count)]
