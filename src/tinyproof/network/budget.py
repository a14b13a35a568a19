"""Budget: what a network may cost and must reach; and the checks of one measured network against it.

A check has three answers: kept, broken, and not known (None): an accuracy that was not measured is not a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from tinyproof.core.errors import InputError
from tinyproof.core.fields import from_mapping, number, one_of, whole
from tinyproof.core.table import Column, Table

# Rules that courses set about what a network is made of, in the words of the report.
RULES: dict[str, str] = {
    "uses-batch-norm": "batch normalisation is used",
    "uses-dropout": "dropout is used",
    "uses-global-average-pooling": "global average pooling is used",
    "no-fully-connected": "no fully connected layer is used",
    "no-fully-connected-or-global-average-pooling": "no fully connected layer, or global average pooling is used",
}
# Channels, height and width of the images, and the number of classes, that the networks were published for.
MADE_FOR = (1, 28, 28), 10
# Among the kinds of layers: a matrix of weights is used (`x @ W`), or perhaps, without a layer that says so.
WEIGHT_MATRIX, WEIGHT_MATRIX_PERHAPS = "weight matrix", "weight matrix?"
# Limits on a microcontroller, which a network keeps or breaks as C.
ON_A_CHIP = ("flash_below", "ram_below", "instructions_below")
# Of an image: what takes so many or more is counted as this, and no limit can be above it.
MOST_INSTRUCTIONS = 671_088_640
_BATCH_NORMS = {"BatchNorm", "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm"}


@dataclass(frozen=True)
class Budget:
    """Upper limits (each exclusive: below), the accuracy of the last epoch in percent (at least), structural rules.

    `None` sets no limit. `flash_below`, `ram_below`, `instructions_below`: bytes, and the most instructions that one
    of the first ten test images takes, on a Cortex-M4, of a network that is exported to C. Raises InputError for a
    limit that nothing could keep, or nothing could find broken, or an unknown rule.

    >>> Budget(parameters_below=8_000, epochs_below=15, accuracy_percent=99.4).parameters_below
    8000
    """

    parameters_below: int | None = None
    epochs_below: int | None = None
    accuracy_percent: float | None = None
    bytes_below: int | None = None
    macs_below: int | None = None
    rules: tuple[str, ...] = ()
    flash_below: int | None = None
    ram_below: int | None = None
    instructions_below: int | None = None

    def __post_init__(self) -> None:
        for name in ("parameters_below", "epochs_below", "bytes_below", "macs_below", *ON_A_CHIP):
            if getattr(self, name) is not None:
                most = MOST_INSTRUCTIONS if name == "instructions_below" else 10**15
                whole(name, getattr(self, name), 1, most)
        if self.accuracy_percent is not None:
            number("accuracy_percent", self.accuracy_percent, 0, 100)
        if not isinstance(self.rules, tuple):
            raise InputError("rules", self.rules, "a list of rule names")
        for rule in self.rules:
            one_of("rules", rule, list(RULES))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; limits that came later stand there only where they are set, so that digests stay."""
        data = {**asdict(self), "rules": list(self.rules)}
        return {name: value for name, value in data.items() if value is not None or name not in ON_A_CHIP}

    @staticmethod
    def from_dict(data: object, where: str = "") -> Budget:
        """The budget that `to_dict` gave. Raises InputError that names the field."""
        return from_mapping(Budget, data, where)


# The course budgets: 99.4 % with fewer than 20,000 parameters in fewer than 20 epochs, then 8,000 in fewer than 15.
# The accuracy is the data set's (Dataset.target_percent); s6-16k was trained for 20 epochs and breaks its own budget.
_BELOW_20K = Budget(parameters_below=20_000, epochs_below=20)
_COURSE = {
    **dict.fromkeys(("s7-8k", "fast"), Budget(parameters_below=8_000, epochs_below=15)),
    **dict.fromkeys(("s6-16k", "s6-17k", "s6-19k", "s6-12k"), _BELOW_20K),
}


def course(name: str, shape: tuple[int, int, int] = MADE_FOR[0], classes: int = MADE_FOR[1]) -> Budget:
    """The course budget of a network by name, without the accuracy; no limits for any other network, nor for one that
    is made for other images or classes than it was published for.

    >>> course("s7-8k").parameters_below, course("s7-8k", (3, 32, 32)).parameters_below
    (8000, None)
    """
    return _COURSE.get(name, Budget()) if (shape, classes) == MADE_FOR else Budget()


def given(limits: Mapping[str, Any]) -> dict[str, Any]:
    """The limits that say something: not None, and some rule."""
    return {name: value for name, value in limits.items() if value is not None and value != ()}


def limited(budget: Budget, limits: Mapping[str, Any]) -> Budget:
    """The budget with the limits that were given in place of its own; None and no rules give nothing.

    >>> limited(Budget(parameters_below=8_000), {"parameters_below": 5_000, "macs_below": None}).parameters_below
    5000
    """
    return replace(budget, **given(limits))


def words(budget: Budget) -> str:
    """A budget in one line; equal budgets have equal words.

    >>> words(Budget(parameters_below=8_000, rules=("uses-dropout",)))
    'parameters below 8,000, uses-dropout'
    """
    limits = [(name, value) for name, value in budget.to_dict().items() if isinstance(value, int | float)]
    words = [f"{name.replace('_', ' ')} {value:,}" for name, value in limits]
    return ", ".join([*words, *sorted(budget.rules)]) or "no limits"


def on_a_chip(limits: Budget) -> str:
    """What is limited on a microcontroller, in words; empty where nothing is.

    >>> on_a_chip(Budget(flash_below=10_000, ram_below=3_000, instructions_below=2_000_000))
    'flash, RAM and instructions'
    """
    called = zip(ON_A_CHIP, ("flash", "RAM", "instructions"), strict=True)
    *most, last = [word for name, word in called if getattr(limits, name) is not None] or [""]
    return f"{', '.join(most)} and {last}" if most else last


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was measured of one network: counts, last-epoch accuracy in percent, and its structure.

    `epochs` and `accuracy_percent` are None where nothing was trained; `macs` and `global_average_pooling` where they
    are not known; `flash` and `ram`, in bytes, and `instructions` (the most that one
    of the first ten test images takes), where nothing measured them. `kinds`:
    class names of the layers that it uses (`Conv2d`, `BatchNorm2d`), from `anatomy`.
    `dropout_active`: some dropout that it uses has a probability above 0.
    """

    parameters: int
    bytes: int
    macs: int | None = None
    epochs: int | None = None
    accuracy_percent: float | None = None
    kinds: tuple[str, ...] = ()
    dropout_active: bool = False
    global_average_pooling: bool | None = False
    flash: int | None = None
    ram: int | None = None
    instructions: int | None = None


@dataclass(frozen=True)
class Check:
    """One line of the verdict: what is required, what was measured, and whether it is kept (None: not known)."""

    name: str
    required: str
    measured: str
    kept: bool | None


def check(budget: Budget, facts: Facts) -> tuple[Check, ...]:
    """Every limit and rule of the budget against the facts, in the order of the budget's fields."""
    checks: list[Check] = []
    limits: tuple[tuple[str, int | None, int | None], ...] = (
        ("parameters", budget.parameters_below, facts.parameters),
        ("epochs", budget.epochs_below, facts.epochs),
        ("bytes", budget.bytes_below, facts.bytes),
        ("MACs an image", budget.macs_below, facts.macs),
        ("bytes of flash", budget.flash_below, facts.flash),
        ("bytes of RAM", budget.ram_below, facts.ram),
        ("instructions, most of the first 10 test images", budget.instructions_below, facts.instructions),
    )
    for name, below, got in limits:
        if below is not None:
            kept = None if got is None else got < below
            least = "at least " * (name.startswith("instructions") and got == MOST_INSTRUCTIONS)
            checks.append(Check(name, f"below {below:,}", "not known" if got is None else f"{least}{got:,}", kept))
    if budget.accuracy_percent is not None:
        reached = facts.accuracy_percent
        checks.append(
            Check(
                "accuracy, last epoch",
                f"at least {budget.accuracy_percent:g} %",
                "not known" if reached is None else f"{reached:.2f} %",
                None if reached is None else at_least(reached, budget.accuracy_percent),
            )
        )
    checks += [_rule(rule, facts) for rule in budget.rules]
    return tuple(checks)


def at_least(percent: float, target: float) -> bool:
    """Whether an accuracy reaches its target; a difference below 1e-9 points is rounding, not a miss."""
    return percent >= target - 1e-9


def table(checks: tuple[Check, ...]) -> Table:
    """The checks as a table: requirement, measured, kept."""
    words = {True: "kept", False: "broken", None: "not known"}
    columns = (Column("budget"), Column("required", "right"), Column("measured", "right"), Column("verdict"))
    return Table("", columns, tuple((c.name, c.required, c.measured, words[c.kept]) for c in checks))


def _rule(rule: str, facts: Facts) -> Check:
    kinds = [kind for kind in facts.kinds if not kind.startswith("own ")]
    without = _none_connected(kinds)
    pooled = facts.global_average_pooling
    either = True if without or pooled else None if None in (without, pooled) else False
    kept = {
        "uses-batch-norm": any(kind in _BATCH_NORMS for kind in kinds),
        "uses-dropout": facts.dropout_active,
        "uses-global-average-pooling": pooled,
        "no-fully-connected": without,
        "no-fully-connected-or-global-average-pooling": either,
    }[rule]
    kept = kept if facts.kinds else None
    return Check(rule, RULES[rule], {True: "yes", False: "no", None: "not known"}[kept], kept)


def _none_connected(kinds: list[str]) -> bool | None:
    if WEIGHT_MATRIX in kinds or any("Linear" in kind for kind in kinds):
        return False
    return None if WEIGHT_MATRIX_PERHAPS in kinds else True
