"""Declare: what is asked becomes a declaration, written into a folder before the first run, or found there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tinyproof.cnn import declaration, proof, recipe_text, store
from tinyproof.cnn.budget import Budget
from tinyproof.cnn.data import NAMES, Dataset
from tinyproof.cnn.declaration import DataFacts, Declaration
from tinyproof.cnn.recipe import Recipe, default
from tinyproof.core.errors import DataError, InputError
from tinyproof.core.fields import number, whole
from tinyproof.core.files import output_folder, sha256
from tinyproof.jobs import series
from tinyproof.jobs.one_run import load_data


@dataclass(frozen=True)
class Ask:
    """What a user asks: everything but the folder. None leaves the choice to the network, the data or the machine.

    `seeds`: how many; they follow from the question unless `first_seed` is given (then that one and the next ones).
    `dataset`: a name, or the path of a data set of your own; `data`: the folder to look in for MNIST. `limits`: fields
    of `Budget` that replace those of the network's course budget.
    """

    model: str
    recipe: Recipe
    seeds: int = 5
    dataset: str = "mnist"
    data: str | None = None
    target: float | None = None
    limits: Mapping[str, Any] = field(default_factory=dict)
    engine: str = "auto"
    device: str = "auto"
    processes: int | None = None
    threads: int | None = None
    first_seed: int | None = None
    keep_weights: bool = True

    def __post_init__(self) -> None:
        # What costs nothing to see is refused before anything is loaded or compiled.
        whole("seeds", self.seeds, 1, declaration.MAX_SEEDS)
        if self.target is not None:
            number("target", self.target, 0, 100)


def as_recipe(recipe: str | Recipe | None, model: str, dataset: str = "mnist") -> Recipe:
    """A recipe given as one, or in one line of text; None or nothing: the network's own on this data set."""
    if isinstance(recipe, Recipe):
        return recipe
    return recipe_text.parse(recipe) if recipe else default(model, dataset)


def same_code(declared: Declaration, folder: Path) -> None:
    """Raise InputError when the code that computes is not the code that was declared."""
    from tinyproof.cnn import machine

    if machine.code_digest() != declared.code_digest:
        raise InputError(
            "out", str(folder), "another folder, for a new proof", "its runs were declared with other code than this"
        )


def declare(ask: Ask, folder: Path, seeds_from: str = "") -> Declaration:
    """Write the declaration of what is asked into the folder, and return it; the one that is there where one is.

    `seeds_from`: the digest that the seeds follow from, instead of the question's own.
    """
    declared = draft(ask, folder, seeds_from)
    with store.locked(output_folder(folder)):
        if not (folder / declaration.FILE).is_file():
            declaration.write(folder, declared)
            return declared
    # Somebody else was quicker.
    declared = declaration.read(folder)
    agree(ask, declared, folder)
    return declared


def draft(ask: Ask, folder: Path, seeds_from: str = "") -> Declaration:
    """The declaration of what is asked, not yet written; the folder's neighbours tell which attempt it is.

    Raises InputError or DataError for a question that no run could answer: a network that does not fit the data.
    """
    from tinyproof.cnn import machine

    machine.need_torch("training")
    from tinyproof.cnn import fit, nets
    from tinyproof.cnn.data import overlap
    from tinyproof.cnn.engine import choose

    dataset = load_data(ask.dataset, ask.data)
    device = machine.device(ask.device)
    module = nets.build(ask.model)
    nets.set_dropout(module, ask.recipe.dropout)
    fit.check(ask.model, module, dataset)
    fit.rehearse(ask.model, module, ask.recipe, dataset)
    kind, _ = choose(ask.engine, module, ask.recipe, device, dataset.train_images.shape)
    facts = DataFacts(
        name=dataset.name,
        digest=dataset.digest,
        labels_sha256=proof.labels_sha256(dataset.test_labels),
        training_images=len(dataset.train_labels),
        test_images=len(dataset.test_labels),
        overlap=len(overlap(dataset)),
    )
    _, threads = series.share_cores(ask.seeds, device, ask.processes, ask.threads)
    declared = Declaration(
        model=ask.model,
        recipe=ask.recipe,
        budget=_budget(nets.budget_of(ask.model), ask.limits),
        target=_target(ask, dataset),
        seeds=(0,),
        data=facts,
        engine=kind.name,
        device=device,
        threads=threads,
        code_digest=machine.code_digest(),
        declared_at=datetime.now(UTC).isoformat(timespec="seconds"),
        model_sha256="" if ask.model in nets.NETS else sha256(Path(ask.model.rpartition(":")[0])),
        versions=machine.versions(),
    )
    earlier = () if seeds_from else _earlier(declared, folder)
    if ask.first_seed is not None:
        return replace(declared, earlier=earlier, seeds=tuple(range(ask.first_seed, ask.first_seed + ask.seeds)))
    source = seeds_from or declared.question
    seeds = declaration.seeds_for(ask.seeds, source, len(earlier) + 1)
    return replace(declared, earlier=earlier, seeds=seeds, seeds_from=source)


def threads_for(ask: Ask, runs: int) -> int:
    """Threads of one of `runs` runs that share this machine."""
    from tinyproof.cnn import machine

    return series.share_cores(runs, machine.device(ask.device), ask.processes, None)[1]


def _budget(course: Budget, limits: Mapping[str, Any]) -> Budget:
    """The network's course budget with the limits that were given; the accuracy is judged over the seeds instead."""
    given = {name: value for name, value in limits.items() if value is not None and value != ()}
    return replace(course, accuracy_percent=None, **given)


def _target(ask: Ask, dataset: Dataset) -> float:
    target = ask.target if ask.target is not None else dataset.target_percent
    if target is None:
        raise InputError("target", "nothing", "an accuracy in percent: this data set has none of its own", dataset.name)
    return float(target)


def _earlier(declared: Declaration, folder: Path) -> tuple[str, ...]:
    """Digests of declarations of the same question in the folders beside this one: attempts are counted, not hidden."""
    found = []
    for path in sorted(folder.resolve().parent.glob(f"*/{declaration.FILE}")):
        try:
            other = declaration.read(path.parent)
        except (DataError, InputError):
            continue
        if path.parent != folder.resolve() and other.question == declared.question:
            found.append(other.digest)
    return tuple(found)


def agree(ask: Ask, declared: Declaration, folder: Path) -> None:
    """Raise InputError, naming the field, when the folder's declaration is not what is asked."""
    wanted: list[tuple[str, object, object, bool]] = [
        ("model", ask.model, declared.model, True),
        ("recipe", ask.recipe.digest, declared.recipe.digest, True),
        ("seeds", ask.seeds, len(declared.seeds), True),
        ("dataset", Path(ask.dataset).stem, declared.data.name, True),
        ("target", ask.target, declared.target, ask.target is not None),
        ("first-seed", ask.first_seed, declared.seeds[0], ask.first_seed is not None),
        ("engine", ask.engine, declared.engine, ask.engine != "auto"),
        ("device", ask.device, declared.device, ask.device != "auto"),
    ]
    for name, given, there, asked in wanted:
        if asked and given != there:
            if name == "recipe":
                given, there = ask.recipe.name, f"{declared.recipe.name} with its declared values"
            hint = f"{folder} holds another declaration; a new proof, without these runs, needs another --out"
            raise InputError(name, given, f"{there}, as declared", hint)


def default_folder(ask: Ask) -> Path:
    """`tinyproof-out/prove/MODEL_RECIPE_DATA_Nseeds`: a new number of seeds is a new folder."""
    model = Path(ask.model.rpartition(":")[0]).stem if ":" in ask.model else ask.model
    data = ask.dataset if ask.dataset in NAMES else Path(ask.dataset).stem
    name = f"{model}_{ask.recipe.name}_{data}_{ask.seeds}seeds"
    return Path("tinyproof-out", "prove", "".join(c if c.isalnum() or c in "-_." else "-" for c in name))
