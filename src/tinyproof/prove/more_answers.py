"""Answers to further test images, given by the stored weights of a proof's runs and reported beside its verdict.

They decide nothing: the declaration names the test images that do. Layout: `also-NAME.json` beside the declaration
(what was counted, and of which answers), `seed-17/also-NAME.npz` the answers. Reading needs no torch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core import stats
from tinyproof.core.errors import DataError, InputError
from tinyproof.core.fields import from_mapping, whole
from tinyproof.core.files import write_atomic, writing
from tinyproof.core.listener import SILENT, Listener
from tinyproof.core.plain_data import read_json
from tinyproof.data.dataset import Dataset
from tinyproof.data.more_tests import NAMES, MoreTests
from tinyproof.network import model_name
from tinyproof.prove.proof import Proof, Result, labels_sha256
from tinyproof.train import environment, store
from tinyproof.train.run_record import Predictions, Run

FORMAT = "tinyproof-also/1"
_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Count:
    """One run: how many of the further images it has right, and the digest of its answers to them."""

    seed: int
    correct: int
    answers: str


@dataclass(frozen=True, kw_only=True)
class MoreAnswers:
    """What the runs of a declaration say to further images: `name` and digests of the images, a count for each run."""

    name: str
    digest: str
    labels_sha256: str
    images: int
    declaration: str
    runs: tuple[Count, ...]

    def __post_init__(self) -> None:
        whole("images", self.images, 1, 10**7)
        for run in self.runs:
            whole("correct", run.correct, 0, self.images)

    @property
    def percents(self) -> list[float]:
        """The accuracy of each run, in percent."""
        return [100 * run.correct / self.images for run in self.runs]

    @property
    def sampling_error(self) -> float:
        """The standard error, in points, that the choice of so many images gives the accuracy of one network."""
        share = stats.mean(self.percents) / 100
        return 100 * math.sqrt(share * (1 - share) / self.images)

    def words(self, whose: str = "") -> str:
        """One line for people; `whose`: who answered, where it is not what the proof judges."""
        found = stats.mean(self.percents)
        of = f"{len(self.runs)} run{'s' if len(self.runs) > 1 else ''}{whose and f', answered by {whose}'}"
        told = f"beside, on {self.name} ({self.images:,} other test images): mean {found:.3f} % of {of}"
        if len(self.runs) > 1:
            interval = stats.mean_interval(self.percents, resolution=100 / self.images)
            told += f", 95 % interval {interval.low:.3f} to {interval.high:.3f}"
        return f"{told}; sampling error {self.sampling_error:.3f} points; it decides nothing"


def file_of(name: str) -> str:
    """The file of further answers in the folder of a proof."""
    return f"also-{name}.json"


def answers_of(place: Path, name: str) -> Path:
    """The answers of a run, in its folder."""
    return place / f"also-{name}.npz"


def stored(folder: Path) -> list[str]:
    """The names of further images of which a folder holds answers."""
    return [name for name in NAMES if (folder / file_of(name)).is_file()]


def load(folder: Path, name: str) -> MoreAnswers:
    """What a folder says of further images. Raises DataError, InputError for a file that is none of ours."""
    path = folder / file_of(name)
    data = read_json(path, _MAX_BYTES)
    if not isinstance(data, dict) or data.pop("format", None) != FORMAT or not isinstance(data.get("runs"), list):
        raise DataError(str(path), "does not say what runs answered to further images")
    runs = tuple(from_mapping(Count, run, str(path)) for run in data["runs"])
    if not runs or len({run.seed for run in runs}) < len(runs):
        raise DataError(str(path), "counts no run, or one of them twice")
    return from_mapping(MoreAnswers, {**data, "runs": runs}, str(path))


def every(folder: Path) -> list[MoreAnswers]:
    """All that a folder says of further images; what cannot be read is left to `verify`."""
    found = []
    for name in stored(folder):
        try:
            found.append(load(folder, name))
        except (DataError, InputError):
            continue
    return found


def fits(run: Run, more: MoreTests) -> bool:
    """Whether a run's network takes these images and knows their classes."""
    return run.shape == more.images.shape[1:] and int(more.labels.max()) < len(run.classes)


def answer(found: Proof, more: MoreTests, model: str, listener: Listener = SILENT) -> MoreAnswers:
    """Let the stored weights of every ended run answer, keep the answers, and count them. `model`: the network, a name
    or the file that the user named. Runs that have answered these very images are not asked again.

    Raises InputError where weights were not kept or the images do not fit.
    """
    before = {run.seed: run for run in load(found.folder, more.name).runs} if more.name in stored(found.folder) else {}
    counts = []
    for result in found.results:
        seed = result.run.identity.seed
        kept = before.get(seed)
        if kept is None or not _same(answers_of(result.folder, more.name), kept, more):
            listener.say(f"seed {seed}: answers {len(more.labels):,} images of {more.name}")
            given = Predictions.of(log_probabilities(result.folder, result.run, more, model), more.labels)
            with writing(answers_of(result.folder, more.name)) as beside, beside.open("wb") as file:
                np.savez_compressed(file, **given.arrays())  # type: ignore[arg-type]
            kept = Count(seed, given.correct, given.digest)
        counts.append(kept)
    told = MoreAnswers(
        name=more.name, digest=more.digest, labels_sha256=labels_sha256(more.labels), images=len(more.labels),
        declaration=found.declaration.digest, runs=tuple(counts),
    )  # fmt: skip
    write_atomic(found.folder / file_of(more.name), json.dumps({"format": FORMAT, **asdict(told)}, indent=1) + "\n")
    return told


def _same(path: Path, kept: Count, more: MoreTests) -> bool:
    try:
        there = store.read_predictions(path)
    except DataError:
        return False
    return there.digest == kept.answers and bool(np.array_equal(there.labels, more.labels))


def log_probabilities(place: Path, run: Run, more: MoreTests, model: str) -> NDArray[np.float32]:
    """What the stored weights of a run say to these images, [N, classes]. Raises InputError, DataError."""
    environment.need_torch("evaluating weights")
    import torch

    from tinyproof.network import nets
    from tinyproof.train.engine.torch_engine import TorchEngine

    if not fits(run, more):
        problem = f"are {list(more.images.shape[1:])} of other classes than the runs know"
        raise InputError("also", more.name, f"images as {run.identity.dataset}'s", problem=problem)
    module = nets.build(model, 0, run.shape, len(run.classes))
    values = {key: torch.from_numpy(value.copy()) for key, value in store.load_weights(place).items()}
    try:
        module.load_state_dict(values)
    except RuntimeError as error:
        raise DataError(str(place / store.WEIGHTS), "do not fit the network") from error
    dataset = Dataset(
        name=more.name, train_images=more.images[:1], train_labels=more.labels[:1], test_images=more.images,
        test_labels=more.labels, mean=run.mean, std=run.std, classes=run.classes,
    )  # fmt: skip
    # What is stored are the final weights: averaged already where the recipe averages.
    seen = TorchEngine(module, replace(run.recipe, ema=None), dataset).evaluate(more.images, more.labels)
    return np.asarray(seen.log_probabilities, np.float32)


def can_answer(model: str, named: bool, results: Sequence[Result], name: str = "") -> None:
    """Raise InputError where nothing can answer: no weights, or a network of somebody's own that nobody named here.
    `name`: of the further images; a run that has answered them needs no weights."""
    if model_name.is_own(model) and not named:
        remedy = "give the whole command of the proof again, with --also"
        raise InputError("also", model, remedy, problem="is a file that only the record names")
    silent = [result for result in results if not answers_of(result.folder, name).is_file()]
    if any(not (one.run.weights_digest and (one.folder / store.WEIGHTS).is_file()) for one in silent):
        raise InputError("also", None, "prove without --no-weights", problem="needs the weights of every run")


def to_json(told: Sequence[MoreAnswers], whose: str = "") -> list[dict[str, Any]]:
    """Plain data, one for each set of images; `whose`: who answered, where it is not what the proof judges."""
    by = {"answered_by": whose} if whose else {}
    return [{**asdict(one), "mean": stats.mean(one.percents), **by} for one in told]
