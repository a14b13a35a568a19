"""Backwards through a tape: by how much its result moves when what it reads, or one of its steps, does."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tinyproof.backprop.tape import Array, Step, Tape
from tinyproof.core.arrays import np


def backward(
    tape: Tape, values: list[Array], seeds: Mapping[int, Array], inputs: Array, moved: Array | None = None
) -> Array:
    """The adjoint of every slot, given adjoints of some steps; the same shape as `inputs`. `moved`: (slots, cells),
    which of them depend on a parameter: an IF that chooses one of these is no threshold."""
    return backward_steps(tape, values, seeds, inputs, moved)[0]


def backward_steps(
    tape: Tape, values: list[Array], seeds: Mapping[int, Array], inputs: Array, moved: Array | None = None
) -> tuple[Array, list[Array | None]]:
    """The adjoint of every slot, and that of every step (None: nothing reaches it)."""
    shape = inputs.shape[1:]
    adjoint: list[Array | None] = [None] * len(tape.steps)
    for seeded, seed in seeds.items():
        adjoint[seeded] = seed
    by_slot: list[Array | None] = [None] * len(inputs)

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
                held = by_slot[step[1]]
                by_slot[step[1]] = a if held is None else held + a
            elif kind == "same":
                give(step[1], a)
            elif kind != "num":
                if place in tape.stairs:  # a step: as if it rose in a straight line
                    give(step[1], a * _rise(tape, step, values, moved))
                _RULES[kind](a, step[1:], values, place, give)
    nothing = np.zeros(shape)
    whole = [nothing if a is None else np.broadcast_to(a, shape) for a in by_slot]
    return np.stack(whole) if whole else np.zeros_like(inputs), adjoint


def _rise(tape: Tape, step: Step, values: list[Array], moved: Array | None) -> Array:
    """Which way a threshold goes; where a branch that is taken is a threshold itself, that one says it."""
    condition, yes, no = (int(a) for a in step[1:])
    rise = np.sign(values[yes] - values[no])
    taken = values[condition] != 0
    if yes in tape.stairs:
        rise = np.where(taken, 0.0, rise)
    if no in tape.stairs:
        rise = np.where(taken, rise, 0.0)
    for branch in (yes, no):
        if moved is not None and tape.steps[branch][0] == "var":
            rise = np.where(moved[tape.steps[branch][1]][:, None], 0.0, rise)
    return np.asarray(rise)


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
