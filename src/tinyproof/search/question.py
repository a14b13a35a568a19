"""What a search asks, as plain data: written before its first run, never changed; all its seeds follow from it."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tinyproof.core.errors import DataError, InputError
from tinyproof.core.fields import from_mapping, number, one_of, whole
from tinyproof.core.files import write_atomic
from tinyproof.core.plain_data import read_json
from tinyproof.network.budget import Budget
from tinyproof.prove.declaration import MAX_SEEDS, DataFacts, digest_of, seeds_for
from tinyproof.search.contender import COSTS
from tinyproof.train.recipe import Recipe

FILE = "search.json"
FORMAT = "tinyproof-search/1"
# A twelfth of the training images is held out in turn: 5,000 of MNIST's 60,000.
FOLDS = 12


def fold_count(images: int) -> int:
    """How many folds so many training images are dealt into: each holds at least two."""
    return min(FOLDS, images // 2)


def trained_on(images: int) -> tuple[int, ...]:
    """On how many of the training images a run may train: all in the proof, and without each fold before it.

    >>> trained_on(60_000), trained_on(1438)
    ((55000, 60000), (1318, 1319, 1438))
    """
    count = fold_count(images)
    return tuple(sorted({images, images - images // count, images - -(-images // count)}))


# What a search can limit before anything is trained.
LIMITS = ("parameters_below", "macs_below", "bytes_below", "epochs_below")
MOST_CANDIDATES = 2000
MOST_CONFIRMING = 100
_MAX_BYTES = 4_000_000


@dataclass(frozen=True)
class Fold:
    """A held-out part: digests of the data set that it makes and of its labels, and how many images it has."""

    digest: str
    labels_sha256: str
    images: int


@dataclass(frozen=True, kw_only=True)
class Question:
    """`family`: as it was named; `choices`: what may be chosen of it, or the digest of the file that says so; `recipe`:
    what the family's own values stand in. `candidates`: how many were asked for; `candidates_sha256`: the digest of the
    list of those that were found. `draw`: the seed of the drawing; `seeds`: of the winner's proof; `confirm`: fresh
    seeds for each point of the front; `by`: its cost. `engine`: as asked; `threads`: of each run.
    """

    family: str
    choices: dict[str, Any]
    recipe: Recipe
    limits: Budget
    target: float
    candidates: int
    draw: int
    seeds: int
    confirm: int
    by: str
    data: DataFacts
    folds: tuple[Fold, ...]
    engine: str
    device: str
    threads: int
    candidates_sha256: str
    declared_at: str
    versions: dict[str, str] = field(default_factory=dict)
    format: str = FORMAT

    def __post_init__(self) -> None:
        one_of("format", self.format, (FORMAT,))
        check(self.target, self.candidates, self.draw, self.seeds, self.confirm, self.by)
        whole("threads", self.threads, 1, 1024)
        if not 2 <= len(self.folds) <= FOLDS or not all(isinstance(one, Fold) for one in self.folds):
            raise InputError("folds", len(self.folds), f"from 2 to {FOLDS} folds")

    @property
    def digest(self) -> str:
        """SHA-256 of all of it: the record of every run of the search carries it."""
        return digest_of(self.to_dict())

    @property
    def asked(self) -> str:
        """SHA-256 of what is asked, equal for two searches that ask the same, wherever they lie: what the seeds follow
        from. A family is what may be chosen of it, not the name of its file."""
        apart = ("family", "candidates_sha256", "declared_at", "versions")
        return digest_of({name: value for name, value in self.to_dict().items() if name not in apart})

    def plan(self, count: int) -> tuple[tuple[int, int], ...]:
        """The first `count` seeds, each with the fold that is held out for it: in every round all folds in an order
        that is drawn anew, so that no images are asked more often than others."""
        generator, order = random.Random(self.asked), list[int]()
        while len(order) < count:
            order += generator.sample(range(len(self.folds)), len(self.folds))
        return tuple(zip(seeds_for(count, self.asked, 1), order, strict=False))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; `from_dict` gives the same question back."""
        return {
            **asdict(self),
            "recipe": self.recipe.to_dict(),
            "limits": self.limits.to_dict(),
            "data": self.data.to_dict(),
            "folds": [asdict(one) for one in self.folds],
        }

    @staticmethod
    def from_dict(data: object, where: str = "") -> Question:
        """A question from JSON data. Raises InputError that names the field."""
        if not isinstance(data, dict):
            raise InputError("search", None, "a table of fields", where, problem="is none")
        parts: dict[str, Any] = dict(data)
        for name, make in (("recipe", Recipe.from_dict), ("limits", Budget.from_dict), ("data", DataFacts.from_dict)):
            if name in parts:
                parts[name] = make(parts[name], where)
        if isinstance(parts.get("folds"), list):
            parts["folds"] = tuple(from_mapping(Fold, one, where) for one in parts["folds"])
        return from_mapping(Question, parts, where)


def check(target: float, candidates: int, draw: int, seeds: int, confirm: int, by: str) -> None:
    """Raise InputError, which names the field, for a value that no search can have."""
    number("target", target, 0, 100)
    whole("candidates", candidates, 1, MOST_CANDIDATES)
    whole("draw", draw, 0, 2**31 - 1)
    whole("seeds", seeds, 1, MAX_SEEDS)
    if confirm == 1:
        raise InputError("confirm", confirm, f"0, or from 2 to {MOST_CONFIRMING}: one seed tells nothing of chance")
    whole("confirm", confirm, 0, MOST_CONFIRMING)
    one_of("by", by, COSTS)


def write(folder: Path, question: Question) -> None:
    """Write the question. Raises OutputError."""
    write_atomic(folder / FILE, json.dumps(question.to_dict(), indent=1, ensure_ascii=False) + "\n")


def read(folder: Path) -> Question:
    """The question in a folder. Raises DataError or InputError that says what is wrong with the file."""
    path = folder / FILE
    if not path.is_file():
        raise DataError(str(folder), f"holds no {FILE}", "name a folder that `tinyproof search` has written")
    return Question.from_dict(read_json(path, _MAX_BYTES), str(path))


def agree(question: Question, asked: Mapping[str, object], folder: Path) -> None:
    """Raise InputError, naming the field, where the folder's question is not what is asked; None asks nothing."""
    there: dict[str, object] = {
        "target": question.target, "candidates": question.candidates, "draw": question.draw, "seeds": question.seeds,
        "confirm": question.confirm, "by": question.by, "family": question.family, "dataset": question.data.name,
        "recipe": question.recipe.name, "engine": question.engine, "device": question.device,
        "threads": question.threads, **{name.replace("_", "-"): x for name, x in question.limits.to_dict().items()},
    }  # fmt: skip
    for name, value in asked.items():
        if value is not None and value != there[name]:
            hint = f"{folder} holds another search; a new one needs another --out"
            shown = "no such limit" if there[name] is None else there[name]
            raise InputError(name, value, f"{shown}, as declared", hint)
