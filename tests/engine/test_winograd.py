"""Minimal filtering of three columns: every width of the last piece, every padding, against autograd and float64."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from tests.engine.compare import NORMALISE, Native, batch_of, by_parameter, difference, torch_gradient
from torch import nn
from torch.nn import functional as F

from tinyproof.network import nets
from tinyproof.train.engine.native import tiles
from tinyproof.train.engine.native.build import find_compiler
from tinyproof.train.engine.native.native_engine import plan_of
from tinyproof.train.engine.native.source import source
from tinyproof.train.engine.native.tiles import winograd

pytestmark = [pytest.mark.oracle("compiler"), pytest.mark.usefixtures("compiler")]


def network(convolution: nn.Conv2d, height: int, width: int) -> nn.Sequential:
    """The convolution between a first one, which its gradient reaches, and a linear layer."""
    probe = convolution(torch.zeros(1, convolution.in_channels, height - 2, width - 1))
    return nn.Sequential(
        nn.Conv2d(1, convolution.in_channels, (3, 2)), nn.LeakyReLU(0.2), convolution, nn.BatchNorm2d(probe.shape[1]),
        nn.LeakyReLU(0.1), nn.Flatten(), nn.Linear(probe.numel(), 10),
    )  # fmt: skip


def stages(module: nn.Module, height: int, width: int, lanes: int = 16) -> list[bool]:
    """Which stages are computed so."""
    return [winograd(stage, lanes) for stage in plan_of(module, (1, height, width)).stages]


# Convolution, and the picture's height and width. Last pieces have 1 to 4 outputs.
CASES = {
    "6 wide": (nn.Conv2d(4, 5, 3), 10, 9),
    "7 wide": (nn.Conv2d(6, 4, 3, bias=False), 12, 10),
    "8 wide, padded": (nn.Conv2d(5, 13, 3, padding=1), 9, 9),
    "9 wide, padded by two columns": (nn.Conv2d(4, 10, 3, padding=(1, 2)), 8, 8),
    "10 wide, one row": (nn.Conv2d(7, 4, (1, 3)), 9, 13),
    "11 wide, two rows, padded by one": (nn.Conv2d(4, 6, (2, 3), padding=(1, 0)), 7, 14),
    "12 wide, five rows": (nn.Conv2d(9, 17, (5, 3), padding=(3, 1)), 12, 13),
    "32 wide, a single row": (nn.Conv2d(4, 4, (6, 3), bias=False), 8, 35),
    "22 wide, more rows than the rings hold": (nn.Conv2d(16, 24, (5, 3), padding=(4, 2)), 22, 21),
    "8 wide, no norm": (nn.Conv2d(4, 5, 3), 10, 11),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients_equal_autograd(name: str) -> None:
    convolution, height, width = CASES[name]
    rng = np.random.default_rng()
    torch.manual_seed(int(rng.integers(2**31)))
    convolution.reset_parameters()
    module = network(convolution, height, width)
    if name.endswith("no norm"):
        module = nn.Sequential(*(layer for layer in module if not isinstance(layer, nn.BatchNorm2d)))
    assert stages(module, height, width, find_compiler().lanes)[1]
    # Fewer of the largest pictures: a million values would hardly ever all keep clear of the kinks.
    most = 37 if height * width < 400 else 13
    for count, threads in ((most, 2), (11, 1), (1, 1)):
        if count == 1 and not name.endswith("no norm"):
            continue
        images, labels = batch_of(module, count, (height, width), rng)
        ours, log_p = Native(module, (1, height, width), threads=threads).gradient(images, labels)
        theirs, log_q = torch_gradient(module, images, labels)
        assert difference(log_p, log_q) < 1e-5
        assert difference(ours, theirs) < 1e-4, by_parameter(module, ours, theirs)


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_every_vector_width(lanes: int) -> None:
    rng = np.random.default_rng()
    module = network(nn.Conv2d(16, 24, (5, 3), padding=(4, 2)), 22, 21)
    assert stages(module, 22, 21, lanes)[1]
    images, labels = batch_of(module, 13, (22, 21), rng)
    ours, _ = Native(module, (1, 22, 21), lanes=lanes, threads=2).gradient(images, labels)
    assert difference(ours, torch_gradient(module, images, labels)[0]) < 1e-4


@pytest.mark.parametrize("shift", [0.0, 30.0])
def test_it_rounds_little_more_than_the_definition(shift: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against float64, beside the same kernels without it. A shift puts the inputs far from zero."""
    torch.manual_seed(3)
    rng = np.random.default_rng(3)
    module = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 12, 3), nn.BatchNorm2d(12), nn.Flatten(),
        nn.Linear(12 * 10 * 10, 10),
    )  # fmt: skip
    nn.init.constant_(module.get_submodule("1").bias, shift)  # type: ignore[arg-type]
    images, labels = rng.integers(0, 256, (48, 14, 14), dtype=np.uint8), rng.integers(0, 10, 48)
    exact_module = copy.deepcopy(module).double()
    inputs = torch.from_numpy(images)[:, None].double() * NORMALISE[0] + NORMALISE[1]
    F.cross_entropy(exact_module(inputs), torch.from_numpy(labels)).backward()
    exact = torch.cat([p.grad.reshape(-1) for p in exact_module.parameters()]).numpy()  # type: ignore[union-attr]
    assert stages(module, 14, 14)[1]
    with_it = difference(Native(module, (1, 14, 14)).gradient(images, labels)[0], exact)
    monkeypatch.setattr(tiles, "PRODUCT_SUMS_BYTES", 0)
    assert "winograd<Stage" not in source(plan_of(module, (1, 14, 14)), 16)
    without = difference(Native(module, (1, 14, 14)).gradient(images, labels)[0], exact)
    assert max(with_it, without) < 1e-4
    assert with_it < 4 * without


def test_it_is_taken_where_it_pays() -> None:
    by_name = {name: stages(nets.build(name, 0), 28, 28) for name in ("s7-8k", "fast", "s5-593k", "s6-19k")}
    assert sum(by_name["s7-8k"]) == 5  # all 3x3 convolutions but the first
    assert sum(by_name["fast"]) == 4
    assert not any(by_name["s5-593k"])  # its sums would not stay in the cache
    assert not any(by_name["s6-19k"])  # a stride, or a few places only
