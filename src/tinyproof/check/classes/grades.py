"""Points for a submission, by a rubric that anybody can check by hand: so much is full, so much a mistake costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tinyproof.check.classes.submissions import Submission
from tinyproof.check.finding import ASKED, NOT_CHECKED, SEVERITIES, Severity
from tinyproof.core.fields import number

_MOST_POINTS = 1_000.0


@dataclass(frozen=True, kw_only=True)
class Points:
    """The rubric. `full`: without a mistake; `error`, `warning`: what a rule costs, once, however often it is broken;
    `unmet`: what something costs that was asked and is not there; `rules`: what rules of their own weight cost.
    InputError for a number that is none, or below 0."""

    full: float = 10.0
    error: float = 3.0
    warning: float = 0.5
    unmet: float = 3.0
    rules: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("full", "error", "warning", "unmet"):
            number(f"points.{name}", getattr(self, name), 0.0, _MOST_POINTS)
        for rule, cost in self.rules.items():
            number(f"points.rules.{rule}", cost, 0.0, _MOST_POINTS)

    def cost(self, rule: str, severity: Severity) -> float:
        """What it costs to break a rule; a note costs nothing."""
        if severity == "note":
            return 0.0
        usual = self.unmet if rule.startswith(ASKED) else self.error if severity == "error" else self.warning
        return float(self.rules.get(rule, usual))


@dataclass(frozen=True)
class Deduction:
    """Points that a broken rule costs."""

    rule: str
    severity: Severity
    cost: float


@dataclass(frozen=True)
class Grade:
    """`points`: None where a person has to look, and `why` says at what; `deductions` as far as they are known."""

    points: float | None
    deductions: tuple[Deduction, ...]
    why: str = ""

    def words(self) -> str:
        """How the points come about, in a line; "" for full points."""
        lost = ", ".join(f"{each.rule} -{each.cost:g}" for each in self.deductions)
        return "; ".join(part for part in (lost, f"to be looked at: {self.why}" if self.why else "") if part)


def grade(one: Submission, points: Points) -> Grade:
    """The points of a submission. None is given for what could not be decided or read: that is a person's to judge.

    >>> grade(Submission("ada", ()), Points()).why
    'nothing was handed in that can be judged'
    """
    deductions = _deductions(one, points)
    why = _open(one)
    if why:
        return Grade(None, deductions, why)
    left = max(0.0, points.full - sum(each.cost for each in deductions))
    return Grade(int(left) if float(left).is_integer() else left, deductions)


def _open(one: Submission) -> str:
    """Why a person has to look; "" where everything was judged."""
    if not one.files and not one.left_out:
        return "nothing was handed in that can be judged"
    left = next((left.why for left in one.left_out if left.asked), "")
    unsure = next((f for f in one.files if f.status in ("undecided", "unreadable") or NOT_CHECKED in f.problem), None)
    if unsure is not None:
        return unsure.problem or unsure.status
    if left or any(file.status in ("right", "wrong", "unsupported") for file in one.files):
        return left
    return one.files[0].problem or "nothing to judge" if one.files else "nothing to judge"


def _deductions(one: Submission, points: Points) -> tuple[Deduction, ...]:
    worst: dict[str, Severity] = {}
    for finding in (finding for file in one.files for finding in file.findings):
        worst[finding.rule] = min(worst.get(finding.rule, "note"), finding.severity, key=SEVERITIES.index)
    lost = [Deduction(rule, how, points.cost(rule, how)) for rule, how in worst.items()]
    return tuple(sorted((each for each in lost if each.cost), key=lambda each: (-each.cost, each.rule)))
