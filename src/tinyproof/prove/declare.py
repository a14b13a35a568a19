"""Declare: what is asked becomes a declaration, written into a folder before the first run, or found there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tinyproof.core import lease
from tinyproof.core.errors import DataError, InputError
from tinyproof.core.fields import number, one_of, whole
from tinyproof.core.files import folder_name, output_folder
from tinyproof.core.listener import SILENT, Listener
from tinyproof.data.dataset import NAMES, Dataset, overlap
from tinyproof.data.load import is_own
from tinyproof.data.more_tests import NAMES as MORE_TESTS
from tinyproof.data.reading import AS_IT_IS, Asked
from tinyproof.network import model_name, own_files
from tinyproof.network.budget import Budget, course, given, limited
from tinyproof.network.budget import words as budget_words
from tinyproof.prove import declaration, exporting, judged_export, parallel_runs, proof, share
from tinyproof.prove.declaration import DataFacts, Declaration
from tinyproof.prove.unchanged import same_data, same_model
from tinyproof.prove.worker import load_data
from tinyproof.train import environment, recipe_text, store
from tinyproof.train.computes import code_digest
from tinyproof.train.default_recipe import default_recipe
from tinyproof.train.engine import choose
from tinyproof.train.recipe import Recipe, default

_NETWORK = "the network itself"


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What a user asks: everything but the folder. None leaves the choice to the network, the data or the machine.

    `seeds`: how many; they follow from the question unless `first_seed` is given (then that one and the next ones).
    `dataset`: a name, or the path of a data set of your own, read as `asked`; `data`: the folder to look in for MNIST.
    `also`: further test images to answer.
    `judged_as`: the format of the exports that are judged in place of the networks (None: the networks are).
    `limits`: fields of `Budget` that replace those of the network's course budget. `part`: which of the seeds are
    trained here, as `3/10`; `declared_at`: the time of the declaration, where it is made on several machines.
    `cluster`: the address of workers that train, in place of this machine's processes.
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
    receipt: bool = False
    also: str | None = None
    asked: Asked = AS_IT_IS
    judged_as: str | None = None
    part: str | None = None
    declared_at: str | None = None
    cluster: str | None = None

    def __post_init__(self) -> None:
        # What costs nothing to see is refused before anything is loaded or compiled.
        whole("seeds", self.seeds, 1, declaration.MAX_SEEDS)
        if self.target is not None:
            number("target", self.target, 0, 100)
        if self.judged_as is not None:
            judged_export.check_format(self.judged_as)
        judged_export.check(self.judged_as or "", limited(Budget(), self.limits))
        if self.part is not None:
            share.parse(self.part)
        if self.declared_at is not None:
            share.declared_time(self.declared_at)
            if self.part is None:
                raise InputError("declared-at", self.declared_at, "name both", problem="goes with --part alone")
        if self.also is not None:
            one_of("also", self.also, MORE_TESTS)
            if not self.keep_weights:
                raise InputError("also", self.also, "leave --no-weights out", problem="needs the weights of every run")


def as_recipe(
    recipe: str | Recipe | None,
    model: str,
    dataset: str = "mnist",
    data: str | None = None,
    asked: Asked = AS_IT_IS,
) -> Recipe:
    """A recipe given as one, or in one line of text; None or nothing: the network's own on this data set. Of data of
    somebody's own that depends on how many images there are; where it is not at hand, they are taken to be many.
    """
    if isinstance(recipe, Recipe):
        return recipe
    if recipe:
        return recipe_text.for_model(recipe, model)
    if is_own(dataset) and Path(dataset).exists():
        return default_recipe(model, load_data(dataset, data, asked))
    return default(model, dataset)


def declare(ask: Ask, folder: Path, seeds_from: str = "", listener: Listener = SILENT) -> Declaration:
    """Write the declaration of what is asked into the folder, and return it; the one that is there where one is.

    `seeds_from`: the digest that the seeds follow from, instead of the question's own. What will hold the network back
    is told.
    """
    declared, files = _draft(ask, folder, seeds_from, listener)
    # Another command that declares here needs no more than a moment.
    with store.locked(output_folder(folder), patience=lease.PATIENCE_SECONDS):
        if not (folder / declaration.FILE).is_file():
            own_files.keep(folder, files)
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
    return _draft(ask, folder, seeds_from)[0]


def _draft(
    ask: Ask, folder: Path, seeds_from: str, listener: Listener = SILENT
) -> tuple[Declaration, dict[str, bytes]]:
    """The declaration, and the network's own files as they were run."""
    environment.need_training()
    from tinyproof.network import nets, own_network
    from tinyproof.train import beforehand, rehearse

    dataset = load_data(ask.dataset, ask.data, ask.asked)
    device = environment.device(ask.device)
    module = nets.build(ask.model, 0, dataset.shape, len(dataset.classes))
    for words in (own_files.notebook_words(ask.model), nets.dropout_words(module, ask.recipe.dropout)):
        if words:
            listener.say(words)
    nets.set_dropout(module, ask.recipe.dropout)
    rehearse.check(ask.model, module, dataset)
    if ask.judged_as is not None:
        exporting.check(ask.judged_as, ask.model, module, dataset, ask.recipe)
        if lacking := exporting.lacking(limited(Budget(), ask.limits)):
            listener.say(f"warning: {lacking}")
    for doubt in beforehand.doubts(ask.model, module, dataset):
        listener.say(f"warning: {doubt}")
    rehearse.rehearse(ask.model, module, ask.recipe, dataset)
    kind, _ = choose(ask.engine, module, ask.recipe, device, dataset.train_images.shape)
    files = own_network.files_of(module)
    digests = own_files.digests(files)
    # Other machines have other numbers of cores, and declare the same.
    fixed = ask.threads or (1 if ask.part or ask.cluster else None)
    _, threads = parallel_runs.share_cores(ask.seeds, device, ask.processes, fixed)
    declared = Declaration(
        model=ask.model,
        recipe=ask.recipe,
        budget=limited(course(ask.model, dataset.shape, len(dataset.classes)), ask.limits),
        target=target_of(ask.target, dataset),
        seeds=(0,),
        data=data_facts(dataset),
        engine=kind.name,
        device=device,
        threads=threads,
        code_digest=code_digest(ask.model, kind.name),
        declared_at=share.declared_time(ask.declared_at or datetime.now(UTC).isoformat(timespec="seconds")),
        model_sha256=own_files.digest(digests),
        versions=environment.versions(kind.name),
        model_files=digests,
        judged_as=ask.judged_as or "",
    )
    earlier = () if seeds_from else _earlier(declared, folder, ask)
    if ask.first_seed is not None:
        named = tuple(range(ask.first_seed, ask.first_seed + ask.seeds))
        return replace(declared, earlier=earlier, seeds=named), files
    source = seeds_from or declared.question
    seeds = declaration.seeds_for(ask.seeds, source, len(earlier) + 1)
    return replace(declared, earlier=earlier, seeds=seeds, seeds_from=source), files


def data_facts(dataset: Dataset) -> DataFacts:
    """What a declaration binds itself to of a data set."""
    return DataFacts(
        name=dataset.name,
        digest=dataset.digest,
        labels_sha256=proof.labels_sha256(dataset.test_labels),
        training_images=len(dataset.train_labels),
        test_images=len(dataset.test_labels),
        overlap=len(overlap(dataset)),
        reading=None if dataset.name in NAMES else dataset.reading,
    )


def needs_one_time(ask: Ask) -> None:
    """Raise InputError for a part of a proof that is yet to be declared, where each machine would declare another."""
    if ask.part is not None:
        share.parse(ask.part).seeds(range(ask.seeds))
        if ask.declared_at is None:
            remedy = (
                "name one time in the command of every part, --declared-at 2026-01-02T03:04:05Z, or copy the folder"
            )
            what = "would be of another declaration on every machine, by its clock"
            raise InputError("part", ask.part, remedy, problem=what)


def threads_for(ask: Ask, runs: int) -> int:
    """Threads of one of `runs` runs that share this machine; one on a cluster, whose workers have others."""
    return 1 if ask.cluster else parallel_runs.share_cores(runs, environment.device(ask.device), ask.processes, None)[1]


def target_of(asked: float | None, dataset: Dataset) -> float:
    """The target in percent: the one asked for, else the data set's own. Raises InputError where there is neither."""
    target = asked if asked is not None else dataset.target_percent
    if target is None:
        remedy = "name an accuracy in percent: this data set has none of its own"
        raise InputError("target", None, remedy, dataset.name, problem="is missing")
    return float(target)


def _earlier(declared: Declaration, folder: Path, ask: Ask) -> tuple[str, ...]:
    """Digests of declarations of the same question in the folders beside this one: attempts are counted, not hidden."""
    found = []
    for path in sorted(folder.resolve().parent.glob(f"*/{declaration.FILE}")):
        try:
            other = declaration.read(path.parent)
        except (DataError, InputError):
            continue
        if path.parent == folder.resolve() or other.question != declared.question:
            continue
        if not (ask.part is not None and _part_of_it(other, declared, ask)):
            found.append(other.digest)
    return tuple(dict.fromkeys(found))  # the parts of one attempt are one


def _part_of_it(other: Declaration, declared: Declaration, ask: Ask) -> bool:
    """Whether another declaration of this question is a further part of this very attempt: declared at the same time
    for as many seeds, which were found in the same way."""
    if other.declared_at != declared.declared_at or len(other.seeds) != ask.seeds:
        return False
    if ask.first_seed is not None:
        return not other.seeds_from and other.seeds[0] == ask.first_seed
    return other.seeds_from == declared.question


def agree(ask: Ask, declared: Declaration, folder: Path) -> None:
    """Raise InputError, naming the field, when the folder's declaration is not what is asked."""
    limits, at = given(ask.limits), None if ask.declared_at is None else share.declared_time(ask.declared_at)
    # The network's own recipe hangs on the number of images, which are not at hand.
    absent = is_own(ask.dataset) and not Path(ask.dataset).exists()
    unknown = absent and ask.recipe == default(ask.model, ask.dataset)
    wanted: list[tuple[str, object, object, bool]] = [
        ("model", ask.model, declared.model, True),
        ("recipe", ask.recipe.digest, declared.recipe.digest, not unknown),
        ("seeds", ask.seeds, len(declared.seeds), True),
        ("target", ask.target, declared.target, ask.target is not None),
        ("budget", budget_words(limited(declared.budget, ask.limits)), budget_words(declared.budget), bool(limits)),
        ("as", ask.judged_as or _NETWORK, declared.judged_as or _NETWORK, True),
        ("first-seed", ask.first_seed, declared.seeds[0], ask.first_seed is not None),
        ("engine", ask.engine, declared.engine, ask.engine != "auto"),
        ("device", ask.device, declared.device, ask.device != "auto"),
        ("threads", ask.threads, declared.threads, ask.threads is not None),
        ("declared-at", at, declared.declared_at, at is not None),
    ]
    for name, here, there, asked in wanted:
        if asked and here != there:
            if name == "recipe":
                here, there = ask.recipe.name, f"{declared.recipe.name} with its declared values"
            hint = f"{folder} holds another declaration; a new proof, without these runs, needs another --out"
            raise InputError(name, here, f"{there}, as declared", hint)
    same_model(declared, folder)
    same_data(ask.dataset, ask.data, declared, folder, ask.asked)


def default_folder(ask: Ask) -> Path:
    """`tinyproof-out/prove/MODEL_RECIPE_DATA_Nseeds`: more seeds, other data of your own or what is judged in the place
    of the network have another folder."""
    model = ask.model
    if model_name.is_own(model):
        model = f"{model_name.file_of(model).stem}{model_name.written_arguments(model)}"
    data = ask.dataset
    if data not in NAMES:
        found = load_data(data, ask.data, ask.asked)
        data = f"{found.name}-{found.digest[:8]}"
    name = f"{model}_{ask.recipe.name}_{data}_{ask.seeds}seeds" + (f"_as-{ask.judged_as}" if ask.judged_as else "")
    return Path("tinyproof-out", "prove", folder_name(name))
