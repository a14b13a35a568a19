"""What an exported network answered on every test image, beside what its run answered: plain data, counted again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinyproof.core.errors import InputError, TinyproofError
from tinyproof.core.fields import from_mapping, one_of, whole
from tinyproof.core.plain_data import read_json
from tinyproof.network.budget import MOST_INSTRUCTIONS
from tinyproof.ship.claim import Proved
from tinyproof.train.run_record import Predictions

RECORD, ANSWERS = "export.json", "predictions.npz"
FORMAT = 1
FORMATS = ("torch", "onnx", "onnx-int8", "c", "c-int8", "xlsx", "html")
FOR_PEOPLE = ("xlsx", "html")
IN_C = ("c", "c-int8")
IN_WHOLE_NUMBERS = ("onnx-int8", "c-int8")  # their answers are not the run's but for rounding
INPUTS = ("bytes", "normalised")
NAME = "network"
# Of a probability, and of a loss as a share of 1 + its size: what two programs may differ by rounding.
TOLERANCE = 1e-4
# What the record of an export holds whose files were not run.
NOTHING: dict[str, Any] = {
    "answers": "",
    "correct": 0,
    "test_count": 0,
    "changed": 0,
    "largest_difference": 0.0,
    "runner": "",
}
_MOST_BYTES = 1_000_000
_ADDRESSES = 2**32 - 1  # that a Cortex-M4 has


@dataclass(frozen=True, kw_only=True)
class Exported:
    """The record of an export. `files`: SHA-256 of each exported file by name; `weights`, `run_answers`: of the run's
    weights and answers; `answers`: of the exported network's own. `largest_difference`: from the run's answers
    (`difference`); `changed`: images whose class is another one. `runner`: what computed the answers. `images`: the
    numbers of the test images that were answered, none where it was all; `not_run`: why none was. `proved`: the
    verdict of the proof that the run belongs to; `card`: SHA-256 of the model card. `name`: what the names in C begin
    with; `compiler`: SHA-256 of the C compiler; `scores`: of scores in whole numbers, bit for bit. `tolerance`: 0 in
    whole numbers. `flash`, `ram`: bytes that the C needs on a Cortex-M4 (`c_size`), 0 where `sized_by` names no
    compiler for it; `instructions`: that it takes there at most for one of the first test images (`c_count`), 0 where
    `counted_by` is empty: they are counted where a proof has a limit for them; `not_counted`: why they could not be.
    """

    to: str
    input: str
    model: str
    files: dict[str, str]
    weights: str
    run_answers: str
    answers: str
    correct: int
    test_count: int
    changed: int
    largest_difference: float
    runner: str
    tolerance: float = TOLERANCE
    images: tuple[int, ...] = ()
    not_run: str = ""
    proved: Proved | None = None
    card: str = ""
    name: str = NAME
    compiler: str = ""
    scores: str = ""
    flash: int = 0
    ram: int = 0
    sized_by: str = ""
    instructions: int = 0
    counted_by: str = ""
    not_counted: str = ""
    version: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    def __post_init__(self) -> None:
        one_of("to", self.to, FORMATS)
        one_of("input", self.input, INPUTS)
        if self.images and self.to != "xlsx":
            raise InputError("images", self.images, f"none: {self.to} answers all test images")
        self._check_fields()
        if self.format != FORMAT:
            raise InputError("format", self.format, f"{FORMAT}: this version reads no other")

    def _check_fields(self) -> None:
        """What goes with the format. Raises InputError."""
        if bool(self.not_run) == bool(self.test_count) or (self.not_run and self.to not in FOR_PEOPLE):
            raise InputError("not_run", self.not_run, "a reason where xlsx or html answered no image, else nothing")
        most = 0.0 if self.to in IN_WHOLE_NUMBERS else TOLERANCE
        if not 0 <= self.tolerance <= most:
            raise InputError("tolerance", self.tolerance, f"{most:g} at most for {self.to}")
        taken = {"onnx": INPUTS, "torch": ("normalised",)}.get(self.to, ("bytes",))
        one_of("input", self.input, taken)
        self._check_sizes()

    def _check_sizes(self) -> None:
        """What the C needs, just where it says what measured it. Raises InputError."""
        sized, counted = int(bool(self.sized_by)), int(bool(self.counted_by))
        whole("flash", self.flash, sized, sized * _ADDRESSES)
        whole("ram", self.ram, sized, sized * _ADDRESSES)
        whole("instructions", self.instructions, counted, counted * MOST_INSTRUCTIONS)
        if counted and self.not_counted:
            raise InputError("not_counted", self.not_counted, f"nothing: {self.counted_by} counted them")

    def to_json(self) -> str:
        """The record as indented JSON text."""
        return json.dumps(asdict(self), indent=1, allow_nan=False) + "\n"

    @property
    def accuracy_percent(self) -> float:
        """Accuracy of the exported network on the test images, in percent."""
        return 100.0 * self.correct / max(self.test_count, 1)


def folder_of(run: Path, to: str) -> Path:
    """Where the export of a run lies, unless somebody names another folder."""
    return run / f"export-{to}"


def usual_input(to: str) -> str:
    """What an exported network takes, where nobody asks for something else."""
    return "normalised" if to == "torch" else "bytes"


def meant(path: Path) -> bool:
    """Whether a file of the record's name may be one: not a table of somebody's own."""
    try:
        data: Any = read_json(path, _MOST_BYTES)
    except TinyproofError:
        return True
    return not isinstance(data, Mapping) or bool({"to", "run_answers"} & data.keys())


def load(folder: Path) -> Exported:
    """The record of an export. Raises DataError, InputError."""
    path = folder / RECORD
    data: Any = read_json(path, _MOST_BYTES)
    if not isinstance(data, Mapping):
        raise InputError("export", type(data).__name__, "a table", str(path))
    if data.get("proved") is not None:
        data = {**data, "proved": from_mapping(Proved, data["proved"], str(path))}
    return from_mapping(Exported, data, str(path))


def part(answers: Predictions, images: Sequence[int]) -> Predictions:
    """The answers for these images; all of them where none is named. Raises InputError for a number that is none."""
    if not images:
        return answers
    if not all(0 <= number < len(answers.labels) for number in images):
        raise InputError("images", images, f"numbers below {len(answers.labels):,}")
    at = np.array(images)
    return Predictions(**{name: values[at] for name, values in answers.arrays().items()})


def difference(one: Predictions, other: Predictions) -> float:
    """How far two programs' answers are apart at most: the probability of the class that was said, and the loss of the
    true class as a share of 1 + its size."""
    if len(one.labels) != len(other.labels):
        return float("inf")
    sure = np.abs(one.confidence.astype(np.float64) - other.confidence)
    losses = np.abs(one.losses.astype(np.float64) - other.losses) / (1 + np.abs(one.losses))
    return float(max(sure.max(), losses.max()))


def changed(one: Predictions, other: Predictions) -> int:
    """The images whose class is another one."""
    return int((one.predicted != other.predicted).sum()) if len(one.labels) == len(other.labels) else len(one.labels)
