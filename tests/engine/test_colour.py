"""Colour, pictures that are not square, and any number of classes: the native engine against float64 torch."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from tests.engine.compare import NORMALISE, Native, batch_of, channelled, difference
from torch import nn
from torch.nn import functional as F

from tinyproof.core.errors import InputError
from tinyproof.data.dataset import Dataset
from tinyproof.network import nets
from tinyproof.train.augment import borders, draw
from tinyproof.train.engine import Batch
from tinyproof.train.engine.native.native_engine import NativeEngine, refusal
from tinyproof.train.engine.torch_engine import TorchEngine, apply
from tinyproof.train.recipe import Augment, Recipe

pytestmark = [pytest.mark.numerics, pytest.mark.oracle("compiler"), pytest.mark.usefixtures("compiler")]

EVERYTHING = Augment(25, 3, 0.3, 8, 10, 0.2, erase_probability=0.4)
SGD = Recipe("sgd", rate=0.05, momentum=0.0, batch_size=20, augment=EVERYTHING)


def network(channels: int, classes: int, first: int = 8) -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(channels, first, 3), nn.ReLU(), nn.BatchNorm2d(first), nn.MaxPool2d(2),
        nn.Conv2d(first, 6, 3, padding=1, bias=False), nn.ReLU(), nn.BatchNorm2d(6),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, classes), nn.LogSoftmax(1),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "classes"),
    [((3, 12, 11), 10), ((3, 32, 32), 7), ((3, 9, 16), 2), ((2, 16, 9), 100), ((1, 11, 14), 1000)],
    ids=lambda value: str(value).replace(" ", ""),
)
def test_the_gradient_is_that_of_float64(shape: tuple[int, int, int], classes: int) -> None:
    module = network(shape[0], classes)
    images, labels = batch_of(module, 6, shape, np.random.default_rng(1))
    labels = labels * (classes - 1) // 9
    native = Native(module, shape)
    ours, log_p = native.gradient(images, labels)
    twin = copy.deepcopy(module).double().train()
    out = twin(channelled(images).double() * NORMALISE[0] + NORMALISE[1])
    F.cross_entropy(out, torch.from_numpy(labels)).backward()
    theirs = torch.cat([p.grad.reshape(-1) for p in twin.parameters() if p.grad is not None]).numpy()
    assert difference(ours, theirs) < 2e-5
    np.testing.assert_allclose(log_p, F.log_softmax(out, 1).detach().numpy(), atol=3e-5)


def paints(classes: int = 4, shape: tuple[int, int, int] = (3, 13, 18)) -> Dataset:
    """Pictures on a ground of their own colour, each class with a square of its own colour in it."""
    rng = np.random.default_rng(7)
    labels = np.arange(80) % classes
    images = np.empty((80, *shape), np.uint8)
    images[:] = rng.integers(0, 256, (80, shape[0], 1, 1))
    colours = rng.integers(0, 256, (classes, shape[0], 1, 1))
    images[:, :, 3:9, 5:12] = colours[labels]
    return Dataset(
        name="paints", train_images=images[:60], train_labels=labels[:60], test_images=images[60:],
        test_labels=labels[60:], mean=(0.3, 0.5, 0.6), std=(0.2, 0.3, 0.25), classes=tuple(map(str, range(classes))),
    )  # fmt: skip


def batches(data: Dataset, steps: int) -> list[Batch]:
    rng = np.random.default_rng(2)
    rows = [rng.permutation(60)[:20] for _ in range(steps)]
    return [Batch(row, draw(EVERYTHING, 20, rng, 0.0, data.shape[1:]), 5) for row in rows]


def test_changed_colours_are_those_of_float64() -> None:
    """The loss of one step on changed images: their own normalisation in each channel, their border's colour outside
    and in erased boxes. By torch in float64, and not with black outside."""
    data = paints()
    (batch,) = batches(data, 1)
    assert batch.transforms is not None
    module = network(3, 4)
    native = NativeEngine(copy.deepcopy(module), SGD, data, threads=2)
    native.step(batch, 0.05)
    images = data.train_images[batch.indices]
    mean, std = (torch.from_numpy(value.copy())[:, None, None] for value in data.normalisation)
    losses = []
    for edges in (torch.from_numpy(borders(images)), None):
        changed = apply(torch.from_numpy(images).float(), batch.transforms, edges).double()
        out = copy.deepcopy(module).double().train()((changed / 255 - mean) / std)
        losses.append(F.cross_entropy(out, torch.from_numpy(data.train_labels[batch.indices]), reduction="sum").item())
    ours = native.tally().loss_sum
    assert ours == pytest.approx(losses[0], rel=1e-5)
    assert abs(ours - losses[1]) > 0.1


def test_steps_in_colour_follow_torch() -> None:
    data, module = paints(), network(3, 4)
    engines = NativeEngine(copy.deepcopy(module), SGD, data, threads=1), TorchEngine(module, SGD, data, threads=1)
    for batch in batches(data, 6):
        for engine in engines:
            engine.step(batch, 0.05)
    ours, theirs = (engine.tally() for engine in engines)
    assert ours.loss_sum == pytest.approx(theirs.loss_sum, rel=1e-3)
    a, b = (engine.evaluate(data.test_images, data.test_labels) for engine in engines)
    np.testing.assert_allclose(a.log_probabilities, b.log_probabilities, atol=0.02)


@pytest.mark.parametrize("name", ["s7-8k", "fast"])
def test_a_named_network_answers_in_colour_as_float64_does(name: str) -> None:
    module = nets.build(name, 1, (3, 32, 32), 5)
    native = Native(module, (3, 32, 32))
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 32, 32), dtype=np.uint8)
    with torch.no_grad():
        expected = module.double().eval()(torch.from_numpy(images).double() * NORMALISE[0] + NORMALISE[1])
    np.testing.assert_allclose(native.evaluate(images), expected.numpy(), atol=2e-5)


def test_what_does_not_fit_is_said() -> None:
    data = paints(classes=4)
    assert "takes 1 channels or values and gets 3" in refusal(network(1, 4), SGD, (60, *data.shape))
    with pytest.raises(InputError, match="gives 3 values for 4 classes"):
        NativeEngine(network(3, 3), SGD, data)
    engine = NativeEngine(network(3, 4), SGD, data)
    with pytest.raises(Exception, match=r"bytes \[3, 13, 18\] are expected"):
        engine.evaluate(data.test_images[:, :1], data.test_labels)
