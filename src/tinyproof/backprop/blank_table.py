"""What a spreadsheet makes of a table in which columns are blank: a blank cell counts as 0."""

from __future__ import annotations

from collections.abc import Mapping

from tinyproof.backprop.equations import RATE, Style, columns, forward, gradients, next_values
from tinyproof.backprop.expr import Equation
from tinyproof.backprop.net import Net
from tinyproof.backprop.program import Floats, Program
from tinyproof.core.arrays import np


def values_with_blanks(net: Net, style: Style, empty_from: Mapping[str, int], rows: int) -> dict[str, Floats]:
    """Column -> float64 [rows]: what each cell shows at the network's learning rate; nan where it shows an error.

    `empty_from`: column -> the row (from 0) from which on it is blank. Blank cells are 0 here.
    """
    computed = [equation for equation in (*forward(net), *gradients(net, style)) if equation.name not in empty_from]
    given = net.givens() | dict.fromkeys(net.states, 0.0) | net.optimizer.values() | {RATE: net.learning_rate}
    program = Program([*given, *_never_computed(net, style, empty_from)], computed)
    steps = {name: program.compute(expr) for name, expr in next_values(net).items()}
    for name, value in given.items():
        program[name] = np.array(value)
    for name in _never_computed(net, style, empty_from):
        program[name] = np.array(0.0)
    found = {name: np.zeros(rows) for name in columns(net, style)}
    with np.errstate(all="ignore"):
        for row in range(rows):
            if net.turns > 1:
                for name, value in net.turn(row).items():
                    program[name] = np.array(value)
            program.run()
            for name, values in found.items():
                values[row] = program[name]
            for name, slot in steps.items():
                blank = row + 1 >= empty_from.get(name, rows + 1)
                program[name] = np.array(0.0) if blank else program.values[slot]
    return {name: np.where(np.isfinite(values), values, np.nan) for name, values in found.items()}


def _never_computed(net: Net, style: Style, empty_from: Mapping[str, int]) -> list[str]:
    known: list[Equation] = [*forward(net), *gradients(net, style)]
    return [equation.name for equation in known if equation.name in empty_from]
