"""Anatomy of a network: layers, output shapes, parameters, multiply-adds, receptive field, memory. Any nn.Module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tinyproof.cnn.budget import Facts
from tinyproof.cnn.functional import Call, Watching
from tinyproof.cnn.places import Place, Places
from tinyproof.core.errors import DataError, one_line
from tinyproof.core.table import Column, Table


@dataclass(frozen=True)
class Layer:
    """One layer as it was called: its output shape (without the batch) and what it costs for one image.

    `parameters` counts a shared weight where it is first used; `macs` are multiply-adds of convolutions and linear
    layers. `receptive_field`: pixels of the input (along one side) that one output value sees; `jump`: pixels of the
    input between two neighbouring outputs; None where a layer has no place in the image any more.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    macs: int
    receptive_field: int | None
    jump: int | None


@dataclass(frozen=True)
class Anatomy:
    """All layers, the totals, the shape of one image's answer, and the memory in bytes for one image (float32):
    activations forward, and with gradients.
    """

    layers: tuple[Layer, ...]
    parameters: int
    trainable: int
    macs: int
    weight_bytes: int
    forward_bytes: int
    backward_bytes: int
    dropout_active: bool
    global_average_pooling: bool
    output: tuple[int, ...]

    def table(self) -> Table:
        """The layers as a table with totals."""
        columns = (
            Column("layer"), Column("kind"), Column("output"), Column("parameters", "right", ","),
            Column("MACs", "right", ","), Column("receptive field", "right"), Column("jump", "right"),
        )  # fmt: skip
        rows = tuple(
            (x.name, x.kind, " x ".join(map(str, x.output)), x.parameters, x.macs, x.receptive_field, x.jump)
            for x in self.layers
        )
        return Table("", columns, rows, (("total", "", "", self.parameters, self.macs, None, None),))

    def facts(self, epochs: int | None = None, accuracy_percent: float | None = None) -> Facts:
        """What a budget is checked against."""
        return Facts(
            self.parameters, self.weight_bytes, self.macs, epochs, accuracy_percent,
            tuple(dict.fromkeys(layer.kind for layer in self.layers)), self.dropout_active, self.global_average_pooling,
        )  # fmt: skip


def parameters(module: nn.Module) -> int:
    """The number of parameters; a shared one is counted once."""
    return sum(p.numel() for p in module.parameters())


def summary(module: nn.Module, input_shape: tuple[int, ...] = (1, 28, 28)) -> Anatomy:
    """Run one empty image through the network and write down every layer in the order of its calls.

    Raises DataError when the network does not take `input_shape` (channels, height, width).
    """
    walk = _Walk(module)
    training = module.training
    leaves = [m for m in module.modules() if not list(m.children())]
    hooks = [m.register_forward_hook(walk.visit) for m in leaves]
    hooks += [m.register_forward_pre_hook(walk.enter) for m in leaves]
    try:
        module.eval()
        device = next((p.device for p in module.parameters()), torch.device("cpu"))
        image = torch.zeros(1, *input_shape, device=device)
        with torch.no_grad(), Places(image) as walk.places, Watching(lambda: walk.inside > 0, walk.called):
            answer = module(image)
    except Exception as error:
        shape = " x ".join(map(str, input_shape))
        raise DataError(
            type(module).__name__, f"does not take an image of {shape}: {one_line(str(error), 120)}"
        ) from error
    finally:
        for hook in hooks:
            hook.remove()
        module.train(training)
    own = list(module.parameters())
    weights = sum(t.numel() * t.element_size() for t in [*own, *module.buffers()])
    values = 4 * sum(_product(layer.output) for layer in walk.layers)
    return Anatomy(
        tuple(walk.layers), sum(p.numel() for p in own), sum(p.numel() for p in own if p.requires_grad),
        sum(layer.macs for layer in walk.layers), weights, values, 2 * values,
        walk.drops or any(isinstance(m, nn.modules.dropout._DropoutNd) and m.p > 0 for m in module.modules()),
        walk.pooled, tuple(answer.shape[1:]) if isinstance(answer, Tensor) else (),
    )  # fmt: skip


class _Walk:
    """Visits layers, and functions that do a layer's work, in the order of their calls."""

    def __init__(self, module: nn.Module) -> None:
        self.names = {m: name or type(module).__name__ for name, m in module.named_modules()}
        self.layers: list[Layer] = []
        self.counted: set[int] = set()
        self.places: Places | None = None
        self.pooled = False
        self.drops = False
        self.inside = 0

    def enter(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        """A layer begins. What one of torch's calls inside is the layer itself; a layer of your own is looked into."""
        self.inside += _of_torch(module)

    def called(self, call: Call, output: Tensor) -> None:
        """A function did what a layer might have done."""
        self.pooled |= call.global_average
        self.drops |= call.dropout_active
        self.layers.append(Layer("(function)", call.kind, call.output, 0, call.macs, *self._place(output)))

    def visit(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        """A layer is done."""
        self.inside -= _of_torch(module)
        if not isinstance(output, Tensor) or not isinstance(inputs[0], Tensor):
            return
        fresh = [p for p in module.parameters() if id(p) not in self.counted]
        self.counted |= {id(p) for p in fresh}
        self.pooled |= _pools_everything(module, inputs[0])
        self.layers.append(
            Layer(
                self.names.get(module, "?"), type(module).__name__, tuple(output.shape[1:]),
                sum(p.numel() for p in fresh), _macs(module, output), *self._place(output),
            )
        )  # fmt: skip

    def _place(self, output: Tensor) -> Place:
        return (self.places.of(output) if self.places else None) or (None, None)


def _pools_everything(module: nn.Module, image: Tensor) -> bool:
    if isinstance(module, nn.AdaptiveAvgPool2d):
        return module.output_size in (1, (1, 1))
    return isinstance(module, nn.AvgPool2d) and image.dim() == 4 and _side(module.kernel_size) >= image.shape[-1]


def _of_torch(module: nn.Module) -> bool:
    return type(module).__module__.startswith("torch.nn.")


def _side(value: Any) -> int:
    return int(max(value)) if isinstance(value, tuple) else int(value)


def _product(shape: tuple[int, ...]) -> int:
    total = 1
    for side in shape:
        total *= side
    return total


def _macs(module: nn.Module, output: Tensor) -> int:
    if isinstance(module, nn.Conv2d):
        taps = _product(tuple(module.weight.shape[1:]))
        return taps * output.numel()
    if isinstance(module, nn.Linear):
        return module.in_features * output.numel()
    return 0
