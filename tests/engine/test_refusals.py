"""What the native engine cannot do: one line that says why, and torch takes over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinyproof.core.errors import InputError
from tinyproof.data.dataset import Dataset
from tinyproof.network import nets
from tinyproof.train.engine import choose
from tinyproof.train.engine.native.build import find_compiler
from tinyproof.train.engine.native.chain import read_layers
from tinyproof.train.engine.native.layers import Unsupported
from tinyproof.train.engine.native.native_engine import refusal, slower
from tinyproof.train.loop import prepare
from tinyproof.train.recipe import RECIPES

RECIPE = RECIPES["s7-8k"]


class Unlike(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.one(x)
        return torch.flatten(F.relu(F.adaptive_avg_pool2d(self.two(y), 1) + y), 1)


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
    "a sum of unlike values": (Unlike(), "joining values of 4x1x1 and 4x26x26 is not supported"),
    "a forward that decides": (Decides(), "cannot be traced"),
    "a layer used twice": (Shared(), "used twice"),
    "groups of other channels": (chain(nn.Conv2d(1, 4, 3), nn.Conv2d(6, 6, 3, groups=3)), "1 takes 6 channels"),
    "unknown module": (chain(nn.Conv2d(1, 4, 3), nn.Softplus()), "1: Softplus is not supported"),
    "a large kernel": (chain(nn.Conv2d(1, 4, 12)), "0: kernels up to 11 are supported"),
    "another pooling": (chain(nn.Conv2d(1, 4, 3), nn.AdaptiveMaxPool2d(2)), "1: adaptive pooling to other sizes"),
    "layer norm of columns": (chain(nn.LayerNorm(28)), "over the channels alone"),
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


class Branches(nn.Module):
    """Two values of one dropout, joined; `join` says how."""

    def __init__(self, join: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.conv, self.join = nn.Conv2d(1, 4, 3), join

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        x = self.join(x, F.dropout(x, 0.1, self.training))
        return torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)


@pytest.mark.parametrize(
    ("join", "kind"),
    [
        (lambda x, y: torch.add(input=x, other=y), "add"),
        (lambda x, y: torch.mul(x, other=y), "multiply"),
        (lambda x, y: torch.cat(tensors=(x, y), dim=-3), "concat"),
    ],
)
def test_arguments_by_name_or_place_and_dropout_of_a_kept_value_are_read(join: Any, kind: str) -> None:
    network = Branches(join)
    layers = read_layers(network)
    assert [layer.kind for layer in layers] == ["conv", "keep", "drop", "keep", kind, "global_pool", "flatten"]
    assert [layer.slots for layer in layers if layer.slots] == [(0,), (1,), (0, 1)]


@pytest.mark.parametrize(
    "change", [lambda x: F.relu(x, True), lambda x: F.elu(x, 1.0, True), lambda x: F.dropout(x, 0.1, True, True)]
)
def test_what_changes_in_place_a_value_that_another_layer_takes_is_refused(change: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(Unsupported, match="changes in place what another layer takes too"):
        read_layers(Branches(lambda x, y: change(x) + x * y))


def normed() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.BatchNorm1d(10))


@pytest.mark.parametrize(("images", "size"), [(129, 64), (1, 64), (128, 1)])
def test_a_batch_of_one_under_a_batch_norm_is_refused(images: int, size: int) -> None:
    recipe = replace(RECIPE, batch_size=size)
    assert "leave one alone" in refusal(normed(), recipe, (images, 1, 28, 28))
    with pytest.raises(ValueError, match="more than 1 value"):  # because torch refuses it as well
        normed().train()(torch.zeros(1, 1, 28, 28))


@pytest.mark.oracle("compiler")
@pytest.mark.usefixtures("compiler")
def test_two_images_or_two_pixels_are_enough_for_a_batch_norm() -> None:
    recipe = replace(RECIPE, batch_size=64)
    assert refusal(normed(), recipe, (130, 1, 28, 28)) == ""
    pixels = nn.Sequential(nn.AvgPool2d((28, 14)), nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(2, 10))
    assert refusal(pixels, recipe, (129, 1, 28, 28)) == ""


@pytest.mark.oracle("compiler")
@pytest.mark.usefixtures("compiler")
def test_the_data_set_s_own_image_size_decides(blobs: Dataset, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Sequential):\n    def __init__(self):\n"
        "        super().__init__(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 12 * 12, 10))\n"
    )
    _, engine, reason = prepare(f"{tmp_path / 'net.py'}:Net", RECIPE, blobs, 0, "auto", "cpu", 1)
    assert (engine.name, reason) == ("native", "native: it applies")


def test_networks_of_linear_layers_are_torch_s_under_auto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYPROOF_CACHE", str(tmp_path))
    module = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    kind, reason = choose("auto", module, RECIPE, "cpu")
    assert kind.__name__ == "TorchEngine"
    assert "100% of the multiply-adds lie in linear layers" in reason
    assert not list(tmp_path.iterdir())  # nothing was compiled for it


@pytest.mark.parametrize("name", nets.NETS)
def test_the_named_networks_are_not(name: str) -> None:
    assert slower(nets.build(name, 0)) == ""


def test_a_small_linear_network_is_not() -> None:
    assert slower(network()) == ""


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
