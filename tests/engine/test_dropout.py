"""Dropout: the right share, the right scale, one mask for forward and backward, its own for each image and step."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.engine.compare import Native
from torch import nn

pytestmark = [pytest.mark.oracle("compiler"), pytest.mark.usefixtures("compiler")]

SHAPE = (1, 12, 10)
KINDS = {"elements": nn.Dropout(0.3), "channels": nn.Dropout2d(0.3)}


@pytest.mark.parametrize("kind", KINDS)
def test_share_and_scale_of_what_is_kept(kind: str) -> None:
    # A network of ones whose logit 0 is the mean of what dropout leaves of 1.
    module = nn.Sequential(nn.Conv2d(1, 40, 1), KINDS[kind], nn.AvgPool2d((12, 10)), nn.Flatten(), nn.Linear(40, 40))
    with torch.no_grad():
        module[0].weight.zero_()
        module[0].bias.fill_(1.0)
        module[4].weight.copy_(torch.eye(40) * 0.01)
        module[4].bias.zero_()
    native = Native(module, SHAPE)
    images, labels = np.zeros((64, 12, 10), np.uint8), np.zeros(64, np.int64)
    _, log_p = native.gradient(images, labels, seed=7)
    logits = (log_p - log_p.mean(1, keepdims=True)) * 100
    values = np.unique(np.round(logits - logits.min(1, keepdims=True), 2))
    if kind == "channels":  # each channel of an image is 0 or 1 / 0.7
        assert values[0] == 0
        assert values[-1] == pytest.approx(1 / 0.7, abs=0.02)
        assert len(values) <= 3
        kept = (logits > logits.min(1, keepdims=True) + 0.5).mean()
        assert kept == pytest.approx(0.7, abs=5 * (0.21 / logits.size) ** 0.5)
    else:  # each mean is of 120 independent values
        assert logits.std() == pytest.approx((0.3 / 0.7 / 120) ** 0.5, rel=0.1)
    again, other = (native.gradient(images, labels, seed=s)[1] for s in (7, 8))
    assert np.array_equal(log_p, again)
    assert not np.array_equal(log_p, other)
    assert len({row.tobytes() for row in log_p}) == 64


@pytest.mark.parametrize("kind", KINDS)
def test_every_stage_draws_a_mask_of_its_own(kind: str) -> None:
    # A network of ones, twice through dropout: 4 is left of a quarter; of a half if both masks were the same.
    def drop() -> nn.Module:
        return nn.Dropout(0.5) if kind == "elements" else nn.Dropout2d(0.5)

    stages = [nn.Conv2d(1, 40, 1), drop(), nn.Conv2d(40, 40, 1), drop()]
    module = nn.Sequential(*stages, nn.AvgPool2d((12, 10)), nn.Flatten(), nn.Linear(40, 40))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
        module[0].bias.fill_(1.0)
        module[2].weight.copy_(torch.eye(40)[:, :, None, None])
        module[6].weight.copy_(torch.eye(40) * 0.01)
    _, log_p = Native(module, SHAPE).gradient(np.zeros((64, 12, 10), np.uint8), np.zeros(64, np.int64), seed=7)
    left = (log_p - log_p.min(1, keepdims=True)) * 100
    if kind == "channels":
        assert (left > 2).mean() == pytest.approx(0.25, abs=5 * (0.1875 / left.size) ** 0.5)
    else:  # each is the mean of 120 values: the spread of 4 with probability 1/4 (with 1/2 it would be larger)
        assert left.std(1).mean() == pytest.approx((16 * 0.1875 / 120) ** 0.5, rel=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_is_that_of_the_masked_network(kind: str) -> None:
    rng = np.random.default_rng()
    torch.manual_seed(int(rng.integers(2**31)))
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.LeakyReLU(0.5), nn.BatchNorm2d(4), KINDS[kind],
        nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), nn.LeakyReLU(0.5), KINDS[kind],
        nn.Conv2d(6, 10, 3), nn.AvgPool2d((6, 4)), nn.Flatten(),
    )  # fmt: skip
    native = Native(module, SHAPE)
    images, labels = rng.integers(0, 256, (45, 12, 10), dtype=np.uint8), rng.integers(0, 10, 45)
    gradient, _ = native.gradient(images, labels)
    native.library.tally()
    direction = rng.standard_normal(len(native.params)).astype(np.float32)
    direction *= np.sign(gradient * direction) / np.linalg.norm(direction)  # uphill, so that the slope is large
    start, losses = native.params.copy(), []
    for sign in (-1, 1):
        native.params[...] = start + sign * np.float32(0.01) * direction
        native.gradient(images, labels)
        losses.append(native.library.tally()[0] / 45)
    slope = (losses[1] - losses[0]) / 0.02
    assert slope == pytest.approx(float(gradient @ direction), rel=0.02)
