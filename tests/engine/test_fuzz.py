"""Random small networks through both engines: gradients, log-probabilities, evaluation and three steps agree.

The seeds of the tests are fixed; `python -m tests.engine.test_fuzz 100` draws a hundred others.
"""

from __future__ import annotations

import copy
import functools
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.engine.compare import (
    NORMALISE,
    QUICK,
    Native,
    batch_of,
    by_parameter,
    channelled,
    clear_of_kinks,
    difference,
    exact_gradient,
    torch_gradient,
)
from torch import Tensor, nn
from torch.nn import functional as F

from tinyproof.data.dataset import Dataset
from tinyproof.train.engine import Batch
from tinyproof.train.engine.native import native_engine
from tinyproof.train.engine.native.native_engine import NativeEngine
from tinyproof.train.engine.torch_engine import TorchEngine
from tinyproof.train.recipe import Recipe

pytestmark = [pytest.mark.oracle("compiler"), pytest.mark.usefixtures("compiler")]

COUNT = 8
WELL_CONDITIONED = 1e-5  # what torch's own float32 may be off by: 398 of 400 random networks are below
SGD = Recipe("sgd", rate=0.05, momentum=0.8, batch_size=9)
RECIPES = (
    SGD,
    replace(SGD, momentum=0.0, weight_decay=0.1, label_smoothing=0.2),
    replace(SGD, nesterov=True, weight_decay=0.01, ema=0.12),  # less than the rule for first steps from the second on
)


def random_layers(rng: random.Random, height: int, width: int) -> nn.Sequential:
    """Two to four blocks of a convolution or pooling and other layers in any order, then one or two linear layers."""
    layers: list[nn.Module] = []
    channels, blocks = 1, rng.randint(2, 4)
    for _ in range(blocks):
        if layers and rng.random() < 0.3 and min(height, width) >= 4:
            (kernel, stride), most = rng.choice([(2, 2), (3, 2), (2, 1), (3, 3)]), rng.random() < 0.5
            pad = rng.randint(0, kernel // 2) if most else 0
            layers.append(nn.MaxPool2d(kernel, stride, pad) if most else nn.AvgPool2d(kernel, stride))
            height, width = (height + 2 * pad - kernel) // stride + 1, (width + 2 * pad - kernel) // stride + 1
        else:
            kh, kw = rng.randint(1, min(4, height)), rng.randint(1, min(4, width))
            stride, pads = rng.randint(1, 2), (rng.randint(0, kh - 1), rng.randint(0, kw - 1))
            out = rng.randint(1, 19)
            layers.append(nn.Conv2d(channels, out, (kh, kw), stride, pads, bias=rng.random() < 0.5))
            height, width = (height + 2 * pads[0] - kh) // stride + 1, (width + 2 * pads[1] - kw) // stride + 1
            channels = out
        for _ in range(rng.randint(0, 3)):
            layers.append(rng.choice([nn.ReLU(), nn.LeakyReLU(0.2), nn.BatchNorm2d(channels)]))
    values = channels * height * width
    layers.append(nn.Flatten())
    if rng.random() < 0.5:
        hidden = rng.randint(2, 20)
        layers += [nn.Linear(values, hidden), nn.BatchNorm1d(hidden), nn.ReLU()]
        values = hidden
    return nn.Sequential(*layers, nn.Linear(values, 10))


class ByHand(nn.Module):
    """The same layers as a notebook writes them: functions wherever there are functions, in any of their spellings."""

    def __init__(self, layers: nn.Sequential, rng: random.Random) -> None:
        super().__init__()
        self.layers, self.ways, self.logs = layers, [rng.randrange(6) for _ in layers], rng.random() < 0.5

    def forward(self, x: Tensor) -> Tensor:
        for layer, way in zip(self.layers, self.ways, strict=True):
            x = written(layer, way, x)
            if way == 5:
                x = F.dropout(x, 0.0, training=self.training)
        return F.log_softmax(x, dim=1) if self.logs else x


def written(layer: nn.Module, way: int, x: Tensor) -> Tensor:
    """The layer as one of the functions that do the same."""
    if isinstance(layer, nn.ReLU):
        return (F.relu, torch.relu, lambda x: x.relu())[way % 3](x)
    if isinstance(layer, nn.LeakyReLU):
        return F.leaky_relu(x, layer.negative_slope)
    if isinstance(layer, nn.MaxPool2d):
        return F.max_pool2d(x, layer.kernel_size, layer.stride, layer.padding)
    if isinstance(layer, nn.AvgPool2d):
        return F.avg_pool2d(x, layer.kernel_size, stride=layer.stride)
    if isinstance(layer, nn.Flatten):
        flat: tuple[Callable[[Tensor], Tensor], ...] = (
            lambda x: x.view(x.size(0), -1),
            lambda x: torch.flatten(x, 1),
            lambda x: x.reshape(x.shape[0], -1),
        )
        return flat[way % 3](x)
    return layer(x)


@dataclass(frozen=True)
class Drawn:
    """A random network and a batch on which the gradient is well conditioned; `where` is enough to draw it again."""

    module: nn.Module
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    gradient: NDArray[np.float64]
    where: str


def random_network(case: int, rng: random.Random) -> tuple[nn.Module, nn.Module, tuple[int, ...]]:
    """A chain; what shows its kinks, all of it as modules; and the images' shape."""
    shape = rng.randint(7, 17), rng.randint(7, 17)
    layers = random_layers(rng, *shape)
    return (ByHand(layers, rng) if case % 2 else layers), layers, shape


Draw = Callable[[int, random.Random], tuple[nn.Module, nn.Module, tuple[int, ...]]]


def drawn(case: int, first: int, draw: Draw) -> Drawn:
    """Draws networks until torch's own float32 gradient is near the one in float64.

    A batch norm over values that hardly differ magnifies the rounding of any engine; such a network says nothing
    about ours, and is drawn again rather than excused by a wider tolerance.
    """
    for seed in range(first, first + 20):
        rng, numbers = random.Random(seed), np.random.default_rng(seed)
        torch.manual_seed(seed)
        module, layers, shape = draw(case, rng)
        images, labels = batch_of(layers, rng.randint(3, 40), shape, numbers)
        exact = exact_gradient(module, images, labels)
        if difference(torch_gradient(copy.deepcopy(module), images, labels)[0], exact) < WELL_CONDITIONED:
            return Drawn(module, images, labels, exact, f"case {case}, seed {seed}: {module}")
    raise AssertionError("20 random networks, and none is well conditioned")


@pytest.mark.parametrize("case", range(COUNT))
def test_random_networks_agree(case: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        native_engine, "library", functools.partial(native_engine.library, extra=QUICK)
    )  # one compilation for both
    agrees(case, case * 100)


def agrees(case: int, seed: int, draw: Draw = random_network) -> None:
    """Both engines agree on the first well-conditioned network from this seed on."""
    net = drawn(case, seed, draw)
    module, shape = net.module, net.images.shape[1:]
    compiled = Native(module, tuple(channelled(net.images).shape[1:]), threads=1 + case % 3)
    ours, log_p = compiled.gradient(net.images, net.labels)
    _, log_q = torch_gradient(module, net.images, net.labels)  # and the running statistics with it
    assert difference(log_p, log_q) < 1e-4, net.where
    assert difference(ours, net.gradient) < 1e-4, f"{net.where} {by_parameter(module, ours, net.gradient)}"
    module.eval()
    with torch.no_grad():
        expected = torch.log_softmax(module(channelled(net.images).float() / 100 - 0.7), 1)
    assert difference(compiled.evaluate(net.images), expected.numpy()) < 1e-4, net.where
    three_steps(module, RECIPES[case % 3], shape, np.random.default_rng(case), net.where)


def three_steps(
    module: nn.Module, recipe: Recipe, shape: tuple[int, ...], rng: np.random.Generator, where: str
) -> None:
    """Both engines make the same three steps; what they changed in weights and statistics agrees, and their losses."""
    images, labels = rng.integers(0, 256, (60, *shape), dtype=np.uint8), rng.integers(0, 10, 60)
    std = 1 / (255 * NORMALISE[0])
    data = Dataset(
        name="random",
        train_images=images,
        train_labels=labels,
        test_images=images,
        test_labels=labels,
        mean=-NORMALISE[1] * std,
        std=std,
        classes=tuple("0123456789"),
    )
    start, twins = state(module), (copy.deepcopy(module), copy.deepcopy(module))
    engines = (NativeEngine(twins[0], recipe, data, threads=2), TorchEngine(twins[1], recipe, data, threads=1))
    for _ in range(3):
        rows = clear_rows(getattr(twins[1], "layers", twins[1]), images, recipe.batch_size, rng)
        for engine in engines:
            engine.step(Batch(rows, None, 0), recipe.rate)
        ours, theirs = (engine.tally() for engine in engines)
        assert ours.count == theirs.count
        assert ours.loss_sum == pytest.approx(theirs.loss_sum, rel=1e-3), where
    for engine in engines:
        engine.write_back()
    assert difference(state(twins[0]) - start, state(twins[1]) - start) < 5e-3, where


def state(module: nn.Module) -> NDArray[np.float64]:
    """Weights and statistics, flat."""
    return torch.cat([value.detach().double().reshape(-1) for value in module.state_dict().values()]).numpy()


def clear_rows(layers: nn.Module, images: NDArray[np.uint8], size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Rows of a batch that keeps clear of every kink of the network as it is now."""
    for _ in range(200):
        rows = rng.choice(len(images), size, replace=False)
        if clear_of_kinks(layers, images[rows], 2e-6):
            return rows
    raise AssertionError("no batch keeps clear of the kinks")


if __name__ == "__main__":
    for index in range(int(sys.argv[1])):
        agrees(index, random.SystemRandom().randrange(2**31))
    print(f"{sys.argv[1]} random networks agree")
