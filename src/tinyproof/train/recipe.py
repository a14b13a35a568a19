"""Recipe: everything that decides how a network is trained, except its seed, as plain data. No torch here.

Reading order: Schedule, Augment, Recipe, then the named recipes at the end.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from tinyproof.core.errors import InputError
from tinyproof.core.fields import flag, from_mapping, number, one_of, whole
from tinyproof.core.files import read_bounded, sha256
from tinyproof.core.plain_data import parse_toml
from tinyproof.network.model_name import is_own

# A number or a numpy array of numbers.
Progress = TypeVar("Progress", float, Any)

OPTIMIZERS = ("sgd", "adamw")
SCHEDULES = ("constant", "step", "one-cycle", "cosine", "linear", "exponential")


@dataclass(frozen=True)
class Schedule:
    """How the rate moves during training. `kind` with its parameters; a parameter of another kind is ignored.

    - `constant`; `linear` (to zero at the end); `cosine` (half a cosine to zero at the end), each step;
    - `step`: times `gamma` every `every_epochs` epochs, or after each epoch of `at_epochs`;
    - `exponential`: times `gamma` after every epoch;
    - `one-cycle`: half cosines up from peak/`start_divisor`, down to peak/`start_divisor`/`end_divisor`.

    `warmup`: the share of all steps (0 to 0.9) in which the rate first rises; linearly, but for one-cycle.
    """

    kind: str = "constant"
    warmup: float = 0.0
    every_epochs: int = 0
    at_epochs: tuple[int, ...] = ()
    gamma: float = 0.1
    start_divisor: float = 25.0
    end_divisor: float = 1e4

    def __post_init__(self) -> None:
        one_of("schedule.kind", self.kind, SCHEDULES)
        number("schedule.warmup", self.warmup, 0, 0.9)
        whole("schedule.every_epochs", self.every_epochs, 0, 100_000)
        if not isinstance(self.at_epochs, tuple):
            raise InputError("schedule.at_epochs", self.at_epochs, "a list of epochs, for example [12]")
        for epoch in self.at_epochs:
            whole("schedule.at_epochs", epoch, 1, 100_000)
        number("schedule.gamma", self.gamma, 0, 1, above=True)
        number("schedule.start_divisor", self.start_divisor, 1, 1e9)
        number("schedule.end_divisor", self.end_divisor, 1, 1e12)


@dataclass(frozen=True)
class Augment:
    """Random changes of a training image, drawn anew for every image and epoch; zeros change nothing.

    Each draw is uniform and symmetric: rotation within +-`max_degrees`, shift within +-`max_shift_pixels` in x and in
    y, size times 1 +- `max_scale`, shear within +-`max_shear_degrees`. With `crop_probability` the centre square of
    `crop_to` pixels is enlarged to the full image. With `erase_probability` one box of 2 to `erase_max_area` of the
    area is erased. What comes in from outside, or is erased, has the colour of the image's border. From the share
    `anneal_from` of training on, everything shrinks linearly to `anneal_to` times its strength at the end (1 and 1:
    never).
    """

    max_degrees: float = 0.0
    max_shift_pixels: float = 0.0
    max_scale: float = 0.0
    max_shear_degrees: float = 0.0
    crop_to: int = 28
    crop_probability: float = 0.0
    erase_probability: float = 0.0
    erase_max_area: float = 0.15
    anneal_from: float = 1.0
    anneal_to: float = 1.0

    def __post_init__(self) -> None:
        number("augment.max_degrees", self.max_degrees, 0, 180)
        number("augment.max_shift_pixels", self.max_shift_pixels, 0, 128)
        number("augment.max_scale", self.max_scale, 0, 0.9)
        number("augment.max_shear_degrees", self.max_shear_degrees, 0, 60)
        whole("augment.crop_to", self.crop_to, 4, 1000)
        number("augment.crop_probability", self.crop_probability, 0, 1)
        number("augment.erase_probability", self.erase_probability, 0, 1)
        number("augment.erase_max_area", self.erase_max_area, 0.02, 1)
        number("augment.anneal_from", self.anneal_from, 0, 1)
        number("augment.anneal_to", self.anneal_to, 0, 1)

    @property
    def nothing(self) -> bool:
        """True when no image is ever changed."""
        strengths = (self.max_degrees, self.max_shift_pixels, self.max_scale, self.max_shear_degrees)
        return not (any(strengths) or self.crop_probability or self.erase_probability)

    def strength(self, progress: Progress) -> Progress:
        """The factor (0 to 1) on every draw at `progress` (0: the first step, 1: the end) of training.

        A number gives a number, an array of numbers an array.
        """
        if self.anneal_from >= 1:
            return progress * 0 + 1.0
        share = (progress - self.anneal_from) / (1.0 - self.anneal_from)
        return 1.0 + (self.anneal_to - 1.0) * (share + abs(share)) / 2


@dataclass(frozen=True)
class Recipe:
    """How a network is trained. Raises InputError that names the field.

    `rate`: the peak learning rate. `momentum`: of SGD; with AdamW its beta1. `weight_decay`: coupled (L2) with SGD,
    decoupled with AdamW, on every parameter, as torch's optimisers do it. `dropout`: None leaves the network's own
    probabilities, a number replaces them all. `ema`: None, or the decay per step of the averaged weights that are
    evaluated and kept; early on it is min(ema, (1 + step) / (10 + step)); batch-norm statistics are averaged alike.

    >>> import dataclasses
    >>> dataclasses.replace(BEST, epochs=2).epochs
    2
    """

    name: str
    optimizer: str = "sgd"
    rate: float = 0.01
    momentum: float = 0.9
    beta2: float = 0.999
    nesterov: bool = False
    weight_decay: float = 0.0
    schedule: Schedule = field(default_factory=Schedule)
    epochs: int = 14
    batch_size: int = 64
    label_smoothing: float = 0.0
    dropout: float | None = None
    ema: float | None = None
    augment: Augment = field(default_factory=Augment)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name or len(self.name) > 80 or not self.name.isprintable():
            raise InputError("name", self.name, "a printable name of 1 to 80 characters")
        one_of("optimizer", self.optimizer, OPTIMIZERS)
        number("rate", self.rate, 0, 1000, above=True)
        number("momentum", self.momentum, 0, 0.99999)
        number("beta2", self.beta2, 0, 0.999999)
        if flag("nesterov", self.nesterov) and (self.optimizer != "sgd" or self.momentum == 0):
            raise InputError("nesterov", True, "false, unless the optimizer is sgd with a momentum")
        number("weight_decay", self.weight_decay, 0, 100)
        whole("epochs", self.epochs, 1, 10_000)
        whole("batch_size", self.batch_size, 1, 60_000)
        number("label_smoothing", self.label_smoothing, 0, 0.9)
        if self.dropout is not None:
            number("dropout", self.dropout, 0, 0.95)
        if self.ema is not None:
            number("ema", self.ema, 0, 0.99999, above=True)
        if not isinstance(self.schedule, Schedule):
            raise InputError("schedule", self.schedule, "a table with a kind")
        if not isinstance(self.augment, Augment):
            raise InputError("augment", self.augment, "a table of augmentations")

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; `from_dict` gives the same recipe back."""
        data = asdict(self)
        data["schedule"]["at_epochs"] = list(self.schedule.at_epochs)
        return data

    @staticmethod
    def from_dict(data: object, where: str = "") -> Recipe:
        """A recipe from JSON or TOML data. Raises InputError that names the field."""
        if isinstance(data, dict):
            parts = {"schedule": Schedule, "augment": Augment}
            data = {k: from_mapping(parts[k], v, where) if k in parts else v for k, v in data.items()}
        return from_mapping(Recipe, data, where)

    @property
    def digest(self) -> str:
        """SHA-256 of everything but the name: two recipes of one digest train alike."""
        data = {k: v for k, v in self.to_dict().items() if k != "name"}
        return sha256(json.dumps(data, sort_keys=True).encode())


# The recipes of the source systems, faithful to what is known of them; each has the name of its network. Of s5-593k
# it is known only that its images were augmented, not how: 7 degrees, as the same family of networks used.
_PUBLISHED = (
    Recipe("s5-593k", rate=0.01, epochs=2, batch_size=512, augment=Augment(max_degrees=7.0)),
    Recipe(
        "s6-16k", rate=0.01, schedule=Schedule("step", every_epochs=15), epochs=20, augment=Augment(max_degrees=7.0)
    ),
    Recipe(
        "s7-8k",
        rate=0.02,
        momentum=0.8,
        schedule=Schedule("step", every_epochs=15),
        epochs=14,
        augment=Augment(max_degrees=5.0, crop_to=22, crop_probability=0.1),
    ),
    Recipe("s6-17k", rate=0.01, schedule=Schedule("step", at_epochs=(12,)), epochs=19, batch_size=128),
    Recipe("s6-19k", rate=0.01, epochs=19, batch_size=128),
    Recipe("s6-12k", rate=0.01, epochs=19, batch_size=64),
)

# Chosen on held-out training images (docs/recipes.md). The average of the weights looks back about one epoch.
BEST = Recipe(
    "best",
    optimizer="adamw",
    rate=0.02,
    beta2=0.99,
    weight_decay=0.01,
    schedule=Schedule("linear", warmup=0.1),
    epochs=14,
    batch_size=128,
    dropout=0.0,
    ema=0.9979,
    augment=Augment(max_degrees=8.0, max_shift_pixels=1.5, max_scale=0.08),
)

# For the network `fast`, chosen likewise.
FAST = Recipe(
    "fast",
    optimizer="adamw",
    rate=0.02,
    weight_decay=0.01,
    schedule=Schedule("one-cycle", warmup=0.2),
    epochs=12,
    batch_size=64,
    ema=0.9989,
    augment=Augment(max_degrees=8.0, max_shift_pixels=1.5, max_scale=0.08),
)

# Few images want more updates, so smaller batches (chosen on held-out training digits, docs/training.md).
DIGITS = Recipe(
    "digits",
    optimizer="adamw",
    rate=0.02,
    weight_decay=0.01,
    schedule=Schedule("one-cycle", warmup=0.2),
    epochs=14,
    batch_size=32,
    dropout=0.0,
    augment=Augment(max_degrees=8.0, max_shift_pixels=1.5, max_scale=0.08),
)

# Fewer images than this are few: smaller batches and more epochs, chosen on held-out training images of three small
# sets (`python benchmarks/few_images.py`, docs/training.md). At this number they take as long as `best` on MNIST.
FEW_IMAGES = 15_000
FEW = replace(BEST, name="few", batch_size=32, epochs=56)

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (BEST, FAST, FEW, DIGITS, *_PUBLISHED)}


def default(model: str, dataset: str, images: int | None = None) -> Recipe:
    """The recipe that a network gets when nobody names one, on the data set of this name with so many training images
    (None: many). A network of somebody's own keeps its own dropout.

    >>> default("s7-8k", "mnist").name, default("fast", "mnist").name, default("fast", "digits").name
    ('best', 'fast', 'digits')
    >>> default("fast", "leaves", 800).name, default("fast", "leaves", 80_000).name
    ('few', 'fast')
    >>> default("s7-8k", "mnist").dropout, default("model.py:Net", "mnist").dropout
    (0.0, None)
    """
    if dataset == "digits":
        found = DIGITS
    elif images is not None and images < FEW_IMAGES:
        found = FEW
    else:
        found = FAST if model == "fast" else BEST
    return replace(found, dropout=None) if is_own(model) else found


def named(name: str) -> Recipe:
    """A recipe by name, or from a TOML file when the name ends in .toml. Raises InputError, DataError.

    >>> named("s7-8k").momentum
    0.8
    """
    if not name.endswith(".toml"):
        return RECIPES[one_of("recipe", name, list(RECIPES))]
    data = parse_toml(read_bounded(Path(name), 100_000), "recipe", name)
    return Recipe.from_dict({"name": Path(name).stem, **data}, name)
