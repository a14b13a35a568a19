"""The named networks on other images and classes, arguments of a network of your own, functions, notebooks, dropout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyproof
from tinyproof.core.errors import DataError, InputError
from tinyproof.network import model_name, nets, own_files, own_network
from tinyproof.network.anatomy import summary
from tinyproof.network.budget import course
from tinyproof.network.notebook_source import source_of
from tinyproof.prove.known_figures import NETS as KNOWN
from tinyproof.train import recipe_text
from tinyproof.train.recipe import default


@pytest.mark.parametrize("name", nets.NETS)
def test_the_published_form_is_unchanged(name: str) -> None:
    facts = summary(nets.build(name)).facts()
    assert (facts.parameters, facts.macs, facts.kinds) == (KNOWN[name].parameters, KNOWN[name].macs, KNOWN[name].kinds)


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(sorted(nets.NETS)),
    channels=st.sampled_from([1, 3]),
    height=st.integers(24, 128),
    width=st.integers(24, 128),
    classes=st.integers(2, 1000),
)
def test_any_image_and_number_of_classes_is_taken(
    name: str, channels: int, height: int, width: int, classes: int
) -> None:
    if name == "s5-593k":
        height, width = height % 20 + 24, width % 20 + 24  # its linear layer grows with the image
    module = nets.build(name, 0, (channels, height, width), classes).eval()
    with torch.no_grad():
        answer = module(torch.zeros(2, channels, height, width))
    assert answer.shape == (2, classes)
    torch.testing.assert_close(answer.exp().sum(1), torch.ones(2))


@pytest.mark.parametrize("name", nets.NETS)
def test_the_smallest_image_is_the_one_that_is_named(name: str) -> None:
    least = nets.LEAST_SIDE[name]
    module = nets.build(name, 0, (3, least, least + 9), 4).eval()
    assert module(torch.zeros(1, 3, least, least + 9)).shape == (1, 4)
    assert min(nets.left(list(module.children())[:-1], (3, least, least))) >= 1
    with pytest.raises(DataError) as caught:
        nets.build(name, 0, (3, least - 1, 40), 4)
    text = str(caught.value)
    assert text.startswith(f"{name}: takes images of {least} pixels a side or more, and these have {least - 1}x40")
    assert "\n" not in text
    fits = [other for other, side in nets.LEAST_SIDE.items() if side < least]
    assert all(other in text for other in fits)


def test_the_courses_budget_is_of_the_published_form() -> None:
    assert course("s7-8k").parameters_below == 8000
    assert course("s7-8k", (1, 28, 28), 3).parameters_below is None
    assert course("s7-8k", (3, 28, 28), 10).parameters_below is None


MODEL = """
from torch import nn


class Net(nn.Module):
    def __init__(self, classes, norm="batch", widths=(4, 8)):
        super().__init__()
        self.c = nn.Conv2d(1, widths[0], 3)
        self.n = nn.BatchNorm2d(widths[0]) if norm == "batch" else nn.GroupNorm(2, widths[0])
        self.drop = nn.Dropout(0.25)
        self.fc = nn.Linear(widths[0], classes)

    def forward(self, x):
        return self.fc(self.drop(self.n(self.c(x)).relu().mean((2, 3))))


def factory(width=4):
    return nn.Sequential(nn.Conv2d(1, width, 28), nn.Flatten(), nn.Linear(width, 10))


def no_network():
    return "words"
"""


@pytest.fixture
def model(tmp_path: Path) -> str:
    (tmp_path / "model.py").write_text(MODEL)
    return str(tmp_path / "model.py")


def test_arguments_are_part_of_the_name(model: str) -> None:
    named = model_name.with_settings(f"{model}:Net", ["norm=group", "classes=7", "widths=[6, 8]"])
    assert named == f"{model}:Net(classes=7, norm='group', widths=[6, 8])"
    module = nets.build(named)
    assert (module.fc.out_features, module.fc.in_features) == (7, 6)
    assert isinstance(module.n, torch.nn.GroupNorm)
    assert model_name.with_settings(named, {"norm": "batch"}) == f"{model}:Net(classes=7, norm='batch', widths=[6, 8])"
    assert model_name.like(f"{model}:Net", named) == named
    assert model_name.file_of(named) == Path(model)
    found = tinyproof.summary(f"{model}:Net", settings={"classes": 10})
    assert found.layers.footer[0][3] == summary(nets.build(f"{model}:Net(classes=10)")).parameters


def test_words_of_a_command_line_become_values() -> None:
    named = model_name.with_settings("m.py:N", ["a=1", "b=0.5", "c=true", "d=none", "e=group", "f='1'", "g=a=b"])
    assert model_name.arguments(named) == {"a": 1, "b": 0.5, "c": True, "d": None, "e": "group", "f": "1", "g": "a=b"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda m: nets.build(f"{m}:Net"), r"cannot be made without arguments \(give --set classes=…\): TypeError"),
        (lambda m: nets.build(f"{m}:Net(colour=3)"), r"cannot be made with colour: TypeError"),
        (lambda m: nets.build(f"{m}:no_network"), "returns a str and no network"),
        (lambda m: nets.build(f"{m}:Other"), "allowed: one of its networks: Net"),
        (lambda m: nets.build(f"{m}:Net(__import__('os').getcwd())"), "arguments by name with plain values"),
        (lambda m: nets.build(f"{m}:Net(classes=len('abc'))"), "arguments by name with plain values"),
        (lambda m: model_name.with_settings(f"{m}:Net", ["classes"]), "argument=value, as norm=group"),
        (lambda m: model_name.with_settings("s7-8k", ["classes=3"]), "an argument of a network of your own"),
    ],
)
def test_what_is_no_argument_is_one_line(model: str, make: object, message: str) -> None:
    with pytest.raises((DataError, InputError), match=message) as caught:
        make(model)  # type: ignore[operator]
    assert "\n" not in str(caught.value)


def test_a_function_that_returns_a_network(model: str) -> None:
    assert summary(nets.build(f"{model}:factory")).parameters == 28 * 28 * 4 + 4 + 50
    assert summary(nets.build(f"{model}:factory(width=2)")).parameters == 28 * 28 * 2 + 2 + 30


# ------------------------------------------------------------------ a network's own dropout


def test_a_recipe_changes_a_networks_own_dropout_only_where_it_is_asked_to(model: str, tmp_path: Path) -> None:
    own = f"{model}:Net(classes=10)"
    assert [default(own, data).dropout for data in ("mnist", "digits", "mine")] == [None, None, None]
    assert default("s7-8k", "mnist").dropout == 0
    assert recipe_text.for_model("best,epochs=2", own).dropout is None
    assert recipe_text.for_model("best", "s7-8k").dropout == 0
    assert recipe_text.for_model("best,dropout=0.1", own).dropout == 0.1
    (tmp_path / "mine.toml").write_text("dropout = 0.3\n")
    assert recipe_text.for_model(str(tmp_path / "mine.toml"), own).dropout == 0.3


def test_it_is_said_and_recorded(model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    own = {"model": f"{model}:Net", "dataset": "digits", "epochs": 1, "engine": "torch", "threads": 1}
    kept = tinyproof.train(**own, settings=["classes=10"], out=tmp_path / "kept")
    told = capfd.readouterr()
    assert "dropout" not in told.out + told.err
    assert kept.run.dropout_active
    asked = tinyproof.train(**own, settings=["classes=10"], recipe="digits,dropout=0", out=tmp_path / "asked")
    told = capfd.readouterr()
    assert "the network's own dropout (0.25) is set to 0 by the recipe" in told.out + told.err
    assert not asked.run.dropout_active


# ------------------------------------------------------------------ notebooks

CELLS = [
    "import torch\nfrom torch import nn\nfrom a_library_that_nobody_has import datasets",
    "%matplotlib inline\n!pip install something\nWIDTH = 4\nSIZES = [WIDTH * 2, -3]",
    "print('this cell trains')\nraise SystemExit",
    "class Net(nn.Sequential):\n    '''One layer.'''\n    def __init__(self, bias=True):\n"
    "        super().__init__(nn.Flatten(), nn.Linear(784, 10, bias=bias))",
    "model = Net()",
    "WEIGHTS = torch.load('weights.pt')\nclass Other(nn.Module):\n    pass",
    "def broken(:",
]


def notebook(path: Path, cells: list[str] = CELLS) -> str:
    code = [{"cell_type": "code", "source": cell.splitlines(True), "metadata": {}, "outputs": []} for cell in cells]
    said = {"cell_type": "markdown", "source": "# A"}
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [said, *code]}))
    return str(path)


def test_a_class_of_a_notebook_is_made_of_its_definitions_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    book = notebook(tmp_path / "S7.ipynb")
    module = nets.build(f"{book}:Net")
    assert summary(module).parameters == 7850
    assert summary(nets.build(f"{book}:Net(bias=False)")).parameters == 7840
    assert "trains" not in capfd.readouterr().err
    words = tinyproof.summary(f"{book}:Net").totals
    told = "of S7.ipynb, cells 1, 2, 4 of 7 with code: those with imports, definitions and constants only"
    assert told in words
    with pytest.raises(InputError, match="one of its networks: Net"):
        nets.build(f"{book}:Other")


def test_what_a_notebook_shows_or_runs_elsewhere_changes_no_digest(tmp_path: Path) -> None:
    book = notebook(tmp_path / "S7.ipynb")
    files = own_network.files_of(nets.build(f"{book}:Net"))
    recorded = own_files.digests(files)
    assert list(recorded) == ["S7.ipynb.py"]
    assert own_files.changed(tmp_path, recorded) == []
    own_files.keep(tmp_path / "run", files)
    assert "class Net" in own_files.kept(tmp_path / "run", recorded)["S7.ipynb.py"]
    notebook(tmp_path / "S7.ipynb", [*CELLS[:2], "print('another')", *CELLS[3:]])
    assert own_files.changed(tmp_path, recorded) == []
    notebook(tmp_path / "S7.ipynb", [*CELLS[:3], CELLS[3].replace("784", "783"), *CELLS[4:]])
    assert own_files.changed(tmp_path, recorded) == ["S7.ipynb.py has changed"]
    (tmp_path / "S7.ipynb").unlink()
    assert own_files.changed(tmp_path, recorded) == ["S7.ipynb.py is missing"]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"cells": 3}', b'{"cells": [{"cell_type": "markdown"}]}', b"\xff"])
def test_what_is_no_notebook_is_one_line(content: bytes) -> None:
    with pytest.raises(DataError, match=r"S7\.ipynb: is (not JSON|no notebook)") as caught:
        source_of(content, "S7.ipynb")
    assert "\n" not in str(caught.value)
