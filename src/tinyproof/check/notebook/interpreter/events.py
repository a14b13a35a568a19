"""What happens while a program is read: passes over loaders, losses, divisions, steps, choices."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Literal

from tinyproof.check.finding import CodePlace
from tinyproof.check.notebook.interpreter.flows import Flow, Quantity
from tinyproof.check.notebook.interpreter.rows import Fit, Rows
from tinyproof.check.notebook.interpreter.uses import Use
from tinyproof.check.notebook.interpreter.values import Function, Made, Object, Unknown, Value

Mode = Literal["train", "eval", "unknown"]


@dataclass(eq=False)
class Loop:
    """A loop that is not over a loader; `count`: how many turns, where the text says so.

    `listed`: it goes over a few things that are written out, and stands for one of its turns. `around`: the loops
    that it stands in. `backward`, `optimiser`: a gradient is taken in its turns, where, and a step done by which
    optimiser; `zeroed`: gradients are cleared in it. `switched`: the networks that are put into a mode in it.
    `doubt`: how many open conditions it stands in.
    """

    place: CodePlace
    count: int | None
    listed: bool = False
    around: tuple[Loop, ...] = ()
    backward: CodePlace | None = None
    optimiser: Value | None = None
    zeroed: bool = False
    switched: set[tuple[int, Mode]] = field(default_factory=set)
    doubt: int = 0


def epoch_loops(loops: tuple[Loop, ...]) -> tuple[Loop, ...]:
    """Those that may count epochs: not the ones over a few listed things (phases, splits), walked one by one."""
    return tuple(loop for loop in loops if not loop.listed)


@dataclass(eq=False)
class Frame:
    """A call of a function of the notebook's own: where it is called, and with what text for each parameter."""

    function: Function
    place: CodePlace
    arguments: dict[str, str]


@dataclass(frozen=True)
class Seen:
    """A network was applied to a batch: in which mode, with gradients or without, where."""

    model: Value
    mode: Mode
    gradients: bool
    place: CodePlace


@dataclass(eq=False)
class Pass:
    """One loop over a loader. `loops`: the loops around it, outermost first. `frames`: the calls it stands in.

    `each`: the statements that every turn comes to. `labels`: the words printed beside its accuracy.
    """

    loader: Value
    place: CodePlace
    text: str
    frames: tuple[Frame, ...]
    loops: tuple[Loop, ...]
    cell: int | None = None
    backward: CodePlace | None = None
    steps: list[tuple[Value, CodePlace]] = field(default_factory=list)
    zeroed: bool = False
    seen: list[Seen] = field(default_factory=list)
    hits: bool = False
    loss: bool = False
    counted: bool = False
    sums_loss: bool = False
    escaped: bool = False
    framework: bool = False
    each: tuple[ast.stmt, ...] = ()
    labels: list[str] = field(default_factory=list)

    @property
    def trains(self) -> bool:
        return self.backward is not None or bool(self.steps)

    @property
    def evaluates(self) -> bool:
        """Figures are collected over the batches without learning from them."""
        return not self.trains and bool(self.seen) and self.counted


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
    """A condition on a measured figure decides about a checkpoint, or (`ends`) about the end of the training."""

    figure: Quantity
    place: CodePlace
    ends: bool = False


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
    losses: list[LossCall] = field(default_factory=list)
    averages: list[Average] = field(default_factory=list)
    overwritten: list[Overwritten] = field(default_factory=list)
    impossible: list[Impossible] = field(default_factory=list)
    steps: list[SchedulerStep] = field(default_factory=list)
    choices: list[Choosing] = field(default_factory=list)
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


def saves_something(body: list[ast.stmt]) -> bool:
    """Whether statements keep a network: torch.save, a copy of its state, a checkpoint."""
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                lowered = str(name).lower()
                if lowered == "state_dict" or re.match(
                    r"save_?\w*(?:model|net|ckpt|checkpoint|state|weights|best)", lowered
                ):
                    return True
                if lowered == "save" and _is_torch_or_model(node.func):
                    return True
                if lowered == "deepcopy" and any(
                    "model" in ast.unparse(a) or "net" in ast.unparse(a) for a in node.args
                ):
                    return True
    return False


def _is_torch_or_model(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and any(
        word in ast.unparse(function.value).lower() for word in ("torch", "model", "net", "jit", "checkpoint")
    )
