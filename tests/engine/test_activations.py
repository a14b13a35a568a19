"""Activations besides ReLU: values and slopes against float64, wherever a network has them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.engine.compare import Native, batch_of, by_parameter, difference, exact_gradient
from torch import nn
from torch.nn import functional as F

from tinyproof.train.engine.native.native_engine import plan_of

pytestmark = [pytest.mark.numerics, pytest.mark.oracle("compiler"), pytest.mark.usefixtures("compiler")]

SHAPE = (1, 12, 11)
KINDS = {
    "relu6": nn.ReLU6(), "silu": nn.SiLU(), "sigmoid": nn.Sigmoid(), "tanh": nn.Tanh(), "hardswish": nn.Hardswish(),
    "hardsigmoid": nn.Hardsigmoid(), "elu": nn.ELU(), "elu 0.3": nn.ELU(0.3), "gelu": nn.GELU(),
    "gelu by tanh": nn.GELU("tanh"),
}  # fmt: skip


def network(kind: nn.Module) -> nn.Module:
    """Behind a convolution, behind and before a norm, with dropout of channels, behind a pooling and twice."""
    return nn.Sequential(
        nn.Conv2d(1, 5, 3), kind, nn.BatchNorm2d(5), kind, nn.Dropout2d(0.0), nn.Conv2d(5, 6, 3, padding=1), kind,
        nn.AvgPool2d(2), kind, kind, nn.Flatten(), nn.Linear(6 * 5 * 4, 12), kind, nn.Linear(12, 10),
    )  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("spread", [1.0, 8.0])
def test_the_gradient_is_that_of_float64(name: str, spread: float) -> None:
    rng = np.random.default_rng()
    torch.manual_seed(int(rng.integers(2**31)))
    module = network(KINDS[name])
    with torch.no_grad():
        module[0].weight *= spread
        module[2].weight.uniform_(0.5, spread)
    native = Native(module, SHAPE, threads=2)
    images, labels = batch_of(module, 37, SHAPE[1:], rng)
    ours, log_p = native.gradient(images, labels)
    exact = exact_gradient(module, images, labels)
    assert difference(ours, exact) < 2e-5, by_parameter(module, ours, exact)
    with torch.no_grad():
        expected = F.log_softmax(module.double()(torch.from_numpy(images)[:, None].double() / 100 - 0.7), 1)
    np.testing.assert_allclose(log_p, expected.numpy(), atol=2e-5)


class Table(nn.Module):
    """The activation of `values`, one a class: a linear layer that gives them whatever the image is."""

    def __init__(self, kind: nn.Module, values: np.ndarray) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(4, len(values)), kind)
        nn.init.zeros_(self.layers[1].weight)
        with torch.no_grad():
            self.layers[1].bias.copy_(torch.from_numpy(values))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


@pytest.mark.parametrize("name", KINDS)
def test_the_values_are_those_of_float64(name: str) -> None:
    """From -90 to 90, close to zero and at the corners; differences of log-probabilities are differences of values."""
    values = np.concatenate([np.linspace(-90, 90, 401), np.linspace(-8, 8, 401), [-3, 0, 3, 6, -1e-6, 1e-6]])
    values = values.astype(np.float32)
    module = Table(KINDS[name], values)
    log_p = Native(module, (1, 2, 2)).evaluate(np.zeros((1, 2, 2), np.uint8))[0].astype(np.float64)
    expected = KINDS[name](torch.from_numpy(values).double()).numpy()
    zero = int(np.flatnonzero(values == 0)[0])
    ours = log_p - log_p[zero] + expected[zero]
    assert np.abs(ours - expected).max() < 3e-5  # float32 at 90: 8e-6 for a value and as much for the logarithm
    near = np.abs(values) <= 8
    assert np.abs(ours - expected)[near].max() < 2.5e-5


def test_a_value_that_is_no_number_stays_none() -> None:
    for name, kind in KINDS.items():
        module = Table(kind, np.array([0.5, np.nan], np.float32))
        assert np.isnan(Native(module, (1, 2, 2)).evaluate(np.zeros((1, 2, 2), np.uint8))).all(), name


def test_an_activation_is_computed_while_loading_and_takes_no_memory() -> None:
    """It goes behind the norm; before one it needs a stage, for its slope is that of the value before it."""
    behind = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.SiLU(), nn.Flatten(), nn.Linear(180, 10))
    before = nn.Sequential(nn.Conv2d(1, 2, 3), nn.SiLU(), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(180, 10))
    assert [stage.kind for stage in plan_of(behind, SHAPE).stages] == ["conv", "conv"]
    assert [stage.kind for stage in plan_of(before, SHAPE).stages] == ["conv", "avg_pool", "conv"]
