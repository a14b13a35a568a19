"""A formula as a list of steps, computed for many cells at once, and backwards for its derivatives.

A tape is what is left of an expression when its cells are numbered: two formulas with the same tape are computed in
one stroke, wherever they stand. Arrays have the shape (cells, samples).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tinyproof.backprop.expr import FUNCTIONS, Call, Expr, Num, Var

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
        """The IFs that choose between two plain values: what a threshold does."""
        return frozenset(
            place
            for place, step in enumerate(self.steps)
            if step[0] == "if" and all(self._plain(int(a), int(step[1])) for a in step[2:])
        )

    def _plain(self, branch: int, condition: int) -> bool:
        step = self.steps[branch]
        return not self.below[branch] or (step[0] == "var" and step[1] not in self.below[condition])

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """The slots that hold the two values of a threshold."""
        steps = [self.steps[int(a)] for place in self.stairs for a in self.steps[place][2:]]
        return tuple(int(step[1]) for step in steps if step[0] == "var")


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


def backward(tape: Tape, values: list[Array], seeds: Mapping[int, Array], inputs: Array) -> Array:
    """The adjoint of every slot, given adjoints of some steps; the same shape as `inputs`."""
    return backward_steps(tape, values, seeds, inputs)[0]


def backward_steps(
    tape: Tape, values: list[Array], seeds: Mapping[int, Array], inputs: Array
) -> tuple[Array, list[Array | None]]:
    """The adjoint of every slot, and that of every step (None: nothing reaches it)."""
    shape = inputs.shape[1:]
    adjoint: list[Array | None] = [None] * len(tape.steps)
    for seeded, seed in seeds.items():
        adjoint[seeded] = seed
    result = np.zeros_like(inputs)

    def give(place: int, amount: Array) -> None:
        held = adjoint[place]
        adjoint[place] = amount if held is None else held + amount

    with np.errstate(all="ignore"):
        for place in range(len(tape.steps) - 1, -1, -1):
            a = adjoint[place]
            if a is None:
                continue
            step = tape.steps[place]
            kind = step[0]
            if kind == "var":
                result[step[1]] += np.broadcast_to(a, shape)
            elif kind == "same":
                give(step[1], a)
            elif kind != "num":
                if place in tape.stairs:  # a step: as if it rose in a straight line
                    yes, no = values[step[2]], values[step[3]]
                    give(step[1], a * np.sign(yes - no))
                _RULES[kind](a, step[1:], values, place, give)
    return result, adjoint


Give = Callable[[int, Array], None]
Rule = Callable[[Array, tuple[int, ...], list[Array], int, Give], None]


def _add(a: Array, args: tuple[int, ...], v: list[Array], place: int, give: Give) -> None:
    for arg in args:
        give(arg, a)


def _mul(a: Array, args: tuple[int, ...], v: list[Array], place: int, give: Give) -> None:
    if len(args) == 2:
        give(args[0], a * v[args[1]])
        give(args[1], a * v[args[0]])
        return
    for i, arg in enumerate(args):
        rest = a
        for j, other in enumerate(args):
            if j != i:
                rest = rest * v[other]
        give(arg, rest)


def _div(a: Array, args: tuple[int, ...], v: list[Array], place: int, give: Give) -> None:
    give(args[0], a / v[args[1]])
    give(args[1], -a * v[place] / v[args[1]])


def _pow(a: Array, args: tuple[int, ...], v: list[Array], place: int, give: Give) -> None:
    base, power = v[args[0]], v[args[1]]
    give(args[0], a * power * base ** (power - 1))
    grown = np.where(base > 0, np.log(np.where(base > 0, base, 1.0)), 0.0) * v[place]
    give(args[1], a * grown)


def _extreme(a: Array, args: tuple[int, ...], v: list[Array], place: int, give: Give) -> None:
    for arg in args:
        give(arg, a * (v[arg] == v[place]))


def _if(a: Array, args: tuple[int, ...], v: list[Array], place: int, give: Give) -> None:
    yes = v[args[0]] != 0
    give(args[1], a * yes)
    give(args[2], a * ~yes)


def _greater(a: Array, args: tuple[int, ...], v: list[Array], place: int, give: Give) -> None:
    give(args[0], a)
    give(args[1], -a)


def _one(slope: Callable[[Array, Array], Array]) -> Rule:
    def rule(a: Array, args: tuple[int, ...], v: list[Array], place: int, give: Give) -> None:
        give(args[0], a * slope(v[args[0]], v[place]))

    return rule


def _nothing(a: Array, args: tuple[int, ...], v: list[Array], place: int, give: Give) -> None:
    return


_RULES: dict[str, Rule] = {
    "add": _add,
    "sub": _greater,
    "mul": _mul,
    "div": _div,
    "pow": _pow,
    "neg": lambda a, args, v, place, give: give(args[0], -a),
    "exp": _one(lambda x, y: y),
    "ln": _one(lambda x, y: 1 / x),
    "sqrt": _one(lambda x, y: 0.5 / y),
    "abs": _one(lambda x, y: np.sign(x)),
    "sigmoid": _one(lambda x, y: y * (1 - y)),
    "tanh": _one(lambda x, y: 1 - y * y),
    "softplus": _one(lambda x, y: 1 - np.exp(-y)),
    "max": _extreme,
    "min": _extreme,
    "median": _extreme,
    "gt": _greater,
    "ge": _greater,
    "eq": _nothing,
    "if": _if,
    "softmax": _nothing,
}
