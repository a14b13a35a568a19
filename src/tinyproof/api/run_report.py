"""The pictures and the page of a stored run, from its record: for `report`, `train` and `run`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tinyproof.api import course, exports_told
from tinyproof.api import data as data_job
from tinyproof.api.draw import anatomy_picture
from tinyproof.core.errors import DataError, TinyproofError
from tinyproof.core.files import write_atomic
from tinyproof.core.printed import Part
from tinyproof.data import published
from tinyproof.data.catalogue import SETS
from tinyproof.data.dataset import Dataset, overlap
from tinyproof.network import budget as budgets
from tinyproof.network.budget import Budget, Check
from tinyproof.show import commands, plots, run_plots
from tinyproof.show.drawing.shapes import svg
from tinyproof.show.run_page import Backprop, Page, Picture, report_html, single_run_words, verdict
from tinyproof.show.words import epochs_table, overlap_words
from tinyproof.train import store
from tinyproof.train.augment import borders, draw
from tinyproof.train.run_record import Predictions, Run

if TYPE_CHECKING:
    from tinyproof.network.anatomy import Anatomy

REPORT = "report.html"
# A page shows samples of so many classes.
_CLASSES_SHOWN = 20
FILES = (
    (REPORT, "this page"),
    ("run.json", "the run's record"),
    (store.BUDGET, "the budget that was asked"),
    ("predictions.npz", "every answer on the test images"),
    ("weights.safetensors", "the trained weights"),
    ("log.csv", "every epoch"),
    ("layers.txt", "the layer summary"),
    ("samples.png", "sample images"),
    ("curves.png", "loss and accuracy"),
    ("confusion.png", "confusion matrix"),
    ("misclassified.png", "what it misreads"),
)


def write_report(
    folder: Path,
    *,
    dataset: Dataset | None = None,
    data: str | Path | None = None,
    budget: Budget | None = None,
    backprop: Backprop | None = None,
    files: tuple[tuple[str, str], ...] = (),
    given: str | None = None,
) -> tuple[Run, tuple[Check, ...]]:
    """Write the pictures and `report.html` of the run in a folder; returns its record and the checks of its budget.

    `dataset`: None looks for the run's own. `given`: the path of somebody's own data, for what the page suggests. See
    `report` for what is raised.
    """
    record, predictions = store.load(folder), store.load_predictions(folder)
    if predictions.digest != record.predictions_digest or predictions.correct != record.correct:
        raise DataError(str(folder), "run.json and predictions.npz do not belong together", "train again with --force")
    notes = exports_told.notes(folder, predictions)
    images = dataset or _dataset(record, data, notes)
    if budget is not None:
        store.keep_budget(folder, record, budget)
    goal = budget or store.load_budget(folder, record)
    checks = budgets.check(goal, record.facts)
    if images is not None:
        notes.append(overlap_words(overlap(images), images.title))
    if backprop is None and (part := course.course_part(folder)) is not None:
        backprop, files = part, (*files, *course.FILES)
    # Who hands over the data set has just trained; a record found on the disk must not decide which file is run.
    own = ":" in record.identity.model
    found = None if own and dataset is None else anatomy_of(record)
    if own and dataset is None:
        notes.append(f"the layers are left out: {record.identity.model} is a program, not run for a stored record")
    pictures = _pictures(record, predictions, images, goal.accuracy_percent)
    _write(folder, record, pictures, found, goal.accuracy_percent)
    listed = tuple((name, words) for name, words in (*FILES, *files) if name == REPORT or (folder / name).is_file())
    title = images.title if images else record.identity.dataset
    told = commands.prove_run(record, goal.accuracy_percent, given)
    drawing = svg(anatomy_picture(record.identity.model, found)) if found else ""
    layers = found.table() if found else None
    page = Page(title, checks, pictures, layers, drawing, notes, files=listed, backprop=backprop, command=told)
    write_atomic(folder / REPORT, report_html(record, page))
    return record, checks


def run_parts(record: Run, checks: tuple[Check, ...], page: Path) -> list[Part]:
    """A run as it is printed: its accuracy, whether its budget is kept, where its page is."""
    budget = [budgets.table(checks)] if checks else []
    where = f"written: {page}, and beside it record, weights, log and pictures"
    return [f"{single_run_words(record)}\n{verdict(checks)[1]}", *budget, where]


def _dataset(record: Run, data: str | Path | None, notes: list[str]) -> Dataset | None:
    """The run's own data set, or None with a note why there is none."""
    name = record.identity.dataset
    try:
        there = name not in SETS or published.find(SETS[name], data)
        found = data_job.choose(name, data) if there else None
    except TinyproofError as error:
        notes.append(f"warning: the pictures of images are left out: {error}")
        return None
    if found is None or found.digest != record.identity.data_digest:
        why = "is not on this machine" if found is None else "is not the one that this run was trained on"
        notes.append(f"warning: the pictures of images are left out: the data set {name} {why}")
        return None
    return found


def anatomy_of(record: Run) -> Anatomy | None:
    """The layers of a run's network; None without torch. A network of somebody's own is made: its file is run."""
    if not find_spec("torch"):
        return None
    from tinyproof.network import anatomy, nets

    module = nets.build(record.identity.model, 0, record.shape, len(record.classes))
    return anatomy.summary(module, record.shape)


def _pictures(
    record: Run, predictions: Predictions, images: Dataset | None, target: float | None
) -> dict[str, Picture]:
    classes = record.classes
    wrong = len(predictions.labels) - predictions.correct
    found = {
        "loss": Picture(
            run_plots.curves(record.epochs, target, ("loss",)),
            "Loss by epoch, training and test",
            "Loss after every epoch.",
        ),
        "accuracy": Picture(
            run_plots.curves(record.epochs, target, ("accuracy",)),
            "Accuracy by epoch, training and test",
            "Accuracy after every epoch. The last epoch counts, never the best one.",
        ),
        "confusion": Picture(
            plots.confusion(predictions.confusion(len(classes)), classes),
            "Confusion matrix of the test images",
            f"True and predicted classes of {len(predictions.labels):,} test images; {wrong:,} lie off the diagonal.",
        ),
    }
    if images is not None:
        found["samples"] = _samples(record, images)
        gallery = run_plots.misread(images.test_images, predictions, classes)
        if gallery is not None:
            png, shown, many = gallery
            words = f"All {many} mistakes" if shown == many else f"The {shown} surest of {many} mistakes"
            caption = f"{words}, with the true class, the class that was read and how sure the network was."
            found["misread"] = Picture(png, "Test images that were misread", caption)
    return found


def _samples(record: Run, images: Dataset) -> Picture:
    """Two images of each class as they are, and, where the recipe changes them, the same two as trained on."""
    present = [label for label in range(len(images.classes)) if (images.train_labels == label).any()][:_CLASSES_SHOWN]
    firsts = [_first_of_each(images, present, skip) for skip in range(2)]
    rows = [("as it is", row) for row in firsts]
    first = f" of the first {_CLASSES_SHOWN} of {len(images.classes)}" if len(images.classes) > _CLASSES_SHOWN else ""
    caption = f"Training images of {images.title}, two of each class{first}"
    if not record.recipe.augment.nothing and find_spec("torch"):
        rows += [("as trained on", _changed(row, record, number)) for number, row in enumerate(firsts)]
        caption += ", and the same two as one epoch changed them"
    png = run_plots.samples(rows, [images.classes[label] for label in present])
    return Picture(png, f"Sample training images of {images.title}", caption + ".")


def _changed(row: NDArray[np.uint8], record: Run, number: int) -> NDArray[np.uint8]:
    import torch

    from tinyproof.train.engine.torch_engine import apply

    generator = np.random.Generator(np.random.PCG64([record.identity.seed, number]))
    transforms = draw(record.recipe.augment, len(row), generator, 0.0, record.shape[1:])
    assert transforms is not None
    changed = apply(torch.from_numpy(row).float(), transforms, torch.from_numpy(borders(row)))
    return changed.round().clamp(0, 255).to(torch.uint8).numpy()


def _first_of_each(images: Dataset, labels: Sequence[int], skip: int) -> NDArray[np.uint8]:
    found = [np.flatnonzero(images.train_labels == label) for label in labels]
    return np.stack([images.train_images[where[min(skip, len(where) - 1)]] for where in found])


def _write(
    folder: Path, record: Run, pictures: dict[str, Picture], found: Anatomy | None, target: float | None
) -> None:
    write_atomic(folder / "curves.png", run_plots.curves(record.epochs, target))
    for name, file in (("samples", "samples"), ("confusion", "confusion"), ("misread", "misclassified")):
        if name in pictures:
            write_atomic(folder / f"{file}.png", pictures[name].png)
    write_atomic(folder / "log.csv", epochs_table(record).csv())
    if found is not None:
        write_atomic(folder / "layers.txt", found.table().text() + "\n")
