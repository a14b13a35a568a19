"""Loaders and data sets: which images a loader gives.

Everything answers with None (or kind 'unknown') where the text does not settle it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tinyproof.check.notebook.interpreter.attributes import library_bases
from tinyproof.check.notebook.interpreter.values import (
    Choice,
    Const,
    Made,
    Map,
    Object,
    Seq,
    Unknown,
    Value,
    constant,
    options,
)

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
_WITH_SPLIT = {"SVHN": 10, "STL10": 10}


@dataclass(frozen=True)
class Split:
    """Which images: the whole training set, the whole test set, a part of one, several, or unknown.

    `root`: the call that makes the data set; `of`: for a part, the kind of the whole.
    """

    kind: Kind
    family: str = ""
    root: Made | Object | None = None
    of: Kind = "unknown"

    @property
    def size(self) -> int | None:
        known = WITH_TRAIN_FLAG.get(self.family)
        if known is None or self.kind not in ("train", "test"):
            return None
        return known[0] if self.kind == "train" else known[1]


UNKNOWN = Split("unknown")


def dataset_of(loader: Value) -> Value | None:
    """The data set a loader was made from."""
    if isinstance(loader, Made) and loader.short.endswith("DataLoader"):
        if loader.open_kwargs and not loader.args and "dataset" not in loader.kwargs:
            return None
        return loader.args[0] if loader.args else loader.kwargs.get("dataset")
    return None


def argument(made: Made, name: str, position: int) -> Value | None:
    """An argument by keyword or position; None when it is not given, Unknown when that cannot be known."""
    if name in made.kwargs:
        return made.kwargs[name]
    if len(made.args) > position and not any(isinstance(a, Unknown) and a.name == "*" for a in made.args):
        return made.args[position]
    return Unknown(name) if made.open_kwargs else None


def split_of_loader(loader: Value, altered: set[int]) -> Split:
    """Which images a loader gives."""
    found = {id(option): _split_of_loader(option, altered) for option in options(loader)}
    splits = list(found.values())
    return splits[0] if all(s.kind == splits[0].kind and s.root is splits[0].root for s in splits) else UNKNOWN


def _split_of_loader(loader: Value, altered: set[int]) -> Split:
    data = dataset_of(loader)
    if data is None or id(loader) in altered or not isinstance(loader, Made):
        return UNKNOWN
    split = split_of(data, altered)
    for name, position in (("sampler", 3), ("batch_sampler", 4)):
        sampler = argument(loader, name, position)
        if sampler is not None and not (isinstance(sampler, Const) and sampler.value is None):
            if isinstance(sampler, Made) and sampler.short in ("RandomSampler", "SequentialSampler"):
                if "num_samples" not in sampler.kwargs:
                    continue
            if loader.open_kwargs and name not in loader.kwargs and split.kind == "train":
                return UNKNOWN  # perhaps all of them, perhaps a part held out
            return Split("part", split.family, split.root, split.kind)
    return split


def split_of(data: Value, altered: set[int], depth: int = 0) -> Split:
    """Which images a data set holds."""
    if isinstance(data, Choice):
        splits = [split_of(option, altered, depth + 1) for option in data.options]
        same = all(s.kind == splits[0].kind and s.family == splits[0].family for s in splits)
        return splits[0] if same and len({id(s.root) for s in splits}) == 1 else UNKNOWN
    if id(data) in altered or depth > 12:
        return UNKNOWN
    if isinstance(data, Object):
        return _split_of_object(data, altered, depth)
    if not isinstance(data, Made):
        return UNKNOWN
    if data.path.startswith("torchvision.datasets."):
        return _split_of_library(data, data.short, data)
    if data.short in ("Subset", "random_split"):
        inner = split_of(data.args[0], altered, depth + 1) if data.args else UNKNOWN
        return Split("part", inner.family, data, inner.kind)
    if data.short == "ConcatDataset":
        return Split("mixed", "", data)
    if data.path == ".dataset":
        inner_data = dataset_of(data.args[0])
        return split_of(inner_data, altered, depth + 1) if inner_data is not None else UNKNOWN
    if data.short == "load_dataset" and isinstance(constant(data.kwargs.get("split")), str):
        kind = constant(data.kwargs["split"])
        if kind in ("train", "test"):
            return Split("train" if kind == "train" else "test", "", data)
    return UNKNOWN


def _split_of_library(data: Made, name: str, root: Made | Object) -> Split:
    if name in WITH_TRAIN_FLAG or name in ("EMNIST", "QMNIST"):
        if name == "QMNIST":
            return Split("unknown", name, root)
        flag = data.kwargs.get("train") if name == "EMNIST" else argument(data, "train", 1)
        if name == "EMNIST" and flag is None and (data.open_kwargs or len(data.args) > 2):
            return Split("unknown", name, root)
        value = True if flag is None else constant(flag)
        if isinstance(value, bool | int) and value in (0, 1):
            return Split("train" if value else "test", name, root)
        return Split("unknown", name, root)
    if name in _WITH_SPLIT:
        flag = argument(data, "split", 1)
        value = "train" if flag is None else constant(flag)
        if value in ("train", "test"):
            return Split("train" if value == "train" else "test", name, root)
    return Split("unknown", name, root)


def _split_of_object(data: Object, altered: set[int], depth: int) -> Split:
    for path in library_bases(data.cls):
        if path.startswith("torchvision.datasets."):
            args, kwargs = data.args, data.kwargs
            given = data.attrs.get("(super)")
            if isinstance(given, Seq):
                named = data.attrs.get("(super keywords)")
                args = given.items
                kwargs = {str(k): v for k, v in named.items.items()} if isinstance(named, Map) else {}
            call = Made(path, args, kwargs, data.place)
            return _split_of_library(call, call.short, data)
    inside: dict[int, Split] = {}
    for value in (*data.attrs.values(), *data.args, *data.kwargs.values()):
        if isinstance(value, Made | Object) and value is not data:
            split = split_of(value, altered, depth + 1)
            if split.root is not None:
                inside[id(split.root)] = split
    # A data set of the notebook's own around one known data set: its images are those, perhaps not all of them.
    return next(iter(inside.values())) if len(inside) == 1 else UNKNOWN
