"""Looks: evaluations as others made them, after a given epoch, on given images; kept beside the run they belong to."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError
from tinyproof.core.fields import from_mapping
from tinyproof.core.files import write_atomic
from tinyproof.core.plain_data import read_json
from tinyproof.data.dataset import Dataset
from tinyproof.train.augment import borders, draw
from tinyproof.train.recipe import Augment, Recipe

FILE = "looks.json"
_MAX_BYTES = 1_000_000
_STREAM, _BATCH = 77, 1000
_NAME = re.compile(r"epoch-([1-9]\d{0,5})-(training|test)(-augmented)?")

Images = Literal["training", "test"]


@dataclass(frozen=True)
class Look:
    """One evaluation: after which epoch (from 1), on which images, and whether they carried the training augmentation.

    The network is in evaluation mode in every case, as it was in the published notebooks.
    """

    epoch: int
    images: Images
    augmented: bool = False

    @property
    def name(self) -> str:
        """A short name, used as a key in records.

        >>> Look(13, "training", augmented=True).name
        'epoch-13-training-augmented'
        """
        return f"epoch-{self.epoch}-{self.images}" + ("-augmented" if self.augmented else "")


@dataclass(frozen=True)
class LookResult:
    """What a look saw: how many of `images` were right, and their mean loss."""

    correct: int
    images: int
    loss: float

    @property
    def percent(self) -> float:
        """Accuracy, 0 to 100."""
        return 100 * self.correct / self.images


def take(place: Path, look: Look, engine: Any, dataset: Dataset, recipe: Recipe, seed: int) -> None:
    """Evaluate `engine` (see `tinyproof.train.engine.Engine`) as `look` says; what it saw goes to the run's folder."""
    found = {**load(place), look.name: seen(look, engine, dataset, recipe, seed)}
    text = json.dumps({name: asdict(value) for name, value in found.items()}, indent=1, sort_keys=True)
    write_atomic(place / FILE, text + "\n")


def seen(look: Look, engine: Any, dataset: Dataset, recipe: Recipe, seed: int) -> LookResult:
    """What `engine` sees as `look` says: the same at every call, for the images are changed by the run's seed."""
    images, labels = dataset.test_images, dataset.test_labels
    if look.images == "training":
        images, labels = dataset.train_images, dataset.train_labels
    if look.augmented:
        images = changed(images, recipe.augment, seed, look.epoch)
    answer = engine.evaluate(images, labels)
    correct = int((answer.log_probabilities.argmax(1) == labels).sum())
    return LookResult(correct, len(labels), answer.loss_sum / len(labels))


def named(name: str) -> Look | None:
    """The look of a name, or None where it names none.

    >>> named("epoch-13-training-augmented") == Look(13, "training", augmented=True)
    True
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    return Look(int(match[1]), "training" if match[2] == "training" else "test", match[3] is not None)


def load(place: Path) -> dict[str, LookResult]:
    """What every look at a run saw, by the look's name. Raises DataError for a broken file or impossible counts."""
    if not (place / FILE).is_file():
        return {}
    data = read_json(place / FILE, _MAX_BYTES)
    if not isinstance(data, dict):
        raise DataError(str(place / FILE), "is not a table of evaluations")
    found = {str(name): from_mapping(LookResult, value, str(place / FILE)) for name, value in data.items()}
    for name, value in found.items():
        if not 0 <= value.correct <= value.images or value.images < 1 or value.loss < -1e-3:
            raise DataError(str(place / FILE), f"holds an impossible evaluation, {name}")
    return found


def changed(images: NDArray[np.uint8], augment: Augment, seed: int, epoch: int) -> NDArray[np.uint8]:
    """The images as training sees them: each changed by a draw of its own, rounded to whole values [N, C, H, W]."""
    import torch

    from tinyproof.train.engine.torch_engine import apply

    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, epoch, _STREAM))))
    parts = []
    for start in range(0, len(images), _BATCH):
        batch = images[start : start + _BATCH]
        transforms = draw(augment, len(batch), generator, 0.0, images.shape[2:])
        if transforms is None:
            return images
        edges = torch.from_numpy(borders(batch))
        found = apply(torch.from_numpy(batch).float(), transforms, edges)
        parts.append(found.round().clamp(0, 255).to(torch.uint8).numpy())
    return np.concatenate(parts)
