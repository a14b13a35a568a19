"""What one worker process does: train one declared seed, or measure some steps of it.

It holds the seed's folder, keeps a checkpoint after each epoch, and ends when the process that asked for it is gone.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tinyproof.core import lease
from tinyproof.core.errors import DataError
from tinyproof.core.lease import Busy
from tinyproof.core.listener import Listener, Progress
from tinyproof.data.dataset import Dataset
from tinyproof.data.load import is_own, load
from tinyproof.data.reading import AS_IT_IS, BEFORE, Asked
from tinyproof.network import model_name, own_files
from tinyproof.prove import evaluations, exporting, proof, sent_data
from tinyproof.prove.declaration import DataFacts, Declaration
from tinyproof.prove.evaluations import Look
from tinyproof.train import store

PROGRESS = ".progress.json"
_EVERY_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Work:
    """What every worker process needs: plain values only, so that they can be sent to it.

    `dataset`: a name, or the path of a user's own, which is read as it was declared; `data`: where MNIST lies (None:
    where it is usually found). `looks`: further evaluations after given epochs. `part`: the seeds that are trained
    here; none means all that were declared. `sent`: the file in which the data set was sent here from another machine.
    """

    folder: str
    declared: Declaration
    dataset: str
    data: str | None = None
    keep_weights: bool = True
    looks: tuple[Look, ...] = ()
    parent: int = 0
    part: tuple[int, ...] = ()
    sent: str = ""

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that are trained here."""
        return self.part or self.declared.seeds


@dataclass(frozen=True)
class Task:
    """One seed of one declaration, or (None) the measurement of some steps of it."""

    work: Work
    seed: int | None


def missing(work: Work) -> list[int]:
    """Seeds of this work that have neither ended (with their export, where it is judged) nor failed for good."""
    places = {seed: proof.seed_folder(Path(work.folder), seed) for seed in work.seeds}
    return [
        seed for seed, place in places.items() if not proof.ended(work.declared, place) and not proof.failure(place)
    ]


def untrained(work: Work) -> list[int]:
    """Those of the missing seeds that still have to be trained."""
    return [seed for seed in missing(work) if not store.finished(proof.seed_folder(Path(work.folder), seed))]


def do(task: Task) -> Any:
    """What is sent to a worker process: True when the seed was trained here, or the seconds that were measured."""
    return _measure(task.work) if task.seed is None else _end(task.work, task.seed)


def _end(work: Work, seed: int) -> bool:
    """Bring one seed to its end, export included where exports are judged; False when another process is at it."""
    declared, place = work.declared, proof.seed_folder(Path(work.folder), seed)
    if not declared.judged_as:
        return _train(work, seed)
    trained = not store.finished(place) and _train(work, seed)
    return _export(work, place) or trained


def _export(work: Work, place: Path) -> bool:
    """Export a finished run; False when there is nothing to export, or another process is at it. Weights that cannot
    be exported are kept as a failed run."""
    declared = work.declared
    if not store.finished(place) or proof.ended(declared, place) or proof.failure(place):
        return False
    dataset = declared_data(work)
    try:
        with store.locked(place):
            if proof.ended(declared, place):
                return False
            counted = declared.budget.instructions_below is not None
            why = exporting.for_judging(place, declared.judged_as, declared.model, dataset, counted)
            if why:
                proof.write_failure(place, why)
            if not work.keep_weights:
                (place / store.WEIGHTS).unlink(missing_ok=True)
    except Busy:
        return False
    return True


def drop_weights(work: Work) -> None:
    """Remove the weights of runs that have ended with their export, where none are wanted: a process that was killed
    after the export was made had no time to."""
    if work.keep_weights or not work.declared.judged_as:
        return
    for seed in work.declared.seeds:
        place = proof.seed_folder(Path(work.folder), seed)
        if (place / store.WEIGHTS).is_file() and proof.ended(work.declared, place):
            with contextlib.suppress(Busy), store.locked(place):
                (place / store.WEIGHTS).unlink(missing_ok=True)


def _train(work: Work, seed: int) -> bool:
    """Train one seed to its end; False when another process is at it. A diverged run is kept as failed: it is one."""
    from tinyproof.train.loop import Diverged, train

    declared, place = work.declared, proof.seed_folder(Path(work.folder), seed)
    if store.finished(place) or proof.failure(place):
        return False
    dataset = declared_data(work)
    ended_elsewhere = False  # while this process was getting ready
    try:
        ended_elsewhere = train(
            declared.model,
            declared.recipe,
            dataset,
            seed,
            folder=place,
            engine=declared.engine,
            device=declared.device,
            threads=declared.threads,
            test_each_epoch=False,
            keep_weights=work.keep_weights or bool(declared.judged_as),  # what is exported is made of them
            declaration=declared.digest,
            files=declared.files,
            after_epoch=_looks(work, seed, place, dataset),
            listener=_listener(work, place),
        ).reused
    except Busy:
        return False
    except Diverged as error:
        proof.write_failure(place, str(error))
    with contextlib.suppress(OSError):
        (place / PROGRESS).unlink(missing_ok=True)
    return not ended_elsewhere


def _listener(work: Work, place: Path) -> Listener:
    """Writes down how far the run has come, about once a second, for the process that asked for it."""
    last = 0.0

    def progress(pieces: Sequence[Progress]) -> None:
        nonlocal last
        if os.getppid() != work.parent:
            # Whoever asked for this run is gone: stop here, the checkpoint keeps what is done.
            os._exit(1)
        lease.check(place, at_once=False)  # this machine may have slept, and another have taken the seed over
        if time.monotonic() - last < _EVERY_SECONDS:
            return
        last = time.monotonic()
        with contextlib.suppress(OSError):
            (place / PROGRESS).write_text(json.dumps(asdict(pieces[0])), encoding="utf-8")

    return Listener(progress=progress)


def _looks(work: Work, seed: int, place: Path, dataset: Dataset) -> Callable[[int, Any], None]:
    """Takes the looks that are wanted after an epoch."""

    def take(epoch: int, engine: Any) -> None:
        for wanted in work.looks:
            if wanted.epoch == epoch:
                evaluations.take(place, wanted, engine, dataset, work.declared.recipe, seed)

    return take


def _measure(work: Work) -> float:
    """How long one run will take, in seconds."""
    from tinyproof.train.cost import seconds_a_run

    declared, dataset = work.declared, declared_data(work)
    return seconds_a_run(declared.model, declared.recipe, dataset, declared.engine, declared.device, declared.threads)


@functools.lru_cache(maxsize=2)
def load_data(dataset: str, data: str | None, asked: Asked = AS_IT_IS) -> Dataset:
    """A data set by name, or a user's own by its path; read once a process."""
    return load(dataset, data, asked=asked)


def read_as(facts: DataFacts, dataset: str) -> Asked:
    """How a user's own data has to be read to be what was declared."""
    if not is_own(dataset):
        return AS_IT_IS
    return facts.reading.asked if facts.reading else BEFORE


def local_data(work: Work) -> Dataset:
    """The data set of a run as it lies on this machine."""
    return load_data(work.dataset, work.data, read_as(work.declared.data, work.dataset))


def declared_data(work: Work) -> Dataset:
    """The data set of a run, under its declared name (a folder of yours may have been moved).

    Raises DataError when the data, or a file of the network, is not what was declared.
    """
    declared = work.declared
    dataset = sent_data.read(work.sent) if work.sent else local_data(work)
    if dataset.digest != declared.data.digest:
        raise DataError(dataset.source or dataset.name, "is not the data that was declared (its digest differs)")
    file = model_name.file_of(declared.model)
    told = own_files.changed(file.parent, declared.files)
    if told:
        raise DataError(str(file), f"is not the network that was declared: {', '.join(told)}")
    return dataset if dataset.name == declared.data.name else replace(dataset, name=declared.data.name)
