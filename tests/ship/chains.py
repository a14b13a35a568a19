"""Networks, images and their chains for the tests of every format."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import nn

from tinyproof.data.reading import Shape
from tinyproof.ship.operations import Operation, layers_of, operations

MNIST = (1, 28, 28)


def stirred(module: nn.Module, seed: int = 0) -> nn.Module:
    """Norms as training leaves them and worse: any statistics, factors of both signs."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.running_mean = torch.randn(part.num_features, generator=generator)
            part.running_var = torch.rand(part.num_features, generator=generator) + 0.1
            if part.affine:
                part.weight.data = torch.randn(part.num_features, generator=generator)
                part.bias.data = torch.randn(part.num_features, generator=generator)
    return module.eval()


def chain_of(module: nn.Module, shape: Shape, classes: int) -> list[Operation]:
    layers = layers_of("it", module, shape, classes)
    return operations(layers, {name: value.numpy() for name, value in module.state_dict().items()})


def normalised(images: torch.Tensor) -> torch.Tensor:
    return (images.float() / 255 - 0.1307) / 0.3081


def images_of(shape: Shape, count: int = 20) -> NDArray[np.uint8]:
    return np.random.Generator(np.random.PCG64(1)).integers(0, 256, (count, *shape), np.uint8)


ACTIVATIONS = {
    "relu6": nn.ReLU6, "silu": nn.SiLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "hardswish": nn.Hardswish,
    "hardsigmoid": nn.Hardsigmoid, "elu": lambda: nn.ELU(0.7), "gelu": nn.GELU,
    "gelu_tanh": lambda: nn.GELU("tanh"),
}  # fmt: skip


class Residual(nn.Module):
    """What goes in, plus what layers make of it."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x)


class Dense(Residual):
    """What layers make of it, then what goes in, channel after channel."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.layers(x), x], 1)


def branch(draw: st.DrawFn, channels: int) -> tuple[nn.Module, int]:
    """A branch that keeps the size of maps; its channels after it."""
    dense, dilation = draw(st.booleans()), draw(st.integers(1, 2))
    out = draw(st.integers(1, 3)) if dense else channels
    layers: list[nn.Module] = [nn.Conv2d(channels, out, 3, padding=dilation, dilation=dilation)]
    first = draw(st.sampled_from(["conv", "norm", "relu", "act"]))
    if first != "conv":
        before = nn.BatchNorm2d(channels) if first == "norm" else nn.ReLU() if first == "relu" else nn.SiLU()
        layers.insert(0, before)
    if draw(st.booleans()):
        layers += [nn.ReLU(), nn.BatchNorm2d(out)]
    return (Dense if dense else Residual)(*layers), channels + out if dense else channels


@st.composite
def networks(draw: st.DrawFn) -> tuple[nn.Module, Shape, int]:
    """Small networks of everything that is exported, in any order."""
    shape = (draw(st.sampled_from([1, 3])), draw(st.integers(9, 14)), draw(st.integers(9, 14)))
    channels, side, layers = shape[0], min(shape[1:]), list[nn.Module]()
    many = ["conv", "conv", "norm", "relu", "leaky", "max", "avg", "drop", "act", "branch"]
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(many))
        kernel = draw(st.integers(1, 3))
        if kind == "conv" and side >= 4:
            dilation = draw(st.integers(1, 2 if side >= 7 else 1))
            reach = (kernel - 1) * dilation + 1
            padding, stride = draw(st.integers(0, reach - 1)), draw(st.integers(1, 2))
            groups = draw(st.sampled_from([1, 1, channels]))
            out = draw(st.integers(1, 5 if groups == 1 else 2)) * groups
            more = {"bias": draw(st.booleans()), "groups": groups, "dilation": dilation}
            layers.append(nn.Conv2d(channels, out, kernel, stride, padding, **more))
            channels, side = out, (side + 2 * padding - reach) // stride + 1
        elif kind in ("max", "avg") and side >= 4:
            pool: type[nn.Module] = nn.MaxPool2d if kind == "max" else nn.AvgPool2d
            layers.append(pool(2, draw(st.integers(1, 2))))
            side = (side - 2) // layers[-1].stride + 1
        elif kind == "norm":
            layers.append(nn.BatchNorm2d(channels, affine=draw(st.booleans())))
        elif kind == "act":
            layers.append(ACTIVATIONS[draw(st.sampled_from([*ACTIVATIONS]))]())
        elif kind == "branch":
            made, channels = branch(draw, channels)
            layers.append(made)
        elif kind in ("relu", "leaky", "drop"):
            layers.append({"relu": nn.ReLU(), "leaky": nn.LeakyReLU(0.2), "drop": nn.Dropout(0.1)}[kind])
    features = nn.Sequential(*layers)
    size = features.eval()(torch.zeros(1, *shape))[0].shape
    head: list[nn.Module] = [nn.Flatten()]
    if draw(st.booleans()):
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        size = torch.Size([size[0], 1, 1])
    wide = int(np.prod(size))
    head += [nn.BatchNorm1d(wide)] if draw(st.booleans()) else []
    head += [nn.Linear(wide, 4), *([nn.LogSoftmax(1)] if draw(st.booleans()) else [])]
    return stirred(nn.Sequential(*layers, *head), draw(st.integers(0, 99))), shape, 4
