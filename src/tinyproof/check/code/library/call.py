"""One call of a library as it is read: its owner, its arguments, how it is written."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.rows import Rows, rows_in
from tinyproof.check.code.interpreter.values import Const, Object, Scope, Value
from tinyproof.check.code.library.hand_made_folds import held_out
from tinyproof.check.code.library.loaders import rows_of
from tinyproof.check.code.library.sources import opaque
from tinyproof.check.finding import CodePlace


@dataclass(frozen=True)
class Call:
    """One call as it is read: of a function by its path, or of a method of an owner."""

    machine: Machine
    owner: Value | None
    name: str
    args: list[Value]
    kwargs: dict[str, Value]
    node: ast.AST
    scope: Scope
    path: str

    @property
    def place(self) -> CodePlace:
        return self.machine.place(self.node, self.scope)

    def text(self, index: int) -> str:
        """How an argument is written."""
        if isinstance(self.node, ast.Call) and index < len(self.node.args):
            return ast.unparse(self.node.args[index])[:60]
        return "the data"

    @property
    def written(self) -> str:
        """How the call is written, without its owner: `evaluate(x_test, y_test)`."""
        if not isinstance(self.node, ast.Call):
            return self.name
        text = ast.unparse(self.node)
        start = text.find(f"{self.name}(")
        return (text[start:] if start >= 0 else text)[:80]

    def rows(self, value: Value | None) -> Rows | None:
        """The rows of an argument; those of a value of which nothing is known but itself."""
        found = rows_in(value)
        if found is None and isinstance(value, Object):
            found = rows_of(value)  # a sequence of batches of the notebook's own, around its arrays
        if found is not None or value is None or isinstance(value, Const):
            return held_out(self.machine, found)
        self.machine.keep.append(value)
        return opaque(value, "the data", self.place)
