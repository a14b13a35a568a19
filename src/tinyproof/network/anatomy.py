"""Anatomy of a network: layers, output shapes, parameters, multiply-adds, receptive field, memory. Any nn.Module."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tinyproof.core.errors import DataError, said
from tinyproof.core.table import Cell, Column, Table
from tinyproof.network.budget import WEIGHT_MATRIX, WEIGHT_MATRIX_PERHAPS, Facts
from tinyproof.network.called_layer import Join, Layer
from tinyproof.network.operator_call import tensors
from tinyproof.network.walk import Walk


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """All layers, the totals, the shape of one image's answer, and the memory in bytes for one image (float32):
    activations forward, and with gradients.

    None: not known. `beside`: parameters that no called layer holds, and layers that are never called. `ways`: the
    multiply-adds of an empty image and of one of noise where they take different ways through the network; `layers` and
    `macs` are then those of the longer way. `weight_matrix`: values are multiplied by a matrix of weights, as a fully
    connected layer does. `answer`: the type of what the network gives; `finite`: every value of it is a number.
    """

    layers: tuple[Layer, ...]
    beside: tuple[Layer, ...]
    parameters: int
    trainable: int
    macs: int | None
    ways: tuple[int | None, ...]
    weight_bytes: int
    forward_bytes: int
    backward_bytes: int
    dropout_active: bool
    global_average_pooling: bool | None
    weight_matrix: bool | None
    output: tuple[int, ...]
    answer: str
    finite: bool
    image: tuple[int, ...]
    joins: tuple[Join, ...]
    ends: tuple[int, ...]

    def table(self) -> Table:
        """The layers as a table with totals."""
        columns = (
            Column("layer"), Column("kind"), Column("output"), Column("parameters", "right", ","),
            Column("MACs", "right", ","), Column("receptive field", "right"), Column("jump", "right"),
        )  # fmt: skip
        rows: list[tuple[Cell, ...]] = []
        for x in (*self.layers, *self.beside):
            place = (x.receptive_field, x.jump) if x.place_known else ("?", "?")
            rows.append((x.name, x.kind, " x ".join(map(str, x.output)), x.parameters, _cell(x.macs), *place))
        return Table("", columns, tuple(rows), (("total", "", "", self.parameters, _cell(self.macs), None, None),))

    def facts(self, epochs: int | None = None, accuracy_percent: float | None = None) -> Facts:
        """What a budget is checked against."""
        kinds = [f"own {layer.kind}" if layer.own else layer.kind for layer in self.layers]
        if self.weight_matrix is not False and not any("Linear" in layer.kind for layer in self.layers):
            kinds.append(WEIGHT_MATRIX if self.weight_matrix else WEIGHT_MATRIX_PERHAPS)
        return Facts(
            parameters=self.parameters,
            bytes=self.weight_bytes,
            macs=None if self.ways else self.macs,
            epochs=epochs,
            accuracy_percent=accuracy_percent,
            kinds=tuple(dict.fromkeys(kinds)),
            dropout_active=self.dropout_active,
            global_average_pooling=self.global_average_pooling,
        )


def parameters(module: nn.Module) -> int:
    """The number of parameters; a shared one is counted once."""
    return sum(p.numel() for p in module.parameters())


def summary(module: nn.Module, input_shape: tuple[int, ...] = (1, 28, 28)) -> Anatomy:
    """Run an empty image and one of noise through the network and write down every layer in the order of its calls.

    Where the two take different ways, the layers are those of the way with more multiply-adds. Raises DataError when
    the network does not take `input_shape` (channels, height, width).
    """
    training = module.training
    first = next((p for p in module.parameters() if p.is_floating_point()), torch.zeros(0))
    noise = torch.randn(1, *input_shape, generator=torch.Generator().manual_seed(0)).to(first)
    try:
        module.eval()
        empty = Walk(module, torch.zeros_like(noise))
        with torch.random.fork_rng(devices=[]):
            other = Walk(module, noise)
    except (Exception, SystemExit) as error:
        shape = " x ".join(map(str, input_shape))
        raise DataError(type(module).__name__, f"does not take an image of {shape}: {said(error)}") from error
    finally:
        module.train(training)
    walk = max(empty, other, key=lambda w: (w.macs or 0, len(w.layers)))
    return Anatomy(
        layers=tuple(walk.layers),
        beside=walk.beside,
        parameters=parameters(module),
        trainable=sum(p.numel() for p in module.parameters() if p.requires_grad),
        macs=walk.macs,
        ways=() if _same(empty, other) else (empty.macs, other.macs),
        weight_bytes=sum(t.numel() * t.element_size() for t in [*module.parameters(), *module.buffers()]),
        forward_bytes=sum(layer.forward_bytes for layer in walk.layers),
        backward_bytes=2 * sum(layer.training_bytes for layer in walk.layers),
        dropout_active=empty.drops or other.drops,
        global_average_pooling=walk.trace.global_average,
        weight_matrix=walk.trace.weight_matrix,
        output=tuple(walk.answer.shape[1:]) if isinstance(walk.answer, Tensor) else (),
        answer="Tensor" if isinstance(walk.answer, Tensor) else type(walk.answer).__name__,
        finite=all(t.is_meta or bool(torch.isfinite(t).all()) for w in (empty, other) for t in tensors(w.answer)),
        image=tuple(input_shape),
        joins=walk.joins,
        ends=walk.ends,
    )


def _cell(value: int | None) -> Cell:
    return "?" if value is None else value


def _same(one: Walk, other: Walk) -> bool:
    """Whether two images took the same way."""
    layers = [[(x.name, x.kind, x.output) for x in walk.layers] for walk in (one, other)]
    return layers[0] == layers[1] and one.macs == other.macs
