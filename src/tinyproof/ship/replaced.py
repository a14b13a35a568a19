"""Exports of a run that is trained anew: they go with it, unless somebody changed or added something."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from tinyproof.core.errors import TinyproofError
from tinyproof.core.files import sha256
from tinyproof.data.arrays import MOST_BYTES
from tinyproof.ship import exported
from tinyproof.ship.card import CARD
from tinyproof.ship.exported import ANSWERS, RECORD
from tinyproof.train import store


def beside(folder: Path) -> list[Path]:
    """The exports in the folder of a run."""
    found = [path for path in folder.glob(f"*/{RECORD}") if path.parent.name[0] != "."]  # else on its way in or out
    return sorted(path.parent for path in found if not path.parent.is_symlink() and exported.meant(path))


def remove(folder: Path) -> list[Path]:
    """Remove the exports in the folder of a run that are as they were written, and what a process that was killed left
    of some; returns those that are not, or that could not be removed (`why`)."""
    for left in folder.glob(".export-*.partial"):
        shutil.rmtree(left, ignore_errors=True)
    for place in beside(folder):
        if _untouched(place):
            gone = folder / f".{place.name}.replaced.partial"
            shutil.rmtree(gone, ignore_errors=True)  # of a process that was killed
            with contextlib.suppress(OSError):
                place.rename(gone)  # so that a kill leaves no half of an export
            shutil.rmtree(gone, ignore_errors=True)
    return beside(folder)


def why(place: Path) -> str:
    """Why an export was not removed, in words."""
    return "it could not be renamed" if _untouched(place) else "somebody changed it"


def _untouched(place: Path) -> bool:
    """Whether nothing is in an export but what it wrote."""
    try:
        record = exported.load(place)
        known = {**record.files, CARD: record.card}
        there = {path.name for path in place.iterdir()} - {RECORD, ANSWERS, "__pycache__"}
        answers = place / ANSWERS
        same = not answers.exists() or store.load_predictions(place).digest == record.answers
        return same and there <= set(known) and all(_is(place / name, known[name]) for name in there)
    except (TinyproofError, OSError):
        return False


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and not path.is_symlink() and sha256(path, MOST_BYTES) == digest
