"""Write an export of a stored run: its files, their answers to the test images, the record and the model card."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyproof import __version__
from tinyproof.core.errors import DataError, OutputError
from tinyproof.core.files import reason, sha256, write_atomic
from tinyproof.data.arrays import MOST_BYTES
from tinyproof.data.dataset import Dataset
from tinyproof.network.budget import ON_A_CHIP, Budget, on_a_chip
from tinyproof.prove import proof_of_run
from tinyproof.prove.proof import Proof
from tinyproof.prove.verify import recompute
from tinyproof.prove.verify.recompute import Again
from tinyproof.ship import c_count, c_run, c_size, exported
from tinyproof.ship.card import CARD, card
from tinyproof.ship.claim import Proved
from tinyproof.ship.exported import (
    ANSWERS,
    FOR_PEOPLE,
    IN_WHOLE_NUMBERS,
    NAME,
    NOTHING,
    RECORD,
    TOLERANCE,
    Exported,
)
from tinyproof.ship.tool import ToolTrouble
from tinyproof.train import environment, store
from tinyproof.train.recipe import Recipe
from tinyproof.train.run_record import Identity, Predictions, Run

if TYPE_CHECKING:
    from tinyproof.ship.artefact import Made


def whole(folder: Path) -> tuple[Run, Predictions]:
    """The record and the answers of a run whose files belong together. Raises DataError."""
    record, answers = store.load(folder), store.load_predictions(folder)
    if (answers.digest, answers.correct) != (record.predictions_digest, record.correct):
        raise DataError(str(folder), "run.json and predictions.npz do not belong together", "train again with --force")
    path = folder / store.WEIGHTS
    if not record.weights_digest or not path.is_file():
        raise DataError(str(folder), "holds no weights: there is nothing to export", "train with weights kept")
    if sha256(path, MOST_BYTES) != record.weights_digest:
        raise DataError(str(path), "is not the file that this run wrote", "train again with --force")
    return record, answers


@contextlib.contextmanager
def new(place: Path) -> Iterator[Path]:
    """A folder beside `place`, which takes its name when the block ends well and is removed otherwise. OutputError."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{place.name[:80]}.", suffix=".partial", dir=place.parent))
    except OSError as error:
        raise OutputError(place, reason(error)) from error
    try:
        yield beside
        beside.chmod(0o755)
        os.rename(beside, place)  # noqa: PTH104 (it refuses a folder that came in between)
    except OSError as error:
        raise OutputError(place, reason(error)) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def for_judging(place: Path, to: str, model: str, dataset: Dataset, counted: bool = False) -> str:
    """Export a finished run of a proof in its folder; why its weights cannot be exported, or nothing.

    `model`: the network, a name or the file that the user named; `counted`: with its instructions. Raises DataError
    for a run without weights or with changed ones, ToolTrouble where a compiler is missing or fails, OutputError.
    """
    record, answers = whole(place)
    again = recompute.with_weights(place, record, model, dataset)
    goal = exported.folder_of(place, to)
    for left in place.glob(f".{goal.name}.*.partial"):  # of a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    try:
        with new(goal) as beside:
            write(beside, to, exported.usual_input(to), answers, again, proved=None, counted=counted)
    except ToolTrouble:
        raise
    except DataError as error:
        return str(error)
    return ""


def check(to: str, model: str, module: Any, dataset: Dataset, recipe: Recipe) -> None:
    """Before anything is trained: write the export of the untrained network aside and let it answer an image. Raises
    DataError for a network that the format does not take, or where what it needs is missing or fails."""
    from tinyproof.ship import artefact, operations

    run = _untrained(model, dataset, recipe, module)
    layers = operations.layers_of(model, module, dataset.shape, len(dataset.classes))
    weights = {key: value.numpy() for key, value in module.state_dict().items()}
    if to == "c" and c_run.compiler() is None:
        raise DataError(model, "cannot be proved as c: no C compiler is here", "set CC or install gcc or clang")
    try:
        made = artefact.made(to, exported.usual_input(to), run, layers, weights, dataset=dataset)
    except DataError as error:
        if isinstance(error.__cause__, OverflowError):  # of these weights, not of the network
            return
        raise
    with tempfile.TemporaryDirectory(prefix="tinyproof-check-") as folder:
        for file, content in made.files.items():
            write_atomic(Path(folder) / file, content)
        made.answered(Path(folder), dataset.test_images[:1])


def _untrained(model: str, dataset: Dataset, recipe: Recipe, module: Any) -> Run:
    """What an exported file says of a run, of one that there is not."""
    identity = Identity(
        model=model, model_digest="", recipe=recipe, seed=0, dataset=dataset.name, held_out=False,
        data_digest=dataset.digest, engine="torch", device="cpu", threads=1,
    )  # fmt: skip
    values = list(module.state_dict().values())
    return Run(
        identity=identity, epochs=(), correct=0, test_count=1, train_count=1, test_loss=0.0, macs=None,
        parameters=sum(value.numel() for value in values), weight_bytes=4 * sum(value.numel() for value in values),
        kinds=(), dropout_active=False, global_average_pooling=None, seconds=0.0, started="", code_digest="",
        predictions_digest="", classes=dataset.classes, mean=dataset.mean, std=dataset.std, reading=dataset.reading,
    )  # fmt: skip


def write(
    folder: Path, to: str, takes: str, answers: Predictions, again: Again, *, proved: Proved | None, name: str = NAME,
    counted: bool = False,
) -> Exported:  # fmt: skip
    """Write the files of an export, let them answer, and write the record; `counted`: with the instructions that C
    takes. Raises DataError where they err."""
    from tinyproof.ship import artefact, operations

    run, model = again.run, again.run.identity.model
    layers = operations.layers_of(model, again.module, run.shape, len(run.classes))
    weights = {key: value.numpy() for key, value in again.module.state_dict().items()}
    made = artefact.made(to, takes, run, layers, weights, dataset=again.dataset, proved=proved, name=name)
    for file, content in made.files.items():
        write_atomic(folder / file, content)
    said = _answered(folder, to, made, answers, again)
    found = Exported(
        to=to, input=takes, model=model, files={file: sha256(content) for file, content in made.files.items()},
        weights=run.weights_digest, run_answers=answers.digest, proved=proved, name=name,
        tolerance=0.0 if to in IN_WHOLE_NUMBERS else TOLERANCE, version=__version__, versions=environment.versions(),
        **made.sized(), **(made.counted(again.dataset.test_images) if counted else {}), **said,
    )  # fmt: skip
    return told(folder, run, found)


def tell(found: Proof) -> None:
    """Write the verdict of a proof into the records and model cards of the exports that it judged."""
    proved = proof_of_run.of(found)
    for result in found.results:
        record = result.export.record if result.export else None
        # What another version wrote is not written anew: its card would not be the one that it names.
        if record and record.version == __version__ and record.proved != proved:
            told(exported.folder_of(result.folder, record.to), result.run, replace(record, proved=proved))


def unsized(found: Proof) -> str:
    """What to do where limits of flash, RAM or instructions hang on exports that nothing measured, and why the
    instructions were not counted; empty where they do not."""
    limits, exports = found.declaration.budget, [result for result in found.results if result.export]
    lost = [(one.folder, one.export.unmeasured(limits), one.export.record) for one in exports if one.export]
    lost = [one for one in lost if one[1]]
    if not lost or found.kept is not None:
        return ""
    names = {name for _, unknown, _ in lost for name in unknown}
    known: dict[str, Any] = dict.fromkeys(set(ON_A_CHIP) - names)
    limits = replace(limits, **known)  # those alone that hang on what was not measured
    missing, folder = _missing(limits), exported.folder_of(Path(), found.declaration.judged_as)
    why = sorted({record.not_counted for _, unknown, record in lost if "instructions_below" in unknown} - {""})
    because = f" ({'; '.join(why)})" if why and not missing else ""
    first = f"install {missing}, then " if missing else ""
    kept = all((place / store.WEIGHTS).is_file() for place, *_ in lost)
    then = f"remove {folder} of those runs and give the same command again" if kept else "prove anew in another folder"
    count = f"{len(lost)} of {len(found.results)} exports"
    return f"{on_a_chip(limits)} of {count} were not measured{because}: {first}{then}"


def lacking(limits: Budget) -> str:
    """What to install to measure what is limited on a microcontroller, in a line; empty where nothing is missing."""
    words = on_a_chip(limits)
    if not words or not (missing := _missing(limits)):
        return ""
    remedy = f"install it (Debian: {c_count.package(missing)})"
    return f"{missing} is not installed: {remedy}, or whether the limit of {words} is kept will not be known"


def _missing(limits: Budget) -> str:
    return c_size.missing() if limits.instructions_below is None else c_count.missing()


def told(folder: Path, run: Run, record: Exported) -> Exported:
    """Write the model card of an export, then its record, which names the card by its digest. A card that already has
    the verdict beside a record that has not is what `verify` knows as half-written."""
    text = card(run, record)
    write_atomic(folder / CARD, text)
    record = replace(record, card=sha256(text.encode()))
    write_atomic(folder / RECORD, record.to_json())
    return record


def _answered(folder: Path, to: str, made: Made, answers: Predictions, again: Again) -> dict[str, Any]:
    """What the record says of the answers of the files, which are written beside it; of files for people, why there are
    none where nothing here runs them. Raises DataError where they err."""
    from tinyproof.ship import artefact

    images = artefact.asked(to, again.dataset)
    which = images or slice(None)
    try:
        if not artefact.runner(to):
            return {**NOTHING, "not_run": artefact.missing(to)}
        seen = made.answered(folder, again.dataset.test_images[which])
    except ToolTrouble as error:
        if to not in FOR_PEOPLE:
            raise
        return {**NOTHING, "not_run": str(error)}
    theirs = Predictions.of(seen.log_probabilities, again.dataset.test_labels[which])
    mine = exported.part(answers, images)
    apart = exported.difference(mine, theirs)
    if not apart <= TOLERANCE and to not in IN_WHOLE_NUMBERS:
        said = f"answers otherwise when exported: by {apart:.2g}, where {TOLERANCE:g} is rounding"
        raise DataError(again.run.identity.model, said)
    with (folder / ANSWERS).open("wb") as out:
        np.savez_compressed(out, **theirs.arrays())  # type: ignore[arg-type]
    return {
        "answers": theirs.digest, "correct": theirs.correct, "test_count": len(theirs.labels), "images": tuple(images),
        "changed": exported.changed(mine, theirs), "largest_difference": apart, "runner": seen.runner,
        "compiler": seen.compiler, "scores": seen.scores,
    }  # fmt: skip
