"""A search that is made once, and copies of it to be spoiled."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.search.asking import Made, here


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A search that nobody disturbed."""
    place = tmp_path_factory.mktemp("made") / "search"
    return place, here(place)


@pytest.fixture
def copied(made: Made, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made[0], tmp_path / "copied"))
