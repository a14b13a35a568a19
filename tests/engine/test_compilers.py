"""The same source under another compiler, and for another processor."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from tests.engine.compare import Native, batch_of, difference, torch_gradient
from tests.engine.graphs import Branching, Gated
from torch import nn

from tinyproof.train.engine.native.build import FLAGS, find_compiler
from tinyproof.train.engine.native.native_engine import plan_of
from tinyproof.train.engine.native.source import source


def network() -> nn.Module:
    """Every kind of stage but dropout: computed again, filtered, padded, strided, pooled both ways, flattened."""
    return nn.Sequential(
        nn.Conv2d(1, 10, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(10),
        nn.Conv2d(10, 6, 1), nn.BatchNorm2d(6), nn.LeakyReLU(0.1), nn.MaxPool2d(3, 2, 1),
        nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6),
        nn.Conv2d(6, 9, (3, 2), stride=2, padding=1), nn.BatchNorm2d(9), nn.ReLU(), nn.AvgPool2d(2, 1),
        nn.Flatten(), nn.Linear(9 * 3 * 3, 10),
    )  # fmt: skip


@pytest.fixture
def clang_only(clang: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CXX", clang)
    find_compiler.cache_clear()
    yield
    find_compiler.cache_clear()


@pytest.mark.oracle("clang")
@pytest.mark.usefixtures("clang_only")
@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_clang_gives_the_gradients_of_torch(lanes: int) -> None:
    assert "__clang__" in find_compiler().macros
    rng = np.random.default_rng()
    torch.manual_seed(int(rng.integers(2**31)))
    module = network()
    assert "backward_winograd<" in source(plan_of(module, (1, 13, 11)), lanes).rpartition("struct Stage0")[2]
    gradients_agree(module, lanes, rng)


def gradients_agree(module: nn.Module, lanes: int, rng: np.random.Generator) -> None:
    images, labels = batch_of(module, 37, (13, 11), rng)
    ours, log_p = Native(module, (1, 13, 11), threads=2, lanes=lanes).gradient(images, labels)
    theirs, expected = torch_gradient(module, images, labels)
    assert difference(ours, theirs) < 1e-4
    np.testing.assert_allclose(log_p, expected, atol=1e-4)


@pytest.mark.oracle("clang")
@pytest.mark.usefixtures("clang_only")
@pytest.mark.parametrize("lanes", [4, 8, 16])
@pytest.mark.parametrize("make", [Branching, Gated])
def test_clang_gives_the_gradients_of_branches(make: Callable[[int], nn.Module], lanes: int) -> None:
    rng = np.random.default_rng()
    torch.manual_seed(int(rng.integers(2**31)))
    gradients_agree(make(1), lanes, rng)


@pytest.mark.oracle("cross compiler")
def test_arm_gets_neon_s_fused_multiply_adds(arm_compiler: str) -> None:
    """Compiled, not run: `fmla v` is a multiply-add of four numbers."""
    flags = [flag for flag in FLAGS if flag != "-shared"]
    done = subprocess.run(
        [arm_compiler, *flags, "-S", "-x", "c++", "-", "-o", "-"],
        input=source(plan_of(network(), (1, 13, 11)), 4), capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("fmla\tv") > 100
