"""A traced network as layers, one after the other: where it branches, values are kept in slots and taken again.

x = conv(x)                 conv, keep 0
x = relu(conv2(x)) + x      conv, rectify, keep 1, add (1, 0)
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.fx
import torch.nn.functional as F
from torch import nn

from tinyproof.train.engine.native.layers import IMAGES, Layer, Unsupported, channel_norm, of_call, of_module

_ADDS = (operator.add, torch.add, "add", operator.iadd, "add_")
_IN_PLACE = (operator.iadd, "add_", operator.imul, "mul_")
_MULTIPLIES = (operator.mul, torch.mul, torch.multiply, "mul", operator.imul, "mul_")
_CONCATENATIONS = (torch.cat, torch.concat, torch.concatenate)
_LEARN = ("conv", "linear", "norm", "channel_norm")
_VIEWS = ("flatten", "unflatten", "channels_last", "channels_first")
_JOINS = ("add", "multiply", "concat")


@dataclass(frozen=True)
class _Step:
    """A layer and the numbers of the values that it takes: 0 is the images, n what the n-th step makes."""

    layer: Layer
    takes: tuple[int, ...]
    in_place: bool = False
    name: str = ""


def read(graph: torch.fx.Graph, modules: Mapping[str, nn.Module], without: Sequence[str] = ()) -> tuple[Layer, ...]:
    """The layers of a trace, as if those of the kinds `without` changed nothing. Raises Unsupported."""
    steps = _steps(graph, modules, without)
    _check_in_place(steps)
    seen = [step.layer.name for step in steps if step.layer.kind in _LEARN]
    if len(set(seen)) != len(seen):
        raise Unsupported("a layer is used twice")
    return tuple(_arranged(steps))


def _steps(graph: torch.fx.Graph, modules: Mapping[str, nn.Module], without: Sequence[str]) -> list[_Step]:
    steps, values = list[_Step](), dict[torch.fx.Node, int]()
    for node in graph.nodes:
        if node.op == "placeholder":
            if values:
                raise Unsupported("the network has more than one input")
            values[node] = 0
        elif node.op == "output":
            if not isinstance(node.args[0], torch.fx.Node) or values.get(node.args[0]) != len(steps):
                raise Unsupported("the network has more than one output")
        elif not _is_shape(node) and not _is_weight(node):
            if not node.users:
                raise Unsupported(f"{node.name} does not lead to the answer")
            step = _step(node, modules, values)
            if isinstance(step, _Step) and step.layer.kind in without:
                step = step.takes[0]
            if isinstance(step, _Step):
                steps.append(step)
            values[node] = len(steps) if isinstance(step, _Step) else step
    return steps


def _step(node: torch.fx.Node, modules: Mapping[str, nn.Module], values: Mapping[torch.fx.Node, int]) -> _Step | int:
    """What a node does; the number of the value that it takes where it changes nothing."""
    joined = _joined(node)
    if joined is not None:
        kind, parts = joined
        if not all(isinstance(part, torch.fx.Node) and part in values for part in parts):
            raise Unsupported(f"{node.name}: only sums, products and concatenations of layers' values are supported")
        return _Step(Layer(kind, node.name), tuple(values[part] for part in parts), node.target in _IN_PLACE, node.name)
    if node.op == "get_attr":
        raise Unsupported(f"{node.target}: a parameter or a constant outside a layer is not supported")
    taken = node.args[0] if node.args else None
    if not isinstance(taken, torch.fx.Node) or taken not in values:
        raise Unsupported(f"{node.name} does not take a layer's value first: it is not supported")
    layer = _layer(node, modules)
    if layer is None:
        return values[taken]
    return _Step(layer, (values[taken],), _in_place(node, modules), node.name)


def _in_place(node: torch.fx.Node, modules: Mapping[str, nn.Module]) -> bool:
    """Whether a layer is told to change in place what it takes."""
    if node.op == "call_module":
        return bool(getattr(modules[str(node.target)], "inplace", False))
    try:
        names = inspect.signature(node.target).parameters  # type: ignore[arg-type]
    except (TypeError, ValueError):  # a method, or one of torch's own: theirs are other functions in place
        names = {}  # type: ignore[assignment]
    return bool((dict(zip(names, node.args, strict=False)) | dict(node.kwargs)).get("inplace", False))


def _joined(node: torch.fx.Node) -> tuple[str, Sequence[Any]] | None:
    """The kind and the parts of a sum or a concatenation of channels; None for what is neither."""
    if node.op not in ("call_function", "call_method"):
        return None
    if node.target in _ADDS + _MULTIPLIES:
        summands = dict(zip(("input", "other"), node.args, strict=False)) | dict(node.kwargs)
        if summands.keys() != {"input", "other"}:
            raise Unsupported(f"{node.name}: only two layers' values, without a factor, are supported")
        return ("add" if node.target in _ADDS else "multiply"), (summands["input"], summands["other"])
    if node.target not in _CONCATENATIONS:
        return None
    given: dict[str, Any] = dict(zip(("tensors", "dim"), node.args, strict=False)) | dict(node.kwargs)
    parts, dim = given.get("tensors"), given.get("dim", given.get("axis", 0))
    if dim not in (1, -3) or not isinstance(parts, list | tuple) or len(parts) < 2:
        raise Unsupported(f"{node.name}: only concatenations of two or more over the channels (dim 1) are supported")
    return "concat", parts


def _check_in_place(steps: Sequence[_Step]) -> None:
    """Raise Unsupported where a layer changes in place what another one takes too: a value, or a view of it."""
    storage = [0]
    for number, step in enumerate(steps, 1):
        of = storage[step.takes[0]]
        if step.in_place:
            touched = {value for value, place in enumerate(storage) if place == of}
            if any(touched & {*later.takes} for later in steps[number:]):
                raise Unsupported(f"{step.name}: changes in place what another layer takes too")
        storage.append(of if step.in_place or step.layer.kind in _VIEWS else number)


def _arranged(steps: Sequence[_Step]) -> Iterator[Layer]:
    """The layers in their order; what is not taken at once is kept."""
    kept = set[int]()
    for before, step in enumerate(steps):
        if step.layer.kind in _JOINS or step.takes != (before,):
            kept.update(step.takes)
    slots = {value: slot for slot, value in enumerate(sorted(kept))}
    if 0 in kept:
        yield Layer("keep", slots=(slots[0],))
    for before, step in enumerate(steps):
        if step.layer.kind in _JOINS:
            yield replace(step.layer, slots=tuple(slots[value] for value in step.takes))
        else:
            if step.takes != (before,):
                yield Layer("take", slots=(slots[step.takes[0]],))
            yield step.layer
        if before + 1 in kept:
            yield Layer("keep", slots=(slots[before + 1],))


def _is_shape(node: torch.fx.Node) -> bool:
    """Whether the node is arithmetic on shapes, as in `x.view(x.size(0), -1)`, not on values."""
    if (node.op, node.target) in (("call_method", "size"), ("call_method", "dim")):
        return True
    if node.op != "call_function":
        return False
    if node.target is getattr:
        return node.args[1] == "shape"
    inputs = node.all_input_nodes
    return node.target in (operator.getitem, operator.mul, operator.floordiv) and all(map(_is_shape, inputs))


def _is_weight(node: torch.fx.Node) -> bool:
    """Whether the node is a weight that a layer norm takes, as a function; what else takes one is refused there."""
    return node.op == "get_attr" and all(user.target is F.layer_norm for user in node.users)


def _of_layer_norm(node: torch.fx.Node) -> Layer:
    """F.layer_norm(x, shape, weight, bias, eps) with the weights of one module."""
    names = ("normalized_shape", "weight", "bias", "eps")
    given: dict[str, Any] = dict(zip(names, node.args[1:], strict=False)) | dict(node.kwargs)
    weights = [given.get("weight"), given.get("bias")]
    paths = [str(of.target) for of in weights if isinstance(of, torch.fx.Node)]
    name = paths[0].rpartition(".")[0] if paths else ""
    if paths not in ([], [f"{name}.weight", f"{name}.bias"]) or len(paths) != sum(of is not None for of in weights):
        raise Unsupported(f"{node.name}: layer norm needs both weights of one module, or none")
    return channel_norm(name or node.name, given["normalized_shape"], bool(paths), given.get("eps", 1e-5))


def _is_images(node: torch.fx.Node) -> bool:
    """Whether the node is the number of images: `x.size(0)`, `x.size()[0]` or `x.shape[0]`."""
    if node.op == "call_method" and node.target == "size":
        return node.args[1:] == (0,) or node.kwargs == {"dim": 0}
    whole = node.args[0] if node.target is operator.getitem else None
    if not isinstance(whole, torch.fx.Node) or node.args[1] != 0:
        return False
    return whole.target is getattr or (whole.target == "size" and len(whole.args) == 1 and not whole.kwargs)


def _layer(node: torch.fx.Node, modules: Mapping[str, nn.Module]) -> Layer | None:
    def plain(other: torch.fx.Node) -> Any:
        if not _is_shape(other):
            raise Unsupported(f"{node.name} takes several layers' values: only sums, products and concatenations may")
        return IMAGES if _is_images(other) else other

    if node.op == "call_module":
        name = str(node.target)
        return of_module(name, modules[name])
    if node.target is F.layer_norm:
        return _of_layer_norm(node)
    if node.op not in ("call_function", "call_method"):
        raise Unsupported(f"{node.name} ({node.op.replace('_', ' ')}) is not supported")
    values, named = torch.fx.node.map_arg((node.args[1:], node.kwargs), plain)
    return of_call(node.target, *values, **named)
