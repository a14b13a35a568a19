"""A run that came back from a worker: checked beside its place, then put into it, what says that it has ended last."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tinyproof.core import lease
from tinyproof.core.errors import OutputError
from tinyproof.core.files import reason, write_atomic
from tinyproof.prove import proof
from tinyproof.prove.worker import PROGRESS
from tinyproof.train import checkpoint, store

_BESIDE = ".cluster-"


def clear(folder: Path) -> None:
    """Remove what a process left beside the runs when it was killed."""
    for left in folder.glob(f"{_BESIDE}*"):
        shutil.rmtree(left, ignore_errors=True)


def put(files: Mapping[str, bytes], place: Path, folder: Path, check: Callable[[Path], None]) -> None:
    """Put the files of a run into its place, which this process holds; `folder`: where they may lie beside it until
    `check`, which is given that place, has raised nothing. Raises what that raises; Busy, OutputError."""
    try:
        beside = Path(tempfile.mkdtemp(prefix=_BESIDE, dir=folder))
    except OSError as error:
        raise OutputError(str(folder), reason(error)) from error
    try:
        staged = beside / place.name
        for name, content in files.items():
            write_atomic(staged / name, content)
        check(staged)
        lease.check(place)
        _moved(staged, place)
    except OSError as error:
        raise OutputError(place, reason(error)) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _moved(staged: Path, place: Path) -> None:
    """Each file and folder renamed into its place; what says that the run has ended comes last."""
    last = (store.RECORD, proof.FAILED)
    for path in sorted(staged.iterdir(), key=lambda path: path.name in last):
        if (place / path.name).is_dir():  # of a process that was killed between this and the record
            shutil.rmtree(place / path.name)
        path.replace(place / path.name)
    for name in (checkpoint.FILE, PROGRESS):
        (place / name).unlink(missing_ok=True)
