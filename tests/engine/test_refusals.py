"""What the native engine cannot do: one line that says why, and torch takes over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinyproof.cnn.engine import choose
from tinyproof.cnn.engine.native import refusal
from tinyproof.cnn.engine.native_build import find_compiler
from tinyproof.cnn.engine.native_trace import read_layers
from tinyproof.cnn.recipe import RECIPES
from tinyproof.core.errors import InputError

RECIPE = RECIPES["s7-8k"]


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.one(x)
        return torch.flatten(F.relu(self.two(y) + y), 1)


class Decides(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x


class Shared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3)

    def forward(self, x: Tensor) -> Tensor:
        return torch.flatten(self.conv(self.conv(x)), 1)


class ByHand(nn.Module):
    """Functions instead of modules, as course notebooks write it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.fc = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Linear(4 * 13 * 13, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.dropout(F.max_pool2d(self.norm(F.relu(self.conv(x))), 2), 0.1, training=self.training)
        return F.log_softmax(self.fc(x.view(x.size(0), -1)), dim=1)


def chain(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers)


REFUSED = {
    "branches": (Branches(), "only plain chains"),
    "a forward that decides": (Decides(), "cannot be traced"),
    "a layer used twice": (Shared(), "used twice"),
    "depthwise": (chain(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, groups=4)), "groups"),
    "dilation": (chain(nn.Conv2d(1, 4, 3, dilation=2)), "dilation"),
    "unknown module": (chain(nn.Conv2d(1, 4, 3), nn.GELU()), "GELU is not supported"),
    "layer norm": (chain(nn.LayerNorm(28)), "LayerNorm is not supported"),
    "ceil mode": (chain(nn.Conv2d(1, 4, 3), nn.MaxPool2d(3, ceil_mode=True)), "ceil_mode"),
    "average over padding": (chain(nn.Conv2d(1, 4, 3), nn.AvgPool2d(3, 2, 1)), "averages over padding"),
    "picture too small": (chain(nn.Conv2d(1, 4, 11), nn.Conv2d(4, 4, 11), nn.Conv2d(4, 4, 11)), "too small"),
    "linear without flatten": (chain(nn.Conv2d(1, 4, 3), nn.Linear(26, 10)), "flattened"),
    "frozen weights": (chain(nn.Conv2d(1, 4, 3).requires_grad_(False), nn.Flatten()), "parameters that are trained"),
    "double precision": (chain(nn.Conv2d(1, 4, 3).double(), nn.Flatten()), "float32"),
    "norm without running statistics": (chain(nn.BatchNorm2d(1, track_running_stats=False)), "running statistics"),
    "too many values": (chain(nn.Conv2d(1, 4, 3), nn.Flatten()), "2704 values"),
    "log-softmax inside": (chain(nn.Flatten(), nn.LogSoftmax(1), nn.Linear(784, 10)), "last layer"),
    "no layers": (chain(), "no layers"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_reason_is_one_line_and_torch_takes_over(name: str) -> None:
    module, words = REFUSED[name]
    reason = refusal(module, RECIPE)
    assert words in reason
    assert "\n" not in reason
    kind, why = choose("auto", module, RECIPE, "cpu")
    assert kind.__name__ == "TorchEngine"
    assert reason in why
    with pytest.raises(InputError, match="native does not apply"):
        choose("native", module, RECIPE, "cpu")


def test_a_forward_with_functions_is_read_as_the_same_layers() -> None:
    kinds = [layer.kind for layer in read_layers(ByHand().eval())]
    assert kinds == ["conv", "rectify", "norm", "max_pool", "drop", "flatten", "linear", "log_softmax"]


@pytest.fixture
def fresh_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setenv("TINYPROOF_CACHE", str(tmp_path / "cache"))
    find_compiler.cache_clear()
    yield monkeypatch
    find_compiler.cache_clear()


def network() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def test_no_compiler_no_error(fresh_compiler: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fresh_compiler.delenv("CXX", raising=False)
    fresh_compiler.setenv("PATH", str(tmp_path))
    assert refusal(network(), RECIPE) == "no C++ compiler was found (c++, g++, clang++)"
    assert choose("auto", network(), RECIPE, "cpu")[0].__name__ == "TorchEngine"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 1", "does not work"),
        (
            'case "$*" in *-dM*) echo "#define __VERSION__ 1";; *) echo "x.cpp:1: error: no" >&2; exit 1;; esac',
            "refused",
        ),
        ('case "$*" in *-dM*) echo "#define __VERSION__ 1";; *) exit 0;; esac', "wrote no library"),
    ],
)
def test_a_broken_compiler_is_told_apart(
    script: str, words: str, fresh_compiler: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "fake-c++"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    fresh_compiler.setenv("CXX", str(fake))
    reason = refusal(network(), RECIPE)
    assert words in reason
    assert "\n" not in reason
    assert not list((tmp_path / "cache").rglob("*.partial"))


@pytest.mark.oracle("compiler")
@pytest.mark.usefixtures("compiler")
def test_the_kernels_are_compiled_once_with_a_message(
    fresh_compiler: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refusal(network(), RECIPE) == ""
    assert "compiling the kernels" in capsys.readouterr().err
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache" / "kernels").iterdir()}
    assert len(kept) == 1
    assert refusal(network(), RECIPE) == ""
    assert capsys.readouterr().err == ""
    assert kept == {path: path.stat().st_mtime_ns for path in (tmp_path / "cache" / "kernels").iterdir()}
    fresh_compiler.setenv("TINYPROOF_CACHE", "/dev/null")
    assert "cannot be kept" in refusal(network(), RECIPE)
