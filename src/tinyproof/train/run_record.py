"""Run: the record of one training run, as plain data; and its predictions, from which every figure follows."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError, InputError
from tinyproof.core.fields import from_mapping
from tinyproof.core.files import sha256
from tinyproof.core.plain_data import parse_json
from tinyproof.data.dataset import PerChannel
from tinyproof.data.reading import Reading, Shape
from tinyproof.network import own_files
from tinyproof.network.budget import Facts
from tinyproof.train.recipe import Recipe

# Format 3 says how pictures were read, in any size and colour. 2 names the local files of a network of somebody's own,
# and its code by what it says; 1 by its files' bytes.
FORMAT = 3
FORMATS = (1, 2, FORMAT)
# An answer is stored in one byte where the classes fit into it.
_BYTE = 256


@dataclass(frozen=True)
class EpochLog:
    """One epoch, counted from 1. Losses are means over images; `train_*` are measured while the weights move, on
    changed images and with dropout; `test_*` are None where the test set was left alone. `seconds`: training alone.
    """

    epoch: int
    rate: float
    train_loss: float
    train_percent: float
    test_loss: float | None
    test_percent: float | None
    seconds: float

    def line(self, epochs: int) -> str:
        """One line for people.

        >>> EpochLog(3, 0.01, 0.0712, 97.9, 0.0402, 98.81, 12.1).line(14)
        'epoch  3/14  train loss 0.0712 acc 97.9 %  test loss 0.0402 acc 98.81 %  12.1 s'
        """
        number = f"{self.epoch:>{len(str(epochs))}}/{epochs}"
        text = f"epoch {number}  train loss {self.train_loss:.4f} acc {self.train_percent:.1f} %"
        if self.test_percent is not None:
            text += f"  test loss {self.test_loss:.4f} acc {self.test_percent:.2f} %"
        return f"{text}  {self.seconds:.1f} s"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What decides the result: two runs of one identity, on one machine and code, have the same bits.

    `model_digest`: of the files of a network of your own (`own_files.digest`), else empty. `engine`, `device`,
    `threads`: as used.
    """

    model: str
    model_digest: str
    recipe: Recipe
    seed: int
    dataset: str
    held_out: bool
    data_digest: str
    engine: str
    device: str
    threads: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "recipe": self.recipe.to_dict()}

    @property
    def digest(self) -> str:
        """SHA-256 of all of it."""
        return sha256(json.dumps(self.to_dict(), sort_keys=True).encode())

    def differences(self, other: Identity) -> list[str]:
        """The names of the fields that differ, those of the recipe one by one."""
        mine, theirs = self.to_dict(), other.to_dict()
        names = [k for k in mine if k != "recipe" and mine[k] != theirs[k]]
        recipe = [f"recipe {k}" for k, v in mine["recipe"].items() if v != theirs["recipe"][k]]
        return names + recipe


@dataclass(frozen=True, kw_only=True)
class Run:
    """The record of one finished run. `correct` of `test_count` images after the last epoch: never the best one.

    `classes`, `mean`, `std` and `reading` are the data set's: what is needed to read another picture with the weights
    (`reading` is None in a record of an earlier version, whose images were all grey).
    `declaration`: the digest of the declaration that the run was made for, "" where it was made for none.
    `model_files`: the digests of the local files that a network of your own was made of, by name.
    """

    identity: Identity
    epochs: tuple[EpochLog, ...]
    correct: int
    test_count: int
    train_count: int
    test_loss: float
    parameters: int
    macs: int | None
    weight_bytes: int
    kinds: tuple[str, ...]
    dropout_active: bool
    global_average_pooling: bool | None
    seconds: float
    started: str
    code_digest: str
    predictions_digest: str
    classes: tuple[str, ...]
    mean: PerChannel
    std: PerChannel
    weights_digest: str = ""
    engine_reason: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    hardware: dict[str, Any] = field(default_factory=dict)
    declaration: str = ""
    model_files: dict[str, str] = field(default_factory=dict)
    reading: Reading | None = None
    format: int = FORMAT

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise InputError("format", self.format, f"{', '.join(map(str, FORMATS))}: this version reads no other")
        if not isinstance(self.test_count, int) or not isinstance(self.correct, int):
            raise InputError("correct", (self.correct, self.test_count), "whole numbers")
        if not 0 <= self.correct <= self.test_count or self.test_count < 1:
            raise InputError("correct", self.correct, f"a whole number from 0 to {self.test_count:,}")

    @property
    def shape(self) -> Shape:
        """Channels, height and width of its images; 28x28 grey pixels where the record does not say."""
        return self.reading.shape if self.reading else (1, 28, 28)

    @property
    def accuracy_percent(self) -> float:
        """Accuracy of the last epoch on the test images, in percent."""
        return 100.0 * self.correct / self.test_count

    @property
    def recipe(self) -> Recipe:
        """The recipe of its identity."""
        return self.identity.recipe

    @property
    def files(self) -> dict[str, str]:
        """The digests of a network's own files by name; a record of the first version knows one."""
        return own_files.named(self.identity.model, self.identity.model_digest, self.model_files)

    @property
    def facts(self) -> Facts:
        """What a budget is checked against."""
        return Facts(
            parameters=self.parameters,
            bytes=self.weight_bytes,
            macs=self.macs,
            epochs=len(self.epochs),
            accuracy_percent=self.accuracy_percent,
            kinds=tuple(self.kinds),
            dropout_active=self.dropout_active,
            global_average_pooling=self.global_average_pooling,
        )

    def to_json(self) -> str:
        """The record as indented JSON text."""
        return json.dumps({**asdict(self), "identity": self.identity.to_dict()}, indent=1, allow_nan=False) + "\n"

    @staticmethod
    def from_json(text: str | bytes, where: str = "") -> Run:
        """The record that `to_json` gave. Raises DataError, InputError."""
        try:
            data = parse_json(text.encode() if isinstance(text, str) else text, where or "run")
            identity = {**data["identity"], "recipe": Recipe.from_dict(data["identity"]["recipe"], where)}
            epochs = tuple(from_mapping(EpochLog, entry, where) for entry in data["epochs"])
            data |= {"identity": from_mapping(Identity, identity, where), "epochs": epochs}
            if data.get("reading") is not None:
                data["reading"] = from_mapping(Reading, data["reading"], where)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataError(where or "run", "is not the record of a run") from error
        return from_mapping(Run, data, where)


@dataclass(frozen=True, eq=False)
class Predictions:
    """The answers after the last epoch for N test images: predicted and true class uint8 [N] (uint16 where there are
    more than 256 classes), the probability of the predicted class float32 [N], the loss (minus the log-probability of
    the true class) float32 [N].
    """

    predicted: NDArray[np.uint8 | np.uint16]
    labels: NDArray[np.uint8 | np.uint16]
    confidence: NDArray[np.float32]
    losses: NDArray[np.float32]

    @staticmethod
    def of(log_probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> Predictions:
        """From log-probabilities [N, classes] and true classes [N]."""
        rows = np.arange(len(labels))
        predicted = log_probabilities.argmax(1)
        kind = np.uint8 if log_probabilities.shape[1] <= _BYTE else np.uint16
        return Predictions(
            predicted.astype(kind),
            labels.astype(kind),
            np.exp(log_probabilities[rows, predicted]).astype(np.float32),
            (-log_probabilities[rows, labels]).astype(np.float32),
        )

    @property
    def correct(self) -> int:
        """How many answers are right."""
        return int((self.predicted == self.labels).sum())

    @property
    def loss(self) -> float:
        """The mean loss."""
        return float(self.losses.astype(np.float64).mean())

    @property
    def digest(self) -> str:
        """SHA-256 of all four arrays."""
        return sha256(b"".join(array.tobytes() for array in self.arrays().values()))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, as they are stored."""
        return {
            "predicted": self.predicted, "labels": self.labels,
            "confidence": self.confidence, "losses": self.losses,
        }  # fmt: skip

    def confusion(self, classes: int) -> NDArray[np.int64]:
        """Counts [true class, predicted class]."""
        counts = np.zeros((classes, classes), np.int64)
        np.add.at(counts, (self.labels, self.predicted), 1)
        return counts
