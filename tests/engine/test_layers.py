"""Every layer's forward values, gradients and running statistics against torch, with odd sizes and odd batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.engine.compare import Native, batch_of, by_parameter, difference, torch_gradient
from torch import nn

pytestmark = [pytest.mark.numerics, pytest.mark.oracle("compiler"), pytest.mark.usefixtures("compiler")]

SHAPE = (1, 12, 11)


def before() -> list[nn.Module]:
    """A first convolution, so that the layer under test has a gradient to hand on."""
    return [nn.Conv2d(1, 3, 3), nn.LeakyReLU(0.3)]  # 3 x 10 x 9


def head(features: int) -> list[nn.Module]:
    return [nn.Flatten(), nn.Linear(features, 10)]


LAYERS = {
    "conv 3x3": [*before(), nn.Conv2d(3, 5, 3), *head(5 * 8 * 7)],
    "conv 3x3 padded, no bias": [*before(), nn.Conv2d(3, 10, 3, padding=1, bias=False), *head(10 * 10 * 9)],
    "conv 3x3 stride 2": [*before(), nn.Conv2d(3, 7, 3, stride=2), *head(7 * 4 * 4)],
    "conv 3x3 stride 2 padded": [*before(), nn.Conv2d(3, 4, 3, stride=2, padding=1), *head(4 * 5 * 5)],
    "conv 5x5 stride 3 padded 2": [*before(), nn.Conv2d(3, 4, 5, stride=3, padding=2), *head(4 * 4 * 3)],
    "conv 2x2 stride 3": [*before(), nn.Conv2d(3, 4, 2, stride=3), *head(4 * 3 * 3)],
    "conv 1x1 to many, then 4x3": [
        *before(), nn.Conv2d(3, 33, 1), nn.Conv2d(33, 2, (4, 3), padding=(2, 0)), *head(2 * 11 * 7),
    ],
    "conv 7x1 stride (2, 1)": [*before(), nn.Conv2d(3, 4, (7, 1), stride=(2, 1)), *head(4 * 2 * 9)],
    "norm after relu": [*before(), nn.Conv2d(3, 5, 3), nn.ReLU(), nn.BatchNorm2d(5), *head(5 * 8 * 7)],
    "norm before relu": [*before(), nn.Conv2d(3, 5, 3, bias=False), nn.BatchNorm2d(5), nn.ReLU(), *head(5 * 8 * 7)],
    "norm without weights, other momentum": [*before(), nn.BatchNorm2d(3, 1e-3, 0.3, affine=False), *head(3 * 10 * 9)],
    "norm first, norm twice": [nn.BatchNorm2d(1), *before(), nn.BatchNorm2d(3), nn.BatchNorm2d(3), *head(3 * 10 * 9)],
    "max pooling 2": [*before(), nn.MaxPool2d(2), *head(3 * 5 * 4)],
    "max pooling 3 stride 2 padded": [*before(), nn.MaxPool2d(3, 2, 1), nn.BatchNorm2d(3), nn.ReLU(), *head(3 * 5 * 5)],
    "average pooling 2 after norm": [*before(), nn.BatchNorm2d(3), nn.AvgPool2d(2), *head(3 * 5 * 4)],
    "average pooling 3 stride 2": [*before(), nn.AvgPool2d(3, 2), *head(3 * 4 * 4)],
    "global average pooling": [*before(), nn.Conv2d(3, 10, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()],
    "linear layers with norm": [nn.Flatten(), nn.Linear(132, 21), nn.BatchNorm1d(21), nn.ReLU(), nn.Linear(21, 10)],
    "computed again: 3x3 to 8, 1x1": [
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(8), nn.Conv2d(8, 3, 1), nn.ReLU(), *head(3 * 12 * 11),
    ],
    "computed again: stride 2, no norm": [
        nn.Conv2d(1, 12, 3, stride=2), nn.LeakyReLU(0.1),
        nn.Conv2d(12, 5, 1, bias=False), nn.BatchNorm2d(5), *head(5 * 5 * 5),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_and_running_statistics_equal_torch(name: str) -> None:
    rng = np.random.default_rng()
    torch.manual_seed(int(rng.integers(2**31)))
    module = nn.Sequential(*LAYERS[name])
    for layer in module:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.reset_parameters()
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)) and layer.affine:
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias)
    native = Native(module, SHAPE, smoothing=0.1)
    for count in (37, 1 if name == "conv 3x3" else 16):
        images, labels = batch_of(module, count, SHAPE[1:], rng)
        ours, log_p = native.gradient(images, labels)
        theirs, log_q = torch_gradient(module, images, labels, 0.1)
        assert difference(log_p, log_q) < 1e-5
        assert difference(ours, theirs) < 1e-4, by_parameter(module, ours, theirs)
        norms = [module.get_submodule(n) for n in native.plan.norms]
        running = torch.cat([b for n in norms for b in (n.running_mean, n.running_var)] + [torch.zeros(1)])
        np.testing.assert_allclose(native.running, running.numpy(), rtol=2e-5, atol=1e-6)
    module.eval()
    with torch.no_grad():
        expected = torch.log_softmax(module(torch.from_numpy(images)[:, None].float() / 100 - 0.7), 1)
    np.testing.assert_allclose(native.evaluate(images), expected.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_every_vector_width_gives_the_same_gradients(lanes: int) -> None:
    rng = np.random.default_rng()
    layers = [
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.BatchNorm2d(8), nn.Conv2d(8, 6, 1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 9, 3, padding=1), nn.BatchNorm2d(9), nn.LeakyReLU(0.1), nn.AvgPool2d(4),
        nn.Flatten(), nn.Linear(9, 10),
    ]  # fmt: skip
    module = nn.Sequential(*layers)
    images, labels = batch_of(module, 21, SHAPE[1:], rng)
    ours, _ = Native(module, SHAPE, lanes=lanes, threads=2).gradient(images, labels)
    assert difference(ours, torch_gradient(module, images, labels)[0]) < 1e-4
