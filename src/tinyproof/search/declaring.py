"""A search is declared: its question, its folds and all its candidates are written down before the first run."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tinyproof.core.errors import InputError
from tinyproof.core.fields import one_of
from tinyproof.core.files import existing, sha256, write_atomic
from tinyproof.core.listener import SILENT, Listener
from tinyproof.data.dataset import Dataset, fold
from tinyproof.data.load import is_own
from tinyproof.data.reading import AS_IT_IS, Asked
from tinyproof.network import model_name
from tinyproof.network.budget import Budget, given, limited
from tinyproof.network.budget import words as budget_words
from tinyproof.prove import parallel_runs, proof
from tinyproof.prove.declare import data_facts, target_of
from tinyproof.prove.worker import load_data
from tinyproof.search import contender, fold_runs
from tinyproof.search import question as questions
from tinyproof.search.contender import NETWORKS, Contender
from tinyproof.search.family import NAMED
from tinyproof.search.family import read as read_family
from tinyproof.search.halving import rungs
from tinyproof.search.question import Fold, Question, fold_count
from tinyproof.search.searched import read_list
from tinyproof.train import environment, recipe_text
from tinyproof.train.engine import NAMES as ENGINES
from tinyproof.train.environment import DEVICES
from tinyproof.train.recipe import Recipe, default

# What a network of a family is, for the recipe that it gets: one of somebody's own.
_OWN = "model.py:Network"


@dataclass(frozen=True, kw_only=True)
class Search:
    """What a user asks: everything but the folder. None leaves the choice to the data or the machine. `cluster`: the
    address of workers that train, in place of this machine's processes."""

    dataset: str = "mnist"
    data: str | None = None
    asked: Asked = AS_IT_IS
    target: float | None = None
    limits: Mapping[str, Any] = field(default_factory=dict)
    family: str = "all"
    recipe: str | Recipe | None = None
    candidates: int = 64
    draw: int = 0
    seeds: int = 10
    confirm: int = 5
    by: str = "parameters"
    engine: str = "auto"
    device: str = "auto"
    processes: int | None = None
    threads: int | None = None
    cluster: str | None = None

    def __post_init__(self) -> None:
        # What costs nothing to see is refused before anything is loaded or trained.
        target = 0.0 if self.target is None else self.target
        questions.check(target, self.candidates, self.draw, self.seeds, self.confirm, self.by)
        one_of("engine", self.engine, ENGINES)
        one_of("device", self.device, DEVICES)
        self.budget  # noqa: B018

    @property
    def budget(self) -> Budget:
        """The limits. Raises InputError for one that nothing could keep."""
        return limited(Budget(), self.limits)


@dataclass(frozen=True)
class Draft:
    """A question, its candidates as they will lie in the folder, and the files of those that were drawn."""

    question: Question
    contenders: tuple[Contender, ...]
    files: Mapping[str, str]


def draft(wanted: Search, folder: Path, listener: Listener = SILENT) -> Draft:
    """Draw the candidates, and say all that decides the search; nothing is written into its folder yet. Raises
    InputError, which names the field, for a question that no run could answer."""
    environment.need_training()
    from tinyproof.search import sampling

    dataset = load_data(wanted.dataset, wanted.data, wanted.asked)
    target, recipe, device = target_of(wanted.target, dataset), recipe_of(wanted, dataset), _device(wanted)
    drawn = sampling.Wanted(
        family=wanted.family, recipe=recipe, limits=wanted.budget, candidates=wanted.candidates, draw=wanted.draw,
        engine=wanted.engine, device=device, dataset=dataset,
    )  # fmt: skip
    parts = folds_of(dataset)
    choices = choices_of(wanted.family)
    with tempfile.TemporaryDirectory(prefix="tinyproof-") as scratch:
        found = sampling.sample(drawn, Path(scratch), listener)
        made = Path(scratch, NETWORKS)
        files = {path.name: path.read_text(encoding="utf-8") for path in sorted(made.glob("*.py"))}
        contenders = tuple(_settled(one, made, folder / NETWORKS) for one in found.contenders)
    listener.say(_drawn(wanted, found))
    side_by_side, fixed = rungs(len(contenders))[0].entrants, wanted.threads or (1 if wanted.cluster else None)
    question = Question(
        family=wanted.family,
        choices=choices,
        recipe=recipe,
        limits=wanted.budget,
        target=target,
        candidates=wanted.candidates,
        draw=wanted.draw,
        seeds=wanted.seeds,
        confirm=wanted.confirm,
        by=wanted.by,
        data=data_facts(dataset),
        folds=parts,
        engine=wanted.engine,
        device=device,
        threads=parallel_runs.share_cores(side_by_side, device, wanted.processes, fixed)[1],
        candidates_sha256=contender.digest(contenders),
        declared_at=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=environment.versions(fold_runs.engine_of(contenders)),
    )
    return Draft(question, contenders, files)


def _settled(one: Contender, scratch: Path, place: Path) -> Contender:
    """A candidate whose file was drawn in one folder and will lie in another."""
    drawn = scratch.as_posix()
    return replace(one, model=one.model.replace(drawn, place.as_posix(), 1)) if one.model.startswith(drawn) else one


def write(folder: Path, made: Draft) -> None:
    """Write a draft into its folder; the question comes last: with it the search is declared. Raises OutputError."""
    for name, text in made.files.items():
        write_atomic(folder / NETWORKS / name, text)
    contender.write(folder, made.contenders)
    questions.write(folder, made.question)


def recipe_of(wanted: Search, dataset: Dataset | None) -> Recipe:
    """The recipe that a family's own values stand in: the one asked for, else the data set's usual one."""
    if isinstance(wanted.recipe, Recipe):
        return wanted.recipe
    if wanted.recipe:
        return recipe_text.for_model(wanted.recipe, _OWN)
    images = len(dataset.train_labels) if dataset is not None and is_own(wanted.dataset) else None
    return default(_OWN, wanted.dataset, images)


def folds_of(dataset: Dataset) -> tuple[Fold, ...]:
    """The held-out parts: twelve, fewer where there are fewer than 24 training images. Raises InputError below 4."""
    images = len(dataset.train_labels)
    if images < 4:
        raise InputError("dataset", dataset.name, "at least 4 training images, to hold some of them out")
    count = fold_count(images)
    parts = [fold(dataset, which, count) for which in range(count)]
    return tuple(Fold(one.digest, proof.labels_sha256(one.test_labels), len(one.test_labels)) for one in parts)


def found_there(wanted: Search, folder: Path) -> Question:
    """The question in a folder. Raises InputError where it is not what is asked, DataError where it is broken."""
    question, _ = read_list(folder)
    named = {
        "target": wanted.target, "candidates": wanted.candidates, "draw": wanted.draw, "seeds": wanted.seeds,
        "confirm": wanted.confirm, "by": wanted.by, "family": wanted.family, "threads": wanted.threads,
        "device": None if wanted.device == "auto" else wanted.device, "engine": wanted.engine,
    }  # fmt: skip
    now = _choices_there(wanted.family)
    if now is not None and not {wanted.family, question.family} & NAMED.keys():
        named["family"] = None  # a file is what it says, from wherever it is named
    if not is_own(wanted.dataset):
        named["dataset"] = wanted.dataset
    questions.agree(question, named, folder)
    hint = f"{folder} holds another search; a new one needs another --out"
    if now is not None and now != question.choices:
        raise InputError("family", wanted.family, "the one that was declared", hint, problem="has changed since then")
    asked = recipe_of(wanted, None)
    if (wanted.recipe or not is_own(wanted.dataset)) and asked.digest != question.recipe.digest:
        raise InputError("recipe", asked.name, f"{question.recipe.name} with its declared values", hint)
    if given(wanted.limits) and wanted.budget != question.limits:
        raise InputError("budget", budget_words(wanted.budget), f"{budget_words(question.limits)}, as declared", hint)
    return question


def named_from_here(folder: Path, contenders: Sequence[Contender]) -> None:
    """Before runs are trained: raise InputError, which names the folder where the command was given, where the networks
    of a search are named from another one than this."""
    for one in contenders:
        file = model_name.file_of(one.model)
        if not model_name.is_own(one.model) or file.is_file():
            continue
        there = (folder / NETWORKS / file.name).resolve()
        away = there.parts[-len(file.parts) :] != file.parts or not there.is_file()
        begun = "" if file.is_absolute() or away else f": cd {shlex.quote(str(Path(*there.parts[: -len(file.parts)])))}"
        problem = f"names its networks from where its command was first given ({file.as_posix()}), and that is not here"
        raise InputError("out", str(folder), f"give the same command there{begun}", problem=problem)


def choices_of(family: str) -> dict[str, Any]:
    """What may be chosen of a family; of a function of somebody's own the digest of its file. InputError, DataError."""
    if not model_name.is_own(family):
        return read_family(family).to_dict()
    path = existing(model_name.file_of(family), "family")
    return {"function": model_name.name_of(family), "file": path.name, "sha256": sha256(path)}


def _choices_there(family: str) -> dict[str, Any] | None:
    """The same, None where its file is not there any more: a search can be judged without it."""
    path = model_name.file_of(family) if model_name.is_own(family) else Path(family)
    return choices_of(family) if family in NAMED or path.is_file() else None


def _device(wanted: Search) -> str:
    return environment.device(wanted.device)


def _drawn(wanted: Search, found: Any) -> str:
    there = len(found.contenders)
    fewer = f", where {wanted.candidates} were asked for" if there < wanted.candidates else ""
    return (
        f"{there} candidates of {found.drawn:,} networks drawn{fewer}: {found.over:,} broke a limit, "
        f"{found.twice:,} computed what another does"
    )
