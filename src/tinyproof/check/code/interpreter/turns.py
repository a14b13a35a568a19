"""The loops of a program while it is read: over loaders (passes), over anything else, and the calls they stand in."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Literal

from tinyproof.check.code.interpreter.rows import Rows
from tinyproof.check.code.interpreter.values import Function, Value
from tinyproof.check.finding import CodePlace

Mode = Literal["train", "eval", "unknown"]


@dataclass(eq=False)
class Loop:
    """A loop that is not over a loader; `count`: how many turns, where the text says so.

    `listed`: it goes over a few things that are written out, and stands for one of its turns. `around`: the loops
    that it stands in. `backward`, `optimiser`: a gradient is taken in its turns, where, and a step done by which
    optimiser; `zeroed`: gradients are cleared in it. `switched`: the networks that are put into a mode in it.
    `doubt`: how many open conditions it stands in. `body`: its statements. `made_before`: how many things of libraries
    had been made when it began, `networks_before`: how many networks. `rows`: it
    goes over these, one by one; `counter`: the name that counts its turns from 0. `sides`: how many sides of open
    conditions it stands on.
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
    body: tuple[ast.stmt, ...] = ()
    made_before: int = 0
    networks_before: int = 0
    rows: Value | None = None
    counter: str = ""
    sides: int = 0

    def counts_by(self, name: str) -> bool:
        """Whether a name goes up by one in each of its turns (or in some of them)."""
        steps = [node for part in self.body for node in ast.walk(part) if isinstance(node, ast.AugAssign)]
        by_hand = any(
            isinstance(step.op, ast.Add) and ast.unparse(step.target) == name and ast.unparse(step.value) == "1"
            for step in steps
        )
        return name == self.counter or by_hand


def epoch_loops(loops: tuple[Loop, ...]) -> tuple[Loop, ...]:
    """Those that may count epochs: not the ones over a few listed things (phases, splits), walked one by one."""
    return tuple(loop for loop in loops if not loop.listed)


def counter_of(node: ast.For | ast.AsyncFor | ast.While) -> str:
    """The first name of `for i, row in enumerate(rows)`; empty for any other loop, and where it starts elsewhere."""
    if isinstance(node, ast.While) or not isinstance(node.target, ast.Tuple) or not node.target.elts:
        return ""
    over, first = node.iter, node.target.elts[0]
    while isinstance(over, ast.Call) and over.args and ast.unparse(over.func) != "enumerate":
        over = over.args[0]
    plain = isinstance(over, ast.Call) and len(over.args) == 1 and not over.keywords
    return first.id if plain and isinstance(first, ast.Name) else ""


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

    `each`: the statements that every turn comes to. `labels`: the words printed beside its accuracy. `compared`: where
    the answers that it collected were held against labels, after it; `compared_in`: by which function.
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
    compared: CodePlace | None = None
    compared_in: str = ""

    @property
    def trains(self) -> bool:
        return self.backward is not None or bool(self.steps)

    @property
    def evaluates(self) -> bool:
        """Figures are collected over the batches without learning from them."""
        return not self.trains and bool(self.seen) and self.counted


def narrow(turn: Pass, rows: Value | None) -> None:
    """Of each batch only the answers that a mask lets through count: the loop goes over these rows."""
    whole = turn.loader
    if isinstance(rows, Rows) and isinstance(whole, Rows) and len(rows.paths) == len(whole.paths) == 1:
        longer = len(rows.paths[0].cuts) > len(whole.paths[0].cuts)
        if longer and rows.paths[0].root == whole.paths[0].root:
            turn.loader = rows


@dataclass(eq=False)
class KeptState:
    """`name = model.state_dict()` or, `alias`, `name = model` inside a loop. `loaded`: where it is taken up again."""

    name: str
    model: Value
    loop: Loop
    place: CodePlace
    alias: bool
    loaded: CodePlace | None = None
