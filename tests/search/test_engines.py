"""Which engine trains a candidate is known before its kernels are compiled, and is the one that is chosen then."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from tinyproof.data.load import load_digits
from tinyproof.network import nets
from tinyproof.search import engines as engines_file
from tinyproof.search.as_python import CLASS, written
from tinyproof.search.engines import Engines
from tinyproof.search.family import NAMED
from tinyproof.train.engine import choose
from tinyproof.train.engine.native import native_engine
from tinyproof.train.recipe import DIGITS

SHAPE = (1438, 1, 28, 28)


@pytest.fixture
def compiled(compiler: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would be compiled; nothing is."""
    sources = list[str]()

    def library(source: str, *more: object) -> Path:
        sources.append(source)
        return Path("none")

    monkeypatch.setattr(native_engine, "library", library)
    monkeypatch.setattr(native_engine, "load", lambda path: None)
    return sources


def drawn(count: int, folder: Path) -> list[tuple[str, nn.Module]]:
    """Networks of the family `all`, with their names."""
    found = []
    for number in range(count):
        path = folder / f"c{number}.py"
        path.write_text(written(NAMED["all"].draw(random.Random(number), SHAPE[1:]), SHAPE[1:], 10))
        model = f"{path}:{CLASS}"
        found.append((model, nets.build(model, 0, SHAPE[1:], 10)))
    return found


def others() -> dict[str, nn.Module]:
    """Networks that the native engine does not take, or is the slower one for."""
    return {
        "softsign": nn.Sequential(nn.Conv2d(1, 4, 3), nn.Softsign(), nn.Flatten(), nn.Linear(2704, 10)),
        "linear": nn.Sequential(nn.Flatten(), nn.Linear(784, 800), nn.ReLU(), nn.Linear(800, 10), nn.LogSoftmax(1)),
    }


@pytest.mark.parametrize("asked", ["auto", "native"])
def test_what_is_said_before_is_what_the_engine_says(asked: str, compiled: list[str], tmp_path: Path) -> None:
    engines, told = Engines(asked, "cpu", load_digits()), list[bool]()
    for module in [*(module for _, module in drawn(3, tmp_path)), *others().values()]:
        sure = engines._is_native(module)
        told.append(sure)
        if sure:
            assert choose(asked, module, DIGITS, "cpu", SHAPE)[0].name == "native"
        elif asked == "auto":
            assert choose(asked, module, DIGITS, "cpu", SHAPE)[0].name == "torch"
    assert all(told[:3])
    assert told[3:] == [False, asked == "native"]


def chosen(asked: list[int]) -> Callable[..., tuple[type[native_engine.NativeEngine], str]]:
    """Native, for whatever number of images is asked."""

    def choose(name: str, module: nn.Module, recipe: object, device: str, images: tuple[int, ...]) -> Any:
        asked.append(images[0])
        return native_engine.NativeEngine, ""

    return choose


def test_only_the_first_candidate_is_compiled_before_the_runs(
    compiled: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = Engines("auto", "cpu", load_digits())
    networks = drawn(3, tmp_path)
    assert [engines.trains(model, module, DIGITS) for model, module in networks] == ["native"] * 3
    assert len(set(compiled)) == 1
    for batch, alone in ((1437, {1438}), (1317, {1318})):  # one image is left over: the engine says what of it
        asked = list[int]()
        monkeypatch.setattr(engines_file, "choose", chosen(asked))
        engines.trains(*networks[0], replace(DIGITS, batch_size=batch))
        assert set(asked) == alone
    monkeypatch.setattr(engines_file, "choose", choose)
    assert engines.trains("s7-8k", others()["softsign"], DIGITS) == "torch"


def test_torch_as_asked_compiles_nothing(compiled: list[str], tmp_path: Path) -> None:
    model, module = drawn(1, tmp_path)[0]
    assert Engines("torch", "cpu", load_digits()).trains(model, module, DIGITS) == "torch"
    assert compiled == []
