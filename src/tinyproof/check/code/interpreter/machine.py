"""The abstract reader: it walks through a program in the order of its cells, with values instead of data.

Nothing of the program is executed or imported. Functions are followed into their bodies, loops are walked once, both
sides of a condition that is not known are walked and joined. A budget of steps bounds the work.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tinyproof.check.code.interpreter.blocks import Block
from tinyproof.check.code.interpreter.events import Events, Overwritten
from tinyproof.check.code.interpreter.rows import Cut, Rows
from tinyproof.check.code.interpreter.turns import Frame, Loop, Mode, Pass
from tinyproof.check.code.interpreter.uses import Measured
from tinyproof.check.code.interpreter.values import (
    Class,
    Function,
    Made,
    ModuleValue,
    Name,
    Object,
    Scope,
    Unknown,
    Value,
    options,
)
from tinyproof.check.code.interpreter.ways import merged_modes
from tinyproof.check.finding import CodePlace

MAX_STEPS = 120_000
ITEMS_A_STEP = 10
MAX_DEPTH = 24


class Exhausted(Exception):
    """The budget of steps is used up: what was seen so far stands, the rest is not known."""


FindModule = Callable[[str, str], "tuple[str, tuple[Block, ...]] | None"]


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What Python's constructs mean to the machine, and what a call of anything foreign gives (`library.foreign`).

    All of these need each other and the machine itself, so they are handed to it (`reader.reader`): nothing has to be
    imported in a circle.
    """

    evaluate: Callable[[Machine, ast.expr, Scope], Value]
    call: Callable[[Machine, Value, list[Value], dict[str, Value], ast.AST, Scope], Value]
    foreign: Callable[[Machine, Value, list[Value], dict[str, Value], ast.AST, Scope, bool], Value]
    bind: Callable[[Machine, ast.expr, Value, Scope], None]
    execute: Callable[[Machine, list[ast.stmt], Scope], bool]
    passed: Callable[[Machine, Pass], None]
    learned: Callable[[Machine, Value, Rows, CodePlace], None]
    followed: Callable[[Machine, Function, list[Value], Value, CodePlace], Value]
    behind: Callable[[Value], Rows | None]
    array: Callable[[Machine, Value], Value]


class Machine:
    """The state of the reading. `find_module(dotted name, asking file)` gives a local module's file and blocks;
    `find_file(path, asking file)` those of a file that is run by its path.
    """

    def __init__(self, find_module: FindModule, meaning: Meaning, find_file: FindModule | None = None) -> None:
        self.find_module, self.find_file, self.meaning = find_module, find_file, meaning
        self.patched: set[str] = set()  # what of a library the notebook replaced by something of its own
        self.events = Events()
        self.frames: list[Frame] = []
        self.loops: list[Loop] = []
        self.passes: list[Pass] = []
        self.returns: list[list[Value]] = []
        self.modes: dict[int, Mode] = {}
        self.exits: list[list[dict[int, Mode]]] = []  # of each function entered: the modes where it returned in doubt
        self.modules: dict[tuple[str, tuple[int | None, ...]], Scope] = {}
        self.functions_entered: set[int] = set()
        self.replaced: dict[int, Overwritten] = {}
        self.runs_on: dict[int, tuple[Loop, Pass]] = {}  # counters that a loop over epochs never sets back
        self.outputs: dict[int, Value] = {}
        self.outputs_of: dict[tuple[int, int], Value] = {}  # of a network that was given so many arguments
        self.no_grad = 0
        self.conditions = 0  # around this statement, in the function that it stands in
        self.doubt = 0
        self.sides: list[tuple[tuple[object, ...], str]] = []  # of the open conditions around a statement, which side
        self.building = 0
        self.filled: dict[int, Pass] = {}  # lists that were added to in each turn of a loop over batches
        self.emptied: dict[int, Pass] = {}  # lists that begin empty in each turn of one
        self.before_learning: list[Measured] = []  # in the turns of a loop, above what learns there
        self.looked_up: list[Rows] = []  # labels of rows that were picked by a computed place, in order
        self.parted_at: dict[Cut, CodePlace] = {}  # where a split was made
        self.written: Counter[object] = Counter()  # how often a column of tables was set, by its name; None: of any
        self.steps = self.seedings = 0  # and how often a stream of random numbers was begun anew
        self.discarded: ast.AST | None = None  # the call of which nothing is kept
        self.keep: list[Value] = []  # ids are used as keys: nothing may be freed and its id used again

    def tick(self) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Exhausted

    def copied(self, items: int) -> None:
        """Items of a list or dict were copied: many count as a step, so that what is kept is bounded too."""
        self.steps += items // ITEMS_A_STEP

    def place(self, node: ast.AST, scope: Scope) -> CodePlace:
        return CodePlace(scope.file, scope.cell, getattr(node, "lineno", None))

    def run(self, blocks: Iterable[Block], scope: Scope) -> None:
        """Walk through cells in order. A step that cannot be followed never stops the reading of the next cell."""
        for block in blocks:
            self._open(block, scope)
            for statement in block.statements:
                try:
                    self.returns.append([])
                    self.execute([statement], scope)
                except Exhausted:
                    self.events.exhausted = True
                    return
                except RecursionError:
                    self.events.exhausted = True
                finally:
                    self._reset()

    def _reset(self) -> None:
        self.frames.clear()
        self.loops.clear()
        self.passes.clear()
        self.returns.clear()
        self.exits.clear()
        self.sides.clear()
        self.no_grad = self.doubt = self.building = self.conditions = 0

    def evaluate(self, node: ast.expr, scope: Scope) -> Value:
        """The value of an expression."""
        return self.meaning.evaluate(self, node, scope)

    def call_value(
        self, function: Value, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
    ) -> Value:
        """Call a value with evaluated arguments."""
        return self.meaning.call(self, function, args, kwargs, node, scope)

    def bind(self, target: ast.expr, value: Value, scope: Scope) -> None:
        """Give a value to the target of a comprehension or of :=."""
        self.meaning.bind(self, target, value, scope)

    def module(self, name: str, asking: str) -> Scope | None:
        """The scope of a local module, read once; None where there is no such file."""
        return self._module(self.find_module(name, asking))

    def _module(self, found: tuple[str, tuple[Block, ...]] | None) -> Scope | None:
        if found is None:
            return None
        file, blocks = found
        key = (file, tuple(block.cell for block in blocks))  # one notebook may write several modules
        if key not in self.modules:
            scope = Scope(file)
            self.modules[key] = scope
            frames, loops, passes, returns = self.frames, self.loops, self.passes, self.returns
            self.frames, self.loops, self.passes, self.returns = [], [], [], []
            try:
                self._run_module(blocks, scope)
            finally:
                self.frames, self.loops, self.passes, self.returns = frames, loops, passes, returns
        return self.modules[key]

    def _run_module(self, blocks: Iterable[Block], scope: Scope) -> None:
        for block in blocks:
            self._open(block, scope)
            self.returns.append([])
            for statement in block.statements:
                self.execute([statement], scope)

    def _open(self, block: Block, scope: Scope) -> None:
        scope.cell = block.cell
        for line in block.unread:
            self.events.unread.append(CodePlace(block.file, block.cell, line))
        for name in block.unread_names:
            scope.names[name] = Unknown(name)
        if block.too_long:
            self.forget(scope, ast.Pass(lineno=block.unread[0], col_offset=0))

    def execute(self, statements: list[ast.stmt], scope: Scope) -> bool:
        """Walk statements; True when the way certainly ends among them."""
        return self.meaning.execute(self, statements, scope)

    def made(self, made: Made) -> Made:
        self.events.made.append(made)
        return made

    def forget(self, scope: Scope, node: ast.AST) -> None:
        """Code that was not read may have given any of the module's names to something else."""
        self.events.hidden.append(self.place(node, scope))
        for name, value in scope.module.names.items():
            if not isinstance(value, Function | Class | Name | ModuleValue):
                scope.module.names[name] = Unknown(name)

    def alter(self, value: Value) -> None:
        """Something inside a value was changed: what it holds is not known any more."""
        for option in options(value):
            if isinstance(option, Made) and option.path.startswith(".") and option.args:
                self.alter(option.args[0])
            elif isinstance(option, Made | Object):
                self.keep.append(option)
                self.events.altered.add(id(option))

    def set_attribute(self, owner: Value, name: str, value: Value, node: ast.AST, scope: Scope) -> None:
        """owner.name = value, however it is written."""
        target = ast.Attribute(ast.Name("(owner)", ast.Load()), name, ast.Store())
        for part in ast.walk(target):
            ast.copy_location(part, node if isinstance(node, ast.expr | ast.stmt) else target)
        inner = Scope(scope.file, scope.cell, scope, {"(owner)": owner})
        self.bind(target, value, inner)

    def file(self, name: str, asking: str) -> Scope | None:
        """The scope of a file that is run by its path; None where it is not there."""
        return self._module(self.find_file(name, asking)) if self.find_file is not None else None

    def mode(self, model: Value) -> Mode:
        usual: Mode = "train" if isinstance(model, Object | Made) else "unknown"
        if isinstance(model, Made) and model.path.startswith("transformers."):
            usual = "eval"  # so from_pretrained gives it
        return self.modes.get(id(model), usual)

    def set_mode(self, model: Value, mode: Mode) -> None:
        self.keep.append(model)
        self.modes[id(model)] = mode
        for loop in self.loops:
            if mode != "eval" or self.doubt == loop.doubt:  # what is done perhaps leaves no network in evaluation mode
                loop.switched.add((id(model), mode))

    def alternatives(self, ways: Sequence[Callable[[], Value]]) -> list[Value]:
        """The values of ways of which one is taken, each walked from the same modes; then what they share."""
        if len(ways) == 1:
            return [ways[0]()]
        before = dict(self.modes)
        values, after = [], []
        self.doubt += 1
        try:
            for way in ways:
                self.modes = dict(before)
                values.append(way())
                after.append(self.modes)
        finally:
            self.doubt -= 1
        self.modes = merged_modes(after)
        return values

    def escape(self, value: Value) -> None:
        """The value was handed to something that is not known: it may have done anything with it."""
        if isinstance(value, Object | Made):
            self.keep.append(value)
            self.events.escaped.add(id(value))
            self.modes[id(value)] = "unknown"
