"""Batch norm of channels whose mean is large beside their spread: float32 must not lose the variance."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest
import torch
from tests.engine.compare import NORMALISE, Native, channelled, clear_of_kinks, difference
from torch import nn
from torch.nn import functional as F

from tinyproof.data.dataset import Dataset
from tinyproof.train.engine import Batch
from tinyproof.train.engine.native.native_engine import NativeEngine, plan_of
from tinyproof.train.engine.native.tiles import winograd
from tinyproof.train.recipe import Recipe

pytestmark = [pytest.mark.oracle("compiler"), pytest.mark.usefixtures("compiler")]

BIASES = (30.0, 100.0)  # means of some 80 and 270 times the spread


def network(kind: str, bias: float) -> nn.Module:
    """Batch norm straight behind a convolution, plain, computed again or by minimal filtering, and behind pooling."""
    torch.manual_seed(4)
    behind = {
        "convolution": [nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)],
        "computed again": [nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 4, 1), nn.BatchNorm2d(4)],
        "minimal filtering": [nn.Conv2d(1, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4)],
        "pooling": [nn.Conv2d(1, 4, 2), nn.MaxPool2d(2, 1), nn.BatchNorm2d(4)],
    }[kind]
    module = nn.Sequential(*behind, nn.LeakyReLU(0.5), nn.Flatten(), nn.Linear(4 * 12 * 12, 10))
    for convolution in module:
        if isinstance(convolution, nn.Conv2d) and convolution.bias is not None:
            nn.init.constant_(convolution.bias, bias)
    return module


def exact(module: nn.Module, images: np.ndarray, labels: np.ndarray, scale: float, shift: float) -> np.ndarray:
    """The gradient in float64 by torch; the running statistics move."""
    module.train().zero_grad()
    inputs = channelled(images).double() * scale + shift
    loss = F.cross_entropy(module(inputs), torch.from_numpy(labels))
    return torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, list(module.parameters()))]).numpy()


def clear(module: nn.Module, blobs: Dataset, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """A batch without a value that float32 may put on either side of a kink: so far from zero it rounds to `margin` of
    the spread, four times its last digit.
    """
    rng, exactly = np.random.default_rng(5), copy.deepcopy(module).double()
    for _ in range(200):
        rows = rng.choice(len(blobs.train_images), 21, replace=False)
        if clear_of_kinks(exactly, blobs.train_images[rows], margin):
            return blobs.train_images[rows], blobs.train_labels[rows]
    raise AssertionError("no batch keeps clear of the kinks")


@pytest.mark.parametrize(
    ("kind", "bias"), list(itertools.product(("convolution", "computed again", "minimal filtering", "pooling"), BIASES))
)
def test_the_gradient_holds_far_from_zero(kind: str, bias: float, blobs: Dataset) -> None:
    module = network(kind, bias)
    filtered = [winograd(stage, 16) for stage in plan_of(module, (1, 14, 14)).stages]
    assert any(filtered) == (kind == "minimal filtering")
    images, labels = clear(module, blobs, 1.3e-6 * bias)
    ours, _ = Native(module, (1, 14, 14), threads=2).gradient(images, labels)
    assert difference(ours, exact(copy.deepcopy(module).double(), images, labels, *NORMALISE)) < 1e-4


@pytest.mark.parametrize("kind", ["convolution", "computed again"])
def test_several_steps_follow_float64(kind: str, blobs: Dataset) -> None:
    module = network(kind, 30.0)
    twin = copy.deepcopy(module).double()
    engine = NativeEngine(module, Recipe("sgd", rate=0.02, momentum=0.0, batch_size=40), blobs, threads=1)
    for step in range(5):
        rows = np.arange(step * 39, step * 39 + 39)
        engine.step(Batch(rows, None, 0), 0.02)
        images, labels = blobs.train_images[rows], blobs.train_labels[rows]
        gradient = exact(twin, images, labels, 1 / (255 * blobs.std), -blobs.mean / blobs.std)
        at = 0
        for parameter in twin.parameters():
            parameter.data -= 0.02 * torch.from_numpy(gradient[at : at + parameter.numel()]).reshape(parameter.shape)
            at += parameter.numel()
    engine.write_back()
    mine = module.state_dict()
    for name, value in twin.state_dict().items():
        np.testing.assert_allclose(mine[name].numpy(), value.numpy(), rtol=2e-4, atol=2e-5, err_msg=name)
