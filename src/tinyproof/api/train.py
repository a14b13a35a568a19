"""`train`: one run under a budget, from the data to the pictures and the page; resumes; says what it does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tinyproof.api import data as data_job
from tinyproof.core import files
from tinyproof.core.errors import InputError
from tinyproof.core.fields import one_of, whole
from tinyproof.core.files import check_output, output_folder
from tinyproof.data.dataset import Dataset
from tinyproof.network.budget import Budget, Check
from tinyproof.show.progress import console, training
from tinyproof.show.words import recipe_words
from tinyproof.train import store
from tinyproof.train.engine import NAMES as ENGINES
from tinyproof.train.environment import device as device_there
from tinyproof.train.environment import need_torch
from tinyproof.train.recipe import Recipe, default
from tinyproof.train.recipe_text import parse
from tinyproof.train.run_record import Run

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


@dataclass(frozen=True)
class Ask:
    """Everything that a training job can be asked for; see `train`."""

    model: str = "s7-8k"
    recipe: str | Recipe | None = None
    dataset: str | Dataset = "auto"
    data: str | Path | None = None
    seed: int = 0
    epochs: int | None = None
    quick: bool = False
    out: str | Path | None = None
    engine: str = "auto"
    device: str = "auto"
    threads: int | None = None
    budget: Budget | None = None
    force: bool = False
    quiet: bool = False

    def say(self, line: str) -> None:
        """Tell the user, unless the job is to be quiet."""
        if not self.quiet:
            console().print(line)


@dataclass(frozen=True, eq=False)
class Ready:
    """An ask whose every value was found right: the recipe and the data set it means, the folder, the budget."""

    ask: Ask
    recipe: Recipe
    images: Dataset
    folder: Path
    budget: Budget


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

    `model`: a name (see `tinyproof models`) or `path/to/model.py:Class`. `recipe`: a name, a TOML file (both with
    changes, `best,rate=0.01`) or a Recipe; None takes the network's own for the data set. `dataset`: `auto`, `mnist`,
    `digits`, or a path of your own. `epochs` and `quick` (two epochs) replace the recipe's epochs. `out`: None names a
    folder after the run. `budget`: None takes the network's course budget and the data set's target. Raises InputError,
    DataError, OutputError, Diverged; Stopped after Ctrl-C, and the same call goes on from there.

    For example `result = train("s7-8k", dataset="digits", quick=True, out="runs/first")`.
    """
    ask = Ask(
        model, recipe, dataset, data, seed, epochs, quick, out, engine, device, threads, budget, force, quiet
    )  # fmt: skip
    ready = prepare(ask)
    run, reused = work(ready)
    from tinyproof.api.report import report

    checks = report(ready.folder, dataset=ready.images, budget=ready.budget, quiet=quiet)
    return TrainResult(run, checks, ready.folder, reused)


def prepare(ask: Ask) -> Ready:
    """Find every mistake before any work is done: network, recipe, numbers, device, folder, data."""
    need_torch("training")
    from tinyproof.network import nets

    nets.build(ask.model)
    recipe = parse(ask.recipe) if isinstance(ask.recipe, str) else ask.recipe
    whole("seed", ask.seed, 0, 2**31 - 1)
    one_of("engine", ask.engine, ENGINES)
    device_there(ask.device)
    if ask.threads is not None:
        whole("threads", ask.threads, 1, 1024)
    with_epochs(recipe or default(ask.model, "mnist"), ask.epochs, ask.quick)
    if ask.out is not None:
        check_output(ask.out)
    images = ask.dataset
    if isinstance(images, str):
        images = data_job.choose(images, ask.data, ask.say, not ask.quiet)
    chosen = with_epochs(recipe or default(ask.model, images.name), ask.epochs, ask.quick)
    name = folder_name(ask.model, chosen, images, ask.seed)
    folder = output_folder(ask.out if ask.out is not None else Path("tinyproof-out") / name)
    budget = ask.budget or replace(nets.budget_of(ask.model), accuracy_percent=images.target_percent)
    return Ready(ask, chosen, images, folder, budget)


def work(ready: Ready) -> tuple[Run, bool]:
    """Train, or go on, or find the finished run: its record, and whether it was found."""
    from tinyproof.train.loop import train as training_loop

    ask, folder, say = ready.ask, ready.folder, ready.ask.say
    data_job.describe(ready.images, say)
    if ask.force:
        with store.locked(folder):
            store.clear(folder)
    say(f"recipe {recipe_words(ready.recipe)}")
    with training(ready.recipe.epochs, ask.quiet) as watch:
        done = training_loop(
            ask.model, ready.recipe, ready.images, ask.seed,
            folder=folder, engine=ask.engine, device=ask.device, threads=ask.threads, watch=watch,
        )  # fmt: skip
    if done.reused:
        say(f"already trained: {folder} holds this very run (seed {ask.seed}); --force trains it again")
    return done.run, done.reused


def with_epochs(recipe: Recipe, epochs: int | None, quick: bool) -> Recipe:
    """The recipe with another number of epochs. Raises InputError for 0 epochs, or when both are asked for."""
    if epochs is not None and quick:
        raise InputError("epochs", epochs, "either --epochs or --quick, not both")
    if quick:
        return replace(recipe, epochs=QUICK_EPOCHS)
    return recipe if epochs is None else replace(recipe, epochs=epochs)


def folder_name(model: str, recipe: Recipe, images: Dataset, seed: int) -> str:
    """A folder for a run that says what it is."""
    stem = model if ":" not in model else "-".join((Path(model.rpartition(":")[0]).stem, model.rpartition(":")[2]))
    return files.folder_name(f"{stem}-{recipe.name}-{images.name}-{recipe.epochs}epochs-seed{seed}")
