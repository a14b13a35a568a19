"""`train`: one run under a budget, from the data to the pictures and the page; resumes; says what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tinyproof.cnn import store
from tinyproof.cnn.budget import Budget, Check
from tinyproof.cnn.data import Dataset
from tinyproof.cnn.machine import need_torch
from tinyproof.cnn.recipe import Recipe, named
from tinyproof.cnn.recipe_text import parse
from tinyproof.cnn.run import Run
from tinyproof.core.errors import InputError
from tinyproof.core.fields import whole
from tinyproof.core.files import output_folder
from tinyproof.jobs import data as data_job
from tinyproof.show.progress import console, training
from tinyproof.show.words import recipe_words

QUICK_EPOCHS = 2


@dataclass(frozen=True)
class TrainResult:
    """What a training job gives: the run's record, the checks of its budget, its folder; `reused`: it was found."""

    run: Run
    checks: tuple[Check, ...]
    folder: Path
    reused: bool

    @property
    def kept(self) -> bool | None:
        """Whether the whole budget is kept; None when something of it is not known."""
        answers = [check.kept for check in self.checks]
        return False if False in answers else None if None in answers else True


def train(
    model: str = "s7-8k",
    *,
    recipe: str | Recipe | None = None,
    dataset: str | Dataset = "auto",
    data: str | Path | None = None,
    seed: int = 0,
    epochs: int | None = None,
    quick: bool = False,
    out: str | Path | None = None,
    engine: str = "auto",
    device: str = "auto",
    threads: int | None = None,
    budget: Budget | None = None,
    force: bool = False,
    quiet: bool = False,
) -> TrainResult:
    """Train one network once and write its record, weights, pictures and page into one folder.

    `model`: a name (see `tinyproof models`) or `path/to/model.py:Class`. `recipe`: a name, a TOML file or a Recipe;
    None takes the best one for the data set. `epochs` and `quick` (two epochs) shorten or lengthen it. `out`: None
    names a folder after the run. `budget`: None takes the network's course budget and the data set's target.
    Raises InputError, DataError, OutputError, Diverged; Stopped after Ctrl-C, and the same call goes on from there.

    >>> result = train("s7-8k", dataset="digits", quick=True, out="runs/first")  # doctest: +SKIP
    """
    need_torch("training")
    from tinyproof.cnn import nets
    from tinyproof.jobs.report import report

    say = say_nothing if quiet else console().print
    nets.build(model)
    if isinstance(recipe, str):
        recipe = parse(recipe)
    options(seed, epochs, threads, device)
    if out is not None:
        output_folder(out)
    images = dataset if isinstance(dataset, Dataset) else data_job.choose(dataset, data, say, not quiet)
    chosen = with_epochs(recipe or default_recipe(images), epochs, quick)
    folder = output_folder(out if out is not None else Path("tinyproof-out") / folder_name(model, chosen, images, seed))
    data_job.describe(images, say)
    run, reused = _train(model, chosen, images, seed, folder, engine, device, threads, force, say, quiet)
    goal = budget or replace(nets.budget_of(model), accuracy_percent=images.target_percent)
    checks = report(folder, dataset=images, budget=goal, quiet=quiet)
    return TrainResult(run, checks, folder, reused)


def _train(
    model: str,
    recipe: Recipe,
    images: Dataset,
    seed: int,
    folder: Path,
    engine: str,
    device: str,
    threads: int | None,
    force: bool,
    say: Callable[[str], None],
    quiet: bool,
) -> tuple[Run, bool]:
    from tinyproof.cnn.train import train as work

    if force:
        with store.locked(folder):
            store.clear(folder)
    say(f"recipe {recipe_words(recipe)}")
    with training(recipe.epochs, quiet) as watch:
        done = work(
            model, recipe, images, seed, folder=folder, engine=engine, device=device, threads=threads, watch=watch
        )
    if done.reused:
        say(f"already trained: {folder} holds this very run (seed {seed}); --force would train it again")
    return done.run, done.reused


def say_nothing(line: str) -> None:
    """For quiet jobs."""


def default_recipe(images: Dataset) -> Recipe:
    """The best recipe for a data set: `best`, and `digits` for the digits."""
    return named("digits" if images.name == "digits" else "best")


def with_epochs(recipe: Recipe, epochs: int | None, quick: bool) -> Recipe:
    """The recipe with another number of epochs. Raises InputError for 0 epochs, or when both are asked for."""
    if epochs is not None and quick:
        raise InputError("epochs", epochs, "either --epochs or --quick, not both")
    if quick:
        return replace(recipe, epochs=QUICK_EPOCHS)
    return recipe if epochs is None else replace(recipe, epochs=epochs)


def options(seed: int, epochs: int | None, threads: int | None, device: str) -> None:
    """Refuse wrong values before any data is read. Raises InputError."""
    from tinyproof.cnn.machine import device as there

    whole("seed", seed, 0, 2**31 - 1)
    if epochs is not None:
        whole("epochs", epochs, 1, 10_000)
    if threads is not None:
        whole("threads", threads, 1, 1024)
    there(device)


def folder_name(model: str, recipe: Recipe, images: Dataset, seed: int) -> str:
    """A folder for a run that says what it is."""
    stem = model if ":" not in model else "-".join((Path(model.rpartition(":")[0]).stem, model.rpartition(":")[2]))
    name = f"{stem}-{recipe.name}-{images.name}-{recipe.epochs}epochs-seed{seed}"
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
