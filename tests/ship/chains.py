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


@st.composite
def networks(draw: st.DrawFn) -> tuple[nn.Module, Shape, int]:
    """Small chains of everything that is exported, in any order."""
    shape = (draw(st.sampled_from([1, 3])), draw(st.integers(9, 14)), draw(st.integers(9, 14)))
    channels, side, layers = shape[0], min(shape[1:]), []
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["conv", "conv", "norm", "relu", "leaky", "max", "avg", "drop"]))
        kernel = draw(st.integers(1, 3))
        if kind == "conv" and side >= 4:
            padding, stride = draw(st.integers(0, kernel - 1)), draw(st.integers(1, 2))
            out = draw(st.integers(1, 5))
            layers.append(nn.Conv2d(channels, out, kernel, stride, padding, bias=draw(st.booleans())))
            channels, side = out, (side + 2 * padding - kernel) // stride + 1
        elif kind in ("max", "avg") and side >= 4:
            pool: type[nn.Module] = nn.MaxPool2d if kind == "max" else nn.AvgPool2d
            layers.append(pool(2, draw(st.integers(1, 2))))
            side = (side - 2) // layers[-1].stride + 1
        elif kind == "norm":
            layers.append(nn.BatchNorm2d(channels, affine=draw(st.booleans())))
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
