"""One run on the digits for these tests, trained once."""

from __future__ import annotations

import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import missing

import tinyproof


def package(name: str) -> Any:
    """A package of others that judges what is exported."""
    try:
        return import_module(name)
    except ImportError:
        missing(f"{name} is not installed")


@pytest.fixture(scope="session")
def onnx() -> Any:
    return package("onnx")


@pytest.fixture(scope="session")
def onnxruntime() -> Any:
    return package("onnxruntime")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "run"
    tinyproof.train("fast", dataset="digits", epochs=1, out=folder, engine="torch", quiet=True)
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it, to do anything with."""
    return Path(shutil.copytree(trained, tmp_path / "run"))
