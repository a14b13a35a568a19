"""A formula as a list of steps, computed for many cells at once (`tape_back`: and backwards for its derivatives).

A tape is what is left of an expression when its cells are numbered: two formulas with the same tape are computed in
one stroke, wherever they stand. Arrays have the shape (cells, samples).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tinyproof.backprop.expr import FUNCTIONS, Call, Expr, Num, Var
from tinyproof.core.arrays import np

Array = np.ndarray
Step = tuple[Any, ...]  # ("var", slot), ("num", value) or (function, position, position, ..)


@dataclass(frozen=True)
class Tape:
    """Steps in order; the last one is the result. `slots`: how many cells it reads."""

    steps: tuple[Step, ...]
    slots: int

    @property
    def top(self) -> int:
        return len(self.steps) - 1

    @cached_property
    def below(self) -> tuple[frozenset[int], ...]:
        """The slots that each step reads, directly or not."""
        found: list[frozenset[int]] = []
        for step in self.steps:
            if step[0] == "var":
                found.append(frozenset([int(step[1])]))
            elif step[0] == "num":
                found.append(frozenset())
            else:
                found.append(frozenset().union(*(found[int(a)] for a in step[1:])))
        return tuple(found)

    @cached_property
    def stairs(self) -> frozenset[int]:
        """The IFs that choose between plain values: what a threshold does; one may stand in a branch of another."""
        found: set[int] = set()
        for place, step in enumerate(self.steps):
            if step[0] == "if" and all(int(a) in found or self._plain(int(a), int(step[1])) for a in step[2:]):
                found.add(place)
        return frozenset(found)

    def _plain(self, branch: int, condition: int) -> bool:
        step = self.steps[branch]
        return not self.below[branch] or (step[0] == "var" and step[1] not in self.below[condition])

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """The slots that hold the two values of a threshold."""
        steps = [self.steps[int(a)] for place in self.stairs for a in self.steps[place][2:]]
        return tuple(int(step[1]) for step in steps if step[0] == "var")

    @cached_property
    def slopes(self) -> tuple[int, ...]:
        """The slots that hold the slope of a bend: `a` in MAX(z, a*z), which bends so for the number that stands there
        only."""
        found: list[int] = []
        for step in self.steps:
            sides = {int(a) for a in step[1:]} if step[0] in ("max", "min") else set()
            for factor in (self.steps[side] for side in sides):
                parts = [int(a) for a in factor[1:]] if factor[0] == "mul" else []
                if sides & {*parts}:
                    found += [int(self.steps[a][1]) for a in parts if a not in sides and self.steps[a][0] == "var"]
        return tuple(found)


def record(expr: Expr, slot_of: Mapping[str, int]) -> Tape:
    """The tape of an expression; equal parts are computed once."""
    steps: list[Step] = []
    known: dict[Step, int] = {}

    def add(step: Step) -> int:
        if step not in known:
            known[step] = len(steps)
            steps.append(step)
        return known[step]

    done: dict[int, int] = {}

    def walk(node: Expr) -> int:
        if id(node) in done:
            return done[id(node)]
        if isinstance(node, Var):
            place = add(("var", slot_of[node.name]))
        elif isinstance(node, Num):
            place = add(("num", node.value))
        else:
            assert isinstance(node, Call)
            place = add((node.function, *[walk(arg) for arg in node.args]))
        done[id(node)] = place
        return place

    top = walk(expr)
    if top != len(steps) - 1:  # the result was a part already: say it once more, so that it stands last
        steps.append(("same", top))
    return Tape(tuple(steps), len(slot_of))


def paired(expr: Expr) -> Expr:
    """A sum that ends in `.. + output - target` with that difference as a part of its own, as if it had brackets."""
    if not (isinstance(expr, Call) and expr.function == "sub" and isinstance(expr.args[1], Var)):
        return expr
    rest, target = expr.args
    if not (isinstance(rest, Call) and rest.function == "add" and isinstance(rest.args[-1], Var)):
        return expr
    before = rest.args[:-1]
    if any(isinstance(term, Var) for term in before):
        return expr  # which of them it is taken from is not said
    first = before[0] if len(before) == 1 else Call("add", before)
    return Call("add", (first, Call("sub", (rest.args[-1], target))))


def compute(expr: Expr, values: Mapping[str, Array]) -> Array:
    """One expression on arrays, without a tape."""
    if isinstance(expr, Num):
        return np.asarray(expr.value)
    if isinstance(expr, Var):
        return values[expr.name]
    assert isinstance(expr, Call)
    args = [compute(arg, values) for arg in expr.args]
    if expr.function == "median":
        return np.asarray(np.median(np.broadcast_arrays(*args), axis=0))
    return np.asarray(FUNCTIONS[expr.function][1](*args))


def forward(tape: Tape, inputs: Array, instead: Mapping[int, Array] | None = None) -> list[Array]:
    """The value of every step; `inputs`: (slots, cells, samples). `instead`: what some steps are taken to be."""
    given = instead or {}
    out: list[Array] = []
    shape = inputs.shape[1:]
    with np.errstate(all="ignore"):
        for place, step in enumerate(tape.steps):
            kind = step[0]
            if place in given:
                out.append(given[place])
            elif kind == "var":
                out.append(inputs[step[1]])
            elif kind == "num":
                out.append(np.full((1, 1), step[1]))
            elif kind == "same":
                out.append(out[step[1]])
            elif kind == "median":
                out.append(np.median(np.stack([np.broadcast_to(out[a], shape) for a in step[1:]]), axis=0))
            else:
                out.append(FUNCTIONS[kind][1](*[out[a] for a in step[1:]]))
    out[-1] = np.broadcast_to(out[-1], shape)
    return out
