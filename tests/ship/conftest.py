"""One run on the digits for these tests, trained once."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import missing, program

import tinyproof


def package(name: str) -> Any:
    """A package of others that judges what is exported."""
    try:
        return import_module(name)
    except ImportError:
        missing(f"{name} is not installed")


@cache
def sanitizing(name: str) -> str:
    """A C compiler that can watch memory and arithmetic while a program runs."""
    found = program(name)
    with tempfile.TemporaryDirectory() as folder:
        words = [found, "-fsanitize=address,undefined", "-x", "c", "-", "-o", f"{folder}/made"]
        done = subprocess.run(words, input=b"int main(void) { return 0; }", capture_output=True, check=False)
    if done.returncode:
        missing(f"{name} has no sanitizers (clang's: Debian's libclang-rt-dev)")
    return found


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
