"""A small proof on the digits, made once by the command line as a user makes it, and shared by these tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.prove.proving import ASKED, NAMED, call


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The folder of a finished proof, and what the command said. Tests copy it before they change it."""
    folder = tmp_path_factory.mktemp("proofs") / "reference"
    return folder, call(*ASKED, *NAMED, "--out", folder)
