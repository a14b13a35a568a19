"""The optimiser of a table in the course's layout: its columns of states (`m_w1`, `v_w1`, `n`) and where its settings
stand. What it says of a cell are the equations that our own tables are made of.

A state goes on from the row above, and a parameter has taken the state of its own row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tinyproof.backprop.expr import Expr, Num, Var, names, substitute
from tinyproof.backprop.optimizer import SETTINGS, STEP, next_state, step
from tinyproof.check.workbook.understand.patterns import before, current


@dataclass(frozen=True)
class Method:
    """`states`: column -> its letter and the column of its parameter (0 for the number of the step). `gradients`:
    parameter -> the column of its gradient. `settings`: name -> the cell outside or the number that formulas read."""

    kind: str
    states: Mapping[int, tuple[str, int]]
    gradients: Mapping[int, int]
    settings: Mapping[str, Expr]

    def with_settings(self, settings: Mapping[str, Expr]) -> Method:
        """The same with some settings known."""
        return replace(self, settings={**self.settings, **settings})

    def state(self, col: int) -> Expr:
        """What a state's column should say in every row but the first."""
        letter, parameter = self.states[col]
        gradient = Num(0.0) if letter == STEP else Var(before(self.gradients[parameter]))
        return substitute(next_state(self.kind, letter, Var(before(col)), gradient), self.settings)

    def update(self, parameter: int, rate: Expr) -> Expr:
        """What a parameter's column should say in every row but the first."""
        own = {letter: Var(current(col)) for col, (letter, of) in self.states.items() if of in (parameter, 0)}
        taken = step(self.kind, rate, Var(before(self.gradients[parameter])), own)
        return Var(before(parameter)) - substitute(taken, self.settings)

    def open(self, expr: Expr) -> tuple[str, ...]:
        """The settings in an expression that are not known yet."""
        return tuple(name for name in names(expr) if name not in self.settings and name in SETTINGS)
