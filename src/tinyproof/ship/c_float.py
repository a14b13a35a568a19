"""A network as C in single precision: its stages are loops, its weights arrays, its values one static array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tinyproof.ship import c_text
from tinyproof.ship.arena import planned
from tinyproof.ship.c_stages import Chain, Stage
from tinyproof.ship.c_text import About
from tinyproof.ship.operations import Floats

_NEEDS = {
    "conv": ("window", "rectified"), "scale": ("rectified",), "rectify": ("rectified",),
    "max_pool": ("window",), "avg_pool": ("window",), "conv_apart": ("window", "rectified"), "add": ("rectified",),
    **{f"to_{name}": ("exponential",) for name in ("silu", "sigmoid", "tanh", "elu", "gelu", "gelu_tanh")},
}  # fmt: skip


def files(chain: Chain, about: About) -> dict[str, bytes]:
    """The two files by name. Raises DataError for weights that single precision does not hold."""
    code = _Code(chain, about).text()
    head = c_text.header(about, "float", None)
    return {f"{about.name}.c": code.encode(), f"{about.name}.h": head.encode()}


class _Code:
    """The C file as it is written."""

    def __init__(self, chain: Chain, about: About) -> None:
        self._chain, self._about = chain, about
        self._load, self._stages = _loaded(chain)
        shift = len(self._stages) + 1 - len(chain.stages)  # from a stage's number to its place here
        self._takes = [(), *positions([stage.takes for stage in self._stages], shift)]
        self._length, self._places = planned([self._load, *self._stages], False, self._takes)
        self._needed: set[str] = set()
        self._arrays, self._calls = list[str](), list[str]()

    def text(self) -> str:
        """All of it."""
        self._first()
        for number, stage in enumerate(self._stages, 1):
            self._stage(number, stage)
        self._scores()
        functions = c_text.parts("float_parts.c")
        for name in [*self._needed]:
            self._needed.update(_NEEDS.get(name, ()))
        needed = "\n".join(body.rstrip() + "\n" for name, body in functions.items() if name in self._needed)
        memory = f"static float values[{self._length}];\n"
        return c_text.source(self._about, needed, self._arrays, memory, self._calls)

    def _array(self, name: str, values: Floats) -> str:
        self._arrays.append(c_text.array("float", name, c_text.floats(values)))
        return name

    def _call(self, function: str, *values: object) -> None:
        self._needed.add(function)
        self._calls.append(f"{function.removesuffix('_plain')}({', '.join(map(str, values))});")

    def _at(self, number: int) -> str:
        return f"values + {self._places[number]}" if self._places[number] else "values"

    def _first(self) -> None:
        """The image becomes numbers; a normalisation that was not folded goes along."""
        load = self._load
        if load.kind == "scale":
            factor, summand = self._array("factor_0", load.weight), self._array("summand_0", load.bias)
            self._call("load", "image", factor, summand, load.weight.size, self._about.pixels, self._at(0))
        else:
            self._call("load_plain", "image", self._about.pixels, self._at(0))

    def _stage(self, number: int, stage: Stage) -> None:
        given, made = self._at(self._takes[number][0]), self._at(number)
        count, channels, slope = int(np.prod(stage.made)), stage.made[2], _slope(stage)
        if stage.kind == "pad":
            value = self._array(f"value_{number}", np.maximum(stage.bias, -np.finfo(np.float32).max))
            self._call("pad", given, made, *stage.given, *stage.padding, value)
        elif stage.kind == "scale":
            factor = self._array(f"factor_{number}", stage.weight)
            self._call("scale", made, count, channels, factor, self._array(f"summand_{number}", stage.bias), slope)
        elif stage.kind == "rectify":
            self._call("rectify", made, count, slope)
        elif stage.kind == "activation":
            self._activation(stage, made, count)
        elif stage.kind == "add":
            self._call("add", *map(self._at, self._takes[number]), count, slope, made)
        elif stage.kind == "concat":
            self._concat(number, stage)
        elif stage.kind == "conv" and stage.apart:
            self._apart(number, stage)
        else:
            weights = [channels, *self._weights(number, stage), slope] if stage.kind == "conv" else []
            self._call(stage.kind, self._window(number, stage), *weights, given, made)

    def _activation(self, stage: Stage, values: str, count: int) -> None:
        alpha = c_text.floats(np.array([stage.alpha])) if stage.function == "elu" else []
        self._call(f"to_{stage.function}", values, count, *alpha)

    def _concat(self, number: int, stage: Stage) -> None:
        made, pixels, first = self._at(number), int(np.prod(stage.made[:2])), 0
        for taken, channels in zip(self._takes[number], stage.channels, strict=True):
            self._call("place", self._at(taken), pixels, channels, stage.made[2], f"{made} + {first}")
            first += channels

    def _apart(self, number: int, stage: Stage) -> None:
        """Weights as they stand: [out, rows, columns, in / groups]."""
        inputs, out = stage.weight.shape[3], len(stage.weight) // stage.groups
        weights = self._array(f"weights_{number}", stage.weight), self._array(f"bias_{number}", stage.bias)
        facts = self._window(number, stage), stage.dilation[1] * stage.given[2], stage.groups, inputs, out
        given, made = self._at(self._takes[number][0]), self._at(number)
        self._call("conv_apart", *facts, *weights, _slope(stage), given, made)

    def _weights(self, number: int, stage: Stage) -> Iterator[str]:
        yield self._array(f"weights_{number}", np.moveaxis(stage.weight, 0, -1))
        yield self._array(f"bias_{number}", stage.bias)

    def _window(self, number: int, stage: Stage) -> str:
        self._arrays.append(f"static const window window_{number} = {{{', '.join(map(str, geometry(stage)))}}};\n")
        return f"&window_{number}"

    def _scores(self) -> None:
        """The scores are channel after channel."""
        rows, columns, channels = self._chain.last
        pixels, last = rows * columns, self._at(len(self._stages))
        place = "i" if pixels == 1 else f"i % {pixels}U * {channels} + i / {pixels}U"
        self._calls += [f"for (uint32_t i = 0; i < {pixels * channels}; i++)", f"    scores[i] = ({last})[{place}];"]


def _loaded(chain: Chain) -> tuple[Stage, tuple[Stage, ...]]:
    """How the image is read, and the stages after it."""
    first, size = chain.stages[0], chain.stages[0].given
    if first.kind == "scale" and first.slope is None:
        return first, chain.stages[1:]
    return Stage("pad", size, size), chain.stages


def _slope(stage: Stage) -> str:
    (slope,) = c_text.floats(np.array([1.0 if stage.slope is None else stage.slope]))
    return slope


def positions(takes: Sequence[tuple[int, ...]], shift: int) -> list[tuple[int, ...]]:
    """The stages that each takes, numbered as they stand here; none that takes the image."""
    return [tuple(number + shift for number in taken if number + shift >= 0) for taken in takes]


def geometry(stage: Stage) -> tuple[int, ...]:
    """Of a loop over windows: rows and columns that it makes, channels that it takes; the steps in what it takes, in
    values: from a row of the kernel to the next, down, to the right; rows and columns of the kernel."""
    columns, channels = stage.given[1:]
    line = columns * channels
    steps = line * stage.dilation[0], line * stage.stride[0], channels * stage.stride[1]
    return *stage.made[:2], channels, *steps, *stage.kernel
