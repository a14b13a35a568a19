"""A family of networks as data: what may be chosen, and one network drawn of it. No torch here."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinyproof.core.errors import InputError
from tinyproof.core.fields import flag, from_mapping, whole
from tinyproof.core.files import read_bounded
from tinyproof.core.plain_data import parse_toml
from tinyproof.data.reading import Shape

# A map smaller than this many pixels a side is not halved again.
_LEAST_SIDE = 4
_MOST_BYTES = 100_000


@dataclass(frozen=True)
class Costs:
    """What a network costs: parameters, multiply-adds an image (None: not known), bytes of its weights in float32."""

    parameters: int
    macs: int | None
    bytes: int


@dataclass(frozen=True)
class Stage:
    """One stage: a convolution of `kernel` x `kernel` to `width` channels, ReLU, batch norm. `depthwise`: each channel
    by itself, then 1x1 to `width`. `residual`: what came in is added to what comes out."""

    width: int
    kernel: int = 3
    stride: int = 1
    depthwise: bool = False
    residual: bool = False

    @property
    def words(self) -> str:
        """The stage in a word: its width, kernel, stride, `d` for depthwise, `+` for residual.

        >>> Stage(16, 3, 2).words, Stage(16, 5, depthwise=True, residual=True).words
        ('16k3s2', '16k5d+')
        """
        stride = f"s{self.stride}" if self.stride > 1 else ""
        return f"{self.width}k{self.kernel}{stride}{'d' * self.depthwise}{'+' * self.residual}"


@dataclass(frozen=True)
class Drawn:
    """One member of a family: its stages, and what its recipe differs in (`rate=0.01,batch_size=64`, or nothing)."""

    stages: tuple[Stage, ...]
    recipe: str = ""

    @property
    def words(self) -> str:
        """The stages in a line.

        >>> Drawn((Stage(8, 5, 2), Stage(16))).words
        '8k5s2 16k3'
        """
        return " ".join(stage.words for stage in self.stages)

    def costs(self, shape: Shape, classes: int) -> Costs:
        """What the network costs for images of `shape` and so many classes, counted without making it.

        >>> Drawn((Stage(8),)).costs((1, 28, 28), 10)
        Costs(parameters=168, macs=56528, bytes=744)
        """
        inputs, height, width = shape
        total = multiplied = buffers = 0
        for stage in self.stages:
            height, width = -(-height // stage.stride), -(-width // stage.stride)
            area = stage.kernel**2
            weights = inputs * area + inputs * stage.width if stage.depthwise else inputs * stage.width * area
            total, inputs = total + weights + 2 * stage.width, stage.width
            multiplied += weights * height * width
            buffers += 8 * stage.width + 8  # batch norm's running mean and variance, and its count of steps
        total, multiplied = total + inputs * classes, multiplied + inputs * classes
        return Costs(total, multiplied, 4 * total + buffers)


@dataclass(frozen=True, kw_only=True)
class Family:
    """What may be chosen: how many `stages`, and for each its width, kernel, stride, depthwise or not, residual or not;
    `recipes`: what differs in the recipe, each as `rate=0.01,batch_size=64`. Raises InputError that names the field.

    >>> Family(widths=(8,), kernels=(3,), strides=(1,), depthwise=(False,), residual=(False,)).draw(
    ...     random.Random(1), (1, 28, 28)
    ... ).stages[0]
    Stage(width=8, kernel=3, stride=1, depthwise=False, residual=False)
    """

    stages: tuple[int, ...] = (3, 4, 5)
    widths: tuple[int, ...] = (4, 6, 8, 10, 12, 14, 16, 20, 24)
    kernels: tuple[int, ...] = (3, 5)
    strides: tuple[int, ...] = (1, 2)
    depthwise: tuple[bool, ...] = (False, True)
    residual: tuple[bool, ...] = (False, True)
    recipes: tuple[str, ...] = ("rate=0.01", "rate=0.02", "rate=0.03")

    def __post_init__(self) -> None:
        for name, low, high in (("stages", 1, 20), ("widths", 1, 512), ("kernels", 1, 11), ("strides", 1, 4)):
            for value in _some(name, getattr(self, name)):
                whole(name, value, low, high)
        for kernel in self.kernels:
            if kernel % 2 == 0:
                raise InputError("kernels", kernel, "odd sizes: 1, 3, 5, 7, 9, 11")
        for name in ("depthwise", "residual"):
            for value in _some(name, getattr(self, name)):
                flag(name, value)
        for value in _some("recipes", self.recipes):
            if not isinstance(value, str):
                raise InputError("recipes", value, "a text, as rate=0.01,batch_size=64, or an empty one")

    def draw(self, generator: random.Random, shape: Shape) -> Drawn:
        """A network for images of `shape`, every choice as likely as the others; what would change nothing is left out:
        no sum of maps of two sizes, no stride on a map of few pixels."""
        side, inputs, stages = min(shape[1:]), shape[0], list[Stage]()
        for number in range(generator.choice(self.stages)):
            width, kernel, stride = (generator.choice(x) for x in (self.widths, self.kernels, self.strides))
            depthwise, residual = generator.choice(self.depthwise), generator.choice(self.residual)
            stride = stride if -(-side // stride) >= _LEAST_SIDE else 1
            fits = number > 0 and stride == 1 and width == inputs
            stages.append(Stage(width, kernel, stride, depthwise and number > 0, residual and fits))
            side, inputs = -(-side // stride), width
        return Drawn(tuple(stages), generator.choice(self.recipes))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {name: list(value) for name, value in asdict(self).items()}


def _some(name: str, values: object) -> Iterator[Any]:
    if not isinstance(values, tuple) or not 1 <= len(values) <= 100:
        raise InputError(name, values, "a list of 1 to 100 choices")
    return iter(values)


# Networks that the native engine trains: one layer after the other.
CHAINS = Family(depthwise=(False,), residual=(False,))
NAMED = {"all": Family(), "chains": CHAINS}


def read(name: str) -> Family:
    """A family by its name, or from a TOML file. Raises InputError, DataError.

    >>> read("chains").depthwise
    (False,)
    """
    if name in NAMED:
        return NAMED[name]
    if not name.endswith(".toml"):
        raise InputError("family", name, f"{', '.join(NAMED)}, a .toml file, or path/to/model.py:function")
    return from_mapping(Family, parse_toml(read_bounded(Path(name), _MOST_BYTES), "family", name), name)
