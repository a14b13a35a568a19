"""What a teacher asks for, as plain values that are checked when they are made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Literal

from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import find_net
from tinyproof.backprop.sweep import COURSE_RATES
from tinyproof.core.errors import InputError
from tinyproof.core.fields import number, one_of, whole
from tinyproof.network.budget import Budget

MOST_RATES = 100
# Data sets of images with classes, as torchvision calls them: a notebook is known to take one by this name.
DATA_SETS = (
    "MNIST", "FashionMNIST", "KMNIST", "QMNIST", "EMNIST", "CIFAR10", "CIFAR100", "SVHN", "STL10", "USPS", "Omniglot",
    "SEMEION", "Caltech101", "Caltech256", "Flowers102", "Food101", "FGVCAircraft", "GTSRB", "OxfordIIITPet", "DTD",
    "EuroSAT", "Imagenette", "ImageNet", "Places365", "SUN397", "StanfordCars", "PCAM", "CelebA", "FakeData",
    "ImageFolder",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class AskedWorkbook:
    """What a workbook must hold. What is left out is not asked.

    `network`: a preset's name or a TOML file; its inputs, weights, biases and targets. `targets_also_of`: networks
    whose targets are right too. `rates`: the learning rates, or "course" for its six. `rows_at_least`: rows of a
    training, each a state of the weights. `charts_at_least`: how many charts. Raises InputError, DataError.
    """

    network: str = ""
    targets_also_of: tuple[str, ...] = ()
    rates: tuple[float, ...] | str = ()
    rows_at_least: int | None = None
    charts_at_least: int | None = None

    def __post_init__(self) -> None:
        if self.targets_also_of and not self.network:
            raise InputError("workbook.targets_also_of", list(self.targets_also_of), "nothing without workbook.network")
        if isinstance(self.rates, str):
            one_of("workbook.rates", self.rates, ["course"])
        rates = [number("workbook.rates", rate, 0.0, 1_000.0, above=True) for rate in self.all_rates[:MOST_RATES]]
        if len(set(rates)) < len(self.all_rates):
            raise InputError("workbook.rates", list(self.rates), f"each rate once, at most {MOST_RATES}")
        for name in ("rows_at_least", "charts_at_least"):
            if getattr(self, name) is not None:
                whole(f"workbook.{name}", getattr(self, name), 1, 100_000)
        for net in self.nets[1:]:
            if net.shape[-1] != self.nets[0].shape[-1]:
                told = f"the targets of {net.name} ({net.shape[-1]})"
                raise InputError("workbook.targets_also_of", told, f"as many as {self.network} has")

    @property
    def all_rates(self) -> tuple[float, ...]:
        return COURSE_RATES if isinstance(self.rates, str) else self.rates

    @cached_property
    def nets(self) -> list[Net]:
        """The network, and after it those whose targets are right too."""
        return [find_net(name) for name in (self.network, *self.targets_also_of)] if self.network else []

    def finding_rules(self) -> Iterator[str]:
        """The names of the findings that it can lead to."""
        asked = {"network": self.network, "rates": self.rates, "rows": self.rows_at_least,
                 "charts": self.charts_at_least}  # fmt: skip
        yield "asked-workbook"
        yield from (f"asked-{name}" for name, value in asked.items() if value)


@dataclass(frozen=True, kw_only=True)
class AskedNotebook:
    """What a notebook must hold: the limits and rules of a budget. `data`: the public data set that it takes. `epoch`:
    whether the last epoch's accuracy counts, or the best one's. Raises InputError."""

    data: str = ""
    parameters_below: int | None = None
    epochs_below: int | None = None
    accuracy_percent: float | None = None
    epoch: Literal["last", "best"] = "last"
    rules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _data_set(self.data)
        for name in ("parameters_below", "epochs_below"):
            if getattr(self, name) is not None:
                whole(f"notebook.{name}", getattr(self, name), 2, 10**12)  # nothing is below 1
        if self.accuracy_percent is not None:
            _percent("notebook.accuracy_percent", self.accuracy_percent)
        one_of("notebook.epoch", self.epoch, ["last", "best"])
        if self.epoch == "best" and self.accuracy_percent is None:
            raise InputError("notebook.epoch", self.epoch, "nothing without notebook.accuracy_percent")
        Budget(rules=self.rules)

    def finding_rules(self) -> Iterator[str]:
        """The names of the findings that it can lead to."""
        asked = {
            "data": self.data,
            "parameters": self.parameters_below,
            "epochs": self.epochs_below,
            "accuracy": self.accuracy_percent,
            "layers": self.rules,
        }
        yield "asked-notebook"
        yield from (f"asked-{name}" for name, value in asked.items() if value)


def _data_set(name: str) -> None:
    """Refuse a name that no notebook can be known to take, whatever its letters' case; "" is none."""
    known = {each.casefold(): each for each in DATA_SETS}
    if name and name.casefold() not in known:
        near = get_close_matches(name.casefold(), known, 1, 0.6)
        hint = f" (did you mean {known[near[0]]}?)" if near else ""
        raise InputError("notebook.data", name, ", ".join(DATA_SETS) + hint)


def _percent(field: str, value: object) -> None:
    """Refuse what is no percentage; a share (0.988) would let everybody pass."""
    given = number(field, value, 0.0, 100.0)
    if given <= 1.0:
        meant = f", {given * 100:.10g}?" if given > 0.0 else ""
        raise InputError(field, value, f"a percentage above 1, at most 100{meant}")
