"""What goes through a program in the making: batches, tensors on their way through a network, figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tinyproof.check.code.interpreter.values import Made, Value, options
from tinyproof.check.finding import CodePlace


@dataclass(frozen=True)
class Op:
    """One operation on a tensor on its way through the network: its name, its layer, where it stands."""

    name: str
    place: CodePlace
    layer: Made | None = None
    args: tuple[Value, ...] = ()
    kwargs: tuple[tuple[str, Value], ...] = ()
    text: str = ""

    def keyword(self, name: str) -> Value | None:
        return dict(self.kwargs).get(name)


@dataclass(eq=False)
class Flow(Value):
    """A tensor inside or behind a network: the operations it went through. `source`: the batch it began as.

    `straight` is False where branches were joined, so that shapes cannot be followed.
    """

    ops: tuple[Op, ...] = ()
    model: Value | None = None
    source: Value | None = None
    straight: bool = True
    certain: bool = True


# The keyword under which a batch is handed on whole: `model(**batch)`.
BATCH = "(batch)"


@dataclass(eq=False)
class Batch(Value):
    """What one turn of a loop over a loader gives: the whole batch, or a part of it (images, labels)."""

    loader: Value
    part: Literal["batch", "part"] = "batch"


QuantityKind = Literal["loss", "hits", "images", "batches", "accuracy"]


Scale = Literal["mean", "sum", "each", "unknown"]


Reach = Literal["batch", "total", "final"]


@dataclass(eq=False)
class Quantity(Value):
    """A figure in the making.

    loss: `scale` says whether a batch gives its mean or its sum; `reach` whether it is one batch's, the total over
    batches, or the final average. hits: right answers, likewise. images, batches: a number of them, of one batch or
    in total. accuracy: hits divided by images.
    """

    kind: QuantityKind
    scale: Scale = "unknown"
    reach: Reach = "batch"
    loader: Value | None = None
    place: CodePlace | None = None
    turn: object | None = None
    more: tuple[Quantity, ...] = ()


def is_tensor(value: Value) -> bool:
    return any(isinstance(option, Flow | Batch) for option in options(value))


def first_tensor(args: list[Value], kwargs: dict[str, Value]) -> Flow | Batch | None:
    """The first argument that is a batch or comes from one."""
    for value in (*args, *kwargs.values()):
        for option in options(value):
            if isinstance(option, Flow | Batch):
                return option
    return None
