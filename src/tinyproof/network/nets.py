"""The six networks of the source systems and `fast`, each readable from top to bottom; the door to your own network.

All take float32 [B, 1, 28, 28] and give log-probabilities [B, 10] as they were published. For other images and classes
the first convolution takes the channels, the last pooling what is left of the image, the last layer the classes. A name
says its origin and its parameters in the published form, or what it is for.
"""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn

from tinyproof.core.errors import DataError
from tinyproof.core.fields import one_of
from tinyproof.network import model_name, own_network
from tinyproof.network.budget import MADE_FOR, Budget, course

Shape = tuple[int, int, int]
MNIST_SHAPE, MNIST_CLASSES = MADE_FOR


def left(layers: list[nn.Module], shape: Shape) -> tuple[int, int]:
    """Height and width of an image of `shape` behind some layers, as their kernels, strides and padding say."""
    height, width = shape[1:]
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
            size, stride, padding = (_one(value) for value in (layer.kernel_size, layer.stride, layer.padding))
            height, width = ((side + 2 * padding - size) // stride + 1 for side in (height, width))
    return height, width


def _one(value: object) -> int:
    return int(value[0]) if isinstance(value, tuple) else int(value)  # type: ignore[call-overload]


def _whole(layers: list[nn.Module], shape: Shape) -> nn.AvgPool2d:
    """The average over all that is left of the image."""
    height, width = left(layers, shape)
    return nn.AvgPool2d(height if height == width else (height, width))


class S5Net593k(nn.Sequential):
    """Two blocks of two plain 3x3 convolutions and a wide fully connected layer: 593,200 parameters."""

    def __init__(self, shape: Shape = MNIST_SHAPE, classes: int = MNIST_CLASSES) -> None:
        features = [
            nn.Conv2d(shape[0], 32, 3), nn.ReLU(),
            nn.Conv2d(32, 64, 3), nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3), nn.ReLU(),
            nn.Conv2d(128, 256, 3), nn.ReLU(),
            nn.MaxPool2d(2),
        ]  # fmt: skip
        super().__init__(
            *features,
            nn.Flatten(),
            nn.Linear(256 * math.prod(left(features, shape)), 50), nn.ReLU(),
            nn.Linear(50, classes),
            nn.LogSoftmax(1),
        )  # fmt: skip


class S6Net16k(nn.Sequential):
    """3x3 convolutions that widen, 1x1 convolutions that narrow, average pooling, one linear layer: 16,562."""

    def __init__(self, shape: Shape = MNIST_SHAPE, classes: int = MNIST_CLASSES) -> None:
        features = [
            nn.Conv2d(shape[0], 16, 3), nn.ReLU(), nn.BatchNorm2d(16), nn.Dropout(0.05),
            nn.Conv2d(16, 32, 3), nn.ReLU(), nn.BatchNorm2d(32), nn.Dropout(0.05),
            nn.Conv2d(32, 8, 1),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3), nn.ReLU(), nn.BatchNorm2d(16), nn.Dropout(0.05),
            nn.Conv2d(16, 32, 3), nn.ReLU(), nn.BatchNorm2d(32), nn.Dropout(0.05),
            nn.Conv2d(32, 16, 1),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3), nn.ReLU(),
        ]  # fmt: skip
        super().__init__(
            *features,
            _whole(features, shape),
            nn.Flatten(),
            nn.Linear(32, classes),
            nn.LogSoftmax(1),
        )


class S7Net8k(nn.Sequential):
    """No bias and no fully connected layer: 3x3 convolutions, 1x1 to narrow, global average pooling: 7,904."""

    def __init__(self, shape: Shape = MNIST_SHAPE, classes: int = MNIST_CLASSES) -> None:
        def block(inputs: int, outputs: int, size: int, padding: int = 0) -> list[nn.Module]:
            conv = nn.Conv2d(inputs, outputs, size, padding=padding, bias=False)
            return [conv, nn.ReLU(), nn.BatchNorm2d(outputs), nn.Dropout2d(0.01)]

        features = [
            *block(shape[0], 32, 3),
            *block(32, 8, 1),
            *block(8, 10, 3),
            nn.MaxPool2d(2),
            *block(10, 16, 3, padding=1),
            *block(16, 10, 1),
            *block(10, 10, 3),
            *block(10, 16, 3),
            *block(16, 16, 3),
        ]
        super().__init__(
            *features,
            _whole(features, shape),
            nn.Conv2d(16, classes, 1, bias=False),
            nn.Flatten(),
            nn.LogSoftmax(1),
        )


class S6Net17k(nn.Sequential):
    """Sixteen channels throughout, one pooling, channel dropout in the second half: 17,130."""

    def __init__(self, shape: Shape = MNIST_SHAPE, classes: int = MNIST_CLASSES) -> None:
        def block(inputs: int, size: int = 3, padding: int = 0, dropout: float = 0.0) -> list[nn.Module]:
            layers = [nn.Conv2d(inputs, 16, size, padding=padding), nn.ReLU(), nn.BatchNorm2d(16)]
            return [*layers, nn.Dropout2d(dropout)] if dropout else [*layers]

        features = [
            *block(shape[0]), *block(16), *block(16),
            nn.MaxPool2d(2),
            *block(16, size=1),
            *block(16, dropout=0.1), *block(16, dropout=0.1), *block(16, dropout=0.1),
            *block(16, padding=1, dropout=0.2), *block(16, padding=1, dropout=0.2),
        ]  # fmt: skip
        super().__init__(
            *features,
            _whole(features, shape),
            nn.Flatten(),
            nn.Linear(16, classes),
            nn.LogSoftmax(1),
        )


class S6Net19k(nn.Sequential):
    """A stride of 2 and a max pooling early, so most of the work is on small images: 19,242."""

    def __init__(self, shape: Shape = MNIST_SHAPE, classes: int = MNIST_CLASSES) -> None:
        features = [
            nn.Conv2d(shape[0], 16, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(16),
            nn.Conv2d(16, 16, 3, padding=1, stride=2), nn.ReLU(), nn.BatchNorm2d(16),
            nn.MaxPool2d(2), nn.Dropout(0.05),
            nn.Conv2d(16, 16, 3), nn.ReLU(), nn.BatchNorm2d(16),
            nn.Conv2d(16, 32, 3), nn.ReLU(), nn.BatchNorm2d(32),
            nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(32),
        ]  # fmt: skip
        super().__init__(
            *features,
            _whole(features, shape),
            nn.Flatten(),
            nn.Linear(32, classes),
            nn.LogSoftmax(1),
        )


class S6Net12k(nn.Sequential):
    """Narrow convolutions and average pooling between the blocks: 12,234."""

    def __init__(self, shape: Shape = MNIST_SHAPE, classes: int = MNIST_CLASSES) -> None:
        def block(inputs: int, outputs: int) -> list[nn.Module]:
            return [nn.Conv2d(inputs, outputs, 3), nn.ReLU(), nn.BatchNorm2d(outputs), nn.Dropout2d(0.1)]

        features = [
            *block(shape[0], 6), *block(6, 12), *block(12, 24),
            nn.Conv2d(24, 12, 1), nn.ReLU(), nn.BatchNorm2d(12), nn.AvgPool2d(2),
            *block(12, 16), *block(16, 32),
            nn.Conv2d(32, 16, 1), nn.ReLU(), nn.BatchNorm2d(16), nn.AvgPool2d(2),
        ]  # fmt: skip
        super().__init__(
            *features,
            nn.Flatten(),
            nn.Linear(16 * math.prod(left(features, shape)), classes),
            nn.LogSoftmax(1),
        )


class Fast(nn.Sequential):
    """A stride of 2 first, then four 3x3 convolutions on small images: soon trained on an ordinary CPU: 7,820."""

    def __init__(self, shape: Shape = MNIST_SHAPE, classes: int = MNIST_CLASSES) -> None:
        def block(inputs: int, outputs: int, size: int = 3, stride: int = 1, padding: int = 0) -> list[nn.Module]:
            conv = nn.Conv2d(inputs, outputs, size, stride, padding, bias=False)
            return [conv, nn.ReLU(), nn.BatchNorm2d(outputs)]

        features = [
            *block(shape[0], 8, size=5, stride=2, padding=2),
            *block(8, 14),
            *block(14, 16),
            *block(16, 16),
            *block(16, 14),
        ]
        super().__init__(
            *features,
            _whole(features, shape),
            nn.Conv2d(14, classes, 1, bias=False),
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


# The shortest side of an image that each network takes; `tests/network` tries them.
LEAST_SIDE = {"s5-593k": 16, "s6-16k": 24, "s7-8k": 18, "s6-17k": 20, "s6-19k": 19, "s6-12k": 18, "fast": 17}


def build(name: str, seed: int = 0, shape: Shape = MNIST_SHAPE, classes: int = MNIST_CLASSES) -> nn.Module:
    """A new network with initial weights drawn from `seed`: a name of NETS, made for images of `shape` and so many
    classes, or `path/to/model.py:Class`, which is what its file makes it.

    The file of a network of your own is run as the Python program it is: name only files that you trust.
    Raises InputError for an unknown name, DataError for a file that gives no network or an image that is too small.
    """
    make = own_network.load(name) if model_name.is_own(name) else _named(name, shape, classes)
    with torch.random.fork_rng(devices=[]), _others_seeded(seed):
        torch.manual_seed(seed)
        module = make()
        if model_name.is_own(name):
            own_network.settle(name, module, shape)
        return module


def _named(name: str, shape: Shape, classes: int) -> Callable[[], nn.Module]:
    make, least = NETS[one_of("model", name, [*NETS])], LEAST_SIDE[name]
    if min(shape[1:]) < least:
        others = [other for other, side in LEAST_SIDE.items() if side <= min(shape[1:])]
        fits = f"; {' and '.join(others)} fit{'s' if len(others) == 1 else ''} as it is" if others else ""
        problem = f"takes images of {least} pixels a side or more, and these have {shape[1]}x{shape[2]}"
        raise DataError(name, problem, f"ask for larger ones by --size or --input{fits}")
    return lambda: make(shape, classes)


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


def dropout_words(module: nn.Module, probability: float | None) -> str:
    """What becomes of the network's own dropout, for people; nothing where it has none, or it stays what it is.

    >>> dropout_words(nn.Dropout(0.1), 0.0), dropout_words(nn.Dropout(0.1), None)
    ("the network's own dropout (0.1) is set to 0 by the recipe", '')
    """
    own = sorted({layer.p for layer in module.modules() if isinstance(layer, nn.modules.dropout._DropoutNd)})
    if probability is None or own in ([], [probability]):
        return ""
    return f"the network's own dropout ({', '.join(f'{p:g}' for p in own)}) is set to {probability:g} by the recipe"


def set_dropout(module: nn.Module, probability: float | None) -> None:
    """Set every dropout of the network to `probability`; None leaves them."""
    if probability is None:
        return
    for layer in module.modules():
        if isinstance(layer, nn.modules.dropout._DropoutNd):
            layer.p = probability
