"""A contender: one candidate of a search, a network with its recipe; and the list of all, written once. No torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tinyproof.core.errors import DataError
from tinyproof.core.fields import from_mapping
from tinyproof.core.files import write_atomic
from tinyproof.core.plain_data import read_json
from tinyproof.prove.declaration import digest_of
from tinyproof.train.recipe import Recipe

FILE = "candidates.json"
FORMAT = "tinyproof-candidates/1"
NETWORKS = "networks"  # the folder of the files that were drawn
# What a front may have on its axis beside the accuracy.
COSTS = ("parameters", "macs")
_MOST_BYTES = 50_000_000


@dataclass(frozen=True, kw_only=True)
class Contender:
    """`name` in the search, `words` for people, `model` as training takes it, what it costs, the engine that trains it
    with the digest of the code that computes, `files`: the digests of its own files; `computes`: a digest of what it
    computes before training, by which none is tried twice.
    """

    name: str
    words: str
    model: str
    recipe: Recipe
    parameters: int
    macs: int | None
    bytes: int
    engine: str
    code_digest: str
    computes: str
    files: dict[str, str] = field(default_factory=dict)

    def cost(self, by: str) -> int:
        """What it costs by `parameters` or `macs`; multiply-adds that are not known are the most of all."""
        value = self.parameters if by == "parameters" else self.macs
        return 10**15 if value is None else value

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "recipe": self.recipe.to_dict()}

    @staticmethod
    def from_dict(data: object, where: str) -> Contender:
        """A contender from JSON data. Raises InputError that names the field."""
        if isinstance(data, dict) and "recipe" in data:
            data = {**data, "recipe": Recipe.from_dict(data["recipe"], where)}
        return from_mapping(Contender, data, where)


def digest(contenders: Sequence[Contender]) -> str:
    """SHA-256 of the whole list."""
    return digest_of([one.to_dict() for one in contenders])


def write(folder: Path, contenders: Sequence[Contender]) -> None:
    """Write the list. Raises OutputError."""
    data = {"format": FORMAT, "candidates": [one.to_dict() for one in contenders]}
    write_atomic(folder / FILE, json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def read(folder: Path) -> tuple[Contender, ...]:
    """The list. Raises DataError or InputError where it is none, or a name stands twice."""
    path = folder / FILE
    data = read_json(path, _MOST_BYTES)
    if not isinstance(data, dict) or data.get("format") != FORMAT or not isinstance(data.get("candidates"), list):
        raise DataError(str(path), "is no list of candidates")
    found = tuple(Contender.from_dict(one, str(path)) for one in data["candidates"])
    names = [one.name for one in found]
    if not names or len(set(names)) < len(names) or not all(name.isalnum() for name in names):
        raise DataError(str(path), "does not name every candidate once, with letters and digits")
    return found
