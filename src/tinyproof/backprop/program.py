"""Equations compiled once and run many times: a flat list of steps over numbered slots, nothing computed twice.

A slot holds a float64 array with one value for each learning rate, so all rates run side by side. The steps are the
functions of `expr.FUNCTIONS`, in the order in which `evaluate` uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tinyproof.backprop.expr import FUNCTIONS, Call, Equation, Expr, Num, Var
from tinyproof.core.arrays import np
from tinyproof.core.errors import InputError

Floats = np.ndarray[Any, np.dtype[np.float64]]
Step = tuple[Callable[..., Any], int, tuple[int, ...]]


class Program:
    """The equations' steps; `slots[name]` is where a quantity stands in `values`, the list that `run` fills."""

    def __init__(self, inputs: Iterable[str], equations: Sequence[Equation]) -> None:
        """`inputs`: the names whose values are put in before `run`. Raises InputError for a name used before it is."""
        self.values: list[Any] = []
        self.slots: dict[str, int] = {name: self._slot() for name in inputs}
        self.steps: list[Step] = []
        self._done: dict[Expr, int] = {}
        for equation in equations:
            self.slots[equation.name] = self.compute(equation.expr)

    def run(self) -> None:
        """Compute every equation from the inputs in `values`. Overflow follows IEEE 754, as numpy is told to."""
        values = self.values
        for function, result, arguments in self.steps:
            values[result] = function(*[values[k] for k in arguments])

    def __getitem__(self, name: str) -> Floats:
        value: Floats = self.values[self.slots[name]]
        return value

    def __setitem__(self, name: str, value: Floats) -> None:
        self.values[self.slots[name]] = value

    def _slot(self, value: Any = None) -> int:
        self.values.append(value)
        return len(self.values) - 1

    def compute(self, expr: Expr) -> int:
        """Have `run` compute an expression of known names too; returns the slot of its value."""
        if isinstance(expr, Var):
            if expr.name not in self.slots:
                raise InputError("equations", expr.name, "names that are given or defined before they are used")
            return self.slots[expr.name]
        if expr in self._done:
            return self._done[expr]
        if isinstance(expr, Num):
            result = self._slot(np.float64(expr.value))
        else:
            assert isinstance(expr, Call)
            result = self._call(expr.function, [self.compute(arg) for arg in expr.args])
        self._done[expr] = result
        return result

    def _call(self, function: str, arguments: list[int]) -> int:
        binary = {"add": np.add, "mul": np.multiply}.get(function)
        if binary is None:
            result = self._slot()
            self.steps.append((FUNCTIONS[function][1], result, tuple(arguments)))
            return result
        result = arguments[0]  # a chain, from left to right
        for argument in arguments[1:]:
            before, result = result, self._slot()
            self.steps.append((binary, result, (before, argument)))
        return result
