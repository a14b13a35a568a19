"""Random small networks through both engines: gradients, log-probabilities and evaluation agree."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from tests.engine.compare import Native, batch_of, by_parameter, difference, torch_gradient
from torch import nn

pytestmark = [pytest.mark.oracle("compiler"), pytest.mark.usefixtures("compiler")]

COUNT = 8


def random_network(rng: random.Random, height: int, width: int) -> nn.Module:
    """Two to four blocks of a convolution or pooling and a few other layers in any order, then a linear layer."""
    layers: list[nn.Module] = []
    channels, blocks = 1, rng.randint(2, 4)
    for _ in range(blocks):
        if layers and rng.random() < 0.3 and min(height, width) >= 4:
            kernel, stride = rng.choice([(2, 2), (3, 2), (2, 1), (3, 3)])
            layers.append(rng.choice([nn.MaxPool2d, nn.AvgPool2d])(kernel, stride))
            height, width = (height - kernel) // stride + 1, (width - kernel) // stride + 1
        else:
            kh, kw = rng.randint(1, min(4, height)), rng.randint(1, min(4, width))
            stride, pad = rng.randint(1, 2), (rng.randint(0, kh - 1), rng.randint(0, kw - 1))
            out = rng.randint(1, 19)
            layers.append(nn.Conv2d(channels, out, (kh, kw), stride, pad, bias=rng.random() < 0.5))
            height, width = (height + 2 * pad[0] - kh) // stride + 1, (width + 2 * pad[1] - kw) // stride + 1
            channels = out
        for _ in range(rng.randint(0, 3)):
            layers.append(rng.choice([nn.ReLU(), nn.LeakyReLU(0.2), nn.BatchNorm2d(channels)]))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * height * width, 10))


@pytest.mark.parametrize("case", range(COUNT))
def test_random_networks_agree(case: int) -> None:
    seed = random.SystemRandom().randrange(2**31)
    rng, numbers = random.Random(seed), np.random.default_rng(seed)
    torch.manual_seed(seed)
    height, width = rng.randint(7, 17), rng.randint(7, 17)
    module = random_network(rng, height, width)
    images, labels = batch_of(module, rng.randint(3, 40), (height, width), numbers)
    native = Native(module, (1, height, width), threads=rng.randint(1, 3))
    ours, log_p = native.gradient(images, labels)
    theirs, log_q = torch_gradient(module, images, labels)
    where = f"seed {seed}: {module}"
    assert difference(log_p, log_q) < 1e-4, where
    assert difference(ours, theirs) < 1e-4, f"{where} {by_parameter(module, ours, theirs)}"
    module.eval()
    with torch.no_grad():
        expected = torch.log_softmax(module(torch.from_numpy(images)[:, None].float() / 100 - 0.7), 1)
    assert difference(native.evaluate(images), expected.numpy()) < 1e-4, where
