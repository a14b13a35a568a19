"""The records of this repository as folders: its packs, each unpacked once for a process of tests."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tinyproof.core.unpack import Unpacking, unpack

PACKS = {path.stem: path for path in sorted((Path(__file__).parents[1] / "records").glob("*.zip"))}


@cache
def _scratch() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="records-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def stored(name: str) -> Path:
    """The folder that was packed as `records/NAME.zip`. It is for reading: copy it to change it."""
    folder = _scratch() / name
    folder.mkdir()
    assert not unpack(Unpacking(str(PACKS[name]), str(folder)))
    return folder
