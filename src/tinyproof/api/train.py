"""`train`: one run under a budget, from the data to the pictures and the page; resumes; says what it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinyproof.api.data import choose, describe
from tinyproof.api.run_report import REPORT, run_parts, write_report
from tinyproof.core import files
from tinyproof.core.errors import InputError
from tinyproof.core.fields import one_of, whole
from tinyproof.core.files import check_output, output_folder
from tinyproof.core.listener import Listener
from tinyproof.core.printed import Part, Printed
from tinyproof.data.dataset import Dataset
from tinyproof.network.budget import Budget, Check
from tinyproof.show.terminal import terminal
from tinyproof.show.words import recipe_words
from tinyproof.train import store
from tinyproof.train.engine import NAMES as ENGINES
from tinyproof.train.environment import device as device_there
from tinyproof.train.environment import need_torch
from tinyproof.train.recipe import Recipe, default
from tinyproof.train.recipe_text import parse
from tinyproof.train.run_record import Run

QUICK_EPOCHS = 2


@dataclass(frozen=True, repr=False)
class TrainResult(Printed):
    """A trained run: its record, the checks of its budget, its folder; `reused`: it was found there, not trained.

    `run.accuracy_percent` is the accuracy on the test images after the last epoch, `run.epochs` the log.
    """

    run: Run
    checks: tuple[Check, ...]
    folder: Path
    reused: bool

    @property
    def kept(self) -> bool | None:
        """Whether the whole budget is kept; None when something of it is not known."""
        answers = [check.kept for check in self.checks]
        return False if False in answers else None if None in answers else True

    def parts(self) -> Sequence[Part]:
        """The accuracy, whether the budget is kept, where the page is."""
        return run_parts(self.run, self.checks, self.folder / REPORT)


@dataclass(frozen=True, eq=False, kw_only=True)
class Ready:
    """A training whose every value was found right; `force` replaces the run that the folder holds."""

    model: str
    recipe: Recipe
    images: Dataset
    seed: int
    folder: Path
    engine: str
    device: str
    threads: int | None
    budget: Budget
    force: bool


def train(
    model: str,
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

    `model`: a name (see `models`) or `path/to/model.py:Class`. `recipe`: a name, a TOML file (both with changes,
    `best,rate=0.01`) or a Recipe; None takes the network's own for the data set. `dataset`: `auto` (MNIST, else the
    digits), `mnist`, `digits`, the path of your own, or a Dataset; `data`: the folder with MNIST's files. `seed`:
    decides the first weights, the order and the changes of the images. `epochs` and `quick` (two epochs) replace the
    recipe's epochs. `out`: None names a folder after the run. `engine`: `auto`, `torch` or `native`; `device`: `auto`,
    `cpu`, `cuda` or `mps`. `budget`: None takes the network's course budget and the data set's target. `force` replaces
    the run in the folder. `quiet`: progress is not shown. Raises InputError, DataError, OutputError, Diverged; Stopped
    after Ctrl-C, and the same call goes on from there.

    >>> import tinyproof
    >>> result = tinyproof.train("s7-8k", dataset="digits", epochs=1, out="first", quiet=True)
    >>> result.run.parameters, result.run.test_count, len(result.run.epochs)
    (7904, 359, 1)
    """
    with terminal(quiet=quiet) as listener:
        ready = prepare(
            listener, model=model, recipe=recipe, dataset=dataset, data=data, seed=seed, epochs=epochs, quick=quick,
            out=out, engine=engine, device=device, threads=threads, budget=budget, force=force,
        )  # fmt: skip
        reused = work(ready, listener)
        run, checks = write_report(ready.folder, dataset=ready.images, budget=ready.budget)
    return TrainResult(run, checks, ready.folder, reused)


def prepare(
    listener: Listener,
    *,
    model: str,
    recipe: str | Recipe | None,
    dataset: str | Dataset,
    data: str | Path | None,
    seed: int,
    epochs: int | None,
    quick: bool,
    out: str | Path | None,
    engine: str,
    device: str,
    threads: int | None,
    budget: Budget | None,
    force: bool,
) -> Ready:
    """Find every mistake before any work is done: network, recipe, numbers, device, folder, data."""
    need_torch("training")
    from tinyproof.network import nets

    nets.build(model)
    named = parse(recipe) if isinstance(recipe, str) else recipe
    whole("seed", seed, 0, 2**31 - 1)
    one_of("engine", engine, ENGINES)
    device_there(device)
    if threads is not None:
        whole("threads", threads, 1, 1024)
    with_epochs(named or default(model, "mnist"), epochs, quick)
    if out is not None:
        check_output(out)
    images = choose(dataset, data, listener) if isinstance(dataset, str) else dataset
    chosen = with_epochs(named or default(model, images.name), epochs, quick)
    folder = output_folder(out if out is not None else Path("tinyproof-out") / folder_name(model, chosen, images, seed))
    return Ready(
        model=model, recipe=chosen, images=images, seed=seed, folder=folder, engine=engine, device=device,
        threads=threads, force=force,
        budget=budget or replace(nets.budget_of(model), accuracy_percent=images.target_percent),
    )  # fmt: skip


def work(ready: Ready, listener: Listener) -> bool:
    """Train, or go on, or find the finished run: whether it was found."""
    from tinyproof.train.loop import train as training_loop

    folder, seed = ready.folder, ready.seed
    describe(ready.images, listener)
    if ready.force:
        with store.locked(folder):
            store.clear(folder)
    listener.say(f"recipe {recipe_words(ready.recipe)}")
    done = training_loop(
        ready.model, ready.recipe, ready.images, seed,
        folder=folder, engine=ready.engine, device=ready.device, threads=ready.threads, listener=listener,
    )  # fmt: skip
    if done.reused:
        listener.say(f"already trained: {folder} holds this very run (seed {seed}); --force trains it again")
    return done.reused


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
    name = f"{stem}-{recipe.name}-{images.name}-{recipe.epochs}epochs-seed{seed}"
    return files.folder_name(name)
