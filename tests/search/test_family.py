"""Families as data, networks as files in plain PyTorch, and the drawing under a budget."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace

import pytest

from tinyproof.core.errors import DataError, InputError
from tinyproof.data.dataset import Dataset, fold, folds
from tinyproof.data.load import load_digits
from tinyproof.network import anatomy, nets
from tinyproof.network.budget import Budget
from tinyproof.search import engines, sampling
from tinyproof.search.as_python import written
from tinyproof.search.declaring import folds_of
from tinyproof.search.family import CHAINS, Drawn, Family, Stage, read
from tinyproof.search.question import trained_on
from tinyproof.search.sampling import Wanted, fingerprint, sample
from tinyproof.train.engine import choose
from tinyproof.train.recipe import DIGITS

OWN = """
from torch import nn


class Net(nn.Sequential):
    def __init__(self, width, middle=False):
        super().__init__(
            nn.Conv2d(1, width, 3, stride=4), nn.ReLU(), *([nn.Identity()] if middle else []),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10), nn.LogSoftmax(1),
        )


def family(draw):
    width = draw.choice([2, 3, 4])
    return {"network": "Net", "width": width, "middle": draw.choice([False, True]), "recipe": "rate=0.01"}


def broken(draw):
    return 1 / 0


def nameless(draw):
    return {"width": 3}
"""


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_digits()


def wanted(digits: Dataset, family: str = "all", candidates: int = 6, **limits: int) -> Wanted:
    return Wanted(
        family=family, recipe=DIGITS, limits=Budget(**limits), candidates=candidates, draw=3, engine="torch",
        device="cpu", dataset=digits,
    )  # fmt: skip


# ------------------------------------------------------------------ networks


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 21, 40)])
def test_what_a_drawn_network_costs_is_what_torch_counts(shape: tuple[int, int, int], tmp_path: Path) -> None:
    generator = random.Random(1)
    for number in range(12):
        drawn, path = Family().draw(generator, shape), tmp_path / f"n{number}.py"
        path.write_text(written(drawn, shape, 7))
        found = anatomy.summary(nets.build(f"{path}:Network", 0, shape, 7), shape)
        costs = drawn.costs(shape, 7)
        assert (costs.parameters, costs.macs, costs.bytes) == (found.parameters, found.macs, found.weight_bytes)
        assert found.output == (7,)


def test_the_file_of_a_network_is_formatted_as_this_project_is(tmp_path: Path) -> None:
    import subprocess
    import sys

    path = tmp_path / "n.py"
    path.write_text(written(Drawn((Stage(8, 5, 2), Stage(8, residual=True, depthwise=True))), (1, 28, 28), 10))
    subprocess.run([sys.executable, "-m", "ruff", "format", "--check", "--line-length", "120", path], check=True)


def test_the_native_engine_trains_the_family_of_chains(digits: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "n.py"
    path.write_text(written(CHAINS.draw(random.Random(2), digits.shape), digits.shape, 10))
    module = nets.build(f"{path}:Network", 0, digits.shape, 10)
    assert "native does not apply" not in choose("auto", module, DIGITS, "cpu", digits.train_images.shape)[1]


def test_no_sum_of_maps_of_two_sizes_and_no_stride_on_a_few_pixels() -> None:
    generator = random.Random(0)
    for _ in range(200):
        drawn = Family(stages=(6,), strides=(1, 2, 4)).draw(generator, (1, 28, 28))
        side, before = 28, 1
        for stage in drawn.stages:
            assert not stage.residual or (stage.stride == 1 and stage.width == before)
            side, before = -(-side // stage.stride), stage.width
        assert side >= 4


# ------------------------------------------------------------------ drawing


def test_all_that_are_drawn_keep_the_limits_and_none_is_there_twice(digits: Dataset, tmp_path: Path) -> None:
    found = sample(wanted(digits, candidates=8, parameters_below=1500, macs_below=100_000), tmp_path)
    assert len(found.contenders) == 8
    assert all(one.parameters < 1500 and one.macs is not None and one.macs < 100_000 for one in found.contenders)
    assert len({one.computes for one in found.contenders}) == 8
    assert [path.stem for path in sorted((tmp_path / "networks").glob("*.py"))] == [x.name for x in found.contenders]
    again = sample(wanted(digits, candidates=8, parameters_below=1500, macs_below=100_000), tmp_path)
    assert again == found


def test_a_network_that_computes_what_another_does_is_tried_once(digits: Dataset, tmp_path: Path) -> None:
    """Three widths, each with and without a layer that changes nothing: three candidates, not six."""
    path = tmp_path / "own.py"
    path.write_text(OWN)
    found = sample(wanted(digits, f"{path}:family"), tmp_path)
    assert sorted(one.parameters for one in found.contenders) == [50, 70, 90]
    assert found.twice > 1000
    assert {one.recipe.rate for one in found.contenders} == {0.01}
    assert all(list(one.files) == ["own.py"] for one in found.contenders)


HIDDEN = """
from torch import nn

class Hidden(nn.Module):
    def __init__(self, kind):
        super().__init__()
        last = nn.Linear(16, 10)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(784, 16), getattr(nn, kind)(), last)

    def forward(self, x):
        return self.layers(x).log_softmax(1)

def family(generator):
    return {"network": "Hidden", "kind": generator.choice(["ReLU", "Tanh"])}
"""


def test_a_last_layer_that_begins_with_zeros_hides_no_difference(digits: Dataset, tmp_path: Path) -> None:
    """Both answer the same at first; other weights tell them apart."""
    path = tmp_path / "own.py"
    path.write_text(HIDDEN)
    assert len(sample(wanted(digits, f"{path}:family", candidates=2), tmp_path).contenders) == 2


NORMED = """
from torch import nn

class Normed(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.BatchNorm1d(16), nn.Linear(16, 10))

    def forward(self, x):
        return self.layers(x).log_softmax(1)

def family(generator):
    return {"network": "Normed", "recipe": "batch_size=439"}
"""


def test_a_network_that_fails_on_a_last_batch_with_a_held_out_part_is_named_at_once(
    digits: Dataset, tmp_path: Path
) -> None:
    """1,438 images in batches of 439 leave 121, but 1,318 leave 1: a batch norm of one value a channel."""
    assert [images % 439 for images in trained_on(len(digits.train_labels))] == [1, 2, 121]
    path = tmp_path / "own.py"
    path.write_text(NORMED)
    with pytest.raises(DataError, match="more than 1 value per channel"):
        sample(wanted(digits, f"{path}:family", candidates=1), tmp_path)
    path.write_text(NORMED.replace("439", "440"))
    assert len(sample(wanted(digits, f"{path}:family", candidates=1), tmp_path).contenders) == 1


def test_what_native_does_not_train_without_a_fold_is_trained_by_torch(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    least = trained_on(len(digits.train_labels))[0]

    def by_size(name: str, module: object, recipe: object, device: str, images: tuple[int, ...]) -> object:
        return SimpleNamespace(name="torch" if images[0] == least else "native"), ""

    monkeypatch.setattr(engines, "choose", by_size)
    path = tmp_path / "own.py"
    path.write_text(NORMED.replace("439", "440"))
    (found,) = sample(wanted(digits, f"{path}:family", candidates=1), tmp_path).contenders
    assert found.engine == "torch"


def test_another_recipe_is_another_candidate(digits: Dataset, tmp_path: Path) -> None:
    module = nets.build("fast", 0)
    other = DIGITS.__class__.from_dict({**DIGITS.to_dict(), "rate": 0.5})
    assert fingerprint(module, digits.shape, DIGITS) != fingerprint(nets.build("fast", 0), digits.shape, other)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"parameters_below": 20}, "parameters-below: 20 keeps out all of"),
        ({"macs_below": 5}, "macs-below: 5 keeps out all of"),
        ({"epochs_below": 5}, "epochs-below: 5 keeps out all of .* which have at least 14; raise it"),
    ],
)
def test_a_limit_that_no_network_keeps_is_named(
    limits: dict[str, int], message: str, digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "PATIENCE", 200)
    with pytest.raises(InputError, match=message):
        sample(wanted(digits, **limits), tmp_path)
    assert not (tmp_path / "networks").exists()


def test_limits_that_contradict_each_other_are_named_together(
    digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One width of one stage, with and without a stride: either few multiply-adds or few parameters."""
    monkeypatch.setattr(sampling, "PATIENCE", 200)
    path = tmp_path / "two.toml"
    path.write_text("stages=[1]\nwidths=[2,3]\nkernels=[1,11]\nstrides=[1,4]\nresidual=[false]\ndepthwise=[false]\n")
    costs = {
        (kernel, stride): Drawn((Stage(2, kernel, stride),)).costs(digits.shape, 10)
        for kernel in (1, 11)
        for stride in (1, 4)
    }
    least = costs[1, 4].macs
    assert least is not None
    limits = {"parameters_below": costs[1, 1].parameters + 1, "macs_below": least + 1}
    assert len(sample(wanted(digits, str(path), **limits), tmp_path / "fits").contenders) == 3
    own = tmp_path / "own.py"
    own.write_text(
        OWN.replace("draw.choice([2, 3, 4])", "draw.choice([2, 40])").replace(
            "stride=4", "stride=14 if width == 40 else 1"
        )
    )
    with pytest.raises(InputError, match=r"never fits: each of the limits is kept by some of 200 networks drawn, all"):
        sample(wanted(digits, f"{own}:family", parameters_below=100, macs_below=5000), tmp_path)


@pytest.mark.parametrize(
    ("family", "message"),
    [
        ("chain", "family: 'chain' is not allowed; allowed: all, chains, a .toml file, or path/to/model.py:function"),
        ("own.py:nobody", "family: .*allowed: one of its functions: family, broken, nameless"),
        ("own.py:broken", "ends with an error: ZeroDivisionError: division by zero .own.py, line 19."),
        ("own.py:nameless", "does not return what a family returns; a dict with `network`"),
        ("nowhere.py:family", "family: .*nowhere.py' is no file or folder"),
        ("nowhere.toml", "nowhere.toml: no such file"),
        ("wrong.toml", "widths: 0 is not allowed; allowed: a whole number from 1 to 512"),
        ("even.toml", "kernels: 4 is not allowed; allowed: odd sizes"),
        ("recipe.toml", "recipe field: 'speed' is not allowed"),
    ],
)
def test_a_family_that_is_none_is_one_line(
    family: str, message: str, digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("wrong", "widths=[0]"), ("even", "kernels=[4]"), ("recipe", 'recipes=["speed=1"]')):
        (tmp_path / f"{name}.toml").write_text(text)
    (tmp_path / "own.py").write_text(OWN)
    with pytest.raises((InputError, DataError), match=message) as caught:
        sample(wanted(digits, family), tmp_path)
    assert "\n" not in str(caught.value)


def test_a_family_from_a_file_is_the_one_that_was_written(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('stages=[2]\nwidths=[4]\nrecipes=["rate=0.01,batch_size=64", ""]\n')
    assert read(str(path)) == Family(stages=(2,), widths=(4,), recipes=("rate=0.01,batch_size=64", ""))


# ------------------------------------------------------------------ held-out parts


def test_the_folds_part_the_training_images_and_know_no_test_image(digits: Dataset) -> None:
    where = folds(digits.train_labels, 12)
    sizes = [int((where == which).sum()) for which in range(12)]
    assert max(sizes) - min(sizes) <= 1
    part = fold(digits, 3, 12)
    assert part.held_out
    assert len(part.train_labels) + len(part.test_labels) == len(digits.train_labels)
    test = {image.tobytes() for image in digits.test_images}
    assert not test & {image.tobytes() for image in part.test_images}
    for kind in range(10):
        every = [int(((where == which) & (digits.train_labels == kind)).sum()) for which in range(12)]
        assert max(every) - min(every) <= 1
    assert len({one.digest for one in folds_of(digits)}) == 12
