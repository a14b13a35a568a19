"""Sets of images: which they are, and how much of one is in another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tinyproof.check.code.interpreter.values import THINNED, Made, Object

Kind = Literal["train", "test", "part", "mixed", "unknown"]


# Data sets with `train=True|False`: images in the training set, in the test set, classes, side.
WITH_TRAIN_FLAG: dict[str, tuple[int, int, int, tuple[int, int, int]]] = {
    "MNIST": (60_000, 10_000, 10, (1, 28, 28)),
    "FashionMNIST": (60_000, 10_000, 10, (1, 28, 28)),
    "KMNIST": (60_000, 10_000, 10, (1, 28, 28)),
    "CIFAR10": (50_000, 10_000, 10, (3, 32, 32)),
    "CIFAR100": (50_000, 10_000, 100, (3, 32, 32)),
    "USPS": (7_291, 2_007, 10, (1, 16, 16)),
}


@dataclass(frozen=True)
class Split:
    """Which images: the whole training set, the whole test set, a part of one, several, or unknown.

    `root`: the call that makes the data set; `of` and `whole`: for a part, the kind of the whole and the whole;
    `parts`: for several sets joined into one, these.
    """

    kind: Kind
    family: str = ""
    root: Made | Object | None = None
    of: Kind = "unknown"
    whole: Split | None = None
    parts: tuple[Split, ...] = ()

    @property
    def size(self) -> int | None:
        known = WITH_TRAIN_FLAG.get(self.family)
        if known is None or self.kind not in ("train", "test") or (self.root and THINNED in self.root.attrs):
            return None
        return known[0] if self.kind == "train" else known[1]


UNKNOWN = Split("unknown")


def pieces(split: Split) -> Iterator[Split]:
    """The sets of images that a set is made of: itself, or those that were joined."""
    if split.kind != "mixed":
        yield split
    for part in split.parts:
        yield from pieces(part)


def overlap(one: Split, other: Split) -> Literal["all", "some", ""]:
    """How much of `other` (images that are measured on) is surely in `one` (images that are trained on).

    >>> whole = Split("train", "MNIST")
    >>> overlap(whole, Split("part", "MNIST", of="train", whole=whole)), overlap(whole, Split("test", "MNIST"))
    ('all', '')
    """
    if one.root is not None and one.root is other.root and not _sampled(one, other):
        return "all"
    if other.kind == "mixed":
        found = [overlap(one, part) for part in other.parts]
        return ("all" if found and all(answer == "all" for answer in found) else "some") if any(found) else ""
    if one.kind == "mixed":
        answers = [overlap(part, other) for part in one.parts]
        return "all" if "all" in answers else "some" if any(answers) else ""
    if other.kind == "part" and other.whole is not None and one.kind != "part":
        return overlap(one, other.whole)
    if one.kind == "part" and one.whole is not None and other.kind in ("train", "test"):
        return "some" if overlap(one.whole, other) else ""
    same = one.kind == other.kind and one.kind in ("train", "test") and one.family == other.family
    return "all" if same and one.family in WITH_TRAIN_FLAG else ""


def _sampled(one: Split, other: Split) -> bool:
    """Whether both are parts that a sampler draws from one set: which parts is not known."""
    return one.kind == other.kind == "part" and one.whole is not None and one.root is one.whole.root
