"""Where the maps of a network stand on the sheets of its workbook, and what stands around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinyproof.backprop.sheet import Cell, letters
from tinyproof.data.reading import Shape
from tinyproof.ship.operations import Floats
from tinyproof.ship.stages import Stage

TOP = 4  # the first row of maps and kernels


@dataclass(frozen=True)
class Maps:
    """Where maps [channels, rows, columns] stand on a sheet: the upper left cell of the first one (the values around it
    included), and how many rows further down the next one begins. `padding`: how many cells of values are around;
    `positive`: no value is below 0."""

    sheet: str
    shape: Shape
    row: int
    column: int
    pitch: int
    padding: tuple[int, int] = (0, 0)
    positive: bool = False

    def place(self, channel: int, y: int, x: int) -> tuple[int, int]:
        """Row and column of a value; of one around the map where y or x lie outside."""
        return self.row + channel * self.pitch + self.padding[0] + y, self.column + self.padding[1] + x

    def window(self, channel: int, y: int, x: int, size: tuple[int, int]) -> str:
        """A window of a map, as a formula of another sheet says it."""
        (row, column), (rows, columns) = self.place(channel, y, x), size
        first, last = f"{letters(column)}{row + 1}", f"{letters(column + columns - 1)}{row + rows}"
        return f"{self.sheet}!{first}" if first == last else f"{self.sheet}!{first}:{last}"

    @property
    def area(self) -> tuple[int, int, int, int]:
        """The cells from the first to the last."""
        (_, rows, columns), (down, right) = self.shape, self.padding
        last = self.row + (self.shape[0] - 1) * self.pitch + rows + 2 * down - 1
        return self.row, self.column, last, self.column + columns + 2 * right - 1

    def around(self, values: Floats) -> Iterator[Cell]:
        """The cells around each map, with one value a map."""
        (channels, rows, columns), (down, right) = self.shape, self.padding
        for channel in range(channels):
            for y in range(-down, rows + down):
                inside = 0 <= y < rows
                for x in range(-right, columns + right):
                    if not (inside and 0 <= x < columns):
                        yield Cell(*self.place(channel, y, x), float(values[channel]), "dot")


def maps_of(sheet: str, shape: Shape, then: Stage | None, least: int = 0) -> Maps:
    """The place of maps; `then`: the stage that takes them, which may want values around them; `least`: the height of
    what stands beside each of them."""
    padding = then.padding if then is not None and then.kind == "conv" else (0, 0)
    alone = shape[1:] == (1, 1) and not any(padding)
    return Maps(sheet, shape, TOP, 1, 1 if alone else max(shape[1] + 2 * padding[0], least) + 1, padding)


def around(steps: Sequence[Stage], number: int) -> Stage | None:
    """The convolution that wants values around the maps of a step, from 0, -1 for the picture; None where none does."""
    wants = (step for step in steps if step.kind == "conv" and any(step.padding) and step.takes == (number,))
    return next(wants, None)
