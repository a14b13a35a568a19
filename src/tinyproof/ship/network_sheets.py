"""The sheets of a network's workbook, one a layer: maps of live formulas, and beside them the kernels they come from.

A convolution's cell is the sum of `SUMPRODUCT(window, kernel)` over the maps of the layer before, plus the bias. Maps
of one cell stand one below the other without a gap, so that a linear layer is one `SUMPRODUCT`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyproof.backprop.sheet import Cell, Formula, Scale, Sheet, address
from tinyproof.ship.activation_formulas import activation_formula
from tinyproof.ship.maps_on_sheets import TOP, Maps, around, maps_of
from tinyproof.ship.operations import Floats
from tinyproof.ship.stages import Stage

NARROW, ROW = 2.2, 18.0  # the width in characters and the height in points of a small square
RED, WHITE, BLUE = "#d1495b", "#ffffff", "#1f5fae"


def layer_sheet(
    number: int, steps: Sequence[Stage], told: str, parts: Sequence[Maps], values: Floats
) -> tuple[Sheet, Maps]:
    """The sheet of one of the steps, from 1, with its cached `values`, and where its maps stand; `told`: what it is;
    `parts`: where the maps stand that it takes."""
    sheet, stage, before, then = f"Layer{number}", steps[number - 1], parts[0], around(steps, number - 1)
    beside = stage.weight.ndim > 2
    flat = (
        stage.kind == "conv"
        and stage.groups == 1
        and before.shape[1:] == (1, 1) == stage.kernel
        and not any(stage.padding)
        and before.pitch == 1
    )
    tall = stage.weight.shape[-2] if beside else 0
    maps = replace(maps_of(sheet, stage.given, then, tall), positive=_positive(stage, parts))
    kernels = _Kernels(stage, maps.area[3] + 2, maps.pitch if maps.pitch > 1 else tall + 1, flat)
    cells = [*_words(number, stage, told, maps.positive), *_labels(stage, maps), *kernels.cells()]
    cells += maps.around(then.outside) if then is not None and any(maps.padding) else []
    channels, rows, columns = stage.given
    for c in range(channels):
        for y in range(rows):
            for x in range(columns):
                text = formula(stage, parts, kernels, (c, y, x))
                cells.append(Cell(*maps.place(c, y, x), Formula(text, float(values[c, y, x])), "dot"))
    scales = [Scale(maps.area, (WHITE, BLUE), low=0) if maps.positive else Scale(maps.area, (RED, WHITE, BLUE))]
    scales += [Scale(kernels.area, (RED, WHITE, BLUE))] if stage.weight.size else []
    last = max(maps.area[2], kernels.area[2] if stage.weight.size else 0)
    widths: tuple[tuple[int, int, float], ...] = (
        (0, 0, 9.0),
        (1, maps.area[3], NARROW),
        (maps.area[3] + 1, maps.area[3] + 1, 3.0),
    )
    widths += ((kernels.left, kernels.left, 12.0), (kernels.left + 1, kernels.area[3], NARROW)) if beside else ()
    made = Sheet(sheet, tuple(cells), widths=widths, heights=((TOP, last, ROW),), freeze=(TOP, 0), scales=tuple(scales))
    return made, maps


@dataclass(frozen=True)
class _Kernels:
    """Where the weights of a stage stand: for each map its bias (a column of numbers), then its kernels side by side.
    `flat`: one column of weights for each value, its bias above it."""

    stage: Stage
    left: int
    pitch: int
    flat: bool

    def bias(self, c: int) -> tuple[int, int]:
        """The cell of a bias."""
        return (TOP - 1, self.left + 1 + c) if self.flat else (TOP + c * self.pitch, self.left)

    def kernel(self, c: int, i: int) -> tuple[int, int]:
        """The first cell of the kernel from map i to map c."""
        if self.flat:
            return TOP + i, self.left + 1 + c
        return TOP + c * self.pitch, self.left + 1 + i * (self.stage.weight.shape[-1] + 1)

    @property
    def area(self) -> tuple[int, int, int, int]:
        """The cells of the kernels."""
        shape = self.stage.weight.shape if self.stage.weight.ndim == 4 else (len(self.stage.weight), 2, 1, 1)
        if self.stage.kind == "affine":
            shape = (shape[0], 2, *self.stage.weight.shape[1:])
        out, inputs, rows, columns = shape
        if self.flat:
            return TOP, self.left + 1, TOP + inputs - 1, self.left + out
        last = self.kernel(out - 1, inputs - 1)
        return TOP, self.left + 1, last[0] + rows - 1, last[1] + columns - 1

    def cells(self) -> Iterator[Cell]:
        """All weights and biases."""
        stage = self.stage
        if stage.kind == "affine":
            for c in range(len(stage.weight)):
                for i, part in enumerate((stage.weight, stage.bias)):
                    yield from _block(self.kernel(c, i), part[c])
        elif stage.kind == "conv":
            head = "bias" if self.flat else "bias, then a kernel for each map of the layer before"
            yield Cell(TOP - 1, self.left, head, "quiet")
            for c, kernels in enumerate(stage.weight):
                yield Cell(*self.bias(c), float(stage.bias[c]), "dot" if self.flat else "value")
                for i, kernel in enumerate(kernels):
                    yield from _block(self.kernel(c, i), kernel)


def _positive(stage: Stage, parts: Sequence[Maps]) -> bool:
    pooled = stage.kind in ("max_pool", "avg_pool", "add", "concat") and all(part.positive for part in parts)
    positive = stage.function in ("relu6", "sigmoid", "hardsigmoid")
    return stage.rectified or pooled or positive or (stage.kind == "rectify" and not stage.slope)


def _block(first: tuple[int, int], values: Floats) -> Iterator[Cell]:
    for y, row in enumerate(values.tolist()):
        for x, value in enumerate(row):
            yield Cell(first[0] + y, first[1] + x, value, "dot")


def _joined(stage: Stage, parts: Sequence[Maps], at: tuple[int, int, int]) -> str:
    """The formula of one value of a sum or a concatenation."""
    c, y, x = at
    if stage.kind == "add":
        return "+".join(part.window(c, y, x, (1, 1)) for part in parts)
    for part in parts:
        if c < part.shape[0]:
            return part.window(c, y, x, (1, 1))
        c -= part.shape[0]
    raise IndexError(at)


def formula(stage: Stage, parts: Sequence[Maps], kernels: _Kernels, at: tuple[int, int, int]) -> str:
    """The formula of one value of a stage."""
    (c, y, x), before = at, parts[0]
    if stage.kind in ("add", "concat"):
        return _joined(stage, parts, at)
    if stage.kind == "conv":
        total = "+".join([*_products(stage, before, kernels, at), address(*kernels.bias(c))])
        return f"MAX(0,{total})" if stage.rectified else total
    if stage.kind in ("max_pool", "avg_pool"):
        return f"{'MAX' if stage.kind == 'max_pool' else 'AVERAGE'}({_inside(stage, before, at)})"
    value = before.window(c, y, x, (1, 1))
    if stage.kind == "affine":
        weight, bias = (address(row + y, column + x) for row, column in (kernels.kernel(c, i) for i in (0, 1)))
        return f"{value}*{weight}+{bias}"
    if stage.kind == "activation":
        return activation_formula(stage.function, stage.alpha, value)
    return f"IF({value}>0,{value},{stage.slope!r}*{value})" if stage.slope else f"MAX(0,{value})"


def _products(stage: Stage, before: Maps, kernels: _Kernels, at: tuple[int, int, int]) -> Iterator[str]:
    """The sums of products of a convolution, one for each map of the layer before."""
    c, y, x = at
    inputs = stage.taken[0]
    if kernels.flat:
        row, column = kernels.kernel(c, 0)
        weights = f"{address(row, column)}:{address(row + inputs - 1, column)}"
        yield f"SUMPRODUCT({before.window(0, 0, 0, (inputs, 1))},{weights})"
        return
    top, left = (step * to - pad for step, to, pad in zip(stage.stride, (y, x), stage.padding, strict=True))
    first = stage.first(c)
    for i in range(stage.each):
        row, column = kernels.kernel(c, i)
        window = before.window(first + i, top, left, stage.kernel)
        if stage.kernel == (1, 1):
            yield f"{window}*{address(row, column)}"
        elif stage.dilation != (1, 1):
            for y, x in np.ndindex(stage.kernel):
                tap = before.window(first + i, top + y * stage.dilation[0], left + x * stage.dilation[1], (1, 1))
                yield f"{tap}*{address(row + y, column + x)}"
        else:
            last = address(row + stage.kernel[0] - 1, column + stage.kernel[1] - 1)
            yield f"SUMPRODUCT({window},{address(row, column)}:{last})"


def _inside(stage: Stage, before: Maps, at: tuple[int, int, int]) -> str:
    """The part of a pool's window that lies in the map."""
    c, y, x = at
    firsts, sizes = [], []
    for side, size, step, pad, to in zip(
        stage.taken[1:], stage.kernel, stage.stride, stage.padding, (y, x), strict=True
    ):
        first, last = max(0, to * step - pad), min(side, to * step - pad + size)
        firsts.append(first)
        sizes.append(last - first)
    return before.window(c, firsts[0], firsts[1], (sizes[0], sizes[1]))


def shape_words(shape: Sequence[int]) -> str:
    """Maps and their size, for people.

    >>> shape_words((8, 14, 14)), shape_words((10, 1, 1)), shape_words((1, 28, 28))
    ('8 maps of 14x14', '10 values', '1 map of 28x28')
    """
    channels, rows, columns = shape
    if (rows, columns) == (1, 1):
        return f"{channels:,} value{'s' * (channels > 1)}"
    return f"{channels:,} map{'s' * (channels > 1)} of {rows}x{columns}"


def _words(number: int, stage: Stage, told: str, positive: bool) -> Iterator[Cell]:
    yield Cell(0, 0, f"Layer {number}: {told}", "title")
    learned = f"; {stage.numbers:,} numbers that were learned" if stage.numbers else ""
    yield Cell(1, 0, f"{shape_words(stage.taken)} become {shape_words(stage.given)}{learned}", "quiet")
    colours = "white is 0, blue is more" if positive else "red is below 0, white is 0, blue is above"
    yield Cell(2, 0, f"{colours}; click a cell to see its number and its formula", "quiet")


def _labels(stage: Stage, maps: Maps) -> Iterator[Cell]:
    word = "value" if stage.given[1:] == (1, 1) else "map"
    for c in range(stage.given[0]):
        yield Cell(maps.row + c * maps.pitch, 0, f"{word} {c + 1}", "quiet")
