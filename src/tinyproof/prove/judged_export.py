"""The export that a declared run is judged by, where a proof is one of exported networks; what its networks say beside.

Layout: `seed-17/export-c-int8/`, as `export` writes it. Nothing here needs torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyproof.core import stats
from tinyproof.core.errors import DataError, InputError
from tinyproof.core.fields import one_of
from tinyproof.core.stats import Paired
from tinyproof.network.budget import ON_A_CHIP, Budget
from tinyproof.ship import exported
from tinyproof.ship.exported import IN_C, Exported
from tinyproof.train import store
from tinyproof.train.run_record import Predictions, Run

# A workbook answers ten pictures, and a page shows the verdict, which would have to be known before it.
FORMATS = ("c", "c-int8", "onnx", "onnx-int8", "torch")
_NO_PROOF = {"xlsx": "answers ten pictures only", "html": "shows the verdict, so it is made after it"}


def check_format(to: str) -> None:
    """Raise InputError for what no proof can be of."""
    if to in _NO_PROOF:
        raise InputError("as", to, f"name one of {', '.join(FORMATS)}", problem=_NO_PROOF[to])
    one_of("as", to, FORMATS)


def check(judged_as: str, limits: Budget) -> None:
    """Raise InputError for a format that no proof can be of, and for limits of a microcontroller without C."""
    if judged_as:
        check_format(judged_as)
    named = [name for name in ON_A_CHIP if getattr(limits, name) is not None]
    if named and judged_as not in IN_C:
        problem = "is a limit of exported C, and the proof is not of C"
        raise InputError(named[0], getattr(limits, named[0]), "add --as c or --as c-int8", problem=problem)


@dataclass(frozen=True, eq=False)
class Judged:
    """The export of one run: its record and its answers to all test images."""

    record: Exported
    answers: Predictions

    @property
    def flash(self) -> int | None:
        """Bytes of flash on a Cortex-M4; None where no compiler for it measured them."""
        return self.record.flash if self.record.sized_by else None

    @property
    def ram(self) -> int | None:
        """Bytes of RAM, likewise."""
        return self.record.ram if self.record.sized_by else None

    @property
    def instructions(self) -> int | None:
        """Instructions that an image takes there at most; None where nothing counted them."""
        return self.record.instructions if self.record.counted_by else None

    @property
    def sizes(self) -> dict[str, int | None]:
        """All three by name."""
        return {"flash": self.flash, "ram": self.ram, "instructions": self.instructions}

    def unmeasured(self, limits: Budget) -> list[str]:
        """The limits (`flash_below`, ...) that are set and hang on what nothing measured."""
        names = [f"{name}_below" for name, size in self.sizes.items() if size is None]
        return [name for name in names if getattr(limits, name) is not None]


def there(run: Path, to: str) -> bool:
    """Whether the run in a folder has been exported: the record is written with the rest, at once. DataError."""
    return (_no_link(exported.folder_of(run, to)) / exported.RECORD).is_file()


def _no_link(folder: Path) -> Path:
    """Raises DataError for a link: `verify` looks into none, so what lies behind it would be judged unseen."""
    if folder.is_symlink():
        raise DataError(str(folder), "is a link, and an export is a folder of its run", "put the folder itself there")
    return folder


def read(place: Path, to: str, run: Run, answers: Predictions) -> Judged:
    """The export of the run in a folder. Raises DataError, InputError where it is not this run's, whole."""
    folder = _no_link(exported.folder_of(place, to))
    record = exported.load(folder)
    theirs = store.load_predictions(folder)
    for holds, problem in (
        (record.to == to, f"is an export to {record.to}, where {to} was declared"),
        ((record.weights, record.run_answers) == (run.weights_digest, answers.digest), "is an export of another run"),
        (not record.images and np.array_equal(theirs.labels, answers.labels), "answers other images than the run's"),
        (record.answers == theirs.digest, "names other answers than those beside it"),
        (int(theirs.predicted.max(initial=0)) < len(run.classes), "answers a class that there is not"),
    ):
        if not holds:
            raise DataError(str(folder), problem)
    return Judged(record, theirs)


def unlike(exports: Sequence[tuple[int, Exported]]) -> str:
    """In what two exports of one proof, each with its seed, were made differently; empty where in nothing."""
    for seed, record in exports[1:]:
        for name in ("version", "input", "name"):
            one, other = getattr(exports[0][1], name), getattr(record, name)
            if one != other:
                return f"{name}: seed {exports[0][0]} has {one!r}, seed {seed} has {other!r}"
    return ""


def remedy(runs: Sequence[Path], to: str) -> str:
    """What to do with the exports of some runs, which have to be made anew; of weights alone."""
    if all((run / store.WEIGHTS).is_file() for run in runs):
        return f"remove the {exported.folder_of(Path(), to)} of the older ones and give the same command again"
    return "go on with the version that made the older ones, or prove anew in another folder: their weights are gone"


def largest(sizes: Sequence[int | None], below: int | None) -> int | None:
    """The largest of the sizes; None where one is not known, unless one that is known breaks the limit already."""
    known = [size for size in sizes if size is not None]
    broken = below is not None and any(size >= below for size in known)
    return max(known) if known and (broken or len(known) == len(sizes)) else None


@dataclass(frozen=True)
class Beside:
    """What stands beside the verdict on exports, run by run: `networks`, how many of `images` the networks read right
    themselves; `changed`, how many have another class in the export. `paired`: the accuracy of the export minus that
    of its network, in points (None below two runs)."""

    images: int
    networks: tuple[int, ...]
    changed: tuple[int, ...]
    paired: Paired | None

    @property
    def mean(self) -> float:
        """The mean accuracy of the networks, in percent."""
        return stats.mean([100 * count / self.images for count in self.networks])

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        pairs = self.paired
        told = None if pairs is None else [pairs.interval.low, pairs.interval.high]
        return {
            "mean": self.mean, "correct": list(self.networks), "changed": list(self.changed),
            "mean_difference": None if pairs is None else pairs.mean, "difference_interval_95": told,
        }  # fmt: skip


def beside(networks: Sequence[Predictions], exports: Sequence[Judged]) -> Beside:
    """The networks' own answers held against those of their exports, in the same order; one run or more."""
    images = len(networks[0].labels)
    mine = [100 * answers.correct / images for answers in networks]
    theirs = [100 * one.answers.correct / images for one in exports]
    changed = [exported.changed(a, b.answers) for a, b in zip(networks, exports, strict=True)]
    pairs = stats.paired(theirs, mine, resolution=100 / images) if len(mine) > 1 else None
    return Beside(images, tuple(answers.correct for answers in networks), tuple(changed), pairs)
