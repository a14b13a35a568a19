"""A network in whole numbers as C: plain loops, and two products at a time where an ARM processor has that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.errors import DataError
from tinyproof.ship import c_text
from tinyproof.ship.arena import planned
from tinyproof.ship.c_float import geometry, positions
from tinyproof.ship.c_stages import Stage
from tinyproof.ship.c_text import About
from tinyproof.ship.quantise import Grid, Quantised, Whole

_NEEDS = {
    "conv": ("layer", "rectified", "rescaled", "score", "dot"), "scale": ("layer", "rectified", "rescaled", "score"),
    "rectify": ("rectified",), "max_pool": ("layer",), "avg_pool": ("layer", "rescaled"), "place": ("rescaled",),
    "conv_apart": ("layer", "rectified", "rescaled", "score"), "add": ("pair",),
}  # fmt: skip
_MOST = 65535


def files(network: Quantised, about: About) -> dict[str, bytes]:
    """The two files by name. Raises DataError for an image or a layer that is too wide."""
    code = _Code(network, about).text()
    head = c_text.header(about, "int32_t", network.unit)
    return {f"{about.name}.c": code.encode(), f"{about.name}.h": head.encode()}


class _Code:
    """The C file as it is written."""

    def __init__(self, network: Quantised, about: About) -> None:
        self._network, self._about = network, about
        self._stages, first = network.stages, network.stages[0].stage
        if first.in_place:
            self._stages = (_copy(first), *self._stages)
        shift = len(self._stages) - len(network.stages)  # from a stage's number to its place here
        self._takes = [*positions([whole.stage.takes for whole in network.stages], shift)]
        self._takes = [(), *self._takes] if shift else self._takes
        # What makes the scores needs no place, but where it changes values where they are.
        self._last = self._stages[-1].wide
        kept = [whole.stage for whole in self._stages]
        kept = kept[:-1] if self._last and not kept[-1].in_place else kept
        takes = self._takes[: len(kept)]
        self._length, self._places = planned(kept, True, takes) if kept else (0, [])
        self._needed: set[str] = set()
        self._arrays, self._calls = list[str](), list[str]()

    def text(self) -> str:
        """All of it."""
        for number, whole in enumerate(self._stages):
            self._stage(number, whole)
        if not self._last:
            self._copied()
        functions = c_text.parts("whole_parts.c")
        for name in [*self._needed]:
            self._needed.update(_NEEDS.get(name, ()))
        needed = "\n".join(body.rstrip() + "\n" for name, body in functions.items() if name in self._needed)
        arena = f"static uint8_t values[{self._length}];\n" if self._length else ""
        return c_text.source(self._about, needed, self._arrays, arena, self._calls)

    def _at(self, number: int) -> str:
        """Where what stage `number` makes begins; -1 is the image."""
        if number < 0:
            return "image"
        if number >= len(self._places):
            return "0"
        return f"values + {self._places[number]}" if self._places[number] else "values"

    def _call(self, function: str, *values: object) -> None:
        self._needed.add(function)
        self._calls.append(f"{function}({', '.join(map(str, values))});")

    def _stage(self, number: int, whole: Whole) -> None:
        stage, made = whole.stage, self._at(number)
        taken = [*map(self._at, self._takes[number])] or ["image"]
        given = taken[0]
        scores = "scores" if whole.wide else "0"
        if stage.kind == "pad":
            value = self._array("uint8_t", f"value_{number}", whole.bias)
            self._call("pad", given, made, *stage.given, *stage.padding, value)
        elif stage.kind == "rectify":
            self._call("rectify", made, int(np.prod(stage.made)), whole.given.zero, whole.slope)
        elif stage.kind == "scale":
            self._call("scale", self._layer(number, whole), made, scores)
        elif stage.kind == "activation":
            table = self._array("uint8_t", f"table_{number}", whole.table)
            self._call("look_up", made, int(np.prod(stage.made)), table)
        elif stage.kind == "add":
            self._add(number, whole, taken)
        elif stage.kind == "concat":
            self._concat(number, whole, taken)
        elif stage.kind == "conv" and stage.apart:
            inputs, out = stage.weight.shape[3], len(stage.weight) // stage.groups
            beside = stage.dilation[1] * stage.given[2]
            layer = self._layer(number, whole)
            self._call("conv_apart", *(layer, beside, inputs, out, given, made, scores))
        elif stage.kind == "conv":
            self._call("conv", self._layer(number, whole), given, made, scores)
        else:
            self._call(stage.kind, self._layer(number, whole), given, made)

    def _add(self, number: int, whole: Whole, taken: list[str]) -> None:
        zeros, factors = [grid.zero for grid in whole.grids], whole.factor.tolist()
        braces = [f"{{{', '.join(map(str, two))}}}" for two in (factors, zeros)]
        facts = ", ".join(map(str, [*braces, whole.shift, whole.made.zero, whole.slope]))
        self._arrays.append(f"static const pair pair_{number} = {{{facts}}};\n")
        self._call("add", f"&pair_{number}", *taken, int(np.prod(whole.stage.made)), self._at(number))

    def _concat(self, number: int, whole: Whole, taken: list[str]) -> None:
        stage, first = whole.stage, 0
        pixels, made = int(np.prod(stage.made[:2])), self._at(number)
        parts = zip(taken, stage.channels, whole.grids, whole.factor.tolist(), strict=True)
        for given, channels, grid, factor in parts:
            steps = grid.zero, factor, whole.shift, whole.made.zero
            self._call("place", given, pixels, channels, stage.made[2], *steps, f"{made} + {first}")
            first += channels

    def _array(self, kind: str, name: str, values: object) -> str:
        numbers = np.asarray(values).ravel().tolist()
        self._arrays.append(c_text.array(kind, name, numbers))
        return name

    def _layer(self, number: int, whole: Whole) -> str:
        rows, columns, channels, line, down, right, height, width = geometry(whole.stage)
        channels = channels // whole.stage.groups if whole.stage.kind == "conv" else channels
        made = whole.stage.made[2]
        if max(rows, columns, made, height) > _MOST:
            raise DataError("c-int8", f"cannot take a layer of {max(rows, columns, made):,} values in a row: {_MOST:,}")
        kinds = {"weights": "int8_t", "bias": "int32_t", "factor": "int32_t"}
        arrays: dict[str, NDArray[Any]] = {"weights": whole.weight, "bias": whole.bias, "factor": whole.factor}
        named = [self._array(kinds[part], f"{part}_{number}", of) if of.size else "0" for part, of in arrays.items()]
        facts = [
            line,
            down,
            right,
            width * channels,
            rows,
            columns,
            made,
            height,
            whole.slope,
            whole.made.zero,
            whole.shift,
        ]
        self._arrays.append(f"static const layer layer_{number} = {{{', '.join([*named, *map(str, facts)])}}};\n")
        return f"&layer_{number}"

    def _copied(self) -> None:
        """Bytes become scores, channel after channel."""
        rows, columns, channels = self._network.chain.last
        pixels, last = rows * columns, self._at(len(self._stages) - 1)
        place = "i" if pixels == 1 else f"i % {pixels}U * {channels} + i / {pixels}U"
        zero = self._stages[-1].made.zero
        self._calls += [
            f"for (uint32_t i = 0; i < {pixels * channels}; i++)",
            f"    scores[i] = ({last})[{place}] - {zero};",
        ]


def _copy(first: Stage) -> Whole:
    """The image, where it may be written."""
    stage = replace(Stage("pad", first.given, first.given), bias=np.zeros(first.given[2]))
    return Whole(stage, Grid(1.0, 0), Grid(1.0, 0), bias=np.zeros(first.given[2], np.int32))
