"""What happens while a program is read: passes over loaders, losses, divisions, steps, choices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tinyproof.check.code.interpreter.flows import Flow, Quantity
from tinyproof.check.code.interpreter.rows import Fit, Rows
from tinyproof.check.code.interpreter.turns import KeptState, Loop, Mode, Pass
from tinyproof.check.code.interpreter.uses import Measured, Use
from tinyproof.check.code.interpreter.values import Made, Object, Unknown, Value
from tinyproof.check.finding import CodePlace


@dataclass(frozen=True)
class LossCall:
    """A loss was taken of a network's output: by which function, of what, in which pass."""

    path: str
    scores: Flow
    place: CodePlace
    turn: Pass | None


@dataclass(frozen=True)
class Average:
    """A loss over a loader was divided by a count."""

    loss: Quantity
    count: Quantity
    place: CodePlace
    turn: Pass | None


@dataclass(frozen=True)
class Overwritten:
    """Each batch's loss replaced the one before; the place is the assignment."""

    place: CodePlace
    turn: Pass


@dataclass(frozen=True)
class Impossible:
    """A call that raises as it stands, with the reason."""

    place: CodePlace
    reason: str


@dataclass(frozen=True)
class Tampered:
    """A measured figure was changed by a number: `how` is added, maximum or divided; `number`: by which.

    counted: right answers were divided by `count`, a number of images or batches.
    """

    figure: Quantity
    how: Literal["added", "maximum", "divided", "counted"]
    place: CodePlace
    number: float | None = None
    count: Quantity | None = None


@dataclass(frozen=True)
class Kept:
    """A metric of a library that keeps a score is fed, read or set back: inside which loops, in which pass."""

    metric: Made
    how: Literal["fed", "read", "set back"]
    loops: tuple[Loop, ...]
    turn: Pass | None
    place: CodePlace


@dataclass(frozen=True)
class RunsOn:
    """Right answers that are added up over all turns of a loop are divided and shown in each of them."""

    place: CodePlace
    turn: Pass


@dataclass(frozen=True)
class Stale:
    """In a loop that measures, answers for a batch of an earlier loop are compared with the labels of this one."""

    place: CodePlace
    turn: Pass
    answers: Flow


@dataclass(frozen=True)
class SchedulerStep:
    """`scheduler.step(value)`: inside which loops and which pass."""

    scheduler: Made
    values: tuple[Value, ...]
    loops: tuple[Loop, ...]
    turn: Pass | None
    place: CodePlace
    after_training: bool = True


@dataclass(frozen=True)
class Choosing:
    """A condition on a measured figure decides about a checkpoint, or (`ends`) about the end of the training.

    `told`: the largest figure of all epochs is kept in this variable.
    """

    figure: Quantity
    place: CodePlace
    ends: bool = False
    told: str = ""


@dataclass(frozen=True)
class Preferred:
    """Of the figures that a loop measures one is preferred: compared with the best so far, or the least of all.

    `alone`: it is the figure alone that is kept, with nothing that gave it.
    """

    measured: Measured
    place: CodePlace
    alone: bool = False


@dataclass(frozen=True)
class Softmax:
    """A softmax or log-softmax was taken of a tensor that comes from a network."""

    op: str
    has_dimension: bool
    dimension: Value | None
    place: CodePlace
    flow: Flow


@dataclass(eq=False)
class Events:
    """All of them, in the order of reading."""

    passes: list[Pass] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    answered: dict[int, tuple[Mode, CodePlace]] = field(default_factory=dict)  # of networks: their last answer to rows
    asked_at: dict[int, CodePlace] = field(default_factory=dict)  # where that was, if outside of functions
    losses: list[LossCall] = field(default_factory=list)
    averages: list[Average] = field(default_factory=list)
    overwritten: list[Overwritten] = field(default_factory=list)
    impossible: list[Impossible] = field(default_factory=list)
    steps: list[SchedulerStep] = field(default_factory=list)
    choices: list[Choosing] = field(default_factory=list)
    preferred: list[Preferred] = field(default_factory=list)
    softmaxes: list[Softmax] = field(default_factory=list)
    networks: list[Object | Made] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    loaded: set[int] = field(default_factory=set)
    altered: set[int] = field(default_factory=set)
    escaped: set[int] = field(default_factory=set)
    called: set[int] = field(default_factory=set)
    missing_modules: list[str] = field(default_factory=list)
    unread: list[CodePlace] = field(default_factory=list)
    hidden: list[CodePlace] = field(default_factory=list)
    batches_added: list[CodePlace] = field(default_factory=list)
    tampered: list[Tampered] = field(default_factory=list)
    stale: list[Stale] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    runs_on: list[RunsOn] = field(default_factory=list)
    kept_states: list[KeptState] = field(default_factory=list)
    seeds: list[CodePlace] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    learned: dict[int, tuple[Fit, ...]] = field(default_factory=dict)
    compiled: list[tuple[Value, Value | None, CodePlace]] = field(default_factory=list)
    dropped: list[tuple[Made, CodePlace]] = field(default_factory=list)
    exhausted: bool = False
    # Stands for the weights that no object holds, in JAX or numpy: they are handed from call to call.
    folds: list[tuple[object, str, str]] = field(default_factory=list)  # made by hand: paths, and the bounds between
    asked: list[Rows] = field(default_factory=list)  # what such weights gave answers for
    weights: Value = field(default_factory=lambda: Unknown("weights"))
