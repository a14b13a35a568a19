"""The six networks of the source systems and `fast`, each readable from top to bottom; the door to your own network.

All take float32 [B, 1, 28, 28] and give log-probabilities [B, 10]. A name says its origin and its parameters, or
what it is for.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from tinyproof.core.fields import one_of
from tinyproof.network import own_files, own_network
from tinyproof.network.budget import Budget, course


class S5Net593k(nn.Sequential):
    """Two blocks of two plain 3x3 convolutions and a wide fully connected layer: 593,200 parameters."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(1, 32, 3), nn.ReLU(),
            nn.Conv2d(32, 64, 3), nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3), nn.ReLU(),
            nn.Conv2d(128, 256, 3), nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(4096, 50), nn.ReLU(),
            nn.Linear(50, 10),
            nn.LogSoftmax(1),
        )  # fmt: skip


class S6Net16k(nn.Sequential):
    """3x3 convolutions that widen, 1x1 convolutions that narrow, average pooling, one linear layer: 16,562."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(1, 16, 3), nn.ReLU(), nn.BatchNorm2d(16), nn.Dropout(0.05),
            nn.Conv2d(16, 32, 3), nn.ReLU(), nn.BatchNorm2d(32), nn.Dropout(0.05),
            nn.Conv2d(32, 8, 1),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3), nn.ReLU(), nn.BatchNorm2d(16), nn.Dropout(0.05),
            nn.Conv2d(16, 32, 3), nn.ReLU(), nn.BatchNorm2d(32), nn.Dropout(0.05),
            nn.Conv2d(32, 16, 1),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3), nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(32, 10),
            nn.LogSoftmax(1),
        )  # fmt: skip


class S7Net8k(nn.Sequential):
    """No bias and no fully connected layer: 3x3 convolutions, 1x1 to narrow, global average pooling: 7,904."""

    def __init__(self) -> None:
        def block(inputs: int, outputs: int, size: int, padding: int = 0) -> list[nn.Module]:
            conv = nn.Conv2d(inputs, outputs, size, padding=padding, bias=False)
            return [conv, nn.ReLU(), nn.BatchNorm2d(outputs), nn.Dropout2d(0.01)]

        super().__init__(
            *block(1, 32, 3),
            *block(32, 8, 1),
            *block(8, 10, 3),
            nn.MaxPool2d(2),
            *block(10, 16, 3, padding=1),
            *block(16, 10, 1),
            *block(10, 10, 3),
            *block(10, 16, 3),
            *block(16, 16, 3),
            nn.AvgPool2d(6),
            nn.Conv2d(16, 10, 1, bias=False),
            nn.Flatten(),
            nn.LogSoftmax(1),
        )


class S6Net17k(nn.Sequential):
    """Sixteen channels throughout, one pooling, channel dropout in the second half: 17,130."""

    def __init__(self) -> None:
        def block(inputs: int, size: int = 3, padding: int = 0, dropout: float = 0.0) -> list[nn.Module]:
            layers = [nn.Conv2d(inputs, 16, size, padding=padding), nn.ReLU(), nn.BatchNorm2d(16)]
            return [*layers, nn.Dropout2d(dropout)] if dropout else [*layers]

        super().__init__(
            *block(1), *block(16), *block(16),
            nn.MaxPool2d(2),
            *block(16, size=1),
            *block(16, dropout=0.1), *block(16, dropout=0.1), *block(16, dropout=0.1),
            *block(16, padding=1, dropout=0.2), *block(16, padding=1, dropout=0.2),
            nn.AvgPool2d(5),
            nn.Flatten(),
            nn.Linear(16, 10),
            nn.LogSoftmax(1),
        )  # fmt: skip


class S6Net19k(nn.Sequential):
    """A stride of 2 and a max pooling early, so most of the work is on small images: 19,242."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(16),
            nn.Conv2d(16, 16, 3, padding=1, stride=2), nn.ReLU(), nn.BatchNorm2d(16),
            nn.MaxPool2d(2), nn.Dropout(0.05),
            nn.Conv2d(16, 16, 3), nn.ReLU(), nn.BatchNorm2d(16),
            nn.Conv2d(16, 32, 3), nn.ReLU(), nn.BatchNorm2d(32),
            nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(32),
            nn.AvgPool2d(3),
            nn.Flatten(),
            nn.Linear(32, 10),
            nn.LogSoftmax(1),
        )  # fmt: skip


class S6Net12k(nn.Sequential):
    """Narrow convolutions and average pooling between the blocks: 12,234."""

    def __init__(self) -> None:
        def block(inputs: int, outputs: int) -> list[nn.Module]:
            return [nn.Conv2d(inputs, outputs, 3), nn.ReLU(), nn.BatchNorm2d(outputs), nn.Dropout2d(0.1)]

        super().__init__(
            *block(1, 6), *block(6, 12), *block(12, 24),
            nn.Conv2d(24, 12, 1), nn.ReLU(), nn.BatchNorm2d(12), nn.AvgPool2d(2),
            *block(12, 16), *block(16, 32),
            nn.Conv2d(32, 16, 1), nn.ReLU(), nn.BatchNorm2d(16), nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(144, 10),
            nn.LogSoftmax(1),
        )  # fmt: skip


class Fast(nn.Sequential):
    """A stride of 2 first, then four 3x3 convolutions on small images: soon trained on an ordinary CPU: 7,820."""

    def __init__(self) -> None:
        def block(inputs: int, outputs: int, size: int = 3, stride: int = 1, padding: int = 0) -> list[nn.Module]:
            conv = nn.Conv2d(inputs, outputs, size, stride, padding, bias=False)
            return [conv, nn.ReLU(), nn.BatchNorm2d(outputs)]

        super().__init__(
            *block(1, 8, size=5, stride=2, padding=2),
            *block(8, 14),
            *block(14, 16),
            *block(16, 16),
            *block(16, 14),
            nn.AvgPool2d(6),
            nn.Conv2d(14, 10, 1, bias=False),
            nn.Flatten(),
            nn.LogSoftmax(1),
        )


NETS: dict[str, type[nn.Module]] = {
    "s5-593k": S5Net593k,
    "s6-16k": S6Net16k,
    "s7-8k": S7Net8k,
    "s6-17k": S6Net17k,
    "s6-19k": S6Net19k,
    "s6-12k": S6Net12k,
    "fast": Fast,
}


def budget_of(name: str) -> Budget:
    """The course budget of a network, without the accuracy (it belongs to the data set); no limits for your own."""
    return course(name)


def build(name: str, seed: int = 0) -> nn.Module:
    """A new network with initial weights drawn from `seed`: a name of NETS, or `path/to/model.py:Class`.

    The file of a network of your own is run as the Python program it is: name only files that you trust.
    Raises InputError for an unknown name, DataError for a file that gives no network.
    """
    make = own_network.load(name) if own_files.is_own(name) else NETS[one_of("model", name, [*NETS])]
    with torch.random.fork_rng(devices=[]), _others_seeded(seed):
        torch.manual_seed(seed)
        return make()


@contextlib.contextmanager
def _others_seeded(seed: int) -> Iterator[None]:
    """numpy's and Python's own generators begin from the seed too, and go on afterwards as if nothing had been."""
    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002


def set_dropout(module: nn.Module, probability: float | None) -> None:
    """Set every dropout of the network to `probability`; None leaves them."""
    if probability is None:
        return
    for layer in module.modules():
        if isinstance(layer, nn.modules.dropout._DropoutNd):
            layer.p = probability
