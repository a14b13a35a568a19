"""Which lines a drawing of a network has, read off its equations: what uses what, and which weight lies between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tinyproof.backprop.diff import partial
from tinyproof.backprop.expr import Equation, Var, names
from tinyproof.backprop.tidy import ONE


def wires(
    columns: Sequence[Sequence[str]], equations: Sequence[Equation], parameters: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """From, to, and the weight on the way (or ""): what stands in one column and is used by what stands in another."""
    home = {slot: number for number, column in enumerate(columns) for slot in column}
    for equation in equations:
        if equation.name not in home:
            continue
        for name in names(equation.expr):
            if name in home and home[name] != home[equation.name]:
                slope = partial(equation.expr, name)
                weight = slope.name if isinstance(slope, Var) and slope.name in parameters else ""
                yield name, equation.name, weight


def biases(equations: Sequence[Equation], parameters: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """For each bias (a parameter that is added as it is) the quantities it is added to."""
    found: dict[str, list[str]] = {}
    for equation in equations:
        for name in names(equation.expr):
            if name in parameters and partial(equation.expr, name) == ONE:
                found.setdefault(name, []).append(equation.name)
    return {name: tuple(uses) for name, uses in found.items()}
