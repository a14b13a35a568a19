"""How a Keras network ends, and what its loss expects: probabilities or raw scores."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tinyproof.check.code.interpreter.attributes import find_member
from tinyproof.check.code.interpreter.values import Const, Function, Made, Name, Object, Seq, Unknown, Value, constant
from tinyproof.check.code.library.keras_graph import TENSOR

Expects = Literal["probabilities", "raw scores", ""]
_CROSSED = ("categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy")
_MODELS = frozenset(("Sequential", "Model"))


@dataclass(frozen=True)
class Ending:
    """The last layer of a network, its activation (`linear` where there is none) and its number of outputs."""

    layer: Made
    activation: str
    width: object


def ending(model: Value) -> Ending | None:
    """How a network of Keras ends, of its own classes or of the notebook's; None where the text does not settle it."""
    if isinstance(model, Object):
        layer = _given_back(model)
        return _ending_of(layer) if isinstance(layer, Made) and layer.path.startswith("keras.") else None
    if not isinstance(model, Made) or model.short not in _MODELS or model.open_kwargs:
        return None
    return _ending_of(_last(model))


def _given_back(model: Object) -> Value | None:
    """The layer whose answer `call` gives back, in a network of the notebook's own with one return."""
    call = find_member(model.cls, "call")
    if not isinstance(call, Function) or not isinstance(call.node, ast.FunctionDef):
        return None
    returns = [part.value for part in ast.walk(call.node) if isinstance(part, ast.Return)]
    asked = returns[0].func if len(returns) == 1 and isinstance(returns[0], ast.Call) else None
    if not isinstance(asked, ast.Attribute) or not isinstance(asked.value, ast.Name) or asked.value.id != "self":
        return None
    layer = model.attrs.get(asked.attr)
    return _last(layer) if isinstance(layer, Made) and layer.short == "Sequential" else layer


def _ending_of(layer: Value | None) -> Ending | None:
    if not isinstance(layer, Made) or layer.open_kwargs:
        return None
    if layer.short == "Softmax":
        return Ending(layer, "softmax", None)
    if layer.short not in ("Dense", "Activation"):
        return None
    position = 1 if layer.short == "Dense" else 0
    given = layer.kwargs.get("activation", layer.args[position] if len(layer.args) > position else None)
    width = constant(layer.kwargs.get("units", layer.args[0] if layer.args else None))
    return None if (name := _activation(given)) is None else Ending(layer, name, width)


def _last(model: Made) -> Value | None:
    if model.short == "Model":
        outputs = model.kwargs.get("outputs", model.args[1] if len(model.args) > 1 else None)
        return outputs.args[0] if isinstance(outputs, Made) and outputs.path == TENSOR and outputs.args else None
    layers = list(_layers(model))
    return layers[-1] if layers else None


def _layers(model: Made) -> Iterator[Value]:
    """The layers in their order, with what is not known among them."""
    first = model.kwargs.get("layers")
    for arg in (*([first] if first is not None else []), *model.args):
        if isinstance(arg, Seq):
            yield from arg.items
            if not arg.whole:
                yield Unknown()
        elif not isinstance(arg, Const):
            yield arg


def _activation(given: Value | None) -> str | None:
    if given is None:
        return "linear"
    known = given.path.rpartition(".")[2] if isinstance(given, Name) else constant(given)
    return known.lower() if isinstance(known, str) else None


def expects(loss: Value | None) -> Expects:
    """What a cross-entropy of Keras takes; empty for other losses, and where that is not known."""
    if isinstance(loss, Made) and loss.path.startswith("keras.losses.") and loss.short.endswith("Crossentropy"):
        if loss.open_kwargs or (loss.args and "from_logits" not in loss.kwargs):
            logits = constant(loss.args[0]) if loss.args else None
        else:
            logits = constant(loss.kwargs["from_logits"]) if "from_logits" in loss.kwargs else False
        return {True: "raw scores", False: "probabilities"}.get(logits, "")  # type: ignore[call-overload,no-any-return]
    name = loss.path.rpartition(".")[2] if isinstance(loss, Name) else constant(loss)
    return "probabilities" if name in _CROSSED else ""
