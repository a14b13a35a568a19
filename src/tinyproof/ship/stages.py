"""A network as stages between maps [channels, rows, columns]: what a workbook and a page compute, one after the other.

Flattening is left out: a linear layer after it is a convolution as large as the maps. A factor before a convolution
that pads goes into it as well: where the value outside the picture would have become 0, it stands there. A step takes
what the one before it gives, but where the network branches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tinyproof.data.reading import Shape
from tinyproof.ship.fold import folded, seen
from tinyproof.ship.operations import Floats, Operation, normalising

Kind = Literal["conv", "affine", "rectify", "activation", "max_pool", "avg_pool", "add", "concat"]

_ACTIVATIONS = {
    "relu6": "ReLU6 (from 0 to 6)", "silu": "SiLU", "sigmoid": "sigmoid", "tanh": "tanh", "hardswish": "hard swish",
    "hardsigmoid": "hard sigmoid", "elu": "ELU", "gelu": "GELU", "gelu_tanh": "GELU (by tanh)",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Stage:
    """One step from maps to maps. `weight`: [out, in / groups, rows, columns] of a conv, [channels, rows, columns] of
    an affine, as its `bias`, else empty; `outside`: the value around each map that a conv takes, [in]. `rectified`: a
    ReLU follows in the same step. `slope`: of a leaky ReLU below zero. `function` of an activation, with its `alpha`.
    `takes`: the numbers of the steps whose maps it takes, from 0, -1 for the image: one, or those that it joins.
    """

    kind: Kind
    taken: Shape
    given: Shape
    weight: Floats
    bias: Floats
    outside: Floats
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    slope: float = 0.0
    rectified: bool = False
    groups: int = 1
    dilation: tuple[int, int] = (1, 1)
    function: str = ""
    alpha: float = 0.0
    takes: tuple[int, ...] = (-1,)

    @property
    def each(self) -> int:
        """How many maps a map of a conv comes from."""
        return int(self.weight.shape[1])

    def first(self, c: int) -> int:
        """The first of the maps that map c of a conv comes from."""
        return c // (self.given[0] // self.groups) * self.each

    @property
    def words(self) -> str:
        """What it is, for people.

        >>> [one.words for one in stages([Operation("max_pool", kernel=(2, 2), stride=(2, 2))], (1, 4, 4))]
        ['maximum of 2x2, stride 2']
        """
        size, step = "x".join(map(str, self.kernel)), "x".join(map(str, dict.fromkeys(self.stride)))
        name = {
            "conv": f"convolution {size}", "affine": "times a factor, plus a summand", "max_pool": f"maximum of {size}",
            "rectify": f"leaky ReLU (times {self.slope:g} below 0)" if self.slope else "ReLU (below 0 becomes 0)",
            "avg_pool": f"average of {size}", "activation": _ACTIVATIONS.get(self.function, ""),
            "add": f"sum of {_from(self.takes)}", "concat": f"the maps of {_from(self.takes)}",
        }[self.kind]  # fmt: skip
        if self.kind == "conv" and self.kernel == self.taken[1:] and not any(self.padding):
            name = "linear layer" if self.kernel == (1, 1) else f"linear layer over maps of {size}"
        parts = [name, *([f"stride {step}"] if set(self.stride) != {1} and self.given[1:] != (1, 1) else [])]
        around = "x".join(map(str, dict.fromkeys(self.padding)))
        parts += [f"padding {around}"] if any(self.padding) else []
        parts += [f"in {self.groups} groups"] if self.groups > 1 else []
        parts += [f"dilation {'x'.join(map(str, dict.fromkeys(self.dilation)))}"] if self.dilation != (1, 1) else []
        return ", ".join([*parts, *(["then ReLU"] if self.rectified else [])])

    @property
    def numbers(self) -> int:
        """How many weights and biases it has."""
        return self.weight.size + self.bias.size


def _from(takes: Sequence[int]) -> str:
    """Where maps come from, in words."""
    *most, last = ["the picture" if number < 0 else f"layer {number + 1}" for number in takes]
    return f"{', '.join(most)} and {last}" if most else last


def words(steps: Sequence[Stage]) -> list[str]:
    """What the steps are, for people; of one that takes other maps than those of the one before, which."""
    found = list[str]()
    for before, step in enumerate(steps, -1):
        said = step.kind in ("add", "concat") or step.takes == (before,)
        found.append(step.words if said else f"{step.words}, from {_from(step.takes)}")
    return found


def stages(operations: Sequence[Operation], shape: Shape) -> list[Stage]:
    """The steps of operations on an image of `shape`; a log-softmax in the end is left to whoever reads the scores.
    Raises Unlike for a join of maps that are not of one size."""
    made = _Steps(shape)
    for operation in operations:
        made.add(operation)
    return made.ended()


class Unlike(ValueError):
    """Values are joined whose maps have not one size: they were flattened before."""


class _Steps:
    """Steps as they are added. `at`: the step whose maps go on; `slots`: those whose maps are kept, which no step may
    change any more (`kept`); `outside`: what stands around the maps of a step, that a convolution takes."""

    def __init__(self, shape: Shape) -> None:
        self._shape, self._found, self._at = shape, list[Stage](), -1
        self._slots, self._kept = dict[int, int](), set[int]()
        self._outside: dict[int, tuple[object, ...]] = {}

    def add(self, operation: Operation) -> None:
        if operation.kind == "keep":
            self._slots[operation.slots[0]] = self._at
            self._kept.add(self._at)
        elif operation.kind == "take":
            self._at = self._slots[operation.slots[0]]
        elif operation.kind in ("add", "concat"):
            self._join(operation.kind, tuple(self._slots[slot] for slot in operation.slots))
        elif (made := _stage(operation, self._given(self._at))) is not None:
            self._put(replace(made, takes=(self._at,)))

    def ended(self) -> list[Stage]:
        """All of them; the last one gives the scores."""
        if self._at != len(self._found) - 1:
            self._join("concat", (self._at,))
        return self._found

    def _given(self, number: int) -> Shape:
        return self._found[number].given if number >= 0 else self._shape

    def _put(self, made: Stage) -> None:
        """Add a step, or make it a part of the one before it, where nobody else takes what that one gives."""
        last = self._found[-1] if self._found and self._at not in self._kept else None
        if made.kind == "rectify" and not made.slope and last and last.kind == "conv" and not last.rectified:
            self._found[-1] = replace(last, rectified=True)
            return
        if made.kind == "conv" and last and last.kind == "affine":
            moved = _into(last, made)
            if moved is not None and self._alone(moved):
                self._found[-1] = moved
                return
        if not self._alone(made):  # other values stand around these maps already
            self._join("concat", (self._at,))
            made = replace(made, takes=(self._at,))
            self._alone(made)
        self._append(made)

    def _alone(self, made: Stage) -> bool:
        """Whether what a convolution wants around the maps that it takes can stand there."""
        if made.kind != "conv" or not any(made.padding):
            return True
        wanted = (*made.padding, *made.outside.tolist())
        return self._outside.setdefault(made.takes[0], wanted) == wanted

    def _join(self, kind: Kind, takes: tuple[int, ...]) -> None:
        shapes, none = [self._given(number) for number in takes], np.zeros(0)
        if len({shape if kind == "add" else shape[1:] for shape in shapes}) > 1:
            raise Unlike(" and ".join("x".join(map(str, shape)) for shape in shapes))
        given = shapes[0] if kind == "add" else (sum(shape[0] for shape in shapes), *shapes[0][1:])
        self._append(Stage(kind, shapes[0], given, none, none, none, takes=takes))

    def _append(self, made: Stage) -> None:
        self._found.append(made)
        self._at = len(self._found) - 1


def of_network(operations: Sequence[Operation], shape: Shape, mean: Floats, std: Floats) -> list[Stage]:
    """The steps from bytes 0 to 255 to scores."""
    return stages(folded([normalising(mean, std), *operations], shape), shape)


def _stage(operation: Operation, taken: Shape) -> Stage | None:
    none, kind = np.zeros(0), operation.kind
    if kind in ("flatten", "log_softmax"):
        return None
    if kind == "affine":
        weight, bias = (_spread(part, taken) for part in (operation.weight, operation.bias))
        return Stage("affine", taken, taken, weight, bias, none)
    if kind == "rectify":
        return Stage("rectify", taken, taken, none, none, none, slope=operation.slope)
    if kind == "activation":
        act = {"function": operation.function, "alpha": operation.alpha}
        return Stage("activation", taken, taken, none, none, none, **act)  # type: ignore[arg-type]
    if kind == "linear":
        weight = operation.weight.reshape(-1, *taken)
        return _windows(replace(operation, kind="conv", weight=weight, kernel=taken[1:]), taken)
    if kind == "global_pool":
        operation = replace(operation, kind="avg_pool", kernel=taken[1:])
    return _windows(operation, taken)


def _windows(operation: Operation, taken: Shape) -> Stage:
    """A step whose values come from windows."""
    places = zip(taken[1:], operation.reach, operation.stride, operation.padding, strict=True)
    rows, columns = ((side + 2 * pad - size) // step + 1 for side, size, step, pad in places)
    kind: Kind = operation.kind  # type: ignore[assignment]
    out = len(operation.weight) or taken[0]
    bias = operation.bias if operation.bias.size or kind != "conv" else np.zeros(out)
    return Stage(
        kind, taken, (out, rows, columns), operation.weight, bias, np.zeros(taken[0]),
        kernel=operation.kernel, stride=operation.stride, padding=operation.padding,
        groups=operation.groups, dilation=operation.dilation,
    )  # fmt: skip


def _spread(values: Floats, taken: Shape) -> Floats:
    """Values of channels, or of all that was flattened, for each place of the maps."""
    channels, rows, columns = taken
    if len(values) == channels:
        return np.repeat(values, rows * columns).reshape(taken)
    return values.reshape(taken)


def _into(affine: Stage, conv: Stage) -> Stage | None:
    """A factor and a summand of whole maps inside the convolution after them; None where they do not go."""
    factor, summand = (part[:, 0, 0] for part in (affine.weight, affine.bias))
    if not (factor != 0).all() or (affine.weight != factor[:, None, None]).any():
        return None
    if (affine.bias != summand[:, None, None]).any():
        return None
    factors, summands = (seen(part, conv.weight, conv.groups) for part in (factor, summand))
    bias = conv.bias + (conv.weight * summands).sum((1, 2, 3))
    return replace(conv, weight=conv.weight * factors, bias=bias, outside=-summand / factor, takes=affine.takes)
