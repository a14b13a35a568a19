"""`train`: one run under a budget, from the data to the pictures and the page; resumes; says what it does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyproof.api.data import choose, describe
from tinyproof.api.run_report import REPORT, run_parts, write_report
from tinyproof.core import files
from tinyproof.core.errors import InputError, Stopped
from tinyproof.core.fields import one_of, whole
from tinyproof.core.files import check_output, output_folder
from tinyproof.core.listener import Listener
from tinyproof.core.printed import Part, Printed
from tinyproof.data import reading
from tinyproof.data.dataset import Dataset
from tinyproof.data.load import is_own
from tinyproof.data.reading import AS_IT_IS, Asked
from tinyproof.network import model_name, own_files
from tinyproof.network.budget import Budget, Check, check, course, given, limited
from tinyproof.prove import judged_export
from tinyproof.ship import replaced
from tinyproof.show.terminal import terminal
from tinyproof.show.words import recipe_words
from tinyproof.train import store
from tinyproof.train.default_recipe import default_recipe
from tinyproof.train.engine import NAMES as ENGINES
from tinyproof.train.environment import device as device_there
from tinyproof.train.environment import need_training
from tinyproof.train.recipe import Recipe, default
from tinyproof.train.recipe_text import for_model
from tinyproof.train.run_record import Run

if TYPE_CHECKING:
    from torch import nn

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

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: the record of the run, the checks of the budget, whether all are kept, the folder."""
        return {
            "run": json.loads(self.run.to_json()),
            "checks": [asdict(check) for check in self.checks],
            "kept": self.kept,
            "folder": str(self.folder),
            "reused": self.reused,
        }

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
    target: float | None = None,
    parameters_below: int | None = None,
    epochs_below: int | None = None,
    bytes_below: int | None = None,
    macs_below: int | None = None,
    rules: Sequence[str] = (),
    budget: Budget | None = None,
    force: bool = False,
    quiet: bool = False,
    settings: Sequence[str] | Mapping[str, object] = (),
    size: str | int | Sequence[int] | None = None,
    channels: int | None = None,
    input: str | Sequence[int] | None = None,
    skip_bad: bool = False,
) -> TrainResult:
    """Train one network once and write its record, weights, pictures and page into one folder.

    `model`: a name (see `models`) or `path/to/model.py:Class` (or a function in it, or a notebook's class, of which
    only cells with imports, definitions and constants are run), with `settings` as its arguments. `recipe`: a name, a
    TOML file (both with changes, `best,rate=0.01`) or a Recipe; None takes the network's own for the data set.
    `dataset`: `auto` (MNIST, else the digits), `mnist`, `digits`, the path of your own, or a Dataset; `data`: the
    folder with MNIST's files. `seed`: decides the first weights, the order and the changes of the images. `epochs` and
    `quick` (two epochs) replace the recipe's epochs. `out`: None names a folder after the run. `engine`: `auto`,
    `torch` or `native`; `device`: `auto`, `cpu`, `cuda` or `mps`. `target` (accuracy of the last epoch in percent),
    `..._below` and `rules` replace the limits of the network's course budget and the data set's target; `budget`
    replaces them all. `force` replaces the run in the folder. `quiet`: progress is not shown. `size` (32, "24x32"),
    `channels` (1 or 3), or both as `input` ("3,32,32"), of the pictures of your own data, which otherwise keep theirs;
    `skip_bad` leaves out those that cannot be read. Raises InputError, DataError, OutputError, Diverged; Stopped after
    Ctrl-C, and the same call goes on from there.

    >>> import tinyproof
    >>> result = tinyproof.train("s7-8k", dataset="digits", epochs=1, out="first", quiet=True)
    >>> result.run.parameters, result.run.test_count, len(result.run.epochs)
    (7904, 359, 1)
    """
    limits = {
        "accuracy_percent": target, "parameters_below": parameters_below, "epochs_below": epochs_below,
        "bytes_below": bytes_below, "macs_below": macs_below, "rules": tuple(rules),
    }  # fmt: skip
    named = model_name.with_settings(model, settings)
    with terminal(quiet=quiet) as listener:
        ready = prepare(
            listener, model=named, recipe=recipe, dataset=dataset, data=data, seed=seed, epochs=epochs, quick=quick,
            out=out, engine=engine, device=device, threads=threads, budget=budget, limits=limits, force=force,
            asked=reading.asked(size, channels, input, skip_bad),
        )  # fmt: skip
        try:
            reused = work(ready, listener)
            run, checks = write_report(ready.folder, dataset=ready.images, budget=ready.budget, given=path_of(dataset))
        except KeyboardInterrupt:  # between two epochs, or in the report
            told = f"stopped; what is done is kept in {ready.folder}: the same command goes on there"
            raise Stopped(told) from None
    return TrainResult(run, checks, ready.folder, reused)


def path_of(dataset: str | Dataset) -> str | None:
    """The path of data of somebody's own, as it was given; None for a name or a Dataset."""
    return dataset if isinstance(dataset, str) and dataset != "auto" and is_own(dataset) else None


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
    limits: Mapping[str, Any] | None = None,
    asked: Asked = AS_IT_IS,
) -> Ready:
    """Find every mistake before any work is done: network, recipe, numbers, device, folder, data."""
    need_training()
    from tinyproof.network import nets, own_network

    if model_name.is_own(model):
        own_network.load(model)()  # lazy layers wait for the data
    one_of("model", model, [model] if model_name.is_own(model) else [*nets.NETS])
    _limited(Budget(), budget, limits or {})
    named = for_model(recipe, model) if isinstance(recipe, str) else recipe
    whole("seed", seed, 0, 2**31 - 1)
    one_of("engine", engine, ENGINES)
    device_there(device)
    if threads is not None:
        whole("threads", threads, 1, 1024)
    with_epochs(named or default(model, "mnist"), epochs, quick)
    if out is not None:
        check_output(out)
    images = choose(dataset, data, listener, asked) if isinstance(dataset, str) else dataset
    chosen = with_epochs(named or default_recipe(model, images), epochs, quick)
    folder = output_folder(out if out is not None else Path("tinyproof-out") / folder_name(model, chosen, images, seed))
    return Ready(
        model=model, recipe=chosen, images=images, seed=seed, folder=folder, engine=engine, device=device,
        threads=threads, force=force, budget=_budget(model, budget, limits or {}, images),
    )  # fmt: skip


def _budget(model: str, budget: Budget | None, limits: Mapping[str, Any], images: Dataset) -> Budget:
    """The network's course budget and the data set's target with the limits that were given; or `budget` as it is."""
    usual = replace(course(model, images.shape, len(images.classes)), accuracy_percent=images.target_percent)
    return _limited(usual, budget, limits)


def _limited(usual: Budget, budget: Budget | None, limits: Mapping[str, Any]) -> Budget:
    if budget is not None and given(limits):
        raise InputError("budget", None, "give one of the two", problem="stands beside single limits")
    judged_export.check("", budget or Budget())
    return budget or limited(usual, limits)


def work(ready: Ready, listener: Listener) -> bool:
    """Train, or go on, or find the finished run: whether it was found."""
    from tinyproof.network import nets
    from tinyproof.train import rehearse
    from tinyproof.train.beforehand import doubts
    from tinyproof.train.loop import train as training_loop

    folder, seed = ready.folder, ready.seed
    describe(ready.images, listener)
    # Whether another process still trains here is found out first: that may take a minute, and is told.
    with store.locked(folder, until_sign=True, say=listener.say):
        if ready.force:
            for left in replaced.remove(folder):
                why = replaced.why(left)
                listener.say(f"warning: {left} is an export of the run that is replaced: {why}, so it stays")
            store.clear(folder)  # after its exports: a kill leaves none without its run
    listener.say(f"recipe {recipe_words(ready.recipe)}")
    module = nets.build(ready.model, 0, ready.images.shape, len(ready.images.classes))
    rehearse.check(ready.model, module, ready.images)
    for words in (own_files.notebook_words(ready.model), nets.dropout_words(module, ready.recipe.dropout)):
        if words:
            listener.say(words)
    nets.set_dropout(module, ready.recipe.dropout)
    for doubt in [*doubts(ready.model, module, ready.images), *broken_before(module, ready)]:
        listener.say(f"warning: {doubt}")
    done = training_loop(
        ready.model, ready.recipe, ready.images, seed,
        folder=folder, engine=ready.engine, device=ready.device, threads=ready.threads, listener=listener,
    )  # fmt: skip
    if done.reused:
        listener.say(f"already trained: {folder} holds this very run (seed {seed}); --force trains it again")
    return done.reused


def broken_before(module: nn.Module, ready: Ready) -> list[str]:
    """The limits that the training cannot keep, whatever comes out: one line each."""
    from tinyproof.network import anatomy

    facts = anatomy.summary(module, ready.images.shape).facts(ready.recipe.epochs)
    checks = check(replace(ready.budget, accuracy_percent=None), facts)
    return [f"{x.name}: {x.measured}, where {x.required} is asked" for x in checks if x.kept is False]


def with_epochs(recipe: Recipe, epochs: int | None, quick: bool) -> Recipe:
    """The recipe with another number of epochs. Raises InputError for 0 epochs, or when both are asked for."""
    if epochs is not None and quick:
        raise InputError("epochs", epochs, "name one of the two", problem="stands beside --quick")
    if quick:
        return replace(recipe, epochs=QUICK_EPOCHS)
    return recipe if epochs is None else replace(recipe, epochs=epochs)


def folder_name(model: str, recipe: Recipe, images: Dataset, seed: int) -> str:
    """A folder for a run that says what it is."""
    stem = model
    if model_name.is_own(model):
        named = model_name.name_of(model) + model_name.written_arguments(model)
        stem = f"{model_name.file_of(model).stem}-{named}"
    name = f"{stem}-{recipe.name}-{images.name}-{recipe.epochs}epochs-seed{seed}"
    return files.folder_name(name)
