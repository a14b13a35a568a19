"""Keras layers as they are put together: which are applied to what, and which are made and left lying."""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.check.code.interpreter.events import Events
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.values import Choice, Made, Map, Seq, Value
from tinyproof.check.finding import CodePlace

TENSOR = "keras.(tensor)"
WEIGHTED = frozenset(
    ("Dense", "Conv1D", "Conv2D", "Conv3D", "SeparableConv2D", "DepthwiseConv2D", "BatchNormalization")
)
WEIGHTED |= frozenset(("LSTM", "GRU", "SimpleRNN", "Embedding"))
_MODELS = frozenset(("keras.Model", "keras.models.Model", "keras.Sequential", "keras.models.Sequential"))


def is_tensor(value: Value, depth: int = 0) -> bool:
    """Whether a value is a symbolic tensor, or a list of some: what keras.Input gives, and layers make of it."""
    if isinstance(value, Seq):
        return any(is_tensor(item, depth + 1) for item in value.items[:20])
    if not isinstance(value, Made) or depth > 4:
        return False
    if value.path == TENSOR or value.path.endswith(".Input"):
        return True
    # A function of layers, `concatenate([a, b])`, gives a tensor as a layer does.
    is_function = value.path.startswith("keras.") and value.short.islower()
    return is_function and any(is_tensor(arg, depth + 1) for arg in value.args[:8])


def applied(machine: Machine, layer: Made, args: list[Value], kwargs: dict[str, Value], place: CodePlace) -> Made:
    """What a layer makes of symbolic tensors. Inside loops and open conditions nothing is held against it."""
    made = Made(TENSOR, [layer, *args], kwargs, place)
    if not machine.loops and not machine.doubt and not machine.frames:
        machine.made(made)
    return made


def left_lying(events: Events) -> Iterator[tuple[Made, CodePlace]]:
    """Layers with weights whose output goes nowhere, in a notebook that makes models: the layer, its place."""
    models = [made for made in events.made if made.path in _MODELS]
    if not models:
        return
    used: set[int] = set()
    for made in events.made:
        used.update(_parts((*made.args[made.path == TENSOR :], *made.kwargs.values()), 0))
    begun = {
        source for model in models for value in (*model.args, *model.kwargs.values()) for source in _inputs(value, 0)
    }
    for made in events.made:
        if made.path != TENSOR or id(made) in used or id(made) in events.escaped:
            continue
        if begun.isdisjoint(_inputs(made, 0)):
            continue  # of no model that is made here
        layer = made.args[0]
        if isinstance(layer, Made) and layer.short in WEIGHTED and not made.attrs:
            yield layer, made.place


def _inputs(value: Value, depth: int) -> Iterator[int]:
    """The inputs that a tensor, or a list of some, begins with."""
    if isinstance(value, Seq):
        for item in value.items[:20]:
            yield from _inputs(item, depth + 1)
    elif isinstance(value, Made) and value.path == TENSOR and depth < 60:
        for item in value.args[1:]:
            yield from _inputs(item, depth + 1)
    elif isinstance(value, Made) and value.path.endswith(".Input"):
        yield id(value)


def _parts(values: tuple[Value, ...], depth: int) -> Iterator[int]:
    if depth > 8:
        return
    for value in values:
        yield id(value)
        if isinstance(value, Seq):
            yield from _parts(tuple(value.items), depth + 1)
        elif isinstance(value, Map):
            yield from _parts(tuple(value.items.values()), depth + 1)
        elif isinstance(value, Choice):
            yield from _parts(value.options, depth + 1)
