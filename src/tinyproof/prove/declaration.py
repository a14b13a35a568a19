"""What a proof declares before its first run: question, recipe, budget, seeds, data, code. Written once, never changed.

A folder holds one declaration. More seeds, another recipe or other code are another declaration in another folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tinyproof.core.errors import DataError, InputError
from tinyproof.core.fields import from_mapping, number, one_of, whole
from tinyproof.core.files import sha256, write_atomic
from tinyproof.core.plain_data import read_json
from tinyproof.data.reading import Reading
from tinyproof.network import own_files
from tinyproof.network.budget import Budget
from tinyproof.prove import judged_export
from tinyproof.train.recipe import Recipe

FILE = "declared.json"
# Format 2 names the local files of a network of somebody's own, and the code by what it says; 1 by its files' bytes.
FORMATS = ("tinyproof-declaration/1", "tinyproof-declaration/2")
FORMAT = FORMATS[-1]
MAX_SEEDS = 1000
_MAX_BYTES = 4_000_000


@dataclass(frozen=True)
class DataFacts:
    """The data set a declaration binds itself to: its name, digests, sizes, how many test images are also in the
    training set (by content), and how pictures of one's own were read (None: as earlier versions did)."""

    name: str
    digest: str
    labels_sha256: str
    training_images: int
    test_images: int
    overlap: int
    reading: Reading | None = None

    def __post_init__(self) -> None:
        for name in ("digest", "labels_sha256"):
            _sha(name, getattr(self, name))
        whole("training_images", self.training_images, 1, 10**9)
        whole("test_images", self.test_images, 1, 10**7)
        whole("overlap", self.overlap, 0, 10**7)

    def to_dict(self) -> dict[str, Any]:
        """Plain data; what is not said stands nowhere, so that the digests of earlier declarations stay."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @staticmethod
    def from_dict(data: object, where: str = "") -> DataFacts:
        """The facts from JSON data. Raises InputError that names the field."""
        if isinstance(data, dict) and data.get("reading") is not None:
            data = {**data, "reading": from_mapping(Reading, data["reading"], where)}
        return from_mapping(DataFacts, data, where)


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """One question: does `model`, trained by `recipe`, reach `target` percent on the mean of `seeds`?

    `model`: a name, or `path/to/model.py:Class` with `model_files`, the digests of that file and of the local ones that
    it imports, and `model_sha256`, one digest of them ("" for a name).
    `engine`, `device`, `threads`: what decides the bits besides the seed. `code_digest`: of the code that computes.
    `earlier`: digests of declarations of the same question that stand beside this one: every attempt is counted.
    `seeds_from`: the digest that the seeds follow from (the question's, or a comparison's), "" where somebody named
    them. `judged_as`: the format that every run is exported to, whose answers are judged; "" where the network's are.
    """

    model: str
    recipe: Recipe
    budget: Budget
    target: float
    seeds: tuple[int, ...]
    data: DataFacts
    engine: str
    device: str
    threads: int
    code_digest: str
    declared_at: str
    model_sha256: str = ""
    seeds_from: str = ""
    earlier: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    model_files: dict[str, str] = field(default_factory=dict)
    judged_as: str = ""
    format: str = FORMAT

    def __post_init__(self) -> None:
        one_of("format", self.format, FORMATS)
        if not isinstance(self.model, str) or not 0 < len(self.model) <= 1000:
            raise InputError("model", self.model, "a network's name or path/to/model.py:Class")
        if not isinstance(self.target, float):
            raise InputError("target", self.target, "a number with a point: 99.0, not 99")
        number("target", self.target, 0, 100)
        check_seeds(self.seeds)
        one_of("engine", self.engine, ("torch", "native"))
        whole("threads", self.threads, 1, 1024)
        _sha("code_digest", self.code_digest)
        for earlier in self.earlier:
            _sha("earlier", earlier)
        for name, value in self.model_files.items():
            _sha(f"model_files {name}", value)
        judged_export.check(self.judged_as, self.budget)
        if self.model_files and own_files.digest(self.model_files) != self.model_sha256:
            raise InputError("model_sha256", self.model_sha256, "the digest of its files")

    @property
    def digest(self) -> str:
        """SHA-256 of the whole declaration: the record of every run made for it carries it (`Run.declaration`)."""
        return digest_of(self.to_dict())

    @property
    def question(self) -> str:
        """SHA-256 of what is asked, without the seeds and the time: equal for two attempts at one question."""
        asked = (
            self.model,
            self.model_sha256,
            self.recipe.digest,
            self.budget.to_dict(),
            self.target,
            self.data.digest,
            *([self.judged_as] if self.judged_as else []),
        )
        return digest_of(list(asked))

    @property
    def files(self) -> dict[str, str]:
        """The digests of a network's own files by name; a declaration of the first version knows one."""
        return own_files.named(self.model, self.model_sha256, self.model_files)

    @property
    def seeds_follow(self) -> bool:
        """Whether the seeds are those that follow from `seeds_from`: no seed was dropped, added or picked."""
        return self.seeds == seeds_for(len(self.seeds), self.seeds_from, len(self.earlier) + 1)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; `from_dict` gives the same declaration back."""
        files = {} if self.format == FORMATS[0] else {"model_files": dict(self.model_files)}
        return {
            "format": self.format,
            "model": self.model,
            "model_sha256": self.model_sha256,
            "recipe": self.recipe.to_dict(),
            "budget": self.budget.to_dict(),
            "target": self.target,
            "seeds": list(self.seeds),
            "data": self.data.to_dict(),
            "engine": self.engine,
            "device": self.device,
            "threads": self.threads,
            "code_digest": self.code_digest,
            "declared_at": self.declared_at,
            "seeds_from": self.seeds_from,
            "earlier": list(self.earlier),
            "versions": dict(self.versions),
            **files,
            **({"judged_as": self.judged_as} if self.judged_as else {}),
        }

    @staticmethod
    def from_dict(data: object, where: str = "") -> Declaration:
        """A declaration from JSON data. Raises InputError that names the field."""
        if not isinstance(data, dict) or data.get("format") not in FORMATS:
            found = data.get("format", "") if isinstance(data, dict) else ""
            raise InputError("format", found, " or ".join(FORMATS), where)
        parts: dict[str, Any] = dict(data)
        for name, make in (("recipe", Recipe.from_dict), ("budget", Budget.from_dict)):
            if name in parts:
                parts[name] = make(parts[name], where)
        if "data" in parts:
            parts["data"] = DataFacts.from_dict(parts["data"], where)
        return from_mapping(Declaration, parts, where)


def seeds_for(count: int, source: str, attempt: int) -> tuple[int, ...]:
    """`count` fresh seeds that nobody picked: they follow from a digest, their number, and the number of the attempt.

    Ten seeds do not begin with the nine that nine would be, so leaving one out afterwards shows.

    >>> seeds_for(2, "0" * 64, 1)
    (1529456569, 889874428)
    """
    whole("seeds", count, 1, MAX_SEEDS)
    found: list[int] = []
    step = 0
    while len(found) < count:
        words = hashlib.sha256(f"{source}/{attempt}/{count}/{step}".encode()).digest()
        seed = int.from_bytes(words[:4], "big") >> 1
        if seed not in found:
            found.append(seed)
        step += 1
    return tuple(found)


def check_seeds(seeds: Sequence[int]) -> None:
    """Raise InputError unless there are 1 to MAX_SEEDS seeds, each a whole number of at most 31 bits, none twice."""
    if not isinstance(seeds, tuple) or not 1 <= len(seeds) <= MAX_SEEDS:
        raise InputError("seeds", f"a list of {len(seeds)}", f"from 1 to {MAX_SEEDS} seeds")
    for seed in seeds:
        whole("seeds", seed, 0, 2**31 - 1)
    if len(set(seeds)) != len(seeds):
        twice = min(seed for seed in seeds if seeds.count(seed) > 1)
        raise InputError("seeds", twice, "each seed once")


def write(folder: Path, declaration: Declaration) -> None:
    """Write the declaration into a folder that has none. Raises InputError where another one stands there."""
    path = folder / FILE
    if path.exists() and read(folder).digest != declaration.digest:
        raise InputError("out", str(folder), "name another folder", problem="holds another declaration")
    write_atomic(path, json.dumps(declaration.to_dict(), indent=1, ensure_ascii=False) + "\n")


def read(folder: Path) -> Declaration:
    """The declaration in a folder. Raises DataError or InputError that says what is wrong with the file."""
    path = folder / FILE
    if not path.is_file():
        raise DataError(str(folder), f"holds no {FILE}", "name a folder that `tinyproof prove` has written")
    return Declaration.from_dict(read_json(path, _MAX_BYTES), str(path))


def digest_of(value: Any) -> str:
    """SHA-256 of plain data, written as canonical JSON (keys sorted, no spaces): equal data has one digest.

    >>> digest_of({"b": 1, "a": 2}) == digest_of({"a": 2, "b": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sha256(text.encode("utf-8"))


def _sha(name: str, value: object) -> None:
    if not isinstance(value, str) or len(value) != 64 or not set(value) <= set("0123456789abcdef"):
        raise InputError(name, value, "a SHA-256: 64 hexadecimal digits")
