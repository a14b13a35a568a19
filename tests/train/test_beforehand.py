"""What holds a network back is told before it is trained, and nothing is told of one that is well."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

import tinyproof
from tinyproof.cli import app
from tinyproof.core.errors import DataError, InputError
from tinyproof.data.dataset import Dataset
from tinyproof.data.load import load_digits
from tinyproof.network import nets
from tinyproof.network.budget import Budget
from tinyproof.train.beforehand import doubts
from tinyproof.train.rehearse import check


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_digits()


def ending(*last: nn.Module) -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10), *last)


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ((nn.Softmax(1),), "ends in probabilities (softmax)"),
        ((nn.ReLU(),), "cuts its class scores off at 0"),
        ((nn.Sigmoid(),), "keeps its class scores between 0 and 1"),
    ],
)
def test_scores_that_are_squeezed_are_told(last: tuple[nn.Module, ...], told: str, digits: Dataset) -> None:
    (line,) = doubts("net.py:Net", ending(*last), digits)
    assert line.startswith(f"net.py:Net {told}")


def test_scores_and_logarithms_are_well(digits: Dataset) -> None:
    nothing = ending()
    nn.init.zeros_(nothing[1].weight)  # type: ignore[index,arg-type]
    nn.init.zeros_(nothing[1].bias)  # type: ignore[index,arg-type]
    for module in (ending(), ending(nn.LogSoftmax(1)), ending(nn.Tanh()), nothing):
        assert doubts("net.py:Net", module, digits) == []
    assert [doubts(name, nets.build(name), digits) for name in nets.NETS] == [[]] * len(nets.NETS)


@pytest.mark.parametrize(("weights", "bias"), [(0.0, 0.1), (0.0, 0.3), (1e-4, 0.1), (1e-3, 0.2)])
def test_first_scores_near_a_bias_are_well(weights: float, bias: float, digits: Dataset) -> None:
    module = ending()
    nn.init.normal_(module[1].weight, 0, weights)  # type: ignore[index,arg-type]
    nn.init.constant_(module[1].bias, bias)  # type: ignore[index,arg-type]
    assert doubts("net.py:Net", module, digits) == []


def test_a_class_without_training_images_is_told(digits: Dataset) -> None:
    few = digits.train_labels != 7
    less = replace(digits, train_images=digits.train_images[few], train_labels=digits.train_labels[few])
    assert doubts("net.py:Net", ending(), less) == ["no training image of class 7: it cannot be learned"]


NETWORK = """
import torch
from torch import nn
class Net(nn.Sequential):
    def __init__(self): super().__init__(nn.Flatten(), nn.Linear(784, 10), nn.Softmax(1))
"""


def test_train_and_prove_say_it_and_a_page_is_made(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "net.py").write_text(NETWORK)
    model = f"{tmp_path / 'net.py'}:Net"
    digits = load_digits()
    few = digits.train_labels != 7
    np.savez(
        tmp_path / "less.npz", train_images=digits.train_images[few], train_labels=digits.train_labels[few],
        test_images=digits.test_images, test_labels=digits.test_labels,
    )  # fmt: skip
    less = str(tmp_path / "less.npz")
    tinyproof.train(model, dataset=less, epochs=1, out=tmp_path / "run", engine="torch", threads=1)
    told = capfd.readouterr()
    text = told.out + told.err
    assert "warning: " in text
    assert "ends in probabilities (softmax)" in text
    assert "no training image of class 7" in text
    assert (tmp_path / "run" / "samples.png").stat().st_size > 1000
    tinyproof.prove(
        model, "best,epochs=1", dataset=less, seeds=1, target=1, out=tmp_path / "proof", engine="torch", threads=1,
    )  # fmt: skip
    told = capfd.readouterr()
    assert "ends in probabilities (softmax)" in told.out + told.err


class Answers(nn.Module):
    """Gives its scores inside something else."""

    def __init__(self, inside: type[dict[str, object]] | type[tuple[object, ...]]) -> None:
        super().__init__()
        self.inside = inside
        self.fc = nn.Linear(784, 10)

    def forward(self, x: torch.Tensor) -> object:
        scores = self.fc(x.flatten(1))
        return {"scores": scores} if self.inside is dict else (scores, scores)


def broken() -> nn.Module:
    module = ending()
    nn.init.constant_(module[1].weight, float("nan"))  # type: ignore[index,arg-type]
    return module


@pytest.mark.parametrize(
    ("module", "told"),
    [
        (Answers(dict), "gives a dict for an image; return one tensor, of 10 class scores"),
        (Answers(tuple), "gives a tuple for an image; return one tensor, of 10 class scores"),
        (ending().half(), "has weights of float16; leave them float32, as they are trained"),
        (ending().double(), "has weights of float64; leave them float32, as they are trained"),
        (broken(), "gives values that are no numbers (NaN, infinity) before any training; look at its first weights"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_a_line(module: nn.Module, told: str, digits: Dataset) -> None:
    with pytest.raises(DataError) as refused:
        check("net.py:Net", module, digits)
    assert str(refused.value) == f"net.py:Net: {told}"


# ------------------------------------------------------------------ a budget of one's own


def test_limits_replace_those_of_the_course_and_what_cannot_be_kept_is_said_first(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found = tinyproof.train(
        "s7-8k", dataset="digits", epochs=1, out=tmp_path / "run", engine="torch", threads=1, target=20,
        parameters_below=5000, rules=["uses-dropout"],
    )  # fmt: skip
    told = capfd.readouterr()
    assert "warning: parameters: 7,904, where below 5,000 is asked" in told.out + told.err
    assert [(x.name, x.required, x.kept) for x in found.checks] == [
        ("parameters", "below 5,000", False),
        ("epochs", "below 15", True),
        ("accuracy, last epoch", "at least 20 %", True),
        ("uses-dropout", "dropout is used", False),
    ]
    assert found.kept is False
    assert found.to_dict()["run"]["parameters"] == 7904
    with pytest.raises(InputError, match="budget stands beside single limits; give one of the two"):
        tinyproof.train("s7-8k", dataset="digits", target=20, budget=Budget(), out=tmp_path / "other")
    with pytest.raises(InputError, match="parameters_below"):
        tinyproof.train("s7-8k", dataset="digits", parameters_below=0, out=tmp_path / "other")


@pytest.mark.parametrize(
    ("limits", "code"),
    [([], 0), (["--parameters-below", "8000", "--target", "5"], 0), (["--parameters-below", "5000"], 1)],
)
def test_the_command_ends_with_1_where_a_named_limit_is_broken(limits: list[str], code: int, tmp_path: Path) -> None:
    command = ["train", "s7-8k", "--dataset", "digits", "--epochs", "1", "--threads", "1", "--out", str(tmp_path / "r")]
    done = CliRunner().invoke(app, [*command, "--engine", "torch", "--json", *limits])
    assert done.exit_code == code, done.output
    assert json.loads(done.stdout)["kept"] is (code == 0 if limits else False)


# ------------------------------------------------------------------ lazy layers

LAZY = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self, idle=False):
        super().__init__()
        self.conv, self.norm, self.out = nn.LazyConv2d(8, 3), nn.LazyBatchNorm2d(), nn.LazyLinear(10)
        self.frozen = nn.Dropout(0.5).eval()
        if idle: self.idle = nn.LazyLinear(3)
    def forward(self, x): return self.out(self.frozen(self.norm(self.conv(x)).relu().flatten(1)))
class Written(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.out = nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.Linear(5408, 10)
        self.frozen = nn.Dropout(0.5).eval()
    forward = Net.forward
"""


def test_lazy_layers_are_made_by_one_image_and_are_those_that_are_written_out(tmp_path: Path) -> None:
    (tmp_path / "lazy.py").write_text(LAZY)
    lazy, written = (nets.build(f"{tmp_path / 'lazy.py'}:{name}", 3) for name in ("Net", "Written"))
    assert [p.shape for p in lazy.parameters()] == [p.shape for p in written.parameters()]
    assert [part.training for part in lazy.modules()] == [part.training for part in written.modules()]
    assert torch.equal(lazy.norm.running_mean, torch.zeros(8))  # type: ignore[union-attr,arg-type]
    again = nets.build(f"{tmp_path / 'lazy.py'}:Net", 3)
    for one, other in zip(lazy.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)
    colour = nets.build(f"{tmp_path / 'lazy.py'}:Net", 3, (3, 32, 32))
    assert sum(p.numel() for p in colour.parameters()) == 3 * 9 * 8 + 8 + 16 + 30 * 30 * 8 * 10 + 10
    found = tinyproof.train(
        f"{tmp_path / 'lazy.py'}:Net", dataset="digits", epochs=1, out=tmp_path / "run", engine="torch", threads=1,
        quiet=True,
    )  # fmt: skip
    assert found.run.parameters == 54_186


def test_a_lazy_layer_that_no_image_comes_to_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "lazy.py").write_text(LAZY)
    with pytest.raises(DataError, match="has lazy layers that no image comes to; call them, or leave them out"):
        nets.build(f"{tmp_path / 'lazy.py'}:Net(idle=True)")
    with pytest.raises(DataError, match="has lazy layers, and does not take an image of 4 x 2 x 2"):
        nets.build(f"{tmp_path / 'lazy.py'}:Net", 0, (4, 2, 2))
