"""What the page of a run says of its exports: what they read right, and which images have another class."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyproof.core.errors import TinyproofError
from tinyproof.ship import changed_images, exported, replaced
from tinyproof.ship.exported import Exported
from tinyproof.train import store
from tinyproof.train.run_record import Predictions

_MOST = 20


def notes(folder: Path, answers: Predictions) -> list[str]:
    """A line for each export in the folder of a run; `verify` holds them to their files."""
    found = []
    for place in replaced.beside(folder):
        try:
            record = exported.load(place)
            theirs = store.load_predictions(place) if record.test_count else None
            mine = exported.part(answers, record.images)
        except TinyproofError as error:
            found.append(f"warning: an export is left out: {error}")
            continue
        if theirs is None:
            found.append(f"exported to {record.to}: the files were not run")
        elif len(theirs.labels) == len(mine.labels):
            found.append(_line(record, mine, theirs))
    return found


def _line(record: Exported, answers: Predictions, theirs: Predictions) -> str:
    there = np.array(record.images) if record.images else np.arange(len(answers.labels))
    numbers = there[answers.predicted != theirs.predicted]
    told = f"exported to {record.to}: {theirs.correct:,} of {len(theirs.labels):,} test images read right"
    if not numbers.size:
        return f"{told}; no image has another class than here"
    listed = ", ".join(f"{number:,}" for number in numbers[:_MOST]) + (" and others" if numbers.size > _MOST else "")
    return f"{told}; another class than here for image {listed}; {changed_images.words(answers, theirs)}"
